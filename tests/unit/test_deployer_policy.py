"""`paycli config deployer-policy` as a command, and `paycli config` as it was before there were commands below it."""

import json
from pathlib import Path
from typing import Any

import pytest

from paycli.cli import run

SETTINGS = """
[env.prod]
region = "eu-central-1"
account_id = "111111111111"
permissions_boundary = "arn:aws:iam::111111111111:policy/bound"
"""


@pytest.fixture
def complete(project: Path) -> Path:
    (project / "paycli.toml").write_text(SETTINGS)
    return project


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[dict[str, Any], str]:
    """Return the JSON that a command prints, and what it says beside."""
    assert run(["config", "deployer-policy", *arguments]) == 0
    said = capsys.readouterr()
    return json.loads(said.out), said.err


def test_it_prints_one_document(complete: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy, said = printed(capsys, "--env", "prod")
    assert policy["Version"] == "2012-10-17"
    stack = "arn:aws:cloudformation:eu-central-1:111111111111:stack/payment-api-prod/*"
    assert policy["Statement"][0]["Resource"] == [stack]
    assert said == "A managed policy can't hold all of it: `--output FOLDER` writes it as 4.\n"
    buckets = {arn for one in policy["Statement"] if "s3:PutObject" in one["Action"] for arn in one["Resource"]}
    assert {arn.split("/", 1)[1] for arn in buckets} == {"code/*", "templates/*", "looks/*", "deployments/prod/*"}
    trust, said = printed(capsys, "--env", "prod", "--for", "trust")
    assert trust["Statement"][0]["Action"] == "sts:AssumeRole"
    assert said == ""


def test_as_many_files_as_managed_policies_need(complete: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, _ = printed(capsys, "--env", "prod")
    assert run(["config", "deployer-policy", "--env", "prod", "--output", "policies"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    files = [Path(line.removeprefix("Wrote ")) for line in said.out.splitlines()]
    assert [path.name for path in files] == [f"paycli-deployer-prod-{number}.json" for number in (1, 2, 3, 4)]
    parts = [json.loads(path.read_text()) for path in files]
    assert [statement for part in parts for statement in part["Statement"]] == whole["Statement"]
    assert run(["config", "deployer-policy", "--env", "prod", "--for", "bootstrap", "--output", "policies"]) == 0
    assert (complete / "policies" / "paycli-bootstrap-prod.json").exists()


def test_as_json_with_the_reason_of_each_wide_resource(complete: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document, _ = printed(capsys, "--env", "prod", "--json")
    assert (document["command"], document["environment"]) == ("config deployer-policy", "prod")
    data = document["data"]
    assert data["for"] == "deployer"
    assert len(data["documents"]) == len(data["characters"]) == 4
    assert "service-authorization" in data["explained"]["MakeListAliases"]
    assert "written" not in data
    written, _ = printed(capsys, "--env", "prod", "--json", "--output", "policies")
    assert Path(written["data"]["written"][0]).name == "paycli-deployer-prod-1.json"


def test_what_the_settings_leave_open_is_said(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    policy, said = printed(capsys, "--env", "dev", "--for", "role")
    assert "No region is set" in said
    assert "No account is set" in said
    assert "`permissions_boundary`" in said
    assert "arn:*:" in json.dumps(policy)
    monkeypatch.setenv("AWS_REGION", "cn-north-1")
    policy, said = printed(capsys, "--env", "dev", "--for", "role")
    assert "No region" not in said
    assert "arn:aws-cn:dynamodb:cn-north-1:*:table/transactions-dev" in json.dumps(policy)
    assert "arn:aws:" not in json.dumps(policy)


@pytest.mark.parametrize("options", [["--env", "prod"], ["--json"], ["--describe"]])
def test_options_before_the_command_are_refused_and_not_lost(
    project: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    """`--env prod` would else be dropped, and the policy be dev's."""
    assert run(["config", *options, "deployer-policy"]) == 2
    said = capsys.readouterr()
    assert "stand behind it" in said.err + said.out
    assert "paycli config deployer-policy --env NAME" in said.err + said.out


def test_the_variable_names_the_environment_of_both(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAYCLI_ENV", "prod")
    policy, _ = printed(capsys)
    assert "transactions-prod" in json.dumps(policy)
    assert run(["config"]) == 0
    assert "prod" in capsys.readouterr().out


def test_an_unknown_policy_is_a_usage_error(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "deployer-policy", "--for", "everybody"]) == 2
    assert "boundary" in capsys.readouterr().err
    assert run(["config", "deploy-policy"]) == 2
    assert "deploy-policy" in capsys.readouterr().err
