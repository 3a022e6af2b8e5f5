"""The gateway's own errors, in the shape of the handlers' errors: RFC 9457 problem+json.

A code that the contract knows too (`PROBLEMS` of handlers/payments/contract.py) means the same there. Each text
is fixed. Nothing of the request is repeated: `$context.error.validationErrorString` quotes values,
and a value can be a card number.
https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from troposphere import GenericHelperFn, Template
from troposphere.apigateway import GatewayResponse, RestApi

if TYPE_CHECKING:
    from paycli.environment import Environment


@dataclass(frozen=True)
class GatewayError:
    """One error of the gateway. Without a status it stands for a family, and each keeps its own."""

    response_type: str
    status: int | None
    title: str
    code: str
    detail: str
    retry_after: int | None = None  # seconds


GATEWAY_ERRORS = (
    GatewayError("DEFAULT_4XX", None, "Request refused", "request_refused", "The request was refused."),
    # A function that crashed or was killed, one that didn't answer in time, and API Gateway's own failures. Their
    # statuses (500, 502, 504) all mean the same to a caller. CloudWatch counts what is answered so as 4XXError
    # (apigateway-metrics-and-dimensions.html): the alarms on the functions' errors and throttles see it.
    GatewayError(
        "DEFAULT_5XX",
        503,
        "Service Unavailable",
        "temporarily_unavailable",
        "The outcome is unknown. Send the request again, with its Idempotency-Key.",
        5,
    ),
    GatewayError(
        "BAD_REQUEST_BODY", 400, "Bad Request", "invalid_request", "The body is no JSON or lacks the right structure."
    ),
    GatewayError(
        "MISSING_AUTHENTICATION_TOKEN",
        403,
        "Forbidden",
        "not_authenticated",
        "The request isn't signed, or there is no such route.",
    ),
    GatewayError("ACCESS_DENIED", 403, "Forbidden", "access_denied", "The caller may not call this route."),
    GatewayError("INVALID_SIGNATURE", 403, "Forbidden", "invalid_signature", "The request's signature is wrong."),
    GatewayError("EXPIRED_TOKEN", 403, "Forbidden", "expired_token", "The caller's credentials have expired."),
    GatewayError("RESOURCE_NOT_FOUND", 404, "Not Found", "route_not_found", "There is nothing at this path."),
    GatewayError("REQUEST_TOO_LARGE", 413, "Content Too Large", "body_too_large", "The body is too large."),
    GatewayError(
        "UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported Media Type", "unsupported_media_type", "Send application/json."
    ),
    GatewayError("THROTTLED", 429, "Too Many Requests", "throttled", "Too many requests; try again later.", 1),
)


# Only where the web ACL is.
FIREWALL_ERROR = GatewayError(
    "WAF_FILTERED", 403, "Forbidden", "request_blocked", "The firewall before the API blocked the request."
)


def add_gateway_responses(template: Template, environment: "Environment", api: RestApi) -> list[GatewayResponse]:
    """Add one response for each error."""
    errors = (*GATEWAY_ERRORS, FIREWALL_ERROR) if environment.waf else GATEWAY_ERRORS
    return [template.add_resource(_response(api, error)) for error in errors]


def _response(api: RestApi, error: GatewayError) -> GatewayResponse:
    headers = {"Content-Type": "application/problem+json"}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    response = GatewayResponse(
        f"{error.response_type.title().replace('_', '')}Response",
        RestApiId=api.ref(),
        # Passed by troposphere's own list of types, which lacks WAF_FILTERED.
        ResponseType=GenericHelperFn(error.response_type),
        ResponseParameters={f"gatewayresponse.header.{name}": f"'{value}'" for name, value in headers.items()},
        ResponseTemplates={"application/json": _problem(error)},
    )
    if error.status is not None:
        response.StatusCode = str(error.status)
    return response


def _problem(error: GatewayError) -> str:
    problem: dict[str, str | int | list[str]] = {"type": "about:blank", "title": error.title}
    if error.status is not None:
        problem["status"] = error.status
    problem |= {"detail": error.detail, "code": error.code, "request_id": "$context.requestId", "errors": []}
    return json.dumps(problem, separators=(",", ":"))
