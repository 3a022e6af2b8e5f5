"""What a merge does with a payment, and how that is counted. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from paycli.operations.restore.comparison import Pair
from paycli.operations.restore.items import Item, differing, has_expired, is_processed, kind, status, text

# copied: was missing, is written.        overwritten: the restored one is written over a changed one.
# mended: the restored attributes are written, and its processing stays.
# same: as it was at the point in time.   moved_on: the API's own work since; never touched.
# kept: the live one differs and stays.   expired: missing, but it expired unprocessed; left so.
# refused: told to overwrite, but it would undo a processing, or bring back something that has expired.
Outcome = Literal["copied", "overwritten", "mended", "same", "moved_on", "kept", "expired", "refused"]
OUTCOMES: tuple[Outcome, ...] = ("copied", "overwritten", "mended", "same", "moved_on", "kept", "expired", "refused")
REPLACED: tuple[Outcome, ...] = ("overwritten", "mended")
WRITTEN: tuple[Outcome, ...] = ("copied", *REPLACED)
# Of the copied ones: nobody knows whether they were processed after the point in time, and then lost.
COPIED_VALIDATED = "copied_validated"


@dataclass(frozen=True)
class Orders:
    """What a merge may do besides copying what is missing."""

    expired: bool = False  # bring back payments that expired unprocessed
    overwrite: int = 0  # so many changed or misprocessed ones at most
    confirmed: int = 0  # what was confirmed, before an interrupt perhaps


@dataclass(frozen=True)
class Refusal:
    """A payment that was to be overwritten and wasn't: ids, states and names of attributes."""

    transaction_id: str
    # unsound: whether it was processed can't be told.    expired: the restored one is, unprocessed.
    # meanwhile: it isn't as it was read any more.
    reason: Literal["unsound", "expired", "meanwhile"]
    restored_status: str
    live_status: str
    attributes: tuple[str, ...]


class Refusals:
    """The `size` smallest refused ones by id; the same however the threads come."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: dict[str, Refusal] = {}

    def add(self, outcome: Outcome, restored: Item, live: Item | None) -> None:
        """Take one that was refused, or kept though it was to be overwritten, into the sample."""
        there = live or {}
        reason: Literal["unsound", "expired", "meanwhile"] = "meanwhile"
        if outcome == "refused":
            reason = "unsound" if is_processed(there) else "expired"
        transaction = text(restored, "transaction_id")
        names = tuple(differing(restored, there))
        self._kept[transaction] = Refusal(transaction, reason, status(restored), status(live), names)
        if len(self._kept) > self._size:
            del self._kept[max(self._kept)]

    def sampled(self) -> tuple[Refusal, ...]:
        """Return the sample, by id."""
        return tuple(self._kept[name] for name in sorted(self._kept))


def decide(restored: Item, live: Item | None, pair: Pair, orders: Orders, now: float) -> Outcome:
    """Return what a merge does with a payment of the restored table."""
    found = kind(restored, live, now=now, point=pair.point)
    if live is None:
        return "copied" if found == "missing" or orders.expired else "expired"
    if found == "same" or found == "moved_on":
        return found
    if not orders.overwrite:
        return "kept"
    if found == "misprocessed":
        return "mended"
    refused = found == "unsound" or (has_expired(restored, now) and not orders.expired)
    return "refused" if refused else "overwritten"


def counted(counts: Mapping[str, int]) -> dict[str, int]:
    """Return every count, also those that are 0."""
    return {name: counts.get(name, 0) for name in (*OUTCOMES, COPIED_VALIDATED)}


def names_of(outcome: str, restored: Item) -> list[str]:
    """Return the counts that a payment goes into."""
    validated = outcome == "copied" and not is_processed(restored)
    return [outcome, COPIED_VALIDATED] if validated else [outcome]
