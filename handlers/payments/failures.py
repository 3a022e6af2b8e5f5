"""The failures queue, for people to see and replay (docs/failures-queue.md)."""

import json
from typing import Any

from .aws import Services
from .contract import Errors
from .transactions import timestamp

# Two attempts of 1 s to connect and to read each, and a pause.
SEND_BUDGET_MS = 8000
# 404, 409 and 422 are the caller's own affair.
REJECTIONS = ("invalid_request", "card_data_refused", "body_too_large")


def report(call: Any, services: Services, code: str, status: int, errors: Errors) -> None:
    """Send and count the failure of an http.Call, if it is one for the queue. The answer stays what it is."""
    rejected = code in REJECTIONS and call.path == "/validate"
    if rejected:
        call.record.currency = call.payment.get("currency")
        call.record.payment("Rejected")
    if not rejected and status < 500:
        return
    try:
        _send(call, services, _message(call, code, errors, rejected=rejected, now=services.clock()))
    except Exception as error:  # noqa: BLE001 - nothing about the queue may change the answer
        call.record.metric("FailureMessagesLost", 1)
        call.record.fields["queue_error"] = type(error).__name__


def _send(call: Any, services: Services, message: dict[str, Any]) -> None:
    left = getattr(call.context, "get_remaining_time_in_millis", lambda: SEND_BUDGET_MS)()
    if left < SEND_BUDGET_MS:
        raise TimeoutError  # the answer does not wait for the queue
    services.sqs().send_message(QueueUrl=services.queue_url, MessageBody=json.dumps(message))


def _message(call: Any, code: str, errors: Errors, *, rejected: bool, now: float) -> dict[str, Any]:
    """Validated fields only, never the raw body; what is not known is left out."""
    known = {
        "transaction_id": call.transaction_id,
        # Without it a replay could make a second payment.
        "idempotency_key": call.idempotency_key,
        "payment": call.payment,
        "errors": errors,
    }
    return {
        "schema": 1,
        "kind": "rejected" if rejected else "error",
        "code": code,
        "retryable": code == "temporarily_unavailable",
        "operation": call.record.fields["operation"],
        "request_id": call.request_id,
        "principal": call.principal,
        "at": timestamp(now),
        **{name: value for name, value in known.items() if value},
    }
