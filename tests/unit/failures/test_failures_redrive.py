"""From the dead-letter queue back: by SQS itself, or one by one where it can't."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from paycli.errors import DetachedError, PaycliError
from paycli.operations.failures.redrive import Redriven, redrive
from paycli.progress import Event, Step
from tests.unit.failures.failure_world import DEAD, QUEUE, World, error


def dead(count: int, moves: list[dict[str, Any]] | None = None) -> World:
    world = World()
    world.moves = moves
    for number in range(count):
        world.put(DEAD, error(number))
    return world


def redriven(world: World, told: Callable[[Event], None] = lambda _: None) -> Redriven:
    return redrive(world.sqs(), DEAD, QUEUE, told, sleep=lambda _: None)


def test_sqs_moves_the_messages_itself_and_is_followed() -> None:
    world = dead(3, [])
    told: list[Event] = []
    assert redriven(world, told.append) == Redriven(3, by_sqs=True)
    assert len(world.queues[QUEUE]) == 3
    texts = [event.text for event in told if isinstance(event, Step)]
    assert texts[0] == "SQS moves messages from failed-transactions-dlq-test: 0 of ?"
    assert texts[-1].endswith("3 of 3")
    assert "ReceiveMessage" not in world.calls


def test_what_somebody_holds_is_not_moved_and_that_is_said() -> None:
    world = dead(2)
    world.queues[DEAD][0].hidden_until = 120
    done = redriven(world)
    assert (done.moved, done.troubles) == (1, ("1 more are hidden: somebody holds them. Run it again later.",))


def test_what_has_not_changed_is_not_said_again() -> None:
    world = dead(0, [{"Status": "CANCELLING", "StartedTimestamp": 5, "ApproximateNumberOfMessagesToMove": 9}])
    world.moves = world.moves or []
    world.moves[0]["Status"] = "RUNNING"
    told: list[Event] = []
    go_on, pauses = world._go_on, iter([0, 0, 1])
    world._go_on = lambda move: go_on(move) if next(pauses) else None  # type: ignore[method-assign]
    redriven(world, told.append)
    assert told == [Step("SQS moves messages from failed-transactions-dlq-test: 0 of 9")]


def test_a_move_that_runs_is_followed_and_no_other_one_begun() -> None:
    world = dead(2, [{"Status": "RUNNING", "StartedTimestamp": 5}])
    assert redriven(world).moved == 2
    assert "StartMessageMoveTask" not in world.calls


def test_an_older_move_says_nothing_of_the_one_that_was_begun() -> None:
    world = dead(1, [{"Status": "COMPLETED", "StartedTimestamp": 1, "ApproximateNumberOfMessagesMoved": 77}])
    late = world._start_message_move_task

    def start(params: dict[str, Any]) -> dict[str, Any]:
        listed = world._list_message_move_tasks({})
        shown = iter([listed])
        world.operations["ListMessageMoveTasks"] = lambda _: next(shown, None) or world._list_message_move_tasks({})
        return late(params)

    world.operations["StartMessageMoveTask"] = start
    assert redriven(world).moved == 1


@pytest.mark.parametrize(
    ("move", "words"),
    [
        ({"Status": "FAILED", "FailureReason": "AccessDenied"}, "AccessDenied"),
        ({"Status": "CANCELLED", "ApproximateNumberOfMessagesMoved": 4}, "moved 4 messages .*cancelled"),
    ],
)
def test_a_move_that_fails_says_why(move: dict[str, Any], words: str) -> None:
    world = dead(1, [{"Status": "RUNNING", "StartedTimestamp": 5}])

    def change() -> None:
        assert world.moves is not None
        world.moves[0] |= move

    with pytest.raises(PaycliError, match=words) as raised:
        redriven(world, lambda _: change())
    assert raised.value.code == "redrive_failed"


def test_an_interrupt_leaves_it_to_sqs() -> None:
    def interrupt(_: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(DetachedError, match="SQS goes on"):
        redriven(dead(1, []), interrupt)


def test_without_the_call_each_message_is_sent_and_then_deleted() -> None:
    world = dead(23)
    assert redriven(world) == Redriven(23, by_sqs=False)
    assert world.queues[DEAD] == []
    assert len(world.queues[QUEUE]) == 23
    assert {held.receives for held in world.queues[QUEUE]} == {0}


def test_a_refusal_is_not_taken_for_a_missing_call() -> None:
    world = dead(1, [])
    world.broken["ListMessageMoveTasks"] = "AccessDenied"
    with pytest.raises(ClientError, match="AccessDenied"):
        redriven(world)


@settings(max_examples=40, deadline=None)
@given(count=st.integers(0, 12), point=st.integers(0, 30), after=st.booleans(), killed=st.booleans())
def test_wherever_it_is_interrupted_no_message_is_lost(count: int, point: int, after: bool, killed: bool) -> None:
    world = dead(count)
    world.moves = None
    world.operations["ListMessageMoveTasks"] = world._list_message_move_tasks
    world.interrupt, world.killed = (point, after), killed
    with suppress(KeyboardInterrupt):
        redriven(world)
    names = {f"request-{number}" for number in range(count)}
    assert {*world.requests_in(DEAD), *world.requests_in(QUEUE)} == names
    world.interrupt, world.killed = None, False
    world.now += 601
    redriven(world)
    assert world.queues[DEAD] == []
    assert {*world.requests_in(QUEUE)} == names
