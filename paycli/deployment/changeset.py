"""Change sets: the plan of a deploy, as data."""

import contextlib
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from paycli.aws_errors import words
from paycli.deployment import failure, stacks
from paycli.deployment.readoption import Kept
from paycli.environment import Environment
from paycli.errors import PaycliError
from paycli.interruption import held
from paycli.stack.retention import DATA_TYPES

_DEADLINE_SECONDS = 300.0
# What CreateChangeSet says of a stack that another deploy has begun to change meanwhile.
_WORKING = re.compile(r"(?:while in status|is in) \[?(\w+_IN_PROGRESS)")
_VISIBLE_SECONDS = 10.0  # by then a new change set must show: CloudFormation's answers are eventually consistent


@dataclass(frozen=True)
class Cause:
    """A property or attribute that makes a change; `before` and `after` are empty where AWS doesn't tell them."""

    name: str
    before: str = ""
    after: str = ""
    drifted: bool = False  # changed by somebody outside CloudFormation
    recreates: bool = False  # it can only be changed by making the resource anew


@dataclass(frozen=True)
class Change:
    """What the change set will do to one resource."""

    action: str  # Add, Modify, Remove, Import, Dynamic, SyncWithActual
    logical_id: str
    resource_type: str
    replacement: str  # True, Conditional, False, or empty where the action isn't Modify
    causes: tuple[Cause, ...]
    physical_id: str = ""  # empty where it is only made
    deleted: bool = False  # past CloudFormation: it is made again

    @property
    def loses_data(self) -> bool:
        """Whether what holds data would be replaced or removed, or made again without what it held."""
        replaced = self.replacement == "True" or any(cause.recreates for cause in self.causes)
        return (self.action == "Remove" or replaced or self.deleted) and self.resource_type in DATA_TYPES


@dataclass(frozen=True)
class Wanted:
    """What a stack shall become. `template` is the request's TemplateBody, TemplateURL or UsePreviousTemplate."""

    template: Mapping[str, Any]
    parameters: Mapping[str, str]
    creates: bool
    description: str
    alarms: tuple[str, ...] = ()  # ARNs; one that goes off while the stack is updated rolls the update back
    revert_drift: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)  # of the stack and of all that takes any
    imports: tuple[Kept, ...] = ()  # what stands already becomes the stack's; then nothing else changes


@dataclass(frozen=True)
class ChangeSet:
    """A change set that can be executed."""

    change_set_id: str
    stack_id: str
    stack_name: str
    creates: bool
    changes: tuple[Change, ...]
    imports: bool = False  # it makes the stack of what stands already; an update adds the rest of `changes`


def create(cloudformation: Any, environment: Environment, wanted: Wanted) -> ChangeSet | None:
    """Make a change set and wait until CloudFormation has computed it.

    Returns None where nothing would change; that change set is deleted. Raises PaycliError where CloudFormation
    refuses the template.
    """
    request = _request(environment, wanted)
    made: dict[str, str] = {}
    try:
        made = _begin(cloudformation, request)
        described = describe(cloudformation, made["Id"])
        _demand_accepted(cloudformation, described, made, environment)
    except BaseException:  # interrupted as well: what was only a plan must not stay behind
        _take_back(cloudformation, request, made)
        raise
    if described["Status"] == "FAILED":
        discard(cloudformation, made["Id"], made["StackId"], creates=wanted.creates)
        return None
    return ChangeSet(
        change_set_id=made["Id"],
        stack_id=made["StackId"],
        stack_name=environment.stack_name,
        creates=wanted.creates,
        changes=changes(described),
        imports=bool(wanted.imports),
    )


def _begin(cloudformation: Any, request: Mapping[str, Any]) -> dict[str, str]:
    from botocore.exceptions import ClientError

    try:
        made: dict[str, str] = cloudformation.create_change_set(**request)
    except ClientError as error:
        if "already exists and cannot be created again" in words(error):
            raise stacks.busy(request["StackName"], "being created") from None
        if working := _WORKING.search(words(error)):
            raise stacks.busy(request["StackName"], working[1]) from None
        raise
    return made


