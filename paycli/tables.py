"""How plans, outputs, settings and checks look as text."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from paycli.text import printable

if TYPE_CHECKING:
    from paycli.deployment.changeset import ChangeSet
    from paycli.deployment.teardown import TeardownPlan
    from paycli.smoke import CheckResult

_STYLES = {"Add": "green", "Modify": "yellow", "Remove": "bold red"}


def changes(change_set: "ChangeSet") -> Table:
    """Show a change set: destructive rows first and in red."""
    table = _table(
        "Action", "Resource", "Type", "Replacement", "Because of", title=f"Changes of {change_set.stack_name}"
    )
    for change in change_set.changes:
        style = "bold red" if change.loses_data else _STYLES.get(change.action, "")
        causes = printable(", ".join(change.causes))
        table.add_row(change.action, change.logical_id, change.resource_type, change.replacement, causes, style=style)
    return table


def outputs(values: Mapping[str, str]) -> Table:
    """Show the outputs of a stack."""
    table = _table("Output", "Value")
    for key, value in values.items():
        table.add_row(key, printable(value))
    return table


def settings(rows: Sequence[Mapping[str, Any]], *, describe: bool) -> Table:
    """Show settings with their sources."""
    table = _table("Setting", "Value", "From", *(["What it is"] if describe else []))
    for row in rows:
        value = "" if row["value"] is None else printable(str(row["value"]))
        table.add_row(row["setting"], value, row["source"], *([row["description"]] if describe else []))
    return table


def teardown(plan: "TeardownPlan") -> Table:
    """Show what a teardown deletes and leaves."""
    table = _table("", "Resource", "Type", "Name", title=f"Teardown of {plan.stack.name}")
    for resources, word, style in ((plan.goes, "goes", "red"), (plan.stays, "stays", "green")):
        for resource in resources:
            table.add_row(
                word, resource.logical_id, resource.resource_type, printable(resource.physical_id), style=style
            )
    return table


def check_line(result: "CheckResult") -> Text:
    """Show one check of the smoke test in a line."""
    line = Text()
    line.append("PASS  " if result.passed else "FAIL  ", style="green" if result.passed else "bold red")
    line.append(f"{result.duration_seconds:6.2f} s  {result.name:<18} {result.title}")
    if result.detail:
        line.append(f" ({printable(result.detail)})", style="dim")
    return line


def _table(*headers: str, title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    return table
