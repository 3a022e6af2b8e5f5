"""The payment path under faults between the functions and AWS: microburst stands between them as their proxy.

Whatever happens: no acknowledged payment is missing, none has two effects, and a retry with the same key ends well.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from paycli import emulator
from paycli.aws import Aws
from paycli.operations.reconciliation import reconcile
from tests.integration.conftest import SETTINGS, LocalProject, parent_of
from tests.integration.payers import Payer, at_once, insist, items_of, messages_of, statuses

CALLERS = 12


@dataclass(frozen=True)
class Faulty:
    """A deployed open API whose functions reach AWS through a proxy that can be told to fail."""

    project: LocalProject
    control: str

    def rules(self, *rules: dict[str, Any]) -> None:
        """Put these faults in place of the ones before."""
        request = urllib.request.Request(
            f"{self.control}/_microburst/rules",
            json.dumps(rules).encode(),
            {"Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status < 300

    def fired(self) -> list[dict[str, Any]]:
        """Return the faults that happened since they were last asked for."""
        with urllib.request.urlopen(f"{self.control}/_microburst/fired", timeout=10) as answer:
            found = json.load(answer)
        request = urllib.request.Request(f"{self.control}/_microburst/fired", method="DELETE")
        urllib.request.urlopen(request, timeout=10).close()
        return list(found if isinstance(found, list) else found["fired"])

    def payer(self) -> Payer:
        return Payer(self.project.aws(), self.project.outputs()["APIEndpoint"], signed=False)

    def discrepancies(self, payer: Payer, customer: str) -> list[Any]:
        """Reconcile what this payer was told with what is stored of its customer."""
        items = items_of(self.project.aws(), self.project.outputs()["TransactionsTableName"])
        own = {name: item for name, item in items.items() if item["customer_id"] == customer}
        return reconcile(payer.exchanges, own)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    root = tmp_path_factory.mktemp("faulty")
    (root / "paycli.toml").write_text(SETTINGS)
    project = LocalProject(root)
    assert project.within("deploy", "--env", "open").status == 0
    running = emulator.find(root)
    assert running is not None
    port = free_port()
    command = [str(Path(sys.executable).parent / "microburst"), "--upstream", running.url, "--port", str(port)]
    with (root / "proxy.log").open("w") as log:
        proxy = subprocess.Popen(command, stdout=log, stderr=log, env={"PATH": os.defpath})
    try:
        faulty = Faulty(project, f"http://127.0.0.1:{port}")
        _await(proxy, port, project.aws())
        _send_through(project, faulty.control)
        payer = faulty.payer()  # the functions start anew, and wait for their connection
        warm = insist(lambda: payer.validate("warm", customer="warm"))
        assert warm is not None
        assert insist(lambda: payer.process(warm.json()["transaction_id"], customer="warm")) is not None
        yield faulty
    finally:
        proxy.kill()  # else it waits for its connections, which the functions keep open
        proxy.wait()
        emulator.stop(root)


def _await(proxy: "subprocess.Popen[bytes]", port: int, aws: Aws) -> None:
    """Wait until the proxy has answered once, which takes it seconds: a function would spend its retries on it."""
    with socket.socket() as probe:
        while proxy.poll() is None and probe.connect_ex(("127.0.0.1", port)) != 0:
            time.sleep(0.02)
    patient = Config(proxies={"http": f"http://127.0.0.1:{port}"}, read_timeout=60)
    for service in ("dynamodb", "sqs"):
        client = aws.session.client(service, region_name=aws.region, endpoint_url=aws.endpoint_url, config=patient)
        client.list_tables() if service == "dynamodb" else client.list_queues()


def _send_through(project: LocalProject, proxy: str) -> None:
    functions = project.aws().client("lambda")
    for name in ("payment-validation-open", "payment-processing-open"):
        variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": {**variables, "HTTP_PROXY": proxy}}
        )
        functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


@pytest.fixture
def faulty(deployed: Faulty) -> Iterator[Faulty]:
    deployed.rules()
    deployed.fired()
    yield deployed
    deployed.rules()


WRITE: dict[str, Any] = {"service": "dynamodb"}
THROTTLED: dict[str, Any] = {**WRITE, "error": {"code": "ProvisionedThroughputExceededException"}}
BROKEN: dict[str, Any] = {**WRITE, "error": {"code": "InternalServerError", "status": 500}}
RESET: dict[str, Any] = {**WRITE, "reset": True}
LOST_REPLY: dict[str, Any] = {**WRITE, "response": {"abort_bytes": 1}}
SLOW: dict[str, Any] = {**WRITE, "latency": 2500}


def test_without_a_fault_the_proxy_changes_nothing(faulty: Faulty) -> None:
    payer = faulty.payer()
    validated = payer.validate("calm", customer="calm")
    assert validated is not None
    assert validated.status == 200
    assert payer.process(validated.json()["transaction_id"], customer="calm").status == 200  # type: ignore[union-attr]
    assert faulty.discrepancies(payer, "calm") == []


@pytest.mark.parametrize("name", ["throttled", "broken", "reset", "lost reply"])
def test_one_fault_is_the_sdks_to_retry(faulty: Faulty, name: str) -> None:
    """Above all a reply that is lost after the commit: the retry finds its own write, and it is no replay."""
    rule = {"throttled": THROTTLED, "broken": BROKEN, "reset": RESET, "lost reply": LOST_REPLY}[name]
    payer = faulty.payer()
    faulty.rules({**rule, "times": 1})
    validated = payer.validate(f"once {name}".replace(" ", "-"), customer="once")
    assert validated is not None
    assert validated.status == 200
    assert "idempotent-replayed" not in validated.headers
    assert len(faulty.fired()) == 1
    faulty.rules({**rule, "times": 1})
    processed = payer.process(validated.json()["transaction_id"], customer="once")
    assert processed is not None
    assert processed.status == 200
    assert "idempotent-replayed" not in processed.headers
    assert len(faulty.fired()) == 1


@pytest.mark.parametrize("rule", [THROTTLED, BROKEN, RESET, LOST_REPLY], ids=["throttled", "broken", "reset", "lost"])
def test_a_lasting_fault_is_503_and_a_retry_ends_well(
    faulty: Faulty, rule: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    customer = f"lasting-{request.node.callspec.id}"
    payer = faulty.payer()
    faulty.rules(rule)
    answers = at_once(CALLERS, lambda number: payer.validate(f"{customer}-{number}", customer=customer))
    assert statuses(answers) == [503] * CALLERS
    assert all(answer.headers["retry-after"] == "1" for answer in payer.answers)
    assert {answer.json()["code"] for answer in payer.answers} == {"temporarily_unavailable"}
    assert faulty.discrepancies(payer, customer) == []  # before anybody retries, too
    faulty.rules()
    again = at_once(CALLERS, lambda number: payer.validate(f"{customer}-{number}", customer=customer))
    assert statuses(again) == [200] * CALLERS
    ids = [answer.json()["transaction_id"] for answer in again if answer]
    faulty.rules(rule)
    assert statuses(at_once(CALLERS, lambda number: payer.process(ids[number], customer=customer))) == [503] * CALLERS
    faulty.rules()
    assert statuses(at_once(CALLERS, lambda number: payer.process(ids[number], customer=customer))) == [200] * CALLERS
    assert faulty.discrepancies(payer, customer) == []


def test_a_table_slower_than_the_time_out_is_503_within_the_functions_time(faulty: Faulty) -> None:
    payer = faulty.payer()
    faulty.rules(SLOW)
    began = time.monotonic()
    slow = payer.validate("slow", customer="slow")
    assert slow is not None
    assert slow.status == 503
    assert time.monotonic() - began < 15  # seconds: the function's time-out
    faulty.rules()
    again = payer.validate("slow", customer="slow")
    assert again is not None
    assert again.status == 200
    assert faulty.discrepancies(payer, "slow") == []


def test_mixed_faults_under_load_lose_and_double_nothing(faulty: Faulty) -> None:
    payer = faulty.payer()
    faulty.rules(*({**rule, "probability": 0.25} for rule in (THROTTLED, BROKEN, RESET, LOST_REPLY)))

    def pay(number: int) -> bool:
        """Do what a careful client does: the same key until there is an answer that settles it."""
        for _ in range(60):
            validated = payer.validate(f"mixed-{number}", customer="mixed")
            if validated and validated.status == 200:
                processed = payer.process(validated.json()["transaction_id"], customer="mixed")
                if processed and processed.status == 200:
                    return True
        return False

    assert all(at_once(CALLERS, pay))
    assert {answer.status for answer in payer.answers} <= {200, 503}
    assert faulty.fired()
    items = items_of(faulty.project.aws(), faulty.project.outputs()["TransactionsTableName"])
    assert len([item for item in items.values() if item["customer_id"] == "mixed"]) == CALLERS
    assert faulty.discrepancies(payer, "mixed") == []


def test_a_server_error_leaves_one_message_that_a_replay_needs(faulty: Faulty) -> None:
    outputs = faulty.project.outputs()
    messages_of(faulty.project.aws(), outputs["FailedTransactionsQueueUrl"])
    payer = faulty.payer()
    faulty.rules(THROTTLED)
    payer.validate("queued-key", customer="queued", description="rent")
    (message,) = messages_of(faulty.project.aws(), outputs["FailedTransactionsQueueUrl"])
    assert (message["kind"], message["code"], message["retryable"]) == ("error", "temporarily_unavailable", True)
    assert message["idempotency_key"] == "queued-key"
    assert message["payment"]["description"] == "rent"
    faulty.rules()
    replayed = payer.validate(message["idempotency_key"], customer="queued", description="rent")
    assert replayed is not None
    assert replayed.status == 200
    assert faulty.discrepancies(payer, "queued") == []


def test_a_queue_that_fails_changes_no_answer(faulty: Faulty) -> None:
    faulty.rules({"service": "sqs", "error": {"code": "ServiceUnavailable", "status": 503}})
    refused = faulty.payer().validate(customer="no-queue", amount="0")
    assert refused is not None
    assert (refused.status, refused.json()["code"]) == (400, "invalid_request")
    assert faulty.fired()


def test_a_function_killed_in_the_middle_loses_nothing(faulty: Faulty) -> None:
    payer = faulty.payer()
    running = emulator.find(faulty.project.root)
    assert running is not None
    faulty.rules({**WRITE, "latency": 700})

    def kill_functions() -> int:
        time.sleep(0.4)
        workers = [entry.name for entry in Path("/proc").iterdir() if parent_of(entry.name) == str(running.pid)]
        for worker in workers:
            os.kill(int(worker), signal.SIGKILL)
        return len(workers)

    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(kill_functions)
        answers = at_once(CALLERS, lambda number: payer.validate(f"killed-{number}", customer="killed"))
    assert killed.result()
    assert any(answer is None or answer.status >= 500 for answer in answers)
    faulty.rules()
    assert faulty.discrepancies(payer, "killed") == []
    again = at_once(CALLERS, lambda number: payer.validate(f"killed-{number}", customer="killed"))
    assert statuses(again) == [200] * CALLERS
    assert faulty.discrepancies(payer, "killed") == []


def test_each_request_makes_one_call(faulty: Faulty) -> None:
    """Counted on the wire: every call is delayed by a rule that fires for it, and the proxy lists what fired."""
    payer = faulty.payer()
    validated = payer.validate("counted", customer="counted")
    assert validated is not None
    transaction_id = validated.json()["transaction_id"]
    payer.process(transaction_id, customer="counted")
    faulty.rules({"service": "*", "latency": 1})

    def calls(send: Any) -> list[tuple[str, str]]:
        faulty.fired()
        send()
        return [(fired["service"], fired["operation"]) for fired in faulty.fired()]

    put, update, send = ("dynamodb", "PutItem"), ("dynamodb", "UpdateItem"), ("sqs", "SendMessage")
    assert calls(lambda: payer.validate("counted-new", customer="counted")) == [put]
    assert calls(lambda: payer.validate("counted", customer="counted")) == [put]
    assert calls(lambda: payer.validate("counted", customer="counted", reference="other")) == [put]
    assert calls(lambda: payer.process(transaction_id)) == [update]
    assert calls(lambda: payer.process("txn_" + "0" * 32)) == [update]
    assert calls(lambda: payer.validate(customer="counted", amount="0")) == [send]
