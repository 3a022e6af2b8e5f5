"""Looking into the queue: each message is received once, and nothing is used up."""

import json
from typing import Any

import pytest

from paycli.operations.failures.listing import Listing, look_at
from paycli.operations.failures.message import received
from paycli.operations.failures.queue import looking, read_facts
from tests.unit.failures.failure_world import DEAD, QUEUE, World, error, rejected


def look(world: World, limit: int = 1000) -> Listing:
    return look_at(world.sqs(), QUEUE, limit)


def test_a_look_receives_each_message_once_and_shows_it_again() -> None:
    world = World(*[error(number) for number in range(23)], rejected(30), "no JSON")
    world.batch = 3
    found = look(world)
    assert len(found.messages) == 25
    assert found.complete
    assert [message.receives for message in found.messages] == [1] * 25
    assert {held.receives for held in world.queues[QUEUE]} == {1}
    assert world.hidden() == 0
    assert [(group.kind, group.code, group.operation, group.count) for group in found.groups] == [
        ("error", "temporarily_unavailable", "validate", 23),
        ("rejected", "invalid_request", "validate", 1),
        ("unreadable", "", "", 1),
    ]
    oldest = found.groups[0]
    assert (oldest.newest - oldest.oldest).total_seconds() == 22


def test_an_empty_answer_is_not_believed_while_the_count_says_more() -> None:
    world = World(error(1))
    world.empties = 2
    assert len(look(world).messages) == 1
    world.empties = 3
    found = look(world)
    assert (found.messages, found.complete) == ((), True)


def test_a_limit_leaves_the_others_alone() -> None:
    world = World(*[error(number) for number in range(12)])
    found = look(world, 11)
    assert (len(found.messages), found.complete) == (11, False)
    assert sum(held.receives for held in world.queues[QUEUE]) == 11


@pytest.mark.parametrize("looks", [5, 6, 12])
def test_no_number_of_looks_moves_a_message_to_the_dead_letter_queue(looks: int) -> None:
    world = World(error(1), error(2))
    world.queues[QUEUE][0].attributes = {"origin": {"DataType": "String", "StringValue": "a test"}}
    found = [look(world) for _ in range(looks)]
    assert (
        sum(each.renewed for each in found) == (looks - 1) // 3 * 2
    )  # at the fourth receive, the fourth of the new one...
    assert {(len(each.messages), each.missing) for each in found} == {(2, 0)}
    assert world.queues[DEAD] == []
    assert world.requests_in(QUEUE) == ["request-1", "request-2"]
    assert any(held.attributes for held in world.queues[QUEUE])
    assert world.hidden() == 0


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_queue_that_allows_few_receives_is_looked_at_all_the_same(most: int) -> None:
    world = World(error(1), error(2))
    world.max_receives = most
    for _ in range(5):
        found = look(world)
        assert (len(found.messages), found.missing) == (2, 0)
    assert world.queues[DEAD] == []
    assert found.renewed == 2 or most > 1


def killed(world: World, seconds: int) -> None:
    """Kill a look when it has received all: its messages come back by themselves."""
    sqs = world.sqs()
    with pytest.raises(KeyboardInterrupt), looking(sqs, read_facts(sqs, QUEUE), seconds=seconds) as held:
        list(held.messages(1000))
        world.killed = True
    assert world.hidden() == len(world.queues[QUEUE])
    world.killed, world.now = False, world.now + seconds


def test_no_number_of_killed_looks_moves_a_message_to_the_dead_letter_queue() -> None:
    world = World(*[error(number) for number in range(12)])
    for _ in range(9):
        killed(world, 120)
    found = look(world)
    assert (len(found.messages), found.missing, world.queues[DEAD]) == (12, 0, [])


def test_what_a_look_moves_is_said_to_be_missing_and_not_to_be_waiting() -> None:
    world = World(error(1), error(2), error(3))
    for held in world.queues[QUEUE][:2]:
        held.receives = 5  # by another program, which took no care
    found = look(world)
    assert [message.name for message in found.messages] == ["request-3"]
    assert (found.queue.waiting, found.missing, found.hidden) == (3, 2, 0)
    assert world.requests_in(DEAD) == ["request-1", "request-2"]