def _take_back(cloudformation: Any, request: Mapping[str, Any], made: Mapping[str, str]) -> None:
    """Delete what may have been made, also where an interrupt or a lost reply hides its id.

    What fails here hides neither an interrupt nor the first error.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    creates = request["ChangeSetType"] != "UPDATE"
    with contextlib.suppress(BotoCoreError, ClientError):  # it was not made, or whatever failed before fails again
        if made:
            discard(cloudformation, made["Id"], made["StackId"], creates=creates)
            return
        cloudformation.delete_change_set(StackName=request["StackName"], ChangeSetName=request["ChangeSetName"])
        if creates:
            _delete_if_empty(cloudformation, request["StackName"], "")


def _request(environment: Environment, wanted: Wanted) -> dict[str, Any]:
    name = f"paycli-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    request: dict[str, Any] = {
        "StackName": environment.stack_name,
        "ChangeSetName": name,
        "ClientToken": name,  # the SDK may repeat a request whose reply was lost
        "Description": wanted.description[:1024],
        **wanted.template,
    }
    if wanted.imports:  # AWS refuses tags and a role here; parameters and capabilities the template has no use for
        resources = [one.request for one in wanted.imports]
        return {**request, "ChangeSetType": "IMPORT", "ResourcesToImport": resources}
    request |= {
        "ChangeSetType": "CREATE" if wanted.creates else "UPDATE",
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in wanted.parameters.items()],
        "Capabilities": ["CAPABILITY_IAM"],
        "Tags": [{"Key": key, "Value": value} for key, value in wanted.tags.items()],
    }
    if wanted.creates and environment.retain_data:  # what an earlier stack of this name has left, with its data
        request["ImportExistingResources"] = True
    if environment.cloudformation_role:
        request["RoleARN"] = environment.cloudformation_role
    if environment.deployment_mode == "express":  # the mode alone would turn rollback off
        request["DeploymentConfig"] = {"Mode": "EXPRESS", "DisableRollback": False}
    if not wanted.creates:
        request["RollbackConfiguration"] = _rollback_configuration(environment, wanted)
    if wanted.revert_drift:
        request["DeploymentMode"] = "REVERT_DRIFT"
    return request


def _rollback_configuration(environment: Environment, wanted: Wanted) -> dict[str, Any]:
    """Return which alarms roll the update back, also where none does.

    CloudFormation saves the triggers of a stack and applies them to every later update; only an empty list takes them
    away. Without triggers it would still wait for the monitoring time.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_RollbackConfiguration.html
    """
    return {
        "RollbackTriggers": [{"Arn": arn, "Type": "AWS::CloudWatch::Alarm"} for arn in wanted.alarms],
        "MonitoringTimeInMinutes": environment.rollback_monitoring_minutes if wanted.alarms else 0,
    }


def told(environment: Environment, types: Mapping[str, str], kept: Iterable[Kept] = ()) -> ChangeSet:
    """Return what creating the stack would do, from its resources alone (logical ID to type) and what was kept.

    CloudFormation hasn't been asked: there is nothing to execute, and nothing to discard.
    """
    imported = tuple(Change("Import", one.logical_id, one.resource_type, "", (), one.physical_id) for one in kept)
    known = ChangeSet("", "", environment.stack_name, creates=True, changes=imported, imports=bool(imported))
    return with_additions(known, types)


def with_additions(change_set: ChangeSet, types: Mapping[str, str]) -> ChangeSet:
    """Return the change set with what the template has besides (logical ID to type): it is added afterwards."""
    known = {change.logical_id for change in change_set.changes}
    added = (Change("Add", name, kind, "", ()) for name, kind in types.items() if name not in known)
    return replace(change_set, changes=tuple(sorted((*change_set.changes, *added), key=_destructive_first)))


def _demand_accepted(
    cloudformation: Any, described: Mapping[str, Any], made: Mapping[str, str], environment: Environment
) -> None:
    """Raise PaycliError where CloudFormation refuses the change set; asked before what it says of it is deleted."""
    reason = described.get("StatusReason", "")
    if described["Status"] == "FAILED" and not _says_no_changes(reason):
        raise failure.refused_change_set(cloudformation, made["Id"], made["StackId"], reason, environment)


def discard(cloudformation: Any, change_set_id: str, stack_id: str, *, creates: bool) -> None:
    """Delete a change set, and the empty stack (REVIEW_IN_PROGRESS) that one for a new stack leaves.

    Two creates share that stack, so it stays where another change set is there, or another deploy has executed one.
    """
    with held():
        cloudformation.delete_change_set(ChangeSetName=change_set_id)
        if creates:
            _delete_if_empty(cloudformation, stack_id, change_set_id)


def _delete_if_empty(cloudformation: Any, stack_id: str, change_set_id: str) -> None:
    stack = stacks.find(cloudformation, stack_id)
    if stack is None or not stack.empty:
        return
    others = cloudformation.list_change_sets(StackName=stack_id)["Summaries"]
    if all(other["ChangeSetId"] == change_set_id for other in others):
        cloudformation.delete_stack(StackName=stack_id)


def describe(cloudformation: Any, change_set_id: str) -> dict[str, Any]:
    """Return the description, with the changes of every page and their values, once the change set is computed.

    Raises PaycliError where somebody deletes it, or where it isn't computed after _DEADLINE_SECONDS.
    """
    began = time.monotonic()
    pause = 0.1
    while time.monotonic() - began < _DEADLINE_SECONDS:
        try:
            described: dict[str, Any] = cloudformation.describe_change_set(
                ChangeSetName=change_set_id, IncludePropertyValues=True
            )
        except cloudformation.exceptions.ChangeSetNotFoundException:
            if time.monotonic() - began > _VISIBLE_SECONDS:
                raise
            described = {"Status": "not visible yet"}
        if described["Status"] in {"CREATE_COMPLETE", "FAILED"}:
            changes = list(described.get("Changes", []))
            token = described.get("NextToken")
            while token:
                page = cloudformation.describe_change_set(
                    ChangeSetName=change_set_id, IncludePropertyValues=True, NextToken=token
                )
                changes += page["Changes"]
                token = page.get("NextToken")
            return {**described, "Changes": changes}
        if described["Status"].startswith("DELETE_"):
            said = f"The change set is {described['Status']}: somebody else has deleted it."
            raise PaycliError(said, hint="Plan again.", code="plan_outdated")
        time.sleep(pause)
        pause = min(pause * 1.6, 2.0)
    raise PaycliError("The change set isn't computed yet.", hint="Run the command again.", code="deadline")


def _says_no_changes(reason: str) -> bool:
    """CloudFormation has no status for an empty change set, only these two sentences."""
    return "didn't contain changes" in reason or "No updates are to be performed" in reason


def changes(described: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the changes of a described change set, destructive ones first."""
    entries = [entry["ResourceChange"] for entry in described["Changes"]]
    found = [
        Change(
            action=entry["Action"],
            logical_id=entry["LogicalResourceId"],
            resource_type=entry["ResourceType"],
            replacement=entry.get("Replacement", ""),
            causes=tuple(_causes(entry.get("Details", []))),
            physical_id=entry.get("PhysicalResourceId", ""),
            deleted=entry.get("ResourceDriftStatus") == "DELETED",
        )
        for entry in entries
    ]
    return tuple(sorted(found, key=_destructive_first))


def _causes(details: Iterable[Mapping[str, Any]]) -> Iterable[Cause]:
    """Give each property once: by its path and values where AWS tells them, else by its name.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceTargetDefinition.html
    """
    found: dict[str, Cause] = {}
    for detail in details:
        target = detail.get("Target", {})
        path = str(target.get("Path", "")).removeprefix("/Properties/").replace("/", ".")
        name = path or target.get("Name") or target.get("Attribute", "")
        drift = target.get("Drift")
        cause = Cause(
            name,
            target.get("BeforeValue") or "",
            target.get("AfterValue") or "",
            drifted=bool(drift),
            # A dynamic evaluation knows of a reference only, not that its value changes.
            recreates=target.get("RequiresRecreation") == "Always" and detail.get("Evaluation") == "Static",
        )
        # One with values says more than a second detail of the same property without.
        if name and (name not in found or not (found[name].before or found[name].after)):
            found[name] = cause
    return found.values()


def _destructive_first(change: Change) -> tuple[bool, int, str]:
    order = ["Remove", "Modify", "Import", "Add"]
    rank = order.index(change.action) if change.action in order else len(order)
    return (not change.loses_data, rank, change.logical_id)
