"""The commands that go on from a failure, with the options that its causes ask for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from paycli.deployment.failure.cause import Cause

if TYPE_CHECKING:
    from paycli.environment import Environment


def skips(causes: Sequence[Cause], status: str, stack: str, environment: "Environment") -> str:
    """Return the options with which a rollback goes on without what it hangs on.

    CloudFormation skips only what is in UPDATE_FAILED, and paycli only in the environment's own stack.
    """
    stuck = dict.fromkeys(cause.logical_id for cause in causes if cause.status == "UPDATE_FAILED")
    if status != "UPDATE_ROLLBACK_FAILED" or stack != environment.stack_name:
        return ""
    return " ".join(f"--skip {logical_id}" for logical_id in stuck)


def skippable(skips: str, environment: "Environment") -> list[str]:
    """Say how a rollback goes on without what can't be mended, and how without anything new."""
    if not skips:
        return []
    return [
        f"What can't be mended can stay as it is: paycli deploy --env {environment.name} {skips}",
        f"To go back only, and deploy nothing new: paycli rollback --env {environment.name}, with {skips} if need be",
    ]


def going_on(command: str, hangs: Sequence[Cause], skips: str, environment: "Environment") -> str:
    """Return the command that goes on; what is gone is made again by reverting drift, past a rollback that needs it."""
    gone = hangs and all(cause.explanation and cause.explanation.kind == "gone" for cause in hangs)
    if not gone or command != f"paycli deploy --env {environment.name}":
        return command
    return " ".join(filter(None, [command, skips, "--revert-drift"]))


def retainable(causes: Sequence[Cause], status: str, command: str) -> list[str]:
    """Say how a delete goes on without what can't be deleted; CloudFormation leaves only what is in DELETE_FAILED."""
    stuck = list(dict.fromkeys(cause.logical_id for cause in causes if cause.status == "DELETE_FAILED"))
    if status != "DELETE_FAILED" or not stuck:
        return []
    if command.startswith("paycli"):
        options = " ".join(f"--retain {logical_id}" for logical_id in stuck)
    else:  # CloudFormation's own command, of the bootstrap stack
        options = f"--retain-resources {' '.join(stuck)}"
    return [f"What can't be deleted can stay behind: {command} {options}"]
