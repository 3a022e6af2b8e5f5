"""`paycli logs`: what the functions and the API have logged, merged by time."""

import contextlib
import json
import re
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

import click

from paycli import console
from paycli.commands.common import Project, environment_command
from paycli.console import Result
from paycli.errors import ExitStatus, PaycliError, UsageError

if TYPE_CHECKING:
    from paycli.environment import Environment
    from paycli.operations.logs.event import LogEvent
    from paycli.operations.logs.reader import Reader
    from paycli.operations.logs.story import Story

_SOURCES = {
    "validation": "ValidationLogs",
    "processing": "ProcessingLogs",
    "health-monitor": "HealthMonitorLogs",
    "api": "AccessLogs",
}
_SINCE, _SINCE_OF_STORY = "15m", "1d"
_ID = re.compile(r"[A-Za-z0-9_.:=-]{8,128}")


def _id(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _ID.fullmatch(value):
        raise click.BadParameter(f"{value!r} is no id: it has 8 to 128 letters, digits and _ . : = -")
    return value


@click.command(
    "logs",
    epilog="""\b
Example: paycli logs --env prod --since 1h --errors
         paycli logs --env prod --transaction txn_5d1c0a7be2f94c3d8a1b6e0f7c2d9384
         paycli logs --env dev --follow --function validation --function api""",
)
@click.option("--follow", is_flag=True, help="Go on with what is logged, until Ctrl-C.")
@click.option(
    "--since",
    metavar="TIME",
    show_default="15m; with an id 1d",
    help="How far back: 90s, 15m, 1h30m, 2d; or from when on: 2026-11-23T09:30:00Z.",
)
@click.option(
    "--function", "sources", type=click.Choice(list(_SOURCES)), multiple=True, help="Only of this; may be repeated."
)
@click.option("--errors", is_flag=True, help="Only 5xx, 429, crashes and lost messages; no refused payment.")
@click.option("--transaction", metavar="ID", callback=_id, help="All lines of all requests of this payment.")
@click.option("--request-id", metavar="ID", callback=_id, help="All lines of this request: Lambda's id or the API's.")
@environment_command
def command(
    project: Project,
    follow: bool,
    since: str | None,
    sources: tuple[str, ...],
    errors: bool,
    transaction: str | None,
    request_id: str | None,
) -> Result:
    """Show what the three functions and the API's access log say, merged by time, one line an event; times are UTC.

    With --json it is one document; with --follow and --json, one JSON object a line. AWS lets all readers of an account
    read 5 pages a second: who has to wait is told so, and misses nothing.
    """
    from paycli.aws import check_caller
    from paycli.operations.logs.reader import Reader
    from paycli.operations.logs.story import Story

    ids = [each for each in (transaction, request_id) if each]
    start = _milliseconds(since or (_SINCE_OF_STORY if ids else _SINCE))
    environment = project.environment
    aws = project.connect_to_deployed()
    check_caller(aws, environment)
    embedded = environment.target == "embedded"
    groups = _groups(environment, sources)
    # The embedded AWS knows no pattern that finds any of several terms.
    reader = Reader(aws.client("logs"), groups, console.note, endless=follow, patterns=not embedded)
    story = Story(*ids) if ids else None
    now = int(time.time() * 1000)
    if embedded and "api" in groups:
        console.note("The embedded AWS writes no access log.")
    if follow:
        _follow(reader, story, start, errors=errors)
    found = [event for event in _lines(reader, story, start, now) if event.failed or not errors]
    return _result(reader, found)


def _milliseconds(since: str) -> int:
    """Return the moment in ms since 1970; raise UsageError where it is none or to come."""
    from paycli.durations import moment

    now = datetime.now(UTC)
    told = moment(since, now)
    if told >= now:
        raise UsageError(
            f"{since!r} is no time in the past.", hint="Such as 15m, or a time before now.", code="bad_time"
        )
    return int(told.timestamp() * 1000)


def _groups(environment: "Environment", sources: tuple[str, ...]) -> dict[str, str]:
    from paycli.stack.logs import log_group_names

    names = log_group_names(environment)
    return {source: names[title] for source, title in _SOURCES.items() if not sources or source in sources}


def _lines(reader: "Reader", story: "Story | None", start: int, end: int) -> "Iterable[LogEvent]":
    from paycli.operations.logs.story import tell

    return tell(reader, story, start, end) if story else reader.merged(start, end)


def _result(reader: "Reader", found: "list[LogEvent]") -> Result:
    from paycli.views import logs as logs_view

    missing = sorted(reader.missing)
    if len(missing) == len(reader.groups):
        raise _no_groups(missing)
    if not found:
        console.note("No such line.")
    terminal = console.is_terminal(sys.stdout)
    shown = [logs_view.coloured(event) if terminal else logs_view.line(event) for event in found]
    data = {"events": [logs_view.document(event) for event in found], "missing_groups": missing}
    return Result(data, shown=shown)


def _no_groups(missing: Iterable[str]) -> PaycliError:
    return PaycliError(
        f"There is no log group {', '.join(missing)}.",
        hint="`paycli status` says whether the environment is deployed, and where.",
        code="no_log_groups",
    )


def _follow(reader: "Reader", story: "Story | None", start: int, *, errors: bool) -> NoReturn:
    """Show lines until somebody interrupts, which is how it ends: nothing more is to be said then."""
    from paycli.operations.logs.follow import Following
    from paycli.views import logs as logs_view

    context = click.get_current_context()
    as_json = context.params["as_json"]
    terminal = console.is_terminal(sys.stdout) and not as_json
    following = Following(reader, lambda event: event.failed or not errors, story)
    with contextlib.suppress(KeyboardInterrupt):
        for event in following.lines(start):
            if terminal:
                console.show(console.out(), logs_view.coloured(event))
                continue
            text = json.dumps(logs_view.document(event)) if as_json else logs_view.line(event)
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()
    context.exit(ExitStatus.INTERRUPTED)
