"""The HTTP client of the deployed API: signing, trust, proxies, failures."""

from pathlib import Path

import boto3
import pytest
from botocore.exceptions import NoCredentialsError

from paycli.api_client import ApiClient, call
from paycli.aws import Aws
from paycli.errors import PaycliError
from tests.unit.smoke.smoke_stack import Reply, Request, serving

SESSION = boto3.Session(
    aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="not-a-secret", aws_session_token="a-token"
)
ON_AWS = Aws(SESSION, "eu-west-1", None)
EMBEDDED = Aws(SESSION, "us-east-1", "http://127.0.0.1:9")


class Recorder:
    """Answers every request alike and remembers them."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Reply:
        self.requests.append(request)
        return self.reply


def test_a_signed_request_carries_the_callers_signature_for_the_api() -> None:
    api = Recorder(Reply(200, {"status": "validated"}, headers={"X-Said": "Yes"}))
    with serving(api) as endpoint:
        answer = call(
            EMBEDDED,
            "POST",
            f"{endpoint}validate?a=b",
            body=b'{"amount":1}',
            headers={"Idempotency-Key": "k"},
            signed=True,
            timeout=5,
        )
    assert (answer.status, answer.json(), answer.headers["x-said"]) == (200, {"status": "validated"}, "Yes")
    (request,) = api.requests
    assert (request.path, request.body) == ("/validate?a=b", b'{"amount":1}')
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/us-east-1/execute-api/aws4_request" in request.headers["authorization"]
    assert request.headers["x-amz-security-token"] == "a-token"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["idempotency-key"] == "k"
    assert request.headers["user-agent"].startswith("paycli/")


def test_an_unsigned_request_carries_nothing_of_the_caller() -> None:
    api = Recorder(Reply(403, {}))
    with serving(api) as endpoint:
        answer = call(EMBEDDED, "GET", f"{endpoint}health", body=None, headers={}, signed=False, timeout=5)
    assert answer.status == 403
    assert not {"authorization", "x-amz-date", "x-amz-security-token", "content-type"} & set(api.requests[0].headers)


def test_own_headers_win() -> None:
    api = Recorder(Reply(415, {}))
    with serving(api) as endpoint:
        client = ApiClient(EMBEDDED, endpoint)
        client.call("POST", "validate", body=b"x", headers={"Content-Type": "text/plain"}, signed=True)
        client.close()
    assert api.requests[0].headers["content-type"] == "text/plain"


def test_an_answer_that_is_no_json_says_so_when_asked() -> None:
    with serving(Recorder(Reply(502, None, raw=b"<html>"))) as endpoint:
        answer = call(EMBEDDED, "GET", endpoint, body=None, headers={}, signed=False, timeout=5)
    with pytest.raises(ValueError, match="Expecting value"):
        answer.json()


def test_signing_without_credentials_fails_before_anything_is_sent() -> None:
    api = Recorder(Reply(200, {}))
    with serving(api) as endpoint, pytest.raises(NoCredentialsError):
        call(
            Aws(boto3.Session(), "us-east-1", "http://127.0.0.1:9"),
            "GET",
            endpoint,
            body=None,
            headers={},
            signed=True,
            timeout=5,
        )
    assert api.requests == []


def test_no_answer_is_an_expected_error_with_a_hint() -> None:
    dropping = serving(Recorder(Reply(200, {}, hang_up=True)))
    with dropping as endpoint, pytest.raises(PaycliError, match="no answer") as closed:
        call(EMBEDDED, "GET", endpoint, body=None, headers={}, signed=False, timeout=5)
    with pytest.raises(PaycliError, match="no answer") as refused:  # the server has gone
        call(EMBEDDED, "GET", endpoint, body=None, headers={}, signed=False, timeout=5)
    for error in (closed.value, refused.value):
        assert error.code == "unreachable"
        assert "paycli local status" in error.hint


def test_https_to_what_speaks_none_points_at_trust() -> None:
    with serving(Recorder(Reply(200, {}))) as endpoint, pytest.raises(PaycliError) as failed:
        call(
            ON_AWS,
            "GET",
            endpoint.replace("http:", "https:"),
            body=None,
            headers={},
            signed=False,
            timeout=5,
        )
    assert "AWS_CA_BUNDLE" in failed.value.hint


@pytest.mark.parametrize("where", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "profile"])
def test_the_ca_bundle_is_the_one_that_boto3_uses(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = str(tmp_path / f"{where}.pem")
    session = SESSION
    if where == "profile":
        (tmp_path / "config").write_text(f"[profile corporate]\nca_bundle = {bundle}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        session = boto3.Session(profile_name="corporate")
    else:
        monkeypatch.setenv(where, bundle)
    with serving(Recorder(Reply(200, {}))) as endpoint, pytest.raises(PaycliError, match="No such file"):
        call(
            Aws(session, "eu-west-1", None),
            "GET",
            endpoint.replace("http:", "https:"),
            body=None,
            headers={},
            signed=False,
            timeout=5,
        )


@pytest.fixture
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.usefixtures("_no_proxies")
def test_a_proxy_is_used_for_aws_and_never_for_the_embedded_one(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, api = Recorder(Reply(200, "proxy")), Recorder(Reply(200, "api"))
    with serving(proxy) as proxy_url, serving(api) as endpoint:
        monkeypatch.setenv("HTTP_PROXY", proxy_url)
        through = call(ON_AWS, "GET", "http://api.example/health", body=None, headers={}, signed=False, timeout=5)
        past = call(EMBEDDED, "GET", endpoint, body=None, headers={}, signed=False, timeout=5)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        exempt = call(ON_AWS, "GET", endpoint, body=None, headers={}, signed=False, timeout=5)
    assert (through.json(), past.json(), exempt.json()) == ("proxy", "api", "api")
    assert proxy.requests[0].path == "http://api.example/health"
