"""Follow a stack operation by its events until the stack itself is done."""

import contextlib
import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from paycli.aws_errors import in_short, is_temporary
from paycli.deployment import stack_arn
from paycli.errors import PaycliError
from paycli.progress import Report, ResourceEvent, Step

T = TypeVar("T")

# Seconds between two looks, before chance adds up to a tenth: a stack that is done is seen within 2.2 s. The longer
# pauses are for the beginning, where calls would else come to more than one a second.
_SHORTEST, _LONGEST = 1.4, 2.0
_EMBEDDED = 0.1  # the embedded AWS is on this machine, and done at once
_SETTLE_SECONDS = 1.0
DEADLINE_SECONDS = 3600.0
DEADLINE_CODE = "deadline"  # of the error that it has passed
SILENCE_SECONDS = 300.0  # how long AWS may be out of reach


@dataclass(frozen=True)
class Finished:
    """How an operation ended: the stack's final status and every event of it, oldest first."""

    status: str
    events: tuple[ResourceEvent, ...]


def last_event(cloudformation: Any, stack_id: str) -> str:
    """Return the id of the newest event, or "" where none shows: what comes after it is of the next operation."""
    events = cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]
    return str(events[0]["EventId"]) if events else ""


def until_done(cloudformation: Any, stack_id: str, *, report: Report) -> Finished:
    """Follow the operation that runs now, from its beginning."""
    return follow(cloudformation, stack_id, after="", total=0, report=report)


def follow(
    cloudformation: Any,
    stack_id: str,
    *,
    after: str,
    total: int,
    report: Report,
    only: Collection[str] = (),
    deadline_seconds: float = DEADLINE_SECONDS,
) -> Finished:
    """Report each event after the event `after` until the stack is done: one call a tick.

    `only` are the logical IDs that change. AWS reports no others; of the embedded AWS, which has events of every
    resource in an update, no others are reported or counted, except where they fail.

    Without `after` the events begin where the operation that runs began. What is temporary (throttling, a network
    that is away, a proxy that answers in AWS's place) is waited out. Raises PaycliError when `deadline_seconds` pass
    first; the operation goes on without paycli.
    """
    began = time.monotonic()
    place = stack_arn.parse(stack_id)
    operation = _Operation(stack_id, total, report, only if place.emulated else ())
    look = _Reader(cloudformation, stack_id, report, after)
    with goes_on(place.name):
        while time.monotonic() - began < deadline_seconds:
            operation.take(look.fresh())
            if operation.status:
                if "COMPLETE" not in operation.status or "ROLLBACK" in operation.status:
                    time.sleep(_SETTLE_SECONDS)  # events may show late, and one of them is the cause
                    operation.take_late(look.missed())
                return Finished(operation.status, tuple(operation.events))
            # One call a second at most, counting the next look and the one that reads the outputs.
            earned = look.calls + 2 - (time.monotonic() - began)
            pause = _EMBEDDED if place.emulated else min(max(earned, _SHORTEST), _LONGEST)
            time.sleep(pause * random.uniform(1.0, 1.1))  # noqa: S311 - spreads the calls, guards nothing
    raise PaycliError(
        f"{place.name} isn't done after {deadline_seconds:.0f} s; CloudFormation goes on.",
        hint="Run the command again: it says how the stack stands.",
        code=DEADLINE_CODE,
    )


@contextlib.contextmanager
def goes_on(name: str) -> Iterator[None]:
    """Note on an interrupt that CloudFormation goes on with the stack of that name."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(f"CloudFormation goes on with what it has begun on {name}; the same command takes it up.")
        raise


def patiently(call: Callable[[], T], report: Report) -> T:
    """Return what a call of AWS answers; what is temporary is waited out, for `SILENCE_SECONDS` at most."""
    patience = _Patience(report)
    while True:
        try:
            answer = call()
        except Exception as error:
            if not patience.bears(error):
                raise
        else:
            patience.answered()
            return answer
        time.sleep(_SHORTEST)


class _Patience:
    """Bears AWS's silence: says when it begins and ends, and gives up after `SILENCE_SECONDS`."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._since: float | None = None

    def bears(self, error: Exception) -> bool:
        """Whether an error is to be waited out: it is temporary, and the silence hasn't lasted for too long."""
        if not is_temporary(error):
            return False
        now = time.monotonic()
        if self._since is None:
            self._since = now
            self._report(Step(f"AWS can't be asked now, and is asked again: {in_short(error)}"))
            return True
        return now - self._since <= SILENCE_SECONDS

    def answered(self) -> None:
        """Take note of an answer."""
        if self._since is not None:
            self._report(Step("AWS answers again."))
        self._since = None


