"""The record of each deploy: what was deployed, by whom, how it ended; beside the artifacts, in the artifact bucket.

`deployments/ENV/000007.json` is the seventh deploy of an environment. It names the template and the code by their
digests, so a version can be deployed again without the checkout that it came from.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from paycli.deployment.artifacts import Bucket, download, download_if_there, template_key
from paycli.deployment.stacks import Stack
from paycli.errors import PaycliError
from paycli.progress import Report, Step, unheard

# How many are looked through for the version before; older ones stay in the bucket, and are gone back to by number.
KEPT = 20
_READERS = 8
_NUMBERED = re.compile(r"deployments/[^/]+/(\d{6,})\.json")

Ended = Literal["succeeded", "failed", "cancelled"]


class Version(BaseModel):
    """What was deployed, by digest, and where it came from."""

    model_config = ConfigDict(frozen=True)

    template_sha256: str
    code_key: str
    paycli: str
    commit: str  # empty outside git; ends in -dirty where the checkout had changes of its own

    @property
    def identity(self) -> tuple[str, str]:
        """What two deploys of the same version have in common."""
        return self.template_sha256, self.code_key


class Record(BaseModel):
    """One deploy. Times are ISO 8601 in UTC."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1] = 1
    number: int
    environment: str
    stack_id: str
    change_set_id: str  # the one that is executed
    # The one that was shown: another is executed after an import of kept data.
    reviewed_change_set_id: str = ""
    version: Version
    deployer: str  # the ARN of who deployed it
    started_at: str
    finished_at: str = ""
    result: Literal["in_progress", "succeeded", "failed", "cancelled"] = "in_progress"
    changes: int
    cause: str = ""  # of a failure
    left_behind: tuple[str, ...] = ()  # what couldn't be deleted after the update, with AWS's reason
    rollback_of: int | None = None  # the record whose version this one deployed again
    unseen: bool = False  # it succeeded, but an interrupt kept its own paycli from saying so
    smoke_test: Literal["", "passed", "failed"] = ""  # that the deploy itself ran, once it had succeeded

    def ended(self, result: Ended, cause: str = "") -> "Record":
        """Return the record of the deploy at its end."""
        return self.model_copy(update={"result": result, "cause": cause, "finished_at": now()})


@dataclass(frozen=True)
class Shelf:
    """What lies where the records of an environment are kept."""

    records: Sequence[Record]  # newest first
    unreadable: Sequence[int]  # the numbers of those that can't be read: damaged, or of a newer paycli
    newest: int  # the highest number that is taken, 0 where none is


def now() -> str:
    """Return the time, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def begin(bucket: Bucket, record: Record, look: Callable[[], Stack | None], report: Report) -> Record:
    """Write the record under the next free number (three calls), and return it with that number.

    The write is conditional: of two deploys that begin at once, each gets a number of its own. `look` returns the stack
    as it is now: it tells how the deploy before ended, where that one's paycli didn't live to write it.
    """
    from botocore.exceptions import ClientError

    before = recent(bucket, record.environment, report, 1)
    if any(one.result == "in_progress" for one in before.records):
        _write_settled(bucket, before.records, look())
    number = before.newest
    while True:
        number += 1
        numbered = record.model_copy(update={"number": number})
        try:
            bucket.s3.put_object(**bucket.place, Key=_key(numbered), Body=_content(numbered), IfNoneMatch="*")
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ConditionalRequestConflict":  # another write of it is under way
                number -= 1
            elif code != "PreconditionFailed":
                raise
            elif download(bucket, _key(numbered)) == _content(numbered):  # the reply was lost, and boto3 repeated it
                return numbered
        else:
            return numbered


def settle(bucket: Bucket, environment: str, stack: Stack) -> None:
    """Write how deploys ended whose paycli didn't live to write it, as far as the stack tells."""
    _write_settled(bucket, recent(bucket, environment, unheard, 1).records, stack)


def _write_settled(bucket: Bucket, before: Sequence[Record], stack: Stack | None) -> None:
    for record, ended in zip(before, settled(before, stack), strict=True):
        if ended != record:
            write(bucket, ended)


def write(bucket: Bucket, record: Record) -> None:
    """Write the record as it is now, in the place of what stood there (one call)."""
    bucket.s3.put_object(**bucket.place, Key=_key(record), Body=_content(record))


def now_executing(bucket: Bucket, record: Record, change_set_id: str) -> Record:
    """Write that another change set is executed: by it the stack tells how this deploy has ended, if paycli can't."""
    going_on = record.model_copy(update={"change_set_id": change_set_id})
    write(bucket, going_on)
    return going_on


def recent(bucket: Bucket, environment: str, report: Report, limit: int = KEPT) -> Shelf:
    """Return what is kept under the newest numbers: one call, and one for each.

    What is no record, or none that this version can read, is reported and left as it is: no deploy waits for it.
    """
    numbered: dict[str, int] = {}
    for key in _keys(bucket, environment):
        if number := _number(key):
            numbered[key] = number
        else:
            report(Step(f"{key} in the artifact bucket is no record of a deploy: it is left as it is."))
    newest = sorted(numbered, key=numbered.__getitem__, reverse=True)[:limit]
    read = _read_all(bucket, newest)
    for key, record in read.items():
        if record is None:
            report(Step(_unreadable(key)))
    return Shelf(
        records=[record for record in read.values() if record],
        unreadable=[numbered[key] for key, record in read.items() if record is None],
        newest=max(numbered.values(), default=0),
    )


