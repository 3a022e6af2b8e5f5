"""Latencies in a bounded space: a histogram whose buckets grow by 2 %."""

import math
from collections import Counter

_GROWTH = 1.02
_LOG = math.log(_GROWTH)
_SMALLEST = 1e-4  # seconds


class Latencies:
    """Some thousand buckets at most, however many latencies: a percentile is too high by 2 % at most, never too low."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.count = 0
        self.highest = 0.0

    def add(self, seconds: float) -> None:
        """Take one latency."""
        self._counts[math.ceil(math.log(max(seconds, _SMALLEST) / _SMALLEST) / _LOG)] += 1
        self.count += 1
        self.highest = max(self.highest, seconds)

    def percentile(self, percent: float) -> float:
        """Return the seconds that `percent` of the latencies don't exceed (nearest rank); 0 where there are none."""
        rank = math.ceil(self.count * percent / 100)
        passed = 0
        for bucket in sorted(self._counts):
            passed += self._counts[bucket]
            if passed >= rank:
                return min(_SMALLEST * _GROWTH**bucket, self.highest)
        return self.highest
