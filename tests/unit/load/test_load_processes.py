"""The processes of a load test, how they are followed and interrupted, and what the command refuses."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from paycli import cli
from paycli.aws import Aws
from paycli.commands import load_test
from paycli.environment import Environment
from paycli.errors import PaycliError, UsageError
from paycli.interruption import interruptible
from paycli.operations.load import drive, processes, proxy
from paycli.operations.load.drive import Driver, Ending, NotStarted
from paycli.operations.load.faults import Faults, injected
from paycli.operations.load.ledger import Ledger
from paycli.operations.load.measurements import Measurements
from paycli.operations.load.plan import MIX, Plan
from paycli.operations.load.processes import Address, Process
from paycli.operations.load.proxy import Proxy
from paycli.operations.load.sample import Sample
from paycli.operations.reconciliation import Exchange
from paycli.progress import Gauge, Step
from tests.unit.smoke.smoke_stack import Reply, Request, outputs, serving

PLAN = Plan("0123abcd", rate=1.0, duration=1.0, mix=MIX, seed=7, in_flight=8)
SESSION = boto3.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="not-a-secret")
AWS = Aws(SESSION, "us-east-1", "http://127.0.0.1:9")
LOCAL = Environment(name="local", target="embedded")


def program(path: Path, script: str) -> str:
    """Make an executable of a shell script."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_a_child_that_fails_has_last_words() -> None:
    child = Process("nonsense", {})
    child.wait()
    assert list(child.events()) == []
    assert child.failed
    child.close()
    assert child.last_words().startswith("The load test's nonsense failed: ")
    assert "nonsense" in child.last_words().partition(": ")[2]


def test_a_child_that_is_gone_before_its_order_fails_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    child = Process("worker", {"long": "x" * 1_000_000})
    child.close()
    assert child.failed
    assert child.last_words().endswith("it said nothing")


def test_a_child_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processes, "_PARTING", 0.1)
    monkeypatch.setattr("sys.executable", program(tmp_path / "deaf", "exec sleep 600"))
    child = Process("worker", {})
    assert not child.failed
    child.close()
    assert child.failed


def test_the_first_ctrl_c_stops_and_the_second_interrupts() -> None:
    stops: list[bool] = []
    before = signal.getsignal(signal.SIGINT)
    with interruptible(lambda: stops.append(True)) as interruption:
        os.kill(os.getpid(), signal.SIGTERM)
        assert (interruption.asked, stops) == (True, [True])
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


ROW = Sample("new", 0.1, 0.1, 0, "", Exchange("validate", "p", "c", 200, "txn_1")).row()
LISTENING = {"event": "listening", "port": 5557}
HERE = {"event": "workers", "here": 0, "expected": 1}
STARTED = {"event": "started"}
REPORT = {"event": "report", "rows": [ROW], "dropped": 2}
ENDED = {"event": "ended", "lost": 0}


class Children:
    """Stands for the processes: the master says what the test scripts, the workers work or fail."""

    def __init__(self, *events: dict[str, Any] | Callable[[], None], failing: tuple[str, ...] = ()) -> None:
        self.events = events
        self.failing = failing
        self.orders: list[tuple[str, dict[str, Any]]] = []
        self.open: list[str] = []

    def __call__(self, role: str, order: dict[str, Any]) -> "Child":
        self.orders.append((role, order))
        self.open.append(role)
        return Child(self, role)


class Child:
    def __init__(self, children: Children, role: str) -> None:
        self._children, self._role = children, role

    @property
    def failed(self) -> bool:
        return self._role in self._children.failing

    def events(self) -> Iterator[dict[str, Any]]:
        for event in self._children.events:
            if isinstance(event, dict):
                yield event
            else:
                event()

    def stop(self) -> None:
        pass

    def wait(self) -> None:
        pass

    def last_words(self) -> str:
        return f"{self._role} failed"

    def close(self) -> None:
        if self._role in self._children.open:
            self._children.open.remove(self._role)


