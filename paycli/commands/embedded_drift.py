"""What somebody deleted on the embedded AWS: it notices most of that, and can't make it again."""

from typing import TYPE_CHECKING

from paycli import console
from paycli.errors import PaycliError

if TYPE_CHECKING:
    from paycli.aws import Aws
    from paycli.environment import Environment


def deleted(aws: "Aws", environment: "Environment") -> list[str] | None:
    """Return the logical IDs of what was deleted past CloudFormation; None where there is no stack."""
    from paycli.deployment import stacks
    from paycli.operations.drift import detect

    cloudformation = aws.client("cloudformation")
    stack = stacks.find(cloudformation, environment.stack_name)
    if stack is None or stack.empty:
        return None
    found = detect(cloudformation, stack.name, lambda _event: None)  # it is done at once
    return [one.logical_id for one in found.resources if one.status == "DELETED"]


def refuse_to_revert(aws: "Aws", environment: "Environment") -> None:
    """Answer --revert-drift on the embedded AWS. Raises PaycliError where a resource of the stack was deleted.

    A drift-aware change set is a plain one there, and would say that the stack has it all.
    """
    gone = deleted(aws, environment)
    if gone:
        raise PaycliError(
            f"The embedded AWS can't revert drift, and of {environment.stack_name} somebody deleted {', '.join(gone)}.",
            hint=f"`paycli teardown --env {environment.name}`, then deploy: all of it is made anew, without its data.",
            code="drift_not_revertible",
        )
    if gone is not None:
        console.note("Nothing that the embedded AWS looks at was deleted; what was modified, it doesn't revert.")
