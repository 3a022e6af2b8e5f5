"""The table of transactions."""

from typing import TYPE_CHECKING

from paycli.smoke.result import NotYet

if TYPE_CHECKING:
    from paycli.smoke.session import Session

# CloudFormation switches point-in-time recovery on after the table is ACTIVE.
_SETTLING = 15.0  # seconds


def check_table(session: "Session") -> str:
    """The table is there, with point-in-time recovery on."""
    name = session.table()["TableName"]

    def attempt() -> None:
        recovery = _recovery(session, name)
        if recovery != "ENABLED":
            raise NotYet(f"point-in-time recovery of {name} ENABLED", str(recovery))

    session.patience.until(attempt, within=_SETTLING)
    return f"{name}, point-in-time recovery on"


def _recovery(session: "Session", name: str) -> object:
    """Return the status of the table's point-in-time recovery; None where DynamoDB doesn't say."""
    dynamodb = session.target.aws.client("dynamodb")
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    return backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
