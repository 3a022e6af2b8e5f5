"""What happens when AWS fails: no payment is doubled or lost, and the client learns what it can do."""

from __future__ import annotations

import socket

import pytest

from tests.unit.handlers.payment_fakes import VALID, Api, Context, Fault, Reply, event, function, invoke

THROTTLED = Fault(400, "ThrottlingException")
LOST_REPLY = Fault(commit=True)
TEMPORARY = {
    "throttling": THROTTLED,
    "capacity": Fault(400, "ProvisionedThroughputExceededException"),
    "request limit": Fault(400, "RequestLimitExceeded"),
    "server error": Fault(500, "InternalServerError"),
    "unavailable": Fault(503, "ServiceUnavailable"),
    "too many requests": Fault(429, "Unheard"),
    "silence": Fault(silence=0.5),
    "reset": Fault(),
    "lost reply": LOST_REPLY,
    "an error after the commit": Fault(500, "InternalServerError", commit=True),
    "a time-out of the service": Fault(408, "Unheard"),
    "a transaction in the way": Fault(400, "TransactionConflictException"),
    "another one in progress": Fault(400, "TransactionInProgressException"),
    "a client that is not yet known": Fault(400, "UnrecognizedClientException"),
    "a refusal that cannot be read": Fault(400, body=b"{"),
    "a page that refuses": Fault(403, body=b"<html>"),
    "bad UTF-8 after the commit": Fault(200, commit=True, body=b'{"Attributes": "\xff\xfe"}'),
    "a list after the commit": Fault(200, commit=True, body=b"[1]"),
    "attributes of the wrong type after the commit": Fault(200, commit=True, body=b'{"Attributes": [7]}'),
}
UNREPEATED = [
    TEMPORARY[name]
    for name in TEMPORARY
    if name.startswith(("a transaction", "another", "a client", "a refus", "a page"))
]
# The SDK repeats these by itself.
REPEATED = [each for each in TEMPORARY.values() if each.status not in {200, 429, 408} and each not in UNREPEATED]
LASTING = {
    "no permission": Fault(400, "AccessDeniedException"),
    "no table": Fault(400, "ResourceNotFoundException"),
    "invalid": Fault(400, "ValidationException"),
}


def assert_unavailable(reply: Reply) -> None:
    assert (reply.status, reply.code) == (503, "temporarily_unavailable")
    assert int(reply.headers["Retry-After"]) >= 1
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert "secret-detail" not in reply.text + str(reply.log)


@pytest.mark.parametrize("fault", REPEATED)
def test_one_fault_is_retried_and_not_seen(fault: Fault) -> None:
    api = Api()
    api.fault(fault)
    stored = api.validate(key="k")
    assert (stored.status, "Idempotent-Replayed" in stored.headers, len(api.items)) == (200, False, 1)
    assert api.calls() == ["DynamoDB.PutItem"] * 2
    assert stored.log["outcome"] == "validated"


@pytest.mark.parametrize("fault", [LOST_REPLY, THROTTLED])
def test_one_fault_of_process_is_retried_and_not_seen(fault: Fault) -> None:
    api = Api()
    id_ = api.validate().body["transaction_id"]
    api.fault(fault)
    done = api.process(id_, context=Context("me"))
    assert (done.status, "Idempotent-Replayed" in done.headers) == (200, False)
    assert api.items[0]["processed_by"] == {"S": "me"}
    assert done.log["outcome"] == "processed"


def test_a_lost_reply_of_a_keyless_request_is_still_one_payment() -> None:
    api = Api()
    api.fault(LOST_REPLY)
    assert api.validate().status == 200
    assert len(api.items) == 1


@pytest.mark.parametrize("fault", TEMPORARY.values(), ids=TEMPORARY)
def test_a_lasting_fault_is_a_503_and_a_retry_with_the_key_ends_well(fault: Fault) -> None:
    api = Api(attempts=1)
    api.fault(fault)
    first = api.validate(key="k")
    assert_unavailable(first)
    retry = api.validate(key="k")
    assert (retry.status, len(api.items)) == (200, 1)
    assert ("Idempotent-Replayed" in retry.headers) == fault.commit
    assert api.process(retry.body["transaction_id"]).status == 200


