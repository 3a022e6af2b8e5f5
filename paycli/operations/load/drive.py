"""The load itself: Locust's processes are started and followed, and what they report is kept and counted."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paycli.errors import PaycliError
from paycli.interruption import interruptible
from paycli.operations.load.faults import Faults
from paycli.operations.load.ledger import Ledger
from paycli.operations.load.measurements import Measurements
from paycli.operations.load.plan import Plan
from paycli.operations.load.processes import Address, Process, master_order, worker_order
from paycli.progress import Gauge, Step

if TYPE_CHECKING:
    from paycli.aws import Aws
    from paycli.environment import Environment

_STARTING = 120.0  # seconds until the workers of this machine are there
_JOINING = 3600.0  # seconds until those of others are


@dataclass(frozen=True)
class Ending:
    """How the load ended; `lost` is how many reports of workers never came, so that not every exchange is known."""

    interrupted: bool
    lost: int


class NotStarted(PaycliError):  # noqa: N818 - nothing was sent
    """The load never began."""


class Driver:
    """Drives one plan against one API."""

    def __init__(
        self,
        aws: "Aws",
        environment: "Environment",
        endpoint: str,
        plan: Plan,
        report: Callable[[Step | Gauge], None],
    ) -> None:
        self._aws = aws
        self._environment = environment
        self._endpoint = endpoint
        self._plan = plan
        self._report = report
        self._workers: list[Process] = []
        self._started: float | None = None
        self._lost: int | None = None

    def drive(
        self, workers: int, address: Address | None, ledger: Ledger, measurements: Measurements, faults: Faults | None
    ) -> Ending:
        """Send the plan's load. Raises NotStarted where it can't begin; later, whatever ends a process is a loss.

        The workers are processes of this machine, unless `address` says where others find the master.
        """
        patience = _JOINING if address else _STARTING
        master = Process("master", master_order(self._plan, workers, self._endpoint, address or Address(), patience))
        try:
            with interruptible(master.stop) as interruption:
                for event in master.events():
                    if event["event"] == "listening" and address is None:
                        self._start_workers(workers, event["port"])
                    self._take(event, ledger, measurements)
                    if faults and self._started is not None:
                        faults.at(time.monotonic() - self._started)
                    if self._started is None and any(worker.failed for worker in self._workers):
                        master.stop()
            if self._started is None and not interruption.asked:
                raise self._failure(master, workers)
            if faults:
                faults.calm()
            return Ending(interruption.asked, 1 if self._lost is None else self._lost)
        finally:
            for process in (master, *self._workers):
                process.close()

    def _failure(self, master: Process, workers: int) -> NotStarted:
        master.wait()
        failed = next((process for process in (*self._workers, master) if process.failed), None)
        if failed:
            return NotStarted(failed.last_words(), code="load_process_failed")
        hint = "Start each with `paycli load-test --worker HOST:PORT`, for the same environment."
        return NotStarted(f"The {workers} workers did not all come.", hint=hint, code="workers_missing")

    def _start_workers(self, workers: int, port: int) -> None:
        order = worker_order(self._aws, self._environment, self._endpoint, Address(port=port))
        self._workers = [Process("worker", order) for _ in range(workers)]

    def _take(self, event: dict[str, Any], ledger: Ledger, measurements: Measurements) -> None:
        if event["event"] == "workers":
            self._report(Gauge(f"{event['here']} of {event['expected']} workers are here"))
        elif event["event"] == "started":
            self._started = time.monotonic()
            self._report(Step(f"Run {self._plan.run}: {self._plan.rate:g} requests/s for {self._plan.duration:g} s"))
        elif event["event"] == "report":
            for sample in ledger.add(event["rows"]):
                measurements.add(sample)
            measurements.dropped += event["dropped"]
            self._report(Gauge(progress(time.monotonic() - (self._started or 0), self._plan.duration, measurements)))
        elif event["event"] == "ended":
            self._lost = event["lost"]


def progress(seconds: float, duration: float, measurements: Measurements) -> str:
    """Say how the load fares so far."""
    answered = measurements.answered
    return (
        f"{min(seconds, duration):.0f} of {duration:.0f} s: {measurements.sent} answered, "
        f"{measurements.good} as expected, {measurements.throttled} throttled, {measurements.failed} errors; "
        f"p50 {answered.percentile(50) * 1000:.0f} ms, p99 {answered.percentile(99) * 1000:.0f} ms"
    )


def join(aws: "Aws", environment: "Environment", endpoint: str, workers: int, master: Address) -> list[str]:
    """Run workers for a master elsewhere until it needs them no more; return why some failed.

    An interrupt ends the arrivals of these workers alone.
    """
    processes = [Process("worker", worker_order(aws, environment, endpoint, master)) for _ in range(workers)]

    def stop() -> None:
        for process in processes:
            process.stop()

    try:
        with interruptible(stop):
            for process in processes:
                process.wait()
        return [process.last_words() for process in processes if process.failed]
    finally:
        for process in processes:
            process.close()
