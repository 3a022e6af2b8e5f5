"""Whether the table of payments is there, serves, and could be brought back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from paycli.operations.readings import Unread
from paycli.operations.restore.tables import describe

GONE = "GONE"  # the state of a table that isn't there
NOT_MADE = "NOT_MADE"  # the same where the stack's first create has failed or still runs: there never was one
_FIRST_CREATE = frozenset(
    {"CREATE_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}
)


@dataclass(frozen=True)
class TableState:
    """The table; from when to when it can be restored, both None where it is gone or point-in-time recovery is off."""

    name: str
    state: str  # DynamoDB's TableStatus, GONE or NOT_MADE
    restorable_from: datetime | None = None
    restorable_to: datetime | None = None


def read_table(dynamodb: Any, name: str) -> TableState:
    """Read it: two calls, one where the table is gone."""
    found = describe(dynamodb, name)
    if found is None:
        return TableState(name, GONE)
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        return TableState(name, found["TableStatus"])
    times = (recovery.get(f"{end}RestorableDateTime") for end in ("Earliest", "Latest"))
    return TableState(name, found["TableStatus"], *times)


def of_stack(table: TableState | Unread, stack: str) -> TableState | Unread:
    """Return the table as it is to be understood while the stack is in that state."""
    if isinstance(table, Unread) or table.state != GONE or stack not in _FIRST_CREATE:
        return table
    return TableState(table.name, NOT_MADE)
