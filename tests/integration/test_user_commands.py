"""status, outputs and call on the embedded AWS, as a user runs them."""

import json
import re
import subprocess
import sys

import pytest

from tests.command_line import clean
from tests.integration.conftest import LocalProject

PAYMENT = '{"amount": "10.00", "currency": "USD", "customer_id": "customer-1"}'


def test_status_is_one_screen(shared: LocalProject) -> None:
    ran = shared.run("status", "--env", "local")
    assert ran.status == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0] == "payment-api-local in the embedded AWS"
    labels = [line.split("  ")[0] for line in lines if not line.startswith(" ")]
    assert labels[1:-1] == [
        "State",
        "Last change",
        "Code",
        "Health",
        "Alarms",
        "Payments",
        "Table",
        "Queues",
        "Protection",
        "Drift",
        "Endpoint",
    ]
    assert re.search(
        r"^State +(CREATE|UPDATE)_COMPLETE since \d{4}-\d\d-\d\d .* UTC \(.* ago\): deployed$", ran.out, re.M
    )
    assert re.search(r"^Health +healthy: GET /health answered 200 in \d\.\d\d s$", ran.out, re.M)
    assert re.search(r"^Code +code/[0-9a-f]{64}\.zip$", ran.out, re.M)
    assert lines[-1].startswith("The embedded AWS evaluates an alarm only when")
    assert len(lines) < 24


def test_status_for_programs_counts_a_refused_payment_and_a_firing_alarm(shared: LocalProject) -> None:
    before = shared.run("status", "--env", "open", "--json").document["data"]
    refused = shared.run("call", "POST", "/validate", "--env", "open", "--data", '{"amount": 1}')
    assert refused.status == 1
    cloudwatch = shared.aws().client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName="api-5xx-open", StateValue="ALARM", StateReason="somebody tries it")
    ran = shared.run("status", "--env", "open", "--json")
    assert ran.status == 0
    data = ran.document["data"]
    assert data["stack"]["condition"] == "good"
    waiting = [found["queues"][0]["depth"]["waiting"] for found in (before, data)]
    assert waiting[1] == waiting[0] + 1
    assert [(alarm["name"], alarm["reason"]) for alarm in data["alarms"]["firing"]] == [
        ("api-5xx-open", "somebody tries it")
    ]
    assert data["health"]["state"] == "healthy"
    assert data["endpoint"].endswith("/_user_request_/")


def test_status_of_what_is_not_deployed_is_1_with_the_way_there(shared: LocalProject) -> None:
    ran = shared.run("status", "--env", "kept")
    assert ran.status == 1
    assert ran.out == ""
    assert "paycli deploy --env kept" in ran.err


def test_outputs_in_each_format_say_the_same(shared: LocalProject) -> None:
    flat = json.loads(shared.run("outputs", "--env", "local", "--format", "json").out)
    assert flat == shared.outputs()
    assert flat == shared.run("outputs", "--env", "local", "--json").document["data"]["outputs"]
    command = (
        f'eval "$({sys.executable} -m paycli outputs --env local --format env)" && echo "$APIEndpoint $AlarmTopicArn"'
    )
    done = subprocess.run(
        ["bash", "-c", command], cwd=shared.root, env=clean(), capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == [flat["APIEndpoint"], flat["AlarmTopicArn"]]


def test_a_payment_by_hand(shared: LocalProject) -> None:
    first = shared.run("call", "POST", "/validate", "--env", "local", "--data", PAYMENT)
    assert first.status == 0, first.err
    key = re.fullmatch(r"Idempotency-Key: (\S+) .*\n", first.err)
    assert key
    transaction = json.loads(first.out)["transaction_id"]

    again = shared.run(
        *("call", "post", "/validate", "--env", "local", "--data", PAYMENT, "--idempotency-key", key[1], "--include")
    )
    assert again.out == first.out
    assert again.err.startswith("HTTP 200 OK\n")
    assert "idempotent-replayed: true" in again.err.lower()

    body = json.dumps({"transaction_id": transaction})
    (shared.root / "body.json").write_text(body)
    processed = shared.run("call", "POST", "/process", "--env", "local", "--data", "@body.json", "--json")
    assert processed.status == 0
    assert processed.document["data"]["body"]["status"] == "processed"
    assert processed.document["data"]["idempotency_key"] is None


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (["GET", "/health", "--unsigned"], 403, "not_authenticated"),
        (["POST", "/process", "--data", '{"transaction_id": "txn_00000000000000000000000000000000"}'], 404, None),
        (["POST", "/validate", "--data", '{"amount": 1}'], 400, "invalid_request"),
    ],
)
def test_a_refusal_is_shown_and_is_1(shared: LocalProject, arguments: list[str], status: int, code: str | None) -> None:
    ran = shared.run("call", *arguments, "--env", "local")
    assert ran.status == 1
    problem = json.loads(ran.out)
    assert problem["status"] == status
    assert code in (None, problem["code"])
    assert f"Error: {arguments[0]} {arguments[1]} was answered {status} " in ran.err


def test_on_a_terminal_the_answer_is_indented(shared: LocalProject) -> None:
    ran = shared.on_terminal("", "call", "GET", "/health", "--env", "open")
    assert ran.status == 0
    assert '{\r\n  "status": "healthy",\r\n' in ran.out
