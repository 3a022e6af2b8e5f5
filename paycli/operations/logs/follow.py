"""Following logs: no line is lost, and none comes twice.

Lines arrive late: a function's some seconds, in the order of their arrival and not of their time. So each read begins
before the last one did, and what was shown is known by its id. A read every minute begins long before: it finds what
came very late, and what a wrong clock of this machine (AWS refuses more than five minutes) has hidden.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from paycli.operations.logs.event import LogEvent
from paycli.operations.logs.reader import Reader
from paycli.operations.logs.story import Story

PAUSE = 2.0  # seconds; four groups are then two of the five pages a second
# Milliseconds. The long one: a line that comes seven minutes late, a clock that is five ahead, a minute between reads.
_OVERLAP, _LONG_OVERLAP = 20_000, 900_000
_LONG_EVERY = 30  # reads


@dataclass
class Following:
    """Follows what `reader` reads; only lines that `wanted` accepts, and of a `story` those that tell it."""

    reader: Reader
    wanted: Callable[[LogEvent], bool]
    story: Story | None = None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time

    def lines(self, start: int) -> Iterator[LogEvent]:
        """Yield the lines from `start` (milliseconds) on, without an end; each read's by time."""
        shown: dict[str, int] = {}
        last, reads = start, 0
        while True:
            overlap = _OVERLAP if reads % _LONG_EVERY else _LONG_OVERLAP
            reads += 1
            began = int(self.clock() * 1000)
            yield from self._fresh(max(start, last - overlap), shown)
            last = max(last, began)
            for identity in [identity for identity, at in shown.items() if at < last - _LONG_OVERLAP]:
                del shown[identity]  # no read begins so early any more
            self.sleep(PAUSE)

    def _fresh(self, start: int, shown: dict[str, int]) -> Iterator[LogEvent]:
        events = [event for event in self.reader.merged(start) if event.identity not in shown]
        if self.story:
            self.story.learn(events)  # a line may come before the one that says whose it is
        for event in events:
            if self.wanted(event) and (self.story is None or self.story.tells(event)):
                shown[event.identity] = event.at
                yield event
