"""Load on a deployed stack, as a user sends it: real processes, real HTTP, and nothing left behind."""

import base64
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from paycli import emulator
from paycli.aws import connect
from paycli.environment import Environment
from paycli.errors import PaycliError
from paycli.operations.load.faults import injected
from paycli.operations.load.plan import MIX, Plan
from paycli.operations.load.processes import Address, Process, master_order, worker_order
from tests.integration.conftest import SETTINGS, LocalProject, parent_of
from tests.integration.payers import Payer, insist, items_of, messages_of, proxies_of

if TYPE_CHECKING:
    import subprocess


def greenlets() -> dict[str, str]:
    """Return the variable that lets coverage see what runs in greenlets; all other processes are faster without it."""
    config = os.environ.get("COVERAGE_PROCESS_CONFIG")
    if config is None:
        return {}
    settings = json.loads(base64.b64decode(config))
    settings["concurrency"] = ["thread", "gevent"]
    return {"COVERAGE_PROCESS_CONFIG": base64.b64encode(json.dumps(settings).encode()).decode()}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProject]:
    """A project of its own, whose table and queue nobody else uses, with functions that are warm."""
    root = tmp_path_factory.mktemp("loaded")
    (root / "paycli.toml").write_text(SETTINGS)
    project = LocalProject(root)
    assert project.run("deploy", "--env", "local").status == 0
    payer = Payer(project.aws(), project.outputs()["APIEndpoint"])
    warm = insist(lambda: payer.validate("warm", customer="warm"))
    assert warm is not None
    insist(lambda: payer.process(warm.json()["transaction_id"], customer="warm"))
    messages_of(project.aws(), project.outputs()["FailedTransactionsQueueUrl"])
    yield project
    emulator.stop(root)


def payments(project: LocalProject) -> list[str]:
    """Return the customers of load tests that have payments in the table."""
    items = items_of(project.aws(), project.outputs()["TransactionsTableName"]).values()
    return [item["customer_id"] for item in items if item["customer_id"].startswith("paycli-load-")]


def test_load_with_faults_is_reconciled_and_leaves_nothing(loaded: LocalProject) -> None:
    mix = "new=50,replay=20,process=20,invalid=10"
    arguments = ("--rate", "15", "--duration", "8", "--faults", "--mix", mix, "--report", "load.html", "--json")
    ran = loaded.run("load-test", "--env", "local", *arguments, folder=None, **greenlets())
    assert ran.status == 0, ran.out + ran.err
    found = ran.document["data"]
    assert found["sent"] > 60
    assert found["as_expected"] > 30
    assert found["reconciliation"]["clean"]
    assert found["reconciliation"]["payments"] > 20
    assert 0 < found["reconciliation"]["failures_expected"] <= found["reconciliation"]["failures_recorded"]
    assert {"new", "replay", "process", "invalid"} <= found["latency"].keys()
    assert "8 s" in ran.err
    assert payments(loaded) == []
    assert messages_of(loaded.aws(), loaded.outputs()["FailedTransactionsQueueUrl"]) == []
    page = (loaded.root / "load.html").read_text()
    assert page.count("<svg") == 2
    assert proxies_of(loaded.aws()) == set()


def started(running: "subprocess.Popen[str]") -> str:
    """Read what paycli says until the load has begun, and let some of it be sent; return the run."""
    assert running.stderr
    for line in running.stderr:
        if line.startswith("Run "):
            time.sleep(2)
            return line.split()[1].rstrip(":")
    pytest.fail("it never began")


