"""Replays: nothing is lost, and nothing is done twice, wherever a run is interrupted."""

import itertools
import json
import os
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from paycli.api_client import Answer
from paycli.errors import PaycliError
from paycli.operations.failures.advice import Replay
from paycli.operations.failures.discard import Selection, discard
from paycli.operations.failures.replay import Outcome, Replayed, Replayer
from paycli.operations.failures.report import Report, default_path
from tests.unit.failures.failure_world import DEAD, OURS, QUEUE, World, answered, error, payment, rejected

_files = itertools.count()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def replayed(world: World, folder: Path, *names: str, **more: Any) -> tuple[Replayed, list[dict[str, Any]]]:
    """Replay all, or what is called so; return what became of it and the report."""
    path = folder / f"replay-{next(_files)}.jsonl"
    options = {"send": world.send, "confirm": lambda _: None, "told": lambda _: None, "clock": lambda: world.now}
    with Report(path) as report:
        replayer = Replayer(principal=OURS, report=report, **{**options, **more})
        return replayer.run(world.sqs(), QUEUE, names, 1000), lines(path)


def verdicts(found: Replayed) -> list[str]:
    return [outcome.verdict for outcome in found.outcomes]


def test_all_that_can_be_replayed_is_and_the_rest_stays(tmp_path: Path) -> None:
    theirs = error(4, principal="123456789012:AROATHEIRS")
    world = World(error(1), error(2, "process"), rejected(3), theirs)
    told: list[Outcome] = []
    found, report = replayed(world, tmp_path, told=told.append)
    assert verdicts(found) == ["done", "done", "left", "left"]
    assert list(found.outcomes) == told
    assert found.stopped is None
    assert world.requests_in(QUEUE) == ["request-3", "request-4"]
    assert world.hidden() == 0
    assert world.effects == [("validate", "txn_key-1"), ("process", "txn_key-2")]
    assert [(line["message"]["request_id"], line["answer"]["status"]) for line in report] == [
        ("request-1", 200),
        ("request-2", 200),
    ]
    assert report[0]["answer"]["body"] == {"status": "validated", "transaction_id": "txn_key-1"}
    assert report[0]["message"]["payment"] == payment(1)
    assert (report[0]["principal"], report[0]["action"], report[0]["queue"]) == (
        OURS,
        "replayed",
        "failed-transactions-test",
    )


def test_what_had_been_done_is_not_done_again_and_is_said(tmp_path: Path) -> None:
    world = World(error(1), error(1, request_id="request-1-again"))
    found, _ = replayed(world, tmp_path)
    assert [outcome.said for outcome in found.outcomes] == ["validated", "validated (it had been done before)"]
    assert world.effects == [("validate", "txn_key-1")]
    assert world.queues[QUEUE] == []


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "invalid_request"),
        (409, "payment_expired"),
        (422, "idempotency_key_reused"),
    ],
)
def test_a_refusal_for_good_takes_the_message_and_is_kept(tmp_path: Path, status: int, code: str) -> None:
    world = World(error(1))
    found, report = replayed(world, tmp_path, send=lambda _: answered(status, {"status": status, "code": code}))
    assert verdicts(found) == ["refused"]
    assert world.queues[QUEUE] == []
    assert report[0]["answer"] == {"status": status, "body": {"status": status, "code": code}}


def test_a_processing_stays_until_its_payment_is_restored(tmp_path: Path) -> None:
    world = World(error(1, "process"), error(2, "process"))
    world.lost = {"txn_key-1"}
    found, report = replayed(world, tmp_path)
    assert [(outcome.verdict, outcome.said) for outcome in found.outcomes] == [
        ("missing", "payment_not_found: the payment isn't in the table"),
        ("done", "processed"),
    ]
    assert found.stopped is None
    assert world.requests_in(QUEUE) == ["request-1"]
    assert world.hidden() == 0
    assert len(report) == 1

    world.lost = set()
    assert verdicts(replayed(world, tmp_path)[0]) == ["done"]
    assert ("process", "txn_key-1") in world.effects


