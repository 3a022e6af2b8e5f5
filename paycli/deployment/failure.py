"""Why a stack operation failed: its first real cause, before what followed from it."""

from collections.abc import Iterable

from paycli.deployment.follow import Finished
from paycli.errors import PaycliError
from paycli.progress import ResourceEvent

# What CloudFormation says of a resource that it stopped because another one failed.
_FOLLOWED = ("resource creation cancelled", "resource update cancelled", "resource deletion cancelled")


def first_failure(events: Iterable[ResourceEvent]) -> ResourceEvent | None:
    """Return the first event of a resource that failed by itself."""
    for event in events:
        own = event.resource_type != "AWS::CloudFormation::Stack"  # the stack itself fails because of a resource
        if own and event.failed and not event.reason.lower().startswith(_FOLLOWED):
            return event
    return None


def demand(finished: Finished, wanted: str, stack: str, environment: str) -> None:
    """Raise PaycliError with the first real cause, then the stack's state, unless it ended as `wanted`."""
    if finished.status == wanted:
        return
    cause = first_failure(finished.events)
    why = f"{cause.logical_id} ({cause.resource_type}): {cause.reason}" if cause else "CloudFormation gives no reason."
    hint = _HINTS.get(finished.status, "").format(environment)
    raise PaycliError(f"{why}\n{stack} is now {finished.status}.", hint=hint, code="stack_failed")


_HINTS = {
    "ROLLBACK_COMPLETE": "The create was undone. Mend the cause, run `paycli teardown --env {0}`, then deploy again.",
    "UPDATE_ROLLBACK_COMPLETE": "The previous version runs unchanged. Mend the cause and deploy again.",
    "DELETE_FAILED": "Remove what is in the way, then run `paycli teardown --env {0}` again.",
}
