"""How settings look."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from paycli.text import printable
from paycli.views.table import plain_table

if TYPE_CHECKING:
    from rich.table import Table


def settings(rows: Sequence[Mapping[str, Any]], *, describe: bool) -> "Table":
    """Show settings with their sources."""
    table = plain_table("Setting", "Value", "From", *(["What it is"] if describe else []))
    for row in rows:
        value = "" if row["value"] is None else printable(str(row["value"]))
        table.add_row(row["setting"], value, row["source"], *([row["description"]] if describe else []))
    return table
