"""What is done in less time than by botocore has the same result."""

from datetime import UTC, datetime

import pytest
from botocore.exceptions import DataNotFoundError
from botocore.utils import parse_timestamp
from hypothesis import example, given
from hypothesis import strategies as st

from paycli.aws import connect
from paycli.environment import Environment
from paycli.hastening import timestamp

TIMES = st.integers(86_400, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
ENVIRONMENTS = [Environment(name="dev", region="us-east-1"), Environment(name="local", target="embedded")]


@given(TIMES)
def test_a_time_is_the_one_that_botocore_reads(at: datetime) -> None:
    forms = [
        at.isoformat().replace("+00:00", "Z"),
        f"{at:%Y%m%dT%H%M%SZ}",
        f"{at:%Y-%m-%dT%H:%M:%S}.1Z",
        at.isoformat(),
    ]
    forms += [f"{at:%a, %d %b %Y %H:%M:%S GMT}"]
    for form in forms:
        assert timestamp(form) == parse_timestamp(form)
        assert timestamp(form).utcoffset() == parse_timestamp(form).utcoffset()


@given(st.floats(0, 4e9) | st.integers(0, 4_000_000_000))
def test_seconds_are_read_as_such(seconds: float) -> None:
    assert timestamp(seconds) == timestamp(str(seconds)) == parse_timestamp(seconds)


@example("Z")
@example("2026-13-01T00:00:00Z")
@given(st.text(max_size=12).filter(lambda text: not any(map(str.isalnum, text))))
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Invalid timestamp"):
        timestamp(text)


@pytest.mark.parametrize(
    "environment", [Environment(name="dev", region="us-east-1"), Environment(name="local", target="embedded")]
)
def test_every_service_has_its_client_and_others_have_none(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    aws = connect(environment)
    for service in aws.session.get_available_services()[::40]:
        assert aws.client(service).meta.service_model.service_name == service
    with pytest.raises(DataNotFoundError):
        aws.client("no-such-service")
