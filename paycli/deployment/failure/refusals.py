"""What CloudFormation's validations and hooks refuse: only DescribeEvents tells the resource and the property."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from paycli.deployment.failure import reason as reasons
from paycli.deployment.failure.cause import Cause
from paycli.deployment.failure.rule import REFUSED, STACK
from paycli.progress import ResourceEvent


def of_operation(cloudformation: Any, stack_id: str, stack: str, since: datetime, until: datetime) -> list[Cause]:
    """Return what was refused in the operation that ran `since` and `until` (one call)."""
    raw = _failed_events(cloudformation, since, StackName=stack_id)
    # The change sets of a stack have operations of their own.
    own = [entry for entry in raw if entry["Timestamp"] <= until and entry.get("OperationType") != "CREATE_CHANGESET"]
    return refusals(own, stack)


def of_change_set(cloudformation: Any, change_set_id: str, stack: str) -> list[Cause]:
    """Return what is refused in a change set (one call)."""
    return refusals(_failed_events(cloudformation, None, ChangeSetName=change_set_id), stack)


def of_hooks(events: Iterable[ResourceEvent], known: Iterable[Cause]) -> list[Cause]:
    """Return what hooks refuse by the stack's own events, but for what is known: DescribeEvents may be denied."""
    told = {(cause.logical_id, cause.check) for cause in known}
    return [
        Cause(
            stack=event.stack,
            logical_id=event.logical_id,
            resource_type=event.resource_type,
            physical_id=event.physical_id,
            status=event.status.replace("_IN_PROGRESS", "_FAILED"),
            reason=event.hook_reason,
            at=event.at,
            check=event.hook,
        )
        for event in events
        if event.hook_reason and (event.logical_id, event.hook) not in told
    ]


def refusals(raw: Iterable[Mapping[str, Any]], stack: str) -> list[Cause]:
    """Return what validations and hooks refuse, from the events of DescribeEvents; warnings are none."""
    found = []
    for entry in raw:
        reason = entry.get("ValidationStatusReason") or entry.get("HookStatusReason")
        mode = entry.get("ValidationFailureMode") or entry.get("HookFailureMode")
        if reason is None or mode == "WARN" or entry.get("ValidationStatus") == "SKIPPED":
            continue
        found.append(
            Cause(
                stack=stack,
                logical_id=entry.get("LogicalResourceId") or stack,
                resource_type=entry.get("ResourceType", STACK),
                physical_id=entry.get("PhysicalResourceId", ""),
                status=REFUSED,
                reason=reason,
                at=entry["Timestamp"],
                property_path=_refused_property(entry.get("ValidationPath", ""), reason),
                check=entry.get("ValidationName") or entry.get("HookType", ""),
            )
        )
    return found


def _refused_property(path: str, reason: str) -> str:
    return reasons.template_property(path) or reasons.named_property(reason)


def _failed_events(cloudformation: Any, since: datetime | None, **which: str) -> list[dict[str, Any]]:
    """Return the failed events of DescribeEvents, not older than `since`, or none where it isn't to be had.

    It is an extra: not every role may call it, and not every CloudFormation knows it.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeEvents.html
    """
    from botocore.exceptions import BotoCoreError, ClientError

    found: list[dict[str, Any]] = []
    pages = cloudformation.get_paginator("describe_events").paginate(Filters={"FailedEvents": True}, **which)
    try:
        for page in pages:
            fresh = [entry for entry in page["OperationEvents"] if since is None or entry["Timestamp"] >= since]
            found += fresh
            if len(fresh) < len(page["OperationEvents"]):  # newest first: what comes next is older still
                break
    except (ClientError, BotoCoreError):
        pass
    return found
