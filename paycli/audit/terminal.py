"""The report as lines and tables, for people."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from paycli.audit import wording
from paycli.audit.access import Grant
from paycli.audit.answers import answers
from paycli.audit.changes import NARROWER, WIDER, Changes
from paycli.audit.report import Report
from paycli.table.narrow import narrow_table
from paycli.text import one_line

# Letters of a column of the access table: one of all the actions on a key would push the others out of sight.
_WIDEST = 60
_PRINCIPAL = 25  # letters that the first column keeps on a narrow terminal
_STYLES = {
    "error": "bold red",
    "warning": "yellow",
    "informational": "cyan",
    wording.DIRECTIONS[WIDER]: "red",
    wording.DIRECTIONS[NARROWER]: "green",
}


def shown(report: Report) -> Iterator[Any]:
    """Give the report's parts in order; the verdict is the first."""
    facts = report.facts
    bad = report.failing or report.failing_changes
    yield _wrapped([wording.verdict(report)], "bold red" if bad else "bold green")
    if report.findings:
        yield from _section("Findings", _findings(report))
    yield from _section("Answers", _answers(report))
    surface = _records(wording.ROUTE, map(wording.route_row, facts.surface.routes))
    yield from _section("Surface: what can be called from outside", _wrapped(wording.api_lines(facts.surface)), surface)
    yield from _section("Access: who may do what", _access(facts.access))
    stores = _records(wording.STORE, map(wording.store_row, facts.data))
    yield from _section("Data: what is stored, and for how long", stores)
    if facts.unread:
        yield from _section("Not read by this report", *map(one_line, facts.unread))
    accepted = _records(wording.ACCEPTANCE, map(wording.acceptance_row, report.acceptances))
    yield from _section("Accepted risks", accepted if report.acceptances else "None.")
    if report.changes:
        yield from _section(f"Changes since {one_line(report.changes.since)}", *_changes(report.changes))


def _section(title: str, *parts: Any) -> Iterator[Any]:
    yield ""
    yield Text(title, style="bold")
    yield from parts


def _row(to: Table, cells: Sequence[str], style: str = "") -> None:
    """Add a row of cells that can hold neither markup nor control characters."""
    to.add_row(*(Text(one_line(cell)) for cell in cells), style=style)


def _records(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Return what has more columns than a terminal is wide: a line for each of them, beside the first."""
    made = _list(3)
    for name, *values in rows:
        for number, (label, text) in enumerate(zip(headers[1:], values, strict=True)):
            _row(made, ("" if number else name, f"{label[0].lower()}{label[1:]}", text))
    return made


def _access(grants: Iterable[Grant]) -> Table:
    made = narrow_table(*wording.GRANT)
    made.columns[0].min_width = _PRINCIPAL
    for column in made.columns[1:]:
        column.max_width = _WIDEST
    for grant in grants:
        _row(made, wording.grant_row(grant), "" if grant.effect == "Allow" else "dim")
    return made


def _list(columns: int) -> Table:
    made = narrow_table(*[""] * columns)
    made.show_header = False
    return made


def _wrapped(lines: Iterable[str], style: str = "") -> Table:
    """Return lines that a narrow terminal breaks between words."""
    made = _list(1)
    for line in lines:
        _row(made, (line,), style)
    return made


def _findings(report: Report) -> Table:
    made = _list(2)
    for finding in report.findings:
        subject = f"{finding.rule} {finding.resource or 'template'}, {wording.place(finding)}"
        _row(
            made,
            (finding.severity, f"{subject}: {finding.message}"),
            "" if finding.accepted else _STYLES[finding.severity],
        )
        for reason in wording.reasons(finding):
            _row(made, ("", reason))
    return made


def _answers(report: Report) -> Table:
    made = _list(1)
    for answer in answers(report):
        _row(made, (answer.question,), "italic")
        for sentence in answer.sentences:
            _row(made, (f"- {sentence}",))
    return made


def _changes(changes: Changes) -> Iterator[Table | str]:
    made = _list(2)
    for title, text in wording.change_rows(changes):
        _row(made, (title, text), _STYLES.get(title, ""))
    if made.row_count:
        yield wording.change_summary(changes)
    yield made if made.row_count else wording.NO_CHANGES
