"""`paycli failures discard`: messages that nobody needs any more."""

import functools
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paycli import console
from paycli.commands.common import Project, environment_command
from paycli.commands.failures.place import (
    Place,
    ended,
    interruptible,
    kept,
    not_seen,
    place,
    require_selection,
    settling_options,
    unknown,
)
from paycli.console import Result

if TYPE_CHECKING:
    from paycli.operations.failures.message import Message


@click.command(
    "discard",
    short_help="Delete messages; a file keeps what they were.",
    epilog="""\b
Example: paycli failures discard --kind rejected --env dev
         paycli failures discard 8f507e5a-39b2-4d0e-8a52-6f2c1f0b7d11 --env prod --yes""",
)
@click.option("--kind", type=click.Choice(["rejected", "error", "unreadable"]), help="Only messages of this kind.")
@click.option("--code", help="Only messages of this code, such as invalid_request.")
@click.option("--of-tests", is_flag=True, help="Only messages of paycli's load and smoke tests.")
@click.option("--all", "everything", is_flag=True, help="Whatever is in the queue.")
@settling_options
@click.option("--yes", is_flag=True, help="Don't ask; for CI.")
@environment_command
def discard(
    project: Project,
    names: tuple[str, ...],
    kind: str | None,
    code: str | None,
    of_tests: bool,
    everything: bool,
    dead_letters: bool,
    limit: int,
    path: Path | None,
    yes: bool,
) -> Result:
    """Delete messages that nobody needs any more; a file keeps what they were.

    NAME is a request id, a transaction id or a message id. Shows what goes, and asks.
    """
    from paycli.operations.failures.discard import Selection
    from paycli.operations.failures.discard import discard as take
    from paycli.operations.failures.report import Report, default_path

    chosen = bool(names or kind or code or of_tests)
    require_selection(
        chosen != everything, "Give names, --kind, --code or --of-tests; or --all for whatever is in the queue."
    )
    console.require_answer(yes=yes)
    there = place(project)
    selection = Selection(names, kind, code, of_tests)
    with (
        Report(path or default_path(project.root, "discard", project.environment.name)) as report,
        interruptible("discard", report),
    ):
        ask = functools.partial(_confirm_discard, there, project.environment.name, yes)
        url = there.url(dead_letters=dead_letters)
        gone = take(there.sqs, url, selection, limit, report, ask)
    data = {
        "discarded": [message.name for message in gone.messages],
        "report": str(report.path) if report.lines else None,
        "complete": gone.complete,
        "hidden": gone.hidden,
        "notes": list(gone.troubles),
    }
    nothing = "Nothing of the kind can be seen." if gone.hidden else "There is nothing of the kind."
    said = f"{len(gone.messages)} messages are discarded." if gone.messages else nothing
    errors = [unknown(gone.unknown)] if gone.unknown else []
    if gone.hidden and (gone.unknown or not names):
        errors.append(not_seen(gone.hidden))
    return ended(data, [said, *kept(report), *gone.troubles], errors)


def _confirm_discard(there: Place, environment: str, yes: bool, messages: "list[Message]") -> None:
    from paycli.operations.failures.listing import grouped
    from paycli.views import failures as failures_view

    console.note(failures_view.groups(grouped(messages), datetime.now(UTC)))
    console.confirm(f"Discard {len(messages)} messages of {there.where}", environment, typed=there.kept, yes=yes)
