"""Reading and following: merged by time, no line lost or doubled, throttling waited out, stories told whole."""

from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from paycli.operations.logs.event import LogEvent
from paycli.operations.logs.follow import Following
from paycli.operations.logs.reader import Reader
from paycli.operations.logs.story import Story, tell
from tests.unit.logs.log_world import GROUPS, NOW, Logs, event, request

TXN = "txn_0123456789abcdef0123456789abcdef"


def reader(logs: Logs, **more: Any) -> Reader:
    return Reader(logs, GROUPS, **{"told": lambda _: None, "sleep": lambda _: None, **more})


def messages(events: list[LogEvent]) -> list[str]:
    return [event.message for event in events]


def test_groups_are_merged_by_time_over_all_pages() -> None:
    logs = Logs()
    logs.page = 3
    for number in range(20):
        logs.write(list(GROUPS)[number % 4], f"line {number}", NOW - 1000 + number)
    found = list(reader(logs).merged(NOW - 1000, NOW))
    assert messages(found) == [f"line {number}" for number in range(20)]
    assert {event.source for event in found} == set(GROUPS)
    assert len(logs.asked) == 8


def test_an_empty_page_does_not_end_it() -> None:
    logs = Logs()
    logs.write("validation", "found")
    pages = iter([{"events": [], "nextToken": "0"}])
    logs_answer = logs.answer
    logs.answer = lambda params: next(pages, None) or logs_answer(params)  # type: ignore[method-assign]
    assert messages(list(Reader(logs, {"validation": GROUPS["validation"]}, print).merged(0))) == ["found"]


def test_a_missing_group_is_said_once_and_hides_no_other() -> None:
    logs = Logs()
    told: list[str] = []
    del logs.groups[GROUPS["api"]]
    logs.write("validation", "here")
    patient = reader(logs, told=told.append)
    for _ in range(2):
        assert messages(list(patient.merged(0))) == ["here"]
    assert told == [f"There is no log group {GROUPS['api']}."]
    assert patient.missing == {GROUPS["api"]}
    logs.groups[GROUPS["api"]] = []
    list(patient.merged(0))
    assert patient.missing == set()


def failing(*errors: Exception) -> Logs:
    logs = Logs()
    logs.write("api", "at last")
    waiting = list(errors)
    answer = logs.filter_log_events

    def filter_log_events(**params: Any) -> dict[str, Any]:
        if waiting:
            raise waiting.pop(0)
        return answer(**params)

    logs.filter_log_events = filter_log_events  # type: ignore[method-assign]
    return logs


