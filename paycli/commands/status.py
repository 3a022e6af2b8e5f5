"""`paycli status`: how the deployed stack fares, on one screen."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from paycli.commands.common import Project, environment_command
from paycli.commands.embedded_drift import deleted
from paycli.console import Result
from paycli.errors import ExitStatus, PaycliError

_EMBEDDED = (
    "The embedded AWS evaluates an alarm only when a metric is put, and knows neither a queue's oldest message, nor "
    "what the functions count, nor what was modified, nor who deployed."
)


@click.command("status", epilog="Example: paycli status --env prod")
@environment_command
def command(project: Project) -> Result:
    """Show how the deployed stack fares, on one screen: for whoever is woken at night. It changes nothing.

    State and last change of the stack, the cause where that failed, health, alarms, payments, table,
    queues, protection, drift. What can't be read says why, and hides nothing else.

    Exits with 0 where there is a stack, whatever its state is; with 1 where there is none or it can't be read.
    """
    from paycli.operations.readings import Unread, read
    from paycli.operations.status import gather
    from paycli.views import status as status_view

    aws = project.connect_to_deployed()
    notes = []
    if project.environment.target == "embedded":
        gone = read(lambda: deleted(aws, project.environment))
        if gone and not isinstance(gone, Unread):
            notes.append(f"Somebody deleted {', '.join(gone)}, which neither the health nor CloudFormation notices.")
        notes.append(_EMBEDDED)
    found = gather(aws, project.environment)
    data = {**asdict(found, dict_factory=_plain), "notes": notes}
    shown = [*status_view.status(found), *notes]
    if isinstance(found.stack, Unread):
        error = PaycliError(f"The stack can't be read: {found.stack.unread}", code="stack_unread")
        return Result(data, shown=shown, status=ExitStatus.FAILED, errors=(error,))
    return Result(data, shown=shown)


def _plain(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a part with its times in ISO 8601, UTC."""
    return {
        name: value.astimezone(UTC).isoformat(timespec="seconds") if isinstance(value, datetime) else value
        for name, value in pairs
    }
