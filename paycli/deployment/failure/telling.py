"""The error of an operation that failed: root cause first, then what CloudFormation did about it."""

import re
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from paycli.deployment import stack_arn
from paycli.deployment.failure import report, way_on
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
    hangs = of_rollback if finished.status.endswith("ROLLBACK_FAILED") else own
    lifted = _explanation(hangs)
    where = (finished.status, stack.name, environment)
    # A rollback that was begun anew has no other causes than its own: they are the first then.
    first, second = (own, of_rollback) if own else (of_rollback, own)
    message = [
        *(report.lines(first, lifted) if first else [report.silent(finished.status, stack.name)]),
        after.did,
        *report.lines(second, lifted),
        *way_on.skippable(of_rollback, *where),
        *way_on.retainable(own, finished.status, after.next),
        *_meant(found, stack, environment),
        *([f"Console: {stack.console}"] if stack.console else []),
    ]
    return PaycliError(
        "\n".join(message),
        hint=_hint(lifted, way_on.going_on(after.next, hangs, *where)),
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


def _meant(causes: Sequence[Cause], stack: stack_arn.StackArn, environment: "Environment") -> list[str]:
    """Say what the AWS CLI's commands among the hints need to reach this stack's account and region."""
    known = (cause.explanation for cause in causes)
    if not any(each and re.search(r"\baws [a-z]", f"{each.text} {each.hint}") for each in known):
        return []
    if environment.target == "embedded":
        return ['Before the commands of `aws` here: eval "$(paycli local env)"']
    profile = f" AWS_PROFILE={shlex.quote(environment.profile)}" if environment.profile else ""
    return [f"Before the commands of `aws` here: export AWS_REGION={stack.region}{profile}"]


def _explanation(causes: Sequence[Cause]) -> Explanation | None:
    return causes[0].explanation if causes else None


def _hint(explanation: Explanation | None, command: str) -> str:
    if not command:
        return explanation.hint if explanation else ""
    first = explanation.hint if explanation else "Mend the cause."
    return f"{first} Then: {command}" if first else f"Next: {command}"
