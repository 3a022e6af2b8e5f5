"""Look at what a recovery and a failover would need: is it there, on, and recent? Nothing is changed.

The stack lives in one region, so there is nothing to fail over to: that is said, not passed over.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from paycli.deployment import stacks
from paycli.operations.drill.report import Finding, Measured, Result
from paycli.operations.readings import Unread, read
from paycli.operations.restore import settings, tables

if TYPE_CHECKING:
    from paycli.aws import Aws
    from paycli.environment import Environment

# DynamoDB's newest restorable second is about five minutes old: API_PointInTimeRecoveryDescription
_OLDEST_RESTORABLE = timedelta(minutes=15)
# The daily backup starts within 8 hours (paycli/stack/backup.py), and takes its time.
_OLDEST_BACKUP = timedelta(hours=24 + 8 + 4)
_FOURTEEN_DAYS = 14 * 24 * 3600
_REGIONS = (
    "Everything is in one region. Copies of recovery points in another one are yours to make (docs/recovery.md): "
    "paycli can't see whether you do."
)

Found = tuple[Result, str]


def look(aws: "Aws", environment: "Environment", stack: stacks.Stack, now: datetime | None = None) -> Measured:
    """Look at everything; what can't be read is a failed finding. The RPO is that of point-in-time recovery."""
    at = now or datetime.now(UTC)
    dynamodb = aws.client("dynamodb")
    table = tables.live_name(environment)
    age: list[float] = []
    looks: list[tuple[str, Callable[[], Found]]] = [
        ("Point-in-time recovery", lambda: _recovery(dynamodb, table, at, age)),
        ("Deletion protection of the table", lambda: _deletion_protection(dynamodb, environment)),
        ("Termination protection of the stack", lambda: _termination_protection(environment, stack)),
        ("The table's key", lambda: _key(aws, environment, stack)),
        ("Expiry of unprocessed payments", lambda: _expiry(dynamodb, table)),
        ("Daily backup in the vault", lambda: _backup(aws, environment, stack, at)),
        ("The dead-letter queue", lambda: _dead_letters(aws, environment, stack)),
    ]
    findings = tuple(_finding(name, look) for name, look in looks)
    measured = age[0] if age and environment.target == "aws" else None
    return Measured(findings, measured, notes=tuple(_notes(environment)))


def _notes(environment: "Environment") -> Iterator[str]:
    yield _REGIONS
    if environment.target == "embedded":
        yield "The embedded AWS keeps these settings without enforcing all of them: see `paycli local status`."


def _finding(name: str, look: Callable[[], Found]) -> Finding:
    found = read(look)
    if isinstance(found, Unread):
        return Finding(name, "failed", f"It can't be read: {found.unread}")
    return Finding(name, *found)


def _recovery(dynamodb: Any, table: str, now: datetime, age: list[float]) -> Found:
    continuous = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    recovery = continuous.get("PointInTimeRecoveryDescription", {})
    latest = recovery.get("LatestRestorableDateTime")
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED" or latest is None:
        return "failed", "It is off: nothing can be restored."
    age.append((now - latest).total_seconds())
    said = f"From {recovery['EarliestRestorableDateTime']:%Y-%m-%d %H:%M:%S %Z} to {latest:%Y-%m-%d %H:%M:%S %Z}."
    return "failed" if now - latest > _OLDEST_RESTORABLE else "passed", said


def _deletion_protection(dynamodb: Any, environment: "Environment") -> Found:
    described = dynamodb.describe_table(TableName=tables.live_name(environment))["Table"]
    return _protection(environment, on=described.get("DeletionProtectionEnabled", False))


def _termination_protection(environment: "Environment", stack: stacks.Stack) -> Found:
    return _protection(environment, on=stack.termination_protection)


def _protection(environment: "Environment", *, on: bool) -> Found:
    if on:
        return "passed", "It is on."
    if environment.retain_data:
        return "failed", "It is off, though retain_data is on."
    return "not_here", "Off: the data goes with the stack (retain_data)."


def _key(aws: "Aws", environment: "Environment", stack: stacks.Stack) -> Found:
    if environment.target == "embedded":
        return "not_here", "The embedded AWS encrypts nothing."
    described = aws.client("dynamodb").describe_table(TableName=tables.live_name(environment))["Table"]
    used = described.get("SSEDescription", {}).get("KMSMasterKeyArn")
    wanted = stack.outputs.get("KeyArn")
    if used is None or used != wanted:
        return "failed", f"The table is encrypted with {used or 'an AWS owned key'}, not with the stack's key {wanted}."
    state = aws.client("kms").describe_key(KeyId=used)["KeyMetadata"]["KeyState"]
    return "passed" if state == "Enabled" else "failed", f"{used} is {state}."


def _expiry(dynamodb: Any, table: str) -> Found:
    described = dynamodb.describe_table(TableName=table)["Table"]
    attribute = settings.of_table(dynamodb, described).expires_by
    if attribute == "expires_at":
        return "passed", "By expires_at."
    return "failed", f"By {attribute}." if attribute else "It is off."


def _backup(aws: "Aws", environment: "Environment", stack: stacks.Stack, now: datetime) -> Found:
    vault = stack.outputs.get("BackupVaultName")
    if vault is None:
        where = "though `backup` is on" if environment.backup and environment.target == "aws" else "`backup` is off"
        return "failed" if where.startswith("though") else "not_here", f"There is no vault: {where}."
    pages = aws.client("backup").get_paginator("list_recovery_points_by_backup_vault").paginate(BackupVaultName=vault)
    points = [
        point["CreationDate"] for page in pages for point in page["RecoveryPoints"] if point["Status"] == "COMPLETED"
    ]
    if not points:
        return "failed", f"{vault} holds no completed recovery point."
    newest = max(points)
    said = f"{vault} holds {len(points)} recovery points, the newest of {newest:%Y-%m-%d %H:%M:%S %Z}."
    return "failed" if now - newest > _OLDEST_BACKUP else "passed", said


def _dead_letters(aws: "Aws", environment: "Environment", stack: stacks.Stack) -> Found:
    sqs = aws.client("sqs")
    beside = stack.outputs["FailedTransactionsQueueUrl"].rpartition("/")[0]
    name, target = environment.named("failed-transactions"), environment.named("failed-transactions-dlq")
    troubles = []
    redrive: Mapping[str, Any] = json.loads(_attribute(sqs, f"{beside}/{name}", "RedrivePolicy") or "{}")
    if str(redrive.get("deadLetterTargetArn", "")).rpartition(":")[2] != target:
        troubles.append(f"{name} doesn't hand over to {target}")
    kept = int(_attribute(sqs, f"{beside}/{target}", "MessageRetentionPeriod"))
    if kept < _FOURTEEN_DAYS:
        troubles.append(f"{target} keeps messages for {kept / 86400:.0f} days only")
    if troubles:
        return "failed", "; ".join(troubles) + "."
    return "passed", "What is received too often is kept for 14 days."


def _attribute(sqs: Any, url: str, name: str) -> str:
    found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name]).get("Attributes", {})
    return found.get(name, "")
