"""One worker's part of the load: it sends on schedule, whatever becomes of the requests before.

It runs under gevent, in worker.py, so its waits must be the runner's own.
"""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError

from paycli.errors import PaycliError
from paycli.operations.load.plan import Plan
from paycli.operations.load.sample import Sample, exchange_of
from paycli.operations.load.schedule import arrivals
from paycli.operations.load.traffic import Request, Traffic

if TYPE_CHECKING:
    from paycli.api_client import Answer


# A caller doesn't wait for longer: API Gateway itself gives up after 29 s.
_GIVEN_UP = 30.0  # seconds


class Pool(Protocol):
    """What runs requests side by side; gevent's Pool is one."""

    def spawn(self, work: Callable[..., None], *arguments: Any) -> Any:
        """Begin a piece of work, as soon as there is room for it."""

    def join(self) -> Any:
        """Wait until all of it is done."""


class Generator:
    """Sends a plan's requests by `send`; `wait(seconds)` pauses, and says whether the run is to stop."""

    def __init__(
        self, plan: Plan, pool: Pool, send: Callable[[Request], "Answer"], wait: Callable[[float], bool]
    ) -> None:
        self._plan = plan
        self._pool = pool
        self._send = send
        self._wait = wait
        self._traffic = Traffic(plan)
        self._rows: list[list[Any]] = []
        self._dropped = 0

    def run(self) -> None:
        """Send until the duration is over or the run is stopped; return when every answer has come.

        Where all of the pool is busy, arrivals wait for it, which counts as latency; after a time they are dropped.
        """
        began = time.monotonic()
        plan = self._plan
        for due in arrivals(plan.rate, plan.duration, plan.ramp, plan.random()):
            if self._wait(max(began + due - time.monotonic(), 0)):
                break
            if time.monotonic() - began - due > _GIVEN_UP:
                self._dropped += 1
            else:
                self._pool.spawn(self._exchange, began, due)
        self._pool.join()

    def take(self) -> dict[str, Any]:
        """Return what there is to report since this was last called."""
        rows, self._rows = self._rows, []
        dropped, self._dropped = self._dropped, 0
        return {"rows": rows, "dropped": dropped}

    def _exchange(self, began: float, due: float) -> None:
        request = self._traffic.next()
        late = time.monotonic() - began - due
        status, headers, said = self._answer(request)
        latency = time.monotonic() - began - due
        self._traffic.learn(request, status, said)
        code, exchange = exchange_of(request, status, headers, said)
        self._rows.append(Sample(request.kind, due, latency, late, code, exchange).row())

    def _answer(self, request: Request) -> tuple[int | None, Mapping[str, str], dict[str, Any]]:
        try:
            answer = self._send(request)
        except PaycliError:  # no answer came
            return None, {}, {}
        except BotoCoreError as error:  # such as credentials that have expired
            return None, {}, {"code": type(error).__name__}
        return answer.status, answer.headers, document(answer)


def document(answer: "Answer") -> dict[str, Any]:
    """Return the JSON object in an answer; empty where there is none."""
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
