"""A bad day, in the order of the runbook (docs/operations.md), and what every caller was told holds at its end.

DynamoDB throttles under load, and payments fail; then a bad deploy corrupts and loses others. Rolled back, restored,
merged and replayed, each payment that was acknowledged is there once, with the status and the amount that was said.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from paycli.environment import Environment
from paycli.operations.load.faults import injected
from paycli.operations.load.proxy import make_faults
from paycli.operations.reconciliation import Exchange, expected_records, reconcile
from tests.integration.conftest import LocalProject
from tests.integration.payers import Payer, at_once, insist, items_of, proxies_of, statuses

TABLE = "transactions-local"
CUSTOMER = "customer-story"
CORRUPTED = 10
_CALLERS = 6


def ran(project: LocalProject, *arguments: str, status: int = 0) -> Any:
    """Run a command as the runbook has it, and return its data."""
    done = project.run(*arguments, "--env", "local", "--json")
    assert done.status == status, done.out + done.err
    return done.data


def throttled(project: LocalProject, payer: Payer) -> None:
    """Pay side by side, first well, then while DynamoDB throttles: some fail, at the end each one."""
    local = Environment(name="local", target="embedded")
    with injected(project.aws(), local, project.outputs(), 1.0) as faults:
        paid(payer, "first", process=True)  # the functions start
        well = at_once(24, lambda number: paid(payer, f"well-{number}", process=number % 2 == 0), _CALLERS)
        faults.at(0.5)
        at_once(24, lambda number: payer.validate(f"throttled-{number}", customer=CUSTOMER), _CALLERS)
        (proxy,) = proxies_of(project.aws())
        make_faults(proxy, [{"service": "dynamodb", "error": {"code": "ProvisionedThroughputExceededException"}}])
        refused = [
            *at_once(4, lambda number: payer.validate(f"refused-{number}", customer=CUSTOMER)),
            *at_once(4, lambda number: payer.process(well[2 * number + 1], customer=CUSTOMER)),
        ]
        assert statuses(refused) == [503] * 8


def waiting(project: LocalProject) -> list[dict[str, Any]]:
    """Look into the queue."""
    queue, dead = ran(project, "failures", "list")["queues"]
    assert dead["messages"] == []
    return list(queue["messages"])


def paid_at_the_second_try(project: LocalProject, payer: Payer, principal: str) -> str:
    """Pay under a key whose first try has failed, and left its message; return the transaction."""
    key = f"order-{uuid4()}"
    payment = {"amount": "10.00", "currency": "USD", "customer_id": CUSTOMER}
    message = {
        "schema": 1,
        "kind": "error",
        "code": "temporarily_unavailable",
        "retryable": True,
        "operation": "validate",
        "request_id": str(uuid4()),
        "idempotency_key": key,
        "principal": principal,
        "at": "2026-11-22T20:26:30.123Z",
        "payment": payment,
    }
    queue = project.outputs()["FailedTransactionsQueueUrl"]
    project.aws().client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(message))
    return paid(payer, key, process=True)


def paid(payer: Payer, key: str, *, process: bool) -> str:
    answer = insist(lambda: payer.validate(key, customer=CUSTOMER))
    assert answer is not None
    transaction: str = answer.json()["transaction_id"]
    if process:
        processed(payer, transaction)
    return transaction


def processed(payer: Payer, transaction: str) -> None:
    answer = insist(lambda: payer.process(transaction, customer=CUSTOMER))
    assert answer is not None
    assert answer.status == 200


def misbehave(project: LocalProject, spared: list[str], *lost: str) -> int:
    """Do to the table what a bad version does: change ten payments, and lose some; return how many."""
    dynamodb = project.aws().client("dynamodb")
    by_status: dict[str, list[str]] = {"validated": [], "processed": []}
    for name, item in sorted(items_of(project.aws(), TABLE).items()):
        if name not in {*spared, *lost}:
            by_status[item["status"]].append(name)
    gone = [*lost, *by_status["validated"][:3], *by_status["processed"][:3]]
    for name in gone:
        dynamodb.delete_item(TableName=TABLE, Key={"transaction_id": {"S": name}})
    changed = [*by_status["validated"][3 : 3 + CORRUPTED // 2], *by_status["processed"][3 : 3 + CORRUPTED // 2]]
    assert len(changed) == CORRUPTED
    for name in changed:
        corrupt(project, name)
    return len(gone)


def corrupt(project: LocalProject, transaction: str) -> None:
    project.aws().client("dynamodb").update_item(
        TableName=TABLE,
        Key={"transaction_id": {"S": transaction}},
        UpdateExpression="SET amount_minor = :wrong",
        ExpressionAttributeValues={":wrong": {"N": "1"}},
    )


def replayed(report: Path) -> Iterator[Exchange]:
    """What the API answered to the replay: callers are told that as well."""
    for line in map(json.loads, report.read_text().splitlines()):
        message, body = line["message"], line["answer"]["body"]
        validate = message["operation"] == "validate"
        yield Exchange(
            message["operation"],
            message["idempotency_key"] if validate else body["transaction_id"],
            message["payment"]["customer_id"] if validate else "",
            line["answer"]["status"],
            body["transaction_id"],
            body.get("processed_at", ""),
            amount_minor=body.get("amount_minor"),
            currency=body.get("currency", ""),
            created_at=body.get("created_at", ""),
        )


def unsettled(exchanges: list[Exchange]) -> set[str]:
    """What failed, left a message, and was never answered well since."""
    recorded = {request for request, _ in expected_records(exchanges)}
    done = {meant(each) for each in exchanges if each.acknowledged}
    return {meant(each) for each in exchanges if each.request_id in recorded} - done


def meant(exchange: Exchange) -> str:
    of = exchange.payment if exchange.operation == "validate" else exchange.transaction_id
    return f"{exchange.operation} {of}"


def test_after_throttling_and_a_bad_deploy_every_acknowledged_payment_is_as_its_caller_was_told(
    fresh: LocalProject,
) -> None:
    assert fresh.within("deploy", "--env", "local").status == 0
    payer = Payer(fresh.aws(), fresh.outputs()["APIEndpoint"])
    throttled(fresh, payer)
    failures = waiting(fresh)
    assert {message["code"] for message in failures} == {"temporarily_unavailable"}
    twice = paid_at_the_second_try(fresh, payer, failures[0]["principal"])
    pending, wrong = (paid(payer, key, process=False) for key in ("pending", "wrong"))

    # The embedded AWS restores what is there now: so this comes before the bad deploy, as the point in time would.
    restored = ran(fresh, "restore", "--to", "latest")["table"]
    with (fresh.root / "paycli.toml").open("a") as settings:
        settings.write("\n[env.local]\nmemory_mb = 1024\n")
    assert fresh.within("deploy", "--env", "local", "--yes").status == 0
    gone = misbehave(fresh, [pending, wrong], twice)
    new = paid(payer, "meanwhile", process=True)
    for transaction in (pending, wrong):
        processed(payer, transaction)
    corrupt(fresh, wrong)

    assert fresh.within("rollback", "--env", "local", "--yes").status == 0
    compared = ran(fresh, "restore", "--compare", status=4)
    counts = compared["counts"]
    assert (counts["missing"], counts["changed"], counts["misprocessed"], counts["extra"]) == (gone, CORRUPTED, 1, 0)
    assert ran(fresh, "restore", "--merge", "--yes")["counts"]["copied"] == gone
    changed = [each["transaction_id"] for each in compared["sample"] if each["kind"] in {"changed", "misprocessed"}]
    named = [word for transaction in changed for word in ("--transaction", transaction)]
    mended = ran(fresh, "restore", "--merge", "--overwrite", *named, "--yes")["counts"]
    assert (mended["overwritten"], mended["mended"]) == (CORRUPTED, 1)
    ran(fresh, "restore", "--compare")

    # Only now: a replay would find the lost payments absent, and begin them anew.
    outcomes = ran(fresh, "failures", "replay", "--all", "--report", "replayed.jsonl")["outcomes"]
    assert {outcome["outcome"] for outcome in outcomes} == {"done"}
    assert waiting(fresh) == []
    assert ran(fresh, "restore", "--cleanup", "--yes")["deleted"] == restored

    told = [*payer.exchanges, *replayed(fresh.root / "replayed.jsonl")]
    items = items_of(fresh.aws(), TABLE)
    assert reconcile(told, items) == []
    assert unsettled(told) == set()
    assert {items[each]["status"] for each in (twice, pending, new, wrong)} == {"processed"}