@pytest.mark.parametrize("fault", TEMPORARY.values(), ids=TEMPORARY)
def test_a_lasting_fault_of_process_is_a_503_and_a_retry_ends_well(fault: Fault) -> None:
    api = Api(attempts=1)
    id_ = api.validate().body["transaction_id"]
    api.fault(fault)
    first = api.process(id_)
    assert_unavailable(first)
    api.now += 1
    retry = api.process(id_)
    assert retry.status == 200
    assert ("Idempotent-Replayed" in retry.headers) == fault.commit


def test_the_client_learns_that_the_outcome_is_unknown_and_what_makes_a_retry_safe() -> None:
    api = Api(attempts=1)
    api.fault(LOST_REPLY)
    reply = api.validate()
    assert_unavailable(reply)
    assert "unknown" in reply.body["detail"]
    assert "Idempotency-Key" in reply.body["detail"]


def test_dynamodbs_own_success_counts_although_its_body_is_no_json() -> None:
    api = Api(attempts=1)
    garbled = Fault(200, commit=True, body=b'{"Attributes": {"stat')
    api.fault(garbled)
    id_ = api.validate(key="k").body["transaction_id"]
    api.fault(garbled)
    done = api.process(id_)
    assert (done.status, done.body["transaction_id"]) == (200, id_)
    assert api.items[0]["processed_at"] == {"S": done.body["processed_at"]}


def test_a_refused_condition_without_the_item_in_the_way_leaves_the_outcome_unknown() -> None:
    api = Api()
    api.fault(Fault(400, "ConditionalCheckFailedException"))
    assert_unavailable(api.validate(key="k"))
    assert api.validate(key="k").status == 200


@pytest.mark.parametrize("fault", LASTING.values(), ids=LASTING)
def test_what_no_retry_repairs_is_a_500_without_details(fault: Fault) -> None:
    api = Api()
    api.fault(fault)
    reply = api.validate(key="k")
    assert (reply.status, reply.code, reply.body["errors"]) == (500, "internal_error", [])
    assert "Retry-After" not in reply.headers
    assert "secret-detail" not in reply.text + str(reply.log)
    assert fault.code not in reply.text
    assert api.calls() == ["DynamoDB.PutItem", "SQS.SendMessage"]


def test_an_endpoint_that_nobody_answers_is_a_503() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, so that no other process answers; not listening
        api = Api(attempts=1, endpoint=f"http://127.0.0.1:{taken.getsockname()[1]}")
        assert_unavailable(api.validate())


def test_an_unforeseen_error_is_a_500_and_says_where_it_was_but_not_what() -> None:
    def broken() -> float:
        raise ValueError(VALID["customer_id"])

    validation = function("validation")
    services = Api().services()._replace(clock=broken)
    result, log = invoke(lambda: validation.respond(event("/validate", VALID), Context(), services))
    assert result["statusCode"] == 500
    assert (log["error"], log["code"]) == ("ValueError", "internal_error")
    assert log["error_at"].startswith("test_payment_faults.py:")
    assert VALID["customer_id"] not in str(log) + result["body"]


def test_lambda_makes_three_attempts_and_answers_in_time() -> None:
    api = Api()
    api.fault(THROTTLED, THROTTLED, THROTTLED)
    answer = function("validation").handler(event("/validate", VALID), Context())
    assert answer["statusCode"] == 503
    assert api.calls() == ["DynamoDB.PutItem"] * 3 + ["SQS.SendMessage"]


def test_the_time_outs_fit_into_the_functions_time() -> None:
    """25 s, of which three attempts with TLS and pauses may take 15; a queue that has less than 8 left is skipped."""
    from handlers.payments import failures

    for name in ("validation", "processing"):
        services = function(name)._services
        table, queue = services.dynamodb.meta.config, services.sqs().meta.config
        assert (table.connect_timeout, table.read_timeout) == (1, 2)
        assert 2 * (queue.connect_timeout + queue.read_timeout) + 1 <= failures.SEND_BUDGET_MS / 1000
