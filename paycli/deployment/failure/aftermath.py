"""What CloudFormation did about a failure, what state the stack is in, and what to run next for that state."""

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paycli.deployment.stack_arn import StackArn

if TYPE_CHECKING:
    from paycli.environment import Environment


@dataclass(frozen=True)
class Aftermath:
    """What was done, as a sentence, and the command that goes on from there (empty where none does)."""

    did: str
    next: str


_MIXED = "some resources are new, others old"
# By the stack's final status: what CloudFormation did, and what to run next.
_STATES = {
    "CREATE_FAILED": ("it stopped and left what it had made", "{remove} && {deploy}"),
    "ROLLBACK_COMPLETE": (
        "it took back what it had begun; the next deploy deletes the empty stack and makes it again",
        "{deploy}",
    ),
    "ROLLBACK_FAILED": ("it began to delete what it had made, and could not finish", "{remove} && {deploy}"),
    "UPDATE_FAILED": (f"it stopped in the middle: {_MIXED}; the next deploy offers to go back first", "{deploy}"),
    "UPDATE_ROLLBACK_COMPLETE": ("it went back to the previous version, which runs unchanged", "{deploy}"),
    "UPDATE_ROLLBACK_FAILED": (
        f"it began to go back to the previous version, and could not finish: {_MIXED}; the next deploy offers to go on",
        "{deploy}",
    ),
    "IMPORT_ROLLBACK_COMPLETE": ("it took back the import, and left everything as it was", "{deploy}"),
    "IMPORT_ROLLBACK_FAILED": ("it began to take back the import, and could not finish", "{remove} && {deploy}"),
    "DELETE_FAILED": ("it deleted what it could, and left the rest", "{remove}"),
    "DELETE_COMPLETE": ("somebody has deleted the stack meanwhile", "{deploy}"),
}


def aftermath(
    status: str, stack: StackArn, environment: "Environment", *, served: bool = True, command: str = ""
) -> Aftermath:
    """Return what a stack's final status says, and what to run next; the rest as in failure.demand."""
    did, following = _STATES.get(status, ("", ""))
    if status == "UPDATE_ROLLBACK_COMPLETE" and not served:
        did = "it took back what it had added to the kept data, of which nothing is lost; nothing serves yet"
    command = command or f"paycli deploy --env {environment.name}"
    words = {"stack": stack.name, "deploy": command, **_aws(stack, environment)}
    if stack.name == environment.stack_name:
        words["remove"] = f"paycli teardown --env {environment.name}"
    else:  # the bootstrap stack: no command of paycli's deletes it on AWS
        words["remove"] = "{aws} delete-stack --stack-name {stack}{where}".format(**words)
    said = f"What CloudFormation did: {did}. " if did else ""
    return Aftermath(f"{said}{stack.name} is now {status}.", following.format(**words))


def _aws(stack: StackArn, environment: "Environment") -> dict[str, str]:
    """Return the parts of an AWS CLI command that works where the stack is, and nowhere else."""
    if environment.target == "embedded":
        return {"aws": 'eval "$(paycli local env)" && aws cloudformation', "where": ""}
    profile = f" --profile {shlex.quote(environment.profile)}" if environment.profile else ""
    return {"aws": "aws cloudformation", "where": f" --region {stack.region}{profile}"}
