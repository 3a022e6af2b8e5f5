"""Restore, compare, merge and clean up on the embedded AWS, as a user runs them."""

import json
import re
import signal
import stat
import time
from typing import Any

from tests.integration.conftest import LocalProject
from tests.integration.payers import items_of

PAYMENT = '{"amount": "10.00", "currency": "USD", "customer_id": "customer-restore"}'
LIVE = "transactions-open"


def call(project: LocalProject, path: str, body: str) -> Any:
    return json.loads(project.run("call", "POST", path, "--env", "open", "--data", body).out)


def change(project: LocalProject, transaction: str, attribute: str, value: str) -> None:
    project.aws().client("dynamodb").update_item(
        TableName=LIVE,
        Key={"transaction_id": {"S": transaction}},
        UpdateExpression="SET #a = :v",
        ExpressionAttributeNames={"#a": attribute},
        ExpressionAttributeValues={":v": {"S": value}},
    )


def test_what_a_bad_deploy_lost_and_corrupted_comes_back(shared: LocalProject) -> None:
    dynamodb = shared.aws().client("dynamodb")
    lost, waiting, corrupted, untouched = (call(shared, "/validate", PAYMENT)["transaction_id"] for _ in range(4))
    call(shared, "/process", json.dumps({"transaction_id": lost}))
    before = items_of(shared.aws(), LIVE)

    ran = shared.run("restore", "--env", "open", "--to", "15m", "--json")
    assert ran.status == 0, ran.err
    name = ran.document["data"]["table"]
    assert re.fullmatch(r"transactions-open-restore-\d{8}T\d{6}Z", name)
    assert "The embedded AWS restores the table as it is now" in ran.err
    assert items_of(shared.aws(), name) == before
    live, restored = (dynamodb.describe_table(TableName=each)["Table"] for each in (LIVE, name))
    assert restored.get("SSEDescription") == live.get("SSEDescription")
    recovery = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert (expiry["TimeToLiveStatus"], expiry["AttributeName"]) == ("ENABLED", "expires_at")
    tags = {
        tag["Key"]: tag["Value"] for tag in dynamodb.list_tags_of_resource(ResourceArn=restored["TableArn"])["Tags"]
    }
    assert (tags["Environment"], tags["paycli:restored-from"]) == ("open", LIVE)

    same = shared.run("restore", "--env", "open", "--compare", "--json")
    assert (same.status, same.document["data"]["different"]) == (0, 0)

    # The API goes on, and something else goes wrong.
    call(shared, "/process", json.dumps({"transaction_id": waiting}))
    newer = call(shared, "/validate", PAYMENT)["transaction_id"]
    dynamodb.delete_item(TableName=LIVE, Key={"transaction_id": {"S": lost}})
    change(shared, corrupted, "currency", "EUR")
    processed = items_of(shared.aws(), LIVE)[waiting]

    compared = shared.run("restore", "--env", "open", "--compare")
    assert compared.status == 4, compared.err
    assert re.search(rf"^missing +{lost} +processed +-", compared.out, re.M)
    assert re.search(rf"^changed +{corrupted} +validated +validated +currency$", compared.out, re.M)
    assert re.search(r"^ *1 +moved on ", compared.out, re.M)
    assert "customer-restore" not in compared.out

    merged = shared.run("restore", "--env", "open", "--merge", "--yes")
    assert merged.status == 0, merged.err
    assert re.search(r"^ +1 copied back$", merged.out, re.M)
    named = ("--overwrite", "--transaction", corrupted, "--transaction", waiting)
    overwritten = shared.run("restore", "--env", "open", "--merge", *named, "--yes", "--json")
    counts = overwritten.document["data"]["counts"]
    assert (counts["overwritten"], counts["moved_on"], counts["refused"]) == (1, 1, 0)

    after = items_of(shared.aws(), LIVE)
    assert [after[each] for each in (lost, corrupted, untouched)] == [
        before[each] for each in (lost, corrupted, untouched)
    ]
    assert after[waiting] == processed
    assert newer in after
    assert shared.run("restore", "--env", "open", "--compare").status == 0

    refused = shared.run("restore", "--env", "open", "--cleanup", "--yes", "--table", LIVE)
    assert refused.status == 2
    assert shared.run("restore", "--env", "local", "--cleanup", "--yes").status == 1  # it is of open
    assert name in shared.run("restore", "--env", "open").out
    assert shared.run("restore", "--env", "open", "--cleanup", "--yes").status == 0
    assert name not in dynamodb.list_tables()["TableNames"]


def written(project: LocalProject, requests: list[dict[str, Any]]) -> None:
    """Write or delete items, 25 at a time."""
    dynamodb = project.aws().client("dynamodb")
    for start in range(0, len(requests), 25):
        dynamodb.batch_write_item(RequestItems={LIVE: requests[start : start + 25]})


def test_a_merge_that_is_interrupted_goes_on(shared: LocalProject) -> None:
    keys = [{"transaction_id": {"S": f"txn_many_{number:04}"}} for number in range(1500)]
    item = {"status": {"S": "processed"}, "created_at": {"S": "2026-01-01T00:00:00.000Z"}}
    written(shared, [{"PutRequest": {"Item": {**key, **item}}} for key in keys])
    name = shared.run("restore", "--env", "open", "--to", "latest", "--json").document["data"]["table"]
    written(shared, [{"DeleteRequest": {"Key": key}} for key in keys])

    merge = shared.begin("restore", "--env", "open", "--merge", "--yes", "--segments", "1")
    deadline = time.monotonic() + 60
    while not is_there(shared, keys) and time.monotonic() < deadline:
        time.sleep(0.01)
    merge.send_signal(signal.SIGTERM)
    _, said = merge.communicate(timeout=60)
    assert merge.returncode == 130, said
    assert "The same command again goes on" in said
    copied = sum(transaction.startswith("txn_many_") for transaction in items_of(shared.aws(), LIVE))
    assert 0 < copied < 1500
    checkpoint = shared.root / ".paycli" / "restore" / f"{name}.json"
    assert stat.S_IMODE(checkpoint.stat().st_mode) == 0o600

    again = shared.run("restore", "--env", "open", "--merge", "--yes", "--segments", "1", "--json")
    counts = again.document["data"]["counts"]
    assert (counts["copied"], sum(counts.values())) == (1500, len(items_of(shared.aws(), name)))
    assert items_of(shared.aws(), LIVE).keys() >= {key["transaction_id"]["S"] for key in keys}
    assert not checkpoint.exists()
    assert shared.run("restore", "--env", "open", "--cleanup", "--yes").status == 0
    written(shared, [{"DeleteRequest": {"Key": key}} for key in keys])


def is_there(project: LocalProject, keys: list[dict[str, Any]]) -> bool:
    """Whether any of the payments is in the live table."""
    request = {LIVE: {"Keys": keys[:100]}}
    return bool(project.aws().client("dynamodb").batch_get_item(RequestItems=request)["Responses"][LIVE])


def test_a_restore_on_what_was_never_deployed_names_the_way(fresh: LocalProject) -> None:
    ran = fresh.run("restore", "--env", "local", "--to", "15m")
    assert ran.status == 1
    assert "paycli deploy --env local" in ran.err
