"""The embedded AWS: MiniStack in a process of its own, one a project.

Its folder is `.paycli/embedded` (0700). The process holds a lock on the file `lock` for as long as
it lives (the descriptor is handed down to it), so whether it runs is asked of the kernel: a stale
record or a reused process id can't mislead, and no other process is ever signalled. Whether its
state is saved is asked of a file that only the process itself removes (`embedded_process.py`).
"""

import contextlib
import fcntl
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from paycli import embedded_state
from paycli.errors import ConfigurationError, PaycliError
from paycli.files import write_whole

SERVICES = "s3,dynamodb,sqs,sns,lambda,iam,sts,logs,monitoring,apigateway,kms,cloudformation,wafv2,events,ssm"
_START_SECONDS = 20.0
_STOP_SECONDS = 20.0
_ANSWER_SECONDS = 2.0


@dataclass(frozen=True)
class Emulator:
    """A running embedded AWS."""

    pid: int
    port: int
    # Of one that was just started: the one before ended without saving what came after this.
    lost_since: datetime | None = field(default=None, compare=False)

    @property
    def url(self) -> str:
        """Where every service answers."""
        return f"http://127.0.0.1:{self.port}"


def home(root: Path) -> Path:
    """Return the folder of the embedded AWS of the project at `root`."""
    return root / ".paycli" / "embedded"


def find(root: Path) -> Emulator | None:
    """Return the running embedded AWS of the project, if there is one.

    Raises PaycliError where its process lives but doesn't answer.
    """
    folder = home(root)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with _lock(folder) as lock:
            if lock is not None:
                return None
        emulator = _answering(folder)
        if emulator:
            return emulator
        time.sleep(0.02)
    raise _silent(folder)


def start(root: Path) -> Emulator:
    """Start the embedded AWS, or return the one that runs; ready when this returns (0.3 s).

    Raises ConfigurationError where the extra isn't installed, PaycliError where it doesn't start, or couldn't read
    the state that it has.
    """
    folder = home(root)
    if importlib.util.find_spec("ministack") is None:
        raise ConfigurationError(
            "The embedded AWS isn't installed.", hint="pip install 'paycli[local]'", code="emulator_missing"
        )
    for part in (folder.parent, folder):
        part.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.chmod(0o700)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with _lock(folder) as lock:
            if lock is not None:
                return _launch(folder, lock)
        emulator = _answering(folder)
        if emulator:
            return emulator
        time.sleep(0.02)
    raise _silent(folder)


def take_part(root: Path) -> tuple[int, bool]:
    """Say, for as long as the descriptor returned is open, that this process works on the running embedded AWS.

    The second value is whether somebody was about to stop it, which was waited for: it may be gone. These locks are the
    process's own, and end with it.
    """
    descriptor = os.open(home(root) / "users", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        fcntl.lockf(descriptor, fcntl.LOCK_SH)
        return descriptor, True
    return descriptor, False


def keep_others_off(root: Path) -> int | None:
    """Let whoever wants to work on the embedded AWS wait until the descriptor returned is closed.

    None where another process works on it.
    """
    descriptor = os.open(home(root) / "users", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return None  # the descriptor stays: to close it would end this process's own part
    return descriptor


def _launch(folder: Path, lock: int) -> Emulator:
    """Start the process; whoever comes meanwhile finds the lock taken and waits for the process's record."""
    embedded_state.demand_readable(folder)
    lost_since = embedded_state.unsaved_since(folder)
    port = _free_port(_recorded_port(folder))
    (folder / embedded_state.RECORD).unlink(missing_ok=True)
    shutil.rmtree(folder / "tmp", ignore_errors=True)  # what the functions of the last start left
    for part in ("state", "s3", "tmp"):
        (folder / part).mkdir(mode=0o700, exist_ok=True)
    write_whole(folder / "port", str(port), mode=0o600)
    process = _spawn(folder, port, lock)
    emulator = Emulator(process.pid, port)
    try:
        _await_ready(process, emulator, folder)
    except BaseException:
        process.terminate()
        process.wait()
        embedded_state.never_began(folder, lost_since)
        raise
    process.returncode = 0  # it outlives paycli by intent: Popen need not warn of it
    return replace(emulator, lost_since=lost_since)


def stop(root: Path) -> bool:
    """Stop the embedded AWS, also one that doesn't answer, and wait until its state is saved; False where none runs.

    Raises PaycliError where the state isn't saved, or can't be: then nothing is stopped.
    """
    folder = home(root)
    emulator = None
    deadline = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < deadline:
        with _lock(folder) as lock:
            if lock is not None:
                if emulator:
                    embedded_state.demand_saved(folder)
                return emulator is not None
        if emulator is None:
            emulator = _recorded(folder)  # the process that has the lock
            if emulator:
                embedded_state.demand_room(folder, emulator.pid)
                os.kill(emulator.pid, signal.SIGTERM)
        time.sleep(0.02)
    who = f"process {emulator.pid}" if emulator else "its process id isn't known yet"
    raise PaycliError(
        f"The embedded AWS ({who}) doesn't stop.",
        hint=f"See {folder / 'log'}. Ending it with `kill -9` loses what came since its last stop.",
        code="emulator_stuck",
    )


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[int | None]:
    """Give the lock's descriptor, or None where a running emulator (or one being started) has it."""
    if not folder.is_dir():
        yield -1
        return
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield descriptor
    finally:
        os.close(descriptor)


def _answering(folder: Path) -> Emulator | None:
    """Return the recorded emulator if it answers."""
    emulator = _recorded(folder)
    return emulator if emulator and _is_ready(emulator) else None


def _recorded(folder: Path) -> Emulator | None:
    """Return what the record says; only while the lock is taken it speaks of a process that lives."""
    try:
        return Emulator(**json.loads((folder / embedded_state.RECORD).read_text()))
    except (FileNotFoundError, ValueError):
        return None


def _silent(folder: Path) -> PaycliError:
    return PaycliError(
        "The process of the embedded AWS lives, but it doesn't answer.",
        hint=f"See {folder / 'log'}; its process id is in {folder / embedded_state.RECORD}.",
        code="emulator_failed",
    )


def _is_ready(emulator: Emulator) -> bool:
    direct = HTTPConnection("127.0.0.1", emulator.port, timeout=_ANSWER_SECONDS)  # whatever HTTP_PROXY says
    with contextlib.closing(direct), contextlib.suppress(OSError, HTTPException):
        direct.request("GET", "/_ministack/ready")
        return direct.getresponse().status == HTTPStatus.OK
    return False


def _recorded_port(folder: Path) -> int:
    """Return the port of the last start, so that an endpoint someone noted stays true; else 0."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        return int((folder / "port").read_text())
    return 0


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _spawn(folder: Path, port: int, lock: int) -> subprocess.Popen[bytes]:
    """Start the process with an environment of its own: a Lambda function inherits all of it."""
    variables = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "ERROR",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(folder / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folder / "s3"),
        "SERVICES": SERVICES,
    }
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        return subprocess.Popen(
            [sys.executable, "-c", "from paycli.embedded_process import main; main()"],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            start_new_session=True,  # Ctrl-C on the terminal is for paycli, not for it
        )
    finally:
        os.close(log)


def _await_ready(process: subprocess.Popen[bytes], emulator: Emulator, folder: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if _is_ready(emulator):
            return
        time.sleep(0.01)
    raise PaycliError(
        "The embedded AWS did not start.",
        hint=f"Its last words are in {folder / 'log'}.",
        code="emulator_failed",
    )
