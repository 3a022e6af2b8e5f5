"""What a restore leaves out of the new table, and paycli puts back: tags, expiry, recovery, protection; and the key.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paycli.errors import PaycliError
from paycli.operations.restore.tables import tags_of
from paycli.progress import Report, Step

if TYPE_CHECKING:
    from paycli.environment import Environment

DEADLINE_SECONDS = 900.0  # for a change of settings; the restore itself may take hours
_PAUSE = 1.0


@dataclass(frozen=True)
class Settings:
    """What makes a table one for payments."""

    key_arn: str | None  # of the customer-managed key
    expires_by: str | None  # the attribute of TTL
    recovery: Mapping[str, Any] | None  # PointInTimeRecoverySpecification; None is off
    deletion_protection: bool
    tags: Mapping[str, str]


def of_table(dynamodb: Any, described: Mapping[str, Any]) -> Settings:
    """Read the settings of a table (three calls or more); without the tags that AWS keeps for itself."""
    name = described["TableName"]
    expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    tags = tags_of(dynamodb, described["TableArn"])
    return Settings(
        key_arn=described.get("SSEDescription", {}).get("KMSMasterKeyArn"),
        expires_by=expiry.get("AttributeName") if expiry["TimeToLiveStatus"] in {"ENABLED", "ENABLING"} else None,
        recovery=recovery_of(dynamodb, name),
        deletion_protection=described.get("DeletionProtectionEnabled", False),
        tags={key: value for key, value in tags.items() if not key.startswith("aws:")},
    )


def recovery_of(dynamodb: Any, name: str) -> dict[str, Any] | None:
    """Return the table's point-in-time recovery as it would be switched on, None where it is off (one call)."""
    continuous = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = continuous.get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        return None
    days = recovery.get("RecoveryPeriodInDays")
    return {"PointInTimeRecoveryEnabled": True, **({"RecoveryPeriodInDays": days} if days else {})}


def of_stack(environment: "Environment", key_arn: str | None) -> Settings:
    """Return what the stack gives its table, where that one is gone (paycli/stack/storage.py)."""
    return Settings(
        key_arn=key_arn,
        expires_by="expires_at",
        recovery={"PointInTimeRecoveryEnabled": True},
        deletion_protection=environment.retain_data,
        tags=environment.all_tags,
    )


def apply(dynamodb: Any, name: str, wanted: Settings, report: Report) -> None:
    """Give the table what it lacks, its tags first: by those paycli knows it again. May be repeated.

    Raises PaycliError where AWS isn't done with a change in 15 minutes.
    """
    described = dynamodb.describe_table(TableName=name)["Table"]
    dynamodb.tag_resource(
        ResourceArn=described["TableArn"], Tags=[{"Key": key, "Value": value} for key, value in wanted.tags.items()]
    )
    has = of_table(dynamodb, described)
    if wanted.key_arn and has.key_arn != wanted.key_arn:
        report(Step("Encrypting it with the stack's key"))
        specification = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": wanted.key_arn}
        dynamodb.update_table(TableName=name, SSESpecification=specification)
        _settled(dynamodb, name)
    if wanted.recovery and not has.recovery:
        report(Step("Switching on its point-in-time recovery"))
        _recover(dynamodb, name, wanted.recovery)
    if wanted.expires_by and has.expires_by != wanted.expires_by:
        expiry = {"Enabled": True, "AttributeName": wanted.expires_by}
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
    if wanted.deletion_protection and not has.deletion_protection:
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=True)
        _settled(dynamodb, name)


def _recover(dynamodb: Any, name: str, recovery: Mapping[str, Any]) -> None:
    """Switch it on; AWS says for a while that a new table has no backups yet."""

    def done() -> bool:
        try:
            dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
        except dynamodb.exceptions.ContinuousBackupsUnavailableException:
            return False
        return True

    _until(done, f"{name} has no continuous backups yet.")


def _settled(dynamodb: Any, name: str) -> None:
    """Wait until a change of the table is done: one change at a time."""

    def done() -> bool:
        table = dynamodb.describe_table(TableName=name)["Table"]
        return bool(table["TableStatus"] == "ACTIVE" and table.get("SSEDescription", {}).get("Status") != "UPDATING")

    _until(done, f"{name} is still being changed.")


def _until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise PaycliError(what, hint="Run it again with --finish in a while.", code="deadline")
        time.sleep(_PAUSE)
