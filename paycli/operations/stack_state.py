"""What DescribeStacks and DescribeStackEvents tell of a stack, with each state in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from paycli.deployment import follow, stack_arn, stacks
from paycli.deployment.failure import reason as reasons
from paycli.deployment.failure import way_on
from paycli.deployment.failure.aftermath import aftermath
from paycli.deployment.failure.cause import Cause
from paycli.deployment.failure.causes import causes
from paycli.environment import Environment
from paycli.progress import ResourceEvent

Condition = Literal["good", "busy", "bad"]

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
_MEANINGS: Mapping[str, tuple[Condition, str]] = {
    "CREATE_IN_PROGRESS": ("busy", "being created"),
    "CREATE_COMPLETE": ("good", "deployed"),
    "CREATE_FAILED": ("bad", "the create failed and was not undone: some resources may be there"),
    "ROLLBACK_IN_PROGRESS": ("bad", "the create failed and is being undone"),
    "ROLLBACK_COMPLETE": ("bad", "the create failed and was undone: nothing is there"),
    "ROLLBACK_FAILED": ("bad", "the create failed, and so did undoing it: some resources are left"),
    "DELETE_IN_PROGRESS": ("busy", "being deleted"),
    "DELETE_FAILED": ("bad", "the delete failed: some resources are left"),
    "UPDATE_IN_PROGRESS": ("busy", "being updated"),
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": ("busy", "updated; what was replaced is being removed"),
    "UPDATE_COMPLETE": ("good", "deployed"),
    "UPDATE_FAILED": ("bad", "the update failed and was not undone: old and new are mixed"),
    "UPDATE_ROLLBACK_IN_PROGRESS": ("bad", "the update failed and is being undone"),
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": (
        "bad",
        "the update failed and was undone; what it added is being removed",
    ),
    "UPDATE_ROLLBACK_COMPLETE": ("bad", "the last update failed and was undone: the version before it serves"),
    "UPDATE_ROLLBACK_FAILED": ("bad", "the update failed, and undoing it is stuck: old and new are mixed"),
    "IMPORT_IN_PROGRESS": ("busy", "resources are being taken up"),
    "IMPORT_COMPLETE": ("good", "deployed, with resources that were there before"),
    "IMPORT_ROLLBACK_IN_PROGRESS": ("bad", "taking up resources failed and is being undone"),
    "IMPORT_ROLLBACK_COMPLETE": ("bad", "taking up resources failed and was undone"),
    "IMPORT_ROLLBACK_FAILED": ("bad", "taking up resources failed, and so did undoing it"),
}
_ONLY_DATA: tuple[Condition, str] = (
    "bad",
    "it has what an earlier stack kept, and nothing that serves: the next deploy adds the rest",
)
_UNKNOWN: tuple[Condition, str] = ("bad", "a state that paycli doesn't know")


@dataclass(frozen=True)
class StackState:
    """The stack as it is deployed; what the settings say now doesn't count."""

    name: str
    state: str
    condition: Condition
    meaning: str
    changed_at: datetime  # when the last operation began
    code_key: str  # of the handlers in the artifact bucket
    termination_protection: bool
    data_retained: bool
    table_protection: bool  # as last deployed: the stack's parameter DeletionProtection
    drift: str  # DRIFTED, IN_SYNC, UNKNOWN, NOT_CHECKED
    drift_checked_at: datetime | None
    change_set_id: str | None  # of the last change set that was executed

    @property
    def last_failed(self) -> bool:
        """Whether the last deploy has failed: what its change set says is of what doesn't serve."""
        return _is_failed(self.state) and not self.state.startswith("DELETE")


@dataclass(frozen=True)
class History:
    """What the stack's events tell: `since` its state is what it is, and the `cause` where that is a failed one.

    `explanation` says what the cause means and what to do about it, where it is one of the frequent ones; `others` are
    what else failed by itself, and `next` is the command that goes on.
    """

    since: datetime | None
    cause: str | None
    explanation: str | None = None
    others: tuple[str, ...] = ()
    next: str | None = None


def stack_state(described: Mapping[str, Any], stack: stacks.Stack) -> StackState:
    """Put together what DescribeStacks says."""
    condition, meaning = _MEANINGS.get(stack.status, _UNKNOWN)
    if stack.holds_only_data and not stack.in_progress:
        condition, meaning = _ONLY_DATA
    drift = described.get("DriftInformation", {})
    changes = (described.get(name) for name in ("DeletionTime", "LastUpdatedTime", "CreationTime"))
    return StackState(
        name=stack.name,
        state=stack.status,
        condition=condition,
        meaning=meaning,
        changed_at=next(change for change in changes if change),
        code_key=stack.parameters.get("CodeKey", ""),
        termination_protection=stack.termination_protection,
        data_retained="DeletionProtection" in stack.parameters,  # the template has it only where data is retained
        table_protection=stack.parameters.get("DeletionProtection") == "true",
        drift=drift.get("StackDriftStatus", "NOT_CHECKED"),
        drift_checked_at=drift.get("LastCheckTimestamp"),
        change_set_id=described.get("ChangeSetId"),
    )


def last_deploy(cloudformation: Any, stack: StackState) -> str | None:
    """Return paycli's version, the commit and the caller of the last change set (one call), None where nobody knows.

    CloudFormation keeps the change set that was executed and deletes the others:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets-execute.html
    """
    if stack.change_set_id is None:  # the embedded AWS doesn't say
        return None
    try:
        described = cloudformation.describe_change_set(ChangeSetName=stack.change_set_id)
    except cloudformation.exceptions.ChangeSetNotFoundException:
        return None
    return described.get("Description") or None


def read_history(cloudformation: Any, environment: Environment) -> History:
    """Read the stack's newest event: one call, and two or more where the last operation has failed."""
    stack_name = environment.stack_name
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_name)
    for event in (follow.resource_event(raw) for page in pages for raw in page["StackEvents"]):
        if event.of_stack and event.logical_id == stack_name:
            found = causes(cloudformation, stack_name) if _is_failed(event.status) else []
            if event.status.endswith("ROLLBACK_FAILED"):  # what it hangs on has to be mended first
                found = sorted(found, key=lambda cause: not cause.rollback)
            return _told(event, found, environment) if found else History(event.at, None)
    return History(None, None)


def _told(event: ResourceEvent, found: list[Cause], environment: Environment) -> History:
    known = found[0].explanation
    explanation = f"{known.summary}. {known.text} {known.hint}".rstrip() if known else None
    stack = stack_arn.parse(event.physical_id)
    hangs = [cause for cause in found if cause.rollback is event.status.endswith("ROLLBACK_FAILED")]
    following = aftermath(event.status, stack, environment).next
    first, *others = (f"{cause.logical_id} ({cause.resource_type}): {reasons.said(cause.reason)}" for cause in found)
    command = way_on.going_on(following, hangs, event.status, stack.name, environment)
    return History(event.at, first, explanation, tuple(others), command or None)


def _is_failed(state: str) -> bool:
    return "ROLLBACK" in state or state.endswith("_FAILED")
