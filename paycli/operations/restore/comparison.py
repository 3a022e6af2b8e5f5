"""Hold the restored table against the live one: both are scanned, each page is looked up in the other.

Memory is bounded by a page for each segment and by the sample. The API may go on meanwhile.
"""

import time
from bisect import insort
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Any

from paycli.operations.restore.items import DIFFERENCES, KINDS, Difference, Item, Kind, difference, kind
from paycli.operations.restore.reading import SEGMENTS, Reader, Ticker
from paycli.progress import Report

SAMPLE = 10
_FOR_THE_LIVE_ONLY = ("transaction_id", "status", "created_at")


@dataclass(frozen=True)
class Pair:
    """The two tables, by name, and the point in time that the restored one is of; `about` counts its items roughly."""

    restored: str
    live: str
    point: datetime
    about: int = 0


@dataclass(frozen=True)
class Comparison:
    """How many payments are of which kind, and of each difference the first few by id."""

    pair: Pair
    counts: Mapping[Kind, int]
    sample: tuple[Difference, ...]

    @property
    def different(self) -> int:
        """How many are missing, changed or extra: what the API's own work doesn't explain."""
        return sum(self.counts[each] for each in DIFFERENCES)


def compare(dynamodb: Any, pair: Pair, report: Report, *, segments: int = SEGMENTS, sample: int = SAMPLE) -> Comparison:
    """Read both tables whole and compare them. Each scan costs a read unit for each 4 KB, each look-up one a payment.

    What AWS throttles is waited out; raises what it refuses.
    """
    reader, tally = Reader(dynamodb, report), Tally(sample)
    ticker = Ticker(report, "Compared", 2 * pair.about)
    directions = (_missing_or_changed, _only_live)
    reader.side_by_side(
        segments,
        [
            partial(direction, reader, pair, tally, ticker, segment, segments)
            for direction in directions
            for segment in range(segments)
        ],
    )
    return Comparison(pair, {each: tally.counts[each] for each in KINDS}, tally.sampled())


def _missing_or_changed(
    reader: Reader, pair: Pair, tally: "Tally", ticker: Ticker, segment: int, segments: int
) -> None:
    for page, _ in reader.pages(pair.restored, segment, segments):
        live = reader.items(pair.live, ids(page))
        for item in page:
            other = live.get(item["transaction_id"]["S"])
            tally.add(kind(item, other, now=time.time(), point=pair.point), item, other)
        ticker.add(len(page))


def _only_live(reader: Reader, pair: Pair, tally: "Tally", ticker: Ticker, segment: int, segments: int) -> None:
    for page, _ in reader.pages(pair.live, segment, segments, attributes=_FOR_THE_LIVE_ONLY):
        restored = reader.items(pair.restored, ids(page), attributes=("transaction_id",))
        for item in page:
            if item["transaction_id"]["S"] not in restored:
                tally.add(kind(None, item, now=time.time(), point=pair.point), None, item)
        ticker.add(len(page))


def ids(page: list[Item]) -> list[str]:
    """Return the transactions of a page."""
    return [item["transaction_id"]["S"] for item in page]


class Tally:
    """Counts of kinds, and of each difference the `size` smallest ids: the same however the threads come."""

    def __init__(self, size: int) -> None:
        self._size, self._lock = size, Lock()
        self._sample: dict[Kind, list[tuple[str, Difference]]] = {each: [] for each in DIFFERENCES}
        self.counts: Counter[Kind] = Counter()

    def add(self, found: Kind, restored: Item | None, live: Item | None) -> None:
        """Count a payment."""
        with self._lock:
            self.counts[found] += 1
            if found in self._sample:
                shown = difference(found, restored, live)
                kept = self._sample[found]
                insort(kept, (shown.transaction_id, shown), key=lambda entry: entry[0])
                del kept[self._size :]

    def sampled(self) -> tuple[Difference, ...]:
        """Return the sample, kind by kind."""
        return tuple(shown for each in DIFFERENCES for _, shown in self._sample[each])
