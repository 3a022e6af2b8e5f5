"""A plugin of coverage: a test that interrupts paycli can't stop it for good.

coverage takes a lock for the first call into each file. Where the exception of a signal rises between taking it and
giving it back, it is never given back, and the next new file would wait for it without end.
"""

import contextlib
from typing import TYPE_CHECKING

from coverage.collector import Collector

if TYPE_CHECKING:
    from coverage.plugin_support import Plugins

_LONGEST = 1.0  # seconds; it is held for microseconds


def _lock(self: Collector) -> None:
    if self.data_lock is not None:
        self.data_lock.acquire(timeout=_LONGEST)


def _unlock(self: Collector) -> None:
    if self.data_lock is not None:
        with contextlib.suppress(RuntimeError):  # it was waited for in vain
            self.data_lock.release()


def coverage_init(_plugins: "Plugins", _options: dict[str, object]) -> None:
    """Let the lock be waited for only so long. https://coverage.readthedocs.io/en/latest/api_plugin.html"""
    Collector.lock_data = _lock  # type: ignore[method-assign]
    Collector.unlock_data = _unlock  # type: ignore[method-assign]
