"""`paycli call`: what the command line asks for, what is sent, and what is said of the answer."""

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paycli import console
from paycli.aws import Aws
from paycli.cli import run
from paycli.commands.call import Request, again, confirm, keyed, prepared, result, send
from paycli.deployment.stacks import Stack
from paycli.environment import Environment
from paycli.errors import DetachedError, ExitStatus, PaycliError, UsageError
from tests.unit.smoke.smoke_stack import Reply, serving
from tests.unit.smoke.smoke_stack import Request as Received

SESSION = boto3.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="not-a-secret")
AWS = Aws(SESSION, "us-east-1", "http://127.0.0.1:9")
VALIDATE = Request("POST", "/validate", b"{}", {})
STACK = Stack("payment-api-dev", "id", "CREATE_COMPLETE", {}, {}, False, {})


def asked(method: str = "GET", path: str = "/health", data: str | None = None, **more: Any) -> Request:
    return prepared(method, path, data, more.get("key"), more.get("headers", ()))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["GET", "health"], "begins with /"),
        (["GET", "/he alth"], "begins with /"),
        (["GET", "/health\nHost: x"], "begins with /"),
        (["FETCH", "/health"], "FETCH"),
        (["POST", "/validate", "--data", '{"amount": 1'], "--data is no JSON: Expecting"),
        (["POST", "/validate", "--data", ""], "--data is no JSON"),
        (["POST", "/validate", "--data", "[" * 100_000], "--data is no JSON"),
        (["POST", "/validate", "--data", "@nowhere.json"], "--data can't be read"),
        (["GET", "/health", "--header", "Accept"], "NAME:VALUE"),
        (["GET", "/health", "--header", "Acc ept: x"], "NAME:VALUE"),
        (["GET", "/health", "--header", "Accept: x\r\nHost: y"], "NAME:VALUE"),
        (["POST", "/validate", "--idempotency-key", "a\nb"], "NAME:VALUE"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_happens(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(["call", *arguments, "--env", "local"]) == 2
    assert words in capsys.readouterr().err
    assert not (project / ".paycli").exists()


@given(st.text())
def test_a_header_never_brings_another_one(line: str) -> None:
    try:
        request = asked(headers=(line,))
    except UsageError:
        return
    ((name, value),) = request.headers.items()
    assert re.fullmatch(r"[!-~]+", name)
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value)


def test_the_body_is_sent_to_the_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"amount" : 1.00, "note":"\u00e9"}'
    assert asked(data=text).body == text.encode()
    (tmp_path / "body").write_bytes(b"\xff no JSON")
    assert asked(data=f"@{tmp_path / 'body'}").body == b"\xff no JSON"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\x00piped")))
    assert asked(data="-").body == b"\x00piped"
    assert asked().body is None
    # What the shell gave in bytes that are no UTF-8 arrives as it was.
    assert asked(data='"\udcff"').body == b'"\xff"'


def test_headers_reach_the_api_once_and_the_option_for_the_key_wins() -> None:
    received: list[Received] = []
    request = asked(
        "POST",
        "/validate?a=b",
        "{}",
        key="order-1",
        headers=("content-type: text/plain", "x-trace:  a:b ", "IDEMPOTENCY-KEY: other"),
    )

    def answer(received_one: Received) -> Reply:
        received.append(received_one)
        return Reply(200, {})

    with serving(answer) as endpoint:
        send(AWS, endpoint, request, signed=True)
    (sent,) = received
    assert (sent.method, sent.path, sent.body, sent.signed) == ("POST", "/validate?a=b", b"{}", True)
    assert sent.headers["content-type"] == "text/plain"
    assert sent.headers["x-trace"] == "a:b"
    assert sent.headers["idempotency-key"] == "order-1"


def test_a_new_payment_gets_a_key_that_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = keyed(VALIDATE), keyed(replace(VALIDATE, path="/validate?x=1"))
    keys = [request.headers["Idempotency-Key"] for request in (first, second)]
    assert keys[0] != keys[1]
    shown = capsys.readouterr()
    assert shown.out == ""
    assert all(f"Idempotency-Key: {key}" in shown.err for key in keys)
    assert "--idempotency-key" in shown.err


@pytest.mark.parametrize(
    "request_", [asked("POST", "/validate", key="k"), asked("POST", "/process"), asked("GET", "/validate")]
)
def test_no_other_request_gets_one(request_: Request, capsys: pytest.CaptureFixture[str]) -> None:
    assert keyed(request_) == request_
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("kept", "protected", "method", "asks"),
    [
        (True, False, "POST", True),
        (True, False, "DELETE", True),
        (False, True, "POST", True),
        (True, True, "GET", False),
        (False, False, "POST", False),
    ],
)
def test_what_moves_money_is_confirmed(kept: bool, protected: bool, method: str, asks: bool) -> None:
    environment = Environment(name="dev", retain_data=kept)
    request = replace(VALIDATE, method=method)
    stack = replace(STACK, termination_protection=protected)
    confirm(request, environment, stack, "account 1", yes=True)
    if asks:
        with pytest.raises(UsageError, match="no terminal") as caught:
            confirm(request, environment, stack, "account 1", yes=False)
        assert "--yes" in caught.value.hint
    else:
        confirm(request, environment, stack, "account 1", yes=False)


