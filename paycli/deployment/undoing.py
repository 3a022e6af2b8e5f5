"""Undo a deploy that was interrupted, as far as CloudFormation lets one."""

import contextlib
import uuid
from collections.abc import Collection, Mapping
from typing import Any, Literal

from paycli.aws import Aws
from paycli.deployment import follow, marks, protection, records, running, stacks, states
from paycli.deployment.changeset import ChangeSet
from paycli.deployment.plan import Plan
from paycli.errors import DetachedError, PaycliError
from paycli.progress import Report, Step, unheard


def undo(aws: Aws, plan: Plan, report: Report) -> PaycliError:
    """End what an interrupted deploy has begun: cancel the update, or delete what the create has made.

    Returns the error that says what became of it; the deploy's record says so as well. CloudFormation can't cancel
    a create, nor an update that is already cleaning up: that one is followed to its end. What another deploy has begun
    meanwhile is left alone.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CancelUpdateStack.html
    """
    assert plan.change_set and plan.bucket  # noqa: S101 - what wasn't planned isn't executed
    record = _own_record(plan, plan.change_set)
    if record and record.result == "succeeded":
        return _done(aws, plan, record, report)
    ours = _ours(plan.change_set, record)
    undone = _undone_after_import if plan.change_set.imports else _undone
    result, said = undone(aws, plan, plan.change_set, ours, report)
    error = _settled(aws, plan, record, result, said, report)
    if record and result == "succeeded":
        marks.mark(aws, record, report)
    return error


def _settled(
    aws: Aws, plan: Plan, record: records.Record | None, result: records.Ended, said: str, report: Report
) -> PaycliError:
    """Put on record how an interrupted deploy ended, guard what serves, and return the error that says it."""
    assert plan.change_set and plan.bucket  # noqa: S101 - what wasn't planned isn't executed
    done = result == "succeeded"
    if record:
        ended = record.ended(result, "" if done else said)
        records.write(plan.bucket, ended.model_copy(update={"unseen": done}))
    if done:
        protection.guard(aws, plan, plan.change_set, report)
        said += _went_back(plan)
    return DetachedError(said, code="interrupted", data={"ended": result})


def _done(aws: Aws, plan: Plan, record: records.Record, report: Report) -> PaycliError:
    """Return the error of an interrupt that came when all was done but what follows a deploy."""
    from botocore.exceptions import BotoCoreError, ClientError

    assert plan.change_set and plan.bucket  # noqa: S101 - it is executed
    protection.guard(aws, plan, plan.change_set, report)
    with contextlib.suppress(BotoCoreError, ClientError):
        records.write(plan.bucket, record.model_copy(update={"unseen": True}))
    said = f"Interrupted, too late to undo it: {plan.change_set.stack_name} is deployed, as deploy {record.number}."
    return DetachedError(f"{said}{_went_back(plan)}", code="interrupted", data={"ended": "succeeded"})


def _went_back(plan: Plan) -> str:
    return f" It is deploy {plan.rollback_of} again: the rollback is done." if plan.rollback_of else ""


def before_it_began(aws: Aws, plan: Plan) -> PaycliError | None:
    """Take back a plan that CloudFormation hasn't begun with, and return the error that says so.

    Where it is over already, the error says that; None where it goes on.
    """
    assert plan.change_set and plan.bucket  # noqa: S101 - what wasn't planned isn't executed
    stack = stacks.find(aws.client("cloudformation"), plan.change_set.stack_id)
    record = _own_record(plan, plan.change_set)
    if record and record.result == "succeeded":
        return _done(aws, plan, record, unheard)
    ours = _ours(plan.change_set, record)
    begun = _execution(aws.client("cloudformation"), stack, plan.change_set, ours)
    if stack and (result := _ended(plan.change_set, stack, begun, ours)):
        said = f"Interrupted, too late to undo it: {stack.name} is {stack.status}."
        return _settled(aws, plan, record, result, said, unheard)
    if begun:
        return None
    running.leave(aws, plan, plan.change_set)
    said = f"Interrupted before CloudFormation began: {_unchanged(aws, plan.change_set.stack_name, stack)}"
    if record:
        records.write(plan.bucket, record.ended("cancelled", said))
    return DetachedError(said, code="interrupted", data={"ended": "cancelled"})


def _ended(
    change_set: ChangeSet, stack: stacks.Stack, begun: str, ours: Collection[str]
) -> Literal["succeeded", "failed"] | None:
    """Return how a deploy ended that is over: by its change set, or by a stack at rest that has executed it last.

    None where it goes on, or can't be told: DescribeStacks may be behind, and an import is only the first half.
    """
    if begun == "EXECUTE_COMPLETE" and not change_set.imports:
        return "succeeded"
    if stack.empty or stack.in_progress or stack.change_set_id not in ours:
        return "failed" if begun == "EXECUTE_FAILED" else None
    if stack.status == "IMPORT_COMPLETE":
        return None
    return "succeeded" if stack.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"} else "failed"


_LOOKED_AT = 5  # records: so many deploys may have begun since


