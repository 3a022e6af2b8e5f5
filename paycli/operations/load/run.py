"""One load test: the load, the reconciliation of every exchange with what is stored, and the cleaning up."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from paycli.aws_errors import explain
from paycli.errors import DetachedError, PaycliError
from paycli.operations.load import stored
from paycli.operations.load.drive import Driver, Ending, NotStarted
from paycli.operations.load.faults import BEGIN, END, Faults, injected
from paycli.operations.load.ledger import Ledger
from paycli.operations.load.measurements import Measurements
from paycli.operations.load.plan import Plan, prefix_of
from paycli.operations.load.processes import Address
from paycli.operations.load.recorded import Recorder, Records
from paycli.operations.reconciliation import Discrepancy, reconcile
from paycli.progress import Gauge, Step

if TYPE_CHECKING:
    from paycli.aws import Aws
    from paycli.environment import Environment

Report = Callable[[Step | Gauge], None]

# How late messages, counts and log lines may be.
_PATIENCE = {"embedded": 5.0, "aws": 60.0}  # seconds


@dataclass(frozen=True)
class Target:
    """A deployed stack; its APIEndpoint can be called from here."""

    aws: "Aws"
    environment: "Environment"
    outputs: Mapping[str, str]

    @property
    def table(self) -> str:
        """The table of payments."""
        return self.outputs["TransactionsTableName"]


@dataclass(frozen=True)
class Options:
    """How a plan is carried out: by `workers`, of this machine unless `address` is where they find the master."""

    workers: int = 1
    address: Address | None = None
    faults: bool = False
    keep: bool = False


@dataclass(frozen=True)
class Findings:
    """What a run has come to; `untidy` says in words what stays, and `ledger` is where every exchange is kept."""

    plan: Plan
    measurements: Measurements
    ending: Ending
    payments: int  # in the table
    records: Records
    discrepancies: list[Discrepancy]
    reconciled_in: float  # seconds
    untidy: list[str]
    ledger: Path | None
    faults: tuple[float, float] | None  # from when to when there were faults, in seconds


def run(target: Target, plan: Plan, options: Options, root: Path, report: Report) -> Findings:
    """Carry out a plan; whatever becomes of it, what it left is removed, or the error says what stays.

    Raises DetachedError where it is interrupted a second time, or after the load.
    """
    recorder = Recorder(
        target.aws,
        target.outputs,
        plan.prefix,
        retained=target.environment.retain_data,
        patience=_PATIENCE[target.environment.target],
    )
    measurements = Measurements(plan.duration)
    ledger = Ledger(root, plan.run)
    with _leaving_traces(plan, target, ledger):
        with _faults(target, plan, options) as faults, contextlib.closing(ledger):
            driver = Driver(target.aws, target.environment, target.outputs["APIEndpoint"], plan, report)
            ending = driver.drive(options.workers, options.address, ledger, measurements, faults)
        report(Step("Reconciling what was answered with what is stored"))
        return _settled(target, plan, options, ledger, measurements, recorder, ending, report)


def _settled(
    target: Target,
    plan: Plan,
    options: Options,
    ledger: Ledger,
    measurements: Measurements,
    recorder: Recorder,
    ending: Ending,
    report: Report,
) -> Findings:
    began = time.monotonic()
    exchanges = list(ledger.exchanges())
    items = stored.items_of(
        target.aws, target.table, plan.prefix, lambda count: report(Gauge(f"{count} payments read"))
    )
    records = recorder.read(exchanges, keep=options.keep)
    found = reconcile(exchanges, items, records.messages, messages_lost=records.lost) + records.discrepancies()
    took = time.monotonic() - began
    untidy: list[str] = []
    if not options.keep:
        report(Step(f"Removing {len(items)} payments"))
        untidy = stored.remove(target.aws, target.table, plan.prefix, items)
    kept = bool(found or untidy or options.keep)
    if not kept:
        ledger.forget()
    path = ledger.path if kept else None
    faults = (BEGIN * plan.duration, END * plan.duration) if options.faults else None
    return Findings(plan, measurements, ending, len(items), records, found, took, untidy, path, faults)


def clean_up(target: Target, run_id: str, root: Path) -> tuple[int, list[str]]:
    """Remove what a run left in the table and its ledger; return how many payments those were, and what stays."""
    prefix = prefix_of(run_id)
    items = stored.items_of(target.aws, target.table, prefix, lambda _count: None)
    problems = stored.remove(target.aws, target.table, prefix, items)
    if not problems:
        Ledger.of(root, run_id).unlink(missing_ok=True)
    return len(items), problems


@contextlib.contextmanager
def _faults(target: Target, plan: Plan, options: Options) -> Iterator[Faults | None]:
    if not options.faults:
        yield None
        return
    with injected(target.aws, target.environment, target.outputs, plan.duration) as faults:
        yield faults


@contextlib.contextmanager
def _leaving_traces(plan: Plan, target: Target, ledger: Ledger) -> Iterator[None]:
    """Say, where the run ends too early, what it leaves and how that is removed."""
    stays = (
        f"Payments of run {plan.run} may stay in {target.table}, and failures in the queue; "
        f"every answer so far is in {ledger.path}."
    )
    hint = f"paycli load-test --env {target.environment.name} --clean-up {plan.run}"
    try:
        yield
    except NotStarted:
        ledger.forget()
        raise
    except KeyboardInterrupt:
        raise DetachedError(f"Interrupted. {stays}", hint=hint, code="interrupted") from None
    except (PaycliError, BotoCoreError, ClientError) as error:
        known = error if isinstance(error, PaycliError) else explain(error)
        raise PaycliError(f"{known}\n{stays}", hint=hint, code=known.code if known else "failed") from error
