"""The master of Locust, as a process: `python -m paycli.operations.load.master`.

It waits for the workers, gives each its share of the plan, and passes on to paycli what they report: one JSON object a
line on standard output, whose `event` is `listening`, `workers`, `started`, `report` or `ended`.
"""

import locust  # isort: skip # noqa: F401 - first of all: it puts gevent in the place of what waits

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

_TICK = 0.1  # seconds
# A worker reports every half second. A machine that is busy with the load may be late; one that is gone stays so.
_SILENCE = 30.0  # seconds


class Master:
    """One run, from its order to the last report."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._plan = Plan(**order["plan"])
        self._workers: int = order["workers"]
        self._endpoint: str = order["endpoint"]
        self._patience: float = order["patience"]  # seconds in which all workers must be there
        self._stopped = Event()
        self._heard: dict[str, float] = {}  # when each worker was last heard of; without those that have finished
        self._reports: dict[str, int] = {}
        self._lost = 0
        at_end(self._stopped.set)
        self._runner = LoadEnvironment(lambda: None).create_master_runner(order["host"], order["port"])
        self._runner.register_message("here", self._greet)
        self._runner.register_message("report", self._pass_on)
        _say("listening", port=self._runner.server.port)

    def lead(self) -> None:
        """Run the load, and return when the last worker has finished or is lost."""
        deadline = time.monotonic() + self._patience
        while len(self._reports) < self._workers and time.monotonic() < deadline and not self._stopped.wait(_TICK):
            _say("workers", here=len(self._reports), expected=self._workers)
        if len(self._reports) == self._workers and not self._stopped.is_set():
            self._start()
        halted = False
        while self._heard:
            if self._stopped.is_set() and not halted:
                self._runner.send_message("halt")
                halted = True
            gevent.sleep(_TICK)
            self._give_up()
        _say("ended", lost=self._lost)
        self._runner.quit()

    def _start(self) -> None:
        for number, worker in enumerate(self._reports):
            self._heard[worker] = time.monotonic()
            self._runner.send_message("plan", asdict(self._plan.share(number, self._workers)), worker)
        gevent.spawn(self._runner.start, self._workers, self._workers)
        _say("started")

    def _greet(self, msg: Any, **_: Any) -> None:
        """Take a worker in; one that is for another API, or too many, is sent home."""
        if msg.data["endpoint"] != self._endpoint or len(self._reports) == self._workers:
            self._runner.send_message("quit", client_id=msg.node_id)
            return
        self._reports[msg.node_id] = 0

    def _pass_on(self, msg: Any, **_: Any) -> None:
        report = msg.data
        self._lost += report["number"] - self._reports[msg.node_id] - 1
        self._reports[msg.node_id] = report["number"]
        self._heard[msg.node_id] = time.monotonic()
        if report["finished"]:
            del self._heard[msg.node_id]
        _say("report", rows=report["rows"], dropped=report["dropped"])

    def _give_up(self) -> None:
        """Stop waiting for workers that say nothing any more: what they sent last isn't known."""
        silent = [worker for worker, heard in self._heard.items() if time.monotonic() - heard > _SILENCE]
        for worker in silent:
            del self._heard[worker]
            self._lost += 1


def _say(event: str, **more: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **more}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Master(receive_order()).lead()