def descendants(process: int) -> set[str]:
    """Return the processes that a process has started, and those that these have."""
    parents = {entry.name: parent_of(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    found: set[str] = set()
    youngest = {str(process)}
    while youngest := {child for child, parent in parents.items() if parent in youngest}:
        found |= youngest
    return found


def remaining(processes: set[str]) -> set[str]:
    """Return which of these are still there when they have had the time to end."""
    deadline = time.monotonic() + 60
    while (left := {each for each in processes if parent_of(each)}) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def test_a_killed_run_leaves_neither_process_nor_proxy(loaded: LocalProject) -> None:
    running = loaded.begin("load-test", "--env", "local", "--rate", "5", "--duration", "600", "--faults")
    run = started(running)
    family = descendants(running.pid)
    assert len(family) >= 4  # master, worker, keeper and proxy
    assert len(proxies_of(loaded.aws())) == 1
    running.kill()
    running.communicate()
    assert remaining(family) == set()
    assert proxies_of(loaded.aws()) == set()
    payer = Payer(loaded.aws(), loaded.outputs()["APIEndpoint"])
    answer = insist(lambda: payer.validate("after-the-kill", customer="after-the-kill"))
    assert answer is not None
    assert answer.status == 200
    assert loaded.run("load-test", "--env", "local", "--clean-up", run).status == 0


def test_where_aws_is_gone_the_proxy_ends_all_the_same_and_the_next_faults_mend_the_functions(
    loaded: LocalProject,
) -> None:
    local = Environment(name="local", target="embedded")
    others = descendants(os.getpid())
    ours: set[str] = set()
    with (
        pytest.raises(PaycliError, match="payment-validation-local may still call AWS through the proxy"),
        injected(loaded.aws(), local, loaded.outputs(), 1),
    ):
        ours = descendants(os.getpid()) - others
        emulator.stop(loaded.root)
    assert len(ours) == 2
    assert remaining(ours) == set()
    assert len(proxies_of(loaded.aws())) == 1  # nobody could take it out
    others = descendants(os.getpid())
    with injected(loaded.aws(), local, loaded.outputs(), 1):
        (keeper,) = (each for each in descendants(os.getpid()) - others if parent_of(each) == str(os.getpid()))
        os.kill(int(keeper), signal.SIGTERM)  # it stays for as long as paycli does
        assert len(proxies_of(loaded.aws())) == 1
    assert proxies_of(loaded.aws()) == set()


def test_faults_take_out_no_proxy_but_their_own(loaded: LocalProject) -> None:
    functions, name = loaded.aws().client("lambda"), "payment-validation-local"
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    theirs = {**variables, "HTTP_PROXY": "http://127.0.0.1:9"}
    with injected(loaded.aws(), Environment(name="local", target="embedded"), loaded.outputs(), 1):
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": theirs})
    assert proxies_of(loaded.aws()) == {"http://127.0.0.1:9"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def test_ctrl_c_ends_the_arrivals_and_what_was_sent_is_reconciled_and_removed(loaded: LocalProject) -> None:
    arguments = ("--rate", "10", "--duration", "600", "--faults", "--json")
    running = loaded.begin("load-test", "--env", "local", *arguments, **greenlets())
    started(running)
    family = descendants(running.pid)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=100)
    assert running.returncode == 130, out + err
    found: dict[str, Any] = json.loads(out)["data"]
    assert found["interrupted"]
    assert found["sent"] > 5
    assert found["reconciliation"]["clean"]
    assert payments(loaded) == []
    assert proxies_of(loaded.aws()) == set()
    assert remaining(family) == set()


def test_what_is_kept_is_removed_later(loaded: LocalProject) -> None:
    ran = loaded.run("load-test", "--env", "local", "--rate", "10", "--duration", "2", "--keep")
    assert ran.status == 0, ran.out + ran.err
    run = ran.out.split()[2]
    kept = payments(loaded)
    assert kept
    assert all(customer.startswith(f"paycli-load-{run}-") for customer in kept)
    ledger = loaded.root / ".paycli" / "load" / f"{run}.jsonl"
    assert len(ledger.read_text().splitlines()) >= len(kept)
    cleaned = loaded.run("load-test", "--env", "local", "--clean-up", run, "--json")
    assert cleaned.document["data"] == {"run": run, "payments": len(kept), "left_behind": []}
    assert payments(loaded) == []
    assert not ledger.exists()
    assert items_of(loaded.aws(), loaded.outputs()["TransactionsTableName"])  # somebody else's stay

    again = loaded.run("load-test", "--env", "local", "--clean-up", run)
    assert "Messages that it left in the failed-transactions queue stay there" in again.out
    discarded = loaded.run("failures", "discard", "--of-tests", "--env", "local", "--yes")
    assert discarded.status == 0, discarded.err
    assert messages_of(loaded.aws(), loaded.outputs()["FailedTransactionsQueueUrl"]) == []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_worker_for_another_api_is_sent_home_and_a_master_can_be_stopped_before_the_load(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in greenlets().items():
        monkeypatch.setenv(name, value)
    local = Environment(name="local", target="embedded")
    plan = Plan("0123abcd", 1.0, 1.0, MIX, 7, 8)
    master = Process("master", master_order(plan, 1, "http://127.0.0.1:9/one/", Address(), 100))
    events = master.events()
    address = Address(port=next(events)["port"])
    stranger = Process(
        "worker", worker_order(connect(local, "http://127.0.0.1:9"), local, "http://127.0.0.1:9/", address)
    )
    stranger.wait()
    assert not stranger.failed
    master.stop()
    said = list(events)
    assert {event["event"] for event in said} == {"workers", "ended"}
    assert said[-1]["lost"] == 0
    master.wait()
    for process in (master, stranger):
        process.close()
        assert not process.failed


def test_several_machines_take_part(loaded: LocalProject) -> None:
    place = f"127.0.0.1:{free_port()}"
    arguments = ("--rate", "10", "--duration", "4", "--workers", "2", "--json")
    master = loaded.begin("load-test", "--env", "local", "--master", place, *arguments)
    joined = [loaded.begin("load-test", "--env", "local", "--worker", place) for _ in range(2)]
    out, err = master.communicate(timeout=110)
    assert master.returncode == 0, out + err
    found = json.loads(out)["data"]
    assert found["sent"] > 10
    assert found["reconciliation"]["clean"]
    for worker in joined:
        said, trouble = worker.communicate(timeout=60)
        assert worker.returncode == 0, said + trouble
    assert payments(loaded) == []
    assert not list(Path(loaded.root, ".paycli", "load").iterdir())
