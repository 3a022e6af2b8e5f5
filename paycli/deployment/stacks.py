"""What CloudFormation says of a stack."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paycli.errors import PaycliError


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

    @property
    def in_progress(self) -> bool:
        """Whether an operation runs on it."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


def find(cloudformation: Any, name: str) -> Stack | None:
    """Return the stack (one call), or None where there is none of that name."""
    from botocore.exceptions import ClientError

    try:
        found = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return Stack(
        name=found["StackName"],
        stack_id=found["StackId"],
        status=found["StackStatus"],
        outputs={entry["OutputKey"]: entry["OutputValue"] for entry in found.get("Outputs", [])},
        parameters={entry["ParameterKey"]: entry.get("ParameterValue", "") for entry in found.get("Parameters", [])},
        termination_protection=found.get("EnableTerminationProtection", False),
        tags={entry["Key"]: entry["Value"] for entry in found.get("Tags", [])},
    )


def check_ours(stack: Stack) -> None:
    """Raise PaycliError where the stack wasn't deployed by paycli: one of that name may be somebody else's."""
    if stack.tags.get("ManagedBy") != "paycli":
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
    said = error.response["Error"]
    return said["Code"] == "ValidationError" and "does not exist" in said["Message"]
