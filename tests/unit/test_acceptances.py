"""[[audit.accept]] of paycli.toml: strict, by environment, and refused by name where it isn't understood."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from paycli.configuration import accepted_lines, load
from paycli.environment import AcceptedRisk
from paycli.errors import ConfigurationError

ACCEPTED = """
[[audit.accept]]
rule = "CKV_AWS_117"
resource = ["ValidationFunction", "ProcessingFunction"]
reason = "No network."
owner = "payments team"
until = 2027-11-30
"""


def written(folder: Path, text: str) -> Path:
    (folder / "paycli.toml").write_text(text)
    return folder


def refused(folder: Path, text: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        load("prod", written(folder, text))
    return caught.value


def test_an_acceptance_is_the_environments(tmp_path: Path) -> None:
    (risk,) = load("prod", written(tmp_path, ACCEPTED)).environment.accepted_risks
    assert risk.rule == "CKV_AWS_117"
    assert risk.resource == ("ValidationFunction", "ProcessingFunction")
    assert risk.until == date(2027, 11, 30)
    assert risk.decision == "No network. (payments team, until 2027-11-30)"


@pytest.mark.parametrize(
    ("said", "name", "accepted"),
    [
        ("", "dev", True),
        ("env = 'prod'", "prod", True),
        ("env = 'prod'", "dev", False),
        ("env = ['dev', 'prod']", "prod", True),
        ("env = 'prod'", "staging", True),
        ("env = 'staging'", "prod", False),
        ("env = 'dev'", "pr-1", True),
        ("env = 'dev'", "staging", False),
    ],
)
def test_it_holds_for_its_environments_and_for_those_that_extend_them(
    tmp_path: Path, said: str, name: str, accepted: bool
) -> None:
    root = written(tmp_path, f"{ACCEPTED}{said}\n[env.staging]\nextends = 'prod'\n")
    assert bool(load(name, root).environment.accepted_risks) is accepted


@pytest.mark.parametrize(
    ("rule", "tool"),
    [
        ("CKV_AWS_117", "checkov"),
        ("CKV2_AWS_5", "checkov"),
        ("W9012", "cfn-lint"),
        ("E3002", "cfn-lint"),
        ("I3042", "cfn-lint"),
        ("W12", "cfn_nag"),
        ("F1000", "cfn_nag"),
        ("DYNAMODB_PITR_ENABLED", "cfn-guard"),
    ],
)
def test_the_id_tells_whose_rule_it_is(rule: str, tool: str) -> None:
    said = {"rule": rule, "resource": "X", "reason": "r", "owner": "o", "until": date(2027, 1, 1)}
    assert AcceptedRisk.model_validate(said).tool == tool
    assert AcceptedRisk.model_validate({**said, "tool": "cfn_nag"}).tool == "cfn_nag"


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        ("[audit]\nacept = []", "audit.acept", "'accept'"),
        ("audit = 3", "audit", "[audit]"),
        ("[audit.accept]\nrule = 'W1'", "audit.accept", "[[audit.accept]]"),
        ("[audit]\naccept = ['x']", "audit.accept[1]", "[[audit.accept]]"),
        (f"{ACCEPTED}reson = 'x'", "audit.accept[1] (CKV_AWS_117): reson", "'reason'"),
        (f"{ACCEPTED}{ACCEPTED}zzz = 1", "audit.accept[2] (CKV_AWS_117): zzz", "Known: env, owner"),
        (ACCEPTED.replace('owner = "payments team"', ""), "owner: is missing", "docs/audit.md"),
        (ACCEPTED.replace("2027-11-30", "'2027-11-30'"), "until: must be a valid date", "without quotes"),
        (
            ACCEPTED.replace("2027-11-30", "2027-11-30T00:00:00Z"),
            "until: must be a valid date",
            "without quotes",
        ),
        (ACCEPTED.replace('"No network."', '" "'), "reason: must have at least 1 character", "docs/audit.md"),
        (ACCEPTED.replace('"CKV_AWS_117"', '"S3"'), "(S3): rule: whose rule 'S3' is can't be told", "docs/audit.md"),
        (
            ACCEPTED.replace('"CKV_AWS_117"', "3"),
            "audit.accept[1]: rule: write it in quotes, as",
            "docs/audit.md",
        ),
        (ACCEPTED.replace('rule = "CKV_AWS_117"', ""), "audit.accept[1]: rule: is missing", "docs/audit.md"),
        (f"{ACCEPTED}tool = 'chekov'", "tool: must be 'cfn-lint', 'checkov'", "docs/audit.md"),
        (f"{ACCEPTED}env = 'pord'", "env: 'pord': there is no such thing", "'prod'"),
        (f"{ACCEPTED}env = 3", "env: must be the name of an environment", "docs/audit.md"),
        (f"{ACCEPTED}env = []", "env: must be the name of an environment", "docs/audit.md"),
        (f"{ACCEPTED}env = [1]", "env: must be the name of an environment", "docs/audit.md"),
        ("[defaults]\naccepted_risks = []", "defaults.accepted_risks", "Known:"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(tmp_path: Path, text: str, where: str, hint: str) -> None:
    error = refused(tmp_path, text)
    assert "paycli.toml" in error.message
    assert where in error.message
    assert hint in error.hint or hint in error.message


def test_one_of_no_environment_is_checked_as_well(tmp_path: Path) -> None:
    assert "owner" in refused(tmp_path, ACCEPTED.replace("owner", "ownr") + "env = 'dev'").hint


def test_no_resource_is_no_acceptance() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        AcceptedRisk.model_validate(
            {"rule": "W1", "resource": [], "reason": "r", "owner": "o", "until": date(2027, 1, 1)}
        )


def test_accepted_risks_are_no_setting_of_an_environment(tmp_path: Path) -> None:
    assert "accepted_risks" not in load("prod", written(tmp_path, ACCEPTED)).sources


@pytest.mark.parametrize(("rule", "refused_"), [("E3002", True), ("W9584", False), ("CKV_AWS_117", False)])
def test_an_error_is_accepted_by_name_alone(tmp_path: Path, rule: str, refused_: bool) -> None:
    text = ACCEPTED.replace("CKV_AWS_117", rule).replace('["ValidationFunction", "ProcessingFunction"]', '["*"]')
    if refused_:
        error = refused(tmp_path, text)
        assert (
            f"({rule}): rule: an error ({rule}) is accepted for resources by name alone, not for '*'" in error.message
        )
    else:
        assert load("prod", written(tmp_path, text)).environment.accepted_risks[0].resource == ("*",)


def test_an_acceptance_has_a_line(tmp_path: Path) -> None:
    deceiving = ACCEPTED.replace('"No network."', '"""Not\n[[audit.accept]]\nhere."""').replace("117", "118")
    root = written(tmp_path, f"{ACCEPTED}{deceiving}  [[ audit . accept ]]\n{ACCEPTED.split(chr(10), 2)[2]}")
    lines = {(risk.rule, line) for risk, line in accepted_lines(root).items()}
    assert lines == {("CKV_AWS_117", 2), ("CKV_AWS_118", 9)}  # the third says what the first says


@pytest.mark.parametrize(
    "text",
    [
        "",
        """[audit]
accept = [{rule = "W1000", resource = "A", reason = "r", owner = "o", until = 2027-01-01}]""",
    ],
)
def test_what_is_no_table_of_its_own_has_none(tmp_path: Path, text: str) -> None:
    assert accepted_lines(written(tmp_path, text)) == {}
