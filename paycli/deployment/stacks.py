"""What CloudFormation says of a stack."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from paycli.aws_errors import words
from paycli.errors import PaycliError

# By then DescribeStacks must tell what the events have told: its answers are eventually consistent.
_VISIBLE_SECONDS = 15.0
_OURS = "Built by paycli."  # how the description of every template ends
_PAUSE = 0.5  # seconds between two looks


@dataclass(frozen=True)
class Stack:
    """A stack as DescribeStacks shows it."""

    name: str
    stack_id: str
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    termination_protection: bool
    tags: Mapping[str, str]
    change_set_id: str = ""  # the one that was executed last
    changed_at: datetime | None = None  # when the last operation began
    description: str = ""  # its template's

    @property
    def empty(self) -> bool:
        """Whether it is only the place that a plan for a new stack has made."""
        return self.status == "REVIEW_IN_PROGRESS"

    @property
    def holds_only_data(self) -> bool:
        """Whether it was made by an import, and nothing was added yet: then nothing of it serves."""
        return not (self.empty or self.parameters or self.outputs) and self.description.endswith(_OURS)

    @property
    def serves(self) -> bool:
        """Whether a version runs on it: its create succeeded, and no delete of it has begun."""
        came_up = self.status.startswith(("CREATE_COMPLETE", "UPDATE_", "IMPORT_"))
        return came_up and not self.holds_only_data

    @property
    def in_progress(self) -> bool:
        """Whether an operation runs on it."""
        return self.status.endswith("_IN_PROGRESS") and not self.empty


def find(cloudformation: Any, name: str) -> Stack | None:
    """Return the stack (one call), or None where there is none of that name."""
    found = describe(cloudformation, name)
    return parsed(found) if found else None


def describe(cloudformation: Any, name: str) -> dict[str, Any] | None:
    """Return all that DescribeStacks says of a stack (one call), or None where there is none of that name."""
    from botocore.exceptions import ClientError

    try:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return found


def resources(cloudformation: Any, stack_id: str) -> list[dict[str, Any]]:
    """Return the summary of each of a stack's resources, as ListStackResources has it."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_id)
    return [summary for page in pages for summary in page["StackResourceSummaries"]]


def shown(cloudformation: Any, stack_id: str, ended: str) -> Stack | None:
    """Return the stack once DescribeStacks tells what the events have told: that its operation has ended as `ended`.

    After _VISIBLE_SECONDS it is returned as it is: by then something else has begun.
    """
    deadline = time.monotonic() + _VISIBLE_SECONDS
    while True:
        stack = find(cloudformation, stack_id)
        if (stack.status if stack else "DELETE_COMPLETE") == ended or time.monotonic() > deadline:
            return stack
        time.sleep(_PAUSE)


def parsed(found: Mapping[str, Any]) -> Stack:
    """Return the stack that DescribeStacks describes."""
    return Stack(
        name=found["StackName"],
        stack_id=found["StackId"],
        status=found["StackStatus"],
        outputs={entry["OutputKey"]: entry["OutputValue"] for entry in found.get("Outputs", [])},
        parameters={entry["ParameterKey"]: entry.get("ParameterValue", "") for entry in found.get("Parameters", [])},
        termination_protection=found.get("EnableTerminationProtection", False),
        tags={entry["Key"]: entry["Value"] for entry in found.get("Tags", [])},
        change_set_id=found.get("ChangeSetId", ""),
        changed_at=found.get("LastUpdatedTime") or found.get("CreationTime"),
        description=found.get("Description", ""),
    )


def check_ours(stack: Stack) -> None:
    """Raise PaycliError where the stack wasn't deployed by paycli: one of that name may be somebody else's.

    An import can't give a stack tags.
    """
    if stack.tags.get("ManagedBy") != "paycli" and not stack.holds_only_data:
        raise PaycliError(
            f"{stack.name} was not deployed by paycli (it lacks the tag ManagedBy=paycli); it is left alone.",
            hint="Choose another environment name, or look at the stack in the CloudFormation console.",
            code="foreign_stack",
        )


def busy(name: str, what: str) -> PaycliError:
    """Return the error of a stack that somebody else works on."""
    return PaycliError(
        f"{name} is {what}: something else works on it.",
        hint="Wait until it is done, then run the command again.",
        code="in_progress",
    )


def is_missing(error: Any) -> bool:
    """Whether an error of CloudFormation says that the stack doesn't exist (it has no code of its own)."""
    return error.response["Error"]["Code"] == "ValidationError" and "does not exist" in words(error)
