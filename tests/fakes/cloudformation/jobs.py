"""Resources are worked on several at once, each when what it needs is done."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tests.fakes.cloudformation.engine import Engine
from tests.fakes.cloudformation.model import Stack


class Job(Protocol):
    """One resource's part of an operation."""

    phase: str  # create, update, delete, rollback, cleanup or import

    @property
    def logical_id(self) -> str:
        """Whose job it is."""

    @property
    def type(self) -> str:
        """The resource's type."""

    def begin(self) -> "Work | None":
        """Begin, and say what follows; None where there is nothing to wait for."""

    @property
    def failed(self) -> bool:
        """Whether it has ended badly."""

    def cancel(self) -> None:
        """Another resource has failed, or the operation is cancelled."""


@dataclass
class Work:
    """What happens to a resource, each step at its share of the duration; the last one ends it."""

    steps: list[tuple[float, Callable[[], None]]]


@dataclass
class Run:
    """Work off jobs; call `then` with the logical ids that failed, once nothing is left to do.

    Where `halts`, the first failure cancels what is under way and drops what waits; else the others go on.
    """

    engine: Engine
    stack: Stack
    jobs: list[Job]
    needs: Mapping[str, set[str]]
    halts: bool
    then: Callable[[list[str]], None]
    over: bool = False
    _waiting: list[Job] = field(default_factory=list)
    _running: list[Job] = field(default_factory=list)
    _failed: list[str] = field(default_factory=list)
    _seconds: dict[str, float] = field(default_factory=dict)
    _whole: float | None = None

    def start(self) -> None:
        self._waiting = list(self.jobs)
        self._seconds = self._planned()
        self._proceed()

    def cancel(self) -> None:
        """Stop; `then` isn't called."""
        for job in self._running:
            job.cancel()
        self.over = True

    def _proceed(self) -> None:
        progress = True
        while progress and not self.over:
            progress = False
            ours = {job.logical_id for job in [*self._waiting, *self._running]} | set(self._failed)
            for job in [job for job in self._waiting if not self.needs.get(job.logical_id, set()) & ours]:
                if job in self._waiting:  # a failure just now has dropped what waited
                    self._waiting.remove(job)
                    progress = True
                    self._start(job)
        if not self.over and not self._running:
            self.over = True
            self.then(self._failed)

    def _start(self, job: Job) -> None:
        work = job.begin()
        if work is None:
            self._ended(job)
            return
        self._running.append(job)
        seconds = self._seconds[job.logical_id]
        if self._whole is not None:
            seconds /= work.steps[-1][0]  # the last step, not what settles after it, is to be in time
        for share, step in work.steps:
            self.engine.agenda.after(seconds * share, lambda step=step: self._step(job, step))  # type: ignore[misc]
        self.engine.agenda.after(seconds * work.steps[-1][0], lambda: self._finish(job))

    def _step(self, job: Job, step: Callable[[], None]) -> None:
        if not self.over and job in self._running:
            step()

    def _finish(self, job: Job) -> None:
        if not self.over and job in self._running:
            self._running.remove(job)
            self._ended(job)
            self._proceed()

    def _ended(self, job: Job) -> None:
        if not job.failed:
            return
        self._failed.append(job.logical_id)
        if self.halts:
            self._waiting.clear()
            for other in self._running:
                other.cancel()
                self._failed.append(other.logical_id)
            self._running.clear()

    def _planned(self) -> dict[str, float]:
        """Return each job's duration; where the whole is given, the longest chain takes exactly that."""
        scenario = self.engine.scenario
        seconds = {job.logical_id: scenario.seconds(job.logical_id, job.type, job.phase) for job in self.jobs}
        phases = {job.phase for job in self.jobs} - {"import"}
        self._whole = scenario.operation_seconds(self.stack.name, phases.pop()) if len(phases) == 1 else None
        if self._whole is None:
            return seconds
        weights = {logical_id: scenario.chance.uniform(0.2, 1.0) for logical_id in seconds}
        factor = self._whole / _longest(weights, self.needs)
        return {logical_id: weight * factor for logical_id, weight in weights.items()}


def _longest(weights: Mapping[str, float], needs: Mapping[str, set[str]]) -> float:
    """Return the weight of the heaviest chain."""
    known: dict[str, float] = {}

    def chain(logical_id: str) -> float:
        if logical_id not in known:
            before: Iterable[str] = needs.get(logical_id, set()) & weights.keys()
            known[logical_id] = weights[logical_id] + max(map(chain, before), default=0.0)
        return known[logical_id]

    return max(map(chain, weights), default=1.0)
