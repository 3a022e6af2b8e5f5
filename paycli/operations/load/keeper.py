"""The keeper of the proxy, a process of its own: `main` is its way in.

Between paycli and the proxy, it is what takes the proxy out of the functions again, however paycli ends: killed, too.
"""

import contextlib
import json
import os
import signal
import sys
from types import FrameType
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from paycli.aws import Aws, connect
from paycli.environment import Environment
from paycli.errors import PaycliError
from paycli.operations.load.lifeline import await_end, receive_order
from paycli.operations.load.proxy import Proxy

_VARIABLE = "HTTP_PROXY"


def main() -> None:
    """Follow the order on standard input: say where the proxy is, and take all back when paycli closes the pipe."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stay)
    order = receive_order()
    aws = connect(Environment.model_validate_json(order["environment"]), order["endpoint_url"])
    with contextlib.ExitStack() as ending:  # the last first: the functions let go of the proxy before it ends
        proxy = Proxy(order["endpoint_url"])
        ending.callback(proxy.end)
        proxy.await_answer()
        _warm(aws, order, proxy.address)
        functions = _client(aws, "lambda")
        for name in order["functions"]:
            ending.callback(_take_out, functions, name, proxy.address)
            _put_in(functions, name, proxy.address)
        with contextlib.suppress(BrokenPipeError):
            os.write(sys.stdout.fileno(), json.dumps({"address": proxy.address}).encode() + b"\n")
        await_end()


def _stay(_signal: int, _frame: FrameType | None) -> None:
    """Go on: who is told to end before paycli does would leave the functions to a proxy that is gone."""


def _put_in(functions: Any, name: str, address: str) -> None:
    _set(functions, name, {**_variables(functions, name), _VARIABLE: address})


def _take_out(functions: Any, name: str, address: str) -> None:
    """Let a function call AWS itself, unless a deploy or another run has changed that already."""
    try:
        variables = _variables(functions, name)
        if variables.get(_VARIABLE) == address:
            _set(functions, name, {key: value for key, value in variables.items() if key != _VARIABLE})
    except (BotoCoreError, ClientError) as error:
        raise PaycliError(
            f"{name} may still call AWS through the proxy, which is gone: "
            f"the next load test with --faults takes it out, or teardown and deploy ({error})"
        ) from None


def _variables(functions: Any, name: str) -> dict[str, str]:
    found: dict[str, str] = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    return found


def _set(functions: Any, name: str, variables: dict[str, str]) -> None:
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


def _warm(aws: Aws, order: dict[str, Any], proxy: str) -> None:
    """Call each service through the proxy once: it reads the services' models, which takes it seconds."""
    through = {"proxies": {"http": proxy}}
    _client(aws, "dynamodb", **through).describe_table(TableName=order["table"])
    _client(aws, "sqs", **through).get_queue_attributes(QueueUrl=order["queue"], AttributeNames=["QueueArn"])


def _client(aws: Aws, service: str, **options: Any) -> Any:
    """Make a client that soon gives up where nothing listens: AWS is on this machine, so that it is gone then."""
    from botocore.config import Config

    config = Config(**{"proxies": {}, "retries": {"mode": "standard", "total_max_attempts": 2}, **options})
    return aws.session.client(service, region_name=aws.region, endpoint_url=aws.endpoint_url, config=config)
