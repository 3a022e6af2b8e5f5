"""The whole story of one payment or request, across the functions and the API.

A payment's id stands in the functions' own lines only. Those name the request; START, REPORT, a traceback and the
access log know but the request's ids, Lambda's or API Gateway's.
"""

import re
from collections.abc import Iterable

from paycli.operations.logs.event import LogEvent
from paycli.operations.logs.reader import Reader

_AROUND = 120_000  # milliseconds before and after what is known of a request; a function runs for 25 s at most


class Story:
    """What belongs together: the ids that are known, and those that lines with a known id add."""

    def __init__(self, *ids: str) -> None:
        """Begin with these ids."""
        self.ids: set[str] = set()
        self._any = re.compile("")
        self._add(set(ids))

    def tells(self, event: LogEvent) -> bool:
        """Whether a line has one of the ids in it."""
        return self._any.search(event.message) is not None

    def learn(self, events: Iterable[LogEvent]) -> None:
        """Take the ids over of the lines that belong to it, until there is no new one."""
        among = list(events)
        while new := {link for event in among if self.tells(event) for link in event.links} - self.ids:
            self._add(new)

    def _add(self, ids: set[str]) -> None:
        self.ids |= ids
        words = "|".join(re.escape(each) for each in sorted(self.ids))
        self._any = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])")


def tell(reader: Reader, story: Story, start: int, end: int) -> list[LogEvent]:
    """Return all lines of a story, by time: first those that name it, then all of their requests."""
    found: dict[str, LogEvent] = {}
    asked: set[str] = set()
    while new := story.ids - asked:
        asked |= new
        for event in reader.merged(start, end, new):
            if story.tells(event):
                found.pop(event.identity, None)  # of lines of one millisecond the last read knows the order
                found[event.identity] = event
        story.learn(found.values())
        if found:
            times = [event.at for event in found.values()]
            start, end = min(times) - _AROUND, max(times) + _AROUND
    return sorted(found.values(), key=lambda event: event.at)
