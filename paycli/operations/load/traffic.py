"""What one worker sends: new payments, repeats of what it has sent, processings, and what the contract refuses."""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Literal

from paycli.operations.load.plan import KINDS, Plan

_REMEMBERED = 10_000  # requests and payments; what is older is not sent again
_HIGHEST = 99_999  # minor units
# What the function refuses, and, on AWS, the gateway where the structure is wrong.
_REFUSED: tuple[Mapping[str, Any], ...] = (
    {"amount": "10.001"},
    {"amount": 0},
    {"currency": "usd"},
    {"description": "x" * 501},
    {"colour": "red"},
)


@dataclass(frozen=True)
class Request:
    """One request; `payment` is its key and names the payment, `minor` its amount where the contract accepts it."""

    kind: str
    operation: Literal["validate", "process"]
    payment: str
    customer: str
    body: bytes
    minor: int | None = None
    transaction_id: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What is sent besides the body."""
        return {"Idempotency-Key": self.payment} if self.operation == "validate" else {}


class Traffic:
    """Chooses each request, and remembers what may be sent again: no more of it than `_REMEMBERED`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._random = plan.random()
        self._weights = [plan.mix[kind] for kind in KINDS]
        self._sent: list[Request] = []
        self._count = 0
        self._unprocessed: deque[Request] = deque(maxlen=_REMEMBERED)

    def next(self) -> Request:
        """Return what is sent now. What there is nothing for yet is a new payment."""
        (kind,) = self._random.choices(KINDS, self._weights)
        if kind == "invalid":
            return self._payment("invalid", **self._random.choice(_REFUSED))
        if kind == "replay" and self._sent:
            return replace(self._random.choice(self._sent), kind="replay")
        if kind == "process" and self._unprocessed:
            return self._remembered(self._processing(self._unprocessed.popleft()))
        return self._remembered(self._payment("new"))

    def learn(self, request: Request, status: int | None, said: Mapping[str, Any]) -> None:
        """Take note of an answer: a new payment that was taken may be processed."""
        if request.kind == "new" and status == HTTPStatus.OK:
            self._unprocessed.append(replace(request, transaction_id=str(said.get("transaction_id"))))

    def _payment(self, kind: str, **wrong: Any) -> Request:
        """Make a payment with a customer of its own, so that it can be found where its answer is lost."""
        self._count += 1
        name = f"{self._plan.prefix}{self._plan.number}-{self._count}"
        minor = self._random.randint(1, _HIGHEST)
        amount = f"{minor // 100}.{minor % 100:02}"
        body = {"amount": amount, "currency": "USD", "customer_id": name, **wrong}
        return Request(kind, "validate", name, name, json.dumps(body).encode(), None if wrong else minor)

    def _processing(self, payment: Request) -> Request:
        body = json.dumps({"transaction_id": payment.transaction_id}).encode()
        return Request("process", "process", payment.payment, payment.customer, body, None, payment.transaction_id)

    def _remembered(self, request: Request) -> Request:
        if len(self._sent) < _REMEMBERED:
            self._sent.append(request)
        else:
            self._sent[self._random.randrange(_REMEMBERED)] = request
        return request
