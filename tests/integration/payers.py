"""Callers of a deployed API who remember what they were told."""

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import uuid4

from paycli.api_client import Answer, ApiClient
from paycli.aws import Aws
from paycli.errors import PaycliError
from paycli.operations.reconciliation import Exchange

Result = TypeVar("Result")


class Payer:
    """Sends payments, signed by `aws` or not, and keeps each exchange for the reconciliation."""

    def __init__(self, aws: Aws, endpoint: str, *, signed: bool = True) -> None:
        self.client = ApiClient(aws, endpoint, timeout=40)
        self.signed = signed
        self.exchanges: list[Exchange] = []
        self.answers: list[Answer] = []

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        """Send JSON, or bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.call("POST", path, body=content, headers=named, signed=self.signed)

    def validate(self, key: str | None = None, *, customer: str = "customer-1", **fields: Any) -> Answer | None:
        """Send a payment; None where no answer came."""
        payment = {"amount": "10.00", "currency": "USD", "customer_id": customer, **fields}
        headers = {"Idempotency_Key": key} if key else {}
        answer = self._sent(lambda: self.post("validate", payment, **headers))
        body = answer.json() if answer else {}
        self.exchanges.append(
            Exchange(
                "validate",
                key or uuid4().hex,
                customer,
                answer.status if answer else None,
                body.get("transaction_id", ""),
                request_id=body.get("request_id", ""),
                amount_minor=body.get("amount_minor"),
                currency=body.get("currency", ""),
                created_at=body.get("created_at", ""),
                by_gateway=of_gateway(answer),
            )
        )
        return answer

    def process(self, transaction_id: str, *, customer: str = "customer-1") -> Answer | None:
        """Process a payment; None where no answer came."""
        answer = self._sent(lambda: self.post("process", {"transaction_id": transaction_id}))
        body = answer.json() if answer else {}
        status = answer.status if answer else None
        self.exchanges.append(
            Exchange(
                "process",
                transaction_id,
                customer,
                status,
                transaction_id,
                body.get("processed_at", ""),
                body.get("request_id", ""),
                by_gateway=of_gateway(answer),
            )
        )
        return answer

    def _sent(self, send: Callable[[], Answer]) -> Answer | None:
        try:
            answer = send()
        except PaycliError:
            return None
        self.answers.append(answer)
        return answer


def insist(send: Callable[[], Answer | None]) -> Answer | None:
    """Send again what got no answer or a 503, as a client does, so that a slow machine fails no race."""
    for _ in range(10):
        answer = send()
        if answer is not None and answer.status != 503:
            break
    return answer


def of_gateway(answer: Answer | None) -> bool:
    """Whether API Gateway answered by itself: the functions' answers are marked as not to be sniffed."""
    return answer is not None and "x-content-type-options" not in answer.headers


def at_once(count: int, work: Callable[[int], Result], threads: int | None = None) -> list[Result]:
    """Run `work` for 0 to count-1 side by side: one thread each, or so many threads that go on with the next."""
    with ThreadPoolExecutor(threads or count) as pool:
        return list(pool.map(work, range(count)))


def items_of(aws: Aws, table: str) -> dict[str, dict[str, Any]]:
    """Return the whole table by transaction_id, with plain values."""
    from boto3.dynamodb.types import TypeDeserializer

    plain = TypeDeserializer().deserialize
    pages = aws.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    rows = [{name: plain(value) for name, value in item.items()} for page in pages for item in page["Items"]]
    return {row["transaction_id"]: row for row in rows}


def messages_of(aws: Aws, queue_url: str) -> list[dict[str, Any]]:
    """Receive every message of a test's own queue, and delete it."""
    sqs = aws.client("sqs")
    found: list[dict[str, Any]] = []
    while received := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", []):
        for message in received:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    return found


def proxies_of(aws: Aws) -> set[str]:
    """Return the proxies through which the functions of `local` call AWS."""
    functions = aws.client("lambda")
    found = (
        functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"].get("HTTP_PROXY")
        for name in ("payment-validation-local", "payment-processing-local")
    )
    return {proxy for proxy in found if proxy}


def statuses(answers: Iterable[Answer | None]) -> Sequence[int | None]:
    """Return the statuses, sorted, None last."""
    return sorted(
        (answer.status if answer else None for answer in answers), key=lambda status: (status is None, status)
    )
