"""Which payments merges have copied back as validated: `.paycli/restore/TABLE.validated`, an id a line.

An id is noted before its payment is written: whatever ends a merge, none is missing. For its owner alone.
"""

import os
from collections.abc import Collection
from pathlib import Path

from paycli.operations.restore.checkpoint import make_folder


def path_of(root: Path, table: str) -> Path:
    """Return the file of a restored table."""
    return root / ".paycli" / "restore" / f"{table}.validated"


def note(path: Path, transactions: Collection[str]) -> None:
    """Add ids in one write."""
    make_folder(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("".join(f"{transaction}\n" for transaction in transactions))


def count(path: Path) -> int:
    """Return how many there are: one that was interrupted may be noted twice."""
    try:
        with path.open(encoding="utf-8") as file:
            return len(set(file))
    except FileNotFoundError:
        return 0
