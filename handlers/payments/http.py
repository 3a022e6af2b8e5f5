"""From an API Gateway event (Lambda proxy, payload 1.0), however malformed, to an answer."""

import base64
import json
import os
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from . import failures
from .aws import Services, is_temporary
from .contract import PROBLEMS, Errors, RefusedError
from .observability import Record

# A success: body, status, and whether it is a replay.
Answer = tuple[dict[str, Any], int, bool]


class Call:
    """One request, and what is known of it: the log and the failures queue tell no more."""

    def __init__(self, event: object, context: object, route: tuple[str, str]) -> None:
        self.event: dict[str, Any] = event if isinstance(event, dict) else {}
        self.context = context
        self.method, self.path = route
        # Lambda's, as it tells an own write from a replay: a client can choose API Gateway's (X-Amzn-RequestId).
        self.request_id: str = getattr(context, "aws_request_id", None) or os.urandom(16).hex()
        gateway = self.event.get("requestContext")
        gateway = gateway if isinstance(gateway, dict) else {}
        self.principal = _principal(gateway.get("identity"))
        self.record = Record(self.path.strip("/"), self.request_id, gateway.get("requestId"))
        self.idempotency_key: str | None = None
        self.transaction_id = ""
        self.payment: dict[str, Any] = {}  # its validated fields, as in a request

    def identify(self, transaction_id: str) -> None:
        """Take the payment's id."""
        self.transaction_id = self.record.fields["transaction_id"] = transaction_id

    def header(self, name: str) -> list[Any]:
        """Return all values of a header, named in lower case."""
        values: list[Any] = []
        for source in ("multiValueHeaders", "headers"):
            headers = self.event.get(source)
            if isinstance(headers, dict) and not values:
                found = [value for header, value in headers.items() if str(header).lower() == name]
                values = [each for value in found for each in (value if isinstance(value, list) else [value])]
        return values

    def body(self) -> bytes:
        """Return the body as it was sent; raises RefusedError."""
        body = self.event.get("body") or ""
        try:
            if self.event.get("isBase64Encoded") is True:
                return base64.b64decode(body, validate=True)
            return body.encode()
        except (ValueError, TypeError, AttributeError):
            raise RefusedError("invalid_request", {"body": "cannot be decoded"}) from None

    def check_route(self) -> None:
        """Raise RefusedError for another's request."""
        if self.event.get("resource", self.path) != self.path:
            raise RefusedError("route_not_found")
        if self.event.get("httpMethod") != self.method:
            raise RefusedError("method_not_allowed")


def serve(call: Call, operate: Callable[[Call], Answer], services: Services | None = None) -> dict[str, Any]:
    """Answer with what `operate` returns or with a problem, and log it. With services, failures go to the queue."""
    record = call.record
    try:
        call.check_route()
        body, status, replayed = operate(call)
        headers = {"Content-Type": "application/json"} | ({"Idempotent-Replayed": "true"} if replayed else {})
        response = _response(status, body, headers)
    except RefusedError as refused:
        record.fields["outcome"] = "rejected"
        call.payment = call.payment or refused.accepted
        response = _problem(call, services, refused.code, refused.errors)
    except Exception as error:  # noqa: BLE001 - a client gets no stack trace
        record.failed(error)
        response = _problem(call, services, "temporarily_unavailable" if is_temporary(error) else "internal_error", [])
    record.fields["status"] = response["statusCode"]
    record.write()
    return response


def _problem(call: Call, services: Services | None, code: str, errors: Errors) -> dict[str, Any]:
    """Report a problem and answer by RFC 9457."""
    status, detail = PROBLEMS[code]
    headers = {"Content-Type": "application/problem+json"}
    call.record.fields["code"] = code
    if services:
        failures.report(call, services, code, status, errors)
    if status == 405:
        headers["Allow"] = call.method
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": call.request_id,
        "errors": errors,
    }
    return _response(status, body, headers)


def _response(status: int, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    if status == 503:
        headers["Retry-After"] = "1"
    return {
        "statusCode": status,
        "headers": {**headers, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
        "body": json.dumps(body, separators=(",", ":")),
        "isBase64Encoded": False,
    }


def _principal(identity: object) -> str:
    """Return the account and unique id of the caller that API Gateway authenticated.

    Of a role's AROA...:session the session is left out: else a retry by another pod would be a second payment.
    """
    account, caller = (identity.get("accountId"), identity.get("caller")) if isinstance(identity, dict) else ("", "")
    if not caller or not isinstance(caller, str):
        return "anonymous"
    return f"{account}:{caller.partition(':')[0] if caller.startswith('AROA') else caller}"
