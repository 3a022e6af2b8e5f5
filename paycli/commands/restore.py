"""`paycli restore`: recover the transactions table, beside the live one, and copy back what is lost."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from paycli import console, display
from paycli.commands.common import Project, environment_command
from paycli.console import Result
from paycli.errors import DetachedError, ExitStatus, PaycliError, UsageError
from paycli.views import restore as restore_view

if TYPE_CHECKING:
    from paycli.aws import Aws, Caller
    from paycli.environment import Environment
    from paycli.operations.restore.comparison import Comparison, Pair
    from paycli.operations.restore.outcomes import Refusals
    from paycli.operations.restore.tables import RestoredTable

_ACTIONS = ("to", "deleted", "finish", "compare", "merge", "cleanup")
_EMBEDDED = "The embedded AWS restores the table as it is now, whatever the point in time."


@dataclass(frozen=True)
class _Wish:
    """What the command line asks for."""

    table: str | None
    sample: int
    segments: int
    transactions: tuple[str, ...]
    overwrite: bool
    count: int | None
    expired: bool
    yes: bool


@click.command(
    "restore",
    epilog="""\b
Example: paycli restore --env prod --to 2026-11-23T09:30:00Z
         paycli restore --env prod --compare
         paycli restore --env prod --merge
         paycli restore --env prod --cleanup""",
)
@click.option("--to", metavar="TIME", help="Restore beside the live table: 15m (ago), an ISO 8601 time, or latest.")
@click.option("--deleted", is_flag=True, help="The table was deleted: restore it in its place.")
@click.option("--finish", is_flag=True, help="Follow an interrupted restore to its end, and complete the table.")
@click.option("--compare", is_flag=True, help="Say what differs from the live table. Exits with 4 where anything does.")
@click.option("--merge", is_flag=True, help="Copy back what the live table lacks. Goes on where it was interrupted.")
@click.option("--cleanup", is_flag=True, help="Delete the restored table.")
@click.option("--table", metavar="NAME", help="The restored table to work on.  [default: the newest]")
@click.option("--sample", type=click.IntRange(0, 1000), default=10, show_default=True, help="Shown of each difference.")
@click.option("--segments", type=click.IntRange(1, 8), default=4, show_default=True, help="Read so many in parallel.")
@click.option(
    "--transaction", "transactions", metavar="ID", multiple=True, help="Merge only this one; may be repeated."
)
@click.option("--overwrite", is_flag=True, help="Replace what differs in the live table: see above.")
@click.option("--count", type=click.IntRange(1), help="Overwrite all, if they are so many, and don't ask.")
@click.option("--include-expired", "expired", is_flag=True, help="Merge also payments that have expired unprocessed.")
@click.option("--yes", is_flag=True, help="Don't ask; for CI.")
@environment_command
def command(
    project: Project,
    to: str | None,
    deleted: bool,
    finish: bool,
    compare: bool,
    merge: bool,
    cleanup: bool,
    **wished: Any,
) -> Result:
    """Recover the transactions table. Without an action: show what can be restored, and what was.

    --to restores beside the live table, which stays as it is and stays the stack's; --compare, --merge and --cleanup
    work on the restored one. No payment details are shown: ids, status and names of attributes.

    --merge writes only what is absent. With --overwrite it replaces payments that differ, by a condition that they
    are still as they were read: those of --transaction, or all where a confirmation, or --count, names their number.
    It never turns processed into validated: of what was processed since, only the other attributes are put back.
    docs/recovery.md leads through the cases.
    """
    wish = _Wish(**wished)
    asked = [
        name for name, value in zip(_ACTIONS, (to, deleted, finish, compare, merge, cleanup), strict=True) if value
    ]
    _check_options(asked, wish)
    from paycli.aws import check_caller

    aws = project.connect_to_deployed()
    caller = check_caller(aws, project.environment)
    if deleted:
        return _undelete(project, aws, caller, wish)
    if to:
        return _restore(project, aws, to, wish, compare=compare)
    if finish:
        return _finish(project, aws, wish)
    if compare:
        return _compared(_compare(aws, _chosen(project, aws, wish)[1], wish))
    if merge:
        return _merge(project, aws, caller, wish)
    if cleanup:
        return _cleanup(project, aws, caller, wish)
    return _show(project, aws)


def _check_options(asked: list[str], wish: _Wish) -> None:
    if len(asked) > 1 and asked != ["to", "compare"]:
        raise UsageError(
            f"One action at a time: --{' or --'.join(asked)}.",
            hint="Only --to and --compare go together.",
            code="usage",
        )
    merges = bool(wish.transactions or wish.overwrite or wish.count or wish.expired)
    if merges and asked != ["merge"]:
        raise UsageError(
            "--transaction, --overwrite, --count and --include-expired belong to --merge.",
            hint="Add --merge, or leave them out.",
            code="usage",
        )
    if wish.count and (not wish.overwrite or wish.transactions):
        raise UsageError("--count is for --overwrite without --transaction.", hint="Leave --count out.", code="usage")
    asks = not wish.yes and console.can_ask()
    if wish.overwrite and not asks and not (wish.transactions or wish.count):
        raise UsageError(
            "--overwrite without a question has to say what is overwritten.",
            hint="Name each payment with --transaction, or their number with --count, as --compare says it.",
            code="usage",
        )
    if asked in (["deleted"], ["cleanup"], ["merge"]):
        console.require_answer(yes=wish.yes or wish.count is not None)


@contextlib.contextmanager
def _interruptible(said: str, again: str) -> Iterator[None]:
    """Say on an interrupt what became of it, and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        raise DetachedError(f"Interrupted: {said}", hint=again, code="interrupted") from None


