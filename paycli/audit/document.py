"""The report as plain data, for programs. Its keys are described in docs/audit.md; `schema` grows when one changes."""

from dataclasses import asdict
from typing import Any

from paycli.audit.accepted import OURS, Acceptance
from paycli.audit.answers import answers
from paycli.audit.changes import Changes
from paycli.audit.findings import Finding
from paycli.audit.report import Report

SCHEMA = 1


def document(report: Report) -> dict[str, Any]:
    """Return the report as JSON's data."""
    return {
        "schema": SCHEMA,
        "environment": report.environment,
        "template": report.file,
        "as_of": str(report.as_of),
        "verdict": {
            "failed": bool(report.failing),
            "fail_on": report.fail_on,
            "open": report.counts,
            "fail_on_wider": report.fail_on_wider,
            "wider": len(report.changes.wider) if report.changes else None,
            "accepted": len(report.findings) - len(report.open_findings),
            "accepted_errors": report.accepted_errors,
            "accepted_risks": sum(entry.in_force for entry in report.acceptances),
            "next_expiry": str(report.next_expiry) if report.next_expiry else None,
        },
        "findings": [_finding(finding) for finding in report.findings],
        "answers": [asdict(answer) for answer in answers(report)],
        "surface": {
            "apis": [asdict(api) for api in report.facts.surface.apis],
            "routes": [asdict(route) for route in report.facts.surface.routes],
        },
        "access": [asdict(grant) for grant in report.facts.access],
        "data": [asdict(store) for store in report.facts.data],
        "unread": list(report.facts.unread),
        "accepted_risks": [_acceptance(entry) for entry in report.acceptances],
        "changes": _changes(report.changes) if report.changes else None,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    accepted = finding.accepted
    return {
        **{name: value for name, value in vars(finding).items() if name != "accepted"},
        "fingerprint": finding.fingerprint,
        "accepted": {"reason": accepted.reason, "owner": accepted.owner, "until": str(accepted.until)}
        if accepted
        else None,
    }


def _acceptance(entry: Acceptance) -> dict[str, Any]:
    risk = entry.risk
    return {
        "rule": risk.rule,
        "tool": risk.tool,
        "resources": list(risk.resource),
        "reason": risk.reason,
        "owner": risk.owner,
        "until": str(risk.until),
        "in_force": entry.in_force,
        "checked_here": risk.tool == OURS,
        "findings": entry.findings,
    }


def _changes(changes: Changes) -> dict[str, Any]:
    return {
        "since": changes.since,
        "changes": [asdict(change) for change in changes.changes],
        "new_findings": [_finding(finding) for finding in changes.new_findings],
        "mended_findings": [_finding(finding) for finding in changes.mended_findings],
    }
