"""Execute a plan: follow its change set to the end, protect what is to be kept, and write the outputs."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from paycli.aws import Aws
from paycli.deployment import artifacts, changeset, failure, follow, marks, outputs, records, stackpolicy, stacks
from paycli.deployment.changeset import ChangeSet
from paycli.deployment.plan import Plan, completed, demand_table, discard
from paycli.deployment.records import Record
from paycli.environment import Environment
from paycli.errors import DetachedError, PaycliError, not_deployed
from paycli.progress import Report, Step


@dataclass(frozen=True)
class Deployed:
    """A deployed stack's outputs, the file they were written to, and the deploy's record, if it changed anything."""

    outputs: dict[str, str]
    path: Path
    record: Record | None = None


def execute(aws: Aws, plan: Plan, root: Path, report: Report, allowed: Collection[str] = ()) -> Deployed:
    """Execute the plan, follow it to its end, protect what is to be kept, and write the outputs.

    `allowed` names what may be removed although it holds data. Raises PaycliError with the cause where it fails. On
    KeyboardInterrupt CloudFormation goes on: `undo` ends that, or the next deploy waits for it.
    """
    embedded = plan.environment.target == "embedded"
    if embedded and not (plan.change_set and plan.change_set.creates):
        _demand_whole_table(aws, plan)
    if not plan.change_set:
        return _written(aws, plan.environment, plan.stack, root)
    record, status = _recorded(aws, plan, plan.change_set, report, allowed)
    if embedded:
        _complete_table(aws, plan.environment)
    stack = stacks.shown(aws.client("cloudformation"), plan.change_set.stack_id, status)
    return replace(_written(aws, plan.environment, stack, root), record=record)


def written(aws: Aws, environment: Environment, root: Path) -> Deployed:
    """Read the outputs of the environment's stack (one call) and write the file, or raise PaycliError."""
    return _written(aws, environment, existing(aws, environment), root)


def _written(aws: Aws, environment: Environment, stack: stacks.Stack | None, root: Path) -> Deployed:
    if stack is None or not stack.outputs:
        raise not_deployed(environment.stack_name, environment.name)
    flat = outputs.resolved(aws, stack)
    return Deployed(flat, outputs.write(flat, root))


def existing(aws: Aws, environment: Environment) -> stacks.Stack:
    """Return the environment's stack, or raise PaycliError where there is none that works."""
    stack = stacks.find(aws.client("cloudformation"), environment.stack_name)
    if stack is None or stack.empty or not stack.outputs:
        raise not_deployed(environment.stack_name, environment.name)
    return stack


def undo(aws: Aws, plan: Plan, report: Report) -> PaycliError:
    """End what an interrupted deploy has begun: cancel the update, or delete what the create has made.

    Returns the error that says what became of it; the deploy's record says so as well. CloudFormation can't cancel
    a create, nor an update that is already cleaning up: that one is followed to its end.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CancelUpdateStack.html
    """
    assert plan.change_set and plan.bucket  # noqa: S101 - what wasn't planned isn't executed
    undone = _undone_after_import if plan.change_set.imports else _undone
    result, said = undone(aws, plan, plan.change_set, report)
    for record in records.recent(plan.bucket, plan.environment.name, 1):
        if record.stack_id == plan.change_set.stack_id and record.result == "in_progress":
            done = result == "succeeded"
            records.end(plan.bucket, record.ended(result, "" if done else said))
            if done:
                marks.mark(aws, record, report)
    return DetachedError(said, code="interrupted")


def _undone(aws: Aws, plan: Plan, change_set: ChangeSet, report: Report) -> tuple[records.Ended, str]:
    """Return how the deploy counts now, and what became of it in words."""
    cloudformation = aws.client("cloudformation")
    name, stack_id = change_set.stack_name, change_set.stack_id
    stack = stacks.find(cloudformation, stack_id)
    if stack is None or stack.empty or (not stack.in_progress and stack.change_set_id != change_set.change_set_id):
        discard(aws, plan)
        return "cancelled", f"Interrupted before CloudFormation began: {name} is unchanged."
    after = follow.last_event(cloudformation, stack_id)
    if stack.status in {"CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"}:
        report(Step("Deleting what the create has made"))
        cloudformation.delete_stack(StackName=stack_id)
        finished = follow.follow(cloudformation, stack_id, after=after, total=0, report=report)
        if finished.status == "DELETE_COMPLETE":
            return "cancelled", f"Interrupted: what the create of {name} had made is deleted again."
    elif not change_set.creates and _cancel(cloudformation, change_set, report):
        finished = follow.follow(cloudformation, stack_id, after=after, total=0, report=report)
        if finished.status == "UPDATE_ROLLBACK_COMPLETE":
            return "cancelled", f"Interrupted: the update is cancelled, {name} is as it was before."
    else:
        finished = follow.until_done(cloudformation, stack_id, report=report)
    done = finished.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    return "succeeded" if done else "failed", f"Interrupted, too late to undo it: {name} is {finished.status}."


