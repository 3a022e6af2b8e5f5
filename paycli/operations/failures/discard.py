"""Taking messages from a queue for good, with a file of what they were."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from paycli.operations.failures.advice import own_test
from paycli.operations.failures.listing import chosen
from paycli.operations.failures.message import Message
from paycli.operations.failures.queue import Facts, looking, read_facts
from paycli.operations.failures.report import Report

# An interrupted run's messages come back after that; somebody has to read and confirm meanwhile.
_HIDDEN = 600  # seconds


@dataclass(frozen=True)
class Selection:
    """Which messages are meant: all of these conditions, where they are given."""

    names: Sequence[str] = ()
    kind: str | None = None
    code: str | None = None
    of_tests: bool = False  # only what paycli's own tests have left

    def matches(self, message: Message) -> bool:
        """Whether kind, code and sender are the ones that are meant."""
        kind, code, _ = message.group
        meant = self.kind in (None, kind) and self.code in (None, code)
        return meant and (not self.of_tests or own_test(message) != "")


@dataclass(frozen=True)
class Discarded:
    """What is gone; `unknown` are names that nothing was called by."""

    queue: Facts
    messages: tuple[Message, ...]
    unknown: tuple[str, ...]
    complete: bool
    hidden: int  # messages that somebody holds
    troubles: tuple[str, ...]


def discard(
    sqs: Any, url: str, selection: Selection, limit: int, report: Report, confirm: Callable[[list[Message]], None]
) -> Discarded:
    """Discard what `selection` names of up to `limit` messages, once `confirm` has let it pass.

    Each message is in the report before it is deleted. What `confirm` raises goes on, and nothing is discarded.
    """
    queue = read_facts(sqs, url)
    gone: list[Message] = []
    with looking(sqs, queue, seconds=_HIDDEN) as look:
        found, unknown = chosen(look.messages(limit), selection.names)
        meant = sorted(filter(selection.matches, found), key=lambda message: message.at)
        if meant:
            confirm(meant)
        for message in meant:
            report.write(queue, message, action="discarded")
            look.delete(message)
            gone.append(message)
    return Discarded(queue, tuple(gone), tuple(unknown), look.complete, look.hidden, tuple(look.troubles))
