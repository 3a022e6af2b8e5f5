"""A deployed stack in memory: the payment API as a real HTTP server, AWS as botocore's own clients.

The clients validate parameters and answers against AWS's service models; only the wire is missing.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import boto3
import botocore.session
from botocore.loaders import create_loader
from botocore.validate import validate_parameters

from paycli.aws import Aws
from paycli.environment import Environment
from paycli.smoke import Target

CODE = "c2hhMjU2"
TOPIC = "arn:aws:sns:us-east-1:123456789012:payment-alarms-test"
ALARMS = ("api-latency", "dynamodb-throttle", "validation-errors", "processing-errors", "api-5xx")


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def signed(self) -> bool:
        return self.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 ")

    def json(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


@dataclass(frozen=True)
class Reply:
    status: int
    document: Any
    kind: str = "application/json"
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False

    @property
    def body(self) -> bytes:
        return json.dumps(self.document).encode() if self.raw is None else self.raw


def problem(status: int, code: str, **more: Any) -> Reply:
    document = {"status": status, "code": code, "request_id": str(uuid4()), **more}
    return Reply(status, document, "application/problem+json")


class AwsError(Exception):
    """What an operation of the fake raises to make AWS answer with an error."""

    def __init__(self, code: str, message: str = "said AWS", **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.said = message
        self.more = more  # besides code and message


Operation = Callable[[dict[str, Any]], dict[str, Any]]
Route = Callable[[Request], Reply]


class Stack:
    """The state of the stack; a test replaces an operation, a route, or a piece of state."""

    def __init__(self, **settings: Any) -> None:
        self.environment = Environment(name="test", region="us-east-1", **settings)
        self.items: dict[str, dict[str, Any]] = {}
        self.messages: list[dict[str, Any]] = []
        self.log: list[str] = []
        self.requests: list[Request] = []
        self.keys: dict[str, str] = {}
        self.lock = threading.RLock()
        self.receives = 0
        self.sends = True  # whether the function reaches the queue
        self.alarms = {f"{part}-test": {"ActionsEnabled": True, "AlarmActions": [TOPIC]} for part in ALARMS}
        self.declared = list(self.alarms)
        self.routes: dict[str, Route] = {
            "GET /health": lambda _: Reply(200, {"status": "healthy", "checks": []}),
            "POST /validate": self.validate,
            "POST /process": self.process,
        }
        self.operations: dict[str, Operation] = {
            "DescribeTable": lambda p: {"Table": {"TableName": p["TableName"], "TableStatus": "ACTIVE"}},
            "DescribeContinuousBackups": lambda _: recovery("ENABLED"),
            "GetItem": self._get_item,
            "DeleteItem": self._delete_item,
            "GetFunctionConfiguration": lambda p: function(p["FunctionName"]),
            "GetTopicAttributes": lambda _: {"Attributes": {"SubscriptionsConfirmed": "1"}},
            "GetDashboard": lambda _: {"DashboardBody": json.dumps({"widgets": [{}, {}]})},
            "DescribeAlarms": self._describe_alarms,
            "ListStackResources": self._list_resources,
            "GetStage": lambda _: stage(1000.0, 2000),
            "GetQueueAttributes": self._count_messages,
            "ReceiveMessage": self._receive,
            "DeleteMessage": self._delete_message,
            "ChangeMessageVisibility": self._hand_back,
            "FilterLogEvents": self._read_log,
        }

    # What the functions do.

    def answer(self, request: Request) -> Reply:
        with self.lock:
            self.requests.append(request)
        if self.environment.authorization == "iam" and not request.signed:
            return problem(403, "access_denied")
        return self.routes[f"{request.method} {request.path}"](request)

    def validate(self, request: Request) -> Reply:
        payment = request.json()
        if payment["amount"] == 10.001:
            return self.reject(payment)
        key = request.headers.get("idempotency-key", str(uuid4()))
        with self.lock:
            transaction = self.keys.setdefault(key, f"txn_{uuid4().hex}")
            self.items.setdefault(
                transaction,
                {
                    "transaction_id": {"S": transaction},
                    "status": {"S": "validated"},
                    "customer_id": {"S": payment["customer_id"]},
                    "amount_minor": {"N": str(payment["amount"]).replace(".", "")},
                    "currency": {"S": payment.get("currency", "USD")},
                    "expires_at": {"N": "1800000000"},
                },
            )
        return Reply(200, {"status": "validated", "transaction_id": transaction})

    def reject(self, payment: dict[str, Any]) -> Reply:
        reply = problem(400, "invalid_request", errors=[{"field": "amount", "message": "too many decimals"}])
        request = reply.document["request_id"]
        line: dict[str, Any] = {"request_id": request, "status": 400}
        if self.sends:
            message = {"request_id": request, "payment": {"customer_id": payment["customer_id"]}}
            self.put_message(json.dumps(message))
        else:
            line |= {"FailureMessagesLost": 1, "queue_error": "EndpointConnectionError"}
        self.log += ["START of the invocation", json.dumps({"request_id": "other"}), json.dumps(line)]
        return reply

    def process(self, request: Request) -> Reply:
        with self.lock:
            item = self.items.get(request.json()["transaction_id"])
            if item is None:
                return problem(404, "payment_not_found")
            if item["status"] != {"S": "processed"}:
                item |= {"status": {"S": "processed"}, "processed_at": {"S": "2026-07-01T00:00:00.000Z"}}
                del item["expires_at"]
            return Reply(
                200,
                {
                    "status": "processed",
                    "transaction_id": item["transaction_id"]["S"],
                    "processed_at": item["processed_at"]["S"],
                },
            )

    # What AWS does.

    def put_message(self, body: str) -> None:
        with self.lock:
            self.messages.append({"Body": body, "ReceiptHandle": uuid4().hex, "hidden": False, "received": 0})

    def _get_item(self, params: dict[str, Any]) -> dict[str, Any]:
        item = self.items.get(params["Key"]["transaction_id"]["S"])
        return {"Item": dict(item)} if item else {}

    def _delete_item(self, params: dict[str, Any]) -> dict[str, Any]:
        assert params["ConditionExpression"] == "begins_with(customer_id, :own)"
        transaction = params["Key"]["transaction_id"]["S"]
        customer = self.items.get(transaction, {}).get("customer_id", {"S": ""})["S"]
        if not customer.startswith(params["ExpressionAttributeValues"][":own"]["S"]):
            raise AwsError("ConditionalCheckFailedException")
        del self.items[transaction]
        return {}

    def _describe_alarms(self, params: dict[str, Any]) -> dict[str, Any]:
        found = [{"AlarmName": name, **self.alarms[name]} for name in params["AlarmNames"] if name in self.alarms]
        return {"MetricAlarms": found}

    def _list_resources(self, params: dict[str, Any]) -> dict[str, Any]:
        """Answer two pages, as AWS does for a large stack."""
        if "NextToken" not in params:
            return {"StackResourceSummaries": [resource("AWS::SNS::Topic", TOPIC)], "NextToken": "more"}
        return {"StackResourceSummaries": [resource("AWS::CloudWatch::Alarm", name) for name in self.declared]}

    def _count_messages(self, _: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            hidden = sum(message["hidden"] for message in self.messages)
            return {
                "Attributes": {
                    "ApproximateNumberOfMessages": str(len(self.messages) - hidden),
                    "ApproximateNumberOfMessagesNotVisible": str(hidden),
                    "ApproximateNumberOfMessagesDelayed": "0",
                }
            }

    def _receive(self, params: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            self.receives += 1
            visible = [message for message in self.messages if not message["hidden"]]
            for message in visible[: params["MaxNumberOfMessages"]]:
                message["hidden"] = True
                message["received"] += 1
            shown = [{key: message[key] for key in ("Body", "ReceiptHandle")} for message in visible]
            return {"Messages": shown[: params["MaxNumberOfMessages"]]} if shown else {}

    def _delete_message(self, params: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            self.messages = [m for m in self.messages if m["ReceiptHandle"] != params["ReceiptHandle"]]
        return {}

    def _hand_back(self, params: dict[str, Any]) -> dict[str, Any]:
        assert params["VisibilityTimeout"] == 0
        for message in self.messages:
            if message["ReceiptHandle"] == params["ReceiptHandle"]:
                message["hidden"] = False
        return {}

    def _read_log(self, params: dict[str, Any]) -> dict[str, Any]:
        word = params["filterPattern"].strip('"')
        # AWS's filter knows terms; a line that only contains the id somewhere is among its results too.
        return {
            "events": [{"message": line} for line in self.log if word in line or "other" in line or "START" in line]
        }


def recovery(status: str) -> dict[str, Any]:
    return {
        "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": status},
        }
    }


def function(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "FunctionName": name,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "CodeSha256": CODE,
        "LoggingConfig": {"LogGroup": "/aws/lambda/group"},
        **changes,
    }


def stage(rate: float, burst: int) -> dict[str, Any]:
    return {"methodSettings": {"*/*": {"throttlingRateLimit": rate, "throttlingBurstLimit": burst}}}


def resource(kind: str, name: str) -> dict[str, Any]:
    return {
        "LogicalResourceId": "X",
        "ResourceType": kind,
        "PhysicalResourceId": name,
        "LastUpdatedTimestamp": 0,
        "ResourceStatus": "CREATE_COMPLETE",
    }


def outputs(endpoint: str) -> dict[str, str]:
    return {
        "APIEndpoint": endpoint,
        "TransactionsTableName": "transactions-test",
        "AlarmTopicArn": TOPIC,
        "DashboardName": "payment-dashboard-test",
        "RestApiId": "abc",
        "StageName": "v1",
        "FailedTransactionsQueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/failed",
        "ValidationFunctionName": "payment-validation-test",
        "ProcessingFunctionName": "payment-processing-test",
        "HealthMonitorFunctionName": "health-monitor-test",
    }


@contextmanager
def serving(answer: Route) -> Iterator[str]:
    """Serve HTTP on a free port; yield the URL, which ends in a slash."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            lowered = {name.lower(): value for name, value in self.headers.items()}
            reply = answer(Request(self.command, self.path, lowered, self.rfile.read(length)))
            if reply.hang_up:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in {
                "Content-Type": reply.kind,
                "Content-Length": str(len(reply.body)),
                **reply.headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


_LOADER = create_loader()  # of AWS's service models: read once and not by every test


def aws_of(stack: Stack) -> Aws:
    """Return an Aws whose clients ask `stack` instead of the network."""

    def remember(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked"] = dict(params)

    def answer(model: Any, context: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        try:
            parsed = stack.operations[model.name](context["asked"])
        except AwsError as error:
            return SimpleNamespace(status_code=400), {
                "Error": {"Code": error.code, "Message": error.said},
                **error.more,
            }
        if model.output_shape is not None:
            validate_parameters(parsed, model.output_shape)
        return SimpleNamespace(status_code=200), parsed

    core = botocore.session.Session()
    core.register_component("data_loader", _LOADER)
    core.register("before-parameter-build.*.*", remember)
    core.register("before-call.*.*", answer)
    session = boto3.Session(
        botocore_session=core, aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="not-a-secret"
    )
    # The API is on this machine, so it's reached as the embedded AWS is: past every proxy.
    return Aws(session, "us-east-1", "http://127.0.0.1:9")


@contextmanager
def deployed(stack: Stack, code_sha256: str | None = CODE) -> Iterator[Target]:
    """Serve the stack's API and yield the target that the checks run against."""
    with serving(stack.answer) as endpoint:
        yield Target(aws_of(stack), stack.environment, outputs(endpoint), code_sha256)
