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
    renewed = [look(world).renewed for _ in range(looks)]
    assert sum(renewed) == looks // 5 * 2
    assert world.queues[DEAD] == []
    assert world.requests_in(QUEUE) == ["request-1", "request-2"]
    assert any(held.attributes for held in world.queues[QUEUE])
    assert world.hidden() == 0


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
