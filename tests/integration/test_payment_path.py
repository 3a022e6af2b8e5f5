"""The payment contract under races, through the deployed API and not in-process."""

import json
import time
from typing import Any

import boto3
import pytest

from paycli.aws import Aws
from paycli.operations.reconciliation import reconcile
from tests.integration.conftest import LocalProject
from tests.integration.payers import Payer, at_once, insist, items_of, messages_of, statuses

CALLERS = 64
AT_ONCE = 16  # of the callers: each that is on its way has a process of the function to itself


@pytest.fixture
def payer(shared: LocalProject) -> Payer:
    return Payer(shared.aws(), shared.outputs()["APIEndpoint"])


def own_items(shared: LocalProject, customer: str) -> dict[str, dict[str, Any]]:
    items = items_of(shared.aws(), shared.outputs()["TransactionsTableName"])
    return {name: item for name, item in items.items() if item["customer_id"] == customer}


def test_64_validates_with_one_key_make_one_payment(shared: LocalProject, payer: Payer) -> None:
    answers = at_once(CALLERS, lambda _: insist(lambda: payer.validate("race-1", customer="racer-1")), AT_ONCE)
    assert statuses(answers) == [200] * CALLERS
    told = [answer for answer in answers if answer]
    assert len({answer.body for answer in told}) == 1
    replays = [answer for answer in told if answer.headers.get("idempotent-replayed") == "true"]
    assert len(replays) >= CALLERS - 1  # all, where the first answer was lost
    items = own_items(shared, "racer-1")
    assert len(items) == 1
    assert reconcile(payer.exchanges, items) == []


def test_64_processes_of_one_payment_have_one_effect(shared: LocalProject, payer: Payer) -> None:
    validated = payer.validate("race-2", customer="racer-2")
    assert validated is not None
    transaction_id = validated.json()["transaction_id"]
    answers = at_once(CALLERS, lambda _: insist(lambda: payer.process(transaction_id, customer="racer-2")), AT_ONCE)
    assert statuses(answers) == [200] * CALLERS
    assert len({answer.json()["processed_at"] for answer in answers if answer}) == 1
    (item,) = own_items(shared, "racer-2").values()
    assert "expires_at" not in item  # a processed payment never expires
    assert reconcile(payer.exchanges, {transaction_id: item}) == []


def test_one_key_for_two_requests_is_refused_also_in_a_race(shared: LocalProject, payer: Payer) -> None:
    answers = at_once(
        16,
        lambda number: insist(lambda: payer.validate("race-3", customer="racer-3", reference=f"order-{number % 2}")),
    )
    assert set(statuses(answers)) == {200, 422}
    (item,) = own_items(shared, "racer-3").values()
    refused = [answer.json() for answer in payer.answers if answer.status == 422]
    assert {problem["code"] for problem in refused} == {"idempotency_key_reused"}
    assert len(refused) == 8
    assert item["reference"] in {"order-0", "order-1"}


def expire(shared: LocalProject, transaction_id: str) -> None:
    """Put the payment's end into the past, as the hours would."""
    shared.aws().client("dynamodb").update_item(
        TableName=shared.outputs()["TransactionsTableName"],
        Key={"transaction_id": {"S": transaction_id}},
        UpdateExpression="SET expires_at = :past",
        ExpressionAttributeValues={":past": {"N": str(int(time.time()) - 1)}},
    )


def test_an_expired_payment_is_not_processed_and_its_key_starts_it_anew(shared: LocalProject, payer: Payer) -> None:
    first = payer.validate("expires-1", customer="late-1")
    assert first is not None
    transaction_id = first.json()["transaction_id"]
    expire(shared, transaction_id)
    late = payer.process(transaction_id, customer="late-1")
    assert late is not None
    assert (late.status, late.json()["code"]) == (409, "payment_expired")
    other = payer.validate("expires-1", customer="late-1", amount="999.00")
    assert other is not None
    assert other.status == 422  # an id stands for one payment for good
    again = at_once(8, lambda _: payer.validate("expires-1", customer="late-1"))
    assert statuses(again) == [200] * 8
    assert len({answer.body for answer in again if answer}) == 1
    processed = payer.process(transaction_id, customer="late-1")
    assert processed is not None
    assert processed.status == 200


def caller_of(shared: LocalProject, keys: dict[str, Any]) -> Payer:
    aws = shared.aws()
    session = boto3.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys.get("SessionToken"),
    )
    return Payer(Aws(session, aws.region, aws.endpoint_url), shared.outputs()["APIEndpoint"])


INVOKE = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["execute-api:Invoke", "sts:AssumeRole"], "Resource": "*"}],
    }
)


def user_of(shared: LocalProject, name: str, *, allowed: bool = True) -> Payer:
    iam = shared.aws().client("iam")
    iam.create_user(UserName=name)
    if allowed:
        iam.put_user_policy(UserName=name, PolicyName="invoke", PolicyDocument=INVOKE)
    return caller_of(shared, iam.create_access_key(UserName=name)["AccessKey"])


