"""The failures queue: who is in it, with what, and that it never changes an answer. See docs/failures-queue.md."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.handlers.payment_fakes import CARD, ROLE, VALID, Api, Context, Fault

UNAVAILABLE = Fault(503, "ServiceUnavailable")


def test_a_rejected_payment_is_sent_with_its_valid_fields() -> None:
    api = Api()
    body = {"amount": 10.001, "currency": "USD", "customer_id": "c-1", "description": "d", "metadata": {"k": "v"}}
    reply = api.validate(body, key="k", context=Context("request-1"))
    (message,) = api.queue
    assert message.pop("at").endswith("Z")
    assert message == {
        "schema": 1,
        "kind": "rejected",
        "code": "invalid_request",
        "retryable": False,
        "operation": "validate",
        "request_id": "request-1",
        "principal": f"111122223333:{ROLE}",
        "payment": {"currency": "USD", "customer_id": "c-1", "description": "d", "metadata": {"k": "v"}},
        "errors": reply.body["errors"],
    }


def test_a_server_error_is_sent_with_all_that_a_replay_needs() -> None:
    api = Api(attempts=1)
    api.fault(UNAVAILABLE)
    body = {**VALID, "amount": 10.5, "description": "d", "metadata": {"k": "v"}}
    api.validate(body, key="k", context=Context("request-1"))
    (message,) = api.queue
    assert message.pop("at").endswith("Z")
    assert message.pop("transaction_id").startswith("txn_")
    assert message == {
        "schema": 1,
        "kind": "error",
        "code": "temporarily_unavailable",
        "retryable": True,
        "operation": "validate",
        "request_id": "request-1",
        "principal": f"111122223333:{ROLE}",
        "idempotency_key": "k",
        "payment": {**VALID, "description": "d", "metadata": {"k": "v"}},
    }
    replayed = api.validate(message["payment"], key=message["idempotency_key"])
    assert (replayed.status, replayed.body["amount"]) == (200, "10.50")


def test_the_message_of_a_lost_reply_leads_to_the_stored_payment() -> None:
    api = Api(attempts=1)
    api.fault(Fault(commit=True))
    api.validate(key="k")
    assert api.queue[0]["transaction_id"] in api.aws.items
    assert api.validate(api.queue[0]["payment"], key="k").headers["Idempotent-Replayed"] == "true"


def test_a_server_error_of_process_is_sent_with_its_id() -> None:
    api = Api(attempts=1)
    id_ = api.validate().body["transaction_id"]
    api.fault(UNAVAILABLE)
    api.process(id_)
    (message,) = api.queue
    assert (message["kind"], message["operation"], message["transaction_id"]) == ("error", "process", id_)
    assert "payment" not in message
    assert "idempotency_key" not in message


def test_a_500_is_sent_but_not_as_retryable() -> None:
    api = Api()
    api.fault(Fault(400, "AccessDeniedException"))
    api.validate()
    assert [(each["kind"], each["code"], each["retryable"]) for each in api.queue] == [
        ("error", "internal_error", False)
    ]


@pytest.mark.parametrize("body", ["", "no json", "[]", " " * 9000, {**VALID, "surplus": 1}, {**VALID, "amount": 0}])
def test_contract_refusals_of_validate_are_sent(body: Any) -> None:
    api = Api()
    reply = api.validate(body)
    assert reply.status in (400, 413)
    assert [(each["kind"], each["code"]) for each in api.queue] == [("rejected", reply.code)]


def test_a_bad_idempotency_key_is_sent_without_it() -> None:
    api = Api()
    api.validate(key="a b")
    assert [(each["kind"], each["payment"]) for each in api.queue] == [("rejected", VALID)]
    assert "a b" not in json.dumps(api.queue)


def test_what_the_caller_can_see_for_itself_is_not_sent() -> None:
    api = Api()
    id_ = api.validate(key="k").body["transaction_id"]
    api.now += 3600
    replies = [
        api.process(id_),
        api.process("unknown"),
        api.process("a b"),
        api.send("processing", {}),
        api.send("validation", {}),
        api.send("validation", {"httpMethod": "POST", "resource": "/other"}),
    ]
    api.validate(key="k")
    replies.append(api.validate({**VALID, "amount": "1"}, key="k"))
    assert [reply.status for reply in replies] == [409, 404, 400, 405, 405, 404, 422]
    assert api.queue == []


@pytest.mark.parametrize(
    "fault",
    [UNAVAILABLE, Fault(), Fault(silence=0.5), Fault(400, "AccessDenied"), Fault(400, "QueueDoesNotExist")],
)
def test_a_failing_queue_changes_no_answer_and_is_counted(fault: Fault) -> None:
    api = Api(attempts=1)
    expected = api.validate({}, context=Context("same"))
    api.fault(fault, service="SQS")
    reply = api.validate({}, context=Context("same"))
    assert (reply.status, reply.headers, reply.text) == (expected.status, expected.headers, expected.text)
    assert reply.log["FailureMessagesLost"] == 1
    assert "secret-detail" not in json.dumps(reply.log)
    assert "FailureMessagesLost" not in expected.log


def test_the_answer_does_not_wait_for_the_queue_when_time_runs_out() -> None:
    api = Api()
    reply = api.validate({}, context=Context(remaining_ms=4000))
    assert (reply.status, reply.log["FailureMessagesLost"], api.calls()) == (400, 1, [])


CODE = "security-code-987"


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({**VALID, "description": f"paid by {CARD}"}, "k"),
        ({**VALID, "metadata": {CARD: "x", "b": "c"}}, "k"),
        ({**VALID, "metadata": {"cvv": CODE}}, "k"),
        ({**VALID, "cvv": CODE, "card": {"number": CARD}}, "k"),
        ({**VALID, "surplus": CARD}, "k"),
        ({**VALID, "amount": CARD.replace(" ", "")}, "k"),
        ({**VALID, "currency": CARD}, "k"),
        (VALID, CARD.replace(" ", "-")),
        (f"{CARD} no json", "k"),
        (f'{{"description": "{CARD}", "description": "{CODE}"}}', "k"),
    ],
)
def test_card_data_reaches_neither_answer_nor_queue_nor_log_nor_table(body: Any, key: str) -> None:
    api = Api()
    reply = api.validate(body, key=key)
    assert reply.status == 400
    assert len(api.queue) == 1
    assert api.items == []
    seen = json.dumps([api.queue, reply.log, reply.text, reply.headers])
    # Whole, so that no time and no random id can hold it by chance.
    assert not any(secret in seen for secret in (CARD, CARD.replace(" ", ""), CARD.replace(" ", "-"), CODE))
