"""The reconciliation finds each thing that must not be, and nothing where all is well."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paycli.operations.reconciliation import Discrepancy, Exchange, reconcile

NOON, LATER = "2026-01-01T12:00:00.000Z", "2026-01-01T12:00:01.000Z"


def validated(payment: str, status: int | None = 200, **more: Any) -> Exchange:
    told = {"transaction_id": f"txn_{payment}"} if status == 200 else {}
    customer = more.pop("customer_id", f"customer-{payment}")
    return Exchange("validate", payment, customer, status, **{**told, **more})


def processed(payment: str, status: int | None = 200, at: str = NOON) -> Exchange:
    told: dict[str, Any] = {"processed_at": at} if status == 200 else {}
    return Exchange("process", payment, f"customer-{payment}", status, f"txn_{payment}", **told)


def stored(payment: str, status: str = "validated", at: str = NOON) -> dict[str, Any]:
    item = {"status": status, "customer_id": f"customer-{payment}"}
    return {f"txn_{payment}": {**item, "processed_at": at} if status == "processed" else item}


UNASKED = Discrepancy("stored_unasked", "txn_a")


def test_a_key_whose_payment_expired_starts_anew_under_the_same_id() -> None:
    exchanges = [validated("a", created_at=NOON), processed("a", 409), validated("a", created_at=LATER)]
    items = {"txn_a": {**stored("a")["txn_a"], "created_at": LATER}}
    assert reconcile(exchanges[:1] + exchanges[2:], items) == []
    assert reconcile(exchanges, {}, expired_before="2026-01-02") == []


def test_all_is_well() -> None:
    exchanges = [
        validated("a", 503, request_id="r-0"),
        validated("a"),
        validated("a"),
        processed("a", None),
        processed("a"),
        processed("a"),
        validated("b"),
        validated("c", None),
        validated("d", 400, request_id="r-1"),
        validated("e", 422),
    ]
    items = {**stored("a", "processed"), **stored("b"), **stored("c")}
    messages = [("rejected", "r-1"), ("error", "r-0"), ("error", "r-9")]  # the last of an answer that was lost
    assert reconcile(exchanges, items, [{"kind": kind, "request_id": id_} for kind, id_ in messages]) == []


@pytest.mark.parametrize(
    ("exchanges", "items", "found"),
    [
        ([validated("a")], {}, Discrepancy("acknowledged_but_missing", "txn_a")),
        (
            [Exchange("validate", "a", "other", 200, "txn_a")],
            stored("a"),
            Discrepancy("stored_for_another", "txn_a"),
        ),
        (
            [validated("a"), Exchange("validate", "a", "customer-b", 200, "txn_b")],
            {**stored("a"), **stored("b")},
            Discrepancy("one_payment_twice", "a"),
        ),
        ([validated("a"), processed("a")], stored("a"), Discrepancy("processed_but_not_stored", "txn_a")),
        ([processed("a")], {}, Discrepancy("processed_but_not_stored", "txn_a")),
        (
            [validated("a"), processed("a"), processed("a", at=LATER)],
            stored("a", "processed"),
            Discrepancy("two_effects", "txn_a"),
        ),
        ([validated("a"), processed("a", 400)], stored("a", "processed"), Discrepancy("processed_unasked", "txn_a")),
        ([], stored("a"), Discrepancy("stored_unasked", "txn_a")),
        (
            [validated("a", amount_minor=1000)],
            {"txn_a": {**stored("a")["txn_a"], "amount_minor": 99900}},
            Discrepancy("stored_otherwise", "txn_a"),
        ),
        (
            [validated("a", created_at=NOON)],
            {"txn_a": {**stored("a")["txn_a"], "created_at": LATER}},
            Discrepancy("stored_otherwise", "txn_a"),
        ),
        ([validated("a", 413, request_id="r-2")], {}, Discrepancy("rejected_but_not_recorded", "r-2")),
        ([validated("a", 400, request_id="r-1")], {}, Discrepancy("rejected_but_not_recorded", "r-1")),
        ([validated("a", 503, request_id="r-3")], {}, Discrepancy("error_but_not_recorded", "r-3")),
        ([validated("a")], stored("a", "refunded"), Discrepancy("unknown_status", "txn_a")),
        ([validated("a")], {"txn_a": {"customer_id": "customer-a"}}, Discrepancy("unknown_status", "txn_a")),
        (
            [validated("a"), validated("b", customer_id="customer-a", transaction_id="txn_a")],
            stored("a"),
            Discrepancy("two_payments_as_one", "txn_a"),
        ),
        ([validated("a", 400, by_gateway=True), processed("a")], stored("a", "processed"), UNASKED),
        (
            [validated("a"), processed("a")],
            {"txn_a": {**stored("a", "processed")["txn_a"], "expires_at": 1}},
            Discrepancy("processed_but_expires", "txn_a"),
        ),
        (
            [validated("a", currency="EUR")],
            {"txn_a": {**stored("a")["txn_a"], "currency": "USD"}},
            Discrepancy("stored_otherwise", "txn_a"),
        ),
        ([validated("a", None, amount_minor=5)], {"txn_a": {**stored("a")["txn_a"], "amount_minor": 6}}, UNASKED),
        ([validated("a"), processed("a", 404)], stored("a"), Discrepancy("acknowledged_but_denied", "txn_a")),
        ([validated("a"), processed("a", 409)], stored("a"), Discrepancy("acknowledged_but_denied", "txn_a")),
    ],
)
def test_each_thing_that_must_not_be_is_found(
    exchanges: list[Exchange], items: dict[str, Any], found: Discrepancy
) -> None:
    assert reconcile(exchanges, items, []) == [found]


@pytest.mark.parametrize("kind", ["rejected", "error"])
def test_a_message_that_no_request_left_is_found(kind: str) -> None:
    message = {"kind": kind, "request_id": "r-1"}
    assert reconcile([validated("a")], stored("a"), [message]) == [Discrepancy("recorded_unasked", "r-1")]


def test_a_refusal_that_was_recorded_as_an_error_is_found() -> None:
    refused = [validated("a", 400, request_id="r-1")]
    found = reconcile(refused, {}, [{"kind": "error", "request_id": "r-1"}])
    assert found == [Discrepancy("rejected_but_not_recorded", "r-1"), Discrepancy("recorded_unasked", "r-1")]


@pytest.mark.parametrize(("expired_before", "missing"), [(LATER, False), (NOON, True), ("", True)])
def test_an_expired_payment_may_be_gone_unless_it_was_processed(expired_before: str, missing: bool) -> None:
    told = [validated("a", created_at=NOON)]
    assert bool(reconcile(told, {}, expired_before=expired_before)) is missing
    assert reconcile([*told, processed("a")], {}, expired_before=expired_before)


def test_a_second_item_of_a_payment_that_was_told_is_a_stranger() -> None:
    twice = {**stored("a"), "txn_again": {"status": "validated", "customer_id": "customer-a"}}
    assert reconcile([validated("a", None), validated("a")], twice) == [Discrepancy("stored_unasked", "txn_again")]


def test_what_the_gateway_refused_never_reached_a_function() -> None:
    assert reconcile([validated("a", 400, request_id="r-1", by_gateway=True)], {}) == []


def test_a_message_that_the_functions_count_as_lost_is_accounted_for() -> None:
    refused = [validated("a", 400, request_id="r-1")]
    assert reconcile(refused, {}, [], messages_lost=1) == []


@given(st.lists(st.sampled_from("abc"), max_size=20), st.data())
def test_what_is_stored_as_it_was_told_is_never_blamed(payments: list[str], data: st.DataObject) -> None:
    exchanges: list[Exchange] = []
    items: dict[str, Any] = {}
    for payment in payments:
        status = data.draw(st.sampled_from([200, 503, None]))
        kept = status == 200 or data.draw(st.booleans())
        exchanges.append(validated(payment, status))
        if kept:
            items.setdefault(f"txn_{payment}", stored(payment)[f"txn_{payment}"])
        if f"txn_{payment}" in items and data.draw(st.booleans()):
            items |= stored(payment, "processed")
            exchanges.append(processed(payment, data.draw(st.sampled_from([200, 503]))))
    assert reconcile(exchanges, items) == []
