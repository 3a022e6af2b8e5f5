"""The findings as SARIF 2.1.0, which code-scanning services read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from paycli import __version__
from paycli.audit.changes import Change
from paycli.audit.findings import Finding
from paycli.audit.report import Report

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "informational": "note"}
# The root that paths are relative to: where the project lies is nobody's business but its reader's.
_ROOT = "PROJECTROOT"


def sarif(report: Report) -> dict[str, Any]:
    """Return the findings as a SARIF log of one run; an accepted one is there, and suppressed.

    What is wider or weaker than in another template is a result as well, of a rule for each area.
    """
    rules = list({finding.rule: finding for finding in report.findings}.values())
    indexes = {finding.rule: index for index, finding in enumerate(rules)}
    wider = report.changes.wider if report.changes else ()
    areas = list(dict.fromkeys(change.area for change in wider))
    level = "error" if report.fail_on_wider else "note"
    said: Counter[str] = Counter()
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "paycli audit",
                        "version": __version__,
                        "rules": [*map(_rule, rules), *(_wider_rule(area, level) for area in areas)],
                    }
                },
                "automationDetails": {"id": f"paycli-audit/{report.environment}/"},
                "originalUriBaseIds": {_ROOT: {"description": {"text": "The folder of paycli.toml."}}},
                "columnKind": "unicodeCodePoints",
                "results": [
                    *(_result(finding, indexes[finding.rule], said) for finding in report.findings),
                    *(_wider(change, len(rules) + areas.index(change.area), level, report.file) for change in wider),
                ],
            }
        ],
    }


def _rule(finding: Finding) -> dict[str, Any]:
    help_text = "\n".join(_help(finding))
    rule = {
        "id": finding.rule,
        "shortDescription": {"text": finding.title or finding.rule},
        "fullDescription": {"text": finding.why or finding.title or finding.rule},
        "help": {"text": help_text or finding.title or finding.rule},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {"tags": ["security"]},
    }
    if finding.url.startswith("https://"):
        rule["helpUri"] = finding.url
    return rule


def _wider_rule(area: str, level: str) -> dict[str, Any]:
    text = {"text": f"A change makes {area} wider or weaker"}
    return {
        "id": f"wider-{area}",
        "shortDescription": text,
        "fullDescription": text,
        "help": {"text": "Look at it as at a change of what protects the payments; paycli audit --since says more."},
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["security"]},
    }


def _wider(change: Change, index: int, level: str, file: str) -> dict[str, Any]:
    return {
        "ruleId": f"wider-{change.area}",
        "ruleIndex": index,
        "level": level,
        "message": {"text": change.text},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(file)}}],
        "partialFingerprints": {"paycliAudit/v1": hashlib.sha256(change.text.encode()).hexdigest()},
        "suppressions": [],
    }


def _help(finding: Finding) -> Iterable[str]:
    for label, text in (("Why", finding.why), ("Requirement", finding.requirement), ("Mend", finding.mend)):
        if text:
            yield f"{label}: {text}"


def _result(finding: Finding, index: int, said: Counter[str]) -> dict[str, Any]:
    said[finding.fingerprint] += 1
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": _artifact(finding.file)}}
    if finding.line:
        location["physicalLocation"]["region"] = {"startLine": finding.line}
    if finding.resource:
        location["logicalLocations"] = [
            {"name": finding.resource, "fullyQualifiedName": f"Resources/{finding.resource}", "kind": "resource"}
        ]
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [location],
        # The number tells apart what says the same twice.
        "partialFingerprints": {"paycliAudit/v1": f"{finding.fingerprint}:{said[finding.fingerprint]}"},
        # All results have the list, or none (section 3.27.23): an empty one says that nothing suppresses it.
        "suppressions": _suppressions(finding),
    }


def _artifact(file: str) -> dict[str, str]:
    if file.startswith("/"):
        return {"uri": f"file://{quote(file)}"}
    return {"uri": quote(file), "uriBaseId": _ROOT}


def _suppressions(finding: Finding) -> list[dict[str, str]]:
    if finding.accepted is None:
        return []
    return [{"kind": "external", "status": "accepted", "justification": finding.accepted.decision}]
