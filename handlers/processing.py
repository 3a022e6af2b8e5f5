"""POST /process: mark a validated payment as processed, once."""

from typing import Any

from handlers.payments import aws, contract, transactions
from handlers.payments.http import Answer, Call, serve

ROUTE = ("POST", "/process")


def respond(event: object, context: object, services: aws.Services) -> dict[str, Any]:
    """Answer one API Gateway event."""
    return serve(Call(event, context, ROUTE), lambda call: process(call, services), services)


def process(call: Call, services: aws.Services) -> Answer:
    """Process a payment, in one write; raises RefusedError and the SDK's errors."""
    call.identify(contract.transaction_id(call.body()))
    item, replayed = transactions.process(services, call.transaction_id, call.request_id)
    call.record.currency = item.get("currency", {}).get("S")
    call.record.payment("Replayed" if replayed else "Processed")
    return transactions.processed_body(item), 200, replayed


_services = aws.payment_services()
aws.end_init(_services.dynamodb)


def handler(event: object, context: object) -> dict[str, Any]:
    """Answer Lambda."""
    return respond(event, context, _services)
