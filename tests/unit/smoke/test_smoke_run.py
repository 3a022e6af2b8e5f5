"""A whole run: its results, its order, its interruption, and what it leaves behind."""

import threading
import time
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paycli.errors import PaycliError, UsageError
from paycli.smoke import CheckResult, cleanup, names, run
from tests.unit.smoke.smoke_stack import AwsError, Reply, Stack, deployed, problem


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "_PATIENCE", 0.02)


@pytest.mark.parametrize("authorization", ["iam", "none"])
@pytest.mark.parametrize("retain_data", [False, True])
def test_a_stack_that_is_as_it_must_be_passes_every_check(authorization: str, retain_data: bool) -> None:
    stack = Stack(authorization=authorization, retain_data=retain_data)
    reported: list[CheckResult] = []
    with deployed(stack) as target:
        results = run(target, report=reported.append)
    assert [result.name for result in results] == names()
    assert sorted(map(str, reported)) == sorted(map(str, results))
    for result in results:
        assert (result.passed, result.expected, result.found) == (True, "", ""), result
        assert 0 <= result.duration_seconds < 30
    assert stack.items == {}
    assert {request.signed for request in stack.requests if request.path == "/health"} == (
        {True, False} if authorization == "iam" else {False}
    )


def test_only_what_is_asked_for_runs_in_the_declared_order() -> None:
    with deployed(Stack()) as target:
        results = run(target, only=["topic", "table"])
    assert [result.name for result in results] == ["table", "topic"]


def test_an_unknown_check_names_the_nearest() -> None:
    with deployed(Stack()) as target:
        with pytest.raises(UsageError) as close:
            run(target, only=["workflows"])
        with pytest.raises(UsageError) as far:
            run(target, only=["xyz"])
    assert "Did you mean 'workflow'?" in close.value.hint
    assert far.value.hint.startswith("The checks: table, ")


def test_a_stack_without_the_needed_outputs_is_named() -> None:
    with deployed(Stack()) as target:
        older = replace(target, outputs={**target.outputs, "RestApiId": ""})
        with pytest.raises(PaycliError, match="has no output RestApiId") as failed:
            run(older)
    assert "paycli deploy --env test" in failed.value.hint


def test_what_aws_refuses_fails_that_check_alone() -> None:
    stack = Stack()

    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise AwsError("AccessDenied", "not you")

    stack.operations["GetStage"] = refuse
    with deployed(stack) as target:
        results = run(target)
    (failed,) = (result for result in results if not result.passed)
    assert failed.name == "throttling"
    assert failed.found == "AWS refused: GetStage: not you (AccessDenied)"
    assert failed.detail.startswith("The caller needs the right for GetStage; `paycli config deployer-policy`")


def test_missing_credentials_are_said_in_words() -> None:
    stack = Stack()
    with deployed(stack) as target:
        import boto3

        keyless = replace(target, aws=replace(target.aws, session=boto3.Session()))
        (result,) = run(keyless, only=["health"])
    assert "No AWS credentials" in result.found
    assert "aws sso login" in result.detail


def test_an_expected_error_of_paycli_is_a_failed_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def expired(_: object) -> None:
        raise PaycliError("The login has expired", hint="Log in.")

    with deployed(Stack()) as target:
        monkeypatch.setattr(type(target.aws), "credentials", expired)
        (result,) = run(target, only=["health"])
    assert (result.found, result.detail) == ("The login has expired", "Log in.")


def test_a_bug_surfaces_when_the_others_have_had_their_say() -> None:
    stack = Stack()

    def bug(_: dict[str, Any]) -> dict[str, Any]:
        raise ZeroDivisionError

    stack.operations["GetStage"] = bug
    reported: list[CheckResult] = []
    with deployed(stack) as target, pytest.raises(ZeroDivisionError):
        run(target, report=reported.append)
    assert {result.name for result in reported} == {*names()} - {"throttling"}
    assert stack.items == {}
    assert stack.messages == []


def test_an_interruption_ends_the_waiting_and_still_removes_the_test_data() -> None:
    stack = Stack()
    stored = threading.Event()

    def never(_: Any) -> Reply:
        stored.set()
        return problem(503, "temporarily_unavailable")

    stack.routes["POST /process"] = never

    def interrupt(_: CheckResult) -> None:
        assert stored.wait(10)
        assert stack.items
        raise KeyboardInterrupt

    started = time.monotonic()
    with deployed(stack) as target, pytest.raises(KeyboardInterrupt):
        run(target, only=["topic", "workflow"], report=interrupt)
    assert time.monotonic() - started < 20  # and not the minute that a fresh stack is given
    assert stack.items == {}
    assert stack.messages == []


def test_test_data_that_cannot_be_removed_is_a_result_of_its_own() -> None:
    stack = Stack()

    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise AwsError("AccessDenied", "not you")

    stack.operations["DeleteItem"] = refuse
    reported: list[CheckResult] = []
    with deployed(stack) as target:
        results = run(target, only=["workflow"], report=reported.append)
    assert [(result.name, result.passed) for result in results] == [("workflow", True), ("cleanup", False)]
    assert reported == results
    (transaction,) = stack.items
    assert results[1].found == (
        f"the payment {transaction} stays in transactions-test: AWS refused: DeleteItem: not you (AccessDenied)"
    )


def test_a_payment_that_is_not_a_smoke_tests_is_never_deleted() -> None:
    stack = Stack()
    theirs = {"status": {"S": "validated"}, "customer_id": {"S": "real"}, "transaction_id": {"S": "txn_theirs"}}
    stack.items["txn_theirs"] = theirs
    stack.routes["POST /validate"] = lambda _: Reply(200, {"status": "validated", "transaction_id": "txn_theirs"})
    with deployed(stack) as target:
        results = run(target, only=["workflow"])
    assert [result.passed for result in results] == [False]
    assert stack.items == {"txn_theirs": theirs}


def test_results_are_plain_data() -> None:
    with deployed(Stack()) as target:
        (result,) = run(target, only=["topic"])
    assert list(asdict(result)) == ["name", "title", "passed", "duration_seconds", "expected", "found", "detail"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["status", "code", "transaction_id", "request_id", "errors", "checks", "processed_at"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
_STATUS = st.integers(200, 599).filter(lambda status: status not in {204, 304})


def test_whatever_the_api_answers_is_a_result_and_never_a_crash() -> None:
    stack = Stack()
    healthy = stack.routes["GET /health"]
    only = ["health", "workflow", "bad-payment", "unknown-payment", "failed-queue"]

    @settings(max_examples=60, deadline=None)
    @given(status=_STATUS, document=_JSON, kind=st.sampled_from(["application/json", "application/problem+json"]))
    def check(status: int, document: Any, kind: str) -> None:
        odd = Reply(status, document, kind)
        stack.routes |= {"POST /validate": lambda _: odd, "POST /process": lambda _: odd}
        stack.routes["GET /health"] = (lambda _: odd) if status == 503 else healthy
        results = run(target, only=only, deadline_seconds=0)
        assert {result.name for result in results} == {*only}
        for result in results:
            assert result.passed or (result.expected and result.found)

    with deployed(stack) as target:
        check()
