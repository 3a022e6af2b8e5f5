"""The failed-transactions queue: seen, tidied, and never at the cost of a real failure."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paycli.smoke import CheckResult, cleanup, run
from paycli.smoke.ledger import Ledger
from tests.unit.smoke.smoke_stack import AwsError, Reply, Request, Stack, deployed, function, problem

THEIRS = json.dumps({"request_id": "theirs", "payment": {"customer_id": "real"}})


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "_PATIENCE", 0.02)


def checked(stack: Stack, *names: str, deadline: float = 0.05) -> list[CheckResult]:
    with deployed(stack) as target:
        return run(target, only=names or ["failed-queue"], deadline_seconds=deadline)


def test_both_checks_share_one_refused_payment_and_remove_its_message() -> None:
    stack = Stack()
    results = checked(stack, "bad-payment", "failed-queue")
    assert [result.passed for result in results] == [True, True]
    assert results[1].detail == "its message was received and removed"
    assert stack.messages == []
    assert sum(request.path == "/validate" for request in stack.requests) == 1


def test_a_refused_payment_alone_leaves_no_message_either() -> None:
    stack = Stack()
    (result,) = checked(stack, "bad-payment")
    assert (result.passed, result.detail) == (True, "code invalid_request")
    assert stack.messages == []


def test_a_message_that_comes_late_is_waited_for() -> None:
    stack = Stack()
    receive, early = stack.operations["ReceiveMessage"], [dict[str, Any]()]
    stack.operations["ReceiveMessage"] = lambda params: early.pop() if early else receive(params)
    (result,) = checked(stack, deadline=30)
    assert result.passed
    assert stack.messages == []


@pytest.mark.parametrize("retain_data", [True, False])
def test_a_queue_that_may_hold_real_failures_is_never_received_from(retain_data: bool) -> None:
    stack = Stack(retain_data=retain_data)
    if not retain_data:
        stack.put_message(THEIRS)
    before = len(stack.messages)
    results = checked(stack, "bad-payment", "failed-queue")
    assert [result.passed for result in results] == [True, True]
    assert stack.receives == 0
    assert len(stack.messages) == before + 1
    reason = "retain_data is on" if retain_data else "it already held 1, which may be real failures"
    assert all(result.detail.endswith(f"stays in the queue: {reason}") for result in results[:1])
    assert results[1].detail.endswith(reason)


def test_a_count_that_is_behind_is_given_a_moment() -> None:
    stack = Stack()
    count, asked = stack.operations["GetQueueAttributes"], []

    def behind(params: dict[str, Any]) -> dict[str, Any]:
        asked.append(params)
        counted = count(params)
        if len(asked) < 4:
            counted["Attributes"]["ApproximateNumberOfMessages"] = "1"
        return counted

    stack.operations["GetQueueAttributes"] = behind
    (result,) = checked(stack, deadline=30)
    assert result.detail == "its message was received and removed"


def test_on_the_embedded_aws_the_count_is_exact() -> None:
    stack = Stack(target="embedded")
    stack.put_message(THEIRS)
    (result,) = checked(stack, deadline=30)
    assert result.passed
    assert stack.receives == 0


def arriving_meanwhile(stack: Stack, messages: int) -> None:
    """Let failures of somebody else's arrive, in front, just before the first receive."""
    receive = stack.operations["ReceiveMessage"]

    def changed(params: dict[str, Any]) -> dict[str, Any]:
        if not stack.receives:
            own, stack.messages = stack.messages, []
            for number in range(messages):
                stack.put_message(THEIRS if number else "not JSON")
            stack.messages += own
        return receive(params)

    stack.operations["ReceiveMessage"] = changed


@pytest.mark.parametrize("messages", [1, 9, 10, 12])
def test_a_real_failure_that_arrives_meanwhile_is_handed_back_at_once(messages: int) -> None:
    stack = Stack()
    arriving_meanwhile(stack, messages)
    (result,) = checked(stack)
    assert result.passed
    theirs = [message for message in stack.messages if "paycli-smoke" not in message["Body"]]
    assert len(theirs) == messages
    assert not any(message["hidden"] for message in stack.messages)
    assert max(message["received"] for message in theirs) == 1
    if messages < 10:
        assert result.detail == "its message was received and removed"
    else:  # ours wasn't among the ten that were received
        assert result.detail.endswith("a failure of somebody else's arrived meanwhile")
        assert len(stack.messages) == messages + 1


def test_a_message_that_never_arrives_fails() -> None:
    stack = Stack()
    stack.sends = False
    (result,) = checked(stack)
    assert "in the failed-transactions queue" in result.expected
    assert result.found == "no such message"


def test_where_nothing_is_received_the_functions_own_line_says_that_it_was_lost() -> None:
    stack = Stack(retain_data=True)
    stack.sends = False
    (result,) = checked(stack, deadline=30)
    assert result.found == "the function could not send it: EndpointConnectionError"


def test_where_nothing_is_received_a_message_that_the_queue_does_not_hold_fails() -> None:
    stack = Stack(retain_data=True)
    stack.put_message = lambda _: None  # type: ignore[assignment,method-assign]
    (result,) = checked(stack)
    assert (result.expected, result.found) == ("more than 0 messages in the failed-transactions queue", "0")
    assert "approximate" in result.detail