def aws(code: str, status: int = 400) -> ClientError:
    answer = {"Error": {"Code": code, "Message": "said AWS"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "FilterLogEvents")


NO_NETWORK = EndpointConnectionError(endpoint_url="https://logs")


def test_throttling_is_waited_out_and_said_once() -> None:
    told: list[str] = []
    pauses: list[float] = []
    logs = failing(*[aws("ThrottlingException")] * 8)
    found = list(reader(logs, told=told.append, sleep=pauses.append).merged(0))
    assert messages(found) == ["at last"]
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    (said,) = told
    assert said.startswith("Waiting for the logs: AWS asks for fewer calls")


def test_patience_ends_after_five_minutes_unless_one_follows() -> None:
    pauses: list[float] = []
    with pytest.raises(ClientError, match="ThrottlingException"):
        list(reader(failing(*[aws("ThrottlingException")] * 99), sleep=pauses.append).merged(0))
    assert 300 <= sum(pauses) < 331
    assert messages(list(reader(failing(*[aws("ThrottlingException")] * 99), endless=True).merged(0))) == ["at last"]


@pytest.mark.parametrize("error", [NO_NETWORK, aws("ServiceUnavailableException", 503)])
def test_who_follows_waits_for_the_network_and_who_asks_once_is_told(error: Exception) -> None:
    assert messages(list(reader(failing(error), endless=True).merged(0))) == ["at last"]
    with pytest.raises(type(error)):
        list(reader(failing(error)).merged(0))


@pytest.mark.parametrize("endless", [True, False])
def test_a_refusal_is_no_matter_of_time(endless: bool) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        list(reader(failing(aws("AccessDeniedException")), endless=endless).merged(0))


def test_terms_are_looked_for_by_the_service_a_few_at_a_time() -> None:
    logs = Logs()
    for number in range(9):
        logs.write("api", f"about id-{number}-id")
    one = Reader(logs, {"api": GROUPS["api"]}, print)
    assert messages(list(one.merged(0, terms=["id-3-id"]))) == ["about id-3-id"]
    assert logs.asked[-1]["filterPattern"] == '"id-3-id"'
    assert len(list(one.merged(0, terms=[f"id-{number}-id" for number in range(9)]))) == 9
    assert [params["filterPattern"].count("?") for params in logs.asked[1:]] == [7, 2]
    assert all(len(params["filterPattern"]) <= 1024 for params in logs.asked)
    one.patterns = False
    list(one.merged(0, terms=["a", "b"]))
    assert "filterPattern" not in logs.asked[-1]


def test_the_longest_ids_fit_into_a_pattern() -> None:
    logs = Logs()
    list(reader(logs).merged(0, terms=[f"{number}" * 128 for number in range(7)]))
    assert max(len(params["filterPattern"]) for params in logs.asked) <= 1024


def stories(logs: Logs) -> None:
    request(logs, "validation", 1, TXN, NOW - 8_000_000)
    request(logs, "processing", 2, TXN, NOW - 1000)
    request(logs, "processing", 3, TXN, NOW - 1000)
    request(logs, "validation", 4, "txn_other", NOW - 1000)
    logs.write("processing", "2026 lambda-request-2 Task timed out after 25.00 seconds", NOW)
    logs.write("processing", "2026 lambda-request-22 Task timed out after 25.00 seconds", NOW)


@pytest.mark.parametrize("patterns", [True, False])
def test_the_story_of_a_payment_has_every_line_of_every_request_in_order(patterns: bool) -> None:
    logs = Logs()
    stories(logs)
    found = tell(reader(logs, patterns=patterns), Story(TXN), NOW - 9_000_000, NOW)
    assert len(found) == 13
    assert not any("request-4" in event.message or "request-22" in event.message for event in found)
    assert [event.message.split()[0] for event in found[:3:2]] == ["START", "REPORT"]
    assert [event.source for event in found] == ["validation"] * 3 + ["api"] + ["processing"] * 6 + ["api"] * 2 + [
        "processing"
    ]


@pytest.mark.parametrize("request_id", ["lambda-request-2", "gateway-request-2"])
def test_a_request_is_found_by_lambdas_id_and_by_the_apis(request_id: str) -> None:
    logs = Logs()
    stories(logs)
    found = tell(reader(logs), Story(request_id), NOW - 9_000_000, NOW)
    assert len(found) == 5
    assert all("request-2" in event.message for event in found)


def test_a_story_that_nobody_knows_is_empty() -> None:
    assert tell(reader(Logs()), Story(TXN), 0, NOW) == []


def test_later_searches_stay_near_what_was_found() -> None:
    logs = Logs()
    request(logs, "validation", 1, TXN, NOW - 60_000)
    tell(reader(logs), Story(TXN), 0, NOW)
    assert all(params["startTime"] == NOW - 180_000 for params in logs.asked[4:])
    assert all(params["endTime"] <= NOW + 60_005 for params in logs.asked[4:])


class OverError(Exception):
    """The end of a test's time."""


def followed(logs: Logs, seconds: int, start: int = NOW, story: Story | None = None, **more: Any) -> list[LogEvent]:
    found: list[LogEvent] = []
    ends = logs.now + 1000 * seconds

    def sleep(pause: float) -> None:
        logs.now += int(1000 * pause)
        if logs.now > ends:
            raise OverError

    options: dict[str, Any] = {"wanted": lambda _: True, "clock": lambda: logs.now / 1000, **more}
    following = Following(reader(logs, endless=True, patterns=False), story=story, sleep=sleep, **options)
    with pytest.raises(OverError):
        for event in following.lines(start):
            found.append(event)  # noqa: PERF402 - what was shown before the end counts
    return found


def test_what_arrives_late_is_shown_and_nothing_twice() -> None:
    logs = Logs()
    expected = [
        logs.write("validation", "before it began", NOW - 5000).message,
        logs.write("validation", "at once", NOW + 3000).message,
        logs.write("api", "ten seconds late", NOW + 3000, late=10_000).message,
        logs.write("api", "minutes late", NOW + 3000, late=90_000).message,
    ]
    logs.write("validation", "long ago", NOW - 900_000)
    assert messages(followed(logs, 240, start=NOW - 60_000)) == expected


@settings(max_examples=60, deadline=None)
@example(lines=[("validation", 0, 400_000, "same")], ids=False, skew=250_000, page=1)
@given(
    lines=st.lists(
        st.tuples(
            st.sampled_from(list(GROUPS)),
            st.integers(-30_000, 90_000),
            st.one_of(st.integers(0, 5_000), st.integers(0, 400_000)),
            st.sampled_from(["same", "other"]),
        ),
        max_size=30,
    ),
    ids=st.booleans(),
    skew=st.integers(-250_000, 250_000),
    page=st.sampled_from([1, 3, 10_000]),
)
def test_each_line_comes_once_whenever_it_arrives_whatever_the_clock_says(
    lines: list[tuple[str, int, int, str]], ids: bool, skew: int, page: int
) -> None:
    logs = Logs()
    logs.ids, logs.page = ids, page
    for source, at, late, message in lines:
        logs.write(source, message, NOW + at, late)
    found = followed(logs, 1000, start=NOW - 60_000, clock=lambda: (logs.now + skew) / 1000)
    expected = Counter((source, NOW + at, message) for source, at, _, message in lines)
    assert Counter((event.source, event.at, event.message) for event in found) == expected


def test_a_payment_can_be_followed_with_lines_that_come_before_its_name() -> None:
    logs = Logs()
    request(logs, "validation", 1, TXN, NOW + 4000)
    request(logs, "processing", 2, TXN, NOW + 9000)
    request(logs, "processing", 3, "txn_other", NOW + 9000)
    found = followed(logs, 30, story=Story(TXN))
    assert [event.source for event in found] == ["validation"] * 3 + ["api"] + ["processing"] * 3 + ["api"]
    assert found[0].message.startswith("START")


def test_only_what_is_wanted_is_shown() -> None:
    logs = Logs()
    logs.write("validation", "all is well", NOW + 1)
    logs.write("validation", "[ERROR] boom", NOW + 2)
    assert messages(followed(logs, 10, wanted=lambda event: event.failed)) == ["[ERROR] boom"]


@pytest.mark.parametrize(
    ("message", "failed"),
    [
        ({"outcome": "error", "status": 503}, True),
        ({"outcome": "rejected", "status": 400}, False),
        ({"outcome": "rejected", "status": 400, "queue_error": "TimeoutError"}, True),
        ({"outcome": "healthy", "error": "ReadTimeoutError"}, True),
        ({"errorType": "ImportError", "errorMessage": "no"}, True),
        ({"status": "502", "path": "/validate"}, True),
        ({"status": "429"}, True),
        ({"status": "403"}, False),
        ({"status": "-"}, False),
        ({"status": ["500"]}, False),
        ({"outcome": "validated", "status": 200}, False),
        ("2026-11-22 Task timed out after 25.00 seconds", True),
        ("[ERROR] Runtime.ImportModuleError: no", True),
        ("REPORT RequestId: x Duration: 1 ms Status: timeout", True),
        ("REPORT RequestId: x Duration: 1 ms", False),
        ("ERRORS", False),
        ("{no json ERROR", True),
        ('["ERROR"]', True),
        ("{" * 100_000, False),
    ],
)
def test_what_counts_as_an_error(message: Any, failed: bool) -> None:
    assert event(message).failed is failed


def test_a_dash_is_no_id() -> None:
    line = event({"request_id": "gateway-1", "integration_request_id": "-", "api_request_id": 7})
    assert line.links == {"gateway-1"}