def test_a_payment_that_will_not_come_back_can_be_given_up(tmp_path: Path) -> None:
    world = World(error(1, "process"))
    world.lost = {"txn_key-1"}
    found, report = replayed(world, tmp_path, give_up_missing=True)
    assert verdicts(found) == ["refused"]
    assert world.queues[QUEUE] == []
    assert report[0]["answer"]["status"] == 404


@pytest.mark.parametrize("status", [1, 429, 500, 502, 503, 504])
def test_a_failing_api_takes_nothing_and_is_left_alone_after_three_failures(tmp_path: Path, status: int) -> None:
    world = World(*[error(number) for number in range(5)])
    world.down = lambda _: status
    found, report = replayed(world, tmp_path)
    assert verdicts(found) == ["later"] * 3
    assert found.stopped is not None
    assert found.stopped.code == "api_failing"
    assert world.requests_sent == 3
    assert len(world.queues[QUEUE]) == 5
    assert world.hidden() == 0
    assert report == []


def test_a_failure_now_and_then_stops_nothing(tmp_path: Path) -> None:
    world = World(*[error(number) for number in range(9)])
    world.down = lambda number: 503 if number % 3 else 0
    found, _ = replayed(world, tmp_path)
    assert found.stopped is None
    assert verdicts(found) == ["later", "later", "done"] * 3
    assert len(world.queues[QUEUE]) == 6


@pytest.mark.parametrize(
    "answer",
    [
        answered(403, {"code": "access_denied"}),
        answered(404, {"code": "route_not_found"}),
        answered(409, {"code": "invalid_request"}),
        answered(200, {"status": "validated", "transaction_id": "txn_other"}),
        answered(200, {"status": "processed", "transaction_id": "txn_key-1"}),
        answered(200, ["validated"]),
        answered(302, {}),
        answered(400, {"code": ["invalid_request"]}),
        Answer(200, {}, b"<html>"),
    ],
)
def test_an_answer_that_is_not_understood_takes_nothing_and_stops_all(tmp_path: Path, answer: Answer) -> None:
    world = World(error(1), error(2))
    found, report = replayed(world, tmp_path, send=lambda _: answer)
    assert verdicts(found) == ["wrong"]
    assert found.stopped is not None
    assert ("execute-api:Invoke" in found.stopped.hint) == (answer.status == 403)
    assert len(world.queues[QUEUE]) == 2
    assert report == []


def test_another_payment_in_the_answer_is_named(tmp_path: Path) -> None:
    other = answered(200, {"status": "validated", "transaction_id": "txn_other"})
    found, _ = replayed(World(error(1)), tmp_path, send=lambda _: other)
    assert found.outcomes[0].said == "the API speaks of another payment: txn_other in place of txn_key-1"


def test_only_what_is_named_is_replayed(tmp_path: Path) -> None:
    world = World(error(1), error(2), error(3))
    found, _ = replayed(world, tmp_path, "txn_key-2", "request-9")
    assert [outcome.message.name for outcome in found.outcomes] == ["request-2"]
    assert found.unknown == ("request-9",)
    assert world.requests_in(QUEUE) == ["request-1", "request-3"]


def test_nothing_is_sent_so_late_that_somebody_else_may_hold_the_message(tmp_path: Path) -> None:
    world = World(error(1), error(2), rejected(3))

    def slow(request: Replay) -> Answer:
        world.now += 571
        return world.send(request)

    found, _ = replayed(world, tmp_path, send=slow)
    assert verdicts(found) == ["done"]
    assert found.stopped is not None
    assert found.stopped.code == "time_over"
    assert world.requests_in(QUEUE) == ["request-2", "request-3"]


def test_what_is_not_confirmed_is_not_sent(tmp_path: Path) -> None:
    world = World(error(1), rejected(2))

    def no(messages: list[Any]) -> None:
        assert [message.name for message in messages] == ["request-1"]
        raise PaycliError("no")

    with pytest.raises(PaycliError, match="no"):
        replayed(world, tmp_path, confirm=no)
    assert world.requests_sent == 0
    assert world.hidden() == 0


def test_a_mistake_of_paycli_is_no_answer(tmp_path: Path) -> None:
    def broken(_: Replay) -> Answer:
        raise PaycliError("not the network", code="other")

    with pytest.raises(PaycliError, match="not the network"):
        replayed(World(error(1)), tmp_path, send=broken)


