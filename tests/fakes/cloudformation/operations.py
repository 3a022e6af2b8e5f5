"""What the operations on a stack share: who works when, what a reference means, what rollback triggers say."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.fakes.cloudformation import templates
from tests.fakes.cloudformation.engine import Engine
from tests.fakes.cloudformation.jobs import Job, Run
from tests.fakes.cloudformation.model import Json, Resource, Stack
from tests.fakes.cloudformation.resource_jobs import KEEPING, DeleteJob

_PSEUDO = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}


class Operation:
    """What is under way on a stack."""

    def __init__(self, engine: Engine, stack: Stack) -> None:
        self.engine = engine
        self.stack = stack
        self.run: Run | None = None
        stack.operation = self

    def interrupt(self) -> None:
        """Stop where it is: another operation takes over."""
        if self.run:
            self.run.cancel()

    def _watch(self, status: str, roll_back: Callable[[str], None]) -> None:
        """Look at the rollback triggers now, and each second until the stack leaves this status."""
        if self.stack.status != status or self.stack.operation is not self:
            return
        alarm = alarm_reason(self.engine, self.stack)
        if alarm:
            self.interrupt()
            roll_back(alarm)
        elif self.stack.rollback_configuration.get("RollbackTriggers"):
            self.engine.agenda.after(1.0, lambda: self._watch(status, roll_back))

    def _work(
        self,
        jobs: Iterable[Job],
        needs: Mapping[str, set[str]],
        then: Callable[[list[str]], None],
        *,
        halts: bool = False,
    ) -> None:
        self.run = Run(self.engine, self.stack, list(jobs), needs, halts, then)
        self.run.start()

    def _value(self, name: str, attribute: str) -> Any:
        return value_of(self.engine, self.stack, name, attribute)

    def _new(self, logical_id: str, entry: Json) -> Resource:
        resource = Resource(logical_id, entry["Type"])
        self.stack.resources[logical_id] = resource
        return resource

    def _deletes(self, resources: Iterable[Resource], phase: str, *, kept: Callable[[Resource], bool]) -> list[Job]:
        return [DeleteJob(self.engine, self.stack, one, phase, keeps=kept(one)) for one in resources]


def value_of(engine: Engine, stack: Stack, name: str, attribute: str) -> Any:
    """Return what a reference in the stack's template means."""
    pseudo = {
        **_PSEUDO,
        "AWS::Region": engine.region,
        "AWS::AccountId": engine.account_id,
        "AWS::StackName": stack.name,
        "AWS::StackId": stack.stack_id,
    }
    if name in pseudo:
        return pseudo[name]
    if name in stack.now.parameters:
        return stack.now.parameters[name]
    resource = stack.resources[name]
    if attribute:
        return engine.naming.attribute(resource.type, resource.physical_id, attribute)
    return resource.physical_id


def read_outputs(engine: Engine, stack: Stack) -> dict[str, str]:
    declared: Json = stack.now.template.get("Outputs", {})
    return {
        key: str(templates.resolve(entry["Value"], lambda name, attribute: value_of(engine, stack, name, attribute)))
        for key, entry in declared.items()
    }


def reversed_needs(needs: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return the order of a removal: what needs others goes before them."""
    return {one: {other for other, before in needs.items() if one in before} for one in needs}


def listed(logical_ids: Iterable[str]) -> str:
    return f"[{', '.join(logical_ids)}]"


def kept_by_policy(resource: Resource) -> bool:
    return resource.deletion_policy in KEEPING


def monitoring_seconds(stack: Stack) -> float:
    """Return how long the rollback triggers are watched after the last resource."""
    return float(stack.rollback_configuration.get("MonitoringTimeInMinutes", 0)) * 60


def alarm_reason(engine: Engine, stack: Stack) -> str:
    """Return why a rollback trigger ends the operation, or nothing."""
    for trigger in stack.rollback_configuration.get("RollbackTriggers", []):
        state = engine.account.alarm_state(trigger["Arn"].rpartition(":")[2])
        if state is None:
            return f"Rollback trigger {trigger['Arn']} does not exist. "
        if state == "ALARM":
            return f"Rollback trigger {trigger['Arn']} is in ALARM state. "
    return ""
