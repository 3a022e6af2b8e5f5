"""What `paycli bootstrap` does: plan what makes or updates the bootstrap stack, and carry that out."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from paycli.aws import Aws, Caller, check_caller
from paycli.deployment import bootstrap, stacks, states
from paycli.deployment.changeset import Change, ChangeSet
from paycli.environment import Environment
from paycli.progress import Report, Step
from paycli.stack.bootstrap import BOOTSTRAP_STACK, BOOTSTRAP_VERSION
from paycli.stack.rendering import to_json


@dataclass(frozen=True)
class Made:
    """The bootstrap stack that stands: its artifact bucket, and the version of its template."""

    bucket: str
    version: str


@dataclass(frozen=True)
class Plan:
    """What is to be done; `changes` is None where the stack has it all already."""

    environment: Environment
    caller: Caller
    stack: stacks.Stack | None  # None where it is created
    body: str
    changes: ChangeSet | None


def prepare(aws: Aws, environment: Environment, policy: states.Policy, report: Report) -> Plan:
    """Compare the stack with what this version of paycli makes.

    Raises PaycliError where the stack is in a state that needs a person, where it is somebody else's, or where its
    bucket is gone.
    """
    caller = check_caller(aws, environment)
    stack = bootstrap.standing(aws, environment, policy, report)
    if stack is None:
        body = to_json(bootstrap.wanted(aws, environment))
        return Plan(environment, caller, None, body, _told(json.loads(body), {}, creates=True))
    bucket = stack.outputs.get("ArtifactBucket")
    if bucket is None:
        raise bootstrap.unusable()
    # What is wanted is a bucket that answers: of one that was deleted, the stack itself knows nothing.
    aws.client("s3").list_objects_v2(Bucket=bucket, ExpectedBucketOwner=caller.account, MaxKeys=1)
    if _number(stack.outputs.get("BootstrapVersion", "")) > _number(BOOTSTRAP_VERSION):
        report(Step(f"{BOOTSTRAP_STACK} is of a newer paycli: it is left as it is."))
        return Plan(environment, caller, stack, "", None)
    found = aws.client("cloudformation").get_template(StackName=stack.stack_id)["TemplateBody"]  # boto3 has parsed it
    body = to_json(bootstrap.wanted(aws, environment, log_role="ApiGatewayLogRole" in found["Resources"]))
    wanted = json.loads(body)
    return Plan(environment, caller, stack, body, None if found == wanted else _told(wanted, found, creates=False))


def execute(aws: Aws, plan: Plan, report: Report) -> Made:
    """Make what was planned, follow it, and return what stands."""
    command = f"paycli bootstrap --env {plan.environment.name}"
    if plan.changes and plan.stack:
        bootstrap.update(aws, plan.environment, plan.stack.stack_id, plan.body, report, command=command)
    elif plan.changes:
        bootstrap.make(aws, plan.environment, report, command=command)
    stack = stacks.find(aws.client("cloudformation"), BOOTSTRAP_STACK)
    outputs = stack.outputs if stack else {}
    if "ArtifactBucket" not in outputs:
        raise bootstrap.unusable()
    return Made(outputs["ArtifactBucket"], outputs.get("BootstrapVersion", ""))


def _number(version: str) -> int:
    return int(version) if version.isdecimal() else 0


def _told(wanted: Mapping[str, Any], found: Mapping[str, Any], *, creates: bool) -> ChangeSet:
    """Return the changes as the templates tell them: CloudFormation isn't asked for a plan."""
    changes = tuple(_changes(wanted["Resources"], found.get("Resources", {})))
    return ChangeSet("", "", BOOTSTRAP_STACK, creates=creates, changes=changes)


def _changes(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Change]:
    for name, resource in {**found, **wanted}.items():
        action = "Remove" if name not in wanted else "Add" if name not in found else "Modify"
        if found.get(name) != wanted.get(name):
            yield Change(action, name, resource["Type"], "", ())