@pytest.mark.parametrize("typed", ["dev\n", "y\n"])
def test_the_environments_name_confirms_and_nothing_less(
    typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "can_ask", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    environment = Environment(name="dev", retain_data=True)
    if typed == "dev\n":
        confirm(VALIDATE, environment, STACK, "account 1", yes=False)
    else:
        with pytest.raises(PaycliError, match="Not confirmed"):
            confirm(VALIDATE, environment, STACK, "account 1", yes=False)
    assert "POST /validate on payment-api-dev in account 1?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("request_", "hint"),
    [
        (asked("POST", "/validate", key="a b"), "--idempotency-key 'a b'"),
        (asked("POST", "/process"), "a payment is processed once"),
        (asked("POST", "/other"), "Look at what is stored"),
    ],
)
def test_a_lost_answer_says_what_a_retry_would_do(request_: Request, hint: str) -> None:
    with (
        serving(lambda _: Reply(200, {}, hang_up=True)) as endpoint,
        pytest.raises(PaycliError, match="took effect is unknown") as caught,
    ):
        send(AWS, endpoint, request_, signed=False)
    assert hint in caught.value.hint
    assert caught.value.code == "unreachable"


def test_a_lost_answer_of_what_changes_nothing_is_no_riddle() -> None:
    with serving(lambda _: Reply(200, {}, hang_up=True)) as endpoint, pytest.raises(PaycliError) as caught:
        send(AWS, endpoint, asked(), signed=False)
    assert "unknown" not in caught.value.message


def test_an_interrupt_while_waiting_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("paycli.api_client.ApiClient.call", interrupted)
    with pytest.raises(DetachedError, match="POST /validate took effect is unknown") as caught:
        send(AWS, "http://127.0.0.1:9/", asked("POST", "/validate", key="k"), signed=False)
    assert "--idempotency-key k" in caught.value.hint


def answered(reply: Reply, *, pretty: bool, request: Request = VALIDATE) -> console.Result:
    with serving(lambda _: reply) as endpoint:
        answer = send(AWS, endpoint, request, signed=False)
    return result(request, answer, pretty=pretty)


def test_the_body_is_indented_for_people_and_untouched_for_programs() -> None:
    reply = Reply(200, None, raw=b'{"a":"\x7f\xc3\xa9"}')
    assert answered(reply, pretty=False).text == '{"a":"\x7f\u00e9"}'
    assert answered(reply, pretty=True).text == '{\n  "a": "\N{REPLACEMENT CHARACTER}\u00e9"\n}\n'
    page = Reply(200, None, raw=b"<b>\x1b[2J")
    assert answered(page, pretty=False).text == "<b>\x1b[2J"
    assert answered(page, pretty=True).text == "<b>\N{REPLACEMENT CHARACTER}[2J\n"
    assert answered(Reply(204, None, raw=b""), pretty=True).text == ""
    deep = b"[" * 100_000
    assert answered(Reply(200, None, raw=deep + b"]" * 100_000), pretty=True).text.startswith("[[[")


def test_programs_get_status_headers_and_the_parsed_body() -> None:
    request = replace(VALIDATE, headers={"Idempotency-Key": "k"})
    found = answered(Reply(200, {"a": 1}, headers={"X-Said": "y"}), pretty=False, request=request)
    assert found.status is ExitStatus.DONE
    assert (found.data["status"], found.data["body"], found.data["idempotency_key"]) == (200, {"a": 1}, "k")
    assert found.data["headers"]["x-said"] == "y"
    assert json.dumps(found.data)


@pytest.mark.parametrize(
    ("status", "words", "hint"),
    [
        (302, "POST /process was answered 302 Found.", ""),
        (409, "POST /process was answered 409 Conflict.", ""),
        (503, "POST /process was answered 503 Service Unavailable.", "a payment is processed once"),
        (599, "POST /process was answered 599.", "a payment is processed once"),
    ],
)
def test_an_answer_that_is_not_2xx_is_a_failure(status: int, words: str, hint: str) -> None:
    found = answered(Reply(status, {"code": "x"}), pretty=False, request=asked("POST", "/process"))
    assert found.status is ExitStatus.FAILED
    assert found.text == '{"code": "x"}'
    (error,) = found.errors
    assert error.message == words
    assert hint in error.hint
    assert bool(hint) == bool(error.hint)


def test_a_read_can_always_be_repeated() -> None:
    assert "changes nothing" in again(asked())
