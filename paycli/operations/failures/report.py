"""The file that keeps what was taken from a queue: a message is in it before it is deleted."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from paycli.errors import PaycliError
from paycli.operations.failures.message import Message
from paycli.operations.failures.queue import Facts


def default_path(root: Path, action: str, environment: str) -> Path:
    """Return a new file's path in the project's .paycli folder."""
    return root / ".paycli" / "failures" / f"{action}-{environment}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.jsonl"


class Report:
    """A file of JSON lines, one a message, for its owner's eyes only (payments are personal data).

    Each line is on the disk before write() returns. The file appears with its first line, and is always a new one.
    """

    def __init__(self, path: Path) -> None:
        """Take the path of a file that isn't there yet."""
        self.path = path
        self.lines = 0
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def write(self, queue: Facts, message: Message, **more: Any) -> None:
        """Add a message and what became of it. Raises PaycliError where that can't be kept."""
        line = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "queue": queue.name,
            "message_id": message.message_id,
            **more,
            "message": message.content(),
        }
        try:
            if self._descriptor is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            _write_all(self._descriptor, f"{json.dumps(line)}\n".encode())
            os.fsync(self._descriptor)
        except OSError as error:
            raise PaycliError(
                f"{self.path} can't be written: {error.strerror}. Its message stays in the queue.",
                hint="Choose another --report.",
                code="report_unwritable",
            ) from None
        self.lines += 1


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
