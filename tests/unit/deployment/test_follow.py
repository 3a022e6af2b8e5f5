"""Following an operation to its end, whatever the events do on their way."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from paycli.deployment import follow as following
from paycli.deployment.follow import SILENCE_SECONDS, Finished, follow, last_event, until_done
from paycli.errors import PaycliError
from paycli.progress import Event, ResourceEvent, Step
from tests.fakes.cloudformation import FakeAws
from tests.scripted import STACK_ID, Scripted, raw_event

CREDENTIALS = {"aws_access_key_id": "AKIAFAKE", "aws_secret_access_key": "fake"}
Make = Callable[..., dict[str, Any]]


def followed(scripted: Scripted, **options: Any) -> Finished:
    cloudformation = scripted.aws.client("cloudformation")
    defaults: dict[str, Any] = {"after": "event-0", "total": 2, "report": scripted.reported.append}
    return follow(cloudformation, STACK_ID, **{**defaults, **options})


def test_only_what_is_new_is_reported_and_counted(scripted: Scripted, event: Make) -> None:
    old = event(0, "CREATE_COMPLETE")
    first = [old, event(1, "UPDATE_IN_PROGRESS"), event(2, "UPDATE_IN_PROGRESS", "Table")]
    scripted.events(old)
    assert last_event(scripted.aws.client("cloudformation"), STACK_ID) == "event-0"
    scripted.events(*first)
    scripted.events(*first)
    scripted.events(*first, event(3, "UPDATE_COMPLETE", "Table"), event(4, "UPDATE_COMPLETE"))
    finished = followed(scripted)
    assert finished.status == "UPDATE_COMPLETE"
    reported = [entry for entry in scripted.reported if isinstance(entry, ResourceEvent)]
    assert [entry.logical_id for entry in reported] == ["payment-api-dev", "Table", "Table", "payment-api-dev"]
    assert [(entry.done, entry.total) for entry in reported] == [(0, 2), (0, 2), (1, 2), (1, 2)]
    assert finished.events == tuple(reported)


def test_of_the_embedded_aws_only_what_changes_is_reported_and_what_fails(scripted: Scripted, event: Make) -> None:
    scripted.events(
        event(1, "UPDATE_IN_PROGRESS"),
        event(2, "UPDATE_IN_PROGRESS", "Table"),
        event(3, "UPDATE_IN_PROGRESS", "Queue"),
        event(4, "UPDATE_COMPLETE", "Queue"),
        event(5, "UPDATE_COMPLETE", "Table"),
        event(6, "UPDATE_FAILED", "Topic"),
        event(7, "UPDATE_COMPLETE"),
    )
    finished = followed(scripted, after="", total=1, only={"Table"})
    assert len(finished.events) == 7  # the cause of a failure may be among them
    reported = [entry for entry in scripted.reported if isinstance(entry, ResourceEvent)]
    assert [entry.logical_id for entry in reported if not entry.of_stack] == ["Table", "Table", "Topic"]
    assert [(entry.done, entry.total) for entry in reported] == [(0, 1), (0, 1), (1, 1), (2, 2), (2, 2)]


def test_a_stack_that_shows_no_event_yet_is_followed_from_its_beginning(scripted: Scripted, event: Make) -> None:
    scripted.events()
    assert last_event(scripted.aws.client("cloudformation"), STACK_ID) == ""
    scripted.events()
    scripted.events(event(1, "CREATE_IN_PROGRESS"), event(2, "CREATE_COMPLETE"))
    assert [entry.status for entry in followed(scripted, after="").events] == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]


def test_what_runs_already_is_followed_from_where_it_began(scripted: Scripted, event: Make) -> None:
    before = [event(1, "UPDATE_COMPLETE"), event(2, "UPDATE_IN_PROGRESS"), event(3, "UPDATE_ROLLBACK_FAILED")]
    scripted.events(*before, event(4, "UPDATE_ROLLBACK_IN_PROGRESS"))
    scripted.events(*before, event(4, "UPDATE_ROLLBACK_IN_PROGRESS"), event(5, "UPDATE_COMPLETE", "Table"))
    ended = [event(4, "UPDATE_ROLLBACK_IN_PROGRESS"), event(6, "UPDATE_ROLLBACK_COMPLETE")]
    scripted.events(*before, *ended)
    scripted.events(*before, *ended)
    report = scripted.reported.append
    finished = until_done(scripted.aws.client("cloudformation"), STACK_ID, report=report)
    assert finished.status == "UPDATE_ROLLBACK_COMPLETE"
    assert [entry.at.second for entry in finished.events] == [4, 5, 6]


def test_a_cleanup_is_not_the_end(scripted: Scripted, event: Make) -> None:
    cleanup = event(1, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    scripted.events(cleanup)
    scripted.events(cleanup, event(2, "UPDATE_COMPLETE"))
    assert followed(scripted).status == "UPDATE_COMPLETE"


def test_a_failed_validation_is_not_the_end(scripted: Scripted, event: Make) -> None:
    refused = {**event(1, "CREATE_FAILED"), "DetailedStatus": "VALIDATION_FAILED"}
    ended = [refused, event(2, "ROLLBACK_IN_PROGRESS"), event(3, "ROLLBACK_COMPLETE")]
    scripted.events(refused)
    scripted.events(*ended)
    scripted.events(*ended)
    assert followed(scripted).status == "ROLLBACK_COMPLETE"


def test_the_end_is_the_operation_s_own_and_not_that_of_the_next_one(scripted: Scripted, event: Make) -> None:
    own = [event(1, "CREATE_IN_PROGRESS"), event(3, "DELETE_COMPLETE", "Table"), event(4, "ROLLBACK_COMPLETE")]
    late = event(2, "CREATE_FAILED", "Table")
    next_one = [event(5, "UPDATE_IN_PROGRESS"), event(6, "UPDATE_COMPLETE", "Queue"), event(7, "UPDATE_COMPLETE")]
    scripted.events(own[0])
    scripted.events(*own, *next_one)
    scripted.events(own[0], late, *own[1:], *next_one, event(8, "UPDATE_IN_PROGRESS"))
    finished = followed(scripted)
    assert finished.status == "ROLLBACK_COMPLETE"
    assert [entry.at.second for entry in finished.events] == [1, 3, 4, 2]


def test_the_end_of_the_operation_before_that_shows_late_is_not_the_end(scripted: Scripted, event: Make) -> None:
    begun = [event(1, "UPDATE_ROLLBACK_COMPLETE"), event(2, "UPDATE_IN_PROGRESS")]
    scripted.events(*begun)
    scripted.events(*begun, event(3, "UPDATE_COMPLETE"))
    assert followed(scripted).status == "UPDATE_COMPLETE"


def test_a_deadline_ends_the_following_and_not_the_operation(scripted: Scripted) -> None:
    with pytest.raises(PaycliError, match="CloudFormation goes on") as caught:
        followed(scripted, deadline_seconds=0.0)
    assert "payment-api-dev" in caught.value.message


# Events that come late, in disorder, and on pages that move meanwhile


@dataclass
class Late:
    """A CloudFormation client whose events show at their times; each page takes a second, each pause `pause`."""

    events: list[dict[str, Any]]  # oldest first
    shows: list[int]
    page: int
    pause: int = 1
    now: float = 0.0
    silent: list[bool] = field(default_factory=list)  # which looks fail

    def get_paginator(self, _name: str) -> "Late":
        return self

    def paginate(self, **_request: str) -> Iterator[dict[str, Any]]:
        if self.silent and self.silent.pop(0):
            raise EndpointConnectionError(endpoint_url="https://cloudformation.example")
        offset, more = 0, True
        while more:
            shown = [event for event, at in zip(self.events, self.shows, strict=True) if at <= self.now][::-1]
            self.now += 1
            yield {"StackEvents": shown[offset : offset + self.page]}
            offset += self.page
            more = offset < len(shown)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, _seconds: float) -> None:
        self.now += self.pause


ENDS = ("UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED")


@st.composite
def operations(draw: st.DrawFn, ends: Sequence[str] = ENDS) -> tuple[Late, int]:
    """Draw an operation that ends in one of `ends`, and how many events of earlier ones stand before it."""
    earlier = draw(st.integers(1, 5))
    statuses = draw(st.lists(st.sampled_from(["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "UPDATE_FAILED"]), max_size=12))
    end = draw(st.sampled_from(ends))
    events = [raw_event(number, "UPDATE_COMPLETE") for number in range(earlier)]
    events.append(raw_event(earlier, "UPDATE_IN_PROGRESS"))
    events += [
        raw_event(earlier + 1 + number, status, f"Resource{number % 3}") for number, status in enumerate(statuses)
    ]
    events.append(raw_event(len(events), end))
    late = Late(events, [], page=draw(st.integers(1, 6)), pause=draw(st.integers(1, 8)))
    return late, earlier


def run(late: Late, earlier: int, report: list[Event], *, from_its_beginning: bool = False) -> Finished:
    after = "" if from_its_beginning else late.events[earlier - 1]["EventId"]
    with patch.object(following, "time", late):
        return follow(late, STACK_ID, after=after, total=3, report=report.append)


@given(operations(), st.data())
def test_no_event_is_told_twice_and_the_end_is_the_stack_s(drawn: tuple[Late, int], data: st.DataObject) -> None:
    """However late and in whatever order they show."""
    late, earlier = drawn
    own = len(late.events) - earlier
    late.shows = [0] * earlier + data.draw(st.lists(st.integers(0, 40), min_size=own, max_size=own))
    late.silent = data.draw(st.lists(st.booleans(), max_size=4))
    reported: list[Event] = []
    finished = run(late, earlier, reported)
    told = [event for event in reported if isinstance(event, ResourceEvent)]
    seconds = [event.at.second for event in told]
    assert len(set(seconds)) == len(seconds)
    assert set(seconds) <= set(range(earlier, len(late.events)))
    assert finished == Finished(late.events[-1]["ResourceStatus"], tuple(told))
    assert [event.done for event in told] == sorted(event.done for event in told)
    assert all(event.done <= event.total for event in told)


@given(operations(ends=["UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "UPDATE_FAILED"]), st.data())
def test_every_event_of_a_failure_is_told_once_however_late_it_shows(
    drawn: tuple[Late, int], data: st.DataObject
) -> None:
    """And however far down the pages: one of them is the cause."""
    late, earlier = drawn
    own = len(late.events) - earlier
    begins = data.draw(st.booleans())  # and is followed from there, once that shows
    shows = [
        0 if begins else data.draw(st.integers(0, 9)),
        *data.draw(st.lists(st.integers(0, 40), min_size=own - 1, max_size=own - 1)),
    ]
    shows[-1] = max(shows)
    late.shows = [0] * earlier + shows
    finished = run(late, earlier, [], from_its_beginning=begins)
    assert sorted(event.at.second for event in finished.events) == list(range(earlier, len(late.events)))


def test_what_shows_late_is_told_at_the_next_look_where_it_stands_on_the_first_page() -> None:
    events = [raw_event(0, "CREATE_COMPLETE"), *(raw_event(number, "UPDATE_IN_PROGRESS") for number in range(1, 5))]
    late = Late([*events, raw_event(5, "UPDATE_COMPLETE")], [0, 1, 9, 2, 3, 20], page=5)
    assert sorted(event.at.second for event in run(late, 1, []).events) == [1, 2, 3, 4, 5]


def test_pages_are_read_as_far_as_something_new_can_stand() -> None:
    """Events of a burst fill three pages; what is known already costs no page more."""
    events = [raw_event(0, "CREATE_COMPLETE"), *(raw_event(number, "UPDATE_IN_PROGRESS") for number in range(1, 10))]
    late = Late([*events, raw_event(10, "UPDATE_COMPLETE")], [0, *[1] * 9, 12], page=4, pause=4)
    reads: list[int] = []
    with patch.object(late, "paginate", lambda **request: _counted(Late.paginate(late, **request), reads)):
        finished = run(late, 1, [])
    assert sorted(event.at.second for event in finished.events) == list(range(1, 11))
    assert reads == [1, 3, 1]


def _counted(pages: Iterator[dict[str, Any]], reads: list[int]) -> Iterator[dict[str, Any]]:
    reads.append(0)
    for page in pages:
        reads[-1] += 1
        yield page


# AWS out of reach


def test_a_silence_is_waited_out_and_said_once() -> None:
    events = [raw_event(0, "CREATE_COMPLETE"), raw_event(1, "UPDATE_IN_PROGRESS"), raw_event(2, "UPDATE_COMPLETE")]
    late = Late(events, [0, 0, 6], page=100, silent=[False, True, True, False])
    reported: list[Event] = []
    assert run(late, 1, reported).status == "UPDATE_COMPLETE"
    said = [event.text for event in reported if isinstance(event, Step)]
    assert len(said) == 2
    assert said[0].startswith("AWS can't be asked now, and is asked again: ")
    assert said[1] == "AWS answers again."


def test_a_silence_that_lasts_is_an_error() -> None:
    late = Late([raw_event(0, "CREATE_COMPLETE")], [0], page=100, pause=60, silent=[True] * 100)
    with pytest.raises(EndpointConnectionError) as caught:
        run(late, 1, [])
    assert "CloudFormation goes on" in caught.value.__notes__[0]
    assert SILENCE_SECONDS < late.now < SILENCE_SECONDS + 121


def test_what_waiting_does_not_mend_is_an_error_at_once(scripted: Scripted) -> None:
    scripted.fails("cloudformation", "describe_stack_events", "ExpiredToken")
    with pytest.raises(ClientError) as caught:
        followed(scripted)
    assert "CloudFormation goes on" in caught.value.__notes__[0]


# How often it asks


@pytest.mark.parametrize(
    ("seconds", "page_size"),
    [
        *((seconds, 100) for seconds in (5, 6, 7, 8, 10, 15, 30, 120)),
        (10, 3),
        (30, 3),
    ],  # of 3 events: more calls a look
)
def test_an_operation_is_asked_for_once_a_second_at_most_and_its_end_is_seen_soon(
    monkeypatch: pytest.MonkeyPatch, seconds: int, page_size: int
) -> None:
    """On the fake, in its own time, with one more call for the outputs; the pauses vary by chance."""
    random.seed(seconds)
    waited: list[float] = []
    with FakeAws(speed=0) as aws:
        aws.scenario.page_size = page_size
        monkeypatch.setattr(following, "time", SimpleNamespace(monotonic=aws.clock.now, sleep=aws.skip))
        client = boto3.client("cloudformation", "us-east-1", endpoint_url=aws.url, **CREDENTIALS)
        for number in range(6):
            begins = aws.clock.now()
            before = len(aws.calls)
            stack = aws.put_stack(f"s{number}", "UPDATE_IN_PROGRESS", lasts=seconds)
            assert until_done(client, stack.stack_id, report=lambda _event: None).status == "UPDATE_COMPLETE"
            assert len(aws.calls) + 1 - before <= aws.clock.now() - begins
            waited.append(aws.clock.now() - begins - seconds)
    assert max(waited) < 2.2


def test_the_embedded_aws_is_asked_often_since_it_is_done_at_once() -> None:
    events = [raw_event(0, "CREATE_COMPLETE"), raw_event(1, "UPDATE_IN_PROGRESS"), raw_event(2, "UPDATE_COMPLETE")]
    late = Late(events, [0, 0, 2], page=100)
    with patch.object(late, "sleep", side_effect=late.sleep) as slept:
        assert run(late, 1, []).status == "UPDATE_COMPLETE"
    assert STACK_ID.split(":")[4] == "000000000000"
    assert 0.1 <= slept.call_args.args[0] <= 0.11
