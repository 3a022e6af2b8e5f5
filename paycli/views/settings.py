"""How settings look."""

from collections.abc import Mapping, Sequence
from typing import Any

from paycli.table import Table
from paycli.text import printable


def settings(rows: Sequence[Mapping[str, Any]], *, describe: bool) -> Table:
    """Show settings with their sources."""
    table = Table(("Setting", "Value", "From", *(["What it is"] if describe else [])))
    for row in rows:
        value = "" if row["value"] is None else printable(str(row["value"]))
        table.add_row(row["setting"], value, row["source"], *([row["description"]] if describe else []))
    return table
