"""Backup vaults that go with their stack: CloudFormation deletes only an empty one."""

import time
from typing import Any

from paycli.errors import PaycliError
from paycli.progress import Report, Step

DEADLINE_SECONDS = 900.0
_PAUSE = 3.0  # seconds between two looks


def empty(backup: Any, vault: str, report: Report) -> None:
    """Delete every recovery point of a vault, and wait until AWS Backup is done with it.

    Raises PaycliError when that takes longer than DEADLINE_SECONDS. A point that is still being made is waited for.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    asked: set[str] = set()
    while points := _recovery_points(backup, vault):
        if time.monotonic() > deadline:
            raise PaycliError(
                f"The vault {vault} still has {len(points)} recovery points.",
                hint=f"aws backup list-recovery-points-by-backup-vault --backup-vault-name {vault} says their status.",
                code="deadline",
            )
        if not asked:
            report(Step(f"Deleting {len(points)} recovery points of the vault {vault}"))
        for arn in points - asked:
            try:
                backup.delete_recovery_point(BackupVaultName=vault, RecoveryPointArn=arn)
            except backup.exceptions.InvalidResourceStateException:
                continue  # AWS Backup is at work on it
            asked.add(arn)
        time.sleep(_PAUSE)


def _recovery_points(backup: Any, vault: str) -> set[str]:
    pages = backup.get_paginator("list_recovery_points_by_backup_vault").paginate(BackupVaultName=vault)
    return {point["RecoveryPointArn"] for page in pages for point in page["RecoveryPoints"]}