def _own_record(plan: Plan, change_set: ChangeSet) -> records.Record | None:
    """Return this deploy's record, if it came so far and can be read; one that didn't succeed may be of an earlier try.

    A plan that is saved can be executed once more where CloudFormation hasn't begun with it.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    assert plan.bucket  # noqa: S101 - only a dry run has none
    try:
        found = records.recent(plan.bucket, plan.environment.name, unheard, _LOOKED_AT).records
    except (BotoCoreError, ClientError):
        return None
    own = (one for one in found if one.reviewed_change_set_id == change_set.change_set_id)
    return next((one for one in own if one.result in {"in_progress", "succeeded"}), None)


def _ours(change_set: ChangeSet, record: records.Record | None) -> set[str]:
    """Return the IDs of the change sets that this deploy executes."""
    return {change_set.change_set_id, *([record.change_set_id] if record else [])}


def _undone(
    aws: Aws, plan: Plan, change_set: ChangeSet, ours: Collection[str], report: Report
) -> tuple[records.Ended, str]:
    """Return how the deploy counts now, and what became of it in words."""
    cloudformation = aws.client("cloudformation")
    name, stack_id = change_set.stack_name, change_set.stack_id
    stack = stacks.find(cloudformation, stack_id)
    begun = _execution(cloudformation, stack, change_set, ours)
    if stack is None or not begun:
        running.leave(aws, plan, change_set)
        return "cancelled", f"Interrupted before CloudFormation began: {_unchanged(aws, name, stack)}"
    if begun in _ENDED:
        now = "another deploy of it has begun" if stack.in_progress else f"{name} is {stack.status}"
        return _ENDED[begun], f"Interrupted, too late to undo it: {now}."
    after = follow.last_event(cloudformation, stack_id)
    if stack.empty or stack.status in {"CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"}:
        report(Step("Deleting what the create has made"))
        cloudformation.delete_stack(StackName=stack_id)
        finished = follow.follow(cloudformation, stack_id, after=after, total=0, report=report)
        if finished.status == "DELETE_COMPLETE":
            return "cancelled", _deleted(cloudformation, plan, change_set)
    elif not change_set.creates and _cancel(cloudformation, change_set, report):
        finished = follow.follow(cloudformation, stack_id, after=after, total=0, report=report)
        if finished.status == "UPDATE_ROLLBACK_COMPLETE":
            return "cancelled", f"Interrupted: the update is cancelled, {name} is as it was before."
    else:
        finished = follow.until_done(cloudformation, stack_id, report=report)
    done = finished.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    return "succeeded" if done else "failed", f"Interrupted, too late to undo it: {name} is {finished.status}."


_ENDED: Mapping[str, records.Ended] = {"EXECUTE_COMPLETE": "succeeded", "EXECUTE_FAILED": "failed"}


def _execution(cloudformation: Any, stack: stacks.Stack | None, change_set: ChangeSet, ours: Collection[str]) -> str:
    """Return EXECUTE_IN_PROGRESS where this deploy's change set is what the stack executes or has executed last.

    EXECUTE_COMPLETE or EXECUTE_FAILED where that is over, empty where it was never executed. DescribeStacks may be
    behind, and that of the embedded AWS names no change set: then the change set itself tells.
    """
    if stack is None:
        return ""
    if not stack.empty and (stack.change_set_id in ours or (stack.in_progress and not stack.change_set_id)):
        return "EXECUTE_IN_PROGRESS"
    try:
        described = cloudformation.describe_change_set(ChangeSetName=change_set.change_set_id)
    except cloudformation.exceptions.ChangeSetNotFoundException:
        return ""
    status = str(described.get("ExecutionStatus", ""))
    return status if status in {"EXECUTE_IN_PROGRESS", *_ENDED} else ""


def _unchanged(aws: Aws, name: str, stack: stacks.Stack | None) -> str:
    if stack and stack.in_progress:
        who = states.who_works(aws.client("cloudformation"), stack)
        return f"what runs on {name} is another deploy's, {who}, and goes on."
    return f"{name} is unchanged."


def _deleted(cloudformation: Any, plan: Plan, change_set: ChangeSet) -> str:
    """Say what a deleted create has left: RetainExceptOnCreate deletes where CloudFormation rolls it back, not here."""
    from botocore.exceptions import BotoCoreError, ClientError

    said = f"Interrupted: what the create of {change_set.stack_name} had made is deleted again"
    try:
        kept = _skipped(cloudformation, change_set.stack_id)
    except (BotoCoreError, ClientError):
        kept = ["what `paycli teardown` names"] if plan.environment.retain_data else []
    if not kept:
        return f"{said}."
    return f"{said}, but for what keeps data: {', '.join(kept)}. The next `{plan.command}` takes it up again."


def _skipped(cloudformation: Any, stack_id: str) -> list[str]:
    skipped = [
        summary
        for summary in stacks.resources(cloudformation, stack_id)
        if summary["ResourceStatus"] == "DELETE_SKIPPED"
    ]
    return [summary["PhysicalResourceId"] for summary in skipped if summary.get("PhysicalResourceId")]


def _undone_after_import(
    aws: Aws, plan: Plan, change_set: ChangeSet, ours: Collection[str], report: Report
) -> tuple[records.Ended, str]:
    """The same for a deploy that takes up kept data: what was imported stays imported, for the next deploy."""
    cloudformation = aws.client("cloudformation")
    name, stack_id = change_set.stack_name, change_set.stack_id
    stack = stacks.find(cloudformation, stack_id)
    begun = _execution(cloudformation, stack, change_set, ours)
    if stack is None or not begun:
        running.leave(aws, plan, change_set)
        return "cancelled", f"Interrupted before CloudFormation began: what was kept is as it was, without {name}."
    if begun in _ENDED and stack.in_progress:
        return "cancelled", f"Interrupted: {name} has what was kept, and another deploy goes on with it."
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
