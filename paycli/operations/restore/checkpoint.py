"""How far a merge is: `.paycli/restore/TABLE.json`, for its owner alone. It holds ids of payments, and nothing else."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paycli.files import drafts, write_whole

_SCHEMA = 2
# Later, what is done already may need it again.
_FRESH_SECONDS = 24 * 3600.0


@dataclass
class Progress:
    """Where each segment goes on (None: it is done) and what was counted; a segment that isn't there hasn't begun.

    Counts are of whole pages. Of the page that a segment is at, `begun` has what is being written, by id: when the page
    is read again, what stands there already was written by this merge.
    """

    of: Mapping[str, Any]  # the tables and what was asked for: another merge doesn't go on with this one
    positions: dict[int, Mapping[str, Any] | None] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    begun: dict[int, dict[str, str]] = field(default_factory=dict)
    confirmed: int = 0  # how many were to be overwritten
    left: int = 0  # how many of these still may be


def path_of(root: Path, table: str) -> Path:
    """Return the file of a restored table."""
    return root / ".paycli" / "restore" / f"{table}.json"


def load(path: Path, of: Mapping[str, Any]) -> Progress | None:
    """Return how far an interrupted merge of the last 24 h is; None where it was another one, or none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if (document["schema"], document["of"]) != (_SCHEMA, dict(of)):
            return None
        if time.time() - document["at"] > _FRESH_SECONDS:
            return None
        positions = {int(segment): position for segment, position in document["positions"].items()}
        begun = {int(segment): dict(written) for segment, written in document["begun"].items()}
        return Progress(of, positions, document["counts"], begun, int(document["confirmed"]), int(document["left"]))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None  # it saves time and nothing else: a merge may always begin anew


def save(path: Path, progress: Progress) -> None:
    """Write it whole."""
    make_folder(path)
    document = {
        "schema": _SCHEMA,
        "at": time.time(),
        "of": progress.of,
        "positions": progress.positions,
        "counts": progress.counts,
        "begun": progress.begun,
        "confirmed": progress.confirmed,
        "left": progress.left,
    }
    write_whole(path, json.dumps(document), mode=0o600)


def make_folder(path: Path) -> None:
    """Make the folder of such a file, for its owner alone."""
    path.parent.parent.mkdir(mode=0o700, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)


def forget(path: Path) -> None:
    """Remove it: the merge is done."""
    path.unlink(missing_ok=True)


def forget_table(path: Path) -> None:
    """Remove it, and what merges that were killed as they wrote it have left: the table is gone."""
    forget(path)
    for draft in drafts(path):
        draft.unlink(missing_ok=True)
