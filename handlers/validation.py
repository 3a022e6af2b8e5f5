"""POST /validate: check a payment and store it, once for each Idempotency-Key."""

import os
from typing import Any

from handlers.payments import aws, contract, transactions
from handlers.payments.http import Answer, Call, serve

ROUTE = ("POST", "/validate")


def respond(event: object, context: object, services: aws.Services) -> dict[str, Any]:
    """Answer one API Gateway event."""
    return serve(Call(event, context, ROUTE), lambda call: validate(call, services), services)


def validate(call: Call, services: aws.Services) -> Answer:
    """Store a payment, in one write; raises RefusedError and the SDK's errors."""
    payment = contract.payment(call.body())
    call.payment = payment.request()
    call.idempotency_key = contract.idempotency_key(call.header("idempotency-key"))
    call.identify(transactions.identify(call.principal, call.idempotency_key))
    call.record.currency = payment.currency
    ids = {"transaction_id": call.transaction_id, "principal": call.principal, "request_id": call.request_id}
    item, replayed = transactions.create(services, payment, ids)
    call.record.payment("Replayed" if replayed else "Validated")
    return transactions.validated_body(item), 200, replayed


_services = aws.payment_services()._replace(ttl=int(os.environ["PAYMENT_TTL_SECONDS"]))
aws.end_init(_services.dynamodb)


def handler(event: object, context: object) -> dict[str, Any]:
    """Answer Lambda."""
    return respond(event, context, _services)
