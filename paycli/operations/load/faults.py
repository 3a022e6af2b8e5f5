"""Faults between the functions of the embedded AWS and its services, for a part of the load."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from paycli.errors import PaycliError
from paycli.operations.load.processes import Process, keeper_order
from paycli.operations.load.proxy import make_faults

if TYPE_CHECKING:
    from paycli.aws import Aws
    from paycli.environment import Environment

# The SDK tries three times: of the throttled writes, about one in eight ends in a 503.
_RULES: tuple[dict[str, Any], ...] = (
    {"service": "dynamodb", "probability": 0.5, "error": {"code": "ProvisionedThroughputExceededException"}},
    {"service": "dynamodb", "probability": 0.1, "error": {"code": "InternalServerError", "status": 500}},
    {"service": "dynamodb", "probability": 0.3, "latency": {"min": 50, "max": 300}},
)
BEGIN, END = 0.25, 0.75  # of the duration: there is a calm before, and time to recover


class Faults:
    """The proxy through which the functions reach AWS: it fails from `BEGIN` to `END` of the duration."""

    def __init__(self, proxy: str, duration: float) -> None:
        self._proxy = proxy
        self._duration = duration
        self._on = False

    def at(self, seconds: float) -> None:
        """Switch the faults on or off, as it must be so many seconds after the start."""
        on = BEGIN * self._duration <= seconds < END * self._duration
        if on != self._on:
            make_faults(self._proxy, list(_RULES) if on else [])
            self._on = on

    def calm(self) -> None:
        """Switch the faults off."""
        make_faults(self._proxy, [])
        self._on = False


@contextlib.contextmanager
def injected(aws: "Aws", environment: "Environment", outputs: Mapping[str, str], duration: float) -> Iterator[Faults]:
    """Send the functions' calls through a proxy on this machine, and straight again at the end.

    The keeper does that, also where paycli is killed. An interrupt while it does leaves it to it.
    """
    keeper = Process("keeper", keeper_order(aws, environment, outputs))
    try:
        said = next(keeper.events(), None)
        if said:
            yield Faults(said["address"], duration)
    finally:
        keeper.stop()
        keeper.wait()  # for as long as it takes: ended by force, it would leave the proxy
    if keeper.failed:
        raise PaycliError(keeper.last_words(), code="faults_failed")
    keeper.close()
