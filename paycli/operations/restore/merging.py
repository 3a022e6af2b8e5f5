"""Copy back what the live table lacks. Every write is conditional: what is there, or changes meanwhile, stays.

A merge may be repeated, interrupted and run twice at once: the outcome is the same. It never takes a payment from
processed to validated, whatever it is told.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from paycli.errors import UsageError
from paycli.operations.restore import checkpoint, validated
from paycli.operations.restore.comparison import SAMPLE, Pair, ids
from paycli.operations.restore.conditions import mending, still_is
from paycli.operations.restore.items import Item, is_processed, mended, text
from paycli.operations.restore.outcomes import (
    COPIED_VALIDATED,
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

Choice = tuple[Item, Item | None, Outcome]  # the restored one, the live one, and what is done


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

    What it keeps on disk is in .paycli/restore of the project at `root`: how far it is, and which payments it has
    copied back as validated.
    `refusals` gets what stays of the payments that were named to be overwritten.
    """

    dynamodb: Any
    pair: Pair
    orders: Orders
    report: Report
    root: Path
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
        chosen = self._chosen((restored[name] for name in sorted(restored)), live)
        self._note_validated(chosen)
        for item, other, wanted in chosen:
            outcome = self._carried_out(item, other, wanted)
            counts.update(names_of(outcome, item))
            if self.orders.overwrite and outcome in {"refused", "kept"}:
                self.refusals.add(outcome, item, other)
        return counted(counts)

    def all(self, *, segments: int = SEGMENTS) -> Mapping[str, int]:
        """Merge the whole table in parallel segments, and go on where the same merge was interrupted.

        An interrupt leaves a checkpoint, the end removes it. The counts are of all runs of the merge.
        """
        path = checkpoint.path_of(self.root, self.pair.restored)
        progress = unfinished(self.root, self.pair, self.orders, self.identity, segments)
        if progress is None:
            progress = checkpoint.Progress(_of(self.pair, self.orders, self.identity, segments))
        progress.confirmed, progress.left = self.orders.confirmed, self.orders.overwrite
        self._save(progress, path)  # before anything is written: by it the same command knows that it goes on
        ticker = Ticker(self.report, "Merged", self.pair.about)
        tasks = [partial(self._segment, segment, progress, path, ticker) for segment in range(segments)]
        try:
            self._reader.side_by_side(segments, tasks)
        except BaseException:
            self._save(progress, path)  # how many may still be overwritten
            raise
        checkpoint.forget(path)
        return counted(progress.counts)

    def _segment(self, segment: int, progress: checkpoint.Progress, path: Path, ticker: Ticker) -> None:
        after = progress.positions.get(segment)
        if segment in progress.positions and after is None:
            return
        segments: int = progress.of["segments"]
        for page, position in self._reader.pages(self.pair.restored, segment, segments, after=after):
            counts = self._page(page, segment, progress, path)
            with self._lock:
                for name, number in counts.items():
                    progress.counts[name] = progress.counts.get(name, 0) + number
                progress.positions[segment] = position
                progress.begun[segment] = {}
                checkpoint.save(path, progress)
            ticker.add(len(page))

    def _page(self, page: list[Item], segment: int, progress: checkpoint.Progress, path: Path) -> Mapping[str, int]:
        """Merge a page and return its counts. What an interrupted run had begun counts as what that has made of it."""
        live = self._reader.items(self.pair.live, ids(page))
        chosen = self._chosen(page, live)
        before = progress.begun.get(segment, {})
        written = {text(item, "transaction_id"): wanted for item, _, wanted in chosen if wanted in WRITTEN}
        self._note_validated(choice for choice in chosen if text(choice[0], "transaction_id") not in before)
        with self._lock:
            progress.begun[segment] = {**before, **written}
            if written:
                checkpoint.save(path, progress)
        counts = Counter[str]()
        for item, other, wanted in chosen:
            outcome: str = self._carried_out(item, other, wanted)
            if outcome in REPLACED:
                with self._lock:
                    progress.left -= 1
            if outcome in {"same", "moved_on"} or _was_mended(item, other, before):
                outcome = before.get(text(item, "transaction_id"), outcome)
            counts.update(names_of(outcome, item))
        return counts

    def _save(self, progress: checkpoint.Progress, path: Path) -> None:
        with self._lock:
            checkpoint.save(path, progress)

    def _chosen(self, restored: Iterable[Item], live: Mapping[str, Item]) -> list[Choice]:
        """Decide what is done with each."""
        pairs = [(item, live.get(text(item, "transaction_id"))) for item in restored]
        now = time.time()
        return [(item, other, decide(item, other, self.pair, self.orders, now)) for item, other in pairs]

    def _note_validated(self, chosen: Iterable[Choice]) -> None:
        """Note what is going to be copied as validated, before it is."""
        copied = [item for item, _, wanted in chosen if COPIED_VALIDATED in names_of(wanted, item)]
        if copied:
            with self._lock:
                validated.note(validated.path_of(self.root, self.pair.restored), ids(copied))

    def _carried_out(self, restored: Item, live: Item | None, wanted: Outcome) -> Outcome:
        """Write what was decided; return what came of it."""
        if wanted not in WRITTEN:
            return wanted
        if live is None:
            absent = "attribute_not_exists(transaction_id)"
            return wanted if self._put(restored, {"ConditionExpression": absent}) else "kept"
        if not self._may_overwrite():
            return "kept"
        whole = mended(restored, live) if wanted == "mended" else None
        done = self._mend(live, whole) if whole else self._put(restored, still_is(live, restored))
        return wanted if done else "kept"

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


def _was_mended(restored: Item, live: Item | None, begun: Mapping[str, str]) -> bool:
    """Whether an interrupted run has mended it: where the processing itself is unsound, it is refused from then on."""
    began = begun.get(text(restored, "transaction_id")) == "mended"
    return began and live is not None and is_processed(live) and mended(restored, live) is None
