"""Every state a stack can be in, and what a deploy does about it before it plans.

The states and what they allow:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-continueupdaterollback.html
"""

import contextlib
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from paycli.deployment import failure, follow, stack_arn, stacks
from paycli.deployment.failure.aftermath import aftermath
from paycli.environment import Environment
from paycli.errors import PaycliError, UsageError
from paycli.progress import Report, Step
from paycli.stack.retention import DATA_TYPES

# An update can be planned on these.
UPDATABLE = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    }
)
# A create that failed, or a delete: what is left is deleted. RollbackStack, for CREATE_FAILED alone, would do no more:
# there is no state to go back to. https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_RollbackStack.html
FAILED_CREATES = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"})
_STUCK = "UPDATE_ROLLBACK_FAILED"
_DEAD = FAILED_CREATES | {"DELETE_FAILED"}


@dataclass(frozen=True)
class Policy:
    """What may be done to bring a stack into a state that can be deployed to.

    `ask` gets a sentence ("Delete ... and create it again") and says whether to do it; None: nothing may be done.
    `skip` are resources that stay as they are where a rollback is continued that has failed on them.
    """

    wait: bool
    ask: Callable[[str], bool] | None
    skip: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """The stack that is meant, the environment whose commands speak of it, and the role it is changed with."""

    name: str
    environment: Environment
    role: str | None = None
    removable: frozenset[str] = _DEAD  # the states out of which it is deleted, to be created again
    command: str = ""  # that asks again, where it is neither deploy nor bootstrap

    @property
    def again(self) -> str:
        """The command that goes on."""
        usual = "deploy" if self.name == self.environment.stack_name else "bootstrap"
        return f"paycli {self.command or usual} --env {self.environment.name}"


def of_environment(environment: Environment, command: str = "") -> Target:
    """Return the stack of an environment."""
    return Target(environment.stack_name, environment, environment.cloudformation_role, command=command)


def bring_to_rest(cloudformation: Any, target: Target, policy: Policy, report: Report) -> stacks.Stack | None:
    """Return the stack in a state that can be updated, or None (or an empty one) where it is to be created.

    Waits for what runs, continues a rollback that failed, and deletes what a failed create left, as `policy` allows.
    Raises PaycliError with the way out everywhere else, and UsageError where there is nothing to skip.
    """
    skipped = not policy.skip
    while True:
        stack = when_idle(cloudformation, target.name, policy, report)
        # Once it is done, the same command goes on where it was cut off.
        skipped = skipped or (stack is not None and stack.status in {_STUCK, "UPDATE_ROLLBACK_COMPLETE"})
        if not skipped:
            raise _nothing_to_skip(target, stack)
        if stack is None or stack.status == "DELETE_COMPLETE":
            return None
        if stack.empty:
            return stack
        stacks.check_ours(stack)
        if stack.status in UPDATABLE:
            return stack
        _repair(cloudformation, target, stack, policy, report)


def when_idle(cloudformation: Any, name: str, policy: Policy, report: Report) -> stacks.Stack | None:
    """Return the stack as it is when nothing runs on it, or None where there is none; nothing is changed.

    Raises PaycliError where something runs and `policy` lets nobody wait.
    """
    while True:
        stack = stacks.find(cloudformation, name)
        if stack is None or not stack.in_progress:
            return stack
        _wait(cloudformation, stack, policy, report)


def _wait(cloudformation: Any, stack: stacks.Stack, policy: Policy, report: Report) -> None:
    who = who_works(cloudformation, stack)
    if not policy.wait:
        raise stacks.busy(stack.name, f"{stack.status}, {who}")
    report(Step(f"{stack.name} is {stack.status}, {who}: waiting until it is done"))
    finished = follow.until_done(cloudformation, stack.stack_id, report=report)
    stacks.shown(cloudformation, stack.stack_id, finished.status)


