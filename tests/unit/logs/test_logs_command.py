"""`paycli logs`, as a user runs it."""

import functools
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from paycli import console
from paycli.cli import run
from paycli.commands.common import Project
from paycli.operations.logs import follow
from paycli.operations.logs.follow import Following
from tests.unit.logs.log_world import GROUPS, Logs, request
from tests.unit.smoke.smoke_stack import Stack, aws_of

TXN = "txn_0123456789abcdef0123456789abcdef"


@pytest.fixture
def logs(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Logs]:
    """The logs of the environment `test`, which lives now."""
    written = Logs(now=int(time.time() * 1000))
    stack = Stack()
    stack.operations |= {
        "FilterLogEvents": written.answer,
        "GetCallerIdentity": lambda _: {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ann"},
    }
    aws = replace(aws_of(stack), endpoint_url=None)
    monkeypatch.setattr(Project, "connect_to_deployed", lambda _: aws)
    yield written


def test_all_sources_are_shown_a_line_each_by_time(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    request(logs, "validation", 1, TXN, logs.now - 2000)
    logs.write("processing", "two\nlines \x1b[2J and\ta tab", logs.now - 3000)
    logs.write("api", {"request_id": "x", "status": "403", "error_type": "ACCESS_DENIED", "trace_id": "-"}, logs.now)
    logs.write("api", "long ago", logs.now - 16 * 60_000)
    assert run(["logs", "--env", "test"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["processing", *["validation"] * 3, "api", "api"]
    assert lines[0].endswith("  processing      two lines \N{REPLACEMENT CHARACTER}[2J and a tab")
    assert f"request_id=lambda-request-1 api_request_id=gateway-request-1 transaction_id={TXN}" in lines[2]
    assert lines[-1].endswith("  api             request_id=x status=403 error_type=ACCESS_DENIED")
    assert lines[-1][10] == "T"


def test_errors_and_functions_narrow_it(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    logs.write("validation", {"outcome": "error", "status": 503})
    logs.write("validation", {"outcome": "validated", "status": 200})
    logs.write("api", {"status": "503"})
    assert run(["logs", "--env", "test", "--errors", "--function", "validation"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("outcome=error status=503")
    assert {params["logGroupName"] for params in logs.asked} == {GROUPS["validation"]}


def test_a_payment_is_found_a_day_back(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    request(logs, "validation", 1, TXN, logs.now - 23 * 3_600_000)
    request(logs, "processing", 2, TXN, logs.now - 1000)
    assert run(["logs", "--env", "test", "--transaction", TXN, "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    events = document["data"]["events"]
    assert [event["source"] for event in events] == ["validation"] * 3 + ["api"] + ["processing"] * 3 + ["api"]
    assert events[1]["message"]["transaction_id"] == TXN
    assert events[0]["message"].startswith("START RequestId: lambda-request-1")
    assert run(["logs", "--env", "test", "--request-id", "gateway-request-2"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert run(["logs", "--env", "test", "--transaction", TXN, "--since", "2h"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_nothing_and_missing_groups_are_said(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    del logs.groups[GROUPS["api"]]
    assert run(["logs", "--env", "test"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"There is no log group {GROUPS['api']}.\nNo such line.\n"
    logs.groups.clear()
    assert run(["logs", "--env", "test"]) == 1
    said = capsys.readouterr()
    assert "Error: There is no log group /aws/apigateway/payment-api-test/access, /aws/lambda/" in said.err
    assert "`paycli status`" in said.err


def test_what_the_embedded_aws_does_not_write_is_said(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    logs.groups["/aws/lambda/payment-validation-local"] = []
    assert run(["logs", "--env", "local", "--function", "api", "--function", "validation"]) == 0
    assert "The embedded AWS writes no access log.\n" in capsys.readouterr().err
    assert run(["logs", "--env", "local", "--function", "validation"]) == 0
    assert "access log" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--since", "15"],
        ["--since", "0m"],
        ["--since", "x"],
        ["--since", "2999-01-01T00:00:00Z"],
        ["--transaction", 'a" "b'],
        ["--request-id", "a"],
    ],
)
def test_a_slip_is_refused_before_anything_is_asked(
    logs: Logs, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(["logs", "--env", "test", *arguments]) == 2
    assert "is no " in capsys.readouterr().err
    assert logs.asked == []


class Tick:
    """Lets time pass while one follows, writes meanwhile, and interrupts in the end."""

    def __init__(self, logs: Logs, *writes: tuple[str, Any]) -> None:
        self.logs = logs
        self.writes = list(writes)

    def __call__(self, _: float) -> None:
        self.logs.now += 1000
        if not self.writes:
            raise KeyboardInterrupt
        source, message = self.writes.pop(0)
        self.logs.write(source, message)


def test_following_goes_on_until_ctrl_c_and_then_says_nothing(
    logs: Logs, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.write("api", "first", logs.now - 1000)
    tick = Tick(logs, ("validation", "second"), ("api", "[ERROR] third"))
    monkeypatch.setattr(follow, "Following", functools.partial(Following, sleep=tick))
    assert run(["logs", "--env", "test", "--follow", "--json"]) == 130
    said = capsys.readouterr()
    assert [json.loads(line)["message"] for line in said.out.splitlines()] == ["first", "second", "[ERROR] third"]
    assert said.err == ""

    monkeypatch.setattr(follow, "Following", functools.partial(Following, sleep=Tick(logs)))
    assert run(["logs", "--env", "test", "--follow", "--errors"]) == 130
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("  api             [ERROR] third")


def test_on_a_terminal_each_source_has_its_colour(
    logs: Logs, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    logs.write("validation", "START RequestId: x", logs.now - 1000)
    logs.write("processing", "[ERROR] boom", logs.now - 1000)
    logs.write("api", {"status": "200"}, logs.now - 1000)
    assert console.is_terminal(sys.stdout)
    assert run(["logs", "--env", "test"]) == 0
    once = capsys.readouterr().out
    assert "\x1b[36mvalidation    \x1b[0m  \x1b[2mSTART RequestId: x\x1b[0m" in once
    assert "\x1b[32mprocessing    \x1b[0m  \x1b[1;31m[ERROR] boom\x1b[0m" in once
    assert "\x1b[35mapi           \x1b[0m  status=200" in once
    monkeypatch.setattr(follow, "Following", functools.partial(Following, sleep=Tick(logs)))
    assert run(["logs", "--env", "test", "--follow"]) == 130
    assert capsys.readouterr().out == once
