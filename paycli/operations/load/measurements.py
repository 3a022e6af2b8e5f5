"""What a run comes to, counted as the samples arrive: its space grows neither with the rate nor with the duration."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from paycli.operations.load.latency import Latencies
from paycli.operations.load.plan import KINDS
from paycli.operations.load.sample import GOOD, THROTTLED, Sample

PERCENTILES = (50, 90, 99, 99.9)
_INTERVALS = 240  # at most: what a plot can show


@dataclass
class Interval:
    """What arrived within some seconds."""

    sent: int = 0
    good: int = 0
    throttled: int = 0
    errors: int = 0
    latencies: Latencies = field(default_factory=Latencies)


class Measurements:
    """Counts and latencies: of all answers, of each kind's good ones, and by the time of the arrival."""

    def __init__(self, duration: float) -> None:
        self.interval = float(max(1, math.ceil(duration / _INTERVALS)))  # seconds
        self.intervals: list[Interval] = [Interval() for _ in range(max(1, math.ceil(duration / self.interval)))]
        self.answered = Latencies()
        self.kinds = {kind: Latencies() for kind in KINDS}
        self.lateness = Latencies()
        self.errors: Counter[str] = Counter()
        self.sent = self.good = self.throttled = self.dropped = 0
        self.ended = 0.0  # seconds from the start to the last answer

    def add(self, sample: Sample) -> None:
        """Take one sample."""
        outcome = sample.outcome
        interval = self.intervals[min(int(sample.due / self.interval), len(self.intervals) - 1)]
        self.sent += 1
        interval.sent += 1
        self.ended = max(self.ended, sample.due + sample.latency)
        self.lateness.add(sample.late)
        if sample.exchange.status is not None:
            self.answered.add(sample.latency)
            interval.latencies.add(sample.latency)
        if outcome == GOOD:
            self.good += 1
            interval.good += 1
            self.kinds[sample.kind].add(sample.latency)
        elif outcome == THROTTLED:
            self.throttled += 1
            interval.throttled += 1
        else:
            self.errors[outcome] += 1
            interval.errors += 1

    @property
    def failed(self) -> int:
        """How many requests ended in an error."""
        return self.errors.total()

    def summary(self) -> dict[str, Any]:
        """Return the figures as programs get them: counts, requests a second, and seconds."""
        span = max(self.ended, 1e-9)
        return {
            "sent": self.sent,
            "as_expected": self.good,
            "throttled": self.throttled,
            "errors": dict(self.errors.most_common()),
            "dropped": self.dropped,
            "seconds": self.ended,
            "throughput": self.good / span,
            "latency": {
                name: percentiles(latencies)
                for name, latencies in {"all": self.answered, **self.kinds}.items()
                if latencies.count
            },
            "sent_late": percentiles(self.lateness),
        }


def percentiles(latencies: Latencies) -> dict[str, float]:
    """Return count, percentiles and maximum, in seconds."""
    found = {f"p{percent}": latencies.percentile(percent) for percent in PERCENTILES}
    return {"count": latencies.count, **found, "max": latencies.highest}
