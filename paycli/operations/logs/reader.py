"""Reading log groups page by page, patiently, merged by time."""

import hashlib
import heapq
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from paycli.aws_errors import explain, is_temporary
from paycli.operations.logs.event import LogEvent, parsed

# All readers of an account and region together get 5 pages a second, and no more on request:
# https://repost.aws/knowledge-center/cloudwatch-logs-throttling
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds
_PATIENCE = 300.0  # seconds, of one who doesn't follow
# A pattern has at most 1024 characters: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/
_TERMS = 7  # of up to 128 characters each, with what stands around them


@dataclass
class Reader:
    """Reads the log groups in `groups` (source -> name); the names of those that aren't there gather in `missing`.

    `endless` waits for whatever may pass; else only throttling is waited out, for five minutes. `told` gets what is
    worth knowing meanwhile. With `patterns` the service looks for terms; whoever asks checks again.
    """

    logs: Any
    groups: Mapping[str, str]
    told: Callable[[str], None]
    endless: bool = False
    patterns: bool = True
    sleep: Callable[[float], None] = time.sleep
    missing: set[str] = field(default_factory=set)

    def merged(self, start: int, end: int | None = None, terms: Collection[str] = ()) -> Iterator[LogEvent]:
        """Read all groups from `start` to `end` (milliseconds), merged by time; only lines with any of `terms`.

        Each group's pages come in the order of time, so this holds one page a group. A line may come more than once
        where there are many terms.
        """
        streams = [
            self._read(source, start, end, pattern) for source in self.groups for pattern in self._patterns(terms)
        ]
        return heapq.merge(*streams, key=lambda event: event.at)

    def _patterns(self, terms: Collection[str]) -> list[str]:
        """Return filter patterns, each of which finds any of some terms.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
        """
        if not terms or not self.patterns:
            return [""]
        known = sorted(terms)
        groups = [known[first : first + _TERMS] for first in range(0, len(known), _TERMS)]
        return [" ".join(f'?"{term}"' for term in group) if len(group) > 1 else f'"{group[0]}"' for group in groups]

    def _read(self, source: str, start: int, end: int | None, pattern: str) -> Iterator[LogEvent]:
        group = self.groups[source]
        request: dict[str, Any] = {"logGroupName": group, "startTime": start}
        if end is not None:
            request["endTime"] = end
        if pattern:
            request["filterPattern"] = pattern
        alike: Counter[tuple[str, int, str]] = Counter()
        while True:
            try:
                page = self._page(request)
            except self.logs.exceptions.ResourceNotFoundException:
                if group not in self.missing:
                    self.missing.add(group)
                    self.told(f"There is no log group {group}.")
                return
            self.missing.discard(group)
            for raw in page["events"]:
                yield _event(source, raw, alike)
            if "nextToken" not in page:  # an empty page says nothing
                return
            request["nextToken"] = page["nextToken"]

    def _page(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        pause, waited = _FIRST_PAUSE, 0.0
        while True:
            try:
                page: Mapping[str, Any] = self.logs.filter_log_events(**request)
            except (BotoCoreError, ClientError) as error:
                if not self._waits(error, waited):
                    raise
                if not waited:
                    self.told(f"Waiting for the logs: {explain(error)}")
                self.sleep(pause)
                waited += pause
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                return page

    def _waits(self, error: Exception, waited: float) -> bool:
        if self.endless:
            return is_temporary(error)
        known = explain(error)
        return known is not None and known.code == "throttled" and waited < _PATIENCE


def _event(source: str, raw: Mapping[str, Any], alike: Counter[tuple[str, int, str]]) -> LogEvent:
    """Return a line. One without an id (the embedded AWS gives none) is known by what it says, and its number."""
    stream, at, message = raw.get("logStreamName", ""), raw["timestamp"], raw["message"]
    identity = raw.get("eventId")
    if identity is None:
        same = (stream, at, message)
        alike[same] += 1
        identity = hashlib.sha256(repr((source, same, alike[same])).encode()).hexdigest()
    return LogEvent(identity, at, source, stream, message, parsed(message))
