"""The master of Locust, as a process of its own: `main` is its way in.

It waits for the workers, gives each its share of the plan, and passes on to paycli what they report: one JSON object a
line on standard output, whose `event` is `listening`, `workers`, `started`, `report` or `ended`.
"""

import locust  # isort: skip # noqa: F401 - first of all: it puts gevent in the place of what waits

import contextlib
import json
import sys
import time
from dataclasses import asdict
from typing import Any

import gevent
from gevent.event import Event

from paycli.operations.load.lifeline import at_end, receive_order
from paycli.operations.load.locust_environment import LoadEnvironment
from paycli.operations.load.plan import Plan
from paycli.operations.load.roster import Roster

_TICK = 0.1  # seconds


class Master:
    """One run, from its order to the last report."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._plan = Plan(**order["plan"])
        self._roster = Roster(order["workers"], order["endpoint"])
        self._patience: float = order["patience"]  # seconds in which all workers must be there
        self._stopped = Event()
        at_end(self._stopped.set)
        self._runner = LoadEnvironment(lambda: None).create_master_runner(order["host"], order["port"])
        self._runner.register_message("here", self._greet)
        self._runner.register_message("report", self._pass_on)
        _say("listening", port=self._runner.server.port)

    def lead(self) -> None:
        """Run the load, and return when the last worker has finished or is lost."""
        deadline = time.monotonic() + self._patience
        while not self._roster.complete and time.monotonic() < deadline and not self._stopped.wait(_TICK):
            _say("workers", here=len(self._roster.workers), expected=self._roster.expected)
        if self._roster.complete:
            self._start()
        while self._roster.busy:
            if self._stopped.wait(_TICK):
                self._runner.send_message("halt")
                gevent.sleep(_TICK)
            self._roster.give_up(time.monotonic())
        _say("ended", lost=self._roster.lost)
        self._runner.quit()

    def _start(self) -> None:
        workers = self._roster.workers
        for number, worker in enumerate(workers):
            self._runner.send_message("plan", asdict(self._plan.share(number, len(workers))), worker)
        self._roster.begin(time.monotonic())
        gevent.spawn(self._runner.start, len(workers), len(workers))
        _say("started")

    def _greet(self, msg: Any, **_: Any) -> None:
        if not self._roster.admit(msg.node_id, msg.data["endpoint"]):
            self._runner.send_message("quit", client_id=msg.node_id)

    def _pass_on(self, msg: Any, **_: Any) -> None:
        report = msg.data
        self._roster.note(msg.node_id, report["number"], time.monotonic(), finished=report["finished"])
        _say("report", rows=report["rows"], dropped=report["dropped"])


def _say(event: str, **more: Any) -> None:
    """Tell paycli; where that is gone, the workers are to be sent home all the same."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps({"event": event, **more}) + "\n")
        sys.stdout.flush()


def main() -> None:
    """Follow the order on standard input."""
    Master(receive_order()).lead()
