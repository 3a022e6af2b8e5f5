"""Readings that run side by side, each with a value or the reason why there is none."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from paycli.aws_errors import explain
from paycli.errors import PaycliError

T = TypeVar("T")


@dataclass(frozen=True)
class Unread:
    """What could not be read."""

    unread: str  # why, in one line


def begin(task: Callable[[], T]) -> "Future[T | Unread]":
    """Run `task` on a thread of its own, as `read` does; no exit has to wait for the thread."""
    future: Future[T | Unread] = Future()

    def work() -> None:
        try:
            future.set_result(read(task))
        except BaseException as error:  # noqa: BLE001 - a mistake of paycli: it is for who waits
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future


def read(task: Callable[[], T]) -> T | Unread:
    """Return what `task` returns; what AWS or the API refuses is an Unread and no exception."""
    try:
        return task()
    except (BotoCoreError, ClientError) as error:
        said = str(explain(error))
    except PaycliError as error:
        said = error.message
    return Unread(" ".join(said.split()))


def outcome(reading: "Future[T | Unread]", deadline: float) -> T | Unread:
    """Wait for a reading until `deadline`, a time of time.monotonic()."""
    try:
        return reading.result(max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        return Unread("no answer in time")
