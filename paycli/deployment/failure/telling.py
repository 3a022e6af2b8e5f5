"""The error of an operation that failed: root cause first, then what CloudFormation did about it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from paycli.deployment import stack_arn
from paycli.deployment.failure import report
from paycli.deployment.failure.aftermath import aftermath
from paycli.deployment.failure.cause import Cause
from paycli.deployment.failure.causes import causes_of_refusal, failures
from paycli.deployment.failure.explanations import Explanation
from paycli.errors import PaycliError

if TYPE_CHECKING:
    from paycli.deployment.follow import Finished
    from paycli.environment import Environment


def failed(
    cloudformation: Any,
    finished: "Finished",
    stack_id: str,
    environment: "Environment",
    *,
    served: bool,
    command: str,
) -> PaycliError:
    """Return the error of an operation that has `finished` otherwise than wanted; the rest as in `failure.demand`."""
    stack = stack_arn.parse(stack_id)
    found = failures(cloudformation, stack_id, finished.events)
    own = [cause for cause in found if not cause.rollback]
    of_rollback = [cause for cause in found if cause.rollback]
    after = aftermath(finished.status, stack, environment, served=served, command=command)
    # While a rollback hangs, what stops it is what has to be mended first.
    lifted = _explanation(of_rollback if finished.status.endswith("ROLLBACK_FAILED") else own)
    # A rollback that was begun anew has no other causes than its own: they are the first then.
    first, second = (own, of_rollback) if own else (of_rollback, own)
    message = [
        *(report.lines(first, lifted) if first else [report.silent(finished.status, stack.name)]),
        after.did,
        *report.lines(second, lifted),
        *_skippable(of_rollback, finished.status, stack.name, environment),
        *_retainable(own, finished.status, after.next),
        *([f"Console: {stack.console}"] if stack.console else []),
    ]
    return PaycliError(
        "\n".join(message),
        hint=_hint(lifted, after.next),
        code="stack_failed",
        data={
            "stack": stack.name,
            "status": finished.status,
            "console": stack.console or None,
            "causes": [report.data(cause) for cause in found],
        },
    )


def refused(
    cloudformation: Any, change_set_id: str, stack_id: str, reason: str, environment: "Environment"
) -> PaycliError:
    """Return the error of a change set: see `failure.refused_change_set`."""
    name = stack_arn.parse(stack_id).name
    found = causes_of_refusal(cloudformation, change_set_id, name, reason)
    lifted = _explanation(found)
    return PaycliError(
        "\n".join([*report.lines(found, lifted), "Nothing was changed."]),
        hint=_hint(lifted, f"paycli deploy --env {environment.name}"),
        code="change_set_failed",
        data={"stack": name, "status": None, "console": None, "causes": [report.data(cause) for cause in found]},
    )


def _skippable(causes: Sequence[Cause], status: str, stack: str, environment: "Environment") -> list[str]:
    """Say how a rollback goes on without what can't be mended; CloudFormation skips only what is in UPDATE_FAILED.

    Of all commands only deploy does so, for the environment's own stack.
    """
    stuck = dict.fromkeys(cause.logical_id for cause in causes if cause.status == "UPDATE_FAILED")
    if status != "UPDATE_ROLLBACK_FAILED" or not stuck or stack != environment.stack_name:
        return []
    options = " ".join(f"--skip {logical_id}" for logical_id in stuck)
    return [
        f"What can't be mended can stay as it is: paycli deploy --env {environment.name} {options}",
        f"To go back only, and deploy nothing new: paycli rollback --env {environment.name}",
    ]


def _retainable(causes: Sequence[Cause], status: str, command: str) -> list[str]:
    """Say how a delete goes on without what can't be deleted; CloudFormation leaves only what is in DELETE_FAILED."""
    stuck = list(dict.fromkeys(cause.logical_id for cause in causes if cause.status == "DELETE_FAILED"))
    if status != "DELETE_FAILED" or not stuck:
        return []
    if command.startswith("paycli"):
        options = " ".join(f"--retain {logical_id}" for logical_id in stuck)
    else:  # CloudFormation's own command, of the bootstrap stack
        options = f"--retain-resources {' '.join(stuck)}"
    return [f"What can't be deleted can stay behind: {command} {options}"]


def _explanation(causes: Sequence[Cause]) -> Explanation | None:
    return causes[0].explanation if causes else None


def _hint(explanation: Explanation | None, command: str) -> str:
    if not command:
        return explanation.hint if explanation else ""
    first = explanation.hint if explanation else "Mend the cause."
    return f"{first} Then: {command}" if first else f"Next: {command}"
