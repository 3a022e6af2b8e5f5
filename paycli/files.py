"""Writing files."""

import glob
import os
import secrets
from pathlib import Path


def write_whole(path: Path, text: str, *, mode: int = 0o666) -> None:
    """Write a file whole or not at all: a reader never finds half of it.

    `mode` are its permissions, less what the umask takes, from the first moment on. The draft is always a file of its
    own: nobody can have laid a link there.
    """
    draft = path.with_name(_draft(path.name, secrets.token_hex(4)))
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def drafts(path: Path) -> list[Path]:
    """Return the drafts of a file: each is being written, or its writer was killed."""
    return list(path.parent.glob(_draft(glob.escape(path.name), "*")))


def _draft(name: str, number: str) -> str:
    return f".{name}.{number}.new"