class _Operation:
    """What is known of the operation that is followed; `status` is empty until the stack is done."""

    def __init__(self, stack_id: str, total: int, report: Report, only: Collection[str]) -> None:
        self._stack_id, self._total, self._report, self._only = stack_id, total, report, only
        self._finished: set[str] = set()
        self._begun = False
        self._ended_at = datetime.max.replace(tzinfo=UTC)
        self.events: list[ResourceEvent] = []
        self.status = ""

    def take(self, fresh: Iterable[dict[str, Any]]) -> None:
        """Report events, oldest first, up to the stack's first end: what comes after it is of the next operation."""
        for raw in fresh:
            own, ends = self._is_own(raw), _is_end(raw)
            if own and not ends and not self._begun:
                # An end before the beginning is that of the operation before, which has shown late.
                self._begun, self.status = True, ""
            if self.status:
                continue
            self._tell(raw)
            if own and ends:
                self.status, self._ended_at = raw["ResourceStatus"], raw["Timestamp"]

    def take_late(self, missed: Iterable[dict[str, Any]]) -> None:
        """Report what has shown only after the end, oldest first."""
        for raw in missed:
            if raw["Timestamp"] <= self._ended_at:
                self._tell(raw)

    def _is_own(self, raw: Mapping[str, Any]) -> bool:
        """Whether it is an event of the stack itself."""
        return bool(raw.get("PhysicalResourceId") == self._stack_id)

    def _tell(self, raw: Mapping[str, Any]) -> None:
        own, status = self._is_own(raw), raw["ResourceStatus"]
        told = own or not self._only or raw["LogicalResourceId"] in self._only or status.endswith("_FAILED")
        if told and not own and not status.endswith("_IN_PROGRESS"):
            self._finished.add(raw["LogicalResourceId"])
        done = len(self._finished)
        event = resource_event(raw, done=done, total=max(self._total, done))
        self.events.append(event)
        if told:
            self._report(event)


def _is_end(raw: Mapping[str, Any]) -> bool:
    """Whether an event of the stack itself ends the operation; a failed validation's rollback is yet to come."""
    return not raw["ResourceStatus"].endswith("_IN_PROGRESS") and raw.get("DetailedStatus") != "VALIDATION_FAILED"


def resource_event(raw: Mapping[str, Any], *, done: int = 0, total: int = 0) -> ResourceEvent:
    """Return an event of DescribeStackEvents as paycli's own.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html
    """
    refused = raw.get("HookStatus") == "HOOK_COMPLETE_FAILED" and raw.get("HookFailureMode") != "WARN"
    return ResourceEvent(
        stack=raw["StackName"],
        logical_id=raw["LogicalResourceId"],
        resource_type=raw["ResourceType"],
        status=raw["ResourceStatus"],
        reason=raw.get("ResourceStatusReason", ""),
        at=raw["Timestamp"],
        done=done,
        total=total,
        physical_id=raw.get("PhysicalResourceId", ""),
        hook=raw.get("HookType", "") if refused else "",
        hook_reason=raw.get("HookStatusReason", "") if refused else "",
    )


class _Reader:
    """Reads events, and waits where AWS can't be asked for a while.

    Without `after` it begins where the operation that runs, or has just ended, began. `calls` counts the pages it read.
    """

    def __init__(self, cloudformation: Any, stack_id: str, report: Report, after: str) -> None:
        self._cloudformation, self._stack_id = cloudformation, stack_id
        self._before = {after} - {""}  # where the operation before ended: nothing older is of this one
        self._known = set[str](self._before)
        self._patience = _Patience(report)
        self.calls = 0

    def fresh(self) -> list[dict[str, Any]]:
        """Return the events that weren't seen before, oldest first; none where AWS can't be asked now.

        One that shows late is found while it stands on the page of the newest, or by `missed`.
        """
        return self._taken(self._since(whole=False) if self._known else self._begun_last())

    def missed(self) -> list[dict[str, Any]]:
        """Return what `fresh` has not: late events of the whole operation."""
        return self._taken(self._since(whole=True))

    def _taken(self, events: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
        try:
            # An event that comes meanwhile moves the pages: the last of one is then the first of the next as well.
            found = {event["EventId"]: event for event in events if event["EventId"] not in self._known}
        except Exception as error:
            if self._patience.bears(error):
                return []
            error.add_note("CloudFormation goes on with what it has begun: the same command follows it again.")
            raise
        self._patience.answered()
        self._known |= found.keys()
        return list(found.values())[::-1]

    def _since(self, *, whole: bool) -> Iterator[dict[str, Any]]:
        """Give the events of the operation, newest first; to the end of a page with known ones unless `whole`."""
        for page in self._pages():
            for event in page:
                if event["EventId"] in self._before:
                    return
                yield event
            if not whole and any(event["EventId"] in self._known for event in page):
                return

    def _begun_last(self) -> Iterator[dict[str, Any]]:
        """Give the events of the operation that runs, or has just ended: back to where the one before it ended."""
        events = (event for page in self._pages() for event in page)
        for number, event in enumerate(events):
            own = event.get("PhysicalResourceId") == self._stack_id
            if number and own and _is_end(event):
                self._before = {event["EventId"]}
                return
            yield event

    def _pages(self) -> Iterator[list[dict[str, Any]]]:
        """Give the pages of events, newest first."""
        for page in self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=self._stack_id):
            self.calls += 1
            yield page["StackEvents"]
