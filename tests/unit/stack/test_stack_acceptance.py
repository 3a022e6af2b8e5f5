"""Accepted risks in the template, each in the form that its auditor reads."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file
from cfnlint.config import ManualArgs

from paycli.environment import AcceptedRisk, Environment
from paycli.stack import build
from paycli.stack.yaml_rendering import to_yaml


def accepted(rule: str, resource: str = "Key", tool: str | None = None) -> AcceptedRisk:
    said = {"rule": rule, "resource": resource, "reason": "Why", "owner": "payments team", "until": date(2027, 11, 30)}
    return AcceptedRisk.model_validate({**said, "tool": tool} if tool else said)


@pytest.mark.parametrize(
    ("rule", "metadata"),
    [
        ("W9012", {"cfn-lint": {"config": {"ignore_checks": ["W9012"]}}}),
        ("CKV_AWS_7", {"checkov": {"skip": [{"id": "CKV_AWS_7", "comment": "Why (payments team, until 2027-11-30)"}]}}),
        ("F76", {"cfn_nag": {"rules_to_suppress": [{"id": "F76", "reason": "Why (payments team, until 2027-11-30)"}]}}),
        ("KMS_ROTATION", {"guard": {"SuppressedRules": ["KMS_ROTATION"]}}),
    ],
)
def test_each_auditor_finds_it_in_its_form(stack: Any, rule: str, metadata: dict[str, Any]) -> None:
    built = stack("dev", accepted_risks=(accepted(rule),))
    assert built.resource("Key")["Metadata"] == metadata
    assert [name for name, body in built.template["Resources"].items() if "Metadata" in body] == ["Key"]


def test_several_of_one_resource_stand_side_by_side(stack: Any) -> None:
    risks = (accepted("CKV_AWS_7"), accepted("CKV_AWS_8"), accepted("W1200", tool="cfn_nag"))
    metadata = stack("dev", accepted_risks=risks).resource("Key")["Metadata"]
    assert [entry["id"] for entry in metadata["checkov"]["skip"]] == ["CKV_AWS_7", "CKV_AWS_8"]
    assert metadata["cfn_nag"]["rules_to_suppress"][0]["id"] == "W1200"


def test_for_all_resources_it_stands_on_each_and_for_cfn_lint_on_the_template(stack: Any) -> None:
    built = stack("dev", accepted_risks=(accepted("CKV_AWS_7", "*"), accepted("W3011", "*")))
    assert all("checkov" in body["Metadata"] for body in built.template["Resources"].values())
    assert built.template["Metadata"]["cfn-lint"] == {"config": {"ignore_checks": ["W3011"]}}


def test_a_resource_that_is_not_there_changes_nothing(stack: Any) -> None:
    assert stack("dev", accepted_risks=(accepted("CKV_AWS_7", "Nothing"),)).template == stack("dev").template


def test_an_acceptance_makes_no_new_deployment_of_the_api(stack: Any) -> None:
    built = stack("dev", accepted_risks=(accepted("CKV_AWS_7", "ValidateMethod"),))
    assert set(built.template["Resources"]) == set(stack("dev").template["Resources"])


def test_the_reviewer_reads_it_before_the_properties() -> None:
    lines = to_yaml(build(Environment(name="dev", accepted_risks=(accepted("CKV_AWS_7"),)))).splitlines()
    start = lines.index("  Key:")
    assert [line.strip() for line in lines[start : start + 8] if not line.startswith("     ")] == [
        "Key:",
        "Type: AWS::KMS::Key",
        "DeletionPolicy: Delete",
        "UpdateReplacePolicy: Delete",
        "Metadata:",
    ]


def test_cfn_lint_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    risks = (accepted("CKV_AWS_7"), accepted("W12"), accepted("KMS_ROTATION"), accepted("E3012"))
    path.write_text(to_yaml(build(Environment(name="dev", accepted_risks=risks))))
    assert lint_file(path, config=ManualArgs(include_checks=["I"])) == []
