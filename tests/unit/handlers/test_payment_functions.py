"""/validate and /process as a client meets them, over a table that is really written."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.unit.handlers.payment_fakes import ROLE, VALID, Api, Context, Reply, event, function

KEY = "order-17"
UNKNOWN = "txn_" + "0" * 32


def test_a_payment_is_validated_and_stored() -> None:
    api = Api()
    reply = api.validate(
        {**VALID, "amount": 10.5, "description": "d", "reference": "r", "payment_method": "m", "metadata": {"a": "b"}},
        context=Context("request-1"),
    )
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/json"
    assert "Idempotent-Replayed" not in reply.headers
    (item,) = api.items
    assert reply.body == {
        "status": "validated",
        "transaction_id": item["transaction_id"]["S"],
        "amount": "10.50",
        "amount_minor": 1050,
        "currency": "USD",
        "customer_id": "c-1",
        "created_at": "2027-01-15T08:00:00.250Z",
    }
    fingerprint = item.pop("fingerprint")["S"]
    assert len(fingerprint) == hashlib.sha256().digest_size * 2
    assert item == {
        "transaction_id": {"S": reply.body["transaction_id"]},
        "schema": {"N": "1"},
        "status": {"S": "validated"},
        "amount_minor": {"N": "1050"},
        "currency": {"S": "USD"},
        "customer_id": {"S": "c-1"},
        "description": {"S": "d"},
        "reference": {"S": "r"},
        "payment_method": {"S": "m"},
        "metadata": {"M": {"a": {"S": "b"}}},
        "principal": {"S": f"111122223333:{ROLE}"},
        "request_id": {"S": "request-1"},
        "created_at": {"S": "2027-01-15T08:00:00.250Z"},
        "expires_at": {"N": "1800003600"},
    }


def test_a_payment_is_processed_once_and_never_expires_after() -> None:
    api = Api()
    id_ = api.validate().body["transaction_id"]
    api.now += 10
    first = api.process(id_, context=Context("request-2"))
    assert (first.status, first.body) == (
        200,
        {"status": "processed", "transaction_id": id_, "processed_at": "2027-01-15T08:00:10.250Z"},
    )
    assert "Idempotent-Replayed" not in first.headers
    (item,) = api.items
    assert (item["status"]["S"], item["processed_by"]["S"]) == ("processed", "request-2")
    assert "expires_at" not in item
    api.now += 10**9
    again = api.process(id_)
    assert (again.status, again.text, again.headers["Idempotent-Replayed"]) == (200, first.text, "true")
    assert api.items == [item]


def test_an_unknown_payment_is_a_404() -> None:
    api = Api()
    for unknown in (UNKNOWN, "unknown", "0b0a4988-8766-4433-8211-000000000000", "4111111111111111"):
        reply = api.process(unknown)
        assert (reply.status, reply.code) == (404, "payment_not_found")
        assert unknown not in reply.text
    assert api.items == []


def test_an_expired_payment_is_a_409() -> None:
    api = Api()
    id_ = api.validate().body["transaction_id"]
    api.now += 3600 - 0.25 - 0.001
    assert api.process(UNKNOWN).status == 404
    before = dict(api.aws.items)
    api.now += 0.001
    reply = api.process(id_)
    assert (reply.status, reply.code) == (409, "payment_expired")
    assert api.aws.items == before


def test_a_payment_can_be_processed_until_the_last_second() -> None:
    api = Api()
    id_ = api.validate().body["transaction_id"]
    api.now += 3599
    assert api.process(id_).status == 200


def test_the_same_key_and_request_replay_the_same_answer() -> None:
    api = Api()
    first = api.validate(key=KEY)
    api.now += 60
    replay = api.validate({**VALID, "amount": 10.5}, key=KEY)
    assert (replay.status, replay.text, replay.headers["Idempotent-Replayed"]) == (200, first.text, "true")
    assert len(api.items) == 1


def test_a_replay_is_the_same_after_the_payment_was_processed() -> None:
    api = Api()
    first = api.validate(key=KEY)
    assert api.process(first.body["transaction_id"]).status == 200
    api.now += 10**8
    replay = api.validate(key=KEY)
    assert (replay.status, replay.text) == (200, first.text)
    assert api.items[0]["status"]["S"] == "processed"


@pytest.mark.parametrize(
    "change", [{"amount": "10.51"}, {"currency": "EUR"}, {"customer_id": "c-2"}, {"reference": ""}]
)
def test_the_same_key_with_another_request_is_a_422(change: dict[str, Any]) -> None:
    api = Api()
    api.validate(key=KEY)
    before = dict(api.aws.items)
    reply = api.validate({**VALID, **change}, key=KEY)
    assert (reply.status, reply.code) == (422, "idempotency_key_reused")
    assert api.aws.items == before


def test_a_key_whose_payment_expired_unprocessed_starts_it_anew() -> None:
    api = Api()
    first = api.validate(key=KEY)
    api.now += 3600
    second = api.validate(key=KEY)
    assert (second.status, "Idempotent-Replayed" in second.headers) == (200, False)
    assert second.body["transaction_id"] == first.body["transaction_id"]
    assert second.body["created_at"] > first.body["created_at"]
    assert api.process(second.body["transaction_id"]).status == 200
    assert api.calls().count("DynamoDB.PutItem") == 2


def test_an_id_never_stands_for_another_payment_also_after_it_expired() -> None:
    api = Api()
    first = api.validate(key=KEY)
    api.now += 3600
    other = api.validate({**VALID, "amount": "99"}, key=KEY)
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert api.process(first.body["transaction_id"]).status == 409


def test_without_a_key_every_request_is_a_payment() -> None:
    api = Api()
    ids = {api.validate().body["transaction_id"] for _ in range(5)}
    assert len(ids) == len(api.items) == 5


def test_keys_belong_to_the_principal_and_not_to_its_session() -> None:
    api = Api()
    ids = {
        name: api.validate(key=KEY, caller=caller).body["transaction_id"]
        for name, caller in {
            "pod 1": "AROAONE:pod-1",
            "pod 2": "AROAONE:pod-2",
            "other role": "AROATWO:pod-1",
            "user": "AIDAUSER",
            "nobody": None,
        }.items()
    }
    assert ids["pod 1"] == ids["pod 2"]
    assert len(set(ids.values())) == len(api.items) == 4


def test_the_same_caller_in_another_account_is_another_principal() -> None:
    api = Api()
    for account in ("111122223333", "444455556666"):
        context = {"identity": {"accountId": account, "caller": "AIDAUSER"}}
        api.validate(key=KEY, requestContext=context)
    assert len(api.items) == 2


def test_two_federated_users_are_two_principals() -> None:
    """Of a role, what follows the colon is a session; of a federated user it is the user."""
    api = Api()
    for caller in ("111122223333:ada", "111122223333:grace"):
        api.validate(key=KEY, caller=caller)
    assert len(api.items) == 2


def test_principal_and_key_cannot_be_shifted_into_each_other() -> None:
    api = Api()
    api.validate(key="b:c", caller="A")
    api.validate(key="c", caller="A:b")
    assert len(api.items) == 2


@pytest.mark.parametrize(
    "context",
    [None, 1, {}, {"identity": None}, {"identity": {}}, {"identity": {"caller": ""}}, {"identity": {"caller": 7}}],
)
def test_without_authorization_the_principal_is_anonymous(context: Any) -> None:
    api = Api()
    api.validate(requestContext=context, headers={"x-principal": "AROAEXAMPLE", "caller": "AROAEXAMPLE"})
    assert api.items[0]["principal"] == {"S": "anonymous"}


def test_any_principal_may_process_a_payment() -> None:
    api = Api()
    id_ = api.validate(caller="AROAONE:s").body["transaction_id"]
    assert api.process(id_, caller="AROATWO:s").status == 200


def test_64_racing_callers_have_one_effect() -> None:
    api = Api(read_timeout=10)
    transactions, contract = function("validation").transactions, function("validation").contract
    services, wanted = api.services(), contract.payment(json.dumps(VALID).encode())
    id_ = "txn_" + "1" * 32

    def create(n: int) -> Any:
        ids = {"transaction_id": id_, "principal": "p", "request_id": f"r-{n}"}
        return transactions.create(services._replace(clock=lambda: api.now + n / 1000), wanted, ids)

    def process(n: int) -> Any:
        return transactions.process(services._replace(clock=lambda: api.now + n / 1000), id_, f"r-{n}")

    with ThreadPoolExecutor(16) as pool:
        for operation, body in ((create, transactions.validated_body), (process, transactions.processed_body)):
            stored = list(pool.map(operation, range(64)))
            assert sum(replayed for _, replayed in stored) == 63
            assert len({json.dumps(body(item)) for item, _ in stored}) == 1
    assert len(api.items) == 1
    assert len(api.aws.calls) == 128


@pytest.mark.parametrize(
    ("arrange", "act", "status"),
    [
        (None, lambda api, _: api.validate(), 200),
        (None, lambda api, _: api.validate(key="new"), 200),
        ("key", lambda api, _: api.validate(key=KEY), 200),
        ("key", lambda api, _: api.validate({**VALID, "amount": "1"}, key=KEY), 422),
        ("key", lambda api, id_: api.process(id_), 200),
        ("processed", lambda api, id_: api.process(id_), 200),
        ("expired", lambda api, id_: api.process(id_), 409),
        (None, lambda api, _: api.process(UNKNOWN), 404),
    ],
)
def test_one_call_a_request(arrange: str | None, act: Any, status: int) -> None:
    api = Api()
    function("validation"), function("processing")  # the connection opened at init is not a request's
    id_ = api.validate(key=KEY).body["transaction_id"] if arrange else ""
    if arrange == "processed":
        api.process(id_)
    if arrange == "expired":
        api.now += 3600
    api.aws.calls.clear()
    reply: Reply = act(api, id_)
    assert reply.status == status
    (call,) = api.calls()
    assert call in {"DynamoDB.PutItem", "DynamoDB.UpdateItem"}


def test_an_id_that_cannot_be_ours_makes_no_call() -> None:
    api = Api()
    assert (api.process("unknown").status, api.calls()) == (404, [])


def test_a_refused_request_makes_no_call_but_to_the_queue() -> None:
    api = Api()
    assert api.validate({}).status == 400
    assert api.calls() == ["SQS.SendMessage"]
    api.aws.calls.clear()
    assert api.process("a b").status == 400
    assert api.calls() == []


def test_a_problem_has_the_form_of_rfc_9457() -> None:
    reply = Api().validate({**VALID, "amount": "x"}, context=Context("request-9"))
    assert reply.headers == {
        "Content-Type": "application/problem+json",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    assert reply.body == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "The request breaks the contract; `errors` says where.",
        "code": "invalid_request",
        "request_id": "request-9",
        "errors": [{"field": "amount", "message": "must be a JSON number or a plain decimal string, such as 10.50"}],
    }


def test_a_body_of_8192_bytes_passes_and_one_more_is_a_413() -> None:
    api = Api()
    text = json.dumps(VALID)
    assert api.validate(text + " " * (8192 - len(text))).status == 200
    reply = api.validate(text + " " * (8193 - len(text)))
    assert (reply.status, reply.code, reply.body["title"]) == (413, "body_too_large", reply.body["title"])


def test_bytes_count_and_not_characters() -> None:
    text = json.dumps({**VALID, "description": "é" * 400}, ensure_ascii=False)
    padding = 8192 - len(text.encode())
    assert Api().validate(text + " " * padding).status == 200
    assert Api().validate(text + " " * (padding + 1)).status == 413


def test_a_base64_body_is_decoded_before_it_is_measured() -> None:
    raw = json.dumps(VALID).encode()
    full = raw + b" " * (8192 - len(raw))
    for body, status in ((raw, 200), (full, 200), (full + b" ", 413), (b"\xff", 400), (b"", 400)):
        reply = Api().validate(base64.b64encode(body).decode(), isBase64Encoded=True)
        assert reply.status == status


@pytest.mark.parametrize(
    "body",
    [
        "no base64!",
        base64.b64encode(json.dumps(VALID).encode()).decode() + "!",
        "é",
        "YQ",
        "YQ==\n",
        5,
        ["a"],
        {"a": 1},
        True,
    ],
)
def test_a_body_that_is_no_base64_is_a_400(body: Any) -> None:
    sent = event("/validate", isBase64Encoded=True) | {"body": body}
    assert Api().send("validation", sent).status == 400


@pytest.mark.parametrize("body", [None, "", 5, ["a"], {"a": 1}, True, "\ud800"])
def test_a_body_that_is_no_text_is_a_400(body: Any) -> None:
    sent = event("/validate") | {"body": body}
    assert Api().send("validation", sent).status == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"multiValueHeaders": {"Idempotency-Key": [KEY]}, "headers": None},
        {"multiValueHeaders": None, "headers": {"Idempotency-Key": KEY}},
        {"multiValueHeaders": {"IDEMPOTENCY-KEY": [KEY]}, "headers": {}},
        {"multiValueHeaders": {}, "headers": {"idempotency-key": KEY}},
        {"multiValueHeaders": {"idempotency-key": KEY}, "headers": {}},
        {"multiValueHeaders": [], "headers": {"idempotency-key": KEY, "x": None}},
    ],
)
def test_the_key_is_found_in_any_case_and_form(headers: dict[str, Any]) -> None:
    api = Api()
    api.validate(**headers)
    assert api.validate(key=KEY).headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    "headers",
    [
        {"multiValueHeaders": {"Idempotency-Key": ["a", "b"]}},
        {"multiValueHeaders": {"Idempotency-Key": ["a", "a"]}},
        {"multiValueHeaders": {"Idempotency-Key": ["a", "b"]}, "headers": {"Idempotency-Key": "b"}},
        {"multiValueHeaders": {"Idempotency-Key": ["a"], "idempotency-key": ["b"]}},
        {"multiValueHeaders": {"Idempotency-Key": [""]}},
        {"multiValueHeaders": {"Idempotency-Key": [None]}},
        {"multiValueHeaders": None, "headers": {"Idempotency-Key": 7}},
    ],
)
def test_an_ambiguous_key_is_a_400(headers: dict[str, Any]) -> None:
    api = Api()
    reply = api.validate(**headers)
    assert (reply.status, reply.fields) == (400, {"Idempotency-Key"})
    assert api.items == []


@pytest.mark.parametrize("name", ["validation", "processing"])
def test_another_method_is_a_405_that_names_the_right_one(name: str) -> None:
    for method in ("GET", "PUT", None, 7):
        reply = Api().send(name, event(function(name).ROUTE[1], VALID) | {"httpMethod": method})
        assert (reply.status, reply.code, reply.headers["Allow"]) == (405, "method_not_allowed", "POST")


@pytest.mark.parametrize("name", ["validation", "processing"])
def test_another_path_is_a_404(name: str) -> None:
    for path in ("/health", "/", None, 7):
        reply = Api().send(name, event("/", VALID) | {"resource": path})
        assert (reply.status, reply.code) == (404, "route_not_found")


@pytest.mark.parametrize("name", ["validation", "processing"])
@pytest.mark.parametrize("sent", [None, 1, "text", [], {}, {"requestContext": "x"}, {"headers": 1}])
def test_an_event_that_is_none_of_api_gateways_is_answered(name: str, sent: Any) -> None:
    assert Api().send(name, sent, context=object()).status == 405


def test_an_event_needs_no_resource() -> None:
    sent = event("/validate", VALID)
    del sent["resource"]
    assert Api().send("validation", sent).status == 200


def test_a_client_cannot_choose_the_id_that_tells_a_replay() -> None:
    """API Gateway takes its requestId from the client's header X-Amzn-RequestId."""
    api = Api()
    context = event("/validate")["requestContext"]
    api.validate(key=KEY, requestContext=context)
    assert api.validate(key=KEY, requestContext=context).headers["Idempotent-Replayed"] == "true"


def test_the_handlers_answer_as_lambda_calls_them() -> None:
    api = Api()
    stored = function("validation").handler(event("/validate", VALID), Context())
    assert stored["statusCode"] == 200
    id_ = json.loads(stored["body"])["transaction_id"]
    lifetime = int(api.items[0]["expires_at"]["N"])
    assert function("processing").handler(event("/process", {"transaction_id": id_}), Context())["statusCode"] == 200
    assert abs(lifetime - 3600 - time.time()) < 60
