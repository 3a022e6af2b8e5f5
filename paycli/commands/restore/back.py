"""What comes back from a restored table: the comparison, and the merge."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from paycli import console, display
from paycli.commands.common import Project
from paycli.commands.restore.wish import Wish, chosen, interruptible
from paycli.console import Result
from paycli.errors import ExitStatus, PaycliError
from paycli.views import restore as restore_view

if TYPE_CHECKING:
    from paycli.aws import Aws, Caller
    from paycli.operations.restore.comparison import Comparison, Pair
    from paycli.operations.restore.outcomes import Refusals


def compare_tables(aws: "Aws", pair: "Pair", wish: Wish) -> "Comparison":
    """Compare the two tables, with progress."""
    from paycli.operations.restore.comparison import compare

    with display.activity() as report:
        return compare(aws.client("dynamodb"), pair, report, segments=wish.segments, sample=wish.sample)


def compared(comparison: "Comparison") -> Result:
    """Return what a comparison has found."""
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


def merge(project: Project, aws: "Aws", caller: "Caller", wish: Wish) -> Result:
    """Say what a merge would write, ask, and merge."""
    from paycli.operations.restore import checkpoint
    from paycli.operations.restore.merging import Merge
    from paycli.operations.restore.outcomes import Orders, Refusals

    environment = project.environment
    dynamodb = aws.client("dynamodb")
    _, pair, identity = chosen(project, aws, wish)
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
    with interruptible("what was written stays, every write was conditional.", again), display.activity() as report:
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
    project: Project, dynamodb: Any, pair: "Pair", identity: Mapping[str, str], wish: Wish, refusals: "Refusals"
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