def _undone_after_import(aws: Aws, plan: Plan, change_set: ChangeSet, report: Report) -> tuple[records.Ended, str]:
    """The same for a deploy that takes up kept data: what was imported stays imported, for the next deploy."""
    cloudformation = aws.client("cloudformation")
    name, stack_id = change_set.stack_name, change_set.stack_id
    stack = stacks.find(cloudformation, stack_id)
    if stack is None or stack.empty:
        discard(aws, plan)
        return "cancelled", f"Interrupted before CloudFormation began: what was kept is as it was, without {name}."
    serves = bool(stack.outputs)
    status = stack.status
    if stack.in_progress:
        after = follow.last_event(cloudformation, stack_id)
        if status == "UPDATE_IN_PROGRESS" and not serves and _cancel(cloudformation, change_set, report):
            finished = follow.follow(cloudformation, stack_id, after=after, total=0, report=report)
        else:
            finished = follow.until_done(cloudformation, stack_id, report=report)
        status = finished.status
    if not serves and status in {"IMPORT_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}:
        said = f"Interrupted: {name} has what was kept, and nothing that serves. The next deploy adds the rest."
        return "cancelled", said
    done = status in {"UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}  # that is of the table's protection alone
    return "succeeded" if done else "failed", f"Interrupted, too late to undo it: {name} is {status}."


def _cancel(cloudformation: Any, change_set: ChangeSet, report: Report) -> bool:
    """Cancel the update; return whether that was still possible."""
    from botocore.exceptions import ClientError

    report(Step("Cancelling the update: CloudFormation rolls it back"))
    try:
        cloudformation.cancel_update_stack(StackName=change_set.stack_id, ClientRequestToken=str(uuid.uuid4()))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        report(Step("It can't be cancelled any more; following it to its end"))
        return False
    return True


def _recorded(
    aws: Aws, plan: Plan, change_set: ChangeSet, report: Report, allowed: Collection[str]
) -> tuple[Record, str]:
    """Run the change set with a record of it: who, when, what, how it ended. Return that, and the stack's status."""
    bucket = plan.bucket
    assert bucket is not None  # noqa: S101 - only a dry run has none
    artifacts.upload_template(bucket, plan.body)
    begun = Record(
        number=0,
        environment=plan.environment.name,
        stack_id=change_set.stack_id,
        change_set_id=change_set.change_set_id,
        version=plan.version,
        deployer=plan.caller.arn,
        started_at=records.now(),
        changes=len(change_set.changes),
        rollback_of=plan.rollback_of,
    )
    begun = records.begin(bucket, begun, plan.stack)
    try:
        if change_set.imports:
            plan, begun = _take_up(aws, plan, begun, change_set, report)
            change_set = plan.change_set or change_set
        status = _run_guarded(aws, plan, change_set, report, allowed)
        if plan.environment.retain_data:
            status = _protect(aws, plan, begun, change_set, report) or status
    except PaycliError as error:
        if error.code != follow.DEADLINE_CODE:  # CloudFormation goes on
            records.end(bucket, begun.ended("failed", error.message))
        raise
    done = begun.ended("succeeded")
    records.end(bucket, done)
    marks.mark(aws, done, report)
    return done, status


def _take_up(aws: Aws, plan: Plan, begun: Record, imports: ChangeSet, report: Report) -> tuple[Plan, Record]:
    """Import what an earlier stack has kept; return the plan that adds the rest, and the record of both."""
    cloudformation = aws.client("cloudformation")
    status = _run(aws, plan, imports, report)
    stacks.shown(cloudformation, imports.stack_id, status)
    report(Step("What was kept is the stack's again; now the rest is added"))
    rest = completed(aws, plan)
    assert rest.change_set  # noqa: S101 - that is what completes the plan
    assert rest.bucket  # noqa: S101 - only a dry run has none
    # By its change set the stack tells how this deploy has ended, where nobody writes it.
    begun = begun.model_copy(update={"change_set_id": rest.change_set.change_set_id})
    records.end(rest.bucket, begun)
    return rest, begun


def _run_guarded(aws: Aws, plan: Plan, change_set: ChangeSet, report: Report, allowed: Collection[str]) -> str:
    """Run the change set under the stack policy, which stands again however it ends; return the stack's status."""
    if not plan.environment.retain_data:
        return _run(aws, plan, change_set, report)
    cloudformation = aws.client("cloudformation")
    if not change_set.creates:
        stackpolicy.put(cloudformation, change_set.stack_id, lifted_for=allowed)
    stands = not change_set.creates and not allowed
    try:
        status = _run(aws, plan, change_set, report)
    except BaseException:
        if not stands:
            _put_back(cloudformation, change_set, report)
        raise
    if not stands:
        stackpolicy.put(cloudformation, change_set.stack_id)
    return status


def _put_back(cloudformation: Any, change_set: ChangeSet, report: Report) -> None:
    """Set the policy in full again after a failure or an interrupt, which stays the error that is told."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        stackpolicy.put(cloudformation, change_set.stack_id)
    except (BotoCoreError, ClientError) as error:
        if not change_set.creates:  # a failed create may have taken the stack with it
            report(Step(f"The stack policy isn't back, the next deploy sets it again: {error}"))


def _run(aws: Aws, plan: Plan, change_set: ChangeSet, report: Report) -> str:
    """Execute the change set and follow it to its end; return the stack's status."""
    cloudformation = aws.client("cloudformation")
    after = follow.last_event(cloudformation, change_set.stack_id)
    try:
        cloudformation.execute_change_set(ChangeSetName=change_set.change_set_id, ClientRequestToken=str(uuid.uuid4()))
    except (
        cloudformation.exceptions.InvalidChangeSetStatusException,
        cloudformation.exceptions.ChangeSetNotFoundException,
    ) as error:
        raise PaycliError(
            f"{change_set.stack_name} has moved since the plan was made: {error.response['Error']['Message']}",
            hint="Another deploy came first, or the plan was deleted. Plan again.",
            code="plan_outdated",
        ) from None
    only = {change.logical_id for change in change_set.changes}
    finished = follow.follow(
        cloudformation, change_set.stack_id, after=after, total=len(change_set.changes), report=report, only=only
    )
    wanted = "CREATE_COMPLETE" if change_set.creates else "UPDATE_COMPLETE"
    wanted = "IMPORT_COMPLETE" if change_set.imports else wanted
    failure.demand(cloudformation, finished, wanted, change_set.stack_id, plan.environment, served=plan.serves_before)
    return wanted


def _protect(aws: Aws, plan: Plan, begun: Record, executed: ChangeSet, report: Report) -> str:
    """Switch on the stack's own protection, and what a first create has to do without.

    Returns the stack's status after that second change set, or "" where there was none.
    """
    cloudformation = aws.client("cloudformation")
    cloudformation.update_termination_protection(StackName=executed.stack_id, EnableTerminationProtection=True)
    if plan.wanted.parameters["DeletionProtection"] == "true":
        return ""
    report(Step("Switching on the table's deletion protection"))
    protection = changeset.create(
        cloudformation,
        plan.environment,
        replace(
            plan.wanted,
            parameters={**plan.wanted.parameters, "DeletionProtection": "true"},
            creates=False,
            revert_drift=False,
            description="paycli: deletion protection, after the create",
        ),
    )
    if protection is None:
        return ""
    assert plan.bucket  # noqa: S101 - only a dry run has none
    # By its change set the stack tells how this deploy has ended, where nobody writes it.
    records.end(plan.bucket, begun.model_copy(update={"change_set_id": protection.change_set_id}))
    return _run(aws, plan, protection, report)


def _demand_whole_table(aws: Aws, plan: Plan) -> None:
    """Complete what the embedded AWS has before anything is deployed: a paycli that was killed may not have done it.

    Raises PaycliError where the table is gone; then nothing is left of the plan.
    """
    try:
        demand_table(aws, plan.environment)
    except PaycliError:
        discard(aws, plan)
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
