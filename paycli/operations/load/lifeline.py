"""The pipe by which paycli holds its processes under gevent: their order comes in by it, and its end means to stop."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import gevent
from gevent.os import make_nonblocking, nb_read


def receive_order() -> dict[str, Any]:
    """Return the JSON object of the first line on standard input."""
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(sys.stdin.fileno(), 1)
    order: dict[str, Any] = json.loads(line)
    return order


def at_end(stop: Callable[[], None]) -> None:
    """Call `stop` when paycli closes the pipe, or is gone, whatever ended it."""
    descriptor = sys.stdin.fileno()
    make_nonblocking(descriptor)

    def watch() -> None:
        nb_read(descriptor, 1)
        stop()

    gevent.spawn(watch)
