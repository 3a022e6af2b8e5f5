"""The commands that go on from a failure, with the options that its causes ask for."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from paycli.deployment.failure.cause import Cause

if TYPE_CHECKING:
    from paycli.environment import Environment


# Nothing brings back what these held: they are made again empty.
_EMPTY_AGAIN = frozenset({"AWS::SQS::Queue", "AWS::Logs::LogGroup"})


def skippable(causes: Sequence[Cause], status: str, stack: str, environment: "Environment") -> list[str]:
    """Say how a rollback goes on without what can't be mended, and how without anything new."""
    options = _skips(cause for cause in _stuck(causes, status, stack, environment) if _kind(cause) != "table_gone")
    if not options:
        return []
    return [
        f"What can't be mended can stay as it is: paycli deploy --env {environment.name} {options}",
        f"To go back only, and deploy nothing new: paycli rollback --env {environment.name}",
        f"Both, without what can't be mended: paycli rollback --env {environment.name} {options}",
    ]


def going_on(command: str, hangs: Sequence[Cause], status: str, stack: str, environment: "Environment") -> str:
    """Return the command that goes on; what is gone is made again by reverting drift, past a rollback that needs it."""
    gone = [cause for cause in hangs if _kind(cause) == "gone"]
    skip = _skips(cause for cause in _stuck(gone, status, stack, environment))
    if gone and command == f"paycli deploy --env {environment.name}":
        empty = dict.fromkeys(cause.logical_id for cause in gone if cause.resource_type in _EMPTY_AGAIN)
        return " ".join(filter(None, [command, skip, "--revert-drift", *(f"--allow-remove {one}" for one in empty)]))
    if command.startswith("paycli rollback"):
        return f"{command} {skip}".rstrip()
    return command


def _stuck(causes: Iterable[Cause], status: str, stack: str, environment: "Environment") -> list[Cause]:
    """Return what a rollback hangs on and can go on without.

    CloudFormation skips only what is in UPDATE_FAILED, and paycli only in the environment's own stack.
    """
    if status != "UPDATE_ROLLBACK_FAILED" or stack != environment.stack_name:
        return []
    return [cause for cause in causes if cause.rollback and cause.status == "UPDATE_FAILED"]


def _skips(causes: Iterable[Cause]) -> str:
    return " ".join(f"--skip {one}" for one in dict.fromkeys(cause.logical_id for cause in causes))


def _kind(cause: Cause) -> str:
    return cause.explanation.kind if cause.explanation else ""


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
