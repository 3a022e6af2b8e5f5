"""How results and progress look."""

import io
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from paycli import console
from paycli.display import Board, activity, live_display, plain_lines
from paycli.errors import ExitStatus, PaycliError, UsageError
from paycli.progress import ResourceEvent, Step
from paycli.table import Table
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
    table = Table(("Name", "Value"))
    table.add_row("a", "")
    assert console.plain(["first", table]) == "first\nName  Value\na\n"


def test_a_table_off_a_terminal_cuts_and_breaks_nothing() -> None:
    table = Table(("Name", "Value", "Of"), title="Some")
    table.add_row("支払い", ("two\nlines", "red"), "a")  # three wide letters take six columns
    table.add_row("b", "x" * 2000, "c", style="green")
    long = "x" * 2000
    assert console.plain([table]).splitlines() == [
        "Some",
        f"Name    Value{' ' * 1995}  Of",
        f"支払い  two{' ' * 1997}  a",
        "        lines",
        f"b       {long}  c",
    ]


@given(st.lists(st.lists(st.text("ab\n支", max_size=9).map(str.strip), min_size=2, max_size=2), max_size=5))
def test_a_table_reads_the_same_off_a_terminal_as_on_a_wide_one(rows: list[list[str]]) -> None:
    table = Table(("Name", "Value"), title="Some")
    for row in rows:
        table.add_row(*row)
    on_one = io.StringIO()
    Console(file=on_one, width=200, force_terminal=True, color_system=None).print(table)
    assert console.plain([table]).splitlines() == [line.rstrip() for line in on_one.getvalue().splitlines()]


def on_terminal(line: str | Text, width: int) -> list[str]:
    """The lines that a terminal of that width gets."""
    written = io.StringIO()
    console.show(Console(file=written, width=width, force_terminal=True, color_system=None, highlight=False), line)
    return written.getvalue().splitlines()


def test_a_long_line_is_parted_between_words_and_goes_on_below_its_beginning() -> None:
    line = Text.assemble("Alarms         ", ("missing: api-5xx-dev, api-latency-dev", "red"))
    assert on_terminal(line, 40) == ["Alarms         missing: api-5xx-dev,", f"{'':15}api-latency-dev"]
    assert on_terminal("Wait until it is done,\nthen run it again.", 12) == [
        *("Wait until", "it is done,", "then run it", "again.")
    ]


def test_a_word_that_is_too_long_stays_whole_and_breaks_no_other_line() -> None:
    url = "http://127.0.0.1:43871/restapis/01263bcb/v1/_user_request_/"
    assert on_terminal(f"Endpoint       {url} answers", 60) == [f"Endpoint       {url}", f"{'':15}answers"]
    line = f"Error: Nothing is there any more, look at {url * 2} for the rest of what there is to say of the stack."
    assert on_terminal(line, 80) == [
        "Error: Nothing is there any more, look at",
        url * 2,
        "for the rest of what there is to say of the stack.",
    ]
    assert on_terminal(f"{'x' * 30}  said {'y' * 9} at once", 40) == [f"{'x' * 30}  said", f"{'y' * 9} at once"]


@given(st.lists(st.text("ab-", min_size=1, max_size=20), min_size=1, max_size=30), st.integers(40, 100))
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(words: list[str], width: int) -> None:
    shown = on_terminal(f"Label  {' '.join(words)}", width)
    assert " ".join(" ".join(shown).split()) == f"Label {' '.join(words)}"
    assert all(len(line) <= width for line in shown)
    assert all(line.startswith(" " * 7) for line in shown[1:])


@given(st.lists(st.text("ab-", min_size=1, max_size=90), min_size=1, max_size=30), st.integers(20, 60))
def test_a_line_is_too_wide_for_the_terminal_by_one_word_at_most(words: list[str], width: int) -> None:
    shown = on_terminal(f"Label  {' '.join(words)}", width)
    assert " ".join(" ".join(shown).split()) == f"Label {' '.join(words)}"
    assert all(len(line) <= width or " " not in line[7:] for line in shown)


