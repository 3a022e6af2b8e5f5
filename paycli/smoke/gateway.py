"""The API as its callers meet it: routes, refusals, limits."""

from typing import TYPE_CHECKING
from uuid import uuid4

from paycli.api_client import Answer
from paycli.smoke.payment_api import check_problem, describe, document, error_fields, heals
from paycli.smoke.result import CheckFailed, NotYet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paycli.smoke.session import Session

# How long an API may go on answering by its last deployment's authorization.
_PROPAGATION = 15.0  # seconds


def check_health(session: "Session") -> str:
    """GET /health answers, and doesn't say critical."""
    answer = session.health()
    said = document(answer)
    worries = _worries(said.get("checks"))
    if answer.status != 200 or said.get("status") not in {"healthy", "degraded", "unknown"}:
        expected = "200 from GET /health with status healthy, degraded or unknown"
        raise CheckFailed(expected, describe(answer), worries)
    return f"{said['status']}; {worries}" if worries else str(said["status"])


def _worries(checks: object) -> str:
    """Return what the monitor's own checks say is degraded or critical."""
    worries = (
        f"{check.get('name')} is {check['state']}"
        for check in (checks if isinstance(checks, list) else [])
        if isinstance(check, dict) and check.get("state") in ("degraded", "critical")
    )
    return ", ".join(worries)


def check_throttling(session: "Session") -> str:
    """The stage lets through what the environment says, and its web ACL stands before it."""
    outputs, environment = session.target.outputs, session.target.environment
    throttle = environment.throttle
    apigateway = session.target.aws.client("apigateway")
    try:
        stage = apigateway.get_stage(restApiId=outputs["RestApiId"], stageName=outputs["StageName"])
    except apigateway.exceptions.NotFoundException:
        raise CheckFailed(f"the stage {outputs['StageName']}", "no such stage") from None
    settings = stage.get("methodSettings", {}).get("*/*", {})
    found = (settings.get("throttlingRateLimit"), settings.get("throttlingBurstLimit"))
    if found != (throttle.rate, throttle.burst):
        raise CheckFailed(
            f"{throttle.rate} requests/s, burst {throttle.burst}",
            f"{found[0]} requests/s, burst {found[1]}",
        )
    guarded = bool(stage.get("webAclArn"))
    if environment.waf and environment.target == "aws" and not guarded:
        raise CheckFailed("a web ACL before the stage", "none")
    return f"{throttle.rate} requests/s, burst {throttle.burst}" + (", behind a web ACL" if guarded else "")


def check_bad_payment(session: "Session") -> str:
    """A payment that only the contract refuses (the gateway's model lets it through) gets 400."""
    session.wait_until_ready()
    answer = session.rejection()
    said = check_problem(answer)
    if "amount" not in error_fields(said):
        raise CheckFailed("an error in the field amount", describe(answer))
    kept = session.queue.keeps_messages
    return f"code {said['code']}" + (f"; its message stays in the queue: {kept}" if kept else "")


def check_unknown_payment(session: "Session") -> str:
    """Processing a payment that isn't there gets 404."""
    session.wait_until_ready()
    answer = session.api.expect(404, "POST", "process", {"transaction_id": str(uuid4())})
    said = check_problem(answer)
    if said["code"] != "payment_not_found":  # the gateway has a 404 of its own, for a missing route
        raise CheckFailed("the code payment_not_found", describe(answer))
    return f"code {said['code']}"


def check_unauthenticated(session: "Session") -> str:
    """A caller without credentials gets what the environment's authorization says: 403, or an answer."""
    session.wait_until_ready()
    if not session.signed:
        session.api.expect(404, "POST", "process", {"transaction_id": str(uuid4())})
        return "answered, as authorization = none wants it"
    # First the route without effects: while it is open by an older deployment, nothing else is sent.
    session.patience.until(lambda: _refused(session, "GET", "health"), within=_PROPAGATION)
    for path, payload in {
        "process": {"transaction_id": str(uuid4())},
        "validate": {"amount": "1.00", "currency": "USD", "customer_id": session.ledger.customer},
    }.items():
        session.patience.until(
            lambda path=path, payload=payload: _refused(session, "POST", path, payload)  # type: ignore[misc]
        )
    return "403 on every route"


def _refused(session: "Session", method: str, path: str, payload: "Mapping[str, str] | None" = None) -> Answer:
    answer = session.api.ask(method, path, payload, signed=False)
    if answer.status == 403:
        return answer
    may_heal = method == "GET" or heals(answer.status)
    raise (NotYet if may_heal else CheckFailed)(f"403 from {method} /{path} without credentials", describe(answer))
