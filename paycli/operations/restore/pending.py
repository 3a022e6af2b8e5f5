"""What of recoveries stands beside the table, or is unfinished: what is done to payments meanwhile, it can't know."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from paycli.aws_errors import explain
from paycli.operations.restore.tables import describe, live_name, made_at

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


def copies(dynamodb: Any, environment: "Environment") -> list[str]:
    """Return the names of the tables beside the live one, of restores and of drills (a call for 100 tables)."""
    pages = dynamodb.get_paginator("list_tables").paginate()
    names = sorted(name for page in pages for name in page["TableNames"])
    return [name for name in names if made_at(name, environment, "restore") or made_at(name, environment, "drill")]


def _live(dynamodb: Any, environment: "Environment") -> Iterator[str]:
    table = describe(dynamodb, live_name(environment))
    status = table["TableStatus"] if table else "gone"
    if status in {"gone", "CREATING", "DELETING"}:
        yield f"{live_name(environment)} is {status}: recover it first (docs/recovery.md)."


def _beside(dynamodb: Any, environment: "Environment") -> Iterator[str]:
    pages = dynamodb.get_paginator("list_tables").paginate()
    for name in sorted(name for page in pages for name in page["TableNames"] if made_at(name, environment, "restore")):
        merge = f"`paycli restore --env {environment.name} --merge`"
        yield f"{name} is there: is what was lost merged? If not, {merge} comes first; if it is, --cleanup deletes it."
