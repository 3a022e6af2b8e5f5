"""Why an operation on a stack failed: root cause first, in plain words, then what CloudFormation did about it.

What tells it is loaded where something has failed, and not before.
"""

import contextlib
from collections.abc import Iterator
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


def left_behind(finished: "Finished") -> tuple[str, ...]:
    """Return what an update that succeeded couldn't delete, each with AWS's reason: no stack has it any more."""
    stuck = [event for event in finished.events if event.failed and not event.of_stack]
    if not stuck:
        return ()
    from paycli.deployment.failure import reason as reasons

    named = (f"{one.logical_id} ({one.resource_type} {one.physical_id}): {reasons.said(one.reason)}" for one in stuck)
    return tuple(dict.fromkeys(named))


def refused_change_set(
    cloudformation: Any, change_set_id: str, stack_id: str, reason: str, environment: "Environment"
) -> "PaycliError":
    """Return the error of a change set that ended as FAILED for `reason`; to be asked before it is deleted."""
    from paycli.deployment.failure.telling import refused

    return refused(cloudformation, change_set_id, stack_id, reason, environment)


@contextlib.contextmanager
def refusing(
    environment: "Environment", command: str, *, stack: str = "", unchanged: str = "Nothing was changed."
) -> Iterator[None]:
    """Say of a request that AWS refuses what it means, and that it has left things as they were.

    The rest as in `refused_request`.
    """
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        raise refused_request(error, environment, command, stack=stack, unchanged=unchanged) from error


def refused_request(
    error: Any, environment: "Environment", command: str, *, stack: str = "", unchanged: str = "Nothing was changed."
) -> "PaycliError":
    """Return the error of a request that AWS refuses (a ClientError): `command` is to be run again.

    `stack` is the name of the stack, where it isn't the environment's; `unchanged` says what is as it was.
    """
    from paycli.deployment.failure.requests import refused

    return refused(error, environment.name, command, stack=stack or environment.stack_name, unchanged=unchanged)
