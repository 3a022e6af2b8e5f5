"""How rich lays a table out, on any width of terminal."""

from collections.abc import Iterator, Sequence
from itertools import accumulate

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Column, Row, Table
from rich.text import Text

_GAP = 2  # blanks between two columns
_INDENT = 4  # blanks before what stands below its row


class NarrowTable(Table):
    """A table in which no id or name is broken, so that it can be copied and searched for.

    Where the terminal is too narrow for that, each row's last columns stand below it, by their headers.
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Show the table as one, or its last columns below each row."""
        longest = sum(_longest(column, words=True) for column in self.columns) + _GAP * (len(self.columns) - 1)
        if self.show_header and longest > options.max_width:
            yield from self._stacked(options.max_width)
            return
        if self.show_header:  # where it is tight, what has blanks is wrapped, and nothing else
            for column in self.columns:
                column.no_wrap = not any(" " in cell.plain for cell in _texts(column))
        yield from super().__rich_console__(console, options)

    def _stacked(self, width: int) -> Iterator[RenderableType]:
        widths = [_longest(column, words=False) for column in self.columns]
        ends = accumulate(widths, lambda end, more: end + _GAP + more)
        beside = max(sum(end <= width for end in ends), 1)
        headers, *cells = zip(*(_texts(column) for column in self.columns), strict=True)
        if self.title:
            yield Text(str(self.title), style="italic")
        yield _line(headers[:beside], widths, "bold")
        for row, texts in zip(self.rows, cells, strict=True):
            yield _line(texts[:beside], widths, _style(row))
            below = Table.grid(padding=(0, _GAP, 0, 0))
            below.add_column(no_wrap=True, style="dim")
            below.add_column(overflow="fold")
            for header, text in zip(headers[beside:], texts[beside:], strict=True):
                if text.plain:
                    below.add_row(header, text, style=row.style)
            if below.row_count:
                yield Padding(below, (0, 0, 0, _INDENT))


def narrow_table(*headers: str, title: str | None = None) -> NarrowTable:
    """Return an empty table as every command shows it on a terminal: no frame, and no word is cut."""
    table = NarrowTable(title=title, title_justify="left", box=None, pad_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def _texts(column: Column) -> list[Text]:
    """Return the header and the cells."""
    return [cell if isinstance(cell, Text) else Text(str(cell)) for cell in (column.header, *column.cells)]


def _longest(column: Column, *, words: bool) -> int:
    """Return the width of the longest cell, or word in one; never more than the column may have."""
    pieces = (piece for text in _texts(column) for piece in (text.plain.split() if words else text.plain.splitlines()))
    longest = max((cell_len(piece) for piece in pieces), default=0)
    return min(longest, column.max_width or longest)


def _line(cells: Sequence[Text], widths: Sequence[int], style: str) -> Text:
    line = Text(style=style, overflow="fold")
    for cell, width in zip(cells, widths, strict=False):
        line.append_text(cell)
        line.append(" " * (width + _GAP - cell.cell_len))
    line.rstrip()
    return line


def _style(row: Row) -> str:
    return str(row.style or "")
