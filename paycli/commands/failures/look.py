"""`paycli failures list` and `show`: nothing is used up."""

from dataclasses import asdict
from datetime import UTC, datetime

import click

from paycli.commands.common import Project, environment_command
from paycli.commands.failures.place import limit_option, place, unknown
from paycli.console import Result


@click.command(
    "list",
    short_help="List what is in the queue and its dead-letter queue.",
    epilog="Example: paycli failures list --env prod --limit 100",
)
@limit_option
@environment_command
def list_command(project: Project, limit: int) -> Result:
    """List what is in the queue and in its dead-letter queue, by kind, code and age; nothing is used up.

    SQS gives samples: what somebody else holds at the moment is counted, but not shown.
    """
    from paycli.operations.failures.listing import look_at
    from paycli.views import failures as failures_view

    there = place(project)
    now = datetime.now(UTC)
    queues, shown = [], []
    for dead_letters in (False, True):
        found = look_at(there.sqs, there.url(dead_letters=dead_letters), limit)
        shown += [*failures_view.listing(found, now), ""]
        queues.append(
            {
                **asdict(found.queue),
                "name": found.queue.name,
                "dead_letters": dead_letters,
                "complete": found.complete,
                "renewed": found.renewed,
                "hidden": found.hidden,
                "missing": found.missing,
                "groups": [failures_view.counted(group) for group in found.groups],
                "messages": [failures_view.summary(message, found.queue) for message in found.messages],
                "notes": list(found.troubles),
            }
        )
    return Result({"queues": queues}, shown=shown[:-1])


@click.command(
    "show",
    short_help="Show the messages of one request or payment whole.",
    epilog="Example: paycli failures show txn_5d1c0a7be2f94c3d8a1b6e0f7c2d9384 --env prod",
)
@click.argument("name")
@limit_option
@environment_command
def show(project: Project, name: str, limit: int) -> Result:
    """Show the messages of one request or payment whole, with what may be done about them.

    NAME is a request id, a transaction id or a message id. What is shown may be personal data.
    """
    from paycli.operations.failures.listing import look_at
    from paycli.views import failures as failures_view

    there = place(project)
    now = datetime.now(UTC)
    shown: list[str] = []
    troubles: list[str] = []
    data = []
    for dead_letters in (False, True):
        found = look_at(there.sqs, there.url(dead_letters=dead_letters), limit)
        troubles += found.troubles
        for message in found.messages:
            if message.is_called(name):
                shown += failures_view.message(message, found.queue, project.environment.name, now)
                summary = failures_view.summary(message, found.queue)
                data.append({**summary, "queue": found.queue.name, "message": message.content()})
    if not data:
        raise unknown([name])
    return Result({"messages": data, "notes": troubles}, shown=[*shown, *troubles])
