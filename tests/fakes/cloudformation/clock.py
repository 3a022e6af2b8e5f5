"""Virtual time: seconds of the fake's AWS, which pass faster than real ones, or only by hand."""

import heapq
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Clock:
    """Virtual seconds since the epoch. `speed` is virtual seconds per real one; 0 stands still but for `skip`."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._real_start = time.monotonic()
        self._start = time.time()

    def now(self) -> float:
        return self._start + (time.monotonic() - self._real_start) * self.speed

    def skip(self, seconds: float) -> None:
        """Let virtual seconds pass at once."""
        self._start += seconds

    def real(self, virtual: float) -> float:
        """Return the `time.monotonic()` of a virtual time. Right as long as nothing is skipped after it."""
        return self._real_start + (virtual - self._start) / self.speed


class Agenda:
    """What happens when. It is worked off lazily, in order, whenever somebody looks at the fake.

    While an action runs, `now` is the very time it was due, so times are exact however late somebody looks.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()
        self._at: float | None = None

    @property
    def now(self) -> float:
        return self.clock.now() if self._at is None else self._at

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now + seconds, next(self._number), action))

    @contextmanager
    def moment(self) -> Iterator[None]:
        """Let everything in the block happen at one time, however long it really takes."""
        self._at = self.clock.now()
        try:
            yield
        finally:
            self._at = None

    def advance(self) -> None:
        """Do everything that is due."""
        if self._at is not None:
            return
        until = self.clock.now()
        try:
            while self._due and self._due[0][0] <= until:
                self._at, _, action = heapq.heappop(self._due)
                action()
        finally:
            self._at = None