def numbered(bucket: Bucket, environment: str, number: int) -> Record:
    """Return the record of that number, however old it is (one call).

    Raises PaycliError where there is none, or none that this version of paycli can read.
    """
    key = _name(environment, number)
    content = download_if_there(bucket, key)
    if content is None:
        raise PaycliError(
            f"Deploy {number} is not on record.", hint="`paycli history` lists the deploys.", code="no_such_deploy"
        )
    record = _parsed(key, content)
    if record is None:
        raise PaycliError(
            f"The record of deploy {number} can't be read: it is damaged, or a newer paycli has written it.",
            hint="Deploy from a checkout of its commit; the bucket's old versions may have the record as it was.",
            code="record_unreadable",
        )
    return record


def forget(bucket: Bucket, environment: str, report: Report) -> int:
    """Remove the records of an environment, and the templates and code that no other environment's records name.

    What can't be read stays; where that is another environment's record, templates and code stay as well, since it may
    name them. Returns how many objects went. The bucket is versioned: they can be brought back until its old versions
    expire.
    """
    own: dict[str, Record] = {}
    others: set[str] = set()
    told = True  # whether every other environment says what it needs
    for key in filter(_number, _keys(bucket, "")):
        mine = key.startswith(_folder(environment))
        record = _read(bucket, key)
        if record is None:
            told = told and mine
            report(Step(_unreadable(key)))
        elif mine:
            own[key] = record
        else:
            others |= set(_artifacts(record))
    if own and not told:
        report(Step("Templates and code stay as well: another environment's record that can't be read may name them."))
    artifacts = {key for record in own.values() for key in _artifacts(record)} - others if told else set[str]()
    gone = own.keys() | artifacts
    for key in sorted(gone, key=lambda one: (one in own, one)):  # the records last: they name the rest
        bucket.s3.delete_object(**bucket.place, Key=key)
    return len(gone)


def settled(records: Iterable[Record], stack: Stack | None) -> list[Record]:
    """Return the records with those that nobody ended told by the stack, unless something runs on it.

    A paycli that was killed leaves its record in progress. The stack names the change set that it executed last.
    """
    return [_settled(record, stack) for record in records]


def current(records: Iterable[Record], stack: Stack | None, unreadable: Iterable[int] = ()) -> Record | None:
    """Return the record of the version that runs, the newest that succeeded on the stack as it stands.

    None where none does: an earlier stack of that name is gone, with what ran on it. None as well where one unread is
    newer.
    """
    if stack is None or not stack.serves:
        return None
    own = (record for record in records if record.stack_id == stack.stack_id)
    newest = next((record for record in own if record.result == "succeeded"), None)
    return newest if newest and newest.number > max(unreadable, default=0) else None


def _settled(record: Record, stack: Stack | None) -> Record:
    if record.result != "in_progress" or (stack and stack.in_progress):
        return record
    if stack and stack.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"} and _is_last(record, stack):
        return record.ended("succeeded")
    return record.ended("failed", "paycli didn't see its end")


def _is_last(record: Record, stack: Stack) -> bool:
    """Whether what the stack executed last is this deploy's; the embedded AWS doesn't name it, but when it began."""
    if not stack.change_set_id:
        return bool(stack.changed_at and stack.changed_at.astimezone(UTC).isoformat() >= record.started_at[:-1])
    return stack.change_set_id == record.change_set_id


def _artifacts(record: Record) -> tuple[str, str]:
    return template_key(record.version.template_sha256), record.version.code_key


def _keys(bucket: Bucket, environment: str) -> list[str]:
    """Return the keys of what lies in an environment's folder; in all folders for an empty name."""
    pages = bucket.s3.get_paginator("list_objects_v2").paginate(**bucket.place, Prefix=_folder(environment))
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def _number(key: str) -> int:
    """Return the number of the deploy that a key is of, or 0 where it isn't a record's."""
    found = _NUMBERED.fullmatch(key)
    return int(found[1]) if found else 0


def _read_all(bucket: Bucket, keys: Sequence[str]) -> dict[str, Record | None]:
    """Return the records, read side by side; an interrupt doesn't wait for an S3 that doesn't answer."""
    if len(keys) < 2:
        return {key: _read(bucket, key) for key in keys}
    pool = ThreadPoolExecutor(_READERS)
    try:
        read = dict(zip(keys, pool.map(lambda key: _read(bucket, key), keys), strict=True))
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    return read


def _read(bucket: Bucket, key: str) -> Record | None:
    """Return the record, or None where this version of paycli can't read it."""
    content = download_if_there(bucket, key)  # it may be removed since it was listed
    return _parsed(key, content) if content is not None else None


def _parsed(key: str, content: bytes) -> Record | None:
    """Return the record that lies under a key, or None where this version of paycli can't read it."""
    try:
        record = Record.model_validate_json(content)
    except ValidationError:
        return None
    return record if _key(record) == key else None


def _unreadable(key: str) -> str:
    return f"{key} in the artifact bucket can't be read, damaged or of a newer paycli: it is left as it is."


def _content(record: Record) -> bytes:
    return record.model_dump_json().encode()


def _key(record: Record) -> str:
    return _name(record.environment, record.number)


def _name(environment: str, number: int) -> str:
    return f"{_folder(environment)}{number:06d}.json"


def _folder(environment: str) -> str:
    return f"deployments/{environment}/" if environment else "deployments/"
