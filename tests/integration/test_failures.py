"""`paycli failures` on the embedded AWS: real queues, real functions, as a user runs it."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.integration.conftest import LocalProject
from tests.integration.payers import items_of, messages_of

PAYMENT = {"amount": "10.00", "currency": "USD", "customer_id": "customer-1"}


def ran(project: LocalProject, *arguments: str) -> dict[str, Any]:
    done = project.run("failures", *arguments, "--env", "local", "--json")
    assert done.status == 0, done.out
    data: dict[str, Any] = done.document["data"]
    return data


def send(project: LocalProject, output: str, **fields: Any) -> str:
    """Put an error into a queue, as a function does; return its request id."""
    message = {
        "schema": 1,
        "kind": "error",
        "code": "temporarily_unavailable",
        "retryable": True,
        "request_id": str(uuid4()),
        "at": "2026-11-22T20:26:30.123Z",
        **fields,
    }
    project.aws().client("sqs").send_message(QueueUrl=project.outputs()[output], MessageBody=json.dumps(message))
    return str(message["request_id"])


def test_failed_requests_go_back_under_their_keys_and_have_their_effect_once(shared: LocalProject) -> None:
    queue, table = (shared.outputs()[name] for name in ("FailedTransactionsQueueUrl", "TransactionsTableName"))
    messages_of(shared.aws(), queue)
    key = f"order-{uuid4()}"
    call = ["call", "POST", "/validate", "--env", "local", "--data", json.dumps(PAYMENT), "--idempotency-key", key]
    transaction = json.loads(shared.run(*call).out)["transaction_id"]
    assert shared.run("call", "POST", "/validate", "--env", "local", "--data", '{"amount": 1}').status == 1
    (refused,) = ran(shared, "list")["queues"][0]["messages"]
    owner = refused["principal"]

    known = {"operation": "validate", "principal": owner, "payment": PAYMENT}
    stored = send(
        shared, "FailedTransactionsQueueUrl", **known, idempotency_key=key, transaction_id=transaction
    )  # the answer was lost, not the payment
    new = send(shared, "FailedTransactionsQueueUrl", **known, idempotency_key=f"order-{uuid4()}")
    theirs = {**known, "principal": "000000000000:AROATHEIRS"}
    kept = send(shared, "FailedTransactionsQueueUrl", **theirs, idempotency_key=key)
    processed = [
        send(shared, "FailedTransactionsQueueUrl", operation="process", principal="x", transaction_id=transaction)
        for _ in range(2)
    ]
    before = items_of(shared.aws(), table)
    done = ran(shared, "replay", "--all", "--report", "replayed.jsonl")

    assert {each["name"]: each["outcome"] for each in done["outcomes"]} == {
        stored: "done",
        new: "done",
        **dict.fromkeys(processed, "done"),
        kept: "left",
        refused["name"]: "left",
    }
    after = items_of(shared.aws(), table)
    assert len(after) == len(before) + 1
    assert after[transaction]["status"] == "processed"
    lines = [json.loads(line) for line in (shared.root / "replayed.jsonl").read_text().splitlines()]
    assert {line["message"]["request_id"]: line["answer"]["status"] for line in lines} == dict.fromkeys(
        [stored, new, *processed], 200
    )
    left = ran(shared, "list")["queues"][0]["messages"]
    assert {message["name"]: message["receives"] for message in left} == {kept: 2, refused["name"]: 3}

    gone = ran(shared, "discard", "--all", "--yes")
    assert sorted(gone["discarded"]) == sorted([kept, refused["name"]])
    assert len(Path(gone["report"]).read_text().splitlines()) == 2
    assert [found["messages"] for found in ran(shared, "list")["queues"]] == [[], []]


def test_looking_dead_letters_nothing_and_what_is_dead_comes_back(shared: LocalProject) -> None:
    queue = shared.outputs()["FailedTransactionsQueueUrl"]
    messages_of(shared.aws(), queue)
    name = send(shared, "FailedTransactionsQueueUrl", operation="process", transaction_id=f"txn_{'0' * 32}")
    sqs = shared.aws().client("sqs")
    for _ in range(4):
        assert sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)["Messages"]
    assert [found["renewed"] for found in ran(shared, "list")["queues"]] == [1, 0]
    assert ran(shared, "show", name)["messages"][0]["receives"] == 2  # of the new one

    for _ in range(3):
        assert sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)["Messages"]
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)  # somebody else's sixth receive
    assert ran(shared, "show", name)["messages"][0]["queue"] == "failed-transactions-dlq-local"
    assert ran(shared, "redrive")["moved"] == 1
    kept = shared.run("failures", "replay", name, "--env", "local", "--json")
    assert kept.status == 1
    (outcome,) = kept.document["data"]["outcomes"]
    said = "payment_not_found: the payment isn't in the table"
    assert (outcome["outcome"], outcome["status"], outcome["said"]) == ("missing", 404, said)
    (outcome,) = ran(shared, "replay", name, "--give-up-missing")["outcomes"]
    assert (outcome["outcome"], outcome["status"]) == ("refused", 404)
    assert messages_of(shared.aws(), queue) == []
