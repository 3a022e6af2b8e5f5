"""The report as Markdown of GitHub's kind, for a pull request.

Names, reasons and messages are other people's words: they are escaped, so that none becomes a link, an image, a
mention or a row of its own. https://github.github.com/gfm/
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from paycli.audit import wording
from paycli.audit.answers import answers
from paycli.audit.changes import Changes
from paycli.audit.report import Report
from paycli.audit.surface import Surface
from paycli.text import for_markdown

_FINDING = ("Severity", "Rule", "Resource", "Where", "Finding", "Reasons")


def markdown(report: Report) -> str:
    """Return the report as a Markdown document; what changed stands right after the findings."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    facts = report.facts
    yield f"**{for_markdown(wording.verdict(report))}**"
    if report.findings:
        yield from _section("Findings", _table(_FINDING, _findings(report)))
    if report.changes:
        yield from _section(f"Changes since {for_markdown(report.changes.since)}", _changes(report.changes))
    yield from _section("Answers", _answers(report))
    yield from _section("Surface", _surface(facts.surface))
    yield from _section("Access", _table(wording.GRANT, map(wording.grant_row, facts.access)))
    yield from _section("Data", _table(wording.STORE, map(wording.store_row, facts.data)))
    if facts.unread:
        yield from _section("Not read by this report", (f"- {for_markdown(name)}" for name in facts.unread))
    if report.acceptances:
        rows = map(wording.acceptance_row, report.acceptances)
        yield from _section("Accepted risks", _table(wording.ACCEPTANCE, rows))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield from ("", f"### {title}", "", *lines)


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headers)} |"
    yield f"|{' --- |' * len(headers)}"
    for row in rows:
        yield f"| {' | '.join(for_markdown(cell) for cell in row)} |"


def _findings(report: Report) -> Iterator[Sequence[str]]:
    for finding in report.findings:
        severity = f"{finding.severity}, accepted" if finding.accepted else finding.severity
        reasons = " ".join(wording.reasons(finding))
        yield severity, finding.rule, finding.resource, wording.place(finding), finding.message, reasons


def _changes(changes: Changes) -> Iterator[str]:
    rows = list(wording.change_rows(changes))
    if rows:
        yield from (wording.change_summary(changes), "")
    for title, group in groupby(rows, key=lambda row: row[0]):
        yield from (f"**{title}**", "", *(f"- {for_markdown(text)}" for _, text in group), "")
    if not rows:
        yield wording.NO_CHANGES


def _answers(report: Report) -> Iterator[str]:
    for answer in answers(report):
        yield from (
            f"**{answer.question}**",
            "",
            *(f"- {for_markdown(sentence)}" for sentence in answer.sentences),
            "",
        )


def _surface(surface: Surface) -> Iterator[str]:
    for line in wording.api_lines(surface):
        yield from (for_markdown(line), "")
    yield from _table(wording.ROUTE, map(wording.route_row, surface.routes))
