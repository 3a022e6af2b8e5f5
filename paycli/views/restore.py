"""How restored tables, comparisons and merges look."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from paycli.operations.restore.items import DIFFERENCES
from paycli.table import Table
from paycli.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from paycli.operations.restore.comparison import Comparison
    from paycli.operations.restore.outcomes import Refusal
    from paycli.operations.restore.tables import RestoredTable

_MEANINGS = {
    "same": "as they were",
    "moved_on": "processed since, or begun anew after they expired: the API's own work",
    "newer": "came after the point in time",
    "expired": "never processed, expired since: DynamoDB removes those",
    "missing": "not in the live table; --merge copies them back",
    "changed": "differ, and not by the API's own work; --merge --overwrite puts the restored ones back",
    "misprocessed": "processed since, with other attributes than they were validated with; "
    "--merge --overwrite mends those, and the processing stays",
    "unsound": "whether they were processed can't be told: no merge touches them",
    "extra": "older than the point in time, and not in the restored table",
}
_OUTCOMES = {
    "copied": "copied back",
    "overwritten": "overwritten by the restored ones",
    "mended": "mended: their attributes are the restored ones', their processing stays",
    "same": "as they were",
    "moved_on": "moved on: processed since, or begun anew after they expired, and stay so",
    "kept": "differ in the live table, and stay as they are",
    "expired": "missing, but expired unprocessed: left out (--include-expired brings them back)",
    "refused": "refused: not overwritten, though they differ",
}
_REASONS = {
    "unsound": "whether it was processed can't be told: the functions' logs must say",
    "expired": "the restored one has expired unprocessed (--include-expired)",
    "meanwhile": "it was changed as it was merged: look at it again",
}
_UNSURE = (
    "{0} of the copied payments are validated, those of earlier merges of this table included. Whether they were "
    "processed after the point in time, and then lost, the table can't tell: hold them against the functions' logs "
    "before anybody processes them again. Their ids, until --cleanup: {1}"
)


def moment(at: datetime | None) -> str:
    """Write a time in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else "unknown"


def listed(found: "Sequence[RestoredTable]") -> Table:
    """Show restored tables."""
    shown = Table(("Table", "State", "Of", "Complete"))
    for table in found:
        shown.add_row(table.name, table.status, moment(table.point), "yes" if table.owned else "no: --finish")
    return shown


def compared(comparison: "Comparison") -> Iterator[Any]:
    """Show a comparison: counts, and a sample by id, status and names of attributes."""
    pair = comparison.pair
    yield f"{pair.restored} (as of {moment(pair.point)}) against {pair.live}"
    counts = Table(("Payments", "", ""))
    for kind, number in comparison.counts.items():
        style = "red" if number and kind in DIFFERENCES else ""
        counts.add_row(f"{number:,}", kind.replace("_", " "), _MEANINGS[kind], style=style)
    yield counts
    if not comparison.sample:
        return
    sample = Table(("", "Transaction", "Restored", "Live", "Attributes that differ"))
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


def merged(counts: Mapping[str, int], refused: "Sequence[Refusal]", unsure: int, ids: "Path") -> Iterator[Any]:
    """Show what a merge did, and what it was told to and didn't; `unsure` were copied as validated, listed in `ids`."""
    yield from (f"{counts[name]:>9,} {words}" for name, words in _OUTCOMES.items() if counts[name] or name == "copied")
    if refused:
        yield _refusals(refused)
    if len(refused) < counts["refused"]:
        yield f"{counts['refused'] - len(refused):,} more are refused; --sample shows more."
    if unsure:
        yield _UNSURE.format(f"{unsure:,}", one_line(str(ids)))


def _refusals(refused: "Sequence[Refusal]") -> Table:
    shown = Table(("Not overwritten", "Restored", "Live", "Attributes that differ", "Why"))
    for refusal in refused:
        shown.add_row(
            one_line(refusal.transaction_id),
            refusal.restored_status,
            refusal.live_status or "-",
            one_line(", ".join(refusal.attributes)),
            _REASONS[refusal.reason],
        )
    return shown
