"""`paycli failures`, as a user runs it against the queues in memory and an API over HTTP."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from paycli import console
from paycli.cli import run
from paycli.commands.common import Project
from tests.command_line import Ran
from tests.unit.failures.failure_world import DEAD, QUEUE, World, error, rejected
from tests.unit.smoke.smoke_stack import AwsError, serving


class Desk:
    """A project whose AWS is a world."""

    def __init__(self, world: World, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.world = world
        self.root = root
        self._capsys = capsys

    def run(self, *arguments: str) -> Ran:
        self._capsys.readouterr()
        status = run(["failures", *arguments, "--env", "test"])
        shown = self._capsys.readouterr()
        return Ran(status, shown.out, shown.err)

    def reports(self) -> list[dict[str, Any]]:
        paths = sorted((self.root / ".paycli" / "failures").glob("*.jsonl"))
        return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


@pytest.fixture
def world() -> World:
    return World(error(1), error(2, "process"), rejected(3))


@pytest.fixture
def desk(
    world: World, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    with serving(world.respond) as url:
        aws = replace(world.aws(), endpoint_url=url.rstrip("/"))
        monkeypatch.setattr(Project, "connect_to_deployed", lambda _: aws)
        yield Desk(world, project, capsys)


def test_list_shows_both_queues_by_kind_code_and_age_without_what_was_to_be_paid(desk: Desk) -> None:
    desk.world.put(DEAD, error(7, code="internal_error", retryable=False))
    desk.world.put(QUEUE, "steer \x1b[31m the terminal").hidden_until = 5
    ran = desk.run("list")
    assert ran.status == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0] == "failed-transactions-test: 3 waiting, 1 hidden"
    assert "Hidden is what somebody holds, or a run that was killed: " in ran.out
    assert "failed-transactions-dlq-test: 1 waiting" in lines
    assert [line.split()[:4] for line in lines[2:5]] == [
        ["1", "error", "temporarily_unavailable", "process"],
        ["1", "error", "temporarily_unavailable", "validate"],
        ["1", "rejected", "invalid_request", "validate"],
    ]
    assert "1 of 5" in ran.out
    assert "customer" not in ran.out
    (queue, dead) = desk.run("list", "--json", "--limit", "2").data["queues"]
    assert (queue["complete"], len(queue["messages"]), queue["waiting"], queue["dead_letters"]) == (False, 2, 3, False)
    assert queue["messages"][0]["replayable"]
    assert queue["groups"][0]["oldest"] == "2026-11-22T20:00:02.000+00:00"
    assert dead["messages"][0]["why_not"].startswith("it may fail again")
    assert "customer" not in json.dumps([queue, dead])


def test_list_says_what_it_did_not_look_at_and_what_is_empty(desk: Desk) -> None:
    ran = desk.run("list", "--limit", "1")
    assert "3 waiting; only 1 were looked at, --limit takes more" in ran.out
    desk.world.queues[QUEUE].clear()
    assert desk.run("list").out == "failed-transactions-test: empty\n\nfailed-transactions-dlq-test: empty\n"


def test_the_fourth_list_says_that_it_has_set_the_counts_back(desk: Desk) -> None:
    said = [desk.run("list").out for _ in range(4)]
    assert "put back" not in said[2]
    assert "3 had hardly a receive left of 5 and were put back as new messages" in said[3]


def test_the_counts_of_list_add_up_where_it_moves_what_others_have_used_up(desk: Desk) -> None:
    for held in desk.world.queues[QUEUE][:2]:
        held.receives = 5
    lines = desk.run("list").out.splitlines()
    assert lines[0] == "failed-transactions-test: 1 waiting"
    assert any(line.startswith("2 more had been counted and didn't come") for line in lines)
    assert "failed-transactions-dlq-test: 2 waiting" in lines
    assert (desk.run("list", "--json").data["queues"][0]["missing"]) == 0


def test_show_tells_all_of_a_payment_and_what_to_do(desk: Desk) -> None:
    ran = desk.run("show", "txn_key-1")
    assert ran.status == 0
    assert ran.out.startswith("In failed-transactions-test; received 1 of 5 times; failed ")
    assert '"customer_id": "customer-1"' in ran.out
    assert ran.out.endswith(
        "Replay: paycli failures replay request-1 --env test, with the credentials of 123456789012:AROAOURS\n"
    )
    process = desk.run("show", "request-2").out
    assert process.endswith("Replay: paycli failures replay request-2 --env test\n")
    refused = desk.run("show", "request-3").out
    assert "No replay: it would be refused again" in refused
    (found,) = desk.run("show", "request-3", "--json").data["messages"]
    assert found["message"]["kind"] == "rejected"
    assert found["queue"] == "failed-transactions-test"


def test_show_of_text_is_safe_on_a_terminal_and_of_nothing_is_1(desk: Desk) -> None:
    held = desk.world.put(DEAD, "\x1b[2J gone")
    ran = desk.run("show", held.message_id)
    assert "\N{REPLACEMENT CHARACTER}[2J gone" in ran.out
    ran = desk.run("show", "nobody")
    assert ran.status == 1
    assert "Nothing is called nobody." in ran.err
    assert "`paycli failures list` shows what there is." in ran.err


def test_replay_sends_all_that_can_be_with_their_keys_and_says_where_the_report_is(desk: Desk) -> None:
    ran = desk.run("replay", "--all")
    assert ran.status == 0, ran.err
    assert "request-1: replayed: validated" in ran.err
    assert "1 not to be replayed" in ran.out
    assert "2 replayed, " in ran.out
    assert [line["message"]["request_id"] for line in desk.reports()] == ["request-1", "request-2"]
    assert str(desk.root / ".paycli" / "failures" / "replay-test-") in ran.out
    sent = [(each.path.rpartition("/")[2], each.headers.get("idempotency-key")) for each in desk.world.requests]
    assert sent == [("validate", "key-1"), ("process", None)]
    assert all(request.signed for request in desk.world.requests)
    assert desk.world.requests_in(QUEUE) == ["request-3"]


def test_replay_for_programs(desk: Desk) -> None:
    data = desk.run("replay", "--all", "--json", "--report", "mine.jsonl").data
    assert data["report"] == "mine.jsonl"
    assert data["principal"] == "123456789012:AROAOURS"
    assert [(each["name"], each["outcome"], each["status"]) for each in data["outcomes"]] == [
        ("request-1", "done", 200),
        ("request-2", "done", 200),
        ("request-3", "left", None),
    ]
    again = desk.run("replay", "--all", "--json").data
    assert again["report"] is None
    desk.world.queues[QUEUE].clear()
    assert desk.run("replay", "--all").out == "There is nothing to replay.\n"


def test_what_is_named_and_not_replayed_is_a_failure(desk: Desk) -> None:
    ran = desk.run("replay", "request-3", "request-9")
    assert ran.status == 1
    assert "request-3 was not replayed: it would be refused again" in ran.err
    assert "Nothing is called request-9." in ran.err
    assert desk.run("replay", "request-3", "--dead-letters").status == 1


def test_a_failing_api_is_1_and_the_messages_stay(desk: Desk) -> None:
    desk.world.down = lambda number: 503
    ran = desk.run("replay", "--all")
    assert ran.status == 1
    assert "Error: 2 failed again and are still in the queue." in ran.err
    desk.world.down = lambda number: 1
    assert "The API gave no answer" in desk.run("replay", "request-1").err
    desk.world.put(QUEUE, error(8))
    ran = desk.run("replay", "--all")
    assert "Error: Stopped: the API failed 3 times in a row" in ran.err
    assert len(desk.world.queues[QUEUE]) == 4


def test_a_processing_without_its_payment_is_1_and_stays(desk: Desk) -> None:
    desk.world.lost = {"txn_key-2"}
    ran = desk.run("replay", "--all")
    assert ran.status == 1
    assert "1 replayed, 1 kept for want of the payment, 1 not to be replayed" in ran.out
    assert "Error: 1 messages stay: the payments that they are to process aren't in the table." in ran.err
    assert "restore and merge them, then replay again" in ran.err
    assert desk.world.requests_in(QUEUE) == ["request-2", "request-3"]
    ran = desk.run("replay", "--all", "--give-up-missing")
    assert ran.status == 0
    assert "1 refused for good, 1 not to be replayed" in ran.out
    assert desk.world.requests_in(QUEUE) == ["request-3"]


def test_a_replay_warns_before_it_asks_where_a_restored_table_may_not_be_merged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk.root / "paycli.toml").write_text("[env.test]\nretain_data = true\n")
    desk.world.restored = ["transactions-test-drill-20261123T021000Z", "transactions-test-restore-20261123T021000Z"]
    said: list[str] = []
    monkeypatch.setattr(console, "can_ask", lambda: True)
    monkeypatch.setattr(console, "note", said.append)
    monkeypatch.setattr(console, "confirm", lambda action, *_, **__: said.append(action))
    data = desk.run("replay", "--all", "--json").data
    (note,) = data["notes"]
    assert note.startswith("transactions-test-restore-20261123T021000Z is there: is what was lost merged?")
    assert said[0].splitlines() == [note, said[0].splitlines()[1]]
    assert "could be processed again" in said[0]
    assert said[1].startswith("Replay 1 times POST /process")
    asked = len(said)
    desk.run("replay", "--all")  # nothing is left that would be sent
    assert len(said) == asked


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"Table": {"TableName": "transactions-test", "TableStatus": "CREATING"}}, "transactions-test is CREATING"),
        (AwsError("ResourceNotFoundException"), "transactions-test is gone: recover it first"),
        (AwsError("AccessDeniedException"), "Whether the table is being recovered can't be told: AWS refused"),
    ],
)
def test_a_replay_warns_where_the_table_is_not_there_or_cannot_be_seen(desk: Desk, answer: Any, words: str) -> None:
    def described(_: dict[str, Any]) -> dict[str, Any]:
        if isinstance(answer, AwsError):
            raise answer
        found: dict[str, Any] = answer
        return found

    desk.world.operations["DescribeTable"] = described
    ran = desk.run("replay", "--all")
    assert ran.status == 0
    assert words in ran.err


def test_another_profile_calls_the_api_as_whose_keys_they_are(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    desk.world.queues[QUEUE].clear()
    desk.world.put(QUEUE, error(1, principal="123456789012:AROATHEIRS"))
    ran = desk.run("replay", "request-1")
    assert ran.status == 1
    assert "its key belongs to 123456789012:AROATHEIRS: a replay as 123456789012:AROAOURS would be another" in ran.err
    assert desk.world.requests == []

    asked = []

    def session_of(profile: str) -> Any:
        asked.append(profile)
        desk.world.operations["GetCallerIdentity"] = lambda _: {"Account": "123456789012", "UserId": "AROATHEIRS:x"}
        return session

    session = desk.world.aws().session
    monkeypatch.setattr("paycli.aws.session_of", session_of)
    ran = desk.run("replay", "request-1", "--as-profile", "checkout")
    assert ran.status == 0, ran.err
    assert asked == ["checkout"]
    assert desk.world.queues[QUEUE] == []


def test_where_nobody_signs_everybody_is_anonymous(desk: Desk) -> None:
    (desk.root / "paycli.toml").write_text('[env.test]\nauthorization = "none"\n')
    desk.world.put(QUEUE, error(5, principal="anonymous"))
    assert desk.run("replay", "request-5").status == 0
    assert not desk.world.requests[0].signed


def test_where_data_is_kept_a_replay_asks_and_says_what_moves_money(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk.root / "paycli.toml").write_text("[env.test]\nretain_data = true\n")
    ran = desk.run("replay", "--all")
    assert ran.status == 2
    assert "Add --yes to confirm it." in ran.err
    asked: list[str] = []
    monkeypatch.setattr(console, "can_ask", lambda: True)
    monkeypatch.setattr(console, "confirm", lambda action, *_, **__: asked.append(action))
    assert desk.run("replay", "--all").status == 0
    counts = "1 times POST /process, which moves money, and 1 times POST /validate"
    assert asked == [f"Replay {counts}, on payment-api-test in the embedded AWS"]


def test_redrive_moves_everything_back(desk: Desk) -> None:
    desk.world.put(DEAD, error(8))
    ran = desk.run("redrive")
    assert ran.status == 0
    assert ran.out == "1 messages are back in failed-transactions-test, moved one by one, sent and then deleted.\n"
    desk.world.moves = []
    assert "0 messages are back in failed-transactions-test, moved by SQS itself." in desk.run("redrive").out


def test_discard_keeps_a_file_of_what_it_deletes(desk: Desk) -> None:
    ran = desk.run("discard", "--kind", "rejected", "--yes")
    assert ran.status == 0
    assert ran.out.startswith("1 messages are discarded.\nWhat was taken from the queue is in ")
    (kept,) = desk.reports()
    assert (kept["action"], kept["message"]["request_id"]) == ("discarded", "request-3")
    assert desk.world.requests_in(QUEUE) == ["request-1", "request-2"]
    assert "rejected" in ran.err
    ran = desk.run("discard", "--kind", "rejected", "--yes")
    assert (ran.status, ran.out) == (0, "There is nothing of the kind.\n")
    assert desk.run("discard", "request-9", "--yes").status == 1
    data = desk.run("discard", "request-1", "--code", "temporarily_unavailable", "--yes", "--json").data
    assert data["discarded"] == ["request-1"]
    assert desk.run("discard", "--all", "--dead-letters", "--yes").out == "There is nothing of the kind.\n"
    assert desk.run("discard", "--all", "--yes").status == 0
    assert desk.world.queues[QUEUE] == []


def test_what_tests_have_left_is_not_replayed_and_can_be_discarded(desk: Desk) -> None:
    desk.world.put(QUEUE, error(7, idempotency_key="paycli-load-5497ada1-0-1"))
    desk.world.put(QUEUE, error(8, payment={"customer_id": "paycli-smoke-0a1b2c3d"}))
    ran = desk.run("replay", "--all")
    assert (ran.status, desk.world.requests_in(QUEUE)) == (0, ["request-3", "request-7", "request-8"])
    assert "it is of a load test" in desk.run("show", "request-7").out
    data = desk.run("discard", "--of-tests", "--yes", "--json").data
    assert data["discarded"] == ["request-7", "request-8"]
    assert desk.world.requests_in(QUEUE) == ["request-3"]


def test_what_a_killed_run_has_hidden_is_not_nothing(desk: Desk) -> None:
    for held in desk.world.queues[QUEUE]:
        held.hidden_until = 600
    for arguments, said in (
        (("replay", "--all"), "Nothing can be seen that is to be replayed.\n"),
        (("discard", "--kind", "rejected", "--yes"), "Nothing of the kind can be seen.\n"),
        (("discard", "request-3", "--yes"), "Nothing of the kind can be seen.\n"),
        (("replay", "request-1"), "Nothing can be seen that is to be replayed.\n"),
    ):
        ran = desk.run(*arguments)
        assert (ran.status, ran.out) == (1, said)
        assert "3 messages were not looked at: somebody holds them, or a run that was killed did." in ran.err
        assert "come back within 10 minutes: run it again then" in ran.err
    assert desk.run("replay", "--all", "--json").data["hidden"] == 3
    desk.world.queues[QUEUE][0].hidden_until = 0
    assert desk.run("replay", "request-1").status == 0  # the others weren't meant
    desk.world.queues[QUEUE].clear()
    assert desk.run("replay", "--all").status == 0


def test_discard_without_a_confirmation_changes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert desk.run("discard", "--all").status == 2
    monkeypatch.setattr(console, "can_ask", lambda: True)
    monkeypatch.setattr(console, "ask", lambda _: False)
    ran = desk.run("discard", "--all")
    assert ran.status == 1
    assert "Not confirmed, and not done." in ran.err
    assert len(desk.world.queues[QUEUE]) == 3
    assert desk.world.hidden() == 0
    assert desk.reports() == []


@pytest.mark.parametrize(
    "arguments",
    [["replay"], ["replay", "a", "--all"], ["discard", "--yes"], ["discard", "--all", "--kind", "error", "--yes"]],
)
def test_what_is_meant_has_to_be_said(desk: Desk, arguments: list[str]) -> None:
    ran = desk.run(*arguments)
    assert ran.status == 2
    assert "Which messages?" in ran.err
    assert desk.world.calls == []


@pytest.mark.parametrize(("point", "words"), [(2, "All are in the queue"), (4, "All but 2, which are in ")])
def test_an_interrupt_says_where_everything_is(desk: Desk, point: int, words: str) -> None:
    desk.world.interrupt = (point, False)
    ran = desk.run("discard", "--all", "--yes")
    assert ran.status == 130
    assert words in ran.err
    assert "Run `paycli failures discard` again" in ran.err
