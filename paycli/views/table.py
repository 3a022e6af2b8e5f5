"""The table that every command shows."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paycli.views.narrow import NarrowTable


def plain_table(*headers: str, title: str | None = None) -> "NarrowTable":
    """Return an empty table as every command shows it: no frame, and no word is cut."""
    from paycli.views.narrow import NarrowTable

    table = NarrowTable(title=title, title_justify="left", box=None, pad_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    return table
