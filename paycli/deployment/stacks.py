"""What CloudFormation says of a stack."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Stack:
    """A stack as DescribeStacks shows it."""

    name: str
    stack_id: str
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    termination_protection: bool

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
    )


def is_missing(error: Any) -> bool:
    """Whether an error of CloudFormation says that the stack doesn't exist (it has no code of its own)."""
    said = error.response["Error"]
    return said["Code"] == "ValidationError" and "does not exist" in said["Message"]
