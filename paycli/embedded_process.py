"""The process of the embedded AWS: MiniStack, and the sign of whether all that it holds was saved.

MiniStack keeps its state in memory and saves it when it ends. What it can't save it only logs, and one that was killed
says nothing at all. So a file stands for as long as something may be unsaved; taking it away needs no room on a disk.
"""

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

from paycli.embedded_state import RECORD, UNSAVED
from paycli.files import write_whole

_MINISTACK_S_LOG = "persistence"  # where it says, as an error, what it couldn't save


class _Errors(logging.Handler):
    """Remembers whether an error was logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen = False

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002 - that there is one is enough
        self.seen = True


def run(serve: Callable[[], object], unsaved: Path) -> None:
    """Serve until that ends by itself; `unsaved` stands meanwhile, and stays where not all was saved."""
    errors = _Errors()
    logging.getLogger(_MINISTACK_S_LOG).addHandler(errors)
    unsaved.touch(mode=0o600)
    serve()
    if not errors.seen:
        unsaved.unlink()


def main() -> None:
    """Serve in the current folder, as the environment variables say."""
    # Before anything slow, and here rather than by who starts it: that one may be killed any moment, and what has the
    # lock and no record can't be found or stopped.
    record = {"pid": os.getpid(), "port": int(os.environ["GATEWAY_PORT"])}
    write_whole(Path(RECORD), json.dumps(record), mode=0o600)
    from ministack.app import main as serve

    run(serve, Path(UNSAVED))
