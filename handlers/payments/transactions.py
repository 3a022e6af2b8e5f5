"""The transactions table: one conditional write a request, and what its refusal tells.

DynamoDB checks and writes in one step, and a refusal returns the item in the way. So nothing is read before, and
when the SDK repeats a write whose reply was lost, it finds the request's own.

    nothing --validate--> validated --process--> processed, for good: its expires_at is removed
                          expires_at passed: process refuses it, and its key may start a new payment
"""

import hashlib
import json
import os
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from .aws import Services
from .contract import Payment, RefusedError, decimal_text

# The item of a payment, and whether it is a replay: an earlier request had done the same.
Stored = tuple[dict[str, Any], bool]


def identify(principal: str, key: str | None) -> str:
    """Return the transaction's id of 128 bits: that of the caller's key, or a random one."""
    if key is None:
        return f"txn_{os.urandom(16).hex()}"
    # As JSON: no other pair is written alike.
    return f"txn_{hashlib.sha256(json.dumps([principal, key]).encode()).hexdigest()[:32]}"


def fingerprint(payment: Payment) -> str:
    """Return what makes two requests with one key the same."""
    return hashlib.sha256(json.dumps(payment.request(), sort_keys=True).encode()).hexdigest()


def create(services: Services, payment: Payment, ids: dict[str, str]) -> Stored:
    """Store a payment as validated; `ids` are transaction_id, principal and request_id.

    What is already there is this request's own write, a replay, or another payment (raises RefusedError); an
    expired one is replaced.
    """
    now = services.clock()
    item = {
        **{name: {"S": value} for name, value in ids.items()},
        "schema": {"N": "1"},
        "status": {"S": "validated"},
        "amount_minor": {"N": str(payment.amount_minor)},
        "currency": {"S": payment.currency},
        "customer_id": {"S": payment.customer_id},
        **{name: _attribute(value) for name, value in payment.details.items()},
        "fingerprint": {"S": fingerprint(payment)},
        "created_at": {"S": timestamp(now)},
        "expires_at": {"N": str(int(now) + services.ttl)},
    }
    try:
        services.dynamodb.put_item(
            TableName=services.table,
            Item=item,
            ConditionExpression="attribute_not_exists(transaction_id)"
            " OR (#status = :validated AND expires_at <= :now AND fingerprint = :fingerprint)",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={
                ":validated": {"S": "validated"},
                ":now": {"N": str(int(now))},
                ":fingerprint": item["fingerprint"],
            },
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        existing = _in_the_way(error)
        if existing["fingerprint"] != item["fingerprint"]:
            raise RefusedError("idempotency_key_reused") from None
        return existing, existing["request_id"] != item["request_id"]
    return item, False


def process(services: Services, transaction_id: str, request_id: str) -> Stored:
    """Mark a payment as processed, once. Raises RefusedError where there is none or it has expired."""
    now = services.clock()
    try:
        reply = services.dynamodb.update_item(
            TableName=services.table,
            Key={"transaction_id": {"S": transaction_id}},
            ConditionExpression="#status = :validated AND expires_at > :now",
            UpdateExpression="SET #status = :processed, processed_at = :at, processed_by = :by REMOVE expires_at",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={
                ":validated": {"S": "validated"},
                ":processed": {"S": "processed"},
                ":now": {"N": str(int(now))},
                ":at": {"S": timestamp(now)},
                ":by": {"S": request_id},
            },
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        existing = _in_the_way(error)
        if not existing:
            raise RefusedError("payment_not_found") from None
        if existing["status"] != {"S": "processed"}:
            raise RefusedError("payment_expired") from None
        return existing, existing["processed_by"] != {"S": request_id}
    # The reply's status says that it is done; its body is only for the log.
    written = {"transaction_id": {"S": transaction_id}, "processed_at": {"S": timestamp(now)}}
    return {**reply.get("Attributes", {}), **written}, False


def validated_body(item: dict[str, Any]) -> dict[str, Any]:
    """Return the body of /validate, of attributes that never change: a replay is the same."""
    minor_units, currency = int(item["amount_minor"]["N"]), item["currency"]["S"]
    return {
        "status": "validated",
        "amount": decimal_text(minor_units, currency),
        "amount_minor": minor_units,
        **{name: item[name]["S"] for name in ("transaction_id", "currency", "customer_id", "created_at")},
    }


def processed_body(item: dict[str, Any]) -> dict[str, Any]:
    """Return the body of /process."""
    return {"status": "processed", **{name: item[name]["S"] for name in ("transaction_id", "processed_at")}}


def timestamp(now: float) -> str:
    """Write seconds since the epoch as ISO 8601 in UTC."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _attribute(value: str | dict[str, str]) -> dict[str, Any]:
    if isinstance(value, str):
        return {"S": value}
    return {"M": {key: {"S": text} for key, text in value.items()}}


def _in_the_way(error: ClientError) -> dict[str, Any]:
    """Return the item that failed a condition, {} for none; raise any other error."""
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    item: dict[str, Any] = error.response.get("Item", {})
    return item
