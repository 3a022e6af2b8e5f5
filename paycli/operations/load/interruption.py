"""Ctrl-C and SIGTERM while the load runs: the first ends the arrivals, the second the command."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType


class Interruption:
    """Whether the user has asked to stop."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self.asked = False

    def take(self, _signal: int, _frame: FrameType | None) -> None:
        """Stop, or raise KeyboardInterrupt where that was asked for already."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        self._stop()


@contextlib.contextmanager
def interruptible(stop: Callable[[], None]) -> Iterator[Interruption]:
    """Let the first signal call `stop`, without an exception that could cost a line of the ledger."""
    interruption = Interruption(stop)
    before = {number: signal.signal(number, interruption.take) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
