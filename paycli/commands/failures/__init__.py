"""`paycli failures`: look into the failed-transactions queue, replay, redrive and discard."""

import click

from paycli.commands.failures.discard import discard
from paycli.commands.failures.look import list_command, show
from paycli.commands.failures.redrive import redrive
from paycli.commands.failures.replay import replay


@click.group(
    "failures",
    epilog="""\b
Example: paycli failures list --env prod
         paycli failures show 8f507e5a-39b2-4d0e-8a52-6f2c1f0b7d11 --env prod
         paycli failures replay --all --env prod --as-profile checkout""",
)
def command() -> None:
    """See and settle what the API refused or could not finish: the failed-transactions queue.

    SQS counts each look as a receive. Every command receives a message once and shows it again at its end; one that has
    hardly a receive left is put back as a new message, so that looking moves nothing to the dead-letter queue.
    """


for _command in (list_command, show, replay, redrive, discard):
    command.add_command(_command)
