"""Change sets: the plan of a deploy, as data."""

import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from paycli.deployment import stacks
from paycli.environment import Environment
from paycli.errors import PaycliError
from paycli.stack.retention import DATA_TYPES

_DEADLINE_SECONDS = 300.0


@dataclass(frozen=True)
class Change:
    """What the change set will do to one resource."""

    action: str  # Add, Modify, Remove, Import, Dynamic
    logical_id: str
    resource_type: str
    replacement: str  # True, Conditional, False, or empty where the action isn't Modify
    causes: tuple[str, ...]  # the properties that make it

    @property
    def loses_data(self) -> bool:
        """Whether what holds data would be replaced or removed."""
        # Conditional isn't counted: what has a fixed name is never replaced, CloudFormation refuses it.
        gone = self.action == "Remove" or self.replacement == "True"
        return gone and self.resource_type in DATA_TYPES


@dataclass(frozen=True)
class ChangeSet:
    """A change set that can be executed."""

    change_set_id: str
    stack_id: str
    stack_name: str
    creates: bool
    changes: tuple[Change, ...]


def create(
    cloudformation: Any,
    environment: Environment,
    *,
    template: Mapping[str, str],
    parameters: Mapping[str, str],
    creates: bool,
    description: str,
) -> ChangeSet | None:
    """Make a change set and wait until CloudFormation has computed it.

    `template` is the request's TemplateBody or TemplateURL. Returns None where nothing would change;
    that change set is deleted. Raises PaycliError where CloudFormation refuses the template.
    """
    request: dict[str, Any] = {
        "StackName": environment.stack_name,
        "ChangeSetName": f"paycli-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}",
        "ChangeSetType": "CREATE" if creates else "UPDATE",
        "Description": description[:1024],
        **template,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM"],
        "Tags": [{"Key": key, "Value": value} for key, value in environment.all_tags.items()],
    }
    if creates and environment.retain_data:  # what an earlier stack of this name has left, with its data
        request["ImportExistingResources"] = True
    if environment.cloudformation_role:
        request["RoleARN"] = environment.cloudformation_role
    if environment.deployment_mode == "express":  # the mode alone would turn rollback off
        request["DeploymentConfig"] = {"Mode": "EXPRESS", "DisableRollback": False}
    try:
        made = cloudformation.create_change_set(**request)
    except cloudformation.exceptions.AlreadyExistsException:
        raise stacks.busy(environment.stack_name, "being created") from None
    try:
        described = _await_computed(cloudformation, made["Id"])
    except BaseException:  # interrupted as well: what was only a plan must not stay behind
        discard(cloudformation, made["Id"], made["StackId"], creates=creates)
        raise
    if described["Status"] == "FAILED":
        discard(cloudformation, made["Id"], made["StackId"], creates=creates)
        if _says_no_changes(described.get("StatusReason", "")):
            return None
        raise PaycliError(
            f"CloudFormation refuses the change set: {described.get('StatusReason', 'it gives no reason')}",
            hint="Nothing was changed.",
            code="change_set_failed",
        )
    return ChangeSet(
        change_set_id=made["Id"],
        stack_id=made["StackId"],
        stack_name=environment.stack_name,
        creates=creates,
        changes=tuple(sorted(_changes(described["Changes"]), key=_destructive_first)),
    )


def told(environment: Environment, types: Mapping[str, str]) -> ChangeSet:
    """Return what creating the stack would do, from its resources alone (logical ID to type).

    CloudFormation hasn't been asked: there is nothing to execute, and nothing to discard.
    """
    added = tuple(
        Change("Add", logical_id, resource_type, "", ()) for logical_id, resource_type in sorted(types.items())
    )
    return ChangeSet("", "", environment.stack_name, creates=True, changes=added)


def discard(cloudformation: Any, change_set_id: str, stack_id: str, *, creates: bool) -> None:
    """Delete a change set, and the empty stack (REVIEW_IN_PROGRESS) that one for a new stack leaves.

    Two creates share that stack, so it stays where another change set is there, or another deploy has executed one.
    """
    cloudformation.delete_change_set(ChangeSetName=change_set_id)
    stack = stacks.find(cloudformation, stack_id) if creates else None
    if stack is None or stack.status != "REVIEW_IN_PROGRESS":
        return
    others = cloudformation.list_change_sets(StackName=stack_id)["Summaries"]
    if all(other["ChangeSetId"] == change_set_id for other in others):
        cloudformation.delete_stack(StackName=stack_id)


def _await_computed(cloudformation: Any, change_set_id: str) -> dict[str, Any]:
    """Return the description, with the changes of every page, once the change set is computed."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    pause = 0.1
    while time.monotonic() < deadline:
        described: dict[str, Any] = cloudformation.describe_change_set(ChangeSetName=change_set_id)
        if described["Status"] in {"CREATE_COMPLETE", "FAILED"}:
            changes = list(described.get("Changes", []))
            token = described.get("NextToken")
            while token:
                page = cloudformation.describe_change_set(ChangeSetName=change_set_id, NextToken=token)
                changes += page["Changes"]
                token = page.get("NextToken")
            return {**described, "Changes": changes}
        time.sleep(pause)
        pause = min(pause * 1.6, 2.0)
    raise PaycliError("The change set isn't computed yet.", hint="Run the command again.", code="deadline")


def _says_no_changes(reason: str) -> bool:
    """CloudFormation has no status for an empty change set, only these two sentences."""
    return "didn't contain changes" in reason or "No updates are to be performed" in reason


def _changes(raw: Iterable[Mapping[str, Any]]) -> Iterable[Change]:
    for entry in raw:
        change = entry["ResourceChange"]
        targets = [detail.get("Target", {}) for detail in change.get("Details", [])]
        causes = [target.get("Name") or target.get("Attribute", "") for target in targets]
        yield Change(
            action=change["Action"],
            logical_id=change["LogicalResourceId"],
            resource_type=change["ResourceType"],
            replacement=change.get("Replacement", ""),
            causes=tuple(dict.fromkeys(cause for cause in causes if cause)),
        )


def _destructive_first(change: Change) -> tuple[bool, int, str]:
    order = ["Remove", "Modify", "Import", "Add"]
    rank = order.index(change.action) if change.action in order else len(order)
    return (not change.loses_data, rank, change.logical_id)
