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
_DENIALS = {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}


@dataclass(frozen=True)
class Exchange:
    """One request of a caller and its answer; `status` is None where none came.

    `payment` names what was meant to be one payment, however often it was sent: the principal and its
    Idempotency-Key, else anything that only this request has. `transaction_id` is what /process was asked for, or what
    /validate answered. What isn't told (`amount_minor`, `currency`, `created_at`) isn't compared.
    """

    operation: Literal["validate", "process"]
    payment: str
    customer_id: str
    status: int | None
    transaction_id: str = ""
    processed_at: str = ""
    request_id: str = ""
    amount_minor: int | None = None
    currency: str = ""
    created_at: str = ""  # what /validate answered
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
    validated = [exchange for exchange in sent if exchange.operation == "validate"]
    processed = [exchange for exchange in sent if exchange.operation == "process"]
    found = [
        *_validations([exchange for exchange in validated if exchange.acknowledged], items, expired_before),
        *_processings(processed, items),
        *_refusals(processed, validated, items, expired_before),
        *_strangers(validated, items),
        *_misshapen(items),
    ]
    return found if messages is None else [*found, *_records(sent, list(messages), messages_lost)]


def _validations(
    acknowledged: list[Exchange], items: Mapping[str, Mapping[str, Any]], expired_before: str
) -> Iterable[Discrepancy]:
    ids: dict[str, set[str]] = defaultdict(set)
    told: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in acknowledged:
        ids[exchange.payment].add(exchange.transaction_id)
        told[exchange.transaction_id].append(exchange)
    yield from (Discrepancy("one_payment_twice", payment) for payment, found in ids.items() if len(found) > 1)
    for transaction_id, exchanges in told.items():
        if len({exchange.payment for exchange in exchanges}) > 1:
            yield Discrepancy("two_payments_as_one", transaction_id)
        # A key whose payment has expired starts anew under the same id: the newest answer is what holds.
        newest = max(exchanges, key=lambda exchange: exchange.created_at)
        item = items.get(transaction_id)
        if item is None:
            if not _may_be_gone(newest, expired_before):
                yield Discrepancy("acknowledged_but_missing", transaction_id)
        elif item.get("customer_id") != newest.customer_id:
            yield Discrepancy("stored_for_another", transaction_id)
        elif _differs(newest, item):
            yield Discrepancy("stored_otherwise", transaction_id)


def _may_be_gone(exchange: Exchange, expired_before: str) -> bool:
    return "" < exchange.created_at < expired_before


def _differs(exchange: Exchange, item: Mapping[str, Any]) -> bool:
    """Whether the item is not the one that was acknowledged; what the exchange doesn't say isn't compared."""
    told = {
        "amount_minor": exchange.amount_minor,
        "currency": exchange.currency or None,
        "created_at": exchange.created_at or None,
    }
    return any(value is not None and item.get(name) != value for name, value in told.items())


def _processings(sent: list[Exchange], items: Mapping[str, Mapping[str, Any]]) -> Iterable[Discrepancy]:
    asked = {exchange.transaction_id for exchange in sent if exchange.acknowledged or exchange.unknown}
    times: dict[str, set[str]] = defaultdict(set)
    for exchange in sent:
        if exchange.acknowledged:
            times[exchange.transaction_id].add(exchange.processed_at)
    for transaction_id, found in times.items():
        item = items.get(transaction_id)
        if item is None or item.get("status") != "processed":
            yield Discrepancy("processed_but_not_stored", transaction_id)
        elif found != {item.get("processed_at")}:
            yield Discrepancy("two_effects", transaction_id)
    for transaction_id, item in items.items():
        if item.get("status") == "processed" and transaction_id not in asked:
            yield Discrepancy("processed_unasked", transaction_id)


def _refusals(
    processed: list[Exchange],
    validated: list[Exchange],
    items: Mapping[str, Mapping[str, Any]],
    expired_before: str,
) -> Iterable[Discrepancy]:
    """No /process says "unknown" or "expired" of a payment that was acknowledged and hasn't expired."""
    alive = {
        exchange.transaction_id
        for exchange in validated
        if exchange.acknowledged and not _may_be_gone(exchange, expired_before)
    }
    denied = {exchange.transaction_id for exchange in processed if exchange.status in _DENIALS}
    yield from (Discrepancy("acknowledged_but_denied", each) for each in sorted(denied & alive & items.keys()))


def _strangers(validated: list[Exchange], items: Mapping[str, Mapping[str, Any]]) -> Iterable[Discrepancy]:
    """Each item was acknowledged to a caller, or belongs to a payment whose callers never heard the outcome."""
    acknowledged = {exchange.transaction_id for exchange in validated if exchange.acknowledged}
    told = {exchange.payment for exchange in validated if exchange.acknowledged}
    unheard: dict[str, dict[str, Exchange]] = defaultdict(dict)
    for exchange in validated:
        if exchange.unknown and exchange.payment not in told:
            unheard[exchange.customer_id][exchange.payment] = exchange
    for transaction_id, item in items.items():
        if transaction_id in acknowledged:
            continue
        candidates = unheard[str(item.get("customer_id"))]
        own = next((name for name, exchange in candidates.items() if not _differs(exchange, item)), None)
        if own is None:
            yield Discrepancy("stored_unasked", transaction_id)
        else:
            del candidates[own]


def _misshapen(items: Mapping[str, Mapping[str, Any]]) -> Iterable[Discrepancy]:
    for transaction_id, item in items.items():
        if item.get("status") not in _STATUSES:
            yield Discrepancy("unknown_status", transaction_id)
        if item.get("status") == "processed" and "expires_at" in item:  # DynamoDB would remove it
            yield Discrepancy("processed_but_expires", transaction_id)


def _records(sent: list[Exchange], messages: list[Mapping[str, Any]], messages_lost: int) -> Iterable[Discrepancy]:
    """Each refusal and each 5xx of a function left one message of its kind, and nothing else did.

    SQS may deliver a message twice, so two with one request id are one.
    """
    expected = expected_records(sent)
    recorded = {(str(message["request_id"]), str(message["kind"])) for message in messages}
    missing = sorted(expected - recorded)
    if len(missing) > messages_lost:
        yield from (Discrepancy(f"{kind}_but_not_recorded", request_id) for request_id, kind in missing)
    unheard = sum(exchange.status is None or exchange.by_gateway for exchange in sent)
    unasked = sorted(recorded - expected)
    if len(unasked) > unheard:  # a request whose answer was lost may have left one
        yield from (Discrepancy("recorded_unasked", request_id) for request_id, _ in unasked)


def expected_records(exchanges: Iterable[Exchange]) -> set[tuple[str, str]]:
    """Return request id and kind of each message that the exchanges must have left in the failures queue."""
    return {(exchange.request_id, kind) for exchange in exchanges if (kind := _kind(exchange))}


def _kind(exchange: Exchange) -> str | None:
    """Return the kind of the message that an exchange must have left, if any."""
    if exchange.status is None or exchange.by_gateway:
        return None
    if exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "error"
    return "rejected" if exchange.operation == "validate" and exchange.status in _RECORDED else None
