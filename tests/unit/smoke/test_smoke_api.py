"""The API's routes: what heals, what doesn't, and what is said about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paycli.api_client import Answer
from paycli.smoke import CheckResult, cleanup, run
from paycli.smoke.payment_api import describe
from tests.unit.smoke.smoke_stack import Reply, Request, Route, Stack, deployed, problem


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "_PATIENCE", 0.02)


def checked(stack: Stack, name: str, deadline: float = 0.02) -> CheckResult:
    with deployed(stack) as target:
        (result,) = run(target, only=[name], deadline_seconds=deadline)
    return result


def first(reply: Reply, then: Route) -> Route:
    """Answer the first request with `reply`, the others as `then` does."""
    asked: list[Request] = []

    def answer(request: Request) -> Reply:
        asked.append(request)
        return reply if len(asked) == 1 else then(request)

    return answer


@pytest.mark.parametrize(
    "reply",
    [
        problem(403, "access_denied"),
        problem(429, "throttled"),
        problem(502, "bad_gateway"),
        problem(503, "temporarily_unavailable"),
        Reply(200, {}, hang_up=True),
    ],
)
def test_an_api_that_is_still_settling_is_waited_for(reply: Reply) -> None:
    stack = Stack()
    stack.routes |= {route: first(reply, then) for route, then in stack.routes.items()}
    for name in ("health", "unknown-payment", "workflow"):
        assert checked(stack, name, deadline=30).passed
    assert stack.items == {}


def test_an_api_that_never_answers_fails_with_a_hint() -> None:
    stack = Stack()
    stack.routes["GET /health"] = lambda _: Reply(200, {}, hang_up=True)
    result = checked(stack, "health")
    assert result.expected == "an answer to GET /health"
    assert "no answer" in result.found
    assert "Check the network" in result.detail


@pytest.mark.parametrize(("authorization", "hint"), [("iam", "execute-api:Invoke"), ("none", "authorization is none")])
def test_a_lasting_403_has_a_hint_that_fits_the_authorization(authorization: str, hint: str) -> None:
    stack = Stack(authorization=authorization)
    stack.routes["GET /health"] = lambda _: problem(403, "access_denied")
    result = checked(stack, "health")
    assert (result.expected, result.found) == ("200 from GET /health", "403; code: access_denied")
    assert hint in result.detail


def test_an_unready_stack_fails_the_checks_that_need_it_with_the_same_words() -> None:
    stack = Stack()
    stack.routes["GET /health"] = lambda _: problem(500, "internal_error")
    with deployed(stack) as target:
        results = run(target, only=["health", "workflow", "bad-payment"], deadline_seconds=0.02)
    assert {(result.passed, result.found) for result in results} == {(False, "500; code: internal_error")}
    assert all(request.path == "/health" for request in stack.requests)


def test_a_route_that_is_not_there_fails_at_once() -> None:
    stack = Stack()
    stack.routes["GET /health"] = lambda _: problem(404, "route_not_found", detail="There is nothing\nhere")
    result = checked(stack, "health", deadline=30)
    assert result.found == "404; code: route_not_found; detail: There is nothing"


def test_a_degraded_api_passes_and_says_why() -> None:
    stack = Stack()
    checks = [{"name": "api_5xx", "state": "degraded"}, {"name": "latency", "state": "healthy"}, "odd"]
    stack.routes["GET /health"] = lambda _: Reply(200, {"status": "degraded", "checks": checks})
    result = checked(stack, "health")
    assert (result.passed, result.detail) == (True, "degraded; api_5xx is degraded")


def test_a_critical_api_fails_its_check_but_is_ready_for_the_others() -> None:
    stack = Stack()
    checks = [{"name": "api_5xx", "state": "critical"}]
    stack.routes["GET /health"] = lambda _: Reply(503, {"status": "critical", "checks": checks})
    with deployed(stack) as target:
        health, unknown = run(target, only=["health", "unknown-payment"], deadline_seconds=30)
    assert (health.passed, health.found, health.detail) == (False, "503; status: critical", "api_5xx is critical")
    assert unknown.passed


def test_a_health_answer_without_a_known_state_fails() -> None:
    stack = Stack()
    stack.routes["GET /health"] = lambda _: Reply(200, None, raw=b"<html>")
    assert checked(stack, "health").found == "200; no JSON object in a body of 6 bytes"


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (Reply(400, {"code": "x"}), "application/json"),
        (Reply(400, {}, "application/problem+json"), "400; no JSON object in a body of 2 bytes"),
        (problem(400, "invalid_request"), "400; code: invalid_request"),
        (
            problem(400, "invalid_request", errors=[{"field": "currency"}, "odd"]),
            "400; code: invalid_request; errors in: currency",
        ),
        (Reply(201, {"status": "validated"}), "201; status: validated"),
    ],
)
def test_a_refusal_that_is_not_the_contracts_fails(reply: Reply, found: str) -> None:
    stack = Stack()
    stack.routes["POST /validate"] = lambda _: reply
    assert checked(stack, "bad-payment", deadline=30).found == found


def test_a_bad_payment_that_is_accepted_fails_and_is_removed() -> None:
    stack = Stack()
    stack.reject = lambda payment: stack.validate(  # type: ignore[method-assign]
        Request("POST", "/validate", {}, f'{{"amount":1,"customer_id":"{payment["customer_id"]}"}}'.encode())
    )
    assert checked(stack, "bad-payment").found == "200; status: validated"
    assert stack.items == {}


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (problem(404, "route_not_found"), "404; code: route_not_found"),
        (Reply(200, {"status": "processed"}), "200; status: processed"),
    ],
)
def test_an_unknown_payment_must_be_called_so(reply: Reply, found: str) -> None:
    stack = Stack()
    stack.routes["POST /process"] = lambda _: reply
    assert checked(stack, "unknown-payment").found == found


def opened(stack: Stack, *routes: str) -> None:
    """Answer unsigned requests on these routes, as a stack that needs no credentials would."""
    closed = stack.answer

    def answer(request: Request) -> Reply:
        route = f"{request.method} {request.path}"
        return stack.routes[route](request) if route in routes else closed(request)

    stack.answer = answer  # type: ignore[method-assign]


@pytest.mark.parametrize("route", ["GET /health", "POST /process", "POST /validate"])
def test_a_route_that_answers_a_caller_without_credentials_fails(route: str) -> None:
    stack = Stack()
    opened(stack, route)
    result = checked(stack, "unauthenticated")
    method, path = route.split()
    assert result.expected == f"403 from {method} {path} without credentials"
    assert not result.passed
    assert stack.items == {}


def test_the_authorization_of_the_deployment_before_is_waited_out() -> None:
    stack = Stack()
    closed, open_once = stack.answer, [Reply(200, {"status": "healthy"})]
    stack.answer = lambda request: (  # type: ignore[method-assign]
        open_once.pop() if open_once and not request.signed else closed(request)
    )
    assert checked(stack, "unauthenticated", deadline=30).detail == "403 on every route"


def test_an_open_api_must_answer_a_caller_without_credentials() -> None:
    stack = Stack(authorization="none")
    assert "answered" in checked(stack, "unauthenticated").detail
    assert not any(request.signed for request in stack.requests)


SECRET = "IQoJb3JpZ2luX2VjE-token"


@given(
    st.sampled_from(["message", "detail", "code", "status"]),
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cs"]), max_size=300),
)
def test_what_the_gateway_quotes_of_a_request_is_never_shown(key: str, words: str) -> None:
    import json

    quoted = f"{words}\n\nThe Canonical String for this request should have been\nx-amz-security-token:{SECRET}"
    body = json.dumps({key: f"The signature does not match. {quoted}"}).encode()
    said = describe(Answer(403, {}, body))
    assert "The signature does not match." in said
    assert SECRET not in said
    assert len(said) < 250