def _notes(environment: "Environment") -> list[str]:
    return [_EMBEDDED] if environment.target == "embedded" else []


def _show(project: Project, aws: "Aws") -> Result:
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
        "notes": _notes(environment),
    }
    return Result(data, shown=[*shown, *_notes(environment)])


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _restore(project: Project, aws: "Aws", to: str, wish: _Wish, *, compare: bool) -> Result:
    from paycli.durations import moment
    from paycli.operations.restore import restoring, tables
    from paycli.operations.restore.comparison import Pair

    environment = project.environment
    dynamodb = aws.client("dynamodb")
    now = datetime.now(UTC)
    wanted_point = None if to == "latest" else moment(to, now)
    window = restoring.window(dynamodb, environment)
    point = now.replace(microsecond=0)
    if environment.target != "embedded":
        point = window.latest if wanted_point is None else restoring.check(wanted_point, window)
    for note in _notes(environment):
        console.note(note)
    wanted = restoring.live_settings(dynamodb, environment)
    name = tables.new_name(environment, "restore", datetime.now(UTC))
    again = f"paycli restore --env {environment.name} --finish --table {name}"
    with _interruptible(f"AWS goes on restoring {name}.", again), display.activity() as report:
        restoring.begin(dynamodb, environment, name, wanted, point if wanted_point else None)
        console.note(f"Restoring {tables.live_name(environment)} as of {restore_view.moment(point)} to {name}")
        restoring.finish(dynamodb, environment, "restore", name, wanted, point, report)
    data = {"table": name, "live": tables.live_name(environment), "point": point.isoformat()}
    if compare:
        pair = Pair(name, tables.live_name(environment), point)
        result = _compared(_compare(aws, pair, wish))
        return dataclasses.replace(result, data={**data, **result.data})
    said = f"{name} holds the payments as of {restore_view.moment(point)}."
    hint = f"Next: paycli restore --env {environment.name} --compare"
    return Result({**data, "notes": _notes(environment)}, shown=[said, hint])


def _undelete(project: Project, aws: "Aws", caller: "Caller", wish: _Wish) -> Result:
    from paycli.operations.restore import deleted, tables

    environment = project.environment
    dynamodb = aws.client("dynamodb")
    name = tables.live_name(environment)
    backup = deleted.find(dynamodb, environment)
    if not backup.begun:
        action = f"Restore {name} in its place, as it was deleted at {restore_view.moment(backup.made_at)}"
        console.confirm(f"{action}, in {caller.place}", environment.name, typed=environment.retain_data, yes=wish.yes)
    again = f"paycli restore --env {environment.name} --deleted"
    with _interruptible(f"AWS goes on restoring {name}.", again), display.activity() as report:
        deleted.restore(dynamodb, environment, backup, report)
    said = f"{name} is restored in its place, with its settings; the stack has it again."
    return Result(
        {"table": name, "backup": backup.arn}, shown=[said, f"Next: paycli smoke-test --env {environment.name}"]
    )