def test_lines_off_a_terminal_need_no_rich() -> None:
    script = (
        "import sys; from paycli import console, display\n"
        "from paycli.progress import Step; from paycli.views import deploys; from paycli.table import Table\n"
        "console.note('a note')\n"
        "with display.activity() as report: report(Step('a step'))\n"
        "shown = [*deploys.outputs({'Key': 'value'}), Table(('A', 'table'))]\n"
        "console.finish(console.Result({}, shown=shown), command='x', environment='dev', as_json=False)\n"
        "print('rich' in sys.modules)\n"
    )
    variables = {name: value for name, value in os.environ.items() if name not in {"FORCE_COLOR", "TTY_COMPATIBLE"}}
    done = subprocess.run([sys.executable, "-c", script], env=variables, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == ["a note", "a step"]
    assert done.stdout.splitlines() == ["Key  value", "A  table", "False"]


@pytest.mark.parametrize(
    ("stream", "variable", "value", "taken_for_one"),
    [
        (io.StringIO(), "FORCE_COLOR", "1", True),
        (io.StringIO(), "TTY_COMPATIBLE", "0", False),
        (io.StringIO(), "OTHER", "", False),
        (Terminal(), "OTHER", "", True),
        (Terminal(), "TTY_COMPATIBLE", "0", False),
    ],
)
def test_the_environment_says_what_is_taken_for_a_terminal(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, variable: str, value: str, *, taken_for_one: bool
) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    assert console.is_terminal(stream) is taken_for_one


def test_plain_lines_are_one_an_event() -> None:
    said: list[str] = []
    report = plain_lines(said.append)
    report(Step("Uploaded"))
    report(event("CREATE_FAILED", reason="exists\x1b[2J", done=1))
    report(event("CREATE_COMPLETE", done=2))
    first, stack, second, third = said
    assert (first, stack) == ("Uploaded", "Stack payment-api-dev")
    assert third.split()[1:3] == ["2/6", "CREATE_COMPLETE"]
    assert second.split()[:5] == ["03:04:05", "1/6", "CREATE_FAILED", "AWS::DynamoDB::Table", "Table"]
    assert "exists" in second
    assert "\x1b" not in second


def test_the_columns_of_plain_lines_hold_the_longest_status() -> None:
    said: list[str] = []
    report = plain_lines(said.append)
    for status in (
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_FAILED",
    ):
        report(event(status))
    assert len({line.index("AWS::DynamoDB::Table") for line in said[1:]}) == 1


def test_a_reason_that_every_resource_has_is_left_out() -> None:
    said: list[str] = []
    reason = "Resource operation completed using Express Mode. It may continue becoming available in the background."
    plain_lines(said.append)(event("CREATE_COMPLETE", reason=reason))
    assert said[-1].endswith(" Table")


def of_stack(status: str, stack: str = "payment-api-dev", done: int = 0) -> ResourceEvent:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return ResourceEvent(stack, stack, "AWS::CloudFormation::Stack", status, "", at, done, 6)


def test_a_terminal_shows_what_is_worked_on_and_keeps_failures() -> None:
    shown = Console(file=Terminal(), force_terminal=True, width=160, color_system=None)
    with live_display(shown) as report:
        report(Step("Uploaded"))
        for number in range(5):
            report(event("CREATE_IN_PROGRESS", f"R{number}"))
        report(event("CREATE_FAILED", "R1", reason="exists", done=2))
        report(of_stack("ROLLBACK_COMPLETE", done=6))
    text = written(shown)
    assert "Uploaded" in text
    assert "CREATE_FAILED" in text
    assert "payment-api-dev: ROLLBACK_COMPLETE in 0 s" in text


def test_between_two_operations_nothing_is_drawn_over_a_question() -> None:
    shown = Console(file=Terminal(), force_terminal=True, width=160, color_system=None)
    with live_display(shown) as report:
        report(Step("It got stuck."))
        before = written(shown)
        time.sleep(0.3)  # two drawings
        assert written(shown) == before == "It got stuck.\n"
        report(event("UPDATE_IN_PROGRESS"))
        report(of_stack("UPDATE_COMPLETE"))
        before = written(shown)
        time.sleep(0.3)
        assert written(shown) == before
        report(event("UPDATE_COMPLETE"))  # it comes late
        time.sleep(0.3)
        assert written(shown) == before
        report(of_stack("UPDATE_IN_PROGRESS"))
        assert written(shown) != before


class Interrupted(Console):
    def push_render_hook(self, hook: object) -> None:
        raise KeyboardInterrupt


def test_an_interrupt_while_the_board_appears_is_no_other_error() -> None:
    shown = Interrupted(file=Terminal(), force_terminal=True, width=160, color_system=None)
    with pytest.raises(KeyboardInterrupt), live_display(shown) as report:
        report(event("UPDATE_IN_PROGRESS"))
    assert written(shown).endswith("\x1b[?25h")


class Gone(Console):
    def clear_live(self) -> None:
        raise OSError(5, "Input/output error")


def test_a_terminal_that_is_gone_hides_no_other_error() -> None:
    shown = Gone(file=Terminal(), force_terminal=True, width=160, color_system=None)
    with pytest.raises(SystemExit), live_display(shown) as report:
        report(event("UPDATE_IN_PROGRESS"))
        sys.exit(130)


def board_at(width: int, *events: ResourceEvent) -> list[str]:
    """Return the lines of a board that got an event a second, as it is after as many seconds."""
    shown = Console(file=io.StringIO(), width=width, color_system=None)
    seconds = iter(range(1000))
    board = Board(lambda: next(seconds))
    for each in events:
        board.take(each)
    shown.print(board)
    return written(shown).splitlines()


def test_the_board_shows_each_resource_with_its_state_and_time_the_longest_first() -> None:
    begun = [event("CREATE_IN_PROGRESS", f"R{number}", done=1) for number in range(9)]
    again = event("UPDATE_IN_PROGRESS", "R0", done=2)
    lines = board_at(100, of_stack("CREATE_IN_PROGRESS"), *begun, event("CREATE_COMPLETE", "R1", done=2), again)
    assert "2/6" in lines[0]
    assert "payment-api-dev CREATE_IN_PROGRESS" in lines[0]
    assert lines[1].split()[1:] == ["s", "UPDATE_IN_PROGRESS", "R0", "AWS::DynamoDB::Table"]
    assert [line.split()[3] for line in lines[1:7]] == ["R0", "R2", "R3", "R4", "R5", "R6"]
    assert lines[7].strip() == "and 2 more"


@given(st.integers(20, 200))
def test_the_board_never_wraps(width: int) -> None:
    lines = board_at(width, of_stack("CREATE_IN_PROGRESS"), event("CREATE_IN_PROGRESS", "R" * 80))
    assert len(lines) == 2
    assert all(len(line) <= width for line in lines)


def test_another_stack_begins_a_board_of_its_own() -> None:
    events = [event("CREATE_IN_PROGRESS", "Old"), of_stack("CREATE_IN_PROGRESS", "paycli-bootstrap")]
    (line,) = board_at(100, *events)
    assert "paycli-bootstrap" in line
    assert board_at(100) == [""]


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


def test_an_error_gives_programs_its_data(capsys: pytest.CaptureFixture[str]) -> None:
    for error, data in ((PaycliError("bad", data={"stack": "x"}), {"stack": "x"}), (PaycliError("worse"), {})):
        console.show_error(error, error.status, command="deploy", environment="dev", as_json=True)
        document = json.loads(capsys.readouterr().out)
        assert document["data"] == data
        assert document["errors"] == [{"code": "failed", "message": error.message, "hint": ""}]


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
    with pytest.raises(PaycliError, match="not done"):
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
