"""What may be done with a message, and why not more: nothing here calls anything.

Idempotency keys belong to a principal, the account and the unique id of the caller (docs/api.md). Sent by anybody else,
the same key would name another payment: such a message is never replayed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from paycli.operations.failures.message import Message
from paycli.operations.load.plan import CUSTOMER_PREFIX as LOAD_TEST
from paycli.smoke.ledger import CUSTOMER_PREFIX as SMOKE_TEST

ANONYMOUS = "anonymous"  # the principal of every caller where the API asks for no signature

_OWN_TESTS = {LOAD_TEST: "load test", SMOKE_TEST: "smoke test"}  # with what their customers and keys begin


@dataclass(frozen=True)
class Replay:
    """The request that a message stands for; to send it twice is to send it once."""

    operation: str  # validate or process: the route's name
    body: bytes
    key: str | None  # the original Idempotency-Key, of validate only

    @property
    def headers(self) -> dict[str, str]:
        """The headers that belong to it."""
        return {"Idempotency-Key": self.key} if self.key else {}


@dataclass(frozen=True)
class Left:
    """Why a message is not replayed, in one sentence."""

    why: str


def principal_of(identity: Mapping[str, str]) -> str:
    """Return whom the API takes a caller for, by STS's GetCallerIdentity: of a role without its session.

    The rule is that of handlers/payments/http.py. API Gateway's $context.identity.caller and STS's UserId are the same
    unique id: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    """
    caller = identity["UserId"]
    return f"{identity['Account']}:{caller.partition(':')[0] if caller.startswith('AROA') else caller}"


def advise(message: Message, principal: str | None, *, internal_errors: bool = False) -> Replay | Left:
    """Return how a message is replayed as `principal`, or why it isn't; None stands for whoever is the right one.

    With `internal_errors` also what failed for a cause that was unknown then.
    """
    if not message.fields:
        return Left("it is no message of schema 1")
    if test := own_test(message):
        return Left(f"it is of a {test}, whose payments are removed: `paycli failures discard --of-tests` deletes it")
    if message.text("kind") != "error":
        return Left("it would be refused again: its errors say what the caller has to change")
    if message.fields.get("retryable") is not True and not internal_errors:
        return Left("it may fail again: find its cause by its request id first, then add --internal-errors")
    if message.text("operation") == "process":
        return _process(message)
    return _validate(message, principal)


def own_test(message: Message) -> str:
    """Return which of paycli's own tests has sent the request, empty where none has, or where the message doesn't tell.

    A processing tells no customer and no key.
    """
    payment = message.fields.get("payment")
    customer = payment.get("customer_id") if isinstance(payment, dict) else None
    names = [name for name in (customer, message.text("idempotency_key")) if isinstance(name, str)]
    return next((test for prefix, test in _OWN_TESTS.items() if any(name.startswith(prefix) for name in names)), "")


def _process(message: Message) -> Replay | Left:
    transaction_id = message.text("transaction_id")
    if not transaction_id:
        return Left("nobody knows which payment it was")
    return Replay("process", json.dumps({"transaction_id": transaction_id}).encode(), None)


def _validate(message: Message, principal: str | None) -> Replay | Left:
    payment, key, owner = message.fields.get("payment"), message.text("idempotency_key"), message.text("principal")
    if not isinstance(payment, dict) or message.text("operation") != "validate":
        return Left("it holds no whole request")
    if not key:
        return Left("it has no idempotency key: a replay would be another payment than one that the caller sent again")
    if principal not in (None, owner):
        return Left(f"its key belongs to {owner or 'nobody known'}: a replay as {principal} would be another payment")
    return Replay("validate", json.dumps(payment).encode(), key)
