"""Whether a recovery of the table may be unfinished: what is done to payments meanwhile, it can't know."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from paycli.aws_errors import explain
from paycli.operations.restore.tables import describe, live_name, names

if TYPE_CHECKING:
    from paycli.environment import Environment


def pending(dynamodb: Any, environment: "Environment") -> list[str]:
    """Return, in words, what of a recovery is seen: a call, and one for 100 tables. A merge leaves no mark in AWS.

    Where AWS doesn't let it look, that is what it says.
    """
    try:
        return [*_live(dynamodb, environment), *_beside(dynamodb, environment)]
    except (BotoCoreError, ClientError) as error:
        return [f"Whether the table is being recovered can't be told: {explain(error)}"]


def _live(dynamodb: Any, environment: "Environment") -> Iterator[str]:
    table = describe(dynamodb, live_name(environment))
    status = table["TableStatus"] if table else "gone"
    if status in {"gone", "CREATING", "DELETING"}:
        yield f"{live_name(environment)} is {status}: recover it first (docs/recovery.md)."


def _beside(dynamodb: Any, environment: "Environment") -> Iterator[str]:
    for name in names(dynamodb, environment, "restore"):
        merge = f"`paycli restore --env {environment.name} --merge`"
        yield f"{name} is there: is what was lost merged? If not, {merge} comes first; if it is, --cleanup deletes it."