def who_works(cloudformation: Any, stack: stacks.Stack) -> str:
    """Say who runs the operation since when, as far as CloudFormation tells (one call)."""
    from botocore.exceptions import ClientError

    since = f"since {stack.changed_at:%H:%M:%S} UTC" if stack.changed_at else "since some time"
    if not stack.change_set_id:
        return since
    try:
        described = cloudformation.describe_change_set(ChangeSetName=stack.change_set_id)
    except ClientError:
        return since  # an executed change set is gone once its stack is
    return f"{since} ({described.get('Description') or described['ChangeSetName']})"


def _repair(cloudformation: Any, target: Target, stack: stacks.Stack, policy: Policy, report: Report) -> None:
    if stack.status in target.removable:
        _remove(cloudformation, target, stack, policy, report)
    elif stack.status == _STUCK:
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html
        operation = cloudformation.continue_update_rollback
        if policy.skip:
            _demand_stuck(cloudformation, stack, policy.skip)
            operation = partial(operation, ResourcesToSkip=list(policy.skip))
        _roll_back(cloudformation, target, stack, policy, report, operation)
    elif stack.status == "UPDATE_FAILED":  # somebody has switched rollback off
        _roll_back(cloudformation, target, stack, policy, report, cloudformation.rollback_stack)
    elif stack.status == "DELETE_FAILED":  # the bootstrap stack's: any other is deleted
        raise _half_deleted(cloudformation, stack, target.environment)
    else:  # IMPORT_ROLLBACK_FAILED, and what AWS may add
        raise _stuck(stack, _no_way_back(stack, target.environment))


def _nothing_to_skip(target: Target, stack: stacks.Stack | None) -> UsageError:
    state = stack.status if stack else "not there"
    return UsageError(
        f"{target.name} is {state}: no rollback of it has got stuck, so there is nothing to skip.",
        hint="Leave --skip out.",
        code="not_stuck",
    )


def _demand_stuck(cloudformation: Any, stack: stacks.Stack, skip: Collection[str]) -> None:
    """Raise UsageError where something is to be skipped on which the rollback hasn't failed: CloudFormation refuses."""
    resources = stacks.resources(cloudformation, stack.stack_id)
    stuck = {one["LogicalResourceId"] for one in resources if one["ResourceStatus"] == "UPDATE_FAILED"}
    if unknown := sorted(set(skip) - stuck):
        raise UsageError(
            f"The rollback has not failed on {', '.join(unknown)}, so CloudFormation can't skip it.",
            hint=f"It has failed on: {', '.join(sorted(stuck)) or 'nothing that can be skipped'}.",
            code="not_stuck",
        )


def _remove(cloudformation: Any, target: Target, stack: stacks.Stack, policy: Policy, report: Report) -> None:
    """Delete what a failed create left; what holds data is never touched."""
    left = [
        f"{summary['LogicalResourceId']} ({summary.get('PhysicalResourceId', '')})"
        for summary in stacks.resources(cloudformation, stack.stack_id)
        if summary["ResourceType"] in DATA_TYPES and summary["ResourceStatus"] not in _NOT_THERE
    ]
    if left:
        raise _stuck(
            stack,
            f"It still has what holds data: {', '.join(left)}. "
            f"`paycli teardown --env {target.environment.name}` says what would go and what stays.",
        )
    action = f"{stack.name} is {stack.status}: nothing of it serves. Delete it and create it again"
    _demand(policy, target, stack, action)
    report(Step(f"{stack.name} is {stack.status}: deleting what is left of it, to create it again"))
    after = follow.last_event(cloudformation, stack.stack_id)
    request: dict[str, Any] = {"StackName": stack.stack_id, "ClientRequestToken": str(uuid.uuid4())}
    if target.role:
        request["RoleARN"] = target.role
    with _refusing(target, stack), follow.goes_on(stack.name):
        cloudformation.delete_stack(**request)
    finished = follow.follow(cloudformation, stack.stack_id, after=after, total=0, report=report)
    failure.demand(
        cloudformation, finished, "DELETE_COMPLETE", stack.stack_id, target.environment, command=target.again
    )
    stacks.shown(cloudformation, stack.stack_id, finished.status)


