"""Findings: all that cfn-lint and the rules say, whatever the template says; and what the project lives with."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from paycli.audit.accepted import accept, check_terms, expired, void, without_effect
from paycli.audit.findings import Linter, at_least, ordered
from paycli.audit.model import read
from paycli.environment import AcceptedRisk
from paycli.errors import ConfigurationError
from tests.unit.audit.templates import finding, risk, template

TODAY = date(2026, 11, 22)


def test_a_rule_of_the_project_says_why_and_what_to_do(linter: Linter) -> None:
    found = [said for said in linter.findings(template({"Thing": "AWS::SNS::Topic"}), "t.yaml") if said.rule == "W9990"]
    (topic,) = found
    assert (topic.resource, topic.severity, topic.file) == ("Thing", "warning", "t.yaml")
    assert (topic.why, topic.requirement, topic.mend) == ("Rules can be tried", "No topic", "Take it out")
    assert topic.path == "Resources/Thing"


def test_a_line_is_that_of_the_text(linter: Linter) -> None:
    text = "# first\nResources:\n  Logs:\n    Type: AWS::Logs::LogGroup\n    Properties:\n      RetentionInDays: 2\n"
    found, *_ = linter.findings(read(text, "t"), "t.yaml")
    assert (found.rule, found.resource, found.line) == ("E3030", "Logs", 6)
    assert found.why
    assert found.url.startswith("https://")


def test_what_is_about_the_whole_template_has_no_resource(linter: Linter) -> None:
    found = linter.findings(template({}, Nonsense=1), "t")
    assert {said.resource for said in found} == {""}


WRONG = {
    "Type": "AWS::Logs::LogGroup",
    "DeletionPolicy": "Delete",
    "UpdateReplacePolicy": "Delete",
    "Properties": {"RetentionInDays": 2},
}
IGNORED = {"cfn-lint": {"config": {"ignore_checks": ["E3030"], "regions": ["mars"], "include_checks": []}}}


@pytest.mark.parametrize(
    "document",
    [
        {"Resources": {"Logs": {**WRONG, "Metadata": IGNORED}}},
        {"Resources": {"Logs": WRONG}, "Metadata": IGNORED},
    ],
)
def test_a_template_cannot_silence_the_audit(linter: Linter, document: dict[str, Any]) -> None:
    assert [said.rule for said in linter.findings(read(json.dumps(document), "t"), "t")] == ["E3030"]


def test_a_configuration_of_the_folder_cannot_silence_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".cfnlintrc").write_text("ignore_checks: [E3030]\n")
    monkeypatch.chdir(tmp_path)
    assert [said.rule for said in Linter("mars-1", []).findings(template({"Logs": WRONG}), "t")] == ["E3030"]


def test_the_worst_comes_first_then_the_place_and_nothing_twice() -> None:
    given = [
        finding("I9003", severity="informational"),
        finding("W9002", severity="warning", line=9),
        finding("W9002", severity="warning", line=2),
        finding("E9001"),
        finding("E9001"),
        finding("E9000", line=None),
    ]
    assert [(said.rule, said.line) for said in ordered(given)] == [
        ("E9000", None),
        ("E9001", 3),
        ("W9002", 2),
        ("W9002", 9),
        ("I9003", 3),
    ]


@pytest.mark.parametrize(("severity", "rules"), [("error", 1), ("warning", 2), ("informational", 3)])
def test_a_severity_and_what_is_worse(severity: str, rules: int) -> None:
    given = [finding(severity=each) for each in ("error", "warning", "informational")]
    assert len(list(at_least(given, severity))) == rules


def test_a_fingerprint_outlives_a_move_and_tells_resources_apart() -> None:
    assert finding(line=1).fingerprint == finding(line=99, path="elsewhere").fingerprint
    assert finding(resource="A").fingerprint != finding(resource="B").fingerprint


@pytest.mark.parametrize(
    ("accepted", "covered"),
    [
        (risk("E9001"), True),
        (risk("E9001", until=TODAY), True),
        (risk("E9001", until=date(2026, 11, 21)), False),
        (risk("W9001", "*"), False),
        (risk("E9001", "Other"), False),
        (risk("E9002"), False),
        (risk("E9001", tool="cfn_nag"), False),
    ],
)
def test_a_risk_in_force_covers_its_rule_on_its_resource(accepted: AcceptedRisk, covered: bool) -> None:
    (judged,), (entry,) = accept([finding()], [accepted], TODAY)
    assert (judged.accepted == accepted) is covered
    assert entry.in_force is (accepted.until >= TODAY)


def test_an_acceptance_counts_what_it_covers() -> None:
    given = [finding("W9001"), finding("W9001", resource="Other")]
    _, entries = accept(given, [risk("W9001"), risk("W9001", "*"), risk("CKV_AWS_1")], TODAY)
    assert [entry.findings for entry in entries] == [1, 2, None]


def test_an_expired_acceptance_is_an_error_whoever_has_the_rule() -> None:
    risks = [risk("CKV_AWS_1", until=date(2026, 11, 21)), risk("E9001", until=TODAY)]
    ((accepted, said),) = expired(risks, TODAY)
    assert accepted is risks[0]
    assert (said.rule, said.severity, said.file) == ("E9901", "error", "paycli.toml")
    assert "CKV_AWS_1 on Thing (payments team)" in said.message
    assert "2026-11-21" in said.message


@pytest.mark.parametrize(
    ("accepted", "rules"),
    [
        (risk("E9001"), []),
        (risk("E9005"), ["W9902"]),
        (risk("W9005", "*"), ["W9902"]),
        (risk("E9001", resource=["Thing", "Other"]), ["W9902"]),  # type: ignore[arg-type]
        (risk("E9001", "Nothing"), ["W9903"]),
        (risk("CKV_AWS_1", "Nothing"), ["W9903"]),
        (risk("CKV_AWS_1"), []),
    ],
)
def test_an_acceptance_without_effect_is_a_finding(accepted: AcceptedRisk, rules: list[str]) -> None:
    made = template({"Thing": "AWS::SNS::Topic", "Other": "AWS::SNS::Topic"})
    assert [said.rule for _, said in without_effect([finding()], [accepted], made)] == rules


def test_an_acceptance_for_every_resource_has_effect_where_there_is_one() -> None:
    given = [finding("W9001", severity="warning")]
    assert list(without_effect(given, [risk("W9001", "*")], template({"Thing": "AWS::SNS::Topic"}))) == []
    ((judged,), _) = accept(given, [risk("W9001", "*")], TODAY)
    assert judged.accepted == risk("W9001", "*")


def test_a_void_acceptance_is_told_once_with_its_line() -> None:
    gone, unused = risk("E9001", "Gone", until=date(2020, 1, 1)), risk("E9005")
    made = template({"Thing": "AWS::SNS::Topic"})
    said = list(void([finding()], [gone, unused], {gone: 7}, made, TODAY))
    assert [(each.rule, each.line) for each in said] == [("E9901", 7), ("W9902", None)]
    assert [each.rule for each in void([finding()], [gone, unused], {}, None, TODAY)] == ["E9901"]


@pytest.mark.parametrize(
    ("until", "lines", "where"),
    [
        (date(2027, 12, 27), {}, ""),
        (date(2020, 1, 1), {}, ""),
        (date(2027, 12, 28), {risk("E9001", until=date(2027, 12, 28)): 12}, "paycli.toml:12: audit.accept (E9001)"),
        (date(2999, 1, 1), {}, "paycli.toml: audit.accept (E9001): until: 2999-01-01 is more than 400 days away"),
    ],
)
def test_a_risk_is_accepted_for_400_days_at_most(until: date, lines: dict[AcceptedRisk, int], where: str) -> None:
    risks = [risk("CKV_AWS_1", until=TODAY), risk("E9001", until=until)]
    if not where:
        check_terms(risks, lines, TODAY)
        return
    with pytest.raises(ConfigurationError) as caught:
        check_terms(risks, lines, TODAY)
    assert caught.value.message.startswith(where)
    assert "2027-12-27 at the latest" in caught.value.hint