def test_what_comes_back_during_a_look_is_not_hidden() -> None:
    world = World(error(1), error(2), error(3))
    for held in world.queues[QUEUE][:2]:
        held.hidden_until = 60
    assert (look(world).hidden, look(world, 1).hidden) == (2, 2)
    world.empties = 1
    sqs = world.sqs()
    with looking(sqs, read_facts(sqs, QUEUE), seconds=120) as held_by_us:
        world.now = 60
        assert len(list(held_by_us.messages(1000))) == 3
        assert held_by_us.hidden == 0


def test_a_copy_that_is_there_beside_its_message_is_seen_beside_it() -> None:
    world = World(error(1))
    world.queues[QUEUE][0].receives = 4
    world.broken["DeleteMessage"] = "AccessDenied"
    found = look(world)
    assert [message.receives for message in found.messages] == [5, 1]
    assert "request-1 has had its 5 receives, and its count can't be set back" in found.troubles[0]


def test_the_dead_letter_queue_has_no_count_to_set_back() -> None:
    world = World()
    world.put(DEAD, error(1))
    for _ in range(7):
        found = look_at(world.sqs(), DEAD, 10)
    assert found.messages[0].receives == 7
    assert found.queue.max_receives is None
    assert "SendMessage" not in world.calls


def test_without_the_right_to_send_the_look_says_what_the_next_receive_does() -> None:
    world = World(error(1))
    world.max_receives = "1"
    world.broken["SendMessage"] = "AccessDenied"
    found = look(world)
    assert found.renewed == 0
    (trouble,) = found.troubles
    assert "request-1 has had its 1 receives" in trouble
    assert "The next receive moves it to the dead-letter queue." in trouble
    assert world.hidden() == 0


def test_what_cannot_be_shown_again_is_said() -> None:
    world = World(error(1), error(2))
    world.broken["ChangeMessageVisibilityBatch"] = "AccessDenied"
    (trouble,) = look(world).troubles
    assert trouble.startswith("2 messages stay hidden for up to 120 s: AWS refused")

    world = World(error(1), error(2))
    sqs = world.sqs()
    with looking(sqs, read_facts(sqs, QUEUE), seconds=60) as held:
        next(held.messages(10))
        del world.queues[QUEUE][0]  # somebody else has deleted it
    assert held.troubles == ["1 messages stay hidden for up to 60 s: ReceiptHandleIsInvalid"]


def test_a_message_that_comes_twice_counts_once_and_its_newest_handle_is_used() -> None:
    world = World(error(1))
    sqs = world.sqs()
    with looking(sqs, read_facts(sqs, QUEUE), seconds=60) as held:
        found = []
        for message in held.messages(10):
            found.append(message)
            world.now += 61 if len(world.calls) < 3 else 0  # its time is over before the next receive
        assert len(found) == 1
        held.delete(found[0])
    assert world.queues[QUEUE] == []


def raw(body: Any, **more: Any) -> dict[str, Any]:
    return {
        "MessageId": "m",
        "ReceiptHandle": "h",
        "Body": body if isinstance(body, str) else json.dumps(body),
        "Attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1700000000000"},
        **more,
    }


@pytest.mark.parametrize(
    "body", ["", "[1]", "null", "[" * 100_000, '{"schema": 2, "kind": "error"}', '{"schema": "1"}', {"kind": "error"}]
)
def test_a_body_of_another_kind_is_unreadable_and_named_by_its_message_id(body: Any) -> None:
    message = received(raw(body))
    assert message.group == ("unreadable", "", "")
    assert message.name == "m"
    assert message.at == message.sent_at
    assert message.is_called("m")


@pytest.mark.parametrize("at", ["yesterday", "2026-11-22", 7, None, "2026-11-22T20:26:30"])
def test_a_time_that_is_none_is_that_of_the_sending(at: Any) -> None:
    message = received(raw({**error(1), "at": at}))
    assert message.at == message.sent_at


def test_a_message_is_called_by_its_request_its_payment_or_its_own_id() -> None:
    message = received(raw(error(1)))
    assert [message.is_called(name) for name in ("request-1", "txn_key-1", "m", "request-", "")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert message.content() == error(1)
    assert received(raw("plain")).content() == "plain"
    assert not received(raw("plain")).is_called("")
