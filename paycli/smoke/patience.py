"""Waiting: until a deadline, with pauses that grow, and never past an interruption."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import SystemRandom
from typing import Generic, TypeVar

from paycli.smoke.result import CheckFailed, Interrupted, NotYet

T = TypeVar("T")

_FIRST_PAUSE = 0.1  # seconds
_LONGEST_PAUSE = 4.0
_GROWTH = 1.6


@dataclass(frozen=True)
class Patience:
    """A deadline that the checks of a run share; `stop` ends every wait at once."""

    seconds: float
    stop: threading.Event = field(default_factory=threading.Event)
    started: float = field(default_factory=time.monotonic)

    def until(self, attempt: Callable[[], T], *, within: float | None = None) -> T:
        """Call `attempt` until it returns, and return that; NotYet makes it try again.

        After the deadline (or `within` seconds from now, where that is sooner) the last NotYet becomes a
        CheckFailed. There is always one attempt. Raises Interrupted once `stop` is set.
        """
        now = time.monotonic()
        ends = self.started + self.seconds
        if within is not None:
            ends = min(ends, now + within)
        pauses = _pauses()
        while True:
            if self.stop.is_set():
                raise Interrupted
            try:
                return attempt()
            except NotYet as failed:
                left = ends - time.monotonic()
                if left <= 0:
                    detail = f"{failed.detail} Still so after {time.monotonic() - now:.0f} s.".strip()
                    raise CheckFailed(failed.expected, failed.found, detail) from None
            self.stop.wait(min(next(pauses), left))


def _pauses() -> Iterator[float]:
    """Yield pauses in seconds; the jitter keeps parallel checks from asking in step."""
    jitter = SystemRandom()
    pause = _FIRST_PAUSE
    while True:
        yield pause * jitter.uniform(0.5, 1.0)
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


class Once(Generic[T]):
    """Something that several checks need and one of them finds out while the others wait."""

    def __init__(self, find_out: Callable[[], T]) -> None:
        self._find_out = find_out
        self._lock = threading.Lock()
        self._outcome: T | CheckFailed | None = None

    def __call__(self) -> T:
        """Return it, or raise the CheckFailed that it came to, the same for everybody."""
        with self._lock:
            if self._outcome is None:
                try:
                    self._outcome = self._find_out()
                except CheckFailed as failed:
                    self._outcome = failed
            outcome = self._outcome
        if isinstance(outcome, CheckFailed):
            raise CheckFailed(outcome.expected, outcome.found, outcome.detail)
        return outcome
