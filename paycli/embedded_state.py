"""What the embedded AWS has on disk: whether it can be read, whether it can be saved, and what was lost."""

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from paycli.errors import PaycliError

UNSAVED = "unsaved"  # the file that stands while the process has something that isn't saved; its time is the start's
RECORD = "emulator.json"  # the process's id and port, while it lives
_GROWTH = 2**20  # bytes that the state may need more than when it was last saved


def unsaved_since(folder: Path) -> datetime | None:
    """Return since when nothing is saved: the start of what runs, or of what ended unsaved; None after a clean stop."""
    try:
        return datetime.fromtimestamp((folder / UNSAVED).stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def never_began(folder: Path, since: datetime | None) -> None:
    """Let the sign be as before a start that failed: `since` is what `unsaved_since` gave then."""
    sign = folder / UNSAVED
    if since is None:
        sign.unlink(missing_ok=True)
        return
    sign.touch(mode=0o600)
    os.utime(sign, (since.timestamp(), since.timestamp()))


def loss(since: datetime) -> str:
    """Say what was lost by an end that saved nothing."""
    return f"The embedded AWS was killed, or couldn't save its state: what came after {said(since)} is lost."


def said(at: datetime) -> str:
    """Return a time as it is shown."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def demand_readable(folder: Path) -> None:
    """Raise PaycliError where a file of the state can't be read: MiniStack would begin without it, and save that."""
    for path in sorted((folder / "state").glob("*.json")):
        try:
            json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise PaycliError(
                f"The state of the embedded AWS is damaged: {path} can't be read: {error}",
                hint=f"Nothing was started. Restore that file, or remove {folder} to begin anew, without what it has.",
                code="emulator_state_damaged",
            ) from None


def demand_room(folder: Path, process: int) -> None:
    """Raise PaycliError where a full disk may not take the state: until then it is only in memory, and not lost."""
    saved = sum(path.stat().st_size for path in (folder / "state").rglob("*") if path.is_file())
    free = shutil.disk_usage(folder).free
    if free < saved + _GROWTH:
        raise PaycliError(
            f"The embedded AWS isn't stopped: there may be too little room to save its state ({free // 1024} KB free).",
            hint=f"Free {(saved + _GROWTH) // 1024} KB for {folder}, then stop it again. "
            f"`kill -9 {process}` gives up what it hasn't saved.",
            code="emulator_no_room",
        )


def demand_saved(folder: Path) -> None:
    """Raise PaycliError where the process has ended without saving all it had."""
    since = unsaved_since(folder)
    if since:
        raise PaycliError(
            f"The embedded AWS has ended, but its state isn't saved: what came after {said(since)} is lost.",
            hint=f"{folder / 'log'} says what couldn't be saved. Is the disk full?",
            code="emulator_unsaved",
        )
