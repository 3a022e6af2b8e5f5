"""A deleted table, restored under its own name from the system backup that DynamoDB has made of it.

Nothing can be overwritten: AWS refuses a name that is taken. CloudFormation knows the table by its name, so it is the
stack's own again.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/pointintimerecovery_beforeyoubegin.html
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from paycli.errors import PaycliError
from paycli.operations.restore import restoring, settings
from paycli.operations.restore.tables import describe, live_name
from paycli.progress import Report

if TYPE_CHECKING:
    from paycli.environment import Environment


@dataclass(frozen=True)
class SystemBackup:
    """What DynamoDB kept when the table was deleted, for 35 days; `begun` where its restore runs or has run."""

    arn: str
    made_at: datetime | None
    key_arn: str | None
    begun: bool = False


_ELSEWHERE = {
    "aws": "A recovery point may be in the backup vault: docs/recovery.md says how to restore one.",
    "embedded": "The embedded AWS keeps none: make the stack anew (teardown, deploy). For AWS: docs/recovery.md.",
}


def find(dynamodb: Any, environment: "Environment") -> SystemBackup:
    """Return the newest system backup of the table, or the one that is being restored.

    Raises PaycliError where there is none, and where the table is there and wasn't restored from one.
    """
    name = live_name(environment)
    table = describe(dynamodb, name)
    if table is not None:
        arn = table.get("RestoreSummary", {}).get("SourceBackupArn")
        if arn:
            return SystemBackup(arn, None, table.get("SSEDescription", {}).get("KMSMasterKeyArn"), begun=True)
        raise PaycliError(
            f"{name} is there: it isn't deleted.",
            hint=f"Restore beside it: paycli restore --env {environment.name} --to 15m",
            code="table_exists",
        )
    pages = dynamodb.get_paginator("list_backups").paginate(BackupType="SYSTEM")
    backups = [
        backup
        for page in pages
        for backup in page["BackupSummaries"]
        if (backup["TableName"], backup["BackupType"], backup["BackupStatus"]) == (name, "SYSTEM", "AVAILABLE")
    ]
    if not backups:
        raise PaycliError(
            f"DynamoDB has no system backup of {name}: it was deleted more than 35 days ago, or had no "
            "point-in-time recovery.",
            hint=_ELSEWHERE[environment.target],
            code="no_backup",
        )
    newest = max(backups, key=lambda backup: backup["BackupCreationDateTime"])
    described = dynamodb.describe_backup(BackupArn=newest["BackupArn"])["BackupDescription"]
    encryption = described.get("SourceTableFeatureDetails", {}).get("SSEDescription", {})
    return SystemBackup(newest["BackupArn"], newest["BackupCreationDateTime"], encryption.get("KMSMasterKeyArn"))


def restore(dynamodb: Any, environment: "Environment", backup: SystemBackup, report: Report) -> None:
    """Restore the table under its own name, follow it, and give it the settings of the stack; may be repeated."""
    wanted = settings.of_stack(environment, backup.key_arn)
    name = live_name(environment)
    if not backup.begun:
        dynamodb.restore_table_from_backup(
            TargetTableName=name, BackupArn=backup.arn, **restoring.encryption(wanted.key_arn)
        )
    restoring.follow(dynamodb, name, report)
    settings.apply(dynamodb, name, wanted, report)
