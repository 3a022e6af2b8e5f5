"""How the report of a rehearsal looks: plain text, Markdown, and data."""

from collections.abc import Iterator
from datetime import UTC
from typing import TYPE_CHECKING, Any

from paycli.table import Table
from paycli.text import for_markdown, printable

if TYPE_CHECKING:
    from paycli.operations.drill.report import Finding, Report

_WORDS = {"passed": "PASSED", "failed": "FAILED", "unproven": "not proven", "not_here": "not here"}
_STYLES = {"passed": "green", "failed": "bold red", "unproven": "yellow", "not_here": "dim"}


def document(report: "Report") -> dict[str, Any]:
    """Return the report as data; times are ISO 8601 in UTC, lengths of time seconds."""
    measured = report.measured
    return {
        "rehearsal": report.rehearsal,
        "result": report.result,
        "environment": report.environment,
        "place": report.place,
        "caller": report.caller,
        "paycli": report.paycli,
        "began": report.began.astimezone(UTC).isoformat(timespec="seconds"),
        "ended": report.ended.astimezone(UTC).isoformat(timespec="seconds"),
        "rpo_seconds": _rounded(measured.rpo_seconds),
        "rto_seconds": _rounded(measured.rto_seconds),
        "findings": [
            {
                "name": finding.name,
                "result": finding.result,
                "detail": finding.detail,
                "seconds": _rounded(finding.seconds),
            }
            for finding in measured.findings
        ],
        "notes": list(measured.notes),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def facts(report: "Report") -> list[tuple[str, str]]:
    """Return the head of the report: what, where, when, by whom, with which result."""
    measured = report.measured
    return [
        ("Rehearsal", f"{report.rehearsal} of {report.environment}, {report.place}"),
        ("Result", _WORDS[report.result]),
        ("Began", f"{report.began.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"),
        ("Ended", f"{report.ended.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"),
        ("By", f"{report.caller}, paycli {report.paycli}"),
        ("Recovery point (RPO)", _measured(measured.rpo_seconds)),
        ("Recovery time (RTO)", _measured(measured.rto_seconds)),
    ]


def _measured(seconds: float | None) -> str:
    if seconds is None:
        return "not measured"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def _seconds(finding: "Finding") -> str:
    return "" if finding.seconds is None else f"{finding.seconds:.1f} s"


def shown(report: "Report") -> Iterator[Any]:
    """Show the report as lines and a table."""
    head = facts(report)
    width = max(len(name) for name, _ in head)
    yield from (f"{name:<{width}}  {printable(value)}" for name, value in head)
    rows = Table(("Result", "What", "Took", ""))
    for finding in report.measured.findings:
        rows.add_row(
            _WORDS[finding.result],
            printable(finding.name),
            _seconds(finding),
            printable(finding.detail),
            style=_STYLES[finding.result],
        )
    yield rows
    yield from (printable(note) for note in report.measured.notes)


def markdown(report: "Report") -> str:
    """Return the report as a Markdown document."""
    lines = [f"# Rehearsal: {for_markdown(report.rehearsal)} of {for_markdown(report.environment)}", ""]
    lines += ["| | |", "| --- | --- |"]
    lines += [f"| {name} | {for_markdown(value)} |" for name, value in facts(report)]
    lines += ["", "| Result | What | Took | |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {_WORDS[each.result]} | {for_markdown(each.name)} | {_seconds(each)} | {for_markdown(each.detail)} |"
        for each in report.measured.findings
    ]
    lines += [f"\n{for_markdown(note)}" for note in report.measured.notes]
    return "\n".join(lines) + "\n"