# The create never made it, or the rollback has removed it again.
_NOT_THERE = frozenset({"DELETE_COMPLETE", "CREATE_FAILED", "DELETE_SKIPPED"})


def _roll_back(
    cloudformation: Any,
    target: Target,
    stack: stacks.Stack,
    policy: Policy,
    report: Report,
    operation: Callable[..., Any],
) -> None:
    _demand(policy, target, stack, f"{stack.name} is {stack.status}. Roll it back to the previous version first")
    report(Step(f"{stack.name} is {stack.status}: rolling back to the previous version"))
    after = follow.last_event(cloudformation, stack.stack_id)
    request: dict[str, Any] = {"StackName": stack.stack_id, "ClientRequestToken": str(uuid.uuid4())}
    if target.role:
        request["RoleARN"] = target.role
    with _refusing(target, stack), follow.goes_on(stack.name):
        operation(**request)
    finished = follow.follow(cloudformation, stack.stack_id, after=after, total=0, report=report)
    failure.demand(
        cloudformation,
        finished,
        "UPDATE_ROLLBACK_COMPLETE",
        stack.stack_id,
        target.environment,
        command=target.again,
    )
    stacks.shown(cloudformation, stack.stack_id, finished.status)


def _refusing(target: Target, stack: stacks.Stack) -> contextlib.AbstractContextManager[None]:
    still = f"{stack.name} is still {stack.status}."
    return failure.refusing(target.environment, target.again, stack=stack.name, unchanged=still)


def _half_deleted(cloudformation: Any, stack: stacks.Stack, environment: Environment) -> PaycliError:
    """Return the error of a stack whose delete got stuck, and which only a person may finish deleting."""
    stuck = {
        summary["LogicalResourceId"]: summary.get("ResourceStatusReason", "AWS doesn't say why")
        for summary in stacks.resources(cloudformation, stack.stack_id)
        if summary["ResourceStatus"] == "DELETE_FAILED"
    }
    command = aftermath(stack.status, stack_arn.parse(stack.stack_id), environment).next
    return PaycliError(
        f"{stack.name} is {stack.status}: somebody's delete got stuck. "
        + " ".join(f"{logical_id}: {reason.removesuffix('.')}." for logical_id, reason in stuck.items()),
        hint=f"Only the rest of the delete leads out: mend what is in its way, then `{command}`; or leave that behind, "
        f"`{command} --retain-resources {' '.join(stuck)}`. The next deploy makes {stack.name} anew; the records of "
        "earlier deploys stay in the old bucket.",
        code="bad_state",
    )


def _no_way_back(stack: stacks.Stack, environment: Environment) -> str:
    """Return what to do about a state that no operation of CloudFormation's rolls back.

    RollbackStack takes CREATE_FAILED and UPDATE_FAILED, ContinueUpdateRollback only UPDATE_ROLLBACK_FAILED. For
    IMPORT_ROLLBACK_FAILED that leaves a delete, which a person decides: the stack may have served before.
    """
    look = "Look at its events in the CloudFormation console, and mend what they name."
    command = aftermath(stack.status, stack_arn.parse(stack.stack_id), environment).next
    return f"{look} Then only a delete leads out: `{command}`." if command else look


def _demand(policy: Policy, target: Target, stack: stacks.Stack, action: str) -> None:
    if policy.ask is None:
        raise _stuck(stack, f"`{target.again}` offers the way out: it asks first, and --yes answers.")
    if not policy.ask(action):
        raise _stuck(stack, f"Nothing was changed. To be asked again: {target.again}")


def _stuck(stack: stacks.Stack, hint: str) -> PaycliError:
    return PaycliError(f"{stack.name} is {stack.status}: CloudFormation can't update it.", hint=hint, code="bad_state")
