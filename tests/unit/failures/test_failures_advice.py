"""Which message may be replayed by whom: never a payment under somebody else's key."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paycli.operations.failures.advice import Left, Replay, advise, principal_of
from paycli.operations.failures.message import Message, received
from tests.unit.failures.failure_world import OURS, error, payment, rejected

ROOT = Path(__file__).parents[3]


def message(body: Any) -> Message:
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": "1700000000000"}
    return received({"MessageId": "m", "ReceiptHandle": "h", "Body": json.dumps(body), "Attributes": attributes})


def test_a_validation_goes_back_as_it_was_with_its_own_key() -> None:
    plan = advise(message(error(1)), OURS)
    assert isinstance(plan, Replay)
    assert plan.operation == "validate"
    assert json.loads(plan.body) == payment(1)
    assert plan.headers == {"Idempotency-Key": "key-1"}


def test_a_processing_goes_back_by_its_payment_whoever_sends_it() -> None:
    plan = advise(message(error(1, "process", principal="somebody")), OURS)
    assert isinstance(plan, Replay)
    assert (plan.operation, json.loads(plan.body)) == ("process", {"transaction_id": "txn_key-1"})
    assert plan.headers == {}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "no message of schema 1"),
        (rejected(1), "refused again"),
        (error(1, principal="123456789012:AROATHEIRS"), "another payment"),
        (error(1, principal=None), "belongs to nobody known"),
        (error(1, idempotency_key=""), "no idempotency key"),
        (error(1, idempotency_key=7), "no idempotency key"),
        (error(1, payment=None), "no whole request"),
        (error(1, operation="refund"), "no whole request"),
        (error(1, "process", transaction_id=""), "which payment"),
        (error(1, code="internal_error", retryable=False), "find its cause"),
        (error(1, retryable="true"), "find its cause"),
    ],
)
def test_what_is_not_replayed_says_why(body: dict[str, Any], words: str) -> None:
    plan = advise(message(body), OURS)
    assert isinstance(plan, Left)
    assert words in plan.why


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"idempotency_key": "paycli-load-5497ada1-0-7"}, "of a load test"),
        ({"payment": {**payment(1), "customer_id": "paycli-load-5497ada1-0-7"}}, "of a load test"),
        ({"idempotency_key": "paycli-smoke-0a1b2c3d-workflow"}, "of a smoke test"),
        ({"kind": "rejected", "payment": {"customer_id": "paycli-smoke-0a1b2c3d"}}, "of a smoke test"),
        ({"retryable": False, "payment": {**payment(1), "customer_id": "paycli-load-5497ada1-0-7"}}, "of a load test"),
    ],
)
def test_a_message_of_a_test_never_becomes_a_payment(changes: dict[str, Any], words: str) -> None:
    for plan in (advise(message(error(1, **changes)), who, internal_errors=True) for who in (OURS, None)):
        assert isinstance(plan, Left)
        assert words in plan.why
        assert "discard --of-tests" in plan.why


@pytest.mark.parametrize("customer", ["paycli", "a-paycli-load-1", "PAYCLI-LOAD-1", 7, None])
def test_a_customer_who_is_none_of_a_test_is_replayed(customer: Any) -> None:
    assert isinstance(advise(message(error(1, payment={**payment(1), "customer_id": customer})), OURS), Replay)


def test_an_internal_error_goes_back_where_that_is_asked_for() -> None:
    body = error(1, code="internal_error", retryable=False)
    assert isinstance(advise(message(body), OURS, internal_errors=True), Replay)
    assert isinstance(advise(message(rejected(1)), OURS, internal_errors=True), Left)


def test_whoever_looks_is_told_what_the_right_one_could_do() -> None:
    assert isinstance(advise(message(error(1, principal="somebody")), None), Replay)


@given(st.from_regex(r"(AROA|AIDA|[0-9])[A-Z0-9]{3,10}(:[a-z]{1,5})?", fullmatch=True))
def test_the_principal_is_the_one_that_the_functions_see(caller: str) -> None:
    """The handlers' own rule, loaded from their file: the two must never differ, or a key would not be found again."""
    assert principal_of({"Account": "1", "UserId": caller}) == THE_HANDLERS_RULE({"accountId": "1", "caller": caller})


THE_HANDLERS_RULE = runpy.run_module("handlers.payments.http")["_principal"]
