"""Take a stack down: say what goes and what stays, delete, follow, and list what is left."""

import shlex
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from paycli.aws import Aws
from paycli.aws_errors import in_short
from paycli.deployment import failure, follow, readoption, stacks, states, vaults
from paycli.environment import Environment
from paycli.errors import PaycliError, UsageError
from paycli.progress import Report, Step
from paycli.stack import build
from paycli.stack.rendering import as_dict
from paycli.stack.retention import DATA_TYPES, KEEPING_POLICIES


@dataclass(frozen=True)
class Resource:
    """A resource of the stack that is taken down."""

    logical_id: str
    physical_id: str
    resource_type: str
    reason: str = ""  # why an earlier delete has failed on it


@dataclass(frozen=True)
class TeardownPlan:
    """What a teardown deletes (`goes`) and leaves (`stays`)."""

    stack: stacks.Stack
    goes: tuple[Resource, ...]
    stays: tuple[Resource, ...]
    in_the_way: tuple[Resource, ...] = ()  # what an earlier delete has failed on


@dataclass(frozen=True)
class Leftover:
    """Something that outlives the stack, and the command that removes it."""

    resource: Resource
    command: str


def plan(aws: Aws, environment: Environment) -> TeardownPlan | None:
    """Return what a teardown would do, from the deployed template, or None where no stack stands."""
    cloudformation = aws.client("cloudformation")
    stack = stacks.find(cloudformation, environment.stack_name)
    if stack is None:
        return None
    if stack.in_progress and stack.status != _GOING:
        raise stacks.busy(stack.name, f"{stack.status}, {states.who_works(cloudformation, stack)}")
    if not stack.empty:  # a plan of paycli's leaves that one without tags
        stacks.check_ours(stack)
    summaries = stacks.resources(cloudformation, stack.stack_id)
    # boto3 has parsed the JSON that paycli sends.
    template = cloudformation.get_template(StackName=stack.stack_id)["TemplateBody"] if summaries else {}
    kept = _kept(template)
    failed = {one["LogicalResourceId"] for one in summaries if one["ResourceStatus"] == "DELETE_FAILED"}
    resources = [
        Resource(
            summary["LogicalResourceId"],
            summary.get("PhysicalResourceId", ""),
            summary["ResourceType"],
            summary.get("ResourceStatusReason", "") if summary["LogicalResourceId"] in failed else "",
        )
        for summary in summaries
        if summary["ResourceStatus"] != "DELETE_COMPLETE"
    ]
    resources.sort(key=lambda resource: resource.resource_type not in DATA_TYPES)  # what holds data comes first
    return TeardownPlan(
        stack,
        goes=tuple(resource for resource in resources if resource.logical_id not in kept),
        stays=tuple(resource for resource in resources if resource.logical_id in kept),
        in_the_way=tuple(resource for resource in resources if resource.logical_id in failed),
    )


def retaining(teardown: TeardownPlan, logical_ids: Collection[str]) -> TeardownPlan:
    """Return the plan that leaves what a delete has failed on: CloudFormation skips nothing else.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html
    """
    if teardown.stack.status == _GOING:  # by this very command, before it was cut off
        return teardown
    known = {resource.logical_id for resource in teardown.in_the_way}
    if unknown := sorted(set(logical_ids) - known):
        raise UsageError(
            f"The delete has not failed on {', '.join(unknown)}, so CloudFormation can't leave it.",
            hint=f"It has failed on: {', '.join(sorted(known))}." if known else "Run it without --retain first.",
            code="not_in_the_way",
        )
    left = tuple(resource for resource in teardown.goes if resource.logical_id in set(logical_ids))
    goes = tuple(resource for resource in teardown.goes if resource not in left)
    return replace(teardown, goes=goes, stays=(*teardown.stays, *left))


_TABLE_SECONDS = 300.0  # after which a table that is still being deleted is left to DynamoDB
# Somebody is at it already: a teardown follows that delete.
_GOING = "DELETE_IN_PROGRESS"


