"""The table that every command shows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paycli.table.narrow import NarrowTable

Cell = str | tuple[str, str]  # a text, or one with its style

_GAP = "  "


@dataclass(frozen=True)
class Table:
    """Rows below headers, without a frame.

    On a terminal rich lays it out (`__rich__`); a file, a pipe or a log gets its `lines`, in which nothing is cut or
    broken, and which need no rich.
    """

    headers: Sequence[str]
    title: str | None = None
    rows: list[tuple[Sequence[Cell], str]] = field(default_factory=list)  # cells, and the style of the row

    def add_row(self, *cells: Cell, style: str = "") -> None:
        """Add a row, of as many cells as there are headers."""
        self.rows.append((cells, style))

    def lines(self) -> Iterator[str]:
        """Give the table line by line, without trailing blanks."""
        if self.title:
            yield self.title
        rows = [[_lines(cell) for cell in cells] for cells in (self.headers, *(cells for cells, _ in self.rows))]
        widths = [max(_width(line) for cell in column for line in cell) for column in zip(*rows, strict=True)]
        for row in rows:
            for parts in zip_longest(*row, fillvalue=""):
                padded = (part + " " * (width - _width(part)) for part, width in zip(parts, widths, strict=True))
                yield _GAP.join(padded).rstrip()

    def __rich__(self) -> "NarrowTable":
        """Return the table that rich lays out."""
        from rich.text import Text

        from paycli.table.narrow import narrow_table

        table = narrow_table(*self.headers, title=self.title)
        for cells, style in self.rows:
            table.add_row(*(Text(cell) if isinstance(cell, str) else Text(*cell) for cell in cells), style=style)
        return table


def _lines(cell: Cell) -> list[str]:
    return (cell if isinstance(cell, str) else cell[0]).split("\n")


def _width(line: str) -> int:
    """Return how many columns of a terminal a line takes."""
    if line.isascii():
        return len(line)
    from rich.cells import cell_len

    return cell_len(line)
