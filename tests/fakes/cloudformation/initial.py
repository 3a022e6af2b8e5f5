"""A stack that stands in some state from the start, with the history that usually leads there."""

import copy
import json
from collections.abc import Mapping
from graphlib import TopologicalSorter

from tests.fakes.cloudformation import states, templates
from tests.fakes.cloudformation.account import Standing
from tests.fakes.cloudformation.engine import Engine
from tests.fakes.cloudformation.model import Json, Resource, Stack
from tests.fakes.cloudformation.operations import read_outputs, value_of
from tests.fakes.cloudformation.updating import UpdateRollback

_NOTHING_LEFT = {"ROLLBACK_COMPLETE", "DELETE_COMPLETE"}
_FAILED = {
    "CREATE_FAILED": "CREATE_FAILED",
    "ROLLBACK_FAILED": "DELETE_FAILED",
    "DELETE_FAILED": "DELETE_FAILED",
    "UPDATE_FAILED": "UPDATE_FAILED",
    "UPDATE_ROLLBACK_FAILED": "UPDATE_FAILED",
}


def place(engine: Engine, stack: Stack, status: str, template: Json, failed: Mapping[str, str], lasts: float) -> None:
    """Bring a new stack to a state; `failed` has the resources it is about, `lasts` how long one in progress lasts."""
    engine.begin(stack, "CREATE_STACK", "")
    if status != "REVIEW_IN_PROGRESS":
        stack.now.template, stack.now.body = template, json.dumps(template)
        _furnish(engine, stack)
    for step in _way_to(status):
        _enter(engine, stack, step)
    for logical_id, reason in failed.items():
        resource = stack.resources[logical_id]
        resource.status, resource.reason = _FAILED[status], reason
    if status == "UPDATE_ROLLBACK_FAILED":
        UpdateRollback(engine, stack, stack.now.copy())
    elif stack.in_progress:
        engine.agenda.after(lasts, lambda: _finish(engine, stack))


def _way_to(status: str) -> list[str]:
    """Return the usual way: a stack that is deleted, imported into or updated was created first."""
    if not status.startswith(("DELETE", "IMPORT", "UPDATE")):
        return states.path("", status)
    return [*states.path("", "CREATE_COMPLETE"), *states.path("CREATE_COMPLETE", status)]


def _enter(engine: Engine, stack: Stack, status: str) -> None:
    if status.endswith("_COMPLETE") and not status.startswith(("ROLLBACK", "DELETE")):
        stack.now.outputs = read_outputs(engine, stack)
    if status in _NOTHING_LEFT:
        for resource in stack.resources.values():
            resource.status = "DELETE_COMPLETE"
        engine.account.resources = [one for one in engine.account.resources if one.stack_id != stack.stack_id]
    engine.set_stack(stack, status)


def _furnish(engine: Engine, stack: Stack) -> None:
    resources = stack.now.template["Resources"]
    for logical_id in TopologicalSorter(templates.needs(stack.now.template)).static_order():
        entry = resources[logical_id]
        properties = templates.resolve(
            entry.get("Properties", {}), lambda name, attribute: value_of(engine, stack, name, attribute)
        )
        resource = Resource(logical_id, entry["Type"], properties=properties, at=engine.now)
        resource.physical_id = engine.naming.physical_id(entry["Type"], stack.name, logical_id, properties)
        resource.status = "CREATE_COMPLETE"
        resource.deletion_policy = entry.get("DeletionPolicy", "Delete")
        resource.replace_policy = entry.get("UpdateReplacePolicy", "Delete")
        resource.metadata = entry.get("Metadata")
        stack.resources[logical_id] = resource
        standing = Standing(entry["Type"], resource.physical_id, copy.deepcopy(properties), stack.stack_id)
        engine.account.resources.append(standing)


def _finish(engine: Engine, stack: Stack) -> None:
    """Take an operation to the state of rest that it usually comes to."""
    while stack.in_progress:
        _enter(engine, stack, states.STACK[stack.status][0])
