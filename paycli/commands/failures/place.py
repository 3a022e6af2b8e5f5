"""What the commands of `paycli failures` share: where the queues are, their options, how they end."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paycli.commands.common import Project
from paycli.console import Result
from paycli.errors import DetachedError, ExitStatus, PaycliError, UsageError

if TYPE_CHECKING:
    from paycli.aws import Aws
    from paycli.operations.failures.report import Report

_QUEUE, _DEAD_LETTERS = "FailedTransactionsQueueUrl", "FailedTransactionsDeadLetterQueueUrl"

limit_option = click.option(
    "--limit", type=click.IntRange(1, 10_000), default=1000, show_default=True, help="How many messages are looked at."
)
_dead_letters_option = click.option("--dead-letters", is_flag=True, help="Take them from the dead-letter queue.")
_report_option = click.option(
    "--report",
    "path",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The new file of what was taken from the queue; else one in .paycli/failures.",
)


def settling_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what replay and discard have in common: NAME, --dead-letters, --limit and --report."""
    function = _dead_letters_option(limit_option(_report_option(function)))
    return click.argument("names", nargs=-1, metavar="[NAME]...")(function)


@dataclass(frozen=True)
class Place:
    """Where the queues are, and whether data is to be kept there."""

    aws: "Aws"
    outputs: dict[str, str]
    where: str
    kept: bool

    @property
    def sqs(self) -> Any:
        """The client of SQS."""
        return self.aws.client("sqs")

    def url(self, *, dead_letters: bool) -> str:
        """The URL of one of the two queues."""
        return self.outputs[_DEAD_LETTERS if dead_letters else _QUEUE]


def place(project: Project) -> Place:
    """Return where the environment's queues are. Raises PaycliError where it isn't deployed."""
    from paycli.aws import check_caller
    from paycli.deployment import execution, outputs

    aws = project.connect_to_deployed()
    caller = check_caller(aws, project.environment)
    stack = execution.existing(aws, project.environment)
    kept = project.environment.retain_data or stack.termination_protection
    return Place(aws, outputs.resolved(aws, stack), f"{stack.name} in {caller.place}", kept)


@contextlib.contextmanager
def interruptible(action: str, report: "Report") -> Iterator[None]:
    """Say on an interrupt where everything is."""
    try:
        yield
    except KeyboardInterrupt:
        taken = f" but {report.lines}, which are in {report.path} with what became of them," if report.lines else ""
        raise DetachedError(
            f"Interrupted. All{taken} are in the queue, some of them perhaps hidden for 10 minutes.",
            hint=f"Run `paycli failures {action}` again: it takes up what is left.",
            code="interrupted",
        ) from None


def require_selection(given: bool, words: str) -> None:
    """Raise UsageError, with `words` as the hint, where nobody said which messages are meant."""
    if not given:
        raise UsageError("Which messages?", hint=words, code="usage")


def unknown(names: Sequence[str]) -> PaycliError:
    """Return the error of names that nothing is called by."""
    return PaycliError(
        f"Nothing is called {', '.join(names)}.",
        hint="`paycli failures list` shows what there is. Somebody may hold it at the moment, or have settled it; "
        "replay and discard look into the dead-letter queue with --dead-letters.",
        code="no_such_message",
    )


def not_seen(count: int) -> PaycliError:
    """Return the error of messages that are in the queue and were hidden from this run."""
    return PaycliError(
        f"{count} messages were not looked at: somebody holds them, or a run that was killed did.",
        hint="A killed run's come back within 10 minutes: run it again then. `paycli failures list` counts the hidden.",
        code="hidden",
    )


def ended(data: dict[str, Any], shown: list[Any], errors: list[PaycliError]) -> Result:
    """Return the result of a command that changed something; any error makes it a failure."""
    status = ExitStatus.FAILED if errors else ExitStatus.DONE
    return Result(data, shown=shown, status=status, errors=tuple(errors))


def kept(report: "Report") -> list[str]:
    """Say where what was taken is kept, if anything was."""
    return [f"What was taken from the queue is in {report.path}"] if report.lines else []
