"""`paycli load-test`: load on the deployed API, and the proof that no payment of it was lost or doubled."""

import importlib.util
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paycli import console, display
from paycli.commands.common import Project, environment_command, save
from paycli.console import Result
from paycli.errors import ConfigurationError, ExitStatus, PaycliError, UsageError
from paycli.operations.load.plan import MIX

if TYPE_CHECKING:
    from paycli.environment import Environment
    from paycli.operations.load.plan import Plan
    from paycli.operations.load.processes import Address
    from paycli.operations.load.run import Options, Target

# The embedded AWS has 64 threads. A request takes one, and its function's call of DynamoDB another: where all wait for
# each other, nothing is answered any more. And each request that is open starts a process.
_IN_FLIGHT = {"embedded": 16, "aws": 500}
_HIGHEST_PORT = 65_535
_DEFAULT_MIX = ",".join(f"{kind}={weight}" for kind, weight in MIX.items())


@click.command(
    "load-test",
    epilog="""\b
Example: paycli load-test --env dev --rate 50 --duration 60 --report load.html
         paycli load-test --env local --faults --rate 20 --duration 240
         paycli load-test --env dev --master 10.0.0.5:5557 --workers 2 --rate 800
         paycli load-test --env dev --worker 10.0.0.5:5557     (on each of the two)""",
)
@click.option(
    "--rate", type=click.FloatRange(0.01, 100_000), default=20.0, show_default=True, help="Arrivals a second."
)
@click.option("--duration", type=click.FloatRange(0.5, 86_400), default=30.0, show_default=True, help="Seconds.")
@click.option("--ramp", type=click.FloatRange(0), default=0.0, show_default=True, help="Seconds to reach the rate in.")
@click.option("--mix", default=_DEFAULT_MIX, show_default=True, metavar="KIND=WEIGHT,…", help="What is sent.")
@click.option("--workers", type=click.IntRange(1, 1000), default=1, show_default=True, help="Worker processes.")
@click.option("--master", metavar="HOST:PORT", help="Listen here for the workers of other machines, and start none.")
@click.option("--worker", metavar="HOST:PORT", help="Be the workers of a master on another machine.")
@click.option(
    "--faults", is_flag=True, help="Embedded AWS: throttle, fail and delay writes from a quarter on, for half."
)
@click.option(
    "--max-errors",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="How many requests may fail.  [default: 1; with --faults 100]",
)
@click.option("--seed", type=int, help="Repeat the arrivals of a run.")
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE", help="Write an HTML page with plots.")
@click.option(
    "--in-flight",
    type=click.IntRange(1),
    help="How many requests may be open at once.  [default: 500; on the embedded AWS 16: each takes a process of it]",
)
@click.option("--keep", is_flag=True, help="Leave payments and messages, and only count the messages.")
@click.option("--clean-up", metavar="RUN", help="Send nothing; remove the payments that a run has left in the table.")
@click.option("--allow-prod", is_flag=True, help="First of two: where data is retained, as in prod.")
@click.option("--confirm", metavar="NAME", help="Second of two: the environment's name; else it is asked for.")
@environment_command
def command(
    project: Project,
    rate: float,
    duration: float,
    ramp: float,
    mix: str,
    workers: int,
    master: str | None,
    worker: str | None,
    in_flight: int | None,
    faults: bool,
    max_errors: float | None,
    seed: int | None,
    report: Path | None,
    keep: bool,
    clean_up: str | None,
    allow_prod: bool,
    confirm: str | None,
) -> Result:
    """Send payments at a given rate, and prove afterwards that each was taken exactly as its caller was told.

    Requests arrive by schedule (Poisson), whether or not those before are answered; latency counts from the arrival.
    New payments, repeats with the same key, processings and invalid ones are mixed. At the end: percentiles,
    throughput, errors, throttles (429), and the reconciliation: each acknowledged payment is in the table once, with
    its status; nothing is there that no one sent; each failure is in the failed-transactions queue, or was counted.
    What it sent is removed.

    Ctrl-C ends the arrivals and still reconciles and removes. Exits with 1 where anything doesn't add up.
    """
    from paycli.operations.load.plan import Plan, check_run, parse_mix
    from paycli.operations.load.run import Options

    weights = parse_mix(mix)
    listen, join = _address(master), _address(worker)
    if master and worker:
        raise UsageError("A machine is the master or has workers.", hint="Give one of the two.", code="usage")
    if clean_up:
        return _clean_up(project, check_run(clean_up))
    _require_locust()
    _require_embedded(project.environment, faults=faults)
    _confirm(project.environment, allowed=allow_prod, named=confirm)
    target, place = _target(project)
    if join:
        return _work(target, workers, join)
    _warn(project.environment, rate)
    chosen = secrets.randbits(32) if seed is None else seed
    limit = in_flight or _IN_FLIGHT[project.environment.target]
    plan = Plan(secrets.token_hex(4), rate, duration, weights, chosen, limit, ramp=ramp)
    tolerated = max_errors if max_errors is not None else 100.0 if faults else 1.0
    return _run(project, target, plan, Options(workers, listen, faults, keep), tolerated, report, place)


