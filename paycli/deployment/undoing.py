"""Undo a deploy that was interrupted, as far as CloudFormation lets one."""

import uuid
from typing import Any

from paycli.aws import Aws
from paycli.deployment import follow, marks, records, stacks
from paycli.deployment.changeset import ChangeSet
from paycli.deployment.plan import Plan, discard
from paycli.errors import DetachedError, PaycliError
from paycli.progress import Report, Step


def undo(aws: Aws, plan: Plan, report: Report) -> PaycliError:
    """End what an interrupted deploy has begun: cancel the update, or delete what the create has made.

    Returns the error that says what became of it; the deploy's record says so as well. CloudFormation can't cancel
    a create, nor an update that is already cleaning up: that one is followed to its end.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CancelUpdateStack.html
    """
    assert plan.change_set and plan.bucket  # noqa: S101 - what wasn't planned isn't executed
    undone = _undone_after_import if plan.change_set.imports else _undone
    result, said = undone(aws, plan, plan.change_set, report)
    for record in records.recent(plan.bucket, plan.environment.name, report, 1).records:
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
