"""Two queues and a payment API in memory, which a test can interrupt at any call, before or after it took effect."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from paycli.api_client import Answer
from paycli.aws import Aws
from paycli.errors import PaycliError
from paycli.operations.failures.advice import Replay
from tests.unit.smoke.smoke_stack import AwsError, Reply, Request, Stack, aws_of

BASE = "https://sqs.us-east-1.amazonaws.com/123456789012/"
QUEUE, DEAD = f"{BASE}failed-transactions-test", f"{BASE}failed-transactions-dlq-test"
OURS = "123456789012:AROAOURS"
STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/payment-api-test/1"
_ids = itertools.count()


def error(number: int, operation: str = "validate", **changes: Any) -> dict[str, Any]:
    """Return a retryable error of one request."""
    key = {"idempotency_key": f"key-{number}", "payment": payment(number)} if operation == "validate" else {}
    return {
        "schema": 1,
        "kind": "error",
        "code": "temporarily_unavailable",
        "retryable": True,
        "operation": operation,
        "request_id": f"request-{number}",
        "transaction_id": f"txn_key-{number}",
        "principal": OURS,
        "at": f"2026-11-22T20:{number // 60 % 60:02}:{number % 60:02}.000Z",
        **key,
        **changes,
    }


def rejected(number: int) -> dict[str, Any]:
    """Return a refusal of the contract."""
    return {
        **{name: value for name, value in error(number, "process").items() if name != "transaction_id"},
        "kind": "rejected",
        "code": "invalid_request",
        "retryable": False,
        "operation": "validate",
    }


def payment(number: int) -> dict[str, Any]:
    return {"amount": "10.00", "currency": "USD", "customer_id": f"customer-{number}"}


@dataclass
class Held:
    """A message in a queue."""

    body: str
    attributes: dict[str, Any] = field(default_factory=dict)
    message_id: str = field(default_factory=lambda: f"message-{next(_ids)}")
    handle: str = ""
    receives: int = 0
    hidden_until: float = 0.0


class World(Stack):
    """The queues, the moves between them, and what the API has done."""

    def __init__(self, *bodies: Any, **settings: Any) -> None:
        super().__init__(**settings)
        self.now = 0.0
        self.queues: dict[str, list[Held]] = {QUEUE: [], DEAD: []}
        self.max_receives: Any = 5
        self.batch = 10  # what a receive returns at most
        self.empties = 0  # receives that find nothing although there is something
        self.moves: list[dict[str, Any]] | None = None  # None: the service knows no moves
        self.calls: list[str] = []
        self.broken: dict[str, str] = {}  # operation -> AWS's code
        self.interrupt: tuple[int, bool] | None = None  # before which call; True: after its effect
        self.killed = False  # whether an interrupt is a kill: nothing works any more
        self.payments: dict[str, str] = {}  # transaction id -> state
        self.effects: list[tuple[str, str]] = []
        self.down: Callable[[int], int] = lambda _: 0  # number of the request -> the status of its failure
        self.requests_sent = 0
        self.restored: list[str] = []  # tables beside the live one
        self.lost: set[str] = set()  # payments that are not in the table
        for body in bodies:
            self.put(QUEUE, body)
        for name in ("get_queue_attributes", "receive_message", "change_message_visibility_batch", "send_message"):
            self._serve(name)
        for name in ("delete_message", "list_message_move_tasks", "start_message_move_task"):
            self._serve(name)
        self.described: dict[str, Any] = {
            "StackName": "payment-api-test",
            "StackId": STACK_ID,
            "Tags": [{"Key": "ManagedBy", "Value": "paycli"}],
            "StackStatus": "CREATE_COMPLETE",
            "CreationTime": 0,
            "Outputs": [
                {"OutputKey": key, "OutputValue": value}
                for key, value in {
                    "APIEndpoint": "https://abc.example/v1/",
                    "RestApiId": "abc",
                    "StageName": "v1",
                    "FailedTransactionsQueueUrl": QUEUE,
                    "FailedTransactionsDeadLetterQueueUrl": DEAD,
                }.items()
            ],
        }
        self.operations |= {
            "ListTables": lambda _: {"TableNames": ["transactions-test", *self.restored]},
            "DescribeStacks": lambda _: {"Stacks": [self.described]},
            "GetCallerIdentity": lambda _: {
                "Account": "123456789012",
                "Arn": "arn:aws:sts::123456789012:assumed-role/oncall/ann",
                "UserId": "AROAOURS:ann",
            },
        }

    def aws(self) -> Aws:
        return aws_of(self)

    def sqs(self) -> Any:
        return self.aws().client("sqs")

    def put(self, url: str, body: Any, **more: Any) -> Held:
        held = Held(body if isinstance(body, str) else json.dumps(body), **more)
        self.queues[url].append(held)
        return held

    def requests_in(self, url: str) -> list[str]:
        """Return what is in a queue, hidden or not, by request id."""
        return sorted(json.loads(held.body)["request_id"] for held in self.queues[url])

    def hidden(self) -> int:
        return sum(held.hidden_until > self.now for held in self.queues[QUEUE])

    # Interrupts.

    def _effect(self, name: str, work: Callable[[], Any]) -> Any:
        """Do `work`, unless somebody interrupts."""
        if self.killed and self.interrupt is None:
            raise KeyboardInterrupt
        number = len(self.calls)
        self.calls.append(name)
        due, after = self.interrupt or (-1, False)
        if number == due:
            self.interrupt = None
            if after:
                work()
            raise KeyboardInterrupt
        return work()

    def _serve(self, name: str) -> None:
        operation = "".join(part.title() for part in name.split("_"))

        def answer(params: dict[str, Any]) -> dict[str, Any]:
            if operation in self.broken:
                raise AwsError(self.broken[operation])
            done: dict[str, Any] = self._effect(operation, lambda: getattr(self, f"_{name}")(params))
            return done

        self.operations[operation] = answer

    # SQS.

    def _get_queue_attributes(self, params: dict[str, Any]) -> dict[str, Any]:
        url = params["QueueUrl"]
        hidden = sum(held.hidden_until > self.now for held in self.queues[url])
        said = {
            "QueueArn": f"arn:aws:sqs:us-east-1:123456789012:{url.rpartition('/')[2]}",
            "ApproximateNumberOfMessages": str(len(self.queues[url]) - hidden),
            "ApproximateNumberOfMessagesNotVisible": str(hidden),
        }
        if url == QUEUE and self.max_receives:
            said["RedrivePolicy"] = json.dumps({"maxReceiveCount": self.max_receives})
        return {"Attributes": said}

    def _receive_message(self, params: dict[str, Any]) -> dict[str, Any]:
        url = params["QueueUrl"]
        if self.empties:
            self.empties -= 1
            return {}
        received: list[dict[str, Any]] = []
        for held in [held for held in self.queues[url] if held.hidden_until <= self.now]:
            if url == QUEUE and self.max_receives and held.receives >= int(self.max_receives):
                self.queues[QUEUE].remove(held)
                self.queues[DEAD].append(held)
                continue
            if len(received) == min(self.batch, params["MaxNumberOfMessages"]):
                break
            held.receives += 1
            held.hidden_until = self.now + params["VisibilityTimeout"]
            held.handle = f"handle-{next(_ids)}"
            received.append(
                {
                    "MessageId": held.message_id,
                    "ReceiptHandle": held.handle,
                    "Body": held.body,
                    "Attributes": {"ApproximateReceiveCount": str(held.receives), "SentTimestamp": "1700000000000"},
                    **({"MessageAttributes": held.attributes} if held.attributes else {}),
                }
            )
        return {"Messages": received} if received else {}

    def _by_handle(self, params: dict[str, Any], handle: str) -> Held | None:
        return next((held for held in self.queues[params["QueueUrl"]] if held.handle == handle), None)

    def _change_message_visibility_batch(self, params: dict[str, Any]) -> dict[str, Any]:
        assert 0 < len(params["Entries"]) <= 10
        failed, done = [], []
        for entry in params["Entries"]:
            assert entry["VisibilityTimeout"] == 0
            held = self._by_handle(params, entry["ReceiptHandle"])
            if held is None:
                failed.append({"Id": entry["Id"], "SenderFault": True, "Code": "ReceiptHandleIsInvalid"})
                continue
            held.hidden_until = self.now
            done.append({"Id": entry["Id"]})
        return {"Successful": done, "Failed": failed}

    def _send_message(self, params: dict[str, Any]) -> dict[str, Any]:
        self.put(params["QueueUrl"], params["MessageBody"], attributes=params["MessageAttributes"])
        return {}

    def _delete_message(self, params: dict[str, Any]) -> dict[str, Any]:
        held = self._by_handle(params, params["ReceiptHandle"])
        assert held is not None, "what isn't there can't be deleted"
        self.queues[params["QueueUrl"]].remove(held)
        return {}

    def _list_message_move_tasks(self, _: dict[str, Any]) -> dict[str, Any]:
        if self.moves is None:
            raise AwsError("InvalidAction")
        shown = {"Results": [dict(move) for move in self.moves]}
        for move in self.moves:
            if move["Status"] == "RUNNING":
                self._go_on(move)
        return shown

    def _go_on(self, move: dict[str, Any]) -> None:
        move.setdefault("ApproximateNumberOfMessagesToMove", len(self.queues[DEAD]))
        if self.queues[DEAD]:
            held = self.queues[DEAD].pop()
            self.put(QUEUE, held.body)
            move["ApproximateNumberOfMessagesMoved"] = move.get("ApproximateNumberOfMessagesMoved", 0) + 1
        else:
            move["Status"] = "COMPLETED"

    def _start_message_move_task(self, params: dict[str, Any]) -> dict[str, Any]:
        assert self.moves is not None
        assert params["DestinationArn"].endswith(":failed-transactions-test")
        self.moves.append({"Status": "RUNNING", "StartedTimestamp": len(self.moves) + 1})
        return {"TaskHandle": "task"}

    # The API.

    def send(self, request: Replay) -> Answer:
        """Answer a replay as the API does: a key or a payment has its effect once."""
        self.requests_sent += 1
        number = self.requests_sent
        answer: Answer = self._effect("API", lambda: self._answer(request, self.down(number)))
        return answer

    def respond(self, request: Request) -> Reply:
        """Answer over HTTP."""
        self.requests.append(request)
        replay = Replay(request.path.rpartition("/")[2], request.body, request.headers.get("idempotency-key"))
        try:
            answer = self.send(replay)
        except PaycliError:
            return Reply(200, {}, hang_up=True)
        return Reply(answer.status, answer.json(), headers=dict(answer.headers))

    def _answer(self, request: Replay, failure: int) -> Answer:
        if failure == 1:
            raise PaycliError("The API gave no answer", code="unreachable")
        if failure:
            return answered(failure, {"code": "temporarily_unavailable"})
        body = json.loads(request.body)
        if request.operation == "process":
            transaction_id = body["transaction_id"]
            if transaction_id in self.lost:
                return answered(404, {"code": "payment_not_found"})
            again = self.payments.get(transaction_id) == "processed"
            self.payments[transaction_id] = "processed"
        else:
            transaction_id = f"txn_{request.key}"
            again = transaction_id in self.payments
            self.payments.setdefault(transaction_id, "validated")
        if not again:
            self.effects.append((request.operation, transaction_id))
        status = "processed" if request.operation == "process" else "validated"
        headers = {"idempotent-replayed": "true"} if again else {}
        return answered(200, {"status": status, "transaction_id": transaction_id}, headers)


def answered(status: int, body: Any, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, headers or {}, json.dumps(body).encode())
