"""paycli as a process of its own, at whose moments a test does something; and how a command ended."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Point = Callable[[], bool]
# What a test does at a moment: a signal for paycli, or whatever the function does.
Happening = signal.Signals | Callable[[], object]


@dataclass(frozen=True)
class Ran:
    """How a command ended, what it said, and, where that matters, when (`time.monotonic()`)."""

    status: int
    out: str
    err: str
    began: float = 0.0
    ended: float = 0.0

    @property
    def document(self) -> dict[str, Any]:
        """The document that --json prints."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def data(self) -> Any:
        return self.document["data"]


def clean(**more: str) -> dict[str, str]:
    """Return the environment without the caller's AWS, and with `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PAYCLI_"))}
    return {**kept, **more}


@dataclass(frozen=True)
class CommandLine:
    """A folder in which paycli is called, with these variables; `program` are Python's arguments."""

    root: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = ("-m", "paycli")

    def run(
        self, *arguments: str, moments: Sequence[tuple[Point, Happening]] = (), seconds: float = 60, **more: str
    ) -> Ran:
        """Run paycli to its end; at each point its signal is sent, or its function called, one after the other.

        `seconds` is when it is given up; `more` are environment variables.
        """
        began = time.monotonic()
        process = self.begin(*arguments, **more)
        pending = list(moments)
        try:
            while pending and process.poll() is None and time.monotonic() < began + seconds:
                point, happening = pending[0]
                if point():
                    pending.pop(0)
                    process.send_signal(happening) if isinstance(happening, signal.Signals) else happening()
                time.sleep(0.005)
            out, err = process.communicate(timeout=seconds)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        return Ran(process.returncode, out, err, began, time.monotonic())

    def begin(self, *arguments: str, **more: str) -> "subprocess.Popen[str]":
        """Start paycli and return at once."""
        return subprocess.Popen(
            [sys.executable, *self.program, *arguments],
            cwd=self.root,
            env=clean(**self.environ, **more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