def _finish(project: Project, aws: "Aws", wish: _Wish) -> Result:
    from paycli.operations.restore import restoring, tables

    environment = project.environment
    dynamodb = aws.client("dynamodb")
    table = tables.choose(dynamodb, environment, wish.table)
    again = f"paycli restore --env {environment.name} --finish --table {table.name}"
    with _interruptible(f"AWS goes on restoring {table.name}.", again), display.activity() as report:
        point = table.point or restoring.point_of(dynamodb, table.name, table.made_at)
        wanted = restoring.live_settings(dynamodb, environment)
        restoring.finish(dynamodb, environment, "restore", table.name, wanted, point, report)
    said = f"{table.name} is complete. It holds the payments as of {restore_view.moment(point)}."
    return Result({"table": table.name, "point": point.isoformat()}, shown=[said])


def _chosen(project: Project, aws: "Aws", wish: _Wish) -> "tuple[RestoredTable, Pair, dict[str, str]]":
    """Return the restored table, with the live one, and the ids of both; the latter tell one from a namesake."""
    from paycli.operations.restore import restoring, tables
    from paycli.operations.restore.comparison import Pair

    environment = project.environment
    dynamodb = aws.client("dynamodb")
    table = tables.choose(dynamodb, environment, wish.table)
    point = tables.require_ready(table, environment)
    live = tables.describe(dynamodb, tables.live_name(environment))
    if live is None:
        raise restoring.table_is_gone(environment)
    pair = Pair(table.name, live["TableName"], point, max(table.items, live.get("ItemCount", 0)))
    return table, pair, {"restored_id": table.table_id, "live_id": live.get("TableId", "")}


def _compare(aws: "Aws", pair: "Pair", wish: _Wish) -> "Comparison":
    from paycli.operations.restore.comparison import compare

    with display.activity() as report:
        return compare(aws.client("dynamodb"), pair, report, segments=wish.segments, sample=wish.sample)


def _compared(comparison: "Comparison") -> Result:
    pair = comparison.pair
    data = {
        "table": pair.restored,
        "live": pair.live,
        "point": pair.point.isoformat(),
        "counts": dict(comparison.counts),
        "different": comparison.different,
        "sample": [dataclasses.asdict(difference) for difference in comparison.sample],
    }
    status = ExitStatus.DIFFERENT if comparison.different else ExitStatus.DONE
    return Result(data, shown=list(restore_view.compared(comparison)), status=status)


def _merge(project: Project, aws: "Aws", caller: "Caller", wish: _Wish) -> Result:
    from paycli.operations.restore import checkpoint
    from paycli.operations.restore.merging import Merge
    from paycli.operations.restore.outcomes import Orders, Refusals

    environment = project.environment
    dynamodb = aws.client("dynamodb")
    _, pair, identity = _chosen(project, aws, wish)
    orders = Orders(expired=wish.expired, overwrite=len(wish.transactions) if wish.overwrite else 0)
    refusals = Refusals(max(wish.sample, len(wish.transactions)))
    if wish.transactions:
        verb = "Copy back or overwrite" if wish.overwrite else "Copy back"
        action = f"{verb} {len(wish.transactions)} payments in {pair.live}, {caller.place}"
        console.confirm(action, environment.name, typed=environment.retain_data, yes=wish.yes)
    elif wish.overwrite or not wish.yes:
        counts = _surveyed(project, dynamodb, pair, identity, wish, refusals)
        replaced = _replaced(counts)
        if not counts["copied"] and not replaced:
            checkpoint.forget(checkpoint.path_of(project.root, pair.restored))
            result = _merged(project, pair, counts, refusals)
            return dataclasses.replace(result, shown=["Nothing is left to be written.", *result.shown])
        console.confirm(
            _action(counts, pair, caller),
            environment.name,
            typed=environment.retain_data,
            yes=wish.yes or wish.count is not None,
        )
        orders = dataclasses.replace(orders, overwrite=replaced, confirmed=wish.count or replaced)
    again = "The same command again goes on where this one stopped."
    with _interruptible("what was written stays, every write was conditional.", again), display.activity() as report:
        merge = Merge(dynamodb, pair, orders, report, project.root, identity, refusals)
        counts = merge.named(wish.transactions) if wish.transactions else merge.all(segments=wish.segments)
    result = _merged(project, pair, counts, refusals)
    named = [refusal.transaction_id for refusal in refusals.sampled()] if wish.transactions else []
    return dataclasses.replace(result, status=ExitStatus.FAILED, errors=(_refused(named),)) if named else result


