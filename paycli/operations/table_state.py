"""Whether the table of payments is there, serves, and could be brought back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from paycli.operations.restore.tables import describe

GONE = "GONE"  # the state of a table that isn't there


@dataclass(frozen=True)
class TableState:
    """The table; from when to when it can be restored, both None where it is gone or point-in-time recovery is off."""

    name: str
    state: str  # DynamoDB's TableStatus, or GONE
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
