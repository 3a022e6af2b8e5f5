"""A worker of Locust, as a process of its own: `main` is its way in.

Its order says where the master and the API are, the master's message what to send.
"""

import locust  # isort: skip # noqa: F401 - first of all: it puts gevent in the place of what waits

from typing import Any

import gevent
from gevent.event import Event
from gevent.pool import Pool

from paycli.api_client import Answer, ApiClient
from paycli.aws import connect
from paycli.environment import Environment
from paycli.operations.load.generator import Generator
from paycli.operations.load.lifeline import at_end, receive_order
from paycli.operations.load.locust_environment import LoadEnvironment
from paycli.operations.load.plan import Plan
from paycli.operations.load.traffic import Request

_REPORT_EVERY = 0.5  # seconds


class Worker:
    """One worker from its order to the master's last word."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order
        self._plans: list[Plan] = []  # one, once the master has sent it
        self._reports = 0
        self._stopped = Event()
        at_end(self._stopped.set)
        environment = LoadEnvironment(self._run)
        self._runner = environment.create_worker_runner(order["host"], order["port"])
        self._runner.register_message("plan", self._learn)
        self._runner.register_message("halt", lambda **_: self._stopped.set())

    def work(self) -> None:
        """Say that it is here, and return when the master has no more need of it."""
        self._runner.send_message("here", {"endpoint": self._order["endpoint"]})
        self._runner.greenlet.join()

    def _learn(self, msg: Any, **_: Any) -> None:
        self._plans.append(Plan(**msg.data))

    def _run(self) -> None:
        """Carry out the plan, once: Locust gives the user of a worker that is lost to another one."""
        while self._plans:
            self._carry_out(self._plans.pop())

    def _carry_out(self, plan: Plan) -> None:
        environment = Environment.model_validate_json(self._order["environment"])
        aws = connect(environment, self._order["endpoint_url"])
        client = ApiClient(aws, self._order["endpoint"], connections=plan.in_flight)
        signed = environment.authorization == "iam"

        def send(request: Request) -> Answer:
            return client.call("POST", request.operation, body=request.body, headers=request.headers, signed=signed)

        generator = Generator(plan, Pool(plan.in_flight), send, self._pause)
        reporting = gevent.spawn(self._report_on, generator)
        try:
            generator.run()
        finally:
            reporting.kill()
            self._report(generator, finished=True)
            client.close()

    def _pause(self, seconds: float) -> bool:
        """Let the others run, also where this worker is behind and there is nothing to wait for."""
        gevent.sleep(0)
        return bool(self._stopped.wait(seconds))

    def _report_on(self, generator: Generator) -> None:
        while True:
            gevent.sleep(_REPORT_EVERY)
            self._report(generator, finished=False)

    def _report(self, generator: Generator, *, finished: bool) -> None:
        """Send the samples on, numbered, so that the master sees where some are missing."""
        self._reports += 1
        self._runner.send_message("report", {**generator.take(), "number": self._reports, "finished": finished})


def main() -> None:
    """Follow the order on standard input."""
    Worker(receive_order()).work()
