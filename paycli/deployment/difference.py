"""Which handlers a deploy would change: the deployed package beside this one, file by file."""

import io
import zipfile
from dataclasses import dataclass

from paycli.deployment.artifacts import Bucket, checksum, download
from paycli.deployment.package import CodePackage


@dataclass(frozen=True)
class CodeChange:
    """The digests (hex, empty where nothing is deployed) and the files that differ."""

    before: str
    after: str
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether the code changes."""
        return self.before != self.after


def code_change(bucket: Bucket | None, deployed_key: str | None, code: CodePackage) -> CodeChange:
    """Compare the package with the deployed one (two calls, none where the digests are equal).

    A deployed package that is no longer in the bucket counts as one without files.
    """
    before = (deployed_key or "").removeprefix("code/").removesuffix(".zip")
    if before == code.digest:
        return CodeChange(before, code.digest)
    there: dict[str, int] = {}
    if bucket and deployed_key and checksum(bucket, deployed_key) is not None:
        there = _files(download(bucket, deployed_key))
    here = _files(code.content)
    return CodeChange(
        before,
        code.digest,
        added=tuple(sorted(here.keys() - there.keys())),
        changed=tuple(sorted(name for name in here.keys() & there.keys() if here[name] != there[name])),
        removed=tuple(sorted(there.keys() - here.keys())),
    )


def _files(content: bytes) -> dict[str, int]:
    """Return the checksum (CRC-32) of each file in a zip."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {entry.filename: entry.CRC for entry in archive.infolist()}
