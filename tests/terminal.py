"""A command on a terminal of 500 columns, at which a test types."""

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

# Whether it is time to type, by what has been shown since the last time.
Cue = Callable[[str], bool]
_SIZE = {"COLUMNS", "LINES"}  # they would speak for another terminal


def asked(shown: str) -> bool:
    """Whether paycli waits for an answer."""
    return re.search(r"(\[y/N\]|to confirm:) $", shown) is not None


def run(
    root: Path,
    variables: Mapping[str, str],
    arguments: Sequence[str],
    typed: Sequence[tuple[Cue, str]] = (),
    seconds: float = 60,
) -> tuple[int, str]:
    """Run paycli to its end and type each text at its cue, one after the other; return its status and all it showed."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 500, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "paycli", *arguments],
        cwd=root,
        env={name: value for name, value in variables.items() if name not in _SIZE} | {"TERM": "xterm"},
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no thread runs yet
    )
    os.close(follower)
    pending, shown, since = list(typed), b"", 0
    deadline = time.monotonic() + seconds
    try:
        with contextlib.suppress(OSError):  # the end of a terminal is an error of the read
            while time.monotonic() < deadline:
                if select.select([leader], [], [], 0.01)[0]:
                    shown += os.read(leader, 65536)
                if pending and pending[0][0](shown[since:].decode(errors="replace")):
                    os.write(leader, pending.pop(0)[1].encode())
                    since = len(shown)
        return process.wait(max(deadline - time.monotonic(), 1)), shown.decode()
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        os.close(leader)
