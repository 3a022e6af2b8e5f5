"""How the failed-transactions queue looks: groups, messages, and what became of them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from paycli.operations.failures.advice import Replay, advise
from paycli.table import Table
from paycli.text import one_line, printable, span

if TYPE_CHECKING:
    from paycli.operations.failures.listing import Group, Listing
    from paycli.operations.failures.message import Message
    from paycli.operations.failures.queue import Facts
    from paycli.operations.failures.replay import Outcome

HIDDEN = (
    "Hidden is what somebody holds, or a run that was killed: replay and discard hold messages for at most 10 minutes, "
    "list and show for 2, and then they are back."
)
_VERDICTS = {
    "done": ("replayed", "green"),
    "refused": ("refused for good", "yellow"),
    "missing": ("kept", "yellow"),
    "later": ("failed again", "bold red"),
    "wrong": ("not understood", "bold red"),
    "left": ("left", ""),
}


def listing(found: "Listing", now: datetime) -> Iterator[Table | str]:
    """Show what a look at one queue has found."""
    queue = found.queue
    hidden = f", {found.hidden} hidden" if found.hidden else ""
    counted = len(found.messages) if found.complete else max(queue.waiting, len(found.messages))
    seen = "" if found.complete else f"; only {len(found.messages)} were looked at, --limit takes more"
    yield f"{queue.name}: {f'{counted} waiting' if counted else 'empty'}{hidden}{seen}"
    if found.messages:
        yield groups(found.groups, now)
        yield ""
        yield messages(found.messages, queue, now)
    if found.renewed:
        yield (
            f"{found.renewed} had hardly a receive left of {queue.max_receives} and were put back as new messages, "
            "so that no look moves them to the dead-letter queue."
        )
    if found.missing:
        yield (
            f"{found.missing} more had been counted and didn't come: their receives were used up and SQS moved them to "
            "the dead-letter queue, or somebody has taken them, or the count was late."
        )
    if found.hidden:
        yield HIDDEN
    yield from found.troubles


def groups(found: Sequence["Group"], now: datetime) -> Table:
    """Show messages by kind, code and operation."""
    table = Table(("Count", "Kind", "Code", "Operation", "Oldest", "Newest"))
    for group in found:
        names = (one_line(name) for name in (group.kind, group.code, group.operation))
        table.add_row(str(group.count), *names, _age(group.oldest, now), _age(group.newest, now))
    return table


def messages(found: Sequence["Message"], queue: "Facts", now: datetime) -> Table:
    """Show each message in a row, without what was to be paid."""
    table = Table(("Age", "Kind", "Code", "Operation", "Request id", "Payment", "Receives", "Replay"))
    for message in found:
        replay = isinstance(advise(message, None), Replay)
        table.add_row(
            _age(message.at, now),
            *(one_line(name) for name in message.group),
            one_line(message.name),
            one_line(message.text("transaction_id")),
            _receives(message, queue),
            "yes" if replay else "no",
            style="" if replay else "dim",
        )
    return table


def message(found: "Message", queue: "Facts", environment: str, now: datetime) -> Iterator[str]:
    """Show one message whole, and what may be done with it."""
    yield (
        f"In {queue.name}; received {_receives(found, queue)} times; failed {_age(found.at, now)} ago, "
        f"at {found.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC."
    )
    content = found.content()
    shown = content if isinstance(content, str) else json.dumps(content, indent=2, ensure_ascii=False)
    yield printable(shown)
    plan = advise(found, None)
    if not isinstance(plan, Replay):
        yield f"No replay: {one_line(plan.why)}. See docs/failures-queue.md."
        return
    owner = f", with the credentials of {one_line(found.text('principal'))}" if plan.key else ""
    yield f"Replay: paycli failures replay {one_line(found.name)} --env {environment}{owner}"


def outcome(found: "Outcome") -> str:
    """Show in a line what became of a message."""
    word, _ = _VERDICTS[found.verdict]
    return printable(f"{one_line(found.message.name)}: {word}: {one_line(found.said)}")


def outcomes(found: Sequence["Outcome"]) -> Table:
    """Show what became of messages."""
    table = Table(("Request id", "Operation", "Payment", "Outcome", "Answer"))
    for each in found:
        word, style = _VERDICTS[each.verdict]
        answer = one_line(each.said if each.status is None else f"{each.status} {each.said}")
        _, _, operation = each.message.group
        payment = each.message.text("transaction_id")
        table.add_row(*map(one_line, (each.message.name, operation, payment)), word, answer, style=style)
    return table


def summary(found: "Message", queue: "Facts") -> dict[str, Any]:
    """Return a message for programs, without what was to be paid."""
    kind, code, operation = found.group
    plan = advise(found, None)
    return {
        "name": found.name,
        "message_id": found.message_id,
        "kind": kind,
        "code": code,
        "operation": operation,
        "request_id": found.text("request_id"),
        "transaction_id": found.text("transaction_id"),
        "principal": found.text("principal"),
        "at": _iso(found.at),
        "receives": found.receives,
        "max_receives": queue.max_receives,
        "replayable": isinstance(plan, Replay),
        "why_not": "" if isinstance(plan, Replay) else plan.why,
    }


def counted(group: "Group") -> dict[str, Any]:
    """Return a group for programs."""
    return {**asdict(group), "oldest": _iso(group.oldest), "newest": _iso(group.newest)}


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _age(at: datetime, now: datetime) -> str:
    return span((now - at).total_seconds())


def _receives(found: "Message", queue: "Facts") -> str:
    return f"{found.receives} of {queue.max_receives}" if queue.max_receives else str(found.receives)