def _address(text: str | None) -> "Address | None":
    if text is None:
        return None
    from paycli.operations.load.processes import Address

    parts = re.fullmatch(r"([A-Za-z0-9.-]+):([0-9]{1,5})", text)
    if not parts or not 0 < int(parts[2]) <= _HIGHEST_PORT:
        raise UsageError(f"{text!r} is no HOST:PORT.", hint="Such as 10.0.0.5:5557.", code="usage")
    return Address(parts[1], int(parts[2]))


def _require_locust() -> None:
    if importlib.util.find_spec("locust") is None:
        raise ConfigurationError(
            "Locust isn't installed, which makes the load.", hint="pip install 'paycli[load]'", code="locust_missing"
        )


def _require_embedded(environment: "Environment", *, faults: bool) -> None:
    if faults and environment.target != "embedded":
        hint = "Try them with --env local."
        raise UsageError("--faults are made in the embedded AWS alone.", hint=hint, code="faults_on_aws")


def _confirm(environment: "Environment", *, allowed: bool, named: str | None) -> None:
    """Refuse, unless told twice, where the data is retained: as in prod, payments there are somebody's money."""
    if not environment.retain_data:
        return
    if not allowed:
        raise UsageError(
            f"{environment.name} retains its data, as prod does: no load is sent there unless you say so twice.",
            hint=f"--allow-prod, and type the environment's name (in CI: --confirm {environment.name}).",
            code="prod_refused",
        )
    if named is None:
        if not console.can_ask():
            hint = f"In CI: --confirm {environment.name}"
            raise UsageError("This asks for a confirmation, on a terminal.", hint=hint, code="confirmation_needed")
        console.confirm(f"Send load to {environment.stack_name}", environment.name, typed=True, yes=False)
    elif named != environment.name:
        raise UsageError(f"--confirm says {named!r}, --env {environment.name!r}.", code="prod_refused")


def _target(project: Project) -> "tuple[Target, str]":
    from paycli.aws import check_caller
    from paycli.deployment import execution, outputs
    from paycli.operations.load.run import Target

    aws = project.connect_to_deployed()
    caller = check_caller(aws, project.environment)
    stack = execution.existing(aws, project.environment)
    target = Target(aws, project.environment, outputs.resolved(aws, stack))
    return target, f"{stack.name} in {caller.place}"


def _warn(environment: "Environment", rate: float) -> None:
    if rate > environment.throttle.rate:
        console.note(
            f"The stage lets {environment.throttle.rate} requests/s through, so that many of {rate:g} get 429: those "
            "are counted as throttled, not as errors."
        )


def _clean_up(project: Project, run_id: str) -> Result:
    from paycli.operations.load import run

    target, place = _target(project)
    removed, problems = run.clean_up(target, run_id, project.root)
    errors = tuple(PaycliError(problem, code="cleanup_failed") for problem in problems)
    said = f"{removed} payments of run {run_id} on {place}: {'not all are' if problems else 'all are'} removed."
    queue = (
        "Messages that it left in the failed-transactions queue stay there: "
        f"paycli failures discard --of-tests --env {project.environment.name}"
    )
    return Result(
        {"run": run_id, "payments": removed, "left_behind": problems},
        shown=[said, queue],
        status=ExitStatus.FAILED if problems else ExitStatus.DONE,
        errors=errors,
    )


def _work(target: "Target", workers: int, master: "Address") -> Result:
    from paycli.operations.load.drive import join

    console.note(f"{workers} workers for the master at {master.host}:{master.port}; Ctrl-C ends them.")
    problems = join(target.aws, target.environment, target.outputs["APIEndpoint"], workers, master)
    errors = tuple(PaycliError(problem, code="load_process_failed") for problem in problems)
    return Result(
        {"workers": workers, "failed": len(problems)},
        shown=[f"{workers} workers have ended; the master has what they sent."],
        status=ExitStatus.FAILED if problems else ExitStatus.DONE,
        errors=errors,
    )


def _run(
    project: Project,
    target: "Target",
    plan: "Plan",
    options: "Options",
    max_errors: float,
    page: Path | None,
    place: str,
) -> Result:
    from paycli.operations.load import html, run, verdict
    from paycli.views import load as load_view

    with display.measuring() as report:
        findings = run.run(target, plan, options, project.root, report)
    found = verdict.document(findings)
    errors = tuple(verdict.problems(findings, max_errors))
    shown = load_view.load(found, place)
    if page:
        save(page, html.page(findings, found, place, errors))
        shown.append(f"The page is in {page}")
    status = ExitStatus.INTERRUPTED if findings.ending.interrupted else ExitStatus.DONE
    return Result(found, shown=shown, status=ExitStatus.FAILED if errors else status, errors=errors)
