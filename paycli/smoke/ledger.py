"""What a run has left behind so far, so that all of it, and nothing else, can be removed."""

from collections.abc import Mapping
from secrets import token_hex
from typing import Any

# Whose payments the smoke test's are; nobody else's customer may have this prefix.
CUSTOMER_PREFIX = "paycli-smoke-"


class Ledger:
    """The traces of one run.

    Checks add to it from several threads (adding to a set is atomic in CPython); it is read as a whole
    only when they are done.
    """

    def __init__(self) -> None:
        self.customer = CUSTOMER_PREFIX + token_hex(4)
        self.transactions: set[str] = set()
        self.requests: set[str] = set()  # those whose failure is, or may be, in the queue
        self.failures: set[str] = set()  # those of them that were answered 5xx, and asked again
        self.unanswered = False  # a payment was sent whose answer got lost

    def note(self, path: str, status: int, said: Mapping[str, Any]) -> None:
        """Record an answer of the API.

        What the contract refuses at /validate and every 5xx of a handler go to the queue; 404, 409 and
        422 don't.
        """
        transaction, request = said.get("transaction_id"), said.get("request_id")
        if path == "validate" and status < 300 and isinstance(transaction, str):
            self.transactions.add(transaction)
        if isinstance(request, str) and ((path == "validate" and status == 400) or status >= 500):
            self.requests.add(request)
            if status >= 500:
                self.failures.add(request)

    def owns(self, message: Any) -> bool:
        """Say whether a message of the failed-transactions queue (its parsed body) comes from this run."""
        if not isinstance(message, dict):
            return False
        payment, request = message.get("payment"), message.get("request_id")
        if isinstance(payment, dict) and payment.get("customer_id") == self.customer:
            return True
        return isinstance(request, str) and request in self.requests
