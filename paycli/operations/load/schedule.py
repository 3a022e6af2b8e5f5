"""When requests arrive: an open model, in which nobody waits for the answer to the one before."""

from collections.abc import Iterator
from random import Random


def arrivals(rate: float, duration: float, ramp: float, random: Random) -> Iterator[float]:
    """Yield the times, in seconds from the start, of Poisson arrivals: `rate` a second on average.

    In the first `ramp` seconds the rate grows evenly to it, by leaving arrivals out at random (thinning).

    A system that answers slowly gets no rest by it, as with callers that don't know of each other:
    https://www.usenix.org/legacy/event/nsdi06/tech/full_papers/schroeder/schroeder.pdf
    """
    at = random.expovariate(rate)
    while at < duration:
        if at >= ramp or random.random() * ramp < at:
            yield at
        at += random.expovariate(rate)
