"""Ctrl-C and SIGTERM where an exception in the middle would cost something: the first waits, a second ends it."""

import contextlib
import signal
import threading
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
    """Let the first signal call `stop`, and raise nothing."""
    interruption = Interruption(stop)
    before = {number: signal.signal(number, interruption.take) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Hold the first signal back until the block is done, whatever comes of that: what is taken back there is whole.

    A second one raises KeyboardInterrupt at once.
    """
    came: list[int] = []

    def later(number: int, _frame: FrameType | None) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(number)

    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    handled = {number: handler for number, handler in before.items() if callable(handler)}
    for number in handled:
        signal.signal(number, later)
    try:
        yield
    finally:
        for number, handler in handled.items():
            signal.signal(number, handler)
        if came:
            handled[signal.Signals(came[0])](came[0], None)
