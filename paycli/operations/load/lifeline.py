"""The pipe by which paycli holds its processes: their order comes in by it, and its end means to stop."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any


def receive_order() -> dict[str, Any]:
    """Return the JSON object of the first line on standard input; leave where paycli is gone before it."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(sys.stdin.fileno(), 1)
        if not piece:
            sys.exit()
        line += piece
    order: dict[str, Any] = json.loads(line)
    return order


def await_end() -> None:
    """Return when paycli closes the pipe, or is gone, whatever ended it."""
    os.read(sys.stdin.fileno(), 1)


def at_end(stop: Callable[[], None]) -> None:
    """Call `stop` then, from a greenlet."""
    import gevent
    from gevent.os import make_nonblocking, nb_read

    descriptor = sys.stdin.fileno()
    make_nonblocking(descriptor)

    def watch() -> None:
        nb_read(descriptor, 1)
        stop()

    gevent.spawn(watch)
