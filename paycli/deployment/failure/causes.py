"""Why an operation failed: what failed by itself, in the order it happened, and not what followed from it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from paycli.deployment.failure import reason as reasons
from paycli.deployment.failure import refusals
from paycli.deployment.failure.cause import Cause
from paycli.deployment.failure.rule import REFUSED, STACK
from paycli.deployment.follow import resource_event
from paycli.progress import ResourceEvent

# How an operation begins and how its rollback does, in the stack's own events.
_BEGINS = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"})
_ROLLS_BACK = frozenset({"ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "IMPORT_ROLLBACK_IN_PROGRESS"})


def causes(cloudformation: Any, stack: str) -> list[Cause]:
    """Return what failed in the stack's last operation (by name or ID), empty where nothing did.

    The first is the root cause; those of the rollback come last. Takes two calls, more for long histories.
    """
    events = list(_last_operation(cloudformation, stack))
    return failures(cloudformation, stack, events)


def failures(cloudformation: Any, stack: str, events: Iterable[ResourceEvent]) -> list[Cause]:
    """Return what failed among the events of one operation, with what DescribeEvents adds to them (one call)."""
    events = list(events)
    if not any(event.failed or _rolls_back(event) for event in events):
        return []
    moments = [event.at for event in events]
    refused = refusals.of_operation(cloudformation, stack, events[0].stack, min(moments), max(moments))
    return find(events, [*refused, *refusals.of_hooks(events, refused)])


def causes_of_refusal(cloudformation: Any, change_set_id: str, stack: str, reason: str) -> list[Cause]:
    """Return what is refused in the stack's change set that failed for `reason` (one call)."""
    found = find((), refusals.of_change_set(cloudformation, change_set_id, stack))
    whole = Cause(stack, stack, STACK, "", REFUSED, reason, datetime.now(UTC), reasons.named_property(reason))
    return found or [whole]


def find(events: Iterable[ResourceEvent], refused: Sequence[Cause] = ()) -> list[Cause]:
    """Return the failures that follow from no other, the first one first, whatever the order of the events."""
    events = sorted(events, key=lambda event: (event.at, event.logical_id, event.status, event.reason))
    rollbacks = [event.at for event in events if _rolls_back(event)]
    found = [*_of_resources(events, min(rollbacks, default=None), _overcome(events, rollbacks)), *_of_stack(events)]
    # A pointer to the details, or the bare name of a hook, is worth something only where the details are missing.
    checks = [cause.check for cause in refused if cause.check]
    own = [
        cause
        for cause in found
        if not reasons.points_elsewhere(cause.reason) and not any(check in cause.reason for check in checks)
    ]
    told = sorted([*refused, *own] or found[:1], key=_first_things_first)
    unique: dict[tuple[str, ...], Cause] = {}
    for cause in told:
        unique.setdefault((cause.logical_id, cause.property_path, cause.reason, str(cause.rollback)), cause)
    return list(unique.values())


def _first_things_first(cause: Cause) -> tuple[bool, bool, datetime, str, str, str]:
    return (cause.rollback, not cause.reason, cause.at, cause.logical_id, cause.property_path, cause.reason)


def _overcome(events: Iterable[ResourceEvent], rollbacks: list[datetime]) -> datetime | None:
    """Return until when a rollback failed that was begun again: what stopped it then stops it no more.

    None where none was. https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html
    """
    ended = [event.at for event in events if _own(event) and event.status.endswith("ROLLBACK_FAILED")]
    return max((at for at in ended if rollbacks and at < max(rollbacks)), default=None)


def _of_resources(
    events: Iterable[ResourceEvent], rollback_began: datetime | None, overcome: datetime | None
) -> Iterator[Cause]:
    for event in events:
        if event.failed and not _own(event) and not reasons.follows(event.reason):
            rollback = rollback_began is not None and event.at > rollback_began
            if not rollback or overcome is None or event.at > overcome:
                yield _cause(event, rollback=rollback)


def _of_stack(events: list[ResourceEvent]) -> Iterator[Cause]:
    """Give what the stack itself failed of: a cancelled update, an alarm, a template error."""
    own = [event for event in events if _own(event)]
    begun = any(event.status in _BEGINS for event in own)
    first_rollback = next((event for event in own if _rolls_back(event)), None)
    for event in own:
        if event.reason and not reasons.follows(event.reason) and (event.failed or event is first_rollback):
            # "User Initiated" on a rollback: somebody cancelled the update, or began a rollback of its own.
            if event.reason == "User Initiated" and not begun:
                continue
            yield _cause(event, rollback=event.status.endswith("ROLLBACK_FAILED"))


def _cause(event: ResourceEvent, *, rollback: bool) -> Cause:
    return Cause(
        stack=event.stack,
        logical_id=event.logical_id,
        resource_type=event.resource_type,
        physical_id=event.physical_id,
        status=event.status,
        reason=event.reason,
        at=event.at,
        property_path=reasons.named_property(event.reason),
        rollback=rollback,
    )


def _own(event: ResourceEvent) -> bool:
    return event.resource_type == STACK and event.logical_id == event.stack


def _rolls_back(event: ResourceEvent) -> bool:
    return _own(event) and event.status in _ROLLS_BACK


def _last_operation(cloudformation: Any, stack: str) -> Iterator[ResourceEvent]:
    """Give the events of the last operation, newest first, with the rollback that belongs to it."""
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack):
        for raw in page["StackEvents"]:
            event = resource_event(raw)
            yield event
            if _own(event) and event.status in _BEGINS:
                return
