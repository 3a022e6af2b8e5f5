"""handlers/ -> the zip that Lambda runs: sources only, the same bytes from the same sources."""

import hashlib
import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from paycli.errors import PaycliError

# The earliest time a zip can carry: a checkout's file times must not change the bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class CodePackage:
    """The zip, and the digest (SHA-256, hex) of its sources, which names it."""

    content: bytes
    digest: str

    @property
    def key(self) -> str:
        """The S3 key: content-addressed, so that the same code is the same object for every environment."""
        return f"code/{self.digest}.zip"


def package(root: Path) -> CodePackage:
    """Pack the Python sources below `root` (the folder `handlers`), under `handlers/`.

    The digest is of names and contents, not of the zip: another zlib compresses to other bytes.
    Raises PaycliError where a source is a link, which may lead outside, or no file (a pipe would never end).
    """
    sources: list[tuple[str, bytes]] = []
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(root.rglob("*.py")):
            name = f"handlers/{path.relative_to(root).as_posix()}"
            if any(part.is_symlink() for part in (path, *path.parents) if part.is_relative_to(root) and part != root):
                raise PaycliError(
                    f"{path} is a symbolic link.", hint="Put the file itself into handlers/.", code="linked_source"
                )
            if not path.is_file():
                raise PaycliError(
                    f"{path} is not a file.", hint="Take it out of handlers/, or name it otherwise.", code="odd_source"
                )
            content = path.read_bytes()
            sources.append((name, content))
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix on every machine: it is part of the bytes
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    return CodePackage(buffer.getvalue(), _digest(sources))


def digest_of(content: bytes) -> str:
    """Return the digest of the sources in a zip: that of its CodePackage. Raises BadZipFile where it is none."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return _digest((name, archive.read(name)) for name in archive.namelist())


def _digest(sources: Iterable[tuple[str, bytes]]) -> str:
    digest = hashlib.sha256()
    for name, content in sources:
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
