"""Every exchange of a run, on disk: the reconciliation reads it at the end, also after a run that was cut short."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from paycli.operations.load.sample import Sample, from_row
from paycli.operations.reconciliation import Exchange

FOLDER = Path(".paycli") / "load"


class Ledger:
    """A file with one JSON array a line, `FOLDER/RUN.jsonl`, for its owner alone."""

    def __init__(self, root: Path, run: str) -> None:
        self.path = self.of(root, run)
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")

    @staticmethod
    def of(root: Path, run: str) -> Path:
        """Return where the ledger of a run is."""
        return root / FOLDER / f"{run}.jsonl"

    def add(self, rows: Iterable[list[Any]]) -> list[Sample]:
        """Write the rows of samples, and return the samples."""
        kept = list(rows)
        self._file.writelines(json.dumps(row, separators=(",", ":")) + "\n" for row in kept)
        return [from_row(row) for row in kept]

    def close(self) -> None:
        """Bring everything to the disk; nothing is added any more."""
        self._file.close()

    def exchanges(self) -> Iterator[Exchange]:
        """Yield the exchanges, in the order in which the answers came."""
        with self.path.open(encoding="utf-8") as file:
            for line in file:
                yield from_row(json.loads(line)).exchange

    def forget(self) -> None:
        """Remove the file."""
        self.path.unlink()
