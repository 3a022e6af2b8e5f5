"""`paycli audit`: what a template allows, exposes and keeps, and what the rules say of it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paycli import configuration, console
from paycli.commands.common import Project, environment_command, save
from paycli.console import Result
from paycli.errors import ExitStatus, PaycliError, UsageError

if TYPE_CHECKING:
    from paycli.audit.report import Report, Subject

_FORMATS = ["text", "json", "sarif", "markdown"]
_SEVERITIES = ["error", "warning", "informational", "never"]


_EXAMPLES = """\b
Example: paycli audit --env prod --since main --format markdown --output audit.md
         paycli audit --env prod --since origin/main --fail-on-wider
"""


@click.command("audit", epilog=_EXAMPLES)
@click.argument("template", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the report to this file.")
@click.option(
    "--fail-on",
    type=click.Choice(_SEVERITIES),
    default="warning",
    show_default=True,
    help="Exit with 1 where a finding that nobody accepted is as bad as this or worse.",
)
@click.option("--since", metavar="REF|FILE", help="Say what changed since a revision of Git, or another template file.")
@click.option(
    "--fail-on-wider",
    is_flag=True,
    help="With --since: exit with 4 where access, surface, data, monitoring or code became wider or weaker.",
)
@environment_command
def command(
    project: Project,
    template: Path | None,
    form: str,
    output: Path | None,
    fail_on: str,
    since: str | None,
    fail_on_wider: bool,
) -> Result:
    """Audit the template of an environment, or with FILE any other one: findings, access, surface and data.

    Works offline and asks AWS nothing. Without FILE it is what a deploy would send, not the file in templates/;
    where that differs, it says so. A finding that the project lives with stands in paycli.toml as
    [[audit.accept]], with a reason, an owner and a last day. --json prints the report of --format json as the data
    of its document.
    """
    if form != "text" and output is None and click.get_current_context().params["as_json"]:
        raise UsageError("--json is a format itself.", hint="Leave --format out, or add --output.", code="usage")
    if fail_on_wider and since is None:
        raise UsageError("--fail-on-wider needs --since.", hint="Add --since origin/main, for example.", code="usage")
    report = _report(project, template, fail_on, since, fail_on_wider=fail_on_wider)
    return _result(report, form, output)


def _report(
    project: Project, template: Path | None, fail_on: str, since: str | None, *, fail_on_wider: bool
) -> "Report":
    from paycli.audit import earlier
    from paycli.audit.accepted import check_terms
    from paycli.audit.findings import RULES, Linter
    from paycli.audit.report import examine

    environment = project.environment
    today = datetime.now(UTC).date()
    lines = configuration.accepted_lines(project.root)
    check_terms(environment.accepted_risks, lines, today)
    subject = earlier.from_file(template, project.root) if template else _rendered(project)
    return examine(
        subject,
        Linter(environment.region, [RULES]),
        environment=environment.name,
        retain_data=environment.retain_data,
        risks=environment.accepted_risks,
        risk_lines=lines,
        today=today,
        fail_on=fail_on,
        since=earlier.since(since, environment.name, project.root) if since else None,
        fail_on_wider=fail_on_wider,
    )


def _rendered(project: Project) -> "Subject":
    """Return the environment's template as it would stand in templates/ now."""
    from paycli.audit.model import read
    from paycli.audit.report import Subject
    from paycli.stack import build
    from paycli.stack.yaml_rendering import committed

    name = f"templates/{project.environment.name}.yaml"
    text = committed(build(project.environment))
    path = project.root / name
    if path.is_file() and path.read_text(encoding="utf-8", errors="replace") != text:
        console.note(
            f"The file {name} is another one than what is audited here: what a deploy would send. "
            f"To audit the file: paycli audit {name} --env {project.environment.name}"
        )
    return Subject(read(text, name), name, own=True)


def _result(report: "Report", form: str, output: Path | None) -> Result:
    from paycli.audit import terminal, wording
    from paycli.audit.document import document

    data = document(report)
    status = _status(report)
    errors = tuple(_failures(report))
    if output is not None:
        save(output, _text(report, form))
        said = [wording.verdict(report), f"Wrote {output}"]
        return Result({**data, "written": str(output)}, shown=said, status=status, errors=errors)
    if form == "text":
        return Result(data, shown=list(terminal.shown(report)), status=status, errors=errors)
    return Result(data, text=_text(report, form), status=status, errors=errors)


def _text(report: "Report", form: str) -> str:
    if form == "markdown":
        from paycli.audit.markdown import markdown

        return markdown(report)
    if form == "text":
        from paycli.audit import terminal

        return console.plain(terminal.shown(report))
    if form == "sarif":
        from paycli.audit.sarif import sarif

        return json.dumps(sarif(report), indent=2) + "\n"
    from paycli.audit.document import document

    return json.dumps(document(report), indent=2) + "\n"


def _status(report: "Report") -> ExitStatus:
    if report.failing:
        return ExitStatus.FAILED
    return ExitStatus.DIFFERENT if report.failing_changes else ExitStatus.DONE


def _failures(report: "Report") -> Iterator[PaycliError]:
    from paycli.audit.wording import change_summary

    number = len(report.failing)
    if number:
        found = f"{number} finding{'s' if number > 1 else ''}"
        yield PaycliError(
            f"{found} of severity {report.fail_on} or worse that nobody has accepted.",
            hint="Mend them; what the project lives with goes to paycli.toml as [[audit.accept]].",
            code="findings",
        )
    if report.changes and report.failing_changes:
        yield PaycliError(
            f"{change_summary(report.changes)} Compared with {report.changes.since}.",
            hint="Have somebody who answers for security look at them; without --fail-on-wider they are only told.",
            code="wider",
        )