class Drive:
    """One load of scripted children."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path, children: Children) -> None:
        monkeypatch.setattr(drive, "Process", children)
        self.children = children
        self.root = root
        self.said: list[str] = []
        self.measurements = Measurements(PLAN.duration)

    def __call__(self, workers: int = 2, address: Address | None = None, faults: Faults | None = None) -> Ending:
        ledger = Ledger(self.root, PLAN.run)
        driver = Driver(AWS, LOCAL, "http://api/", PLAN, self._report)
        try:
            return driver.drive(workers, address, ledger, self.measurements, faults)
        finally:
            ledger.close()
            assert self.children.open == []

    def _report(self, event: Step | Gauge) -> None:
        self.said.append(event.text)


def test_workers_are_started_followed_and_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    driven = Drive(monkeypatch, tmp_path, Children(LISTENING, HERE, STARTED, REPORT, REPORT, ENDED))
    assert driven() == Ending(interrupted=False, lost=0)
    assert [role for role, _ in driven.children.orders] == ["master", "worker", "worker"]
    worker = driven.children.orders[1][1]
    assert (worker["host"], worker["port"]) == ("127.0.0.1", 5557)
    assert "not-a-secret" not in json.dumps(driven.children.orders)
    assert (driven.measurements.sent, driven.measurements.dropped) == (2, 4)
    assert driven.said[:2] == ["0 of 1 workers are here", "Run 0123abcd: 1 requests/s for 1 s"]
    assert len(Ledger.of(tmp_path, PLAN.run).read_text().splitlines()) == 2


def test_a_master_for_other_machines_starts_no_worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    driven = Drive(monkeypatch, tmp_path, Children(LISTENING, STARTED, ENDED))
    driven(address=Address("10.0.0.5", 5557))
    ((role, order),) = driven.children.orders
    assert (role, order["host"], order["port"]) == ("master", "10.0.0.5", 5557)


def test_a_master_that_dies_under_load_is_a_loss(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert Drive(monkeypatch, tmp_path, Children(LISTENING, STARTED, REPORT))().lost == 1


@pytest.mark.parametrize(
    ("events", "failing", "said"),
    [
        ((LISTENING, HERE, HERE), ("worker",), "worker failed"),
        ((), ("master",), "master failed"),
        ((LISTENING, HERE, ENDED), (), "The 2 workers did not all come."),
    ],
)
def test_a_load_that_cannot_begin_says_why(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    events: tuple[dict[str, Any], ...],
    failing: tuple[str, ...],
    said: str,
) -> None:
    with pytest.raises(NotStarted) as caught:
        Drive(monkeypatch, tmp_path, Children(*events, failing=failing))()
    assert caught.value.message == said


def test_an_interrupt_before_the_load_is_no_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    children = Children(LISTENING, lambda: os.kill(os.getpid(), signal.SIGINT), HERE, ENDED)
    assert Drive(monkeypatch, tmp_path, children)() == Ending(interrupted=True, lost=0)


def test_those_who_join_a_master_elsewhere_say_which_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    children = Children(failing=("worker",))
    monkeypatch.setattr(drive, "Process", children)
    problems = drive.join(AWS, LOCAL, "http://api/", 2, Address("10.0.0.5", 5557))
    assert problems == ["worker failed", "worker failed"]
    assert children.open == []


def test_those_who_join_can_be_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    children = Children()
    monkeypatch.setattr(drive, "Process", children)
    stopped: list[bool] = []
    monkeypatch.setattr(Child, "wait", lambda _self: None if stopped else os.kill(os.getpid(), signal.SIGINT))
    monkeypatch.setattr(Child, "stop", lambda _self: stopped.append(True))
    assert drive.join(AWS, LOCAL, "http://api/", 2, Address("10.0.0.5", 5557)) == []
    assert len(stopped) == 2


def test_faults_come_for_the_middle_of_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[list[Any]] = []

    def control(request: Request) -> Reply:
        asked.append(json.loads(request.body))
        return Reply(200, {})

    with serving(control) as url:
        made = Faults(url.rstrip("/"), 100)
        for second in (0, 24, 25, 50, 74.9, 75, 99):
            made.at(second)
        assert [bool(rules) for rules in asked] == [True, False]
        Drive(monkeypatch, tmp_path, Children(LISTENING, STARTED, REPORT, ENDED))(faults=made)
    assert asked[-1] == []


def test_a_proxy_that_does_not_start_is_an_error_that_the_keeper_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_proxy = f"exec {sys.executable} -c \"import sys; sys.executable = '/bin/false'; $2\""
    monkeypatch.setattr("sys.executable", program(tmp_path / "python", without_proxy))
    with (
        pytest.raises(PaycliError, match="The proxy that makes faults did not start"),
        injected(AWS, LOCAL, outputs("http://127.0.0.1:9/"), 1),
    ):
        pytest.fail("there is no proxy")


def test_a_proxy_that_hears_nothing_is_ended_by_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", program(tmp_path / "deaf", "exec sleep 600"))
    monkeypatch.setattr(proxy, "_START_SECONDS", 0.1)
    monkeypatch.setattr(proxy, "_PARTING", 0.1)
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a child inherits that
    try:
        deaf = Proxy("http://127.0.0.1:9")
    finally:
        signal.signal(signal.SIGTERM, before)
    with pytest.raises(PaycliError, match="did not start"):
        deaf.await_answer()
    deaf.end()
    assert deaf._process.returncode == -signal.SIGKILL


def test_a_child_ends_where_paycli_is_gone_before_its_order() -> None:
    command = [sys.executable, "-c", "from paycli.operations.load.keeper import main; main()"]
    assert subprocess.run(command, stdin=subprocess.DEVNULL, timeout=60).returncode == 0


# What the command refuses before it sends anything.


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--mix", "old=1"], 2, "no part of a mix"),
        (["--master", "here"], 2, "no HOST:PORT"),
        (["--worker", "here:0"], 2, "no HOST:PORT"),
        (["--worker", "here:70000"], 2, "no HOST:PORT"),
        (["--worker", "a:1", "--master", "a:1"], 2, "Give one of the two"),
        (["--clean-up", "everything"], 2, "no run"),
        (["--rate", "0"], 2, "--rate"),
        (["--env", "prod"], 2, "--allow-prod"),
        (["--env", "prod", "--allow-prod"], 2, "--confirm prod"),
        (["--env", "prod", "--allow-prod", "--confirm", "dev"], 2, "--confirm says 'dev'"),
        (["--env", "prod", "--confirm", "prod"], 2, "--allow-prod"),
        (["--env", "dev", "--faults"], 2, "embedded AWS alone"),
        (["--env", "local"], 1, "paycli deploy --env local"),
    ],
)
def test_what_may_not_be_is_refused_before_anything_is_sent(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, words: str
) -> None:
    assert cli.run(["load-test", *arguments]) == status
    assert words in capsys.readouterr().err
    assert not (project / ".paycli").exists()


def test_without_locust_it_says_how_to_get_it(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert cli.run(["load-test", "--env", "local"]) == 3
    assert "pip install 'paycli[load]'" in capsys.readouterr().err


PROD = Environment(name="prod", retain_data=True)


@pytest.mark.parametrize("typed", ["prod", "yes"])
def test_at_a_terminal_the_name_is_asked_for(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setattr("paycli.console.can_ask", lambda: True)
    monkeypatch.setattr("sys.stdin.readline", lambda: f"{typed}\n", raising=False)
    if typed == "prod":
        load_test._confirm(PROD, allowed=True, named=None)
    else:
        with pytest.raises(PaycliError, match="Not confirmed"):
            load_test._confirm(PROD, allowed=True, named=None)


def test_prod_told_twice_is_allowed_and_other_environments_need_nothing() -> None:
    load_test._confirm(PROD, allowed=True, named="prod")
    load_test._confirm(LOCAL, allowed=False, named=None)
    with pytest.raises(UsageError):
        load_test._confirm(PROD, allowed=False, named="prod")


@pytest.mark.parametrize(("rate", "warned"), [(1000, False), (1001, True)])
def test_a_rate_above_the_throttle_is_warned_of(capsys: pytest.CaptureFixture[str], rate: float, warned: bool) -> None:
    load_test._warn(LOCAL, rate)
    assert ("get 429" in capsys.readouterr().err) is warned
