"""Faults between the functions of the embedded AWS and its services, for a part of the load."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from paycli.errors import PaycliError

if TYPE_CHECKING:
    from paycli.aws import Aws

# The SDK tries three times: of the throttled writes, about one in eight ends in a 503.
_RULES: tuple[dict[str, Any], ...] = (
    {"service": "dynamodb", "probability": 0.5, "error": {"code": "ProvisionedThroughputExceededException"}},
    {"service": "dynamodb", "probability": 0.1, "error": {"code": "InternalServerError", "status": 500}},
    {"service": "dynamodb", "probability": 0.3, "latency": {"min": 50, "max": 300}},
)
BEGIN, END = 0.25, 0.75  # of the duration: there is a calm before, and time to recover
_FUNCTIONS = ("ValidationFunctionName", "ProcessingFunctionName")
_PROXY = "HTTP_PROXY"
_START_SECONDS = 20.0
_ANSWER_SECONDS = 10.0


class Faults:
    """The proxy through which the functions reach AWS: it fails from `BEGIN` to `END` of the duration."""

    def __init__(self, control: str, duration: float) -> None:
        self._control = control
        self._duration = duration
        self._on = False

    def at(self, seconds: float) -> None:
        """Switch the faults on or off, as it must be so many seconds after the start."""
        on = BEGIN * self._duration <= seconds < END * self._duration
        if on != self._on:
            self._rule(list(_RULES) if on else [])
            self._on = on

    def calm(self) -> None:
        """Switch the faults off."""
        self._rule([])
        self._on = False

    def _rule(self, rules: list[dict[str, Any]]) -> None:
        _ask(f"{self._control}/_microburst/rules", json.dumps(rules).encode())


@contextlib.contextmanager
def injected(aws: "Aws", outputs: Mapping[str, str], duration: float) -> Iterator[Faults]:
    """Send the functions' calls through a proxy on this machine, and straight again at the end.

    A run that was killed left its proxy in the functions' environment: that one is replaced, and then taken out.
    """
    assert aws.endpoint_url  # noqa: S101 - the command refuses faults on AWS itself
    port = _free_port()
    command = [sys.executable, "-m", "microburst", "--upstream", aws.endpoint_url]
    proxy = subprocess.Popen(  # noqa: S603 - fixed words and a port
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        env={"PATH": os.defpath},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    control = f"http://127.0.0.1:{port}"
    functions = [outputs[name] for name in _FUNCTIONS]
    try:
        _await(proxy, control)
        _warm(aws, outputs, control)
        _send_through(aws, functions, control)
        yield Faults(control, duration)
    finally:
        try:
            _send_through(aws, functions, None)
        finally:
            proxy.terminate()
            proxy.wait()


def _send_through(aws: "Aws", functions: list[str], proxy: str | None) -> None:
    client = aws.client("lambda")
    for name in functions:
        variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        changed = {key: value for key, value in variables.items() if key != _PROXY} | ({_PROXY: proxy} if proxy else {})
        client.update_function_configuration(FunctionName=name, Environment={"Variables": changed})
        client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


def _warm(aws: "Aws", outputs: Mapping[str, str], proxy: str) -> None:
    """Call each service through the proxy once: it reads the services' models, which takes it seconds."""
    from botocore.config import Config

    config = Config(proxies={"http": proxy}, read_timeout=60)
    through = {"region_name": aws.region, "endpoint_url": aws.endpoint_url, "config": config}
    aws.session.client("dynamodb", **through).describe_table(TableName=outputs["TransactionsTableName"])
    queue = outputs["FailedTransactionsQueueUrl"]
    aws.session.client("sqs", **through).get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])


def _await(proxy: "subprocess.Popen[bytes]", control: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while proxy.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            return _ask(f"{control}/_microburst/rules", b"[]")
        time.sleep(0.05)
    raise PaycliError("The proxy that makes faults did not start.", code="faults_failed")


def _ask(url: str, body: bytes) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="POST")  # noqa: S310
    direct.open(request, timeout=_ANSWER_SECONDS).close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