def test_a_report_that_cannot_be_written_keeps_the_message(tmp_path: Path) -> None:
    world = World(error(1))
    (tmp_path / "taken").write_text("mine")
    with Report(tmp_path / "taken") as report, pytest.raises(PaycliError) as raised:
        Replayer(OURS, world.send, report, lambda _: None, lambda _: None).run(world.sqs(), QUEUE, [], 10)
    assert raised.value.code == "report_unwritable"
    assert (tmp_path / "taken").read_text() == "mine"
    assert world.requests_in(QUEUE) == ["request-1"]
    assert replayed(world, tmp_path)[0].outcomes[0].said == "validated (it had been done before)"


def test_the_report_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = default_path(tmp_path, "replay", "prod")
    assert path.parent == tmp_path / ".paycli" / "failures"
    world = World(error(1))
    with Report(path) as report:
        Replayer(OURS, world.send, report, lambda _: None, lambda _: None).run(world.sqs(), QUEUE, [], 10)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(lines(path)) == 1


def test_a_disk_that_takes_half_a_line_gets_the_other_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: written(descriptor, data[:7]))
    _, report = replayed(World(error(1)), tmp_path)
    assert report[0]["message"] == error(1)


# The property that all of it is for.

BODIES = st.one_of(
    st.builds(error, st.integers(0, 3)),
    st.builds(error, st.integers(0, 3), st.just("process")),
    st.builds(rejected, st.integers(0, 3)),
)


def named(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**body, "request_id": f"request-{number}"} for number, body in enumerate(bodies)]


@settings(max_examples=60, deadline=None)
@given(
    bodies=st.lists(BODIES, max_size=6),
    point=st.integers(0, 40),
    after=st.booleans(),
    killed=st.booleans(),
    failures=st.sets(st.integers(1, 6)),
    receives=st.integers(0, 4),
    discarding=st.booleans(),
)
@example(bodies=[error(0), error(0)], point=4, after=True, killed=True, failures=set(), receives=4, discarding=False)
@example(bodies=[error(0, "process")], point=3, after=True, killed=False, failures={1}, receives=0, discarding=False)
def test_wherever_it_is_interrupted_each_message_is_in_a_queue_or_in_the_report_with_its_answer(
    bodies: list[dict[str, Any]],
    point: int,
    after: bool,
    killed: bool,
    failures: set[int],
    receives: int,
    discarding: bool,
) -> None:
    sent = named(bodies)
    world = World(*sent)
    for held in world.queues[QUEUE]:
        held.receives = receives
    world.down = lambda number: 503 if number in failures else 0
    world.interrupt, world.killed = (point, after), killed
    with TemporaryDirectory() as folder:
        path = Path(folder) / "report"
        with suppress(KeyboardInterrupt), Report(path) as report:
            if discarding:
                discard(world.sqs(), QUEUE, Selection(), 1000, report, lambda _: None)
            else:
                Replayer(OURS, world.send, report, lambda _: None, lambda _: None).run(world.sqs(), QUEUE, [], 1000)
        kept = lines(path)
        reported = {line["message"]["request_id"] for line in kept}
        assert {body["request_id"] for body in sent} == reported | {*world.requests_in(QUEUE), *world.requests_in(DEAD)}
        assert all(line["action"] == "discarded" or line["answer"]["status"] == 200 for line in kept)

        # Once what a killed run held is back, a second run settles the rest.
        world.interrupt, world.killed, world.down = None, False, lambda _: 0
        world.now += 601
        if not discarding:
            found, _ = replayed(world, Path(folder))
            assert found.stopped is None
    assert len(world.effects) == len(set(world.effects))
    if not discarding:
        dead = world.requests_in(DEAD)  # of a killed run that held their last receive
        refused = {body["request_id"] for body in sent if body["kind"] == "rejected"}
        assert {*world.requests_in(QUEUE), *dead} >= refused
        assert {*world.requests_in(QUEUE)} <= refused
        settled = [body for body in sent if body["request_id"] not in {*refused, *dead}]
        assert {body["transaction_id"] for body in settled} <= world.payments.keys()
