"""Execute a plan: follow its change set to the end, protect what is to be kept, and write the outputs."""

import contextlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from paycli.aws import Aws
from paycli.aws_errors import explained, in_short
from paycli.deployment import artifacts, failure, follow, marks, outputs, protection, records, running, stacks
from paycli.deployment.artifacts import Bucket
from paycli.deployment.changeset import ChangeSet
from paycli.deployment.plan import Plan, completed, demand_table
from paycli.deployment.records import Record
from paycli.environment import Environment
from paycli.errors import PaycliError, not_deployed
from paycli.progress import Report, Step


@dataclass(frozen=True)
class Deployed:
    """A deployed stack's outputs, the file they are for, and the deploy's record, if it changed anything."""

    outputs: dict[str, str]
    path: Path
    record: Record | None = None
    unwritten: str = ""  # why the file couldn't be written: by then the stack is deployed


def execute(aws: Aws, plan: Plan, root: Path, report: Report, allowed: Collection[str] = ()) -> Deployed:
    """Execute the plan, follow it to its end, protect what is to be kept, and write the outputs.

    `allowed` names what may be removed although it holds data. Raises PaycliError with the cause where it fails. On
    KeyboardInterrupt CloudFormation goes on: `undo` ends that, or the next deploy waits for it.
    """
    embedded = plan.environment.target == "embedded"
    if embedded and plan.change_set and not plan.change_set.creates:
        _demand_whole_table(aws, plan, plan.change_set)
    if not plan.change_set:
        if embedded:
            _complete_table(aws, plan.environment)
        running.guard_again(aws, plan, report)
        return _written(aws, plan.environment, plan.stack, root)
    record, status = _recorded(aws, plan, plan.change_set, report, allowed)
    if embedded:
        _complete_table(aws, plan.environment)
    stack = _deployed(aws, plan, record, status, report)
    return replace(_written(aws, plan.environment, stack, root), record=record)


def _deployed(aws: Aws, plan: Plan, record: Record, status: str, report: Report) -> stacks.Stack | None:
    """Return the stack once it shows its end; where that can't be read, the error says that it is deployed."""
    from botocore.exceptions import BotoCoreError, ClientError

    look = partial(stacks.shown, aws.client("cloudformation"), record.stack_id, status)
    try:
        return follow.patiently(look, report)
    except (BotoCoreError, ClientError) as error:
        known = explained(error)
        raise PaycliError(
            f"{plan.environment.stack_name} is deployed, as deploy {record.number}, but its outputs can't be read: "
            f"{known.message}",
            hint=f"{known.hint} `paycli outputs --env {plan.environment.name}` reads and writes them.",
            code="outputs_unread",
        ) from error


def written(aws: Aws, environment: Environment, root: Path) -> Deployed:
    """Read the outputs of the environment's stack (one call) and write the file; raise PaycliError without a stack."""
    return _written(aws, environment, existing(aws, environment), root)


def _written(aws: Aws, environment: Environment, stack: stacks.Stack | None, root: Path) -> Deployed:
    if stack is None or not stack.outputs:
        raise not_deployed(environment.stack_name, environment.name)
    flat = outputs.resolved(aws, stack)
    try:
        return Deployed(flat, outputs.write(flat, root))
    except OSError as error:
        return Deployed(flat, root / outputs.FILE, unwritten=error.strerror or str(error))


def existing(aws: Aws, environment: Environment) -> stacks.Stack:
    """Return the environment's stack, or raise PaycliError where there is none that works and that paycli has made."""
    stack = stacks.find(aws.client("cloudformation"), environment.stack_name)
    if stack is None or stack.empty or not stack.outputs:
        raise not_deployed(environment.stack_name, environment.name)
    stacks.check_ours(stack)
    return stack