def test_where_nothing_is_received_the_log_line_must_come() -> None:
    stack = Stack(retain_data=True)
    stack.operations["FilterLogEvents"] = lambda _: {"events": []}
    (result,) = checked(stack)
    assert result.found == "no such line yet"


def test_the_log_group_is_the_functions_own() -> None:
    stack = Stack(retain_data=True)
    stack.operations["GetFunctionConfiguration"] = lambda p: {
        name: value for name, value in function(p["FunctionName"]).items() if name != "LoggingConfig"
    }
    read, groups = stack.operations["FilterLogEvents"], []

    def reading(params: dict[str, Any]) -> dict[str, Any]:
        groups.append(params["logGroupName"])
        return read(params)

    stack.operations["FilterLogEvents"] = reading
    (result,) = checked(stack)
    assert result.passed
    assert set(groups) == {"/aws/lambda/payment-validation-test"}


def test_a_refusal_without_a_request_id_cannot_be_followed() -> None:
    stack = Stack()
    refuse = stack.reject

    def silent(payment: dict[str, Any]) -> Reply:
        reply = refuse(payment)
        return Reply(400, {k: v for k, v in reply.document.items() if k != "request_id"}, reply.kind)

    stack.reject = silent  # type: ignore[method-assign]
    (result,) = checked(stack)
    assert result.expected == "a request_id in the refusal"


def test_the_message_of_a_lost_answer_is_removed_too() -> None:
    stack = Stack()
    refuse, refused = stack.reject, []

    def lose_the_first(payment: dict[str, Any]) -> Reply:
        refused.append(refuse(payment))
        return Reply(400, {}, hang_up=True) if len(refused) == 1 else refused[-1]

    stack.reject = lose_the_first  # type: ignore[method-assign]
    (result,) = checked(stack, "bad-payment", deadline=30)
    assert result.passed
    assert len(refused) == 2
    assert stack.messages == []


def test_the_message_of_a_failed_request_is_removed_too() -> None:
    stack = Stack()
    failing_once(stack)
    (result,) = checked(stack, "unknown-payment", deadline=30)
    assert result.passed
    assert stack.messages == []


def failing_once(stack: Stack, *, hang_up: bool = False) -> list[Reply]:
    """Let the first request of /process fail, as a throttled one does; its message tells no customer."""
    failures: list[Reply] = []

    def fail_once(request: Request) -> Reply:
        if failures:
            return stack.process(request)
        failures.append(problem(503, "temporarily_unavailable"))
        stack.put_message(json.dumps({"request_id": failures[0].document["request_id"], "kind": "error"}))
        return Reply(503, {}, hang_up=True) if hang_up else failures[0]

    stack.routes["POST /process"] = fail_once
    return failures


def test_a_message_of_a_request_that_failed_at_first_is_named_where_it_stays() -> None:
    stack = Stack(retain_data=True)
    failures = failing_once(stack)
    workflow, tidied = checked(stack, "workflow", deadline=30)
    assert (workflow.passed, tidied.name, tidied.passed) == (True, "cleanup", True)
    name = failures[0].document["request_id"]
    assert f"whose messages may stay in the queue (retain_data is on): that of {name};" in tidied.detail
    assert tidied.detail.endswith(f"paycli failures discard {name} --env test")
    assert len(stack.messages) == 1


def test_a_message_that_a_lost_answer_may_have_left_is_said() -> None:
    stack = Stack(retain_data=True)
    failing_once(stack, hang_up=True)
    _, tidied = checked(stack, "workflow", deadline=30)
    assert "perhaps one of a request that got no answer" in tidied.detail
    assert tidied.detail.endswith("paycli failures discard --of-tests --env test")


def test_a_queue_that_cannot_be_tidied_is_a_failed_cleanup() -> None:
    stack = Stack()

    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise AwsError("AccessDenied", "not you")

    stack.operations["ReceiveMessage"] = refuse
    results = checked(stack, "bad-payment")
    assert [(result.name, result.passed) for result in results] == [("bad-payment", True), ("cleanup", False)]
    assert "messages may stay in the failed-transactions queue: AWS refused" in results[1].found


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["request_id", "payment", "customer_id"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(ANY_JSON)
def test_no_message_but_its_own_belongs_to_a_run(message: Any) -> None:
    ledger = Ledger()
    ledger.note("validate", 400, {"request_id": "a request of this run"})
    assert not ledger.owns(message)
    if isinstance(message, dict):
        assert ledger.owns({**message, "request_id": "a request of this run"})
        assert ledger.owns({**message, "payment": {"customer_id": ledger.customer}})


@given(
    st.sampled_from(["validate", "process"]),
    st.sampled_from([200, 400, 403, 404, 409, 422, 429, 500, 503]),
)
def test_only_what_may_have_left_a_trace_is_recorded(path: str, status: int) -> None:
    ledger = Ledger()
    ledger.note(path, status, {"transaction_id": "txn", "request_id": "id"})
    assert ledger.transactions == ({"txn"} if (path, status) == ("validate", 200) else set())
    assert ledger.requests == ({"id"} if status >= 500 or (path, status) == ("validate", 400) else set())
