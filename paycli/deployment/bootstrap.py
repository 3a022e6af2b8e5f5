"""The bootstrap stack: the artifact bucket of an account and region, and API Gateway's log role."""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from paycli.aws import Aws, Caller
from paycli.aws_errors import words
from paycli.deployment import failure, stacks, states
from paycli.deployment.follow import follow, last_event
from paycli.environment import Environment
from paycli.errors import PaycliError, not_deployed
from paycli.progress import Report, Step
from paycli.stack.bootstrap import BOOTSTRAP_STACK, build_bootstrap
from paycli.stack.rendering import to_json

if TYPE_CHECKING:
    from troposphere import Template


# What the requests that create and update the stack have in common.
_SAME = {"Capabilities": ["CAPABILITY_IAM"], "Tags": [{"Key": "ManagedBy", "Value": "paycli"}]}


# The bucket stays, but the next stack has another: nothing new belongs into it.
_GOING = frozenset({"DELETE_IN_PROGRESS", "DELETE_FAILED"})


def find_bucket(aws: Aws) -> str | None:
    """Return the artifact bucket, or None where no bootstrap stack names one (one call).

    It is used in any state of the stack: an update that runs, or got stuck, leaves the bucket where it is.
    """
    stack = stacks.find(aws.client("cloudformation"), BOOTSTRAP_STACK)
    return stack.outputs.get("ArtifactBucket") if stack else None


def demand_bucket(aws: Aws, environment: Environment) -> str:
    """Return the artifact bucket, or raise PaycliError where nothing was ever deployed."""
    bucket = find_bucket(aws)
    if bucket is None:
        raise not_deployed(environment.stack_name, environment.name)
    return bucket


def ensure_bucket(aws: Aws, environment: Environment, policy: states.Policy, report: Report) -> str:
    """Return the artifact bucket; the first deploy of an account and region makes it.

    Another deploy may be making it now: that one is waited for. What a failed create of it left is removed first, both
    as `policy` allows; after a delete that failed the bucket still has the records of every environment, and a person
    decides.
    """
    stack = stacks.find(aws.client("cloudformation"), BOOTSTRAP_STACK)
    if stack and "ArtifactBucket" in stack.outputs and stack.status not in _GOING:
        return stack.outputs["ArtifactBucket"]
    if standing(aws, environment, policy, report) is None:
        report(Step(f"Making {BOOTSTRAP_STACK}: the artifact bucket of this account and region, once"))
        make(aws, environment, report)
    bucket = find_bucket(aws)
    if bucket is None:
        raise unusable()
    return bucket


def standing(aws: Aws, environment: Environment, policy: states.Policy, report: Report) -> stacks.Stack | None:
    """Return the stack in a state that can be updated, or None where it is to be created."""
    target = states.Target(BOOTSTRAP_STACK, environment, removable=states.FAILED_CREATES)
    return states.bring_to_rest(aws.client("cloudformation"), target, policy, report)


def unusable() -> PaycliError:
    """Return the error of a stack that stands, and has no bucket."""
    return PaycliError(
        f"The stack {BOOTSTRAP_STACK} can't be used.",
        hint="Look at its events in the CloudFormation console; every environment of the account leans on it.",
        code="bootstrap_failed",
    )


def make(aws: Aws, environment: Environment, report: Report, *, command: str = "") -> None:
    """Create the stack and follow it; where another deploy has just begun that, follow that one's.

    `command` is what an error says to run again, where it isn't the deploy.
    """
    cloudformation = aws.client("cloudformation")
    template = wanted(aws, environment)
    stack_id = _create_or_join(cloudformation, to_json(template))
    finished = follow(cloudformation, stack_id, after="", total=len(template.resources), report=report)
    failure.demand(cloudformation, finished, "CREATE_COMPLETE", stack_id, environment, command=command)
    stacks.shown(cloudformation, stack_id, finished.status)


def update(aws: Aws, environment: Environment, stack_id: str, body: str, report: Report, *, command: str) -> None:
    """Give the stack another template, and follow that; `command` as in `make`."""
    from botocore.exceptions import ClientError

    cloudformation = aws.client("cloudformation")
    after = last_event(cloudformation, stack_id)
    try:
        cloudformation.update_stack(StackName=stack_id, TemplateBody=body, **_SAME, ClientRequestToken=str(uuid4()))
    except ClientError as error:
        if "No updates are to be performed" not in words(error):
            raise
        return  # a DeletionPolicy alone, say, is none to CloudFormation
    finished = follow(cloudformation, stack_id, after=after, total=0, report=report)
    failure.demand(cloudformation, finished, "UPDATE_COMPLETE", stack_id, environment, command=command)
    stacks.shown(cloudformation, stack_id, finished.status)


def wanted(aws: Aws, environment: Environment, *, log_role: bool = False) -> "Template":
    """Return the stack's template; `log_role` says that the stack has API Gateway's log role already.

    The setting is the account's: one that is there stays, whosever it is (one call).
    """
    embedded = environment.target == "embedded"
    missing = log_role or not aws.client("apigateway").get_account().get("cloudwatchRoleArn")
    return build_bootstrap(retain=not embedded, tls_only=not embedded, log_role=missing)


def _create_or_join(cloudformation: Any, template: str) -> str:
    """Begin the create; where another deploy has just begun it, return that one's stack."""
    try:
        answer = cloudformation.create_stack(StackName=BOOTSTRAP_STACK, TemplateBody=template, **_SAME)
    except cloudformation.exceptions.AlreadyExistsException:
        return str(cloudformation.describe_stacks(StackName=BOOTSTRAP_STACK)["Stacks"][0]["StackId"])
    return str(answer["StackId"])


def remove_bootstrap(aws: Aws, environment: Environment, caller: Caller, report: Report) -> None:
    """Delete the bootstrap stack and all artifacts; for the embedded AWS, where nothing else leans on them."""
    bucket = find_bucket(aws)
    if bucket is None:
        return
    report(Step(f"Removing {BOOTSTRAP_STACK} and its artifacts"))
    s3, cloudformation = aws.client("s3"), aws.client("cloudformation")
    place = {"Bucket": bucket, "ExpectedBucketOwner": caller.account}
    for page in s3.get_paginator("list_object_versions").paginate(**place):
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        for version in versions:
            s3.delete_object(**place, Key=version["Key"], VersionId=version["VersionId"])
    resources = cloudformation.describe_stack_resources(StackName=BOOTSTRAP_STACK)["StackResources"]
    stack_id = resources[0]["StackId"]
    after = last_event(cloudformation, stack_id)
    cloudformation.delete_stack(StackName=stack_id)
    finished = follow(cloudformation, stack_id, after=after, total=len(resources), report=report)
    failure.demand(cloudformation, finished, "DELETE_COMPLETE", stack_id, environment)