def _recorded(
    aws: Aws, plan: Plan, change_set: ChangeSet, report: Report, allowed: Collection[str]
) -> tuple[Record, str]:
    """Run the change set with a record of it: who, when, what, how it ended. Return that, and the stack's status."""
    from botocore.exceptions import BotoCoreError, ClientError

    bucket = plan.bucket
    assert bucket is not None  # noqa: S101 - only a dry run has none
    begun = Record(
        number=0,
        environment=plan.environment.name,
        stack_id=change_set.stack_id,
        change_set_id=change_set.change_set_id,
        reviewed_change_set_id=change_set.change_set_id,
        version=plan.version,
        deployer=plan.caller.arn,
        started_at=records.now(),
        changes=len(change_set.changes),
        rollback_of=plan.rollback_of,
    )
    with running.before_it_begins(aws, plan, change_set):
        artifacts.upload_template(bucket, plan.body)
        # Who was asked may have taken an hour to answer: the stack of the plan is as old.
        look = partial(stacks.find, aws.client("cloudformation"), change_set.stack_id)
        begun = records.begin(bucket, begun, look, report)
    try:
        if change_set.imports:
            plan, begun = _take_up(aws, plan, begun, change_set, report)
            change_set = plan.change_set or change_set
        finished = running.run_guarded(aws, plan, change_set, report, allowed)
    except PaycliError as error:
        if error.code != follow.DEADLINE_CODE:  # CloudFormation goes on
            with contextlib.suppress(BotoCoreError, ClientError):  # the stack tells how it ended; this is the cause
                records.write(bucket, begun.ended("failed", error.message))
        raise
    # A rollback's command says at its very end that it is seen: asked for again before, it goes no further.
    more = {"left_behind": failure.left_behind(finished), "unseen": plan.rollback_of is not None}
    done = begun.ended("succeeded").model_copy(update=more)
    written = _write_end(bucket, done, report)
    status = finished.status
    if plan.environment.retain_data:
        status = protection.protect(aws, plan, change_set, report, lifted=bool(allowed)) or status
        if not written:  # by the change set of the protection the stack tells no more that it succeeded
            _write_end(bucket, done, report)
    marks.mark(aws, done, report)
    return done, status


def _write_end(bucket: Bucket, done: Record, report: Report) -> bool:
    """Write how it ended. Where that can't be, it is told: the deploy is done, and the stack tells the next command."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        follow.patiently(partial(records.write, bucket, done), report)
    except (BotoCoreError, ClientError) as error:
        report(Step(f"How deploy {done.number} ended can't be put on record: {in_short(error)}"))
        return False
    return True


def put_smoke_test(bucket: Bucket, record: Record, report: Report, *, passed: bool) -> Record:
    """Put on record how the smoke test of a deploy that is done has ended: no rollback goes to one that failed it."""
    tested = record.model_copy(update={"smoke_test": "passed" if passed else "failed", "unseen": False})
    _write_end(bucket, tested, report)
    return tested


def put_seen(bucket: Bucket, record: Record, report: Report) -> Record:
    """Put on record that the end of a rollback is seen: asked for once more, the next one goes further back."""
    seen = record.model_copy(update={"unseen": False})
    _write_end(bucket, seen, report)
    return seen


def _take_up(aws: Aws, plan: Plan, begun: Record, imports: ChangeSet, report: Report) -> tuple[Plan, Record]:
    """Import what an earlier stack has kept; return the plan that adds the rest, and the record of both."""
    cloudformation = aws.client("cloudformation")
    finished = running.run(aws, plan, imports, report)
    stacks.shown(cloudformation, imports.stack_id, finished.status)
    report(Step("What was kept is the stack's again; now the rest is added"))
    with failure.refusing(plan.environment, plan.command, unchanged=running.TAKEN_UP):
        rest = completed(aws, plan)
        assert rest.change_set and rest.bucket  # noqa: S101 - that completes the plan, and only a dry run has no bucket
        return rest, records.now_executing(rest.bucket, begun, rest.change_set.change_set_id)


def _demand_whole_table(aws: Aws, plan: Plan, change_set: ChangeSet) -> None:
    """Complete what the embedded AWS has before anything is deployed: a paycli that was killed may not have done it.

    Raises PaycliError where the table is gone; then nothing is left of the plan, unless a file names it.
    """
    try:
        demand_table(aws, plan.environment)
    except PaycliError:
        running.leave(aws, plan, change_set)
        raise
    _complete_table(aws, plan.environment)


def _complete_table(aws: Aws, environment: Environment) -> None:
    """Switch on what the embedded CloudFormation leaves out of the table; on AWS the template does it."""
    dynamodb = aws.client("dynamodb")
    table = environment.named("transactions")
    dynamodb.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    dynamodb.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )
