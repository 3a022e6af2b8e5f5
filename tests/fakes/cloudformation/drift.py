"""Drift detection: what stands against what the last operation has set."""

from typing import Any

from tests.fakes.cloudformation.diff import text
from tests.fakes.cloudformation.engine import Engine
from tests.fakes.cloudformation.errors import ApiError
from tests.fakes.cloudformation.model import Json, Resource, Stack


class Detections:
    """The drift detections that were begun."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.begun: dict[str, tuple[Stack, float]] = {}  # id -> stack, when it is done

    def detect(self, stack: Stack) -> str:
        number = self.engine.naming.unique()
        seconds = self.engine.scenario.drift_seconds
        self.begun[number] = stack, self.engine.now + seconds
        self.engine.agenda.after(seconds, lambda: self._done(stack))
        return number

    def _done(self, stack: Stack) -> None:
        drifted = any(status(self.engine, one) in {"MODIFIED", "DELETED"} for one in _there(stack))
        stack.drift_status = "DRIFTED" if drifted else "IN_SYNC"
        stack.drift_checked_at = self.engine.now

    def describe(self, number: str) -> Json:
        if number not in self.begun:
            raise ApiError("ValidationError", f"Stack drift detection id {number} does not exist")
        stack, done = self.begun[number]
        said: Json = {"StackId": stack.stack_id, "StackDriftDetectionId": number, "Timestamp": self.engine.now}
        if self.engine.now < done:
            return {**said, "DetectionStatus": "DETECTION_IN_PROGRESS"}
        count = sum(status(self.engine, one) in {"MODIFIED", "DELETED"} for one in _there(stack))
        found = {"StackDriftStatus": stack.drift_status, "DriftedStackResourceCount": count}
        if reason := self.engine.scenario.drift_fails:
            return {**said, **found, "DetectionStatus": "DETECTION_FAILED", "DetectionStatusReason": reason}
        return {**said, **found, "DetectionStatus": "DETECTION_COMPLETE"}


def _there(stack: Stack) -> list[Resource]:
    return [one for one in stack.resources.values() if one.physical_id and not one.gone]


def status(engine: Engine, one: Resource) -> str:
    standing = engine.account.find(one.type, one.physical_id)
    if standing is None:
        return "DELETED"
    return "IN_SYNC" if standing.properties == one.properties else "MODIFIED"


def resource_drifts(engine: Engine, stack: Stack) -> list[Json]:
    """Return each resource's drift, as DescribeStackResourceDrifts shows it."""
    found = []
    for one in _there(stack):
        standing = engine.account.find(one.type, one.physical_id)
        shown: Json = {
            "StackId": stack.stack_id,
            "LogicalResourceId": one.logical_id,
            "PhysicalResourceId": one.physical_id,
            "ResourceType": one.type,
            "ExpectedProperties": text(one.properties),
            "StackResourceDriftStatus": status(engine, one),
            "Timestamp": stack.drift_checked_at or engine.now,
        }
        if standing:
            shown |= {
                "ActualProperties": text(standing.properties),
                "PropertyDifferences": list(_differences(one.properties, standing.properties)),
            }
        found.append(shown)
    return found


def _differences(expected: Json, actual: Json) -> list[Json]:
    differences = []
    for key in sorted(expected.keys() | actual.keys()):
        if expected.get(key) != actual.get(key):
            kind = "NOT_EQUAL" if key in expected and key in actual else "REMOVE" if key in expected else "ADD"
            before, after = _said(expected.get(key)), _said(actual.get(key))
            said = {"PropertyPath": f"/{key}", "ExpectedValue": before, "ActualValue": after, "DifferenceType": kind}
            differences.append(said)
    return differences


def _said(value: Any) -> str:
    return "null" if value is None else text(value)