def test_the_keys_of_two_principals_do_not_meet_and_any_may_process(shared: LocalProject) -> None:
    one, other = user_of(shared, "payer-one"), user_of(shared, "payer-other")
    first, second = one.validate("same-key", customer="pr-1"), other.validate("same-key", customer="pr-1")
    assert first is not None
    assert second is not None
    assert (first.status, second.status) == (200, 200)
    assert first.json()["transaction_id"] != second.json()["transaction_id"]
    assert other.process(first.json()["transaction_id"]).status == 200  # type: ignore[union-attr]


def test_two_sessions_of_one_role_share_their_keys(shared: LocalProject) -> None:
    aws = shared.aws()
    iam, sts = aws.client("iam"), aws.client("sts")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="pods", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.put_role_policy(RoleName="pods", PolicyName="invoke", PolicyDocument=INVOKE)
    answers = []
    for pod in ("pod-1", "pod-2"):
        keys = sts.assume_role(RoleArn=role, RoleSessionName=pod)["Credentials"]
        answers.append(caller_of(shared, keys).validate("retry-from-the-other-pod", customer="pod"))
    assert statuses(answers) == [200, 200]
    assert len({answer.body for answer in answers if answer}) == 1


def test_who_has_no_right_or_no_signature_gets_403_and_leaves_nothing(shared: LocalProject, payer: Payer) -> None:
    stranger = user_of(shared, "stranger", allowed=False)
    payer.signed = False
    for caller in (stranger, payer):
        answer = caller.validate("stranger-1", customer="stranger")
        assert answer is not None
        assert answer.status == 403
    assert own_items(shared, "stranger") == {}


CARD = "4242 4242 4242 4242"
REFUSED: dict[str, dict[str, Any]] = {
    "card in a text": {"description": f"card {CARD}"},
    "card field": {"metadata": {"cvv": "123"}},
    "too many decimals": {"amount": "10.001"},
    "no such currency": {"currency": "usd"},
    "zero": {"amount": 0},
    "unknown field": {"colour": "red"},
}


def test_a_refused_payment_is_a_problem_and_one_message_without_its_values(shared: LocalProject, payer: Payer) -> None:
    queue = shared.outputs()["FailedTransactionsQueueUrl"]
    messages_of(shared.aws(), queue)
    for fields in REFUSED.values():
        answer = payer.validate("refused-key", customer="refused", **fields)
        assert answer is not None
        assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
        assert "4242" not in answer.body.decode()
    broken = (b"", b"[]", b"{", b'{"a":1,"a":1}', b"\xff", b"[" * 5000, b'{"amount":1e99999999999999999999}')
    answers = [payer.post("validate", body) for body in broken]
    assert {answer.status for answer in answers} == {400}
    answers.append(payer.post("validate", {"description": "x" * 9000}))
    assert answers[-1].status == 413
    assert own_items(shared, "refused") == {}
    messages = messages_of(shared.aws(), queue)
    assert len(messages) == len(REFUSED) + 7 + 1
    assert {message["kind"] for message in messages} == {"rejected"}
    assert "4242" not in json.dumps(messages)
    assert "123" not in json.dumps([message.get("payment") for message in messages])
    by_hand = {answer.json()["request_id"] for answer in answers}
    assert reconcile(payer.exchanges, {}, [one for one in messages if one["request_id"] not in by_hand]) == []


def test_card_data_is_in_no_log(shared: LocalProject, payer: Payer) -> None:
    marker = "5555 5555 5555 4444"
    refused = payer.validate("log-1", customer="log", description=marker)
    assert refused is not None
    request_id = refused.json()["request_id"]
    logs = shared.aws().client("logs")
    lines: list[str] = []
    deadline = time.monotonic() + 10
    while not any(request_id in line for line in lines) and time.monotonic() < deadline:
        groups = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]
        lines = [
            event["message"]
            for group in groups
            for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
        ]
        time.sleep(0.1)
    (line,) = [line for line in lines if request_id in line and line.startswith("{")]  # START and END are Lambda's
    assert json.loads(line)["code"] == "card_data_refused"
    told = [line.replace("-", "").replace(" ", "") for line in lines if request_id in line]
    assert not any("5" * 8 in line for line in told)  # four could be of an id


def test_what_process_refuses(shared: LocalProject, payer: Payer) -> None:
    for transaction_id, status, code in (
        ("txn_" + "0" * 32, 404, "payment_not_found"),
        ("no-such-payment", 404, "payment_not_found"),
        ("", 400, "invalid_request"),
        ("a b", 400, "invalid_request"),
    ):
        answer = payer.process(transaction_id)
        assert answer is not None
        assert (answer.status, answer.json()["code"]) == (status, code)
