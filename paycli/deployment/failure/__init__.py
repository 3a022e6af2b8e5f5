"""Why an operation on a stack failed: root cause first, in plain words, then what CloudFormation did about it.

What tells it is loaded where something has failed, and not before.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paycli.deployment.follow import Finished
    from paycli.environment import Environment
    from paycli.errors import PaycliError


def demand(
    cloudformation: Any,
    finished: "Finished",
    wanted: str,
    stack_id: str,
    environment: "Environment",
    *,
    served: bool = True,
    command: str = "",
) -> None:
    """Raise PaycliError with the first real cause, then the stack's state, unless it ended as `wanted`.

    `served` says whether a version ran before, which a rollback brings back; `command` is the one that has failed,
    where it isn't the environment's deploy.
    """
    if finished.status != wanted:
        from paycli.deployment.failure.telling import failed

        raise failed(cloudformation, finished, stack_id, environment, served=served, command=command)


def refused_change_set(
    cloudformation: Any, change_set_id: str, stack_id: str, reason: str, environment: "Environment"
) -> "PaycliError":
    """Return the error of a change set that ended as FAILED for `reason`; to be asked before it is deleted."""
    from paycli.deployment.failure.telling import refused

    return refused(cloudformation, change_set_id, stack_id, reason, environment)


def refused_request(error: Any, environment: "Environment", command: str) -> "PaycliError":
    """Return the error of a plan for which AWS refuses a request (a ClientError): `command` is to be run again."""
    from paycli.deployment.failure.requests import refused

    return refused(error, environment.name, command)
