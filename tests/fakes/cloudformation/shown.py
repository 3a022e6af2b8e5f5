"""How stacks, events, resources and change sets look in an answer."""

from collections.abc import Mapping

from tests.fakes.cloudformation import change_sets, diff
from tests.fakes.cloudformation.model import ChangeSet, Event, Json, Moment, Resource, Stack


def stack(one: Stack, moment: Moment) -> Json:
    """Return a stack as it was at a moment."""
    shown: Json = {
        "StackId": one.stack_id,
        "StackName": one.name,
        "CreationTime": one.created_at,
        "StackStatus": moment.status,
        "DisableRollback": one.rollback_disabled,
        "NotificationARNs": [],
        "EnableTerminationProtection": one.termination_protection,
        "DriftInformation": _drift(one),
        "RollbackConfiguration": one.rollback_configuration,
        "Tags": pairs(one.now.tags, "Key", "Value"),
        "Capabilities": one.capabilities,
    }
    optional: Json = {
        "StackStatusReason": moment.reason,
        "ChangeSetId": one.change_set_id,
        "Description": one.now.template.get("Description"),
        "LastUpdatedTime": one.updated_at,
        "DeletionTime": one.deleted_at,
        "RoleARN": one.role_arn,
        "DeploymentConfig": one.deployment_config,
        "Parameters": pairs(one.now.parameters, "ParameterKey", "ParameterValue"),
        "Outputs": _outputs(one, moment),
        "LastOperations": [
            {"OperationType": kind, "OperationId": number} for kind, number in reversed(one.operations[-2:])
        ],
    }
    return {**shown, **{key: value for key, value in optional.items() if value}}


def _drift(one: Stack) -> Json:
    said: Json = {"StackDriftStatus": one.drift_status}
    return said if one.drift_checked_at is None else {**said, "LastCheckTimestamp": one.drift_checked_at}


def _outputs(one: Stack, moment: Moment) -> list[Json]:
    declared = one.now.template.get("Outputs", {})
    found = []
    for key, value in moment.outputs.items():
        output = {"OutputKey": key, "OutputValue": value}
        description = declared.get(key, {}).get("Description")
        found.append({**output, "Description": description} if description else output)
    return found


def pairs(values: Mapping[str, str], key: str, value: str) -> list[Json]:
    return [{key: name, value: said} for name, said in values.items()]


def event(one: Event, owner: Stack) -> Json:
    """Return an event as DescribeStackEvents shows it."""
    shown: Json = {
        "StackId": owner.stack_id,
        "EventId": one.event_id,
        "StackName": owner.name,
        "OperationId": one.operation_id,
        "LogicalResourceId": one.logical_id,
        "PhysicalResourceId": one.physical_id,
        "ResourceType": one.type,
        "Timestamp": one.at,
        "ResourceStatus": one.status,
    }
    optional = {
        "ResourceStatusReason": one.reason,
        "ClientRequestToken": one.token,
        "DetailedStatus": one.detailed_status,
    }
    return {**shown, **{key: value for key, value in optional.items() if value}}


def operation_event(one: Event, owner: Stack) -> Json:
    """Return an event as DescribeEvents shows it."""
    shown: Json = {
        "EventId": one.event_id,
        "StackId": owner.stack_id,
        "OperationId": one.operation_id,
        "OperationType": one.operation_type,
        "EventType": one.event_type,
        "LogicalResourceId": one.logical_id,
        "PhysicalResourceId": one.physical_id,
        "ResourceType": one.type,
        "Timestamp": one.at,
        **one.validation,
    }
    optional = {
        "ResourceStatus": one.status,
        "ResourceStatusReason": one.reason,
        "ClientRequestToken": one.token,
        "DetailedStatus": one.detailed_status,
    }
    return {**shown, **{key: value for key, value in optional.items() if value}}


def resource(one: Resource, when: str) -> Json:
    """Return a resource; `when` is the field of its time, which the two operations name differently."""
    shown: Json = {
        "LogicalResourceId": one.logical_id,
        "ResourceType": one.type,
        when: one.at,
        "ResourceStatus": one.status,
    }
    optional = {"PhysicalResourceId": one.physical_id, "ResourceStatusReason": one.reason}
    return {**shown, **{key: value for key, value in optional.items() if value}}


def change_set(one: ChangeSet, owner: Stack, *, values: bool) -> Json:
    """Return a change set with all its changes."""
    known = one.changes if one.status == "CREATE_COMPLETE" else []
    changes = [diff.described(change, values=values) for change in known]
    shown: Json = {
        **change_set_summary(one, owner),
        "Parameters": pairs(one.parameters, "ParameterKey", "ParameterValue"),
        "Changes": changes,
        "Tags": one.request.get("Tags", []),
        "Capabilities": one.request.get("Capabilities", []),
    }
    carried = ("RollbackConfiguration", "OnStackFailure", "DeploymentMode", "DeploymentConfig")
    shown |= {key: one.request[key] for key in carried if key in one.request}
    return {**shown, "StackDriftStatus": one.drift_status} if one.drift_status else shown


def change_set_summary(one: ChangeSet, owner: Stack) -> Json:
    shown: Json = {
        "ChangeSetName": one.name,
        "ChangeSetId": one.change_set_id,
        "StackId": owner.stack_id,
        "StackName": owner.name,
        "CreationTime": one.created_at,
        "ExecutionStatus": change_sets.finished(owner, one),
        "Status": one.status,
    }
    optional = {
        "StatusReason": one.reason,
        "Description": one.request.get("Description", ""),
        "ImportExistingResources": one.request.get("ImportExistingResources"),
    }
    return {**shown, **{key: value for key, value in optional.items() if value}}
