"""The transactions table: one conditional write a request, and what its refusal tells.

DynamoDB checks and writes in one step, and a refusal returns the item in the way. So nothing is read before, and
when the SDK repeats a write whose reply was lost, it finds the request's own.

    nothing --validate--> validated --process--> processed, for good: its expires_at is removed
                          expires_at passed: process refuses it, and its key may start a new payment
"""

import hashlib
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from .aws import OutcomeUnknownError, Services, error_code
from .contract import Payment, RefusedError, decimal_text

# An item, and whether an earlier request had made it so.
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
    existing, done = _write(
        services.dynamodb.put_item,
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
    )
    if done:
        return item, False
    if not existing:
        raise OutcomeUnknownError
    if existing["fingerprint"] != item["fingerprint"]:
        raise RefusedError("idempotency_key_reused")
    return existing, existing["request_id"] != item["request_id"]


def process(services: Services, transaction_id: str, request_id: str) -> Stored:
    """Mark a payment as processed, once. Raises RefusedError where there is none or it has expired."""
    now = services.clock()
    item, done = _write(
        services.dynamodb.update_item,
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
    )
    if done:
        # The reply's status says that it is done; its body is only for the log.
        written = {"transaction_id": {"S": transaction_id}, "processed_at": {"S": timestamp(now)}}
        return {**item, **written}, False
    if not item:
        raise RefusedError("payment_not_found")
    if item["status"] != {"S": "processed"}:
        raise RefusedError("payment_expired")
    return item, item["processed_by"] != {"S": request_id}


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


def _write(write: Callable[..., dict[str, Any]], **request: Any) -> tuple[dict[str, Any], bool]:
    """Return what was written and True, or the item that failed the condition ({} for none) and False."""
    try:
        return write(**request, ReturnValuesOnConditionCheckFailure="ALL_OLD").get("Attributes", {}), True
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        return error.response.get("Item", {}), False
    except Exception as error:
        raise OutcomeUnknownError from error
