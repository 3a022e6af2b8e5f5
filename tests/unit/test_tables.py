"""How results read."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from paycli import console
from paycli.commands.teardown import _result
from paycli.deployment.changeset import ChangeSet, changes
from paycli.deployment.stacks import Stack
from paycli.deployment.teardown import Leftover, Resource, TeardownPlan
from paycli.smoke import CheckResult
from paycli.table import Table
from paycli.text import differing
from paycli.views import checks, deploys


def test_a_check_says_what_it_found_or_missed() -> None:
    assert checks.check_line(CheckResult("topic", "The topic exists", True, 0.5)).plain.endswith("The topic exists")
    failed = CheckResult("topic", "The topic exists", False, 0.5, expected="a topic", found="none\x1b[2J")
    assert checks.check_line(failed).plain.endswith("(expected a topic; found none\N{REPLACEMENT CHARACTER}[2J)")


KEY_STAYS = "AWS keeps a deleted KMS key for 7 days."
BACKUP_STAYS = "AWS keeps a deleted table's system backup for 35 days."


@pytest.mark.parametrize(
    ("types", "on_aws", "kept"),
    [
        (("AWS::KMS::Key", "AWS::DynamoDB::Table"), True, [KEY_STAYS, BACKUP_STAYS]),
        (("AWS::KMS::Key",), True, [KEY_STAYS]),
        (("AWS::DynamoDB::Table",), True, [BACKUP_STAYS]),
        (("AWS::SNS::Topic",), True, []),
        (("AWS::KMS::Key", "AWS::DynamoDB::Table"), False, []),
    ],
)
def test_a_teardown_says_what_aws_keeps_for_a_while_of_what_goes(
    types: tuple[str, ...], kept: list[str], *, on_aws: bool
) -> None:
    goes = tuple(Resource("Thing", "thing-dev", kind) for kind in types)
    stack = Stack("payment-api-dev", "id", "CREATE_COMPLETE", {}, {}, False, {})
    left = [Leftover(Resource("Table", "t", "AWS::DynamoDB::Table"), "aws dynamodb …")]
    said = [str(part) for part in _result(TeardownPlan(stack, goes, ()), left, {}, on_aws=on_aws).shown]
    assert said[0] == f"payment-api-dev is deleted: {len(goes)} resources gone, 1 left."
    assert "remove it with: aws dynamodb …" in said[2]
    assert said[3:] == kept


LONG = json.dumps({"Statement": [{"Action": f"sqs:Action{number}"} for number in range(20)]})


def test_of_long_values_the_difference_is_shown_wherever_it_is() -> None:
    before, after = differing(LONG, LONG.replace("Action17", "*"))
    assert before == '…"}, {"Action": "sqs:Action17"}, {"Action": "sqs:…'
    assert after == '…"}, {"Action": "sqs:*"}, {"Action": "sqs:…'
    assert differing(LONG, f"{LONG}x") == (f"…{LONG[-20:]}", f"…{LONG[-20:]}x")
    assert differing("1", "50") == ("1", "50")
    assert differing("", "y" * 300) == ("", f"{'y' * 200}…")


@given(st.text("ab", max_size=400), st.text("ab", max_size=400))
def test_values_that_differ_look_different_and_are_parts_of_themselves(before: str, after: str) -> None:
    shown = differing(before, after)
    assert (shown[0] == shown[1]) == (before == after)
    assert all(len(text) <= 202 for text in shown)
    assert all(text.strip("…") in whole for text, whole in zip(shown, (before, after), strict=True))


def test_a_change_set_shows_where_a_policy_differs_and_keeps_all_for_programs() -> None:
    target = {"Path": "/Properties/PolicyDocument", "BeforeValue": LONG, "AfterValue": LONG.replace("Action17", "*")}
    entry = {
        "Action": "Modify",
        "LogicalResourceId": "Role",
        "ResourceType": "AWS::IAM::Role",
        "Details": [{"Target": target}],
    }
    (change,) = changes({"Changes": [{"ResourceChange": entry}]})
    assert change.causes[0].after == target["AfterValue"]
    table = deploys.changes(ChangeSet("", "", "payment-api-dev", creates=False, changes=(change,)), "here")
    assert 'sqs:Action17"}' in console.plain([table])
    assert '{"Action": "sqs:*"}' in console.plain([table])


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("arn:aws:kms:x:1:key/1", "arn:aws:kms:x:1:key/1", "Value (may change)"),
        ("old", "{{changeSet:KNOWN_AFTER_APPLY}}", "Value: old -> known only then"),
        ("", "{{changeSet:KNOWN_AFTER_APPLY}}", "Value: nothing -> known only then"),
        ('{\n  "a": 1\n}', '{\n  "a": 2\n}', 'Value: { "a": 1 } -> { "a": 2 }'),
    ],
)
def test_a_change_of_a_value_stands_in_one_line(before: str, after: str, shown: str) -> None:
    target = {"Path": "/Properties/Value", "BeforeValue": before, "AfterValue": after}
    entry = {"Action": "Modify", "LogicalResourceId": "R", "ResourceType": "X", "Details": [{"Target": target}]}
    found = changes({"Changes": [{"ResourceChange": entry}]})
    table = deploys.changes(ChangeSet("", "", "payment-api-dev", creates=False, changes=found), "here")
    assert console.plain([table]).splitlines()[-1].endswith(f"  {shown}")


def at_width(width: int, rows: list[list[str]], headers: list[str], title: str | None = None) -> list[str]:
    """The lines of a table on a terminal of that width."""
    table = Table(headers, title=title)
    for row in rows:
        table.add_row(*row[:-1], (row[-1], ""))
    written = io.StringIO()
    Console(file=written, width=width, force_terminal=True, no_color=True, highlight=False).print(table)
    return [Text.from_ansi(line).plain.rstrip() for line in written.getvalue().splitlines()]


IDS = ["8f507e5a-0c2b-4c55-9d43-6a1f3b0e8f11", "txn_5d1c9a43b1f14a0e8b6e2f9a7c3d4e5f"]


def test_a_wide_terminal_shows_a_row_in_a_line() -> None:
    shown = at_width(120, [["2 h", *IDS]], ["Age", "Request id", "Payment"])
    assert shown == [f"Age  {'Request id':<36}  Payment", f"2 h  {IDS[0]}  {IDS[1]}"]


def test_a_narrow_one_shows_the_last_columns_below_each_row_and_breaks_no_id() -> None:
    rows = [["2 h", *IDS], ["3 d", IDS[1], ""]]
    assert at_width(60, rows, ["Age", "Request id", "Payment"], "Failures") == [
        "Failures",
        "Age  Request id",
        f"2 h  {IDS[0]}",
        f"    Payment  {IDS[1]}",
        f"3 d  {IDS[1]}",
    ]


def test_where_it_is_tight_sentences_are_wrapped_and_no_id_is() -> None:
    shown = at_width(60, [[IDS[0], "a sentence of some words that is longer than the rest"]], ["Id", "Said"])
    assert shown[1] == f"{IDS[0]}  a sentence of some"
    assert len(shown) == 4


@pytest.mark.parametrize("width", [20, 40])
def test_no_width_is_too_narrow(width: int) -> None:
    shown = "".join("".join(at_width(width, [["2 h", *IDS]], ["Age", "Request id", "Payment"])).split())
    assert shown == f"Age2hRequestid{IDS[0]}Payment{IDS[1]}"


@given(
    st.lists(st.lists(st.text("abc-_", min_size=1, max_size=30), min_size=3, max_size=3), min_size=1, max_size=4),
    st.integers(50, 130),
)
def test_no_word_is_ever_broken_where_it_has_room_for_itself(rows: list[list[str]], width: int) -> None:
    shown = at_width(width, rows, ["One", "Two", "Three"])
    assert all(len(line) <= width for line in shown)
    words = [word for line in shown for word in line.split()]
    assert all(cell in words for row in rows for cell in row)
