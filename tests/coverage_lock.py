"""A plugin of coverage: a test that interrupts paycli can't stop it for good.

coverage takes a lock for the first call into each file. Where the exception of a signal rises between taking it and giving
it back, it is never given back, and the next new file would be waited for without end.
"""

import contextlib
from typing import TYPE_CHECKING

from coverage.collector import Collector

if TYPE_CHECKING:
    from coverage.plugin_support import Plugins
    from coverage.types import TConfigValue

_LONGEST = 1.0  # seconds; it is held for microseconds


def _lock(collector: Collector) -> None:
    if collector.data_lock is not None:
        collector.data_lock.acquire(timeout=_LONGEST)


def _unlock(collector: Collector) -> None:
    if collector.data_lock is not None:
        with contextlib.suppress(RuntimeError):  # it was waited for in vain
            collector.data_lock.release()


def coverage_init(_plugins: "Plugins", _options: "dict[str, TConfigValue]") -> None:
    """Let the lock be waited for only so long. https://coverage.readthedocs.io/en/latest/api_plugin.html"""
    Collector.lock_data = _lock  # type: ignore[method-assign]
    Collector.unlock_data = _unlock  # type: ignore[method-assign]
