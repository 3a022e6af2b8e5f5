"""A table beside the live one: restored, completed, deleted; and one that is restored in the live one's place."""

import dataclasses
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from paycli import console, display
from paycli.commands.common import Project
from paycli.commands.restore.back import compare_tables, compared
from paycli.commands.restore.wish import Wish, interruptible, notes
from paycli.console import Result
from paycli.errors import UsageError
from paycli.views import restore as restore_view

if TYPE_CHECKING:
    from paycli.aws import Aws, Caller


def show(project: Project, aws: "Aws") -> Result:
    """Return what can be restored, and what was."""
    from paycli.operations.restore import restoring, tables

    environment = project.environment
    dynamodb = aws.client("dynamodb")
    window = restoring.window(dynamodb, environment)
    found = tables.find(dynamodb, environment, "restore")
    shown: list[Any] = [f"{tables.live_name(environment)} can be restored to any second from {window}."]
    shown += [restore_view.listed(found)] if found else ["No restored table is there."]
    data = {
        "window": {"earliest": window.earliest.isoformat(), "latest": window.latest.isoformat()},
        "tables": [
            {**dataclasses.asdict(table), "made_at": table.made_at.isoformat(), "point": _iso(table.point)}
            for table in found
        ],
        "notes": notes(environment),
    }
    return Result(data, shown=[*shown, *notes(environment)])


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def restore(project: Project, aws: "Aws", to: str, wish: Wish, *, compare: bool) -> Result:
    """Restore beside the live table, and compare where that is wished."""
    from paycli.durations import moment
    from paycli.operations.restore import restoring, tables
    from paycli.operations.restore.comparison import Pair

    environment = project.environment
    dynamodb = aws.client("dynamodb")
    now = datetime.now(UTC)
    wanted_point = None if to == "latest" else moment(to, now)
    if wanted_point and wanted_point > now:  # which the embedded AWS would take
        raise UsageError(
            f"{restore_view.moment(wanted_point)} is yet to come.", hint="--to latest", code="outside_window"
        )
    window = restoring.window(dynamodb, environment)
    point = now.replace(microsecond=0)
    if environment.target != "embedded":
        point = window.latest if wanted_point is None else restoring.check(wanted_point, window)
    for note in notes(environment):
        console.note(note)
    wanted = restoring.live_settings(dynamodb, environment)
    name = tables.new_name(environment, "restore", datetime.now(UTC))
    again = f"paycli restore --env {environment.name} --finish --table {name}"
    with interruptible(f"AWS goes on restoring {name}.", again), display.activity() as report:
        restoring.begin(dynamodb, environment, name, wanted, point if wanted_point else None)
        console.note(f"Restoring {tables.live_name(environment)} as of {restore_view.moment(point)} to {name}")
        restoring.finish(dynamodb, environment, "restore", name, wanted, point, report)
    data = {"table": name, "live": tables.live_name(environment), "point": point.isoformat()}
    if compare:
        pair = Pair(name, tables.live_name(environment), point)
        result = compared(compare_tables(aws, pair, wish))
        return dataclasses.replace(result, data={**data, **result.data})
    said = f"{name} holds the payments as of {restore_view.moment(point)}."
    hint = f"Next: paycli restore --env {environment.name} --compare"
    return Result({**data, "notes": notes(environment)}, shown=[said, hint])


def undelete(project: Project, aws: "Aws", caller: "Caller", wish: Wish) -> Result:
    """Restore a deleted table in its place, from its system backup."""
    from paycli.operations.restore import deleted, tables

    environment = project.environment
    dynamodb = aws.client("dynamodb")
    name = tables.live_name(environment)
    backup = deleted.find(dynamodb, environment)
    if not backup.begun:
        action = f"Restore {name} in its place, as it was deleted at {restore_view.moment(backup.made_at)}"
        console.confirm(f"{action}, in {caller.place}", environment.name, typed=environment.retain_data, yes=wish.yes)
    again = f"paycli restore --env {environment.name} --deleted"
    with interruptible(f"AWS goes on restoring {name}.", again), display.activity() as report:
        deleted.restore(dynamodb, environment, backup, report)
    said = f"{name} is restored in its place, with its settings; the stack has it again."
    return Result(
        {"table": name, "backup": backup.arn}, shown=[said, f"Next: paycli smoke-test --env {environment.name}"]
    )


def finish(project: Project, aws: "Aws", wish: Wish) -> Result:
    """Follow a restore that was interrupted, and complete the table."""
    from paycli.operations.restore import restoring, tables

    environment = project.environment
    dynamodb = aws.client("dynamodb")
    table = tables.choose(dynamodb, environment, wish.table)
    again = f"paycli restore --env {environment.name} --finish --table {table.name}"
    with interruptible(f"AWS goes on restoring {table.name}.", again), display.activity() as report:
        point = table.point or restoring.point_of(dynamodb, table.name, table.made_at)
        wanted = restoring.live_settings(dynamodb, environment)
        restoring.finish(dynamodb, environment, "restore", table.name, wanted, point, report)
    said = f"{table.name} is complete. It holds the payments as of {restore_view.moment(point)}."
    return Result({"table": table.name, "point": point.isoformat()}, shown=[said])


def cleanup(project: Project, aws: "Aws", caller: "Caller", wish: Wish) -> Result:
    """Delete the restored table."""
    from paycli.operations.restore import cleanup as cleaning
    from paycli.operations.restore import tables

    environment = project.environment
    dynamodb = aws.client("dynamodb")
    try:
        table = tables.choose(dynamodb, environment, wish.table)
    except tables.GoneError as gone:  # a cleanup that was interrupted may have come that far
        _forget(project, str(wish.table))
        return Result({"deleted": None}, shown=[f"{gone.message} Nothing is left to delete."])
    cleaning.check(table, environment)
    action = f"Delete {table.name}, in {caller.place}"
    console.confirm(action, environment.name, typed=environment.retain_data, yes=wish.yes)
    again = f"paycli restore --env {environment.name} --cleanup --table {table.name}"
    with interruptible("AWS goes on with the delete if it has begun.", again), display.activity() as report:
        cleaning.delete(dynamodb, table, report)
    _forget(project, table.name)
    shown = [f"{table.name} is deleted."]
    if environment.target == "aws":
        shown.append("AWS keeps a system backup of it for 35 days, free of charge.")
    return Result({"deleted": table.name}, shown=shown)


def _forget(project: Project, table: str) -> None:
    from paycli.operations.restore import checkpoint, validated

    checkpoint.forget_table(checkpoint.path_of(project.root, table))
    validated.path_of(project.root, table).unlink(missing_ok=True)
