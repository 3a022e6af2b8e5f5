"""Making clients."""

import dataclasses
from pathlib import Path

import pytest
from botocore import exceptions
from botocore.stub import Stubber

from paycli.aws import Aws, check_caller, connect
from paycli.environment import Environment
from paycli.errors import ConfigurationError

EMBEDDED = Environment(name="local", target="embedded")


def test_only_what_is_wrong_with_an_endpoint_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_arguments: object, **_options: object) -> None:
        raise ValueError("another mistake")

    aws = connect(EMBEDDED, "http://127.0.0.1:1")
    monkeypatch.setattr(aws.session, "client", refuses)
    with pytest.raises(ValueError, match="another mistake"):
        aws.client("sqs")


def test_without_a_region_there_is_one_clear_message() -> None:
    with pytest.raises(ConfigurationError, match="No AWS region") as caught:
        connect(Environment(name="dev"))
    assert "env.dev" in caught.value.hint


def test_the_region_is_the_setting_else_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert connect(Environment(name="dev")).region == "eu-north-1"
    assert connect(Environment(name="dev", region="eu-west-1")).region == "eu-west-1"


def test_the_files_of_the_caller_count_on_aws_and_not_on_the_embedded_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("[profile work]\nregion = ap-south-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert connect(Environment(name="dev")).region == "ap-south-1"
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    embedded = connect(EMBEDDED, "http://127.0.0.1:1")
    assert embedded.region == "us-east-1"
    assert embedded.credentials().access_key == "test"
    assert embedded.client("sqs").meta.endpoint_url == "http://127.0.0.1:1"


def test_a_client_is_made_once() -> None:
    aws = connect(EMBEDDED, "http://127.0.0.1:1")
    assert aws.client("sqs") is aws.client("sqs")


def test_a_hurried_client_tries_once_and_is_another() -> None:
    aws = connect(EMBEDDED, "http://127.0.0.1:1")
    hurried, other = (aws.client("sqs", hurried=hurried).meta.config for hurried in (True, False))
    assert (hurried.connect_timeout, hurried.read_timeout, hurried.retries["total_max_attempts"]) == (1, 2, 1)
    assert (other.connect_timeout, other.read_timeout, other.retries["total_max_attempts"]) == (5, 60, 5)


def test_signing_without_credentials_says_so() -> None:
    with pytest.raises(exceptions.NoCredentialsError):
        connect(Environment(name="dev", region="us-east-1")).credentials()


def of_account(account: str) -> Aws:
    aws = connect(EMBEDDED, "http://127.0.0.1:1")
    stubber = Stubber(aws.client("sts"))
    stubber.add_response("get_caller_identity", {"Account": account, "Arn": f"arn:aws:iam::{account}:user/dev"})
    stubber.activate()
    return aws


def test_the_right_account_passes() -> None:
    environment = Environment(name="dev", account_id="111111111111")
    assert check_caller(of_account("111111111111"), environment).arn.endswith("user/dev")
    assert check_caller(of_account("222222222222"), Environment(name="dev")).account == "222222222222"


def test_where_calls_go_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = of_account("2" * 12)
    assert check_caller(embedded, Environment(name="local")).place == "the embedded AWS"
    on_aws = dataclasses.replace(of_account("2" * 12), endpoint_url=None)
    assert check_caller(on_aws, Environment(name="dev")).place == "account 222222222222, us-east-1"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://elsewhere")
    elsewhere = dataclasses.replace(of_account("2" * 12), endpoint_url=None)
    assert "through AWS_ENDPOINT_URL=http://elsewhere" in check_caller(elsewhere, Environment(name="dev")).place


def test_a_wrong_account_is_refused_by_both_numbers() -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_caller(of_account("222222222222"), Environment(name="dev", account_id="111111111111"))
    assert "222222222222" in caught.value.message
    assert "111111111111" in caught.value.message
