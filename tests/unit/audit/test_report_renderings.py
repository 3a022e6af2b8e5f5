"""How a report looks: text that fits a terminal, Markdown for a pull request, SARIF, and JSON with documented keys."""

import io
import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cfnlint.jsonschema import StandardValidator
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from paycli import console
from paycli.audit.answers import answers
from paycli.audit.changes import NEUTRAL, WIDER, Change, Changes
from paycli.audit.document import document
from paycli.audit.findings import Finding, Linter
from paycli.audit.markdown import markdown
from paycli.audit.model import Template
from paycli.audit.report import Report, Subject, examine, facts
from paycli.audit.sarif import sarif
from paycli.audit.terminal import shown
from paycli.audit.wording import verdict
from paycli.environment import AcceptedRisk
from paycli.text import for_markdown, one_line
from tests.unit.audit.templates import changed, finding, payments, read_document, resource, risk, template

TODAY = date(2026, 11, 22)
ROOT = Path(__file__).parents[3]


def report(
    *findings: Finding,
    of: Template | None = None,
    risks: tuple[AcceptedRisk, ...] = (),
    changes: Changes | None = None,
    fail_on: str = "warning",
) -> Report:
    from paycli.audit.accepted import accept

    judged, acceptances = accept(findings, risks, TODAY)
    made = facts(of or read_document(payments()))
    return Report("prod", "templates/prod.yaml", TODAY, fail_on, judged, made, acceptances, changes)


def plain(of: Report) -> str:
    return console.plain(shown(of))