def _kept(template: Mapping[str, Any]) -> set[str]:
    return {
        logical_id
        for logical_id, resource in template.get("Resources", {}).items()
        if resource.get("DeletionPolicy") in KEEPING_POLICIES
    }


def begin(
    aws: Aws, environment: Environment, teardown: TeardownPlan, report: Report, *, unprotect: bool = False
) -> str | None:
    """Let CloudFormation begin to delete the stack; return the id of the last event before, or None where it is gone.

    `unprotect` lets it switch termination protection off; where no delete begins, that is on again.
    """
    cloudformation = aws.client("cloudformation")
    stack_id = teardown.stack.stack_id
    after = follow.last_event(cloudformation, stack_id)
    there = stacks.find(cloudformation, stack_id)  # somebody else's teardown may have been first
    request: dict[str, Any] = {"StackName": stack_id}
    if environment.cloudformation_role:
        request["RoleARN"] = environment.cloudformation_role
    if environment.deployment_mode == "express":
        request["DeploymentConfig"] = {"Mode": "EXPRESS"}
    left_behind = [one.logical_id for one in teardown.in_the_way if one in teardown.stays]
    if left_behind:
        request["RetainResources"] = left_behind
    if there is None or there.status == "DELETE_COMPLETE":
        return None
    if there.status != _GOING:
        _empty_vaults(aws, teardown, report)
        again = f"paycli teardown --env {environment.name}{' --disable-termination-protection' if unprotect else ''}"
        with failure.refusing(environment, again, unchanged=f"{there.name} stands."):
            _delete(cloudformation, request, unprotect=unprotect and there.termination_protection)
    return after


def finish(
    aws: Aws, environment: Environment, teardown: TeardownPlan, report: Report, *, after: str | None
) -> list[Leftover]:
    """Follow the delete that came after that event to its end, and return what is left."""
    cloudformation = aws.client("cloudformation")
    stack_id = teardown.stack.stack_id
    if after is not None:
        total = len(teardown.goes) + len(teardown.stays)
        finished = follow.follow(cloudformation, stack_id, after=after, total=total, report=report)
        failure.demand(cloudformation, finished, "DELETE_COMPLETE", stack_id, environment)
    if environment.deployment_mode == "express":
        _await_tables_gone(aws, teardown)
    left = (*teardown.stays, *_written_again(aws, teardown, report))
    return [Leftover(resource, _removal(resource, aws, environment)) for resource in left]


def kept_before(aws: Aws, environment: Environment) -> list[Leftover]:
    """Return what an earlier stack of the environment has kept, as far as its names tell and the caller may look."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        kept = readoption.find(aws, environment, as_dict(build(environment)))
    except (PaycliError, BotoCoreError, ClientError):
        return []
    left = (Resource(one.logical_id, one.physical_id, one.resource_type) for one in kept)
    return [Leftover(resource, _removal(resource, aws, environment)) for resource in left]


def _delete(cloudformation: Any, request: Mapping[str, Any], *, unprotect: bool) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    protection = partial(cloudformation.update_termination_protection, StackName=request["StackName"])
    off = sent = False
    try:
        if unprotect:
            protection(EnableTerminationProtection=False)
            off = True
        sent = True
        cloudformation.delete_stack(**request)
    except BaseException as error:
        if sent and isinstance(error, BotoCoreError):
            error.add_note("CloudFormation may have begun: the same command finds out, and goes on.")
        if off or (unprotect and not isinstance(error, ClientError)):
            try:
                protection(EnableTerminationProtection=True)
            except (BotoCoreError, ClientError):  # a stack that is being deleted takes none
                error.add_note("Where the stack stands, its termination protection is off: the next deploy sets it.")
        raise


def _empty_vaults(aws: Aws, teardown: TeardownPlan, report: Report) -> None:
    """Delete what the vaults that go hold: AWS Backup deletes only an empty one."""
    for resource in teardown.goes:
        if resource.resource_type == "AWS::Backup::BackupVault":
            vaults.empty(aws.client("backup"), resource.physical_id, report)


def _await_tables_gone(aws: Aws, teardown: TeardownPlan) -> None:
    """Wait for what express mode only began to delete: a deploy right after would find the name taken.

    One of that name that isn't being deleted is another's, of a deploy that has waited for this teardown.
    """
    dynamodb = aws.client("dynamodb")
    deadline = time.monotonic() + _TABLE_SECONDS
    for resource in teardown.goes:
        if resource.resource_type == "AWS::DynamoDB::Table":
            while _is_leaving(dynamodb, resource.physical_id) and time.monotonic() < deadline:
                time.sleep(2)


def _is_leaving(dynamodb: Any, table: str) -> bool:
    try:
        return bool(dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] == "DELETING")
    except dynamodb.exceptions.ResourceNotFoundException:
        return False


def _written_again(aws: Aws, teardown: TeardownPlan, report: Report) -> list[Resource]:
    """Return the deleted log groups that are there again: a function's last lines can come after the delete."""
    from botocore.exceptions import BotoCoreError, ClientError

    gone = [resource for resource in teardown.goes if resource.resource_type == "AWS::Logs::LogGroup"]
    try:
        return [resource for resource in gone if _is_there(aws.client("logs"), resource.physical_id)]
    except (BotoCoreError, ClientError) as error:
        report(Step(f"Whether a log group was written to again, and is left, can't be told: {in_short(error)}"))
        return []


