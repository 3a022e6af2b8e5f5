"""Which deploy serves while the last one has failed and was undone."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from paycli.progress import unheard

if TYPE_CHECKING:
    from paycli.aws import Aws
    from paycli.deployment.stacks import Stack
    from paycli.environment import Environment

# An update that is undone leaves what served before; in any other state of a failure, old and new are mixed.
_UNDONE = frozenset({"UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"})
_RECORDS = 5  # read at most: with more failures in a row nobody is told


@dataclass(frozen=True)
class Serving:
    """A deploy by its number on record; the commit is empty outside git."""

    number: int
    commit: str


def read_serving(aws: "Aws", environment: "Environment", stack: "Stack", account: str) -> Serving | None:
    """Return what serves after an update that was undone: two calls, and one for each of the newest records.

    None where no update was undone, and where the records don't tell.
    """
    if stack.status not in _UNDONE:
        return None
    from paycli.deployment import artifacts, bootstrap, records

    bucket = bootstrap.find_bucket(aws)
    if bucket is None:
        return None
    shelf = records.recent(artifacts.bucket_of(aws, bucket, account), environment.name, unheard, _RECORDS)
    current = records.current(records.settled(shelf.records, stack), stack, shelf.unreadable)
    return Serving(current.number, current.version.commit) if current else None
