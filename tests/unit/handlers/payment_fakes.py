"""An AWS of one table and one queue over real HTTP, and what calls the handlers as API Gateway would.

The table evaluates the condition and update expressions that it is sent, so a handler's expressions are what is
tested. Faults are scripted: each one meets the next call of its service.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import io
import json
import re
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import handlers

if TYPE_CHECKING:
    from types import ModuleType

assert handlers.__doc__
gc.enable()  # importing the package stops it, until a function's init ends

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAFAKE",
    "AWS_SECRET_ACCESS_KEY": "fake",
    "AWS_REGION": "eu-central-1",
    "AWS_LAMBDA_FUNCTION_NAME": "payment-function-test",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "AWS_EC2_METADATA_DISABLED": "true",
    "ENVIRONMENT": "test",
    "METRIC_NAMESPACE": "PaymentAPI",
    "TABLE_NAME": "transactions-test",
    "QUEUE_URL": "http://queue.test/failed-transactions-test",
    "PAYMENT_TTL_SECONDS": "3600",
    "API_NAME": "payment-api-test",
    "VALIDATION_FUNCTION": "payment-validation-test",
    "PROCESSING_FUNCTION": "payment-processing-test",
    "QUEUE_NAME": "failed-transactions-test",
    "DEAD_LETTER_QUEUE_NAME": "failed-transactions-dlq-test",
    "TOPIC_ARN": "arn:aws:sns:eu-central-1:111122223333:payment-alarms-test",
    "API_STAGE": "v1",
    "HEALTH_THRESHOLDS": '{"api_5xx_percent": [1, 5], "api_latency_p99_ms": [1000, 3000],'
    ' "validation_errors_percent": [1, 5], "processing_errors_percent": [1, 5], "table_throttles": [1, 100],'
    ' "queue_oldest_seconds": [86400, 259200], "dead_letter_depth": [1, 100]}',
}
VALID = {"amount": "10.50", "currency": "USD", "customer_id": "c-1"}
CARD = "4111 1111 1111 1111"  # the networks' test number
ROLE = "AROAEXAMPLE"


@dataclass
class Fault:
    """What happens to one call: an answer, a lost reply (`commit` first), or silence for some seconds.

    `body` is sent in the place of AWS's.
    """

    status: int = 0
    code: str = ""
    commit: bool = False
    silence: float = 0
    body: bytes = b""


class FakeAws:
    """State and faults of the server; every call is kept as (service, operation, body)."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.queue: list[dict[str, Any]] = []
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.faults: dict[str, deque[Fault]] = {"DynamoDB": deque(), "SQS": deque()}

    def answer(self, service: str, operation: str, body: dict[str, Any]) -> tuple[int, bytes] | None:
        with self.lock:
            self.calls.append((service, operation, body))
            fault = self.faults[service].popleft() if self.faults[service] else None
            if fault is None or fault.commit:
                answer = getattr(self, operation)(body)
        if fault is None:
            return answer[0], json.dumps(answer[1]).encode()
        time.sleep(fault.silence)
        error = json.dumps({"__type": fault.code, "message": "secret-detail"}).encode()
        return (fault.status, fault.body or error) if fault.status else None

    def SendMessage(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:  # noqa: N802
        self.queue.append(json.loads(body["MessageBody"]))
        return 200, {"MessageId": "m"}

    def PutItem(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:  # noqa: N802
        key = body["Item"]["transaction_id"]["S"]
        return self._write(key, body, dict(body["Item"]))

    def UpdateItem(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:  # noqa: N802
        key = body["Key"]["transaction_id"]["S"]
        item = dict(self.items.get(key, body["Key"]))
        sets, _, removes = body["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
        for name, _, value in (each.partition(" = ") for each in sets.split(", ")):
            item[body["ExpressionAttributeNames"].get(name, name)] = body["ExpressionAttributeValues"][value]
        item.pop(removes, None)
        return self._write(key, body, item)

    def _write(self, key: str, body: dict[str, Any], item: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        old = self.items.get(key, {})
        if not _holds(body, old):
            seen = {"Item": old} if old and body.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" else {}
            return 400, {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", **seen}
        self.items[key] = item
        return 200, {"Attributes": item} if body.get("ReturnValues") == "ALL_NEW" else {}


def _holds(body: dict[str, Any], item: dict[str, Any]) -> bool:
    """Evaluate a ConditionExpression of comparisons, attribute_not_exists, AND, OR and parentheses."""
    names, values = body.get("ExpressionAttributeNames", {}), body["ExpressionAttributeValues"]

    def plain(value: dict[str, str]) -> Any:
        return int(value["N"]) if "N" in value else value["S"]

    def compare(name: str, operator: str, value: str) -> bool:
        if (name := names.get(name, name)) not in item:
            return False
        left, right = plain(item[name]), plain(values[value])
        return {"=": left == right, "<=": left <= right, ">": left > right}[operator]  # type: ignore[no-any-return]

    expression = body["ConditionExpression"]
    expression = re.sub(r"attribute_not_exists\((\w+)\)", lambda m: str(m[1] not in item), expression)
    expression = re.sub(r"(#?\w+) (<=|>|=) (:\w+)", lambda m: str(compare(m[1], m[2], m[3])), expression)
    return bool(eval(expression.replace("AND", "and").replace("OR", "or")))  # "True or (False and True)"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    aws: FakeAws

    def do_GET(self) -> None:
        with self.aws.lock:
            self.aws.calls.append(("", "GET", {}))
        self._send(200, b"healthy")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        service, operation = self.headers["X-Amz-Target"].split(".")
        answer = self.aws.answer("SQS" if service == "AmazonSQS" else "DynamoDB", operation, body)
        if answer is None:
            self.close_connection = True
        else:
            self._send(*answer)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):  # the client may have given up
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that give up are part of the tests."""


@functools.cache
def server() -> tuple[FakeAws, str]:
    """Start the server, once a process; return its state and its URL."""
    aws = FakeAws()
    http = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"aws": aws}))
    threading.Thread(target=http.serve_forever, daemon=True).start()
    return aws, f"http://127.0.0.1:{http.server_address[1]}"


@contextlib.contextmanager
def lambda_environment(**changes: str) -> Any:
    """Set the environment that Lambda and the template set."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": server()[1], **changes}.items():
            patch.setenv(name, value)
        patch.delenv("AWS_PROFILE", raising=False)
        yield


@functools.cache
def function(name: str) -> ModuleType:
    """Import a handler as Lambda would: "validation", "processing" or "health_monitor"."""
    with lambda_environment():
        module = importlib.import_module(f"handlers.{name}")
        if name != "health_monitor":
            module._services.sqs()  # made when first used, while Lambda's environment is set
    return module


@functools.cache
def client(service: str, attempts: int = 2, read_timeout: float = 0.2, endpoint: str = "") -> Any:
    """Make a client with the handlers' own settings but for patience."""
    function("validation")
    from handlers.payments import aws

    with lambda_environment(**({"AWS_ENDPOINT_URL": endpoint} if endpoint else {})):
        return aws.client(service, attempts=attempts, read_timeout=read_timeout)


class Context:
    """Lambda's context object."""

    _count = 0

    def __init__(self, request_id: str = "", remaining_ms: int = 15_000) -> None:
        Context._count += 1
        self.aws_request_id = request_id or f"lambda-{Context._count}"
        self.remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


class Reply(NamedTuple):
    """An answer as the client sees it, and the log line that was written for it."""

    status: int
    headers: dict[str, str]
    text: str
    log: dict[str, Any]

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.text)  # type: ignore[no-any-return]

    @property
    def code(self) -> str:
        return str(self.body.get("code"))

    @property
    def fields(self) -> set[str]:
        return {error["field"] for error in self.body["errors"]}


def event(
    path: str, body: Any = None, *, key: str | None = None, caller: str | None = f"{ROLE}:s", **changes: Any
) -> dict[str, Any]:
    """Build an event of API Gateway; a body that is no string is sent as JSON."""
    headers = {"content-type": "application/json"} | ({"Idempotency-Key": key} if key is not None else {})
    return {
        "resource": path,
        "path": path,
        "httpMethod": "GET" if path == "/health" else "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "requestContext": {
            "requestId": "0f0e0d0c-0b0a-4988-8766-554433221100",
            "identity": {"accountId": "111122223333", "caller": caller, "userArn": "arn:aws:sts::1:x"},
        },
        "body": body if body is None or isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
        **changes,
    }


def invoke(respond: Any) -> tuple[Any, dict[str, Any]]:
    """Run a handler; return what it returned and its log line, of which there must be one."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        result = respond()
    (line,) = output.getvalue().splitlines()
    return result, json.loads(line)


@dataclass
class Api:
    """The two payment functions over a fresh table and queue, at a time that tests set."""

    now: float = 1_800_000_000.25
    attempts: int = 2
    read_timeout: float = 0.2
    endpoint: str = ""
    aws: FakeAws = field(default_factory=lambda: server()[0])

    def __post_init__(self) -> None:
        for name in ("validation", "processing"):
            function(name)  # opens its connection on import
        self.aws.reset()

    @property
    def items(self) -> list[dict[str, Any]]:
        return list(self.aws.items.values())

    @property
    def queue(self) -> list[dict[str, Any]]:
        return self.aws.queue

    def calls(self) -> list[str]:
        return [f"{service}.{operation}" for service, operation, _ in self.aws.calls]

    def fault(self, *faults: Fault, service: str = "DynamoDB") -> None:
        self.aws.faults[service].extend(faults)

    def validate(self, body: Any = VALID, *, context: Any = None, **changes: Any) -> Reply:
        return self.send("validation", event("/validate", body, **changes), context)

    def process(self, transaction_id: str, *, context: Any = None, **changes: Any) -> Reply:
        body = {"transaction_id": transaction_id}
        return self.send("processing", event("/process", body, **changes), context)

    def services(self) -> Any:
        module = function("validation")
        settings = (self.attempts, self.read_timeout, self.endpoint)
        dynamodb, sqs = client("dynamodb", *settings), client("sqs", *settings)
        return module.aws.Services(
            dynamodb, "transactions-test", lambda: sqs, ENVIRONMENT["QUEUE_URL"], ttl=3600, clock=lambda: self.now
        )

    def send(self, name: str, sent: Any, context: Any = None) -> Reply:
        respond, services = function(name).respond, self.services()
        result, log = invoke(lambda: respond(sent, context or Context(), services))
        json.dumps(result)  # Lambda has to serialise it
        return Reply(result["statusCode"], result["headers"], result["body"], log)
