"""`paycli drill`: rehearse what one hopes never to need, with a report that an audit can keep."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paycli import __version__, console, display
from paycli.commands.common import Project, environment_command, save
from paycli.console import Result
from paycli.errors import ExitStatus, PaycliError, UsageError
from paycli.views import drill as drill_view

if TYPE_CHECKING:
    from paycli.aws import Aws, Caller
    from paycli.operations.drill.report import Measured, Report

_FORMATS = ["text", "json", "markdown"]


@click.group("drill", epilog="Example: paycli drill restore --env prod --format markdown --output drill.md")
def command() -> None:
    """Rehearse a recovery or the alarms, or look at what they need. Nothing is left behind but the report.

    The report says what was rehearsed, when, by whom, with which result, and the recovery point (RPO) and time (RTO)
    that were measured. A rehearsal that has failed exits with 1.
    """


def _report_options(function: Callable[..., Any]) -> Callable[..., Any]:
    function = click.option(
        "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the report to this file."
    )(function)
    return click.option("--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True)(function)


@command.command(
    "restore",
    short_help="Restore to a scratch table, compare, measure, delete it.",
    epilog="Example: paycli drill restore --env prod --format markdown --output drill.md",
)
@_report_options
@environment_command
def restore(project: Project, form: str, output: Path | None) -> Result:
    """Restore the newest state to a scratch table, compare it with the live one, measure, and delete it.

    The live table is only read, and keeps serving. On AWS it takes 20 to 60 minutes as a rule, and costs USD 0.15 for
    each GB restored, and the reading of both tables.
    """
    from paycli.operations.drill import restoration

    _check_format(form, output)
    aws, caller = _reach(project)
    began = datetime.now(UTC)
    with display.activity() as report:
        measured = restoration.rehearse(aws.client("dynamodb"), project.environment, report)
    return _result(_report(project, caller, "restore", began, measured), form, output)


@command.command(
    "alarms",
    short_help="Put each alarm into ALARM, receive it, put it back.",
    epilog="Example: paycli drill alarms --env prod --yes",
)
@click.option("--yes", is_flag=True, help="Don't ask; for CI.")
@click.option(
    "--timeout",
    type=click.IntRange(1, 900),
    default=120,
    show_default=True,
    help="Seconds to wait for the notifications.",
)
@_report_options
@environment_command
def alarms(project: Project, yes: bool, timeout: int, form: str, output: Path | None) -> Result:
    """Put each alarm into ALARM and receive its notification, then put it back.

    Whoever is subscribed is PAGED, once for each alarm, and told again that it is over: tell them before. The
    notification says that it is a drill. An alarm that is in ALARM for real is left alone.
    """
    from paycli.operations.drill import alarms as rehearsal

    _check_format(form, output)
    environment = project.environment
    yes = yes or (environment.target == "embedded" and not console.can_ask())
    console.require_answer(yes=yes)
    aws, caller = _reach(project)
    stack = rehearsal.check_stack(aws, environment)
    action = f"Put every alarm of {environment.name} into ALARM, in {caller.place}: whoever is subscribed is paged"
    console.confirm(action, environment.name, typed=environment.retain_data, yes=yes)
    began = datetime.now(UTC)
    with display.activity() as report:
        measured = rehearsal.rehearse(
            aws, environment, stack.outputs["AlarmTopicArn"], caller.arn, report, deadline_seconds=timeout
        )
    return _result(_report(project, caller, "alarms", began, measured), form, output)


@command.command(
    "readiness",
    short_help="Look whether all is there that a recovery needs.",
    epilog="Example: paycli drill readiness --env prod --json",
)
@_report_options
@environment_command
def readiness(project: Project, form: str, output: Path | None) -> Result:
    """Look whether all is there that a recovery needs: backups that are recent, protection, key, queues.

    It changes nothing.
    """
    from paycli.deployment import execution
    from paycli.operations.drill import readiness as looking

    _check_format(form, output)
    aws, caller = _reach(project)
    began = datetime.now(UTC)
    measured = looking.look(aws, project.environment, execution.existing(aws, project.environment))
    return _result(_report(project, caller, "readiness", began, measured), form, output)


@command.command(
    "cleanup",
    short_help="Remove what an interrupted drill has left.",
    epilog="Example: paycli drill cleanup --env prod",
)
@environment_command
def cleanup(project: Project) -> Result:
    """Remove what an interrupted drill has left: scratch tables, queues, subscriptions; put its alarms back.

    The next drill of the kind does the same.
    """
    from paycli.deployment import execution
    from paycli.operations.drill import leftovers

    aws, _ = _reach(project)
    stack = execution.existing(aws, project.environment)
    leftovers.remove_inboxes(aws, project.environment, stack.outputs["AlarmTopicArn"])
    with display.activity() as report:
        left = leftovers.remove_tables(aws.client("dynamodb"), project.environment, report)
    if left:
        error = PaycliError("; ".join(left), hint="Run it again later.", code="left_behind")
        return Result({"left": left}, status=ExitStatus.FAILED, errors=(error,))
    return Result({"left": []}, shown=["Nothing of a drill is left."])


def _check_format(form: str, output: Path | None) -> None:
    if form != "text" and output is None and click.get_current_context().params["as_json"]:
        raise UsageError("--json is a format itself.", hint="Leave --format out, or add --output.", code="usage")


def _reach(project: Project) -> "tuple[Aws, Caller]":
    from paycli.aws import check_caller

    aws = project.connect_to_deployed()
    return aws, check_caller(aws, project.environment)


def _report(project: Project, caller: "Caller", rehearsal: str, began: datetime, measured: "Measured") -> "Report":
    from paycli.operations.drill.report import Report

    return Report(
        rehearsal=rehearsal,
        environment=project.environment.name,
        place=caller.place,
        caller=caller.arn,
        paycli=__version__,
        began=began,
        ended=datetime.now(UTC),
        measured=measured,
    )


def _result(report: "Report", form: str, output: Path | None) -> Result:
    failed = [finding for finding in report.measured.findings if finding.result == "failed"]
    errors = tuple(PaycliError(f"{each.name}: {each.detail}", code="drill_failed") for each in failed)
    status = ExitStatus.FAILED if failed else ExitStatus.DONE
    data = drill_view.document(report)
    if output is not None:
        save(output, _text(report, form))
        said = f"The rehearsal {report.rehearsal} of {report.environment}: {report.result}."
        return Result({**data, "written": str(output)}, shown=[said, f"Wrote {output}"], status=status, errors=errors)
    if form == "text":
        return Result(data, shown=list(drill_view.shown(report)), status=status, errors=errors)
    return Result(data, text=_text(report, form), status=status, errors=errors)


def _text(report: "Report", form: str) -> str:
    if form == "markdown":
        return drill_view.markdown(report)
    if form == "text":
        return console.plain(drill_view.shown(report))
    return json.dumps(drill_view.document(report), indent=2) + "\n"
