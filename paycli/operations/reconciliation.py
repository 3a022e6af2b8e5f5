"""Hold what callers were told against what the table and the failures queue say.

Pure: whoever calls it brings the exchanges, the items and the messages. It never repeats payment details, only ids.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

# The refusals of /validate that leave a message (docs/failures-queue.md).
_RECORDED = {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
_STATUSES = {"validated", "processed"}


@dataclass(frozen=True)
class Exchange:
    """One request of a caller and its answer; `status` is None where none came.

    `payment` names what was meant to be one payment, however often it was sent: its Idempotency-Key, else anything
    that only this request has. `transaction_id` is what /process was asked for, or what /validate answered.
    """

    operation: Literal["validate", "process"]
    payment: str
    customer_id: str
    status: int | None
    transaction_id: str = ""
    processed_at: str = ""
    request_id: str = ""
    amount_minor: int | None = None  # what /validate answered
    created_at: str = ""
    by_gateway: bool = False  # refused before it reached a function, which alone leaves messages

    @property
    def acknowledged(self) -> bool:
        """Whether the caller was told that it is done."""
        return self.status == HTTPStatus.OK

    @property
    def unknown(self) -> bool:
        """Whether the caller can't know if it was done: no answer, or a 5xx."""
        return self.status is None or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR


@dataclass(frozen=True)
class Discrepancy:
    """Something that must not be: `kind` is a stable word, `about` a transaction, payment or request id."""

    kind: str
    about: str


def reconcile(
    exchanges: Iterable[Exchange],
    items: Mapping[str, Mapping[str, Any]],
    messages: Iterable[Mapping[str, Any]] | None = None,
    *,
    messages_lost: int = 0,
    expired_before: str = "",
) -> list[Discrepancy]:
    """Return every discrepancy; none means that each payment was taken exactly as its caller was told.

    `items` are the table's, by transaction_id, as boto3's resource reads them (status, customer_id, processed_at);
    `messages` the queue's bodies, None where nobody looked; `messages_lost` what the functions' metric
    FailureMessagesLost counted. DynamoDB removes expired payments: one that was acknowledged before `expired_before`
    (ISO 8601, as `created_at`) and never processed may be missing.

    Where an answer is lost, an item is matched by its customer alone: give each payment a customer of its own.
    """
    sent = list(exchanges)
    found = [
        *_validations(sent, items, expired_before),
        *_processings(sent, items),
        *_strangers(sent, items),
    ]
    return found if messages is None else [*found, *_records(sent, list(messages), messages_lost)]


def _validations(
    sent: list[Exchange], items: Mapping[str, Mapping[str, Any]], expired_before: str
) -> Iterable[Discrepancy]:
    ids: dict[str, set[str]] = defaultdict(set)
    for exchange in sent:
        if exchange.operation == "validate" and exchange.acknowledged:
            ids[exchange.payment].add(exchange.transaction_id)
            item = items.get(exchange.transaction_id)
            if item is None:
                if not "" < exchange.created_at < expired_before:
                    yield Discrepancy("acknowledged_but_missing", exchange.transaction_id)
            elif item["customer_id"] != exchange.customer_id:
                yield Discrepancy("stored_for_another", exchange.transaction_id)
            elif _differs(exchange, item):
                yield Discrepancy("stored_otherwise", exchange.transaction_id)
    yield from (Discrepancy("one_payment_twice", payment) for payment, found in ids.items() if len(found) > 1)


def _differs(exchange: Exchange, item: Mapping[str, Any]) -> bool:
    """Whether the item is not the one that was acknowledged; what the exchange doesn't say isn't compared."""
    amount = exchange.amount_minor is not None and item["amount_minor"] != exchange.amount_minor
    return amount or bool(exchange.created_at and item["created_at"] != exchange.created_at)


def _processings(sent: list[Exchange], items: Mapping[str, Mapping[str, Any]]) -> Iterable[Discrepancy]:
    asked: set[str] = set()
    times: dict[str, set[str]] = defaultdict(set)
    for exchange in sent:
        if exchange.operation != "process":
            continue
        if exchange.acknowledged or exchange.unknown:
            asked.add(exchange.transaction_id)
        if exchange.acknowledged:
            times[exchange.transaction_id].add(exchange.processed_at)
    for transaction_id, found in times.items():
        item = items.get(transaction_id)
        if item is None or item["status"] != "processed":
            yield Discrepancy("processed_but_not_stored", transaction_id)
        elif found != {item["processed_at"]}:
            yield Discrepancy("two_effects", transaction_id)
    for transaction_id, item in items.items():
        if item["status"] == "processed" and transaction_id not in asked:
            yield Discrepancy("processed_unasked", transaction_id)


def _strangers(sent: list[Exchange], items: Mapping[str, Mapping[str, Any]]) -> Iterable[Discrepancy]:
    """Each item was acknowledged to a caller, or belongs to a payment whose callers never heard the outcome."""
    acknowledged = {exchange.transaction_id for exchange in sent if exchange.acknowledged}
    told = {exchange.payment for exchange in sent if exchange.operation == "validate" and exchange.acknowledged}
    unheard: dict[str, set[str]] = defaultdict(set)
    for exchange in sent:
        if exchange.operation == "validate" and exchange.unknown and exchange.payment not in told:
            unheard[exchange.customer_id].add(exchange.payment)
    found: dict[str, int] = defaultdict(int)
    for transaction_id, item in items.items():
        if item["status"] not in _STATUSES:
            yield Discrepancy("unknown_status", transaction_id)
        if transaction_id not in acknowledged:
            found[item["customer_id"]] += 1
            if found[item["customer_id"]] > len(unheard[item["customer_id"]]):
                yield Discrepancy("stored_unasked", transaction_id)


def _records(sent: list[Exchange], messages: list[Mapping[str, Any]], messages_lost: int) -> Iterable[Discrepancy]:
    """Each refusal and each 5xx of a function left one message of its kind, and nothing else did.

    SQS may deliver a message twice, so two with one request id are one.
    """
    expected = {exchange.request_id: kind for exchange in sent if (kind := _kind(exchange))}
    recorded = {str(message["request_id"]): str(message["kind"]) for message in messages}
    missing = sorted(request_id for request_id, kind in expected.items() if recorded.get(request_id) != kind)
    if len(missing) > messages_lost:
        yield from (Discrepancy(f"{expected[request_id]}_but_not_recorded", request_id) for request_id in missing)
    unheard = sum(exchange.status is None or exchange.by_gateway for exchange in sent)
    unasked = sorted(recorded.keys() - expected.keys())
    if len(unasked) > unheard:  # a request whose answer was lost may have left one
        yield from (Discrepancy("recorded_unasked", request_id) for request_id in unasked)


def _kind(exchange: Exchange) -> str | None:
    """Return the kind of the message that an exchange must have left, if any."""
    if exchange.status is None or exchange.by_gateway:
        return None
    if exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "error"
    return "rejected" if exchange.operation == "validate" and exchange.status in _RECORDED else None