def _is_there(logs: Any, name: str) -> bool:
    groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return any(group["logGroupName"] == name for group in groups)


# Recovery points go one by one; AWS Backup takes a while to delete them, and only then the vault can go.
_EMPTY_VAULT = (
    "aws backup list-recovery-points-by-backup-vault --backup-vault-name {0}"
    " --query 'RecoveryPoints[].[RecoveryPointArn]' --output text{1}"
    " | xargs -r -n 1 aws backup delete-recovery-point --backup-vault-name {0}{1} --recovery-point-arn"
)
# What removes each type that a teardown can leave: {0} is its physical id, {1} says where it is.
_REMOVALS = {
    "AWS::Backup::BackupVault": (
        "aws backup delete-backup-vault-lock-configuration --backup-vault-name {0}{1}",
        _EMPTY_VAULT,
        "aws backup delete-backup-vault --backup-vault-name {0}{1}",
    ),
    "AWS::DynamoDB::Table": (
        "aws dynamodb update-table --table-name {0} --no-deletion-protection-enabled{1}",
        "aws dynamodb delete-table --table-name {0}{1}",
    ),
    "AWS::KMS::Key": ("aws kms schedule-key-deletion --key-id {0} --pending-window-in-days 7{1}",),
    "AWS::SQS::Queue": ("aws sqs delete-queue --queue-url {0}{1}",),
    "AWS::Logs::LogGroup": ("aws logs delete-log-group --log-group-name {0}{1}",),
}


def _removal(resource: Resource, aws: Aws, environment: Environment) -> str:
    """Return the command that removes a resource, from the region and with the profile that made it."""
    where = f" --region {aws.region}"
    where += f" --profile {shlex.quote(environment.profile)}" if environment.profile else ""
    where += f" --endpoint-url {aws.endpoint_url}" if aws.endpoint_url else ""
    commands = _REMOVALS.get(resource.resource_type, ("# see the console: {0}",))
    return " && ".join(command.format(shlex.quote(resource.physical_id), where) for command in commands)


def last_of_embedded(aws: Aws) -> bool:
    """Whether no stack but the bootstrap is left."""
    from paycli.stack.bootstrap import BOOTSTRAP_STACK

    pages = aws.client("cloudformation").get_paginator("describe_stacks").paginate()
    names = {
        stack["StackName"] for page in pages for stack in page["Stacks"] if stack["StackStatus"] != "DELETE_COMPLETE"
    }
    return names <= {BOOTSTRAP_STACK}
