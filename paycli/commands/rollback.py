"""`paycli rollback`: deploy a recorded version again, exactly."""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from paycli import console, display
from paycli.commands.carry_out import NOTHING, carry_out, deployed_result, leave_nothing, review, told
from paycli.commands.common import Project, environment_command, on_interrupt
from paycli.console import Result
from paycli.errors import DetachedError, PaycliError

if TYPE_CHECKING:
    from paycli.aws import Aws
    from paycli.deployment.artifacts import Bucket
    from paycli.deployment.plan import Plan
    from paycli.deployment.records import Record
    from paycli.deployment.rollback import Choice, Wish


@click.command("rollback", epilog="Example: paycli rollback --env prod --to 41 --smoke-test")
@click.option("--to", "number", type=click.IntRange(min=1), metavar="N", help="The deploy to go back to; see history.")
@click.option("--yes", is_flag=True, help="Don't ask; for CI.")
@click.option("--smoke-test", is_flag=True, help="Run the smoke test afterwards.")
@click.option(
    "--skip",
    metavar="LOGICAL_ID",
    multiple=True,
    help="Where a rollback that got stuck is continued: leave this resource as it is; may be repeated.",
)
@environment_command
def command(project: Project, number: int | None, yes: bool, smoke_test: bool, skip: tuple[str, ...]) -> Result:
    """Deploy a recorded version again: its template, parameters and code, from the artifact bucket.

    Without --to it is the version before the one that runs, past those whose smoke test failed, once what another
    operation does to the stack is done; a rollback that was cut off is finished, and no more. It needs no
    checkout of that version, and is a deploy of its own: `paycli history` lists it, and the next rollback goes further
    back; --to N goes to any.
    """
    from paycli.deployment.rollback import Wish

    yes = yes or project.environment.target == "embedded"
    console.require_answer(yes=yes)
    aws = project.connect_to_deployed()
    wanted = _wanted(project, aws, Wish(number), skip=skip, yes=yes)
    done = _carried_out(project, aws, wanted, yes=yes)
    if not smoke_test:
        return _seen(wanted, done)
    from paycli.commands.smoke_test import with_smoke_test

    return with_smoke_test(project, wanted.bucket, done.record, done.result)[0]


def _seen(wanted: "_Wanted", done: "_Done") -> Result:
    """Return the result, which is told now."""
    from paycli.deployment import execution

    if done.record is None or not done.record.unseen:
        return done.result
    seen = execution.put_seen(wanted.bucket, done.record, display.plain_lines(console.note))
    if not done.result.data["deploy"]:
        return done.result
    return dataclasses.replace(done.result, data={**done.result.data, "deploy": seen.model_dump()})


@dataclass(frozen=True)
class _Wanted:
    """A rollback that is prepared; without a `plan` it was only to finish one that had got stuck."""

    bucket: "Bucket"
    choice: "Choice"
    plan: "Plan | None"
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Done:
    """What a rollback has done; without a `record` nothing was deployed."""

    record: "Record | None"
    result: Result


def back_to_version_before(project: Project, aws: "Aws", deploy: int) -> Result:
    """Undo a deploy whose smoke test failed; the result says where that can't be.

    An error of AWS doesn't end the command either: it would hide what the deploy and the smoke test have found.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from paycli.aws_errors import explained
    from paycli.deployment import follow
    from paycli.deployment.rollback import Wish

    runs = f"deploy {deploy} of {project.environment.name} has failed its smoke test and still runs"
    with on_interrupt(f"Interrupted: {runs}.", hint=f"Then: paycli rollback --env {project.environment.name}"):
        try:
            wanted = _wanted(project, aws, Wish(undoes=deploy), skip=(), yes=True)
        except (PaycliError, BotoCoreError, ClientError) as error:
            return _not_rolled_back(deploy, explained(error))
    try:
        back = _seen(wanted, _carried_out(project, aws, wanted, yes=True))
    except PaycliError as error:
        left = isinstance(error, DetachedError) and "ended" not in error.data  # to CloudFormation, which goes on
        if error.code != follow.DEADLINE_CODE and not left:
            return _not_rolled_back(deploy, error)
        return _no_longer_followed(project, deploy, wanted, error)
    except (BotoCoreError, ClientError) as error:  # whatever is refused before it begins is a PaycliError
        return _no_longer_followed(project, deploy, wanted, explained(error))
    return Result({"rolled_back": True, **back.data}, shown=["Rolled back to the version before:", *back.shown])


def not_undone(project: Project, runs: "Record | None") -> Result:
    """Return the result of a deploy that has changed nothing: what runs is another one's."""
    passed = runs is not None and runs.smoke_test == "passed"
    which = f", and deploy {runs.number}, which runs, has passed its smoke test before" if runs and passed else ""
    said = f"Not rolled back: this deploy changed nothing{which}."
    go_back = f"`paycli history --env {project.environment.name}` lists what `paycli rollback --to N` goes back to."
    return Result({"rolled_back": False}, shown=[f"{said} {go_back}"])


