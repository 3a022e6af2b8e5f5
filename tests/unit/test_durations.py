"""Times as people write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paycli.durations import duration, moment
from paycli.errors import UsageError

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("1h30m", timedelta(minutes=90)),
        (" 2d ", timedelta(days=2)),
        ("1w2d3h4m5s", timedelta(weeks=1, days=2, hours=3, minutes=4, seconds=5)),
    ],
)
def test_a_length_of_time(text: str, length: timedelta) -> None:
    assert duration(text) == length


@pytest.mark.parametrize("text", ["", "5", "m", "30m1h", "1.5h", "-5m", "5 m", "15min", "١٥m"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(UsageError, match="is no length of time") as caught:
        duration(text)
    assert "1h30m" in caught.value.hint


def test_a_length_that_nobody_can_count() -> None:
    with pytest.raises(UsageError, match="too long"):
        duration("999999999w")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("15m", NOW - timedelta(minutes=15)),
        ("15m ago", NOW - timedelta(minutes=15)),
        ("2026-11-23T09:00:00Z", NOW - timedelta(minutes=30)),
        ("2026-11-23T11:00:00+02:00", NOW - timedelta(minutes=30)),
        ("2026-11-23 09:00Z", NOW - timedelta(minutes=30)),
    ],
)
def test_a_moment_is_in_utc(text: str, at: datetime) -> None:
    assert moment(text, NOW) == at
    assert moment(text, NOW).tzinfo is UTC


@pytest.mark.parametrize("text", ["2026-11-23T09:00:00", "2026-11-23"])
def test_a_time_without_a_zone_is_not_guessed(text: str) -> None:
    with pytest.raises(UsageError, match="doesn't say its zone"):
        moment(text, NOW)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "200000w"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        moment(text, NOW)


@given(st.integers(0, 4_000_000_000), st.integers(-14, 14))
def test_iso_8601_of_any_zone_comes_back(seconds: int, hours: int) -> None:
    told = datetime.fromtimestamp(seconds, timezone(timedelta(hours=hours)))
    assert moment(told.isoformat(), NOW) == told
