"""Delete a restored table: only one that paycli has tagged as its own, for this environment."""

import time
from typing import TYPE_CHECKING, Any

from paycli.errors import PaycliError
from paycli.operations.restore.tables import RestoredTable, describe
from paycli.progress import Report, Step

if TYPE_CHECKING:
    from paycli.environment import Environment

_DEADLINE_SECONDS = 900.0
_PAUSE = 1.0


def check(table: RestoredTable, environment: "Environment") -> None:
    """Raise PaycliError where the table isn't paycli's to delete, or can't be deleted yet."""
    if table.status == "CREATING":
        raise PaycliError(
            f"{table.name} is still being restored: AWS deletes no table before it is made.",
            hint="Try again when it is done; 20 to 60 minutes are usual.",
            code="in_progress",
        )
    if not table.owned:
        raise PaycliError(
            f"{table.name} lacks the tags of a table that paycli has restored for {environment.name}: it stays.",
            hint=f"If it is: paycli restore --env {environment.name} --finish --table {table.name}",
            code="not_ours",
        )


def delete(dynamodb: Any, table: RestoredTable, report: Report) -> None:
    """Lift the table's deletion protection, delete it and wait until it is gone; may be repeated."""
    report(Step(f"Deleting {table.name}"))
    if table.status == "UPDATING":  # somebody has begun that
        _wait(dynamodb, table.name, {"ACTIVE"})
    if table.protected:
        dynamodb.update_table(TableName=table.name, DeletionProtectionEnabled=False)
        _wait(dynamodb, table.name, {"ACTIVE"})
    if table.status != "DELETING":
        _begin(dynamodb, table.name)
    _wait(dynamodb, table.name, {None})


def _begin(dynamodb: Any, name: str) -> None:
    """Have the table deleted, unless that has begun: a call that was interrupted may have come through."""
    refused = (dynamodb.exceptions.ResourceInUseException, dynamodb.exceptions.ResourceNotFoundException)
    try:
        dynamodb.delete_table(TableName=name)
    except refused:
        if (describe(dynamodb, name) or {}).get("TableStatus") not in {"DELETING", None}:
            raise


def _wait(dynamodb: Any, name: str, wanted: set[str | None]) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while (describe(dynamodb, name) or {}).get("TableStatus") not in wanted:
        if time.monotonic() > deadline:
            raise PaycliError(
                f"{name} is still being changed after {_DEADLINE_SECONDS / 60:.0f} minutes; AWS goes on.",
                hint="Run the command again in a while.",
                code="deadline",
            )
        time.sleep(_PAUSE)
