"""How plans, deploys, outputs and teardowns look."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from paycli.table import Table
from paycli.text import differing, one_line, printable

if TYPE_CHECKING:
    from paycli.deployment.changeset import Cause, ChangeSet
    from paycli.deployment.difference import CodeChange
    from paycli.deployment.records import Record
    from paycli.deployment.teardown import TeardownPlan

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets-view.html
_LATER = "{{changeSet:KNOWN_AFTER_APPLY}}"
_STYLES = {"Add": "green", "Modify": "yellow", "Remove": "bold red"}


def changes(change_set: "ChangeSet", place: str) -> Table | str:
    """Show a change set: destructive rows first and in red."""
    if not change_set.changes:
        return printable(f"Changes of {change_set.stack_name} in {place}: only its outputs, parameters or tags.")
    rows = [
        (
            change.action,
            change.logical_id,
            change.resource_type,
            change.replacement,
            printable(", ".join(map(_cause, change.causes))),
            printable(change.physical_id) if change.action == "Import" else "",
        )
        for change in change_set.changes
    ]
    headers = ("Action", "Resource", "Type", "Replacement", "Because of", "What stands already")
    # Replacement and cause are empty where everything is added, and seldom anything is imported.
    kept = [column for column in range(len(headers)) if column == 0 or any(row[column] for row in rows)]
    title = f"Changes of {change_set.stack_name} in {place}"
    table = Table([headers[column] for column in kept], title=printable(title))
    for change, row in zip(change_set.changes, rows, strict=True):
        style = "bold red" if change.loses_data else _STYLES.get(change.action, "")
        table.add_row(*(row[column] for column in kept), style=style)
    return table


def _cause(cause: "Cause") -> str:
    if not (cause.before or cause.after):
        return cause.name
    drifted = " (drifted)" if cause.drifted else ""
    if cause.before == cause.after:  # it refers to what is changed
        return f"{cause.name} (may change){drifted}"
    if cause.after == _LATER:
        return f"{cause.name}: {one_line(cause.before) or 'nothing'} -> known only then{drifted}"
    before, after = differing(one_line(cause.before), one_line(cause.after))
    return f"{cause.name}: {before or 'nothing'} -> {after or 'nothing'}{drifted}"


def code_change(change: "CodeChange") -> list[str]:
    """Show which handlers differ from the deployed ones; nothing where none does."""
    marks = (("+", change.added), ("~", change.changed), ("-", change.removed))
    lines = [f"  {mark} {printable(name)}" for mark, names in marks for name in names]
    before = change.before[:12] or "none"
    return [f"Code {before} -> {change.after[:12]}", *lines] if change else []


def history(records: Sequence["Record"], running: "Record | None") -> Table:
    """Show deploys, newest first; the one that runs is marked."""
    rows = Table(("", "No.", "When (UTC)", "Result", "Changes", "Commit", "paycli", "Code", "By"))
    styles = {"succeeded": "green", "failed": "red", "cancelled": "yellow", "in_progress": "cyan"}
    for record in records:
        version = record.version
        again = f" (again {record.rollback_of})" if record.rollback_of else ""
        tested = ", smoke test failed" if record.smoke_test == "failed" else ""
        rows.add_row(
            "*" if record == running else "",
            str(record.number),
            printable(record.started_at.removesuffix("Z").replace("T", " ")),
            (record.result.replace("_", " ") + again + tested, "red" if tested else styles[record.result]),
            str(record.changes),
            printable(version.commit),
            printable(version.paycli),
            printable(version.code_key.removeprefix("code/")[:12]),
            printable(record.deployer.rpartition(":")[2]),
        )
    return rows


def left_behind(record: "Record") -> str:
    """Say what a deploy has left that no stack has any more."""
    lines = "".join(f"\n  {one_line(one)}" for one in record.left_behind)
    return printable(f"Left behind by deploy {record.number}: delete it by hand, once nothing needs it.{lines}")


def outputs(values: Mapping[str, str]) -> list[str]:
    """Show the outputs of a stack: lines and no table, so that nothing that one wants to copy is cut."""
    width = max(map(len, values), default=0)
    return [f"{key:<{width}}  {printable(value)}" for key, value in values.items()]


def teardown(plan: "TeardownPlan", place: str) -> Table:
    """Show what a teardown deletes and leaves."""
    table = Table(("", "Resource", "Type", "Name"), title=printable(f"Teardown of {plan.stack.name} in {place}"))
    for resources, word, style in ((plan.goes, "goes", "red"), (plan.stays, "stays", "green")):
        for resource in resources:
            table.add_row(
                f"{word}, failed before" if resource in plan.in_the_way else word,
                resource.logical_id,
                resource.resource_type,
                printable(resource.physical_id),
                style=style,
            )
    return table
