"""Restore a table from its continuous backups, follow it to its end, and give it the settings of the live one."""

import dataclasses
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from paycli.aws_errors import is_temporary
from paycli.errors import PaycliError, UsageError
from paycli.operations.restore import settings
from paycli.operations.restore.settings import Settings
from paycli.operations.restore.tables import Purpose, describe, live_name, own_tags
from paycli.progress import Report, Step

if TYPE_CHECKING:
    from paycli.environment import Environment

# Seldom less than 20 minutes, mostly less than an hour, more for a large table:
# https://repost.aws/knowledge-center/dynamodb-restore-taking-long
DEADLINE_SECONDS = 24 * 3600.0
_FASTEST, _SLOWEST = 0.5, 15.0  # seconds between two looks
_TELL_SECONDS = 60.0
_APPEAR_SECONDS = 60.0  # DescribeTable is eventually consistent
_SILENCE_SECONDS = 600.0  # how long AWS may be out of reach


@dataclass(frozen=True)
class Window:
    """The points in time that can be restored, to the second."""

    earliest: datetime
    latest: datetime

    def __str__(self) -> str:
        return f"{self.earliest:%Y-%m-%d %H:%M:%S} to {self.latest:%Y-%m-%d %H:%M:%S} UTC"


def window(dynamodb: Any, environment: "Environment") -> Window:
    """Return what can be restored (one call). Raises PaycliError where the table is gone or has no recovery."""
    name = live_name(environment)
    try:
        found = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    except (dynamodb.exceptions.TableNotFoundException, dynamodb.exceptions.ResourceNotFoundException):
        raise table_is_gone(environment) from None
    recovery = found.get("PointInTimeRecoveryDescription", {})
    if "LatestRestorableDateTime" not in recovery:
        raise PaycliError(
            f"{name} has no point-in-time recovery: there is nothing to restore from.",
            hint="A backup may be in the vault (docs/recovery.md). `paycli deploy` switches the recovery on.",
            code="no_recovery",
        )
    times = (recovery["EarliestRestorableDateTime"], recovery["LatestRestorableDateTime"])
    return Window(*(each.astimezone(UTC) for each in times))


def table_is_gone(environment: "Environment") -> PaycliError:
    """Return the error of a live table that isn't there."""
    return PaycliError(
        f"There is no table {live_name(environment)}.",
        hint=f"If it was deleted: paycli restore --env {environment.name} --deleted. "
        f"If it never was: paycli deploy --env {environment.name}",
        code="table_missing",
    )


def check(point: datetime, found: Window) -> datetime:
    """Return the time in whole seconds. Raises UsageError where it can't be restored."""
    whole = point.astimezone(UTC).replace(microsecond=0)
    if found.earliest <= whole <= found.latest:
        return whole
    side = "later" if whole > found.latest else "earlier"
    raise UsageError(
        f"{whole:%Y-%m-%d %H:%M:%S} UTC is {side} than what can be restored: {found}.",
        hint="`--to latest` takes the newest state; DynamoDB's is about five minutes old."
        if side == "later"
        else "A daily backup in the vault may be older (docs/recovery.md).",
        code="outside_window",
    )


def begin(dynamodb: Any, environment: "Environment", name: str, wanted: Settings, point: datetime | None) -> None:
    """Begin to restore the live table beside it, as `name`, to `point`, None for the latest.

    An interrupt may leave AWS at it. Raises PaycliError where there is such a table: its name is of a second.
    """
    request: dict[str, Any] = {"SourceTableName": live_name(environment), "TargetTableName": name}
    request |= {"UseLatestRestorableTime": True} if point is None else {"RestoreDateTime": point}
    there = (dynamodb.exceptions.TableAlreadyExistsException, dynamodb.exceptions.TableInUseException)
    try:
        dynamodb.restore_table_to_point_in_time(**request, **encryption(wanted.key_arn))
    except there:
        raise PaycliError(
            f"{name} is there already: somebody has begun a restore in this very second.",
            hint="Run the command again: the table of another second has another name.",
            code="restore_exists",
        ) from None


def live_settings(dynamodb: Any, environment: "Environment") -> Settings:
    """Read what a restored table is to be given. Raises PaycliError where there is no live table."""
    described = describe(dynamodb, live_name(environment))
    if described is None:
        raise table_is_gone(environment)
    return settings.of_table(dynamodb, described)


def encryption(key_arn: str | None) -> dict[str, Any]:
    """Return the part of a restore's request that keeps the table's key."""
    if key_arn is None:
        return {}
    specification = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key_arn}
    return {"SSESpecificationOverride": specification}


def finish(
    dynamodb: Any,
    environment: "Environment",
    purpose: Purpose,
    name: str,
    wanted: Settings,
    point: datetime,
    report: Report,
) -> None:
    """Follow a restore to its end and give the table its settings and paycli's tags; may be repeated."""
    follow(dynamodb, name, report)
    tags = {**wanted.tags, **own_tags(environment, purpose, point)}
    settings.apply(dynamodb, name, dataclasses.replace(wanted, tags=tags), report)


def follow(dynamodb: Any, name: str, report: Report) -> None:
    """Wait until a restored table can be used, and say each minute that it isn't. AWS tells no percentage.

    Raises PaycliError where the table goes away or ends in another state, and after 24 h.
    """
    began = told = answered = time.monotonic()
    pause = _FASTEST
    while time.monotonic() - began < DEADLINE_SECONDS:
        now = time.monotonic()
        try:
            table = describe(dynamodb, name)
        except (BotoCoreError, ClientError) as error:
            if not is_temporary(error) or now - answered > _SILENCE_SECONDS:
                raise
            status = "CREATING"
        else:
            answered = now
            status = table["TableStatus"] if table else "CREATING" if now - began < _APPEAR_SECONDS else "gone"
        if status == "ACTIVE":
            return
        if status not in {"CREATING", "UPDATING"}:
            raise PaycliError(
                f"The restore of {name} failed: the table is {status}.",
                hint="AWS CloudTrail has the reason; the stack's key must be enabled for it. Then restore again.",
                code="restore_failed",
            )
        if now - told >= _TELL_SECONDS:
            told = now
            report(Step(f"Restoring {name}: {(now - began) / 60:.0f} min; 20 to 60 are usual, more for a large table"))
        time.sleep(pause)
        pause = min(pause * 1.5, _SLOWEST)
    raise PaycliError(
        f"{name} isn't restored after {DEADLINE_SECONDS / 3600:.0f} h; AWS goes on.",
        hint="`paycli restore` comes back to it with --finish, or again with --deleted.",
        code="deadline",
    )


def point_of(dynamodb: Any, name: str, fallback: datetime) -> datetime:
    """Return the point in time that AWS says a table was restored to, else `fallback` (one call)."""
    table = describe(dynamodb, name) or {}
    told: datetime = table.get("RestoreSummary", {}).get("RestoreDateTime", fallback)
    return told.astimezone(UTC)
