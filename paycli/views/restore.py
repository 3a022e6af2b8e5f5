"""How restored tables, comparisons and merges look."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from paycli.text import one_line
from paycli.views.table import plain_table

if TYPE_CHECKING:
    from rich.table import Table

    from paycli.operations.restore.comparison import Comparison
    from paycli.operations.restore.tables import RestoredTable

_MEANINGS = {
    "same": "as they were",
    "moved_on": "processed since, or begun anew after they expired: the API's own work",
    "newer": "came after the point in time",
    "expired": "never processed, expired since: DynamoDB removes those",
    "missing": "not in the live table; --merge copies them back",
    "changed": "differ, and not by the API's own work",
    "extra": "older than the point in time, and not in the restored table",
}
_OUTCOMES = {
    "copied": "copied back",
    "overwritten": "overwritten by the restored ones",
    "same": "as they were",
    "kept": "differ in the live table, and stay as they are",
    "expired": "missing, but expired unprocessed: left out (--include-expired brings them back)",
    "refused": "not overwritten: it would undo a processing, or bring back something older or expired",
}
_UNSURE = (
    "{0} of the copied payments are validated. Whether they were processed after the point in time, and then lost, the "
    "table can't tell: hold them against the functions' logs before anybody processes them again."
)


def moment(at: datetime | None) -> str:
    """Write a time in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else "unknown"


def listed(found: "Sequence[RestoredTable]") -> "Table":
    """Show restored tables."""
    shown = plain_table("Table", "State", "Of", "Complete")
    for table in found:
        shown.add_row(table.name, table.status, moment(table.point), "yes" if table.owned else "no: --finish")
    return shown


def compared(comparison: "Comparison") -> Iterator[Any]:
    """Show a comparison: counts, and a sample by id, status and names of attributes."""
    pair = comparison.pair
    yield f"{pair.restored} (as of {moment(pair.point)}) against {pair.live}"
    counts = plain_table("Payments", "", "")
    for kind, number in comparison.counts.items():
        style = "red" if number and kind in {"missing", "changed", "extra"} else ""
        counts.add_row(f"{number:,}", kind.replace("_", " "), _MEANINGS[kind], style=style)
    yield counts
    if not comparison.sample:
        return
    sample = plain_table("", "Transaction", "Restored", "Live", "Attributes that differ")
    for difference in comparison.sample:
        sample.add_row(
            difference.kind,
            one_line(difference.transaction_id),
            difference.restored_status or "-",
            difference.live_status or "-",
            one_line(", ".join(difference.attributes)),
        )
    yield sample
    if len(comparison.sample) < comparison.different:
        yield f"{comparison.different - len(comparison.sample):,} more differ; --sample shows more of each kind."


def merged(counts: Mapping[str, int]) -> Iterator[str]:
    """Show what a merge did."""
    yield from (f"{counts[name]:>9,} {words}" for name, words in _OUTCOMES.items() if counts[name] or name == "copied")
    if counts["copied_validated"]:
        yield _UNSURE.format(f"{counts['copied_validated']:,}")