def section(text: str, title: str) -> list[str]:
    """The lines below a title, up to the next empty one."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(title))
    below = lines[start + 1 :]
    return below[: below.index("")] if "" in below else below


@pytest.mark.parametrize(
    ("given_report", "said"),
    [
        (report(), "templates/prod.yaml (prod): no findings; no accepted risks."),
        (
            report(finding(), finding("W9001", severity="warning"), risks=(risk("E9001"),)),
            (
                "templates/prod.yaml (prod): 1 finding (1 warning); 1 accepted risk (1 error), "
                "the next expires on 2999-01-01."
            ),
        ),
        (
            report(finding(), finding(line=9), risks=(risk("E9001"), risk("CKV_AWS_1"))),
            "templates/prod.yaml (prod): no findings; 2 accepted risks (2 errors), the next expires on 2999-01-01.",
        ),
        (
            report(finding(), finding("E9002"), risks=(risk("CKV_AWS_1"), risk("F1", until=date(2027, 1, 2)))),
            "templates/prod.yaml (prod): 2 findings (2 error); 2 accepted risks, the next expires on 2027-01-02.",
        ),
    ],
)
def test_the_first_line_is_the_verdict(given_report: Report, said: str) -> None:
    assert plain(given_report).splitlines()[0] == said


def test_a_narrow_terminal_breaks_the_verdict_between_words() -> None:
    text = io.StringIO()
    narrow = Console(file=text, width=40, force_terminal=True, color_system=None)
    for part in shown(report(finding(), risks=(risk("E9001"),))):
        console.show(narrow, part)
    lines = [line.rstrip() for line in text.getvalue().split("Findings")[0].splitlines() if line.strip()]
    assert max(map(len, lines)) <= 40
    assert " ".join(lines) == (
        "templates/prod.yaml (prod): no findings; 1 accepted risk (1 error), the next expires on 2999-01-01."
    )


def test_the_parts_come_in_order() -> None:
    text = plain(report(finding(), changes=Changes("main", (), (), ())))
    titles = ("Findings", "Answers", "Surface", "Access", "Data", "Accepted risks", "Changes since main")
    places = [text.index(f"\n{title}") for title in titles]
    assert places == sorted(places)
    assert section(text, "Changes since") == ["None in access, surface, data, monitoring, code or findings."]
    assert section(text, "Accepted risks") == ["None."]


def test_a_finding_says_where_why_and_what_to_do() -> None:
    (first, *reasons) = section(plain(report(finding())), "Findings")
    assert first == "error  E9001 Thing, templates/dev.yaml:3: It is wrong"
    assert [line.strip() for line in reasons] == ["Why: It matters", "Requirement: It shall not", "Mend: Mend it"]


def test_a_finding_without_words_or_place_and_an_accepted_one() -> None:
    bare = finding(resource="", line=None, why="", requirement="", mend="")
    assert section(plain(report(bare)), "Findings") == ["error  E9001 template, templates/dev.yaml: It is wrong"]
    accepted = section(plain(report(finding(), risks=(risk("E9001"),))), "Findings")
    assert accepted[1].strip() == "Accepted: Because (payments team, until 2999-01-01)"
    assert len(accepted) == 2


def test_an_accepted_risk_says_until_when_and_whose_it_is() -> None:
    risks = (risk("E9001", until=date(2020, 1, 1)), risk("CKV_AWS_117"))
    lines = [re.split(r"\s{2,}", line.strip()) for line in section(plain(report(risks=risks)), "Accepted risks")]
    assert ["until", "2020-01-01, EXPIRED"] in lines
    assert ["CKV_AWS_117", "for", "checkov, not checked here"] in lines
    assert ["E9001", "for", "cfn-lint"] in lines
    assert ["owner", "payments team"] in lines


CHANGED = Changes(
    "main:templates/prod.yaml",
    (Change(WIDER, "access", "f may now also x"), Change(NEUTRAL, "data", "t is new")),
    (replace(finding("W9009"), accepted=risk("W9009")),),
    (finding("E9008", resource=""),),
)


def test_what_changed_is_grouped() -> None:
    lines = [re.split(r"\s{2,}", line) for line in section(plain(report(changes=CHANGED)), "Changes since")]
    assert lines == [
        ["1 change wider or weaker: 1 in access."],
        ["Wider or weaker", "f may now also x"],
        ["Neither", "t is new"],
        ["New findings", "W9009 Thing: It is wrong (Because (payments team, until 2999-01-01))"],
        ["Mended findings", "E9008 template: It is wrong"],
    ]


def test_every_table_fits_a_terminal_of_80_columns() -> None:
    terminal = Console(width=80, force_terminal=True, color_system=None, highlight=False, markup=False)
    with terminal.capture() as captured:
        for part in shown(report(finding(), risks=(risk("CKV_AWS_117"),), changes=CHANGED)):
            console.show(terminal, part)
    wide = [line for line in captured.get().splitlines() if len(line) > 80]
    assert [line for line in wide if not line.startswith(("payment-api-prod: ", "templates/prod.yaml (prod)"))] == []
    below = r"payment-processing-prod *\n +May +dynamodb:UpdateItem *\n +On +transactions-prod *\n"
    assert re.search(below, captured.get())


def test_without_a_terminal_it_is_plain() -> None:
    text = plain(report(finding(), of=template({"A": "AWS::EC2::Instance"})))
    assert "\x1b" not in text
    assert not any(line.endswith(" ") for line in text.splitlines())
    assert section(text, "Not read by this report") == ["AWS::EC2::Instance"]


HOSTILE = "x\x1b[2J[red]\n| @boss #1 <b>![i](u)` www.x.example https://y.example \u202e"


def hostile() -> Report:
    made = template(
        {
            HOSTILE: resource("SQS::Queue", QueueName=HOSTILE),
            "Role": resource("IAM::Role", RoleName=HOSTILE, AssumeRolePolicyDocument={"Statement": []}),
            "Api": resource("ApiGateway::RestApi", Name=HOSTILE),
            "Odd": {"Type": HOSTILE},
        }
    )
    found = finding(HOSTILE, HOSTILE, message=HOSTILE, why=HOSTILE, mend=HOSTILE, file=HOSTILE)
    changes = Changes(HOSTILE, (Change(WIDER, "access", HOSTILE),), (found,), ())
    return report(
        found, of=made, risks=(risk("X", HOSTILE, reason=HOSTILE, owner=HOSTILE, tool="checkov"),), changes=changes
    )


def test_no_name_or_reason_steers_the_terminal() -> None:
    terminal = Console(width=80, force_terminal=True, highlight=False, markup=False)
    with terminal.capture() as captured:
        for part in shown(hostile()):
            console.show(terminal, part)
    text = re.sub(r"\x1b\[[0-9;]*m", "", captured.get())  # rich's own colours
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[red]" in text


def test_no_name_or_reason_is_markdown() -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown(hostile()))
    kinds = {child.type for token in tokens for child in token.children or []}
    assert kinds <= {"text", "strong_open", "strong_close", "softbreak", "text_special"}
    assert not any(token.type in {"html_block", "fence", "code_block"} for token in tokens)
    text = "".join(child.content for token in tokens for child in token.children or [])
    assert "@boss" not in text
    assert "@\u200bboss" in text


@given(st.text())
def test_whatever_is_escaped_reads_as_it_was(text: str) -> None:
    tokens = (
        MarkdownIt("commonmark")
        .enable(["table", "strikethrough"])
        .parse(f"| a |\n| --- |\n| x{for_markdown(text)}x |\n")
    )
    cells = [token for token in tokens if token.type == "inline"]
    assert len(cells) == 2
    shown_text = "".join(child.content for child in cells[1].children or []).replace("\u200b", "")
    assert shown_text == f"x{one_line(text)}x"


def test_markdown_has_the_tables_of_the_report() -> None:
    text = markdown(report(finding(), risks=(risk("E9001"), risk("CKV_AWS_117")), changes=CHANGED))
    assert text.startswith("**templates/prod.yaml \\(prod\\): no findings; 2 accepted risks")
    assert "| error, accepted | E9001 | Thing | templates/dev.yaml:3 | It is wrong | Accepted: Because" in text
    assert "| POST /process | IAM \\(SigV4\\) | ProcessRequest, any content type |" in text
    assert "| payment-processing-prod | dynamodb:UpdateItem | transactions-prod |" in text
    assert (
        "### Changes since main:templates/prod.yaml\n\n1 change wider or weaker: 1 in access.\n\n"
        "**Wider or weaker**\n\n- f may now also x\n" in text
    )
    assert "| CKV\\_AWS\\_117 | checkov, not checked here | Thing | 2999-01-01 |" in text


def test_markdown_leaves_out_what_there_is_none_of() -> None:
    text = markdown(report(changes=Changes("main", (), (), ())))
    assert "### Findings" not in text
    assert "### Accepted risks" not in text
    assert "None in access, surface, data, monitoring, code or findings." in text
    odd = markdown(report(of=template({"A": "AWS::EC2::Instance"})))
    assert "### Not read by this report\n\n- AWS::EC2::Instance\n" in odd


# What is emitted of SARIF 2.1.0, in the specification's words and bounds (sections 3.13 to 3.49), and nothing else.
TEXT = {
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {"text": {"type": "string", "minLength": 1}},
}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
SARIF_RULE = {
    "type": "object",
    "required": ["id", "shortDescription", "fullDescription", "help", "defaultConfiguration"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "shortDescription": TEXT,
        "fullDescription": TEXT,
        "help": TEXT,
        "helpUri": {"type": "string", "pattern": "^https://"},
        "defaultConfiguration": {"type": "object", "additionalProperties": False, "properties": {"level": LEVEL}},
        "properties": {"type": "object"},
    },
}
SARIF_LOCATION = {
    "type": "object",
    "required": ["physicalLocation"],
    "additionalProperties": False,
    "properties": {
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation"],
            "additionalProperties": False,
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "required": ["uri"],
                    "additionalProperties": False,
                    "properties": {
                        "uri": {"type": "string", "pattern": r"^(file:///)?[A-Za-z0-9._~/%-]+$"},
                        "uriBaseId": {"type": "string"},
                    },
                },
                "region": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"startLine": {"type": "integer", "minimum": 1}},
                },
            },
        },
        "logicalLocations": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {name: {"type": "string"} for name in ("name", "fullyQualifiedName", "kind")},
            },
        },
    },
}
SARIF_RESULT = {
    "type": "object",
    "required": ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints", "suppressions"],
    "additionalProperties": False,
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": TEXT,
        "locations": {"type": "array", "items": SARIF_LOCATION},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
        "suppressions": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["kind"],
                "additionalProperties": False,
                "properties": {
                    "kind": {"enum": ["inSource", "external"]},
                    "status": {"enum": ["accepted", "underReview", "rejected"]},
                    "justification": {"type": "string"},
                },
            },
        },
    },
}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "pattern": "^https://"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "additionalProperties": False,
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"type": "string"},
                                    "version": {"type": "string"},
                                    "rules": {"type": "array", "uniqueItems": True, "items": SARIF_RULE},
                                },
                            }
                        },
                    },
                    "automationDetails": {"type": "object", "properties": {"id": {"type": "string"}}},
                    "originalUriBaseIds": {"type": "object"},
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {"type": "array", "items": SARIF_RESULT},
                },
            },
        },
    },
}


def run_of(of: Report) -> dict[str, Any]:
    log = json.loads(json.dumps(sarif(of)))
    assert [error.message for error in StandardValidator(SARIF).iter_errors(log)] == []
    run: dict[str, Any] = log["runs"][0]
    return run


def test_a_result_of_sarif_names_rule_level_line_and_resource() -> None:
    run = run_of(report(finding(), finding("W9001", severity="warning"), finding("I9001", severity="informational")))
    first = run["results"][0]
    assert run["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == first["ruleId"] == "E9001"
    assert [result["level"] for result in run["results"]] == ["error", "warning", "note"]
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "templates/dev.yaml", "uriBaseId": "PROJECTROOT"},
        "region": {"startLine": 3},
    }
    assert first["locations"][0]["logicalLocations"][0]["name"] == "Thing"
    rule = run["tool"]["driver"]["rules"][0]
    assert rule["help"]["text"] == "Why: It matters\nRequirement: It shall not\nMend: Mend it"
    assert rule["helpUri"] == "https://docs.aws.amazon.com/x"
    assert run["automationDetails"]["id"] == "paycli-audit/prod/"


def test_an_accepted_finding_is_suppressed_and_the_others_are_said_not_to_be() -> None:
    run = run_of(report(finding(), finding("E9002"), risks=(risk("E9001"),)))
    assert [result["suppressions"] for result in run["results"]] == [
        [{"kind": "external", "status": "accepted", "justification": "Because (payments team, until 2999-01-01)"}],
        [],
    ]
    assert len(run["tool"]["driver"]["rules"]) == 2


def test_what_says_the_same_twice_has_two_fingerprints_and_they_outlive_a_move() -> None:
    def fingerprints(*lines: int) -> list[str]:
        run = run_of(report(*(finding(line=line) for line in lines)))
        return [result["partialFingerprints"]["paycliAudit/v1"] for result in run["results"]]

    assert len(set(fingerprints(3, 4))) == 2
    assert fingerprints(3, 4) == fingerprints(30, 40)


def test_sarif_of_hostile_or_missing_words_is_valid() -> None:
    bare = finding(
        title="", why="", requirement="", mend="", url="javascript:x", resource="", line=None, file="/tmp/a b.yaml"
    )
    (result,) = run_of(report(bare))["results"]
    assert result["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "file:///tmp/a%20b.yaml"}}}]
    run_of(hostile())
    assert run_of(report())["results"] == []


def test_what_is_wider_is_a_result_of_sarif_and_an_error_where_that_fails() -> None:
    changes = replace(CHANGED, changes=(Change(WIDER, "data", "a"), Change(WIDER, "access", "b"), *CHANGED.changes))
    run = run_of(report(finding(), changes=changes))
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["E9001", "wider-data", "wider-access"]
    told = [(result["ruleId"], result["message"]["text"], result["level"]) for result in run["results"][1:]]
    assert told == [
        ("wider-data", "a", "note"),
        ("wider-access", "b", "note"),
        ("wider-access", "f may now also x", "note"),
    ]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [said["ruleId"] for said in run["results"]]
    failing = run_of(replace(report(changes=changes), fail_on_wider=True))
    assert {result["level"] for result in failing["results"]} == {"error"}


def test_the_changes_begin_with_how_many_are_wider_and_of_what() -> None:
    several = (Change(WIDER, "code", "a"), Change(WIDER, "data", "b"), Change(WIDER, "code", "c"))
    changes = Changes("main", several, (), ())
    said = "3 changes wider or weaker: 1 in data, 2 in code."
    assert section(plain(report(changes=changes)), "Changes since")[0] == said
    assert f"\n{said}\n" in markdown(report(changes=changes))
    neutral = Changes("main", (Change(NEUTRAL, "data", "t is new"),), (), ())
    assert section(plain(report(changes=neutral)), "Changes since")[0] == "Nothing is wider or weaker."
    assert document(report(changes=changes))["verdict"]["wider"] == 3


def documented() -> set[str]:
    """The keys that docs/audit.md describes."""
    text = (ROOT / "docs" / "audit.md").read_text()
    return set(re.findall(r"^\| `([a-z_.]+)` \|", text, re.MULTILINE))


def keys(data: Any, prefix: str = "") -> set[str]:
    if isinstance(data, list):
        return {key for entry in data for key in keys(entry, prefix)}
    if not isinstance(data, dict):
        return set()
    found = set()
    for key, value in data.items():
        found |= {prefix + key} | keys(value, f"{prefix}{key}.")
    return found


def test_every_key_of_the_json_is_documented_and_the_reverse() -> None:
    full = report(finding(), finding("E9002"), risks=(risk("E9001"),), changes=CHANGED)
    data = json.loads(json.dumps(document(full)))
    # What changed in findings has the keys of findings.
    own = {key for key in keys(data) if not re.match(r"changes\.(new|mended)_findings\.", key)}
    assert own == documented()
    assert data["schema"] == 1


def test_the_json_says_what_the_text_says() -> None:
    data = document(report(finding(), finding("W9001", severity="warning"), risks=(risk("E9001"), risk("CKV_AWS_1"))))
    assert data["verdict"] == {
        "failed": True,
        "fail_on": "warning",
        "fail_on_wider": False,
        "wider": None,
        "open": {"error": 0, "warning": 1, "informational": 0},
        "accepted": 1,
        "accepted_errors": 1,
        "accepted_risks": 2,
        "next_expiry": "2999-01-01",
    }
    assert data["findings"][0]["accepted"] == {"reason": "Because", "owner": "payments team", "until": "2999-01-01"}
    assert data["findings"][1]["accepted"] is None
    assert [entry["findings"] for entry in data["accepted_risks"]] == [1, None]
    assert data["changes"] is None
    assert document(report())["verdict"]["next_expiry"] is None


@pytest.mark.parametrize(("fail_on", "failing"), [("error", 1), ("warning", 2), ("informational", 3), ("never", 0)])
def test_what_fails_is_as_bad_as_was_said_or_worse(fail_on: str, failing: int) -> None:
    severities = ("error", "warning", "informational")
    given_report = report(*(finding(severity=severity, rule=severity) for severity in severities), fail_on=fail_on)
    assert len(given_report.failing) == failing


def answer(number: int, of: Template) -> tuple[str, ...]:
    return answers(report(of=of))[number].sentences


def test_who_can_read_a_payment() -> None:
    sentences = answer(0, read_document(payments()))
    assert sentences[0] == (
        "Nobody of the template's own principals reads transactions-prod, failed-transactions-dlq-prod,"
        " failed-transactions-prod."
    )
    assert "by its id: payment-processing-prod (dynamodb:UpdateItem); payment-validation-prod" in sentences[1]
    assert sentences[2].endswith("lets them decrypt where kms:ViaService is dynamodb or sqs or sns or lambda.")


STATEMENT = ("ProcessingPolicy", "Properties", "PolicyDocument", "Statement", 0)


@pytest.mark.parametrize("action", ["dynamodb:Query", "dynamodb:*", "*", "DynamoDB:Get*"])
def test_a_reader_is_named_with_what_it_may(action: str) -> None:
    sentences = answer(0, read_document(changed(payments(), *STATEMENT, "Action", to=action)))
    assert sentences[0].startswith(f"transactions-prod: payment-processing-prod ({action}")


def test_a_reader_of_everything_and_one_on_a_condition() -> None:
    table = {"Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/*"}
    document = changed(payments(), *STATEMENT, "Action", to=["dynamodb:Scan"])
    document = changed(document, *STATEMENT, "Resource", to=table)
    document = changed(document, *STATEMENT, "Condition", to={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    said = "transactions-prod: payment-processing-prod (dynamodb:Scan where aws:MultiFactorAuthPresent is true)."
    assert said in answer(0, read_document(document))


def test_a_backup_of_payments_is_payments_too() -> None:
    document = payments()
    document["Resources"]["BackupVault"] = resource("Backup::BackupVault", "Retain", BackupVaultName="safe")
    assert "safe" in answer(0, read_document(document))[0]
    points = {"Fn::Sub": "arn:${AWS::Partition}:backup:${AWS::Region}:${AWS::AccountId}:recovery-point:*"}
    document = changed(document, *STATEMENT, "Action", to=["backup:StartRestoreJob"])
    document = changed(document, *STATEMENT, "Resource", to=points)
    assert answer(0, read_document(document))[0] == "safe: payment-processing-prod (backup:StartRestoreJob)."


def test_where_every_store_is_read_nobody_is_not_said() -> None:
    document = changed(payments(), *STATEMENT, "Action", to=["dynamodb:Query", "sqs:ReceiveMessage"])
    sentences = answer(0, read_document(changed(document, *STATEMENT, "Resource", to="*")))
    assert len([sentence for sentence in sentences if sentence.startswith(("transactions", "failed"))]) == 3
    assert not any("Nobody" in sentence for sentence in sentences)


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("arn:aws:iam::aws:policy/AdministratorAccess", "AdministratorAccess"),
        ({"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/ReadOnlyAccess"}, "ReadOnlyAccess"),
        ("arn:aws:iam::111122223333:policy/ours", "arn:aws:iam::111122223333:policy/ours"),
    ],
)
def test_who_holds_a_policy_from_elsewhere_may_read_and_nobody_is_not_said(arn: Any, name: str) -> None:
    arns = [{"Ref": "ProcessingPolicy"}, arn]
    document = changed(payments(), "ProcessingRole", "Properties", "ManagedPolicyArns", to=arns)
    sentences = answer(0, read_document(document))
    unread = "transactions-prod, failed-transactions-dlq-prod, failed-transactions-prod"
    assert sentences[:2] == (
        f"No policy that stands in the template lets its principals read {unread}.",
        f"payment-processing-prod may read, by policy {name}, which this report does not read.",
    )
    assert not any("Nobody" in sentence for sentence in sentences)


@pytest.mark.parametrize(("reference", "told"), [("TransactionsTable", True), ("AlarmTopic", False)])
def test_who_is_not_read_and_refers_to_a_store_makes_the_answer_incomplete(reference: str, told: bool) -> None:
    document = payments()
    document["Resources"]["Export"] = resource("Lambda::EventSourceMapping", EventSourceArn={"Ref": reference})
    sentences = answer(0, read_document(document))
    said = "Incomplete: not read, but refers to them: Export (AWS::Lambda::EventSourceMapping)."
    assert (said in sentences) is told
    assert any("Nobody" in sentence for sentence in sentences) is not told


def test_beyond_the_template_the_key_decides() -> None:
    def beyond(*path: str | int, to: Any) -> str:
        return answer(0, read_document(changed(payments(), *path, to=to)))[-1]

    policy = ("Key", "Properties", "KeyPolicy", "Statement")
    assert beyond(*policy, 1, "Condition", to=None).endswith("it lets them decrypt in every way.")
    assert beyond(*policy, 1, to=None) == "Beyond the template: nobody, as the key's policy lets nobody else decrypt."
    open_queue = beyond("FailedTransactionsQueue", "Properties", "KmsMasterKeyId", to=None)
    assert open_queue.endswith("not all of them have a key of their own.")


def test_what_happens_to_the_data() -> None:
    assert "Kept; deletion protection is on: transactions-prod." in answer(1, read_document(payments()))
    (kept,) = [said for said in answer(1, read_document(payments())) if said.startswith("Kept: ")]
    assert "key Key" in kept
    assert "alias/" not in kept
    document = changed(payments(), "TransactionsTable", "DeletionPolicy", to="Delete")
    assert "The deletion fails: deletion protection is on: transactions-prod." in answer(1, read_document(document))
    document = changed(document, "TransactionsTable", "Properties", "DeletionProtectionEnabled", to=False)
    assert "Deleted; AWS keeps a backup for 35 days: transactions-prod." in answer(1, read_document(document))


def test_what_an_unauthenticated_caller_reaches() -> None:
    assert answer(2, read_document(payments()))[0].startswith("No route: ")
    document = changed(payments(), "HealthMethod", "Properties", "AuthorizationType", to="NONE")
    assert answer(2, read_document(document)) == ("GET /health: health-monitor-prod answers.",)
    allow = {"Effect": "Allow", "Principal": "*", "Action": "x", "Resource": "execute-api:/*"}
    inside = {**allow, "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}
    limited = changed(document, "RestApi", "Properties", "Policy", to={"Statement": [inside]})
    assert answer(2, read_document(limited)) == (
        "GET /health from 192.0.2.0/24 only: health-monitor-prod answers.",
        "x on payment-api-prod/* where aws:SourceIp is in 192.0.2.0/24.",
    )


def test_what_everyone_may_do_without_a_route_is_told() -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
    bucket = resource("S3::BucketPolicy", Bucket="files", PolicyDocument={"Statement": [statement]})
    assert answer(2, template({"Policy": bucket})) == ("s3:GetObject on files.", "The template has no route.")


def test_an_empty_template_has_its_answers_too() -> None:
    empty = template({"Handle": "AWS::CloudFormation::WaitConditionHandle"})
    assert [answer(number, empty) for number in range(4)] == [
        ("No store of the template is known to hold payments.",),
        ("The template has no store.",),
        ("The template has no route.",),
        ("Nothing.",),
    ]


def test_what_was_accepted_until_when() -> None:
    risks = (risk("E9001"), risk("CKV_AWS_117", until=date(2020, 1, 1)))
    assert answers(report(risks=risks))[3].sentences == (
        "CKV_AWS_117 on Thing EXPIRED on 2020-01-01, by payments team.",
        "E9001 on Thing until 2999-01-01, by payments team.",
    )


def test_a_whole_report_compares_findings_as_well(linter: Linter) -> None:
    old = Subject(template({"Mended": "AWS::SNS::Topic", "Kept": "AWS::SNS::Topic"}), "old", own=False)
    new = Subject(template({"Kept": "AWS::SNS::Topic", "New": "AWS::SNS::Topic"}), "new", own=True)
    risks = (risk("W9990", "Kept"), risk("W9990", "Mended"), risk("E9001", "Gone", until=date(2020, 1, 1)))
    made = examine(
        new,
        linter,
        environment="dev",
        retain_data=False,
        risks=risks,
        risk_lines={},
        today=TODAY,
        fail_on="error",
        since=old,
    )
    ours = [(said.rule, said.resource) for said in made.findings if said.rule.startswith(("W99", "E99"))]
    assert ours == [("E9901", ""), ("W9990", "Kept"), ("W9990", "New"), ("W9903", "Mended")]
    assert made.changes is not None
    assert [said.resource for said in made.changes.new_findings if said.rule == "W9990"] == ["New"]
    assert [said.resource for said in made.changes.mended_findings if said.rule == "W9990"] == ["Mended"]
    assert "topic New is new" in made.changes.changes[-1].text
    other = examine(
        replace(new, own=False),
        linter,
        environment="dev",
        retain_data=False,
        risks=risks,
        risk_lines={risks[2]: 41},
        today=TODAY,
        fail_on="never",
        since=None,
    )
    assert not any(said.rule in {"W9902", "W9903"} for said in other.findings)
    assert [(said.file, said.line) for said in other.findings if said.rule == "E9901"] == [("paycli.toml", 41)]
    assert (other.changes, other.failing) == (None, ())
    assert "1 error" in verdict(other)
