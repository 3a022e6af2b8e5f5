"""The record of each deploy: what was deployed, by whom, how it ended; beside the artifacts, in the artifact bucket.

`deployments/ENV/000007.json` is the seventh deploy of an environment. It names the template and the code by their
digests, so a version can be deployed again without the checkout that it came from.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from paycli.deployment.artifacts import Bucket, download, template_key
from paycli.deployment.stacks import Stack

# How many can be listed and deployed again; older ones stay in the bucket.
KEPT = 20
_READERS = 8


Ended = Literal["succeeded", "failed", "cancelled"]


class Version(BaseModel):
    """What was deployed, by digest, and where it came from."""

    model_config = ConfigDict(frozen=True)

    template_sha256: str
    code_key: str
    paycli: str
    commit: str  # empty outside git; ends in -dirty where the checkout had changes of its own


class Record(BaseModel):
    """One deploy. Times are ISO 8601 in UTC."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1] = 1
    number: int
    environment: str
    stack_id: str
    change_set_id: str
    version: Version
    deployer: str  # the ARN of who deployed it
    started_at: str
    finished_at: str = ""
    result: Literal["in_progress", "succeeded", "failed", "cancelled"] = "in_progress"
    changes: int
    cause: str = ""  # of a failure
    rollback_of: int | None = None  # the record whose version this one deployed again

    @property
    def version_id(self) -> tuple[str, str]:
        """What two deploys of the same version have in common."""
        return self.version.template_sha256, self.version.code_key

    def ended(self, result: Ended, cause: str = "") -> "Record":
        """Return the record of the deploy at its end."""
        return self.model_copy(update={"result": result, "cause": cause, "finished_at": now()})


def now() -> str:
    """Return the time, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def begin(bucket: Bucket, record: Record, stack: Stack | None) -> Record:
    """Write the record under the next free number (three calls), and return it with that number.

    The write is conditional: of two deploys that begin at once, each gets a number of its own. `stack` is the stack
    before this deploy: it tells how the deploy before ended, where that one's paycli didn't live to write it.
    """
    from botocore.exceptions import ClientError

    before = recent(bucket, record.environment, 1)
    for ended in settled(before, stack):
        if ended not in before:
            end(bucket, ended)
    number = before[0].number if before else 0
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


def end(bucket: Bucket, record: Record) -> None:
    """Write the record as it ended."""
    bucket.s3.put_object(**bucket.place, Key=_key(record), Body=_content(record))


def recent(bucket: Bucket, environment: str, limit: int = KEPT) -> list[Record]:
    """Return the newest records, newest first: one call, and one for each."""
    keys = sorted(_keys(bucket, environment), reverse=True)[:limit]
    with ThreadPoolExecutor(_READERS) as pool:
        contents = pool.map(lambda key: download(bucket, key), keys)
        return [Record.model_validate_json(content) for content in contents]


def forget(bucket: Bucket, environment: str) -> int:
    """Remove the records of an environment, and the templates and code that no other environment's records name.

    Returns how many objects went. The bucket is versioned: they can be brought back until its old versions expire.
    """
    own, others = [], set()
    for key in _keys(bucket, ""):
        record = Record.model_validate_json(download(bucket, key))
        if record.environment == environment:
            own.append((key, record))
        else:
            others |= set(_artifacts(record))
    gone = {key for key, _ in own} | {key for _, record in own for key in _artifacts(record)} - others
    for key in sorted(gone):
        bucket.s3.delete_object(**bucket.place, Key=key)
    return len(gone)


def settled(records: Iterable[Record], stack: Stack | None) -> list[Record]:
    """Return the records with those that nobody ended told by the stack, unless something runs on it.

    A paycli that was killed leaves its record in progress. The stack names the change set that it executed last.
    """
    return [_settled(record, stack) for record in records]


def current(records: Iterable[Record]) -> Record | None:
    """Return the record of the version that runs: the newest that succeeded."""
    return next((record for record in records if record.result == "succeeded"), None)


def _settled(record: Record, stack: Stack | None) -> Record:
    if record.result != "in_progress" or (stack and stack.in_progress):
        return record
    if stack and stack.change_set_id == record.change_set_id and stack.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        return record.ended("succeeded")
    return record.ended("failed", "paycli didn't see its end")


def _artifacts(record: Record) -> tuple[str, str]:
    return template_key(record.version.template_sha256), record.version.code_key


def _keys(bucket: Bucket, environment: str) -> list[str]:
    """Return the keys of an environment's records; of all records for an empty name."""
    prefix = f"deployments/{environment}/" if environment else "deployments/"
    pages = bucket.s3.get_paginator("list_objects_v2").paginate(**bucket.place, Prefix=prefix)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def _content(record: Record) -> bytes:
    return record.model_dump_json().encode()


def _key(record: Record) -> str:
    return f"deployments/{record.environment}/{record.number:06d}.json"
