"""What is in the queues, by kind, code and age, and what each message is worth."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from paycli.operations.failures.message import Message
from paycli.operations.failures.queue import Facts, looking, read_facts

_HIDDEN = 120  # seconds; a look of 1,000 messages takes some 10


@dataclass(frozen=True)
class Group:
    """Messages of one kind, code and operation."""

    kind: str
    code: str
    operation: str
    count: int
    oldest: datetime
    newest: datetime


@dataclass(frozen=True)
class Listing:
    """What a look has found; `complete` where the queue had nothing more to show."""

    queue: Facts
    messages: tuple[Message, ...]  # oldest first
    complete: bool
    renewed: int  # messages that had hardly a receive left, and were put back as new ones
    hidden: int  # messages that somebody holds
    missing: int  # messages that were counted as waiting and didn't come
    troubles: tuple[str, ...]

    @property
    def groups(self) -> list[Group]:
        """The messages by kind, code and operation, the largest group first."""
        return grouped(self.messages)


def look_at(sqs: Any, url: str, limit: int) -> Listing:
    """Receive each message of a queue once, up to `limit`, and give all of them back."""
    queue = read_facts(sqs, url)
    with looking(sqs, queue, seconds=_HIDDEN) as look:
        found = sorted(look.messages(limit), key=lambda message: message.at)
    return Listing(
        queue=queue,
        messages=tuple(found),
        complete=look.complete,
        renewed=look.renewed,
        hidden=look.hidden,
        missing=look.missing,
        troubles=tuple(look.troubles),
    )


def grouped(messages: Iterable[Message]) -> list[Group]:
    """Return the messages by kind, code and operation, the largest group first."""
    groups: dict[tuple[str, str, str], list[datetime]] = defaultdict(list)
    for message in messages:
        groups[message.group].append(message.at)
    found = [Group(*group, len(times), min(times), max(times)) for group, times in groups.items()]
    return sorted(found, key=lambda group: (-group.count, group.kind, group.code, group.operation))


def chosen(messages: Iterable[Message], names: Sequence[str]) -> tuple[list[Message], list[str]]:
    """Return the messages that are called so, all without names, and the names that nothing is called by."""
    among = list(messages)
    found = [message for message in among if not names or any(message.is_called(name) for name in names)]
    return found, [name for name in names if not any(message.is_called(name) for message in found)]
