"""What a load test sends, how often and for how long."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from paycli.errors import UsageError

# Whose payments a load test's are; nobody else's customer may have this prefix.
CUSTOMER_PREFIX = "paycli-load-"
KINDS = ("new", "replay", "process", "invalid")
MIX = {"new": 60, "replay": 15, "process": 20, "invalid": 5}
_RUN = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True)
class Plan:
    """The arrivals of a run, or of one worker's share in it; what it holds travels as JSON.

    `rate` is arrivals a second, reached after `ramp` seconds; `duration` is seconds, `mix` a weight for each of KINDS,
    `number` the worker's. No more than `in_flight` requests are open at once: who comes then waits. The same `seed`
    sends the same requests at the same times.
    """

    run: str
    rate: float
    duration: float
    mix: Mapping[str, int]
    seed: int
    in_flight: int
    number: int = 0
    ramp: float = 0.0

    @property
    def prefix(self) -> str:
        """With what the customer ids and the keys of the run begin."""
        return prefix_of(self.run)

    def share(self, number: int, workers: int) -> "Plan":
        """Return what the worker with this number does: independent Poisson arrivals add up to Poisson arrivals."""
        return replace(self, rate=self.rate / workers, in_flight=math.ceil(self.in_flight / workers), number=number)

    def random(self) -> Random:
        """Return the source of a worker's chances."""
        return Random(f"{self.seed}/{self.number}")  # noqa: S311 - load that can be repeated, no secret


def prefix_of(run: str) -> str:
    """Return with what the customer ids of a run begin."""
    return f"{CUSTOMER_PREFIX}{run}-"


def check_run(run: str) -> str:
    """Return the id of a run. Raises UsageError where it is none: it decides what is removed."""
    if not _RUN.fullmatch(run):
        raise UsageError(f"{run!r} is no run.", hint="A load test shows its run: 8 hexadecimal digits.", code="usage")
    return run


def parse_mix(text: str) -> dict[str, int]:
    """Return the weights of `new=60,process=40`; what isn't named is 0. Raises UsageError."""
    mix = dict.fromkeys(KINDS, 0)
    for part in text.split(","):
        kind, equals, weight = part.strip().partition("=")
        if kind not in KINDS or not equals or not re.fullmatch("[0-9]{1,6}", weight):
            hint = f"Such as new=60,process=40; the kinds: {', '.join(KINDS)}."
            raise UsageError(f"{part.strip()!r} is no part of a mix.", hint=hint, code="usage")
        mix[kind] = int(weight)
    if not mix["new"]:
        raise UsageError("A mix without new payments has nothing to repeat.", hint="Add new=1.", code="usage")
    return mix
