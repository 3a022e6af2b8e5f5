"""Progress of a stack operation: a live board on a terminal, plain lines elsewhere."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from paycli import console
from paycli.progress import Event, Gauge, Report, ResourceEvent, Step
from paycli.text import printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_SHOWN_AT_ONCE = 6
_GAUGE_EVERY = 10.0  # seconds
_STATUS_WIDTH = len("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
_NO_REASON = "Resource operation completed using Express Mode"  # of every resource, where that mode is chosen


@contextmanager
def activity() -> Iterator[Report]:
    """Give the callback that long jobs report to: live on a terminal, plain lines elsewhere."""
    if console.is_terminal(sys.stderr):
        with live_display(console.err()) as report:
            yield report
    else:
        yield plain_lines(console.note)


@contextmanager
def checks(total: int) -> Iterator[Callable[[str], None]]:
    """Give the callback that takes the name of each check that is done; how many are is told as `measuring` does."""
    done: list[str] = []
    with measuring() as measured:
        measured(Gauge(f"Checking: 0 of {total}"))

        def report(name: str) -> None:
            done.append(name)
            measured(Gauge(f"Checking: {len(done)} of {total}, {name} is done"))

        yield report


@contextmanager
def measuring() -> Iterator[Callable[[Step | Gauge], None]]:
    """Give the callback of a job that tells how far it is: one line that changes on a terminal, else one now and then.

    Steps stay on the screen.
    """
    if console.is_terminal(sys.stderr):
        shown = console.err()
        with shown.status("") as status:

            def show(event: Step | Gauge) -> None:
                if isinstance(event, Gauge):
                    status.update(printable(event.text))
                else:
                    console.show(shown, printable(event.text))

            yield show
    else:
        yield seldom(console.note)


def seldom(say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> Callable[[Step | Gauge], None]:
    """Write every step, and of the gauges one in ten seconds, for a log."""
    due = clock() + _GAUGE_EVERY

    def report(event: Step | Gauge) -> None:
        nonlocal due
        if isinstance(event, Gauge):
            if clock() < due:
                return
            due = clock() + _GAUGE_EVERY
        say(event.text)

    return report


def plain_lines(say: Callable[[str], None]) -> Report:
    """Write one line an event, in UTC, for a log; a line names the stack where the events of another one begin."""
    stack = ""

    def report(event: Event) -> None:
        nonlocal stack
        if isinstance(event, Step):
            say(event.text)
            return
        if event.stack != stack:
            stack = event.stack
            say(f"Stack {stack}")
        say(_line(event))

    return report


@contextmanager
def live_display(shown: "Console") -> Iterator[Report]:
    """Keep a board of what is being worked on; steps, failures and a line for each finished stack stay above it.

    It is there while a stack's operation runs, and not between two: a question is asked then, which it would erase.
    """
    from rich.live import Live
    from rich.text import Text

    board = Board()
    live = Live(board, console=shown, transient=True, refresh_per_second=8)
    ended = False  # the last operation; events that come late start no board

    def report(event: Event) -> None:
        nonlocal ended
        if isinstance(event, Step):
            console.show(shown, printable(event.text))
            return
        ended = ended and not event.of_stack
        if not ended:
            live.start()
        if event.failed:
            console.show(shown, Text(_line(event), style="red"))
        if done := board.take(event):
            ended = True
            live.stop()
            console.show(shown, done)

    try:
        yield report
    finally:
        with contextlib.suppress(OSError):  # the terminal is gone
            try:
                live.stop()
            except IndexError:  # an interrupt has come while it started: it isn't on rich's stack yet
                shown.show_cursor(True)


class Board:
    """The stack operation that runs: how far it is, and each resource being worked on with its state and time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.spinner import Spinner

        self._clock = clock
        self._spinner = Spinner("dots")
        self._stack = ""
        self._began = clock()
        self._status = ""
        self._done = self._total = 0
        self._busy: dict[str, tuple[ResourceEvent, float]] = {}

    def take(self, event: ResourceEvent) -> str:
        """Take an event in; return a line where it ends the stack's operation, else nothing."""
        if event.stack != self._stack:
            self._stack, self._began, self._busy = event.stack, self._clock(), {}
        self._done, self._total = event.done, event.total
        if event.of_stack:
            self._status = event.status
        elif event.status.endswith("_IN_PROGRESS"):
            since = self._busy.get(event.logical_id, (event, self._clock()))[1]
            self._busy[event.logical_id] = (event, since)
        else:
            self._busy.pop(event.logical_id, None)
        if not event.of_stack or event.status.endswith("_IN_PROGRESS"):
            return ""
        self._busy = {}
        return printable(f"{event.stack}: {event.status} in {self._clock() - self._began:.0f} s")

    def __rich__(self) -> "RenderableType":
        """Return the board; rows that don't fit the terminal are cut, never wrapped."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        if not self._stack:
            return Text("")
        head = Table.grid(padding=(0, 1))
        head.add_row(
            self._spinner,
            f"{self._done}/{self._total}",
            ProgressBar(total=max(self._total, 1), completed=self._done, width=24),
            f"{self._clock() - self._began:.0f} s",
            Text(printable(f"{self._stack} {self._status}"), no_wrap=True, overflow="ellipsis"),
        )
        return Group(head, *self._rows())

    def _rows(self) -> "Iterator[RenderableType]":
        from rich.text import Text

        now = self._clock()
        longest_first = sorted(self._busy.values(), key=lambda entry: entry[1])
        for event, since in longest_first[:_SHOWN_AT_ONCE]:
            row = f"  {now - since:5.0f} s  {event.status:<19}  {event.logical_id}  {event.resource_type}"
            yield Text(printable(row), no_wrap=True, overflow="ellipsis", style="dim")
        if len(longest_first) > _SHOWN_AT_ONCE:
            yield Text(f"           and {len(longest_first) - _SHOWN_AT_ONCE} more", style="dim")


def _line(event: ResourceEvent) -> str:
    count = f"{event.done}/{event.total}"
    status = f"{event.status:<{_STATUS_WIDTH}}"
    line = f"{event.at:%H:%M:%S}  {count:>7}  {status} {event.resource_type:<33} {event.logical_id}"
    told = event.reason and not event.reason.startswith(_NO_REASON)
    return printable(f"{line}  {event.reason}" if told else line)
