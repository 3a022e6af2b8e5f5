"""Copy back what the live table lacks. Every write is conditional: what is there, or changes meanwhile, stays.

A merge may be repeated, interrupted and run twice at once: the outcome is the same. It never takes a payment from
processed to validated, whatever it is told.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from paycli.errors import UsageError
from paycli.operations.restore import checkpoint
from paycli.operations.restore.comparison import SAMPLE, Pair, ids
from paycli.operations.restore.conditions import mending, still_is
from paycli.operations.restore.items import Item, mended
from paycli.operations.restore.outcomes import (
    REPLACED,
    WRITTEN,
    Orders,
    Outcome,
    Refusals,
    counted,
    decide,
    names_of,
)
from paycli.operations.restore.reading import SEGMENTS, Reader, Ticker
from paycli.progress import Report


def survey(
    dynamodb: Any, pair: Pair, orders: Orders, report: Report, refusals: Refusals, *, segments: int = SEGMENTS
) -> Mapping[str, int]:
    """Return how many payments a merge would write or leave, and write nothing.

    `refusals` gets what it would refuse.
    """
    reader, counts, lock = Reader(dynamodb, report), Counter[str](), Lock()
    ticker = Ticker(report, "Looked at", pair.about)

    def look(segment: int) -> None:
        for page, _ in reader.pages(pair.restored, segment, segments):
            live = reader.items(pair.live, ids(page))
            now = time.time()
            with lock:
                for item in page:
                    other = live.get(item["transaction_id"]["S"])
                    outcome = decide(item, other, pair, orders, now)
                    counts.update(names_of(outcome, item))
                    if outcome == "refused":
                        refusals.add(outcome, item, other)
            ticker.add(len(page))

    reader.side_by_side(segments, [partial(look, segment) for segment in range(segments)])
    return counted(counts)


def unfinished(
    root: Path, pair: Pair, orders: Orders, identity: Mapping[str, str], segments: int
) -> checkpoint.Progress | None:
    """Return how far such a merge is that was interrupted, None where there is none."""
    return checkpoint.load(checkpoint.path_of(root, pair.restored), _of(pair, orders, identity, segments))


def _of(pair: Pair, orders: Orders, identity: Mapping[str, str], segments: int) -> dict[str, Any]:
    told = {"expired": orders.expired, "overwrite": bool(orders.overwrite)}
    return {**identity, "live": pair.live, **told, "segments": segments}


@dataclass
class Merge:
    """One merge of a pair of tables, as `orders` say; `identity` are the tables' ids, which a name is not.

    `refusals` gets what stays of the payments that were named to be overwritten.
    """

    dynamodb: Any
    pair: Pair
    orders: Orders
    report: Report
    identity: Mapping[str, str] = field(default_factory=dict)
    refusals: Refusals = field(default_factory=lambda: Refusals(SAMPLE))

    def __post_init__(self) -> None:
        self._reader = Reader(self.dynamodb, self.report)
        self._lock = Lock()
        self._left = self.orders.overwrite

    def named(self, transactions: Collection[str]) -> Mapping[str, int]:
        """Merge these payments only. Raises UsageError where one is not in the restored table."""
        restored = self._reader.items(self.pair.restored, transactions)
        if unknown := sorted(set(transactions) - restored.keys()):
            raise UsageError(
                f"Not in {self.pair.restored}: {', '.join(unknown)}.",
                hint="Nothing was changed. Leave it out, or restore another point in time.",
                code="unknown_transaction",
            )
        live = self._reader.items(self.pair.live, transactions)
        counts = Counter[str]()
        for transaction, item in sorted(restored.items()):
            outcome = self._merge(item, live.get(transaction))
            counts.update(names_of(outcome, item))
            if self.orders.overwrite and outcome in {"refused", "kept"}:
                self.refusals.add(outcome, item, live.get(transaction))
        return counted(counts)

    def all(self, root: Path, *, segments: int = SEGMENTS) -> Mapping[str, int]:
        """Merge the whole table in parallel segments, and go on where the same merge was interrupted.

        An interrupt leaves a checkpoint in the project's .paycli/restore, the end removes it.
        """
        path = checkpoint.path_of(root, self.pair.restored)
        progress = unfinished(root, self.pair, self.orders, self.identity, segments)
        if progress is None:
            progress = checkpoint.Progress(_of(self.pair, self.orders, self.identity, segments))
        progress.confirmed, progress.left = self.orders.confirmed, self.orders.overwrite
        self._save(progress, path)  # before anything is written: by it the same command knows that it goes on
        ticker = Ticker(self.report, "Merged", self.pair.about)
        tasks = [partial(self._segment, segment, progress, path, ticker) for segment in range(segments)]
        try:
            self._reader.side_by_side(segments, tasks)
        except BaseException:
            self._save(progress, path)  # what was written since the last page counts too
            raise
        checkpoint.forget(path)
        return counted(progress.counts)

    def _segment(self, segment: int, progress: checkpoint.Progress, path: Path, ticker: Ticker) -> None:
        begun = segment in progress.positions
        after = progress.positions.get(segment)
        if begun and after is None:
            return
        segments: int = progress.of["segments"]
        for page, position in self._reader.pages(self.pair.restored, segment, segments, after=after):
            live = self._reader.items(self.pair.live, ids(page))
            read = Counter[str]()
            for item in page:
                outcome = self._merge(item, live.get(item["transaction_id"]["S"]))
                names = names_of(outcome, item)
                if outcome in WRITTEN:  # at once: a page that is read again finds it written
                    self._count(progress, Counter(names))
                else:
                    read.update(names)
            self._count(progress, read)
            with self._lock:
                progress.positions[segment] = position
            self._save(progress, path)
            ticker.add(len(page))

    def _save(self, progress: checkpoint.Progress, path: Path) -> None:
        with self._lock:
            checkpoint.save(path, progress)

    def _count(self, progress: checkpoint.Progress, more: Mapping[str, int]) -> None:
        with self._lock:
            for name, number in more.items():
                progress.counts[name] = progress.counts.get(name, 0) + number
            progress.left -= sum(more.get(name, 0) for name in REPLACED)

    def _merge(self, restored: Item, live: Item | None) -> Outcome:
        outcome = decide(restored, live, self.pair, self.orders, time.time())
        if outcome not in WRITTEN:
            return outcome
        if live is None:
            absent = "attribute_not_exists(transaction_id)"
            return outcome if self._put(restored, {"ConditionExpression": absent}) else "kept"
        if not self._may_overwrite():
            return "kept"
        whole = mended(restored, live) if outcome == "mended" else None
        done = self._mend(live, whole) if whole else self._put(restored, still_is(live, restored))
        return outcome if done else "kept"

    def _may_overwrite(self) -> bool:
        """Take one of those that were confirmed."""
        with self._lock:
            self._left -= 1
            return self._left >= 0

    def _put(self, item: Item, condition: Mapping[str, Any]) -> bool:
        return self._written(self.dynamodb.put_item, item, Item=item, **condition)

    def _mend(self, live: Item, whole: Item) -> bool:
        """Write only the attributes that differ: a processing is never written, neither its marks nor their absence."""
        key = {"transaction_id": whole["transaction_id"]}
        return self._written(self.dynamodb.update_item, whole, Key=key, **mending(live, whole))

    def _written(self, write: Callable[..., Any], wanted: Item, **request: Any) -> bool:
        """Write, and return whether it stands there now: a repeated write that finds the first is no conflict."""
        refused = self.dynamodb.exceptions.ConditionalCheckFailedException
        try:
            self._reader.patiently(
                write, TableName=self.pair.live, ReturnValuesOnConditionCheckFailure="ALL_OLD", **request
            )
        except refused as error:
            return bool(error.response.get("Item") == wanted)
        return True