# Of errors that come when the earlier version runs again, and of one that says itself what runs.
_BACK = frozenset({"unprotected", "outputs_unread"})
_NEWER = "overtaken"


def _not_rolled_back(deploy: int, error: PaycliError) -> Result:
    """Return the result that says which version runs: after a failure CloudFormation calls it the previous one."""
    back = error.code in _BACK or error.data.get("ended") == "succeeded"
    data = {"rolled_back": back, "error": error.message, "hint": error.hint}
    mixed = error.data.get("status") == "UPDATE_ROLLBACK_FAILED" or error.data.get("ended") == "failed"
    runs = "" if mixed or error.code == _NEWER else f"Deploy {deploy} failed its smoke test and still runs. "
    said = error.message if back else f"{runs}Not rolled back: {error.message}"
    return Result(data, status=error.status, errors=(PaycliError(said, hint=error.hint, code="not_rolled_back"),))


def _no_longer_followed(project: Project, deploy: int, wanted: _Wanted, error: PaycliError) -> Result:
    """Return the result of a rollback that has begun, or may have, and whose end can't be seen."""
    assert wanted.choice.record  # noqa: S101 - what runs now is on record
    number = wanted.choice.record.number
    again = f"paycli rollback --env {project.environment.name} --to {number}"
    said = (
        f"Deploy {deploy} failed its smoke test. The rollback to deploy {number} has begun, or may have, and its end "
        f"can't be seen: {error.message}"
    )
    hint = f"CloudFormation goes on with what it has begun. `{again}` waits for that, and does what is left."
    data = {"rolled_back": None, "error": error.message, "hint": hint}
    return Result(data, status=error.status, errors=(PaycliError(said, hint=hint, code="rollback_unseen"),))


def _wanted(project: Project, aws: "Aws", wish: "Wish", *, skip: tuple[str, ...], yes: bool) -> _Wanted:
    """Choose what to go back to, bring the stack to rest, and plan it."""
    from paycli.aws import check_caller
    from paycli.deployment import artifacts, bootstrap, rollback, states
    from paycli.deployment.states import Policy

    environment = project.environment
    caller = check_caller(aws, environment)
    bucket = artifacts.bucket_of(aws, bootstrap.demand_bucket(aws, environment), caller.account)
    policy = Policy(wait=False, ask=lambda action: yes or console.ask(action), skip=skip)
    with display.activity() as report:
        choice = rollback.choose(aws, environment, bucket, wish, report)
    record, begun = choice.record, choice.begun
    if record is None:
        console.note("What runs isn't known from the records: the rollback that got stuck is gone on with, no more.")
        target = states.of_environment(environment, "rollback")
        with display.activity() as report:
            states.bring_to_rest(aws.client("cloudformation"), target, policy, report)
        return _Wanted(bucket, choice, None, skip)
    if begun:
        console.note(f"Deploy {begun.number} is a rollback whose end nobody had seen: it is finished, nothing more.")
    console.note(f"Going back to deploy {record.number} of {record.started_at}, commit {record.version.commit or '?'}")
    with display.activity() as report:
        plan = rollback.prepare(aws, environment, caller, bucket, record, policy, report)
    return _Wanted(bucket, choice, plan, skip)


def _carried_out(project: Project, aws: "Aws", wanted: _Wanted, *, yes: bool) -> _Done:
    from paycli.deployment import execution, records

    plan, begun = wanted.plan, wanted.choice.begun
    if plan is None:
        restored = execution.written(aws, project.environment, project.root)
        said = f"{project.environment.stack_name} is as it was before the update that failed."
        return _Done(None, told(project.environment, restored, NOTHING, said, wanted.skipped))
    try:
        review(plan, (), yes=yes)
    except BaseException:
        leave_nothing(aws, plan)
        raise
    deployed = carry_out(project, aws, plan)
    record = deployed.record
    if begun and plan.change_set is None:  # CloudFormation had finished it
        (record,) = records.settled([begun], plan.stack)
        record = record.model_copy(update={"unseen": True})
    return _Done(record, deployed_result(plan, deployed, wanted.skipped))
