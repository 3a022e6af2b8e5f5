"""Tables that paycli has restored: what they are called, how they are told from others, and which there are.

A name ends in a time with an upper-case T and Z. No environment's own table does: their names are lower-case.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from paycli.errors import PaycliError, UsageError

if TYPE_CHECKING:
    from paycli.environment import Environment

Purpose = Literal["restore", "drill"]
_STAMP = "%Y%m%dT%H%M%SZ"
# Tags. With these names, none is one of the user's own.
FROM, POINT, PURPOSE = "paycli:restored-from", "paycli:restored-to", "paycli:purpose"


@dataclass(frozen=True)
class RestoredTable:
    """A table beside the live one. `point` is the point in time it is of, None where its tag isn't there (yet)."""

    name: str
    arn: str
    table_id: str
    status: str
    made_at: datetime
    point: datetime | None
    owned: bool  # paycli has tagged it, for this environment and purpose
    source: str  # ARN of the table it was restored from, as AWS says; empty where AWS doesn't
    items: int  # as of some hours ago
    protected: bool


class GoneError(PaycliError):
    """A restored table that was named isn't there, or no longer."""


def live_name(environment: "Environment") -> str:
    """Return the name of the stack's own table."""
    return environment.named("transactions")


def new_name(environment: "Environment", purpose: Purpose, now: datetime) -> str:
    """Return the name of a table that is restored now."""
    return f"{live_name(environment)}-{purpose}-{now.astimezone(UTC):{_STAMP}}"


def made_at(name: str, environment: "Environment", purpose: Purpose) -> datetime | None:
    """Return when a table of this name was made, or None where the name is none of this environment and purpose."""
    found = re.fullmatch(rf"{re.escape(live_name(environment))}-{purpose}-([0-9]{{8}}T[0-9]{{6}}Z)", name)
    try:
        return datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC) if found else None
    except ValueError:
        return None


def describe(dynamodb: Any, name: str) -> dict[str, Any] | None:
    """Return what DescribeTable says (one call), or None where there is no such table."""
    try:
        found: dict[str, Any] = dynamodb.describe_table(TableName=name)["Table"]
    except dynamodb.exceptions.ResourceNotFoundException:
        return None
    return found


def tags_of(dynamodb: Any, arn: str) -> dict[str, str]:
    """Return a table's tags."""
    pages = dynamodb.get_paginator("list_tags_of_resource").paginate(ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def own_tags(environment: "Environment", purpose: Purpose, point: datetime) -> dict[str, str]:
    """Return the tags that make a table paycli's to work on, and to delete."""
    return {
        "ManagedBy": "paycli",
        "Environment": environment.name,
        FROM: live_name(environment),
        PURPOSE: purpose,
        POINT: point.astimezone(UTC).isoformat(timespec="seconds"),
    }


def names(dynamodb: Any, environment: "Environment", *purposes: Purpose) -> list[str]:
    """Return the names of the environment's tables of these purposes, sorted: a call for 100 tables."""
    pages = dynamodb.get_paginator("list_tables").paginate()
    found = (name for page in pages for name in page["TableNames"])
    return sorted(name for name in found if any(made_at(name, environment, purpose) for purpose in purposes))


def find(dynamodb: Any, environment: "Environment", purpose: Purpose) -> list[RestoredTable]:
    """Return the environment's restored tables, newest first: a call for 100 tables, and two for each that is one."""
    newest_first = sorted(names(dynamodb, environment, purpose), reverse=True)
    found = (look(dynamodb, environment, purpose, name) for name in newest_first)
    return [table for table in found if table]


def look(dynamodb: Any, environment: "Environment", purpose: Purpose, name: str) -> RestoredTable | None:
    """Return the table of such a name (two calls); None where it isn't there, or goes meanwhile."""
    described = describe(dynamodb, name)
    if described is None:
        return None
    try:
        tags = tags_of(dynamodb, described["TableArn"])
    except dynamodb.exceptions.ResourceNotFoundException:
        return None
    return _parsed(described, tags, environment, purpose)


def _parsed(
    described: Mapping[str, Any], tags: Mapping[str, str], environment: "Environment", purpose: Purpose
) -> RestoredTable:
    name = described["TableName"]
    made = made_at(name, environment, purpose)
    assert made is not None  # noqa: S101 - the caller has chosen it by its name
    told = tags.get(POINT)
    wanted = own_tags(environment, purpose, made)
    return RestoredTable(
        name=name,
        arn=described["TableArn"],
        table_id=described.get("TableId", ""),
        status=described["TableStatus"],
        made_at=made,
        point=datetime.fromisoformat(told) if told else None,
        owned=all(tags.get(key) == wanted[key] for key in wanted if key != POINT) and told is not None,
        source=described.get("RestoreSummary", {}).get("SourceTableArn", ""),
        items=described.get("ItemCount", 0),
        protected=described.get("DeletionProtectionEnabled", False),
    )


def choose(dynamodb: Any, environment: "Environment", name: str | None) -> RestoredTable:
    """Return the restored table of this name, else the newest.

    Raises PaycliError where there is none: GoneError, where there is none of the name. A name of any other table is
    refused, the live one first of all.
    """
    if name is None:
        tables = find(dynamodb, environment, "restore")
        if not tables:
            raise PaycliError(
                f"There is no restored table of {environment.name}.",
                hint=f"Restore one first: paycli restore --env {environment.name} --to 15m",
                code="nothing_restored",
            )
        return tables[0]
    if made_at(name, environment, "restore") is None:
        which = "is the stack's own table" if name == live_name(environment) else "is no restored table of it"
        raise UsageError(
            f"{name} {which}: paycli restores beside the live table, and works on what it has restored.",
            hint=f"`paycli restore --env {environment.name}` lists the restored tables.",
            code="not_restored",
        )
    table = look(dynamodb, environment, "restore", name)
    if table is None:
        raise GoneError(
            f"There is no table {name}.",
            hint=f"`paycli restore --env {environment.name}` lists the restored tables.",
            code="nothing_restored",
        )
    return table


def require_ready(table: RestoredTable, environment: "Environment") -> datetime:
    """Return the point in time the table is of. Raises PaycliError where its restore isn't complete."""
    if table.point is None or not table.owned or table.status not in {"ACTIVE", "UPDATING"}:
        raise PaycliError(
            f"{table.name} isn't complete: {table.status}{'' if table.owned else ', without the tags of paycli'}.",
            hint=f"paycli restore --env {environment.name} --finish --table {table.name}",
            code="unfinished",
        )
    return table.point
