"""How results and progress look."""

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from paycli import console
from paycli.display import activity, live_display, plain_lines
from paycli.errors import ExitStatus, PaycliError, UsageError
from paycli.progress import ResourceEvent, Step
from paycli.tables import plain_table
from paycli.text import one_line, printable


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def event(status: str, logical_id: str = "Table", reason: str = "", done: int = 0) -> ResourceEvent:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return ResourceEvent("payment-api-dev", logical_id, "AWS::DynamoDB::Table", status, reason, at, done, 6)


def plain() -> Console:
    return Console(file=io.StringIO(), width=1000, markup=False, highlight=False)


def written(shown: Console) -> str:
    assert isinstance(shown.file, io.StringIO)
    return shown.file.getvalue()


@given(st.text())
def test_what_is_printable_steers_no_terminal(text: str) -> None:
    shown = printable(text)
    assert all(letter.isprintable() or letter == "\n" for letter in shown)
    assert len(shown) == len(text)


@given(st.text())
def test_one_line_stays_one(text: str) -> None:
    shown = one_line(text)
    assert shown.isprintable()
    assert shown.split() == printable(text).split()


def test_lines_and_tables_as_text_have_no_trailing_blanks() -> None:
    table = plain_table("Name", "Value")
    table.add_row("a", "")
    assert console.plain(["first", table]) == "first\nName  Value\na\n"


def test_plain_lines_are_one_an_event() -> None:
    shown = plain()
    report = plain_lines(shown)
    report(Step("Uploaded"))
    report(event("CREATE_FAILED", reason="exists\x1b[2J", done=1))
    first, second = written(shown).splitlines()
    assert first == "Uploaded"
    assert second.split()[:5] == ["03:04:05", "1/6", "CREATE_FAILED", "AWS::DynamoDB::Table", "Table"]
    assert "exists" in second
    assert "\x1b" not in second


def test_a_terminal_shows_what_is_worked_on_and_keeps_failures() -> None:
    shown = Console(file=Terminal(), force_terminal=True, width=160, color_system=None)
    with live_display(shown) as report:
        report(Step("Uploaded"))
        for number in range(5):
            report(event("CREATE_IN_PROGRESS", f"R{number}"))
        report(event("CREATE_COMPLETE", "R0", done=1))
        report(event("CREATE_FAILED", "R1", reason="exists", done=2))
    text = written(shown)
    assert "Uploaded" in text
    assert "CREATE_FAILED" in text
    assert "R2, R3, R4" in text


def test_a_result_goes_to_standard_output_and_its_errors_to_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    failed = console.Result(
        {},
        text="raw\n",
        shown=["shown"],
        status=ExitStatus.FAILED,
        errors=(PaycliError("bad", hint="mend"), PaycliError("worse")),
    )
    assert console.finish(failed, command="x", environment="dev", as_json=False) == 1
    shown = capsys.readouterr()
    assert shown.out == "raw\nshown\n"
    assert shown.err == "Error: bad\nHint:  mend\nError: worse\n"


def terminal(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", Terminal())


@pytest.mark.parametrize(("answer", "typed"), [("y\n", False), ("YES\n", False), ("prod\n", True)])
def test_a_confirmation_that_is_given_passes(monkeypatch: pytest.MonkeyPatch, answer: str, typed: bool) -> None:
    terminal(monkeypatch, answer)
    console.require_answer(yes=False)
    console.confirm("Delete it", "prod", typed=typed, yes=False)


@pytest.mark.parametrize(("answer", "typed"), [("\n", False), ("n\n", False), ("", False), ("y\n", True), ("", True)])
def test_any_other_answer_changes_nothing(monkeypatch: pytest.MonkeyPatch, answer: str, typed: bool) -> None:
    terminal(monkeypatch, answer)
    with pytest.raises(PaycliError, match="nothing was changed"):
        console.confirm("Delete it", "prod", typed=typed, yes=False)


def test_without_a_terminal_a_question_needs_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(UsageError) as caught:
        console.require_answer(yes=False)
    assert "--yes" in caught.value.hint
    console.require_answer(yes=True)
    console.confirm("Delete it", "prod", typed=True, yes=True)


def test_progress_fits_where_it_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with activity() as report:
        report(Step("plain"))
    assert capsys.readouterr().err == "plain\n"
    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    with activity() as report:
        report(Step("live"))
    assert "live" in shown.getvalue()
