"""The one place that changes a status: it checks the transition, keeps the history and writes the event."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.fakes.cloudformation import states
from tests.fakes.cloudformation.account import Account
from tests.fakes.cloudformation.clock import Agenda, Clock
from tests.fakes.cloudformation.errors import ApiError, invalid, no_stack
from tests.fakes.cloudformation.model import ChangeSet, Event, Json, Moment, Resource, Stack
from tests.fakes.cloudformation.resource_types import Naming
from tests.fakes.cloudformation.scenario import Problem, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

STACK_TYPE = "AWS::CloudFormation::Stack"


class Engine:
    """All stacks of an account and region, and the time in which they change."""

    def __init__(self, clock: Clock, region: str, account_id: str, seed: int) -> None:
        chance = random.Random(seed)
        self.agenda = Agenda(clock)
        self.region = region
        self.account_id = account_id
        self.account = Account()
        self.naming = Naming(region, account_id, chance)
        self.scenario = Scenario(chance)
        self.stacks: list[Stack] = []
        self.has_objects: Callable[[str], bool] = lambda _bucket: False  # whether a bucket holds something

    @property
    def now(self) -> float:
        return self.agenda.now

    def advance(self) -> None:
        self.agenda.advance()
        self.account.settle(self.now)

    def new_stack(self, name: str) -> Stack:
        arn = f"arn:aws:cloudformation:{self.region}:{self.account_id}:stack/{name}/{self.naming.unique()}"
        stack = Stack(name, arn, self.now)
        self.stacks.append(stack)
        return stack

    def find(self, name: str) -> Stack | None:
        """Return the stack of an id, or the one of a name that isn't deleted."""
        for stack in reversed(self.stacks):
            if name == stack.stack_id or (name == stack.name and stack.status != "DELETE_COMPLETE"):
                return stack
        return None

    def demand(self, name: str) -> Stack:
        found = self.find(name)
        if found is None:
            raise no_stack(name)
        return found

    def begin(self, stack: Stack, operation_type: str, token: str) -> None:
        """Give the events that follow an operation of their own."""
        stack.operations.append((operation_type, self.naming.unique()))
        stack.token = token

    def set_stack(self, stack: Stack, status: str, reason: str = "") -> None:
        states.check(states.STACK, stack.name, stack.status, status)
        stack.status, stack.reason = status, reason
        stack.history.append(Moment(self.now, status, reason, dict(stack.outputs)))
        self._event(stack, stack.name, stack.stack_id, STACK_TYPE, status, reason)

    def announce_configured(self, stack: Stack) -> None:
        """Say that all resources of a create are configured: an event, no change of status."""
        reason = "Eventual consistency check initiated"
        self._event(
            stack, stack.name, stack.stack_id, STACK_TYPE, stack.status, reason, detailed="CONFIGURATION_COMPLETE"
        )

    def set_resource(self, stack: Stack, resource: Resource, status: str, reason: str = "", detailed: str = "") -> None:
        states.check(states.RESOURCE, f"{stack.name}/{resource.logical_id}", resource.status, status)
        resource.status, resource.reason, resource.at = status, reason, self.now
        self._event(stack, resource.logical_id, resource.physical_id, resource.type, status, reason, detailed=detailed)

    def report_problem(self, change_set: ChangeSet, problem: Problem) -> None:
        """Write the event of a failed validation; DescribeEvents has it, DescribeStackEvents hasn't."""
        entry: Json = change_set.template["Resources"].get(problem.logical_id, {})
        validation = {
            "ValidationFailureMode": problem.mode,
            "ValidationName": problem.name,
            "ValidationStatus": "FAILED",
            "ValidationStatusReason": problem.reason,
            "ValidationPath": problem.path or f"/Resources/{problem.logical_id}",
        }
        change_set.events.append(
            Event(
                self.naming.unique(),
                change_set.operation_id,
                "CREATE_CHANGESET",
                problem.logical_id,
                "",
                entry.get("Type", ""),
                self.now,
                self.now,
                "",
                "",
                "",
                event_type="VALIDATION_ERROR",
                validation=validation,
            )
        )

    def _event(
        self,
        stack: Stack,
        logical_id: str,
        physical_id: str,
        resource_type: str,
        status: str,
        reason: str,
        detailed: str = "",
    ) -> None:
        operation_type, operation_id = stack.operations[-1]
        own = resource_type == STACK_TYPE
        when = f"{datetime.fromtimestamp(self.now, UTC):%Y-%m-%dT%H:%M:%S}.{int(self.now * 1000) % 1000:03}Z"
        event = Event(
            event_id=self.naming.unique() if own else f"{logical_id}-{status}-{when}",
            operation_id=operation_id,
            operation_type=operation_type,
            logical_id=logical_id,
            physical_id=physical_id,
            type=resource_type,
            at=self.now,
            visible_at=self.now + self.scenario.event_delay(),
            status=status,
            reason=reason,
            token=stack.token,
            detailed_status=detailed,
            event_type=_event_type(status, own=own),
        )
        if any(event.event_id == other.event_id for other in stack.events[-10:]):
            event = replace(event, event_id=f"{event.event_id}-{len(stack.events)}")
        stack.events.append(event)


def _event_type(status: str, *, own: bool) -> str:
    if own:
        return "STACK_EVENT"
    return "PROVISIONING_ERROR" if status.endswith("_FAILED") else "PROGRESS_EVENT"


def demand_updatable(stack: Stack) -> None:
    """Raise ApiError where the stack's state allows no update."""
    if stack.status not in states.UPDATABLE:
        raise invalid(f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")


def is_repeated(stack: Stack, token: str, purpose: str) -> bool:
    """Whether the request was accepted before: it is answered, and not done again."""
    used = stack.tokens.get(token)
    if used and used != purpose:
        raise ApiError("TokenAlreadyExistsException", f"A client request token already exists: {token}")
    return used is not None


def accept(stack: Stack, token: str, purpose: str) -> None:
    """Remember the token of a request that is done now."""
    if token:
        stack.tokens[token] = purpose