def _merged(project: Project, pair: "Pair", counts: Mapping[str, int], refusals: "Refusals") -> Result:
    from paycli.operations.restore import validated

    refused = refusals.sampled()
    path = validated.path_of(project.root, pair.restored)
    unsure = validated.count(path)
    data = {
        "table": pair.restored,
        "live": pair.live,
        "point": pair.point.isoformat(),
        "counts": dict(counts),
        "refused": [dataclasses.asdict(refusal) for refusal in refused],
        "validated": {"count": unsure, "ids": str(path) if unsure else None},
    }
    said = f"{pair.restored} (as of {restore_view.moment(pair.point)}) into {pair.live}:"
    return Result(data, shown=[said, *restore_view.merged(counts, refused, unsure, path)])


def _refused(named: list[str]) -> PaycliError:
    return PaycliError(
        f"Of the named payments {len(named)} stay as they are: {', '.join(named)}.",
        hint="Why stands with each; docs/recovery.md says what can be done.",
        code="refused",
    )


def _replaced(counts: Mapping[str, int]) -> int:
    """Return how many payments of the live table are written over: what --count confirms."""
    return counts["overwritten"] + counts["mended"]


def _surveyed(
    project: Project, dynamodb: Any, pair: "Pair", identity: Mapping[str, str], wish: _Wish, refusals: "Refusals"
) -> Mapping[str, int]:
    """Count what a merge would write.

    Raises PaycliError where --count is another number, unless it is what is left of one that was interrupted.
    """
    from paycli.operations.restore.merging import survey, unfinished
    from paycli.operations.restore.outcomes import Orders

    orders = Orders(expired=wish.expired, overwrite=1 if wish.overwrite else 0)
    with display.activity() as report:
        counts = survey(dynamodb, pair, orders, report, refusals, segments=wish.segments)
    replaced = _replaced(counts)
    if wish.count in (None, replaced):
        return counts
    begun = unfinished(project.root, pair, orders, identity, wish.segments)
    if begun and begun.confirmed == wish.count and replaced <= begun.left:
        return counts
    raise PaycliError(
        f"{replaced} payments would be overwritten or mended, not {wish.count}. Nothing was changed.",
        hint="Look at them with --compare: changed, without what has expired, and misprocessed.",
        code="count_differs",
    )


def _action(counts: Mapping[str, int], pair: "Pair", caller: "Caller") -> str:
    copied, validated = counts["copied"], counts["copied_validated"]
    parts = [f"Copy {copied:,} payments back ({copied - validated:,} processed, {validated:,} validated)"]
    verbs = {"overwritten": "overwrite", "mended": "mend"}
    parts += [f"{verb} {counts[name]:,}" for name, verb in verbs.items() if counts[name]]
    return f"{' and '.join(parts)} in {pair.live}, {caller.place}"


def _cleanup(project: Project, aws: "Aws", caller: "Caller", wish: _Wish) -> Result:
    from paycli.operations.restore import cleanup, tables

    environment = project.environment
    dynamodb = aws.client("dynamodb")
    try:
        table = tables.choose(dynamodb, environment, wish.table)
    except tables.GoneError as gone:  # a cleanup that was interrupted may have come that far
        _forget(project, str(wish.table))
        return Result({"deleted": None}, shown=[f"{gone.message} Nothing is left to delete."])
    cleanup.check(table, environment)
    action = f"Delete {table.name}, in {caller.place}"
    console.confirm(action, environment.name, typed=environment.retain_data, yes=wish.yes)
    again = f"paycli restore --env {environment.name} --cleanup --table {table.name}"
    with _interruptible("AWS goes on with the delete if it has begun.", again), display.activity() as report:
        cleanup.delete(dynamodb, table, report)
    _forget(project, table.name)
    shown = [f"{table.name} is deleted."]
    if environment.target == "aws":
        shown.append("AWS keeps a system backup of it for 35 days, free of charge.")
    return Result({"deleted": table.name}, shown=shown)


def _forget(project: Project, table: str) -> None:
    from paycli.operations.restore import checkpoint, validated

    checkpoint.forget_table(checkpoint.path_of(project.root, table))
    validated.path_of(project.root, table).unlink(missing_ok=True)
