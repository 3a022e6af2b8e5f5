"""What the commands of a restore have in common: what was asked for, on which tables, and what an interrupt says."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paycli.commands.common import Project
from paycli.errors import DetachedError

if TYPE_CHECKING:
    from paycli.aws import Aws
    from paycli.environment import Environment
    from paycli.operations.restore.comparison import Pair
    from paycli.operations.restore.tables import RestoredTable

_EMBEDDED = "The embedded AWS restores the table as it is now, whatever the point in time."


@dataclass(frozen=True)
class Wish:
    """What the command line asks for."""

    table: str | None
    sample: int
    segments: int
    transactions: tuple[str, ...]
    overwrite: bool
    count: int | None
    expired: bool
    yes: bool


@contextlib.contextmanager
def interruptible(said: str, again: str) -> Iterator[None]:
    """Say on an interrupt what became of it, and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        raise DetachedError(f"Interrupted: {said}", hint=again, code="interrupted") from None


def notes(environment: "Environment") -> list[str]:
    """Return what has to be known of a restore there."""
    return [_EMBEDDED] if environment.target == "embedded" else []


def chosen(project: Project, aws: "Aws", wish: Wish) -> "tuple[RestoredTable, Pair, dict[str, str]]":
    """Return the restored table, with the live one, and the ids of both; the latter tell one from a namesake."""
    from paycli.operations.restore import restoring, tables
    from paycli.operations.restore.comparison import Pair

    environment = project.environment
    dynamodb = aws.client("dynamodb")
    table = tables.choose(dynamodb, environment, wish.table)
    point = tables.require_ready(table, environment)
    live = tables.describe(dynamodb, tables.live_name(environment))
    if live is None:
        raise restoring.table_is_gone(environment)
    pair = Pair(table.name, live["TableName"], point, max(table.items, live.get("ItemCount", 0)))
    return table, pair, {"restored_id": table.table_id, "live_id": live.get("TableId", "")}
