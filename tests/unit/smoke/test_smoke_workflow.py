"""The whole life of one payment, and every way in which it can be wrong."""

from collections.abc import Callable
from typing import Any

import pytest

from paycli.smoke import CheckResult, run
from tests.unit.smoke.smoke_stack import Reply, Request, Stack, deployed

Break = Callable[[Stack], None]


def checked(stack: Stack) -> CheckResult:
    with deployed(stack) as target:
        (result,) = run(target, only=["workflow"], deadline_seconds=0.02)
    return result


def changing(route: str, nth: int = 1, drop: str = "", **changes: Any) -> Break:
    """Make the nth answer of a route say something else."""

    def apply(stack: Stack) -> None:
        answer, asked = stack.routes[route], []

        def changed(request: Request) -> Reply:
            reply = answer(request)
            asked.append(request)
            if len(asked) != nth:
                return reply
            said = {**reply.document, **changes}
            said.pop(drop, None)
            return Reply(reply.status, said)

        stack.routes[route] = changed

    return apply


def storing(nth: int, **changes: Any) -> Break:
    """Make the nth look at the table find something else; None removes an attribute."""

    def apply(stack: Stack) -> None:
        get_item, looks = stack.operations["GetItem"], []

        def changed(params: dict[str, Any]) -> dict[str, Any]:
            looks.append(params)
            found = get_item(params)
            if len(looks) == nth:
                found["Item"] = {k: v for k, v in {**found["Item"], **changes}.items() if v is not None}
            return found

        stack.operations["GetItem"] = changed

    return apply


def forgetting(stack: Stack) -> None:
    stack.operations["GetItem"] = lambda _: {}


@pytest.mark.parametrize(
    ("break_it", "expected"),
    [
        (changing("POST /validate", status="stored"), "status validated in the answer"),
        (changing("POST /validate", drop="transaction_id"), "a transaction_id in the answer to /validate"),
        (changing("POST /validate", transaction_id=7), "a transaction_id in the answer to /validate"),
        (forgetting, "in the table transactions-test"),
        (storing(1, status={"S": "processed"}), "status validated in the table"),
        (storing(1, customer_id={"S": "somebody"}), "in the table"),
        (storing(1, customer_id=None), "in the table"),
        (storing(1, amount_minor={"N": "1"}), "amount_minor 123 in the table"),
        (storing(1, currency={"S": "EUR"}), "currency USD in the table"),
        (changing("POST /process", status="done"), "status processed in the answer"),
        (changing("POST /process", transaction_id="txn_other"), "in the answer"),
        (changing("POST /process", drop="processed_at"), "processed_at in the answer to /process"),
        (storing(2, status={"S": "validated"}), "status processed in the table"),
        (storing(2, processed_at={"S": "never"}), "processed_at 2026-07-01T00:00:00.000Z in the table"),
        (storing(2, processed_at=None), "processed_at 2026-07-01T00:00:00.000Z in the table"),
        (changing("POST /process", nth=2, processed_at="later"), "when processed again"),
        (storing(3, processed_by={"S": "again"}), "the same item after processing again"),
        (storing(3, customer_id=None), "the same item after processing again"),
    ],
)
def test_a_step_that_goes_wrong_fails_with_what_was_expected(break_it: Break, expected: str) -> None:
    stack = Stack()
    break_it(stack)
    result = checked(stack)
    assert not result.passed
    assert expected in result.expected
    assert result.found
    if "drop" not in repr(break_it) and "transaction_id in the answer to" not in result.expected:
        assert stack.items == {}


def test_a_deploy_that_changes_what_is_to_be_paid_when_it_processes_it_fails() -> None:
    stack = Stack()
    process = stack.routes["POST /process"]

    def corrupting(request: Request) -> Reply:
        reply = process(request)
        stack.items[reply.document["transaction_id"]] |= {"amount_minor": {"N": "1"}, "description": {"S": "new"}}
        return reply

    stack.routes["POST /process"] = corrupting
    result = checked(stack)
    assert result.expected == "the payment as it was validated after processing"
    assert result.found == "changed: amount_minor, description"
    assert stack.items == {}


def test_the_attributes_that_changed_are_named() -> None:
    stack = Stack()
    storing(3, processed_by={"S": "again"}, customer_id=None)(stack)
    assert checked(stack).found == "changed: customer_id, processed_by"


def test_a_lost_answer_makes_no_second_payment() -> None:
    stack = Stack()
    validate, transactions = stack.routes["POST /validate"], []

    def lose_the_first(request: Request) -> Reply:
        reply = validate(request)
        transactions.append(reply.document["transaction_id"])
        return Reply(200, {}, hang_up=True) if len(transactions) == 1 else reply

    stack.routes["POST /validate"] = lose_the_first
    with deployed(stack) as target:
        (result,) = run(target, only=["workflow"])
    assert result.passed
    assert len(transactions) == 2
    assert len(set(transactions)) == 1
    assert stack.items == {}
