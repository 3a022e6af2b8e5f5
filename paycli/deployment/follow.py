"""Follow a stack operation by its events until the stack itself is done."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from paycli.errors import PaycliError
from paycli.progress import Report, ResourceEvent

_FASTEST, _SLOWEST = 0.25, 2.0  # seconds between two looks
DEADLINE_SECONDS = 3600.0


@dataclass(frozen=True)
class Finished:
    """How an operation ended: the stack's final status and every event of it, oldest first."""

    status: str
    events: tuple[ResourceEvent, ...]


def last_event(cloudformation: Any, stack_id: str) -> str:
    """Return the id of the newest event: what comes after it belongs to the next operation."""
    return str(cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"][0]["EventId"])


def follow(
    cloudformation: Any,
    stack_id: str,
    *,
    after: str,
    total: int,
    report: Report,
    deadline_seconds: float = DEADLINE_SECONDS,
) -> Finished:
    """Report each event after the event `after` until the stack is done: one call a tick.

    Raises PaycliError when `deadline_seconds` pass first; the operation goes on without paycli.
    """
    deadline = time.monotonic() + deadline_seconds
    events: list[ResourceEvent] = []
    finished: set[str] = set()
    pause = _FASTEST
    while time.monotonic() < deadline:
        fresh = list(_events_after(cloudformation, stack_id, after))
        for raw in reversed(fresh):
            own = raw.get("PhysicalResourceId") == stack_id
            status = raw["ResourceStatus"]
            if not own and not status.endswith("_IN_PROGRESS"):
                finished.add(raw["LogicalResourceId"])
            event = ResourceEvent(
                stack=raw["StackName"],
                logical_id=raw["LogicalResourceId"],
                resource_type=raw["ResourceType"],
                status=status,
                reason=raw.get("ResourceStatusReason", ""),
                at=raw["Timestamp"],
                done=len(finished),
                total=max(total, len(finished)),
            )
            events.append(event)
            report(event)
            if own and not status.endswith("_IN_PROGRESS"):
                return Finished(status, tuple(events))
        if fresh:
            after, pause = fresh[0]["EventId"], _FASTEST
        time.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads the calls, guards nothing
        pause = min(pause * 1.5, _SLOWEST)
    raise PaycliError(
        f"{stack_id.split('/')[1]} isn't done after {deadline_seconds:.0f} s; CloudFormation goes on.",
        hint="Run the command again: it says how the stack stands.",
        code="deadline",
    )


def _events_after(cloudformation: Any, stack_id: str, known: str) -> Iterator[dict[str, Any]]:
    """Give the events that are newer than `known`, newest first as CloudFormation lists them."""
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id):
        for event in page["StackEvents"]:
            if event["EventId"] == known:
                return
            yield event
