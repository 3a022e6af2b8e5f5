"""`paycli failures redrive`: from the dead-letter queue back to the queue."""

import click

from paycli import display
from paycli.commands.common import Project, environment_command
from paycli.commands.failures.place import place
from paycli.console import Result


@click.command(
    "redrive",
    short_help="Move the dead letters back to the queue.",
    epilog="Example: paycli failures redrive --env prod && paycli failures list --env prod",
)
@environment_command
def redrive(project: Project) -> Result:
    """Move everything from the dead-letter queue back to the queue.

    SQS does it itself (StartMessageMoveTask) where it can; on the embedded AWS each message is sent and then deleted.
    A message that was moved is a new one: its receives are counted anew, and it is kept for another 14 days.
    """
    from paycli.operations.failures.redrive import redrive as move

    there = place(project)
    with display.activity() as report:
        done = move(there.sqs, there.url(dead_letters=True), there.url(dead_letters=False), report)
    by = "by SQS itself" if done.by_sqs else "one by one, sent and then deleted"
    said = f"{done.moved} messages are back in {there.url(dead_letters=False).rpartition('/')[2]}, moved {by}."
    data = {"moved": done.moved, "by_sqs": done.by_sqs, "notes": list(done.troubles)}
    return Result(data, shown=[said, *done.troubles])
