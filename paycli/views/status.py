"""How a running stack fares, on one screen, where what is wrong stands out."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.text import Text

from paycli.operations.readings import Unread
from paycli.operations.table_state import GONE, NOT_MADE
from paycli.operations.traffic import MINUTES
from paycli.text import printable, span

if TYPE_CHECKING:
    from paycli.operations.alarm_state import Alarms
    from paycli.operations.api_health import Health
    from paycli.operations.queue_depth import Queue
    from paycli.operations.serving import Serving
    from paycli.operations.stack_state import History, StackState
    from paycli.operations.status import Status
    from paycli.operations.table_state import TableState
    from paycli.operations.traffic import Traffic

_GOOD, _WARN, _BAD = "green", "yellow", "bold red"
_STYLES = {"good": _GOOD, "busy": _WARN, "bad": _BAD, "healthy": _GOOD, "degraded": _WARN, "unknown": _WARN}
_DRIFT = {
    "DRIFTED": ("yes: resources were changed past CloudFormation", _WARN),
    "IN_SYNC": ("none", ""),
    "NOT_CHECKED": ("never checked", ""),
}
_LABEL = 13  # characters


def status(found: "Status") -> list[Text]:
    """Show a status; times are UTC."""
    name = "The stack" if isinstance(found.stack, Unread) else found.stack.name
    return [Text(printable(f"{name} in {found.place}"), style="bold"), *_lines(found)]


def _lines(found: "Status") -> Iterator[Text]:
    if isinstance(found.stack, Unread):
        yield _unread("State", found.stack)
        yield from _alarms(found.alarms, found.at)
        yield _table(found.table)
        yield _payments(found.payments)
        yield _line("", "Health, queues and the rest are found through the stack.")
        return
    yield from _state(found.stack, found.history, found.at)
    yield _last_change(found.stack, found.last_deploy, found.serving, found.at)
    yield _line("Code", found.stack.code_key or "unknown")
    yield from _health(found.health)
    yield from _alarms(found.alarms, found.at)
    yield _payments(found.payments)
    yield _table(found.table)
    yield from _queues(found.queues)
    yield _protection(found.stack)
    yield _drift(found.stack, found.at)
    yield _line("Endpoint", found.endpoint or "none yet")


def _state(stack: "StackState", history: "History | Unread", at: datetime) -> Iterator[Text]:
    since = "" if isinstance(history, Unread) or not history.since else f" since {_when(history.since, at)}"
    yield _line("State", f"{stack.state}{since}: {stack.meaning}", _STYLES[stack.condition])
    if isinstance(history, Unread):
        yield _unread("Events", history)
    elif history.cause:
        yield _line("Cause", history.cause, _BAD)
        if history.explanation:
            yield _line("", f"It means: {history.explanation}")
        for other in history.others:
            yield _line("", f"Failed as well: {other}")
        if history.next:
            yield _line("", f"Once that is mended: {history.next}")


def _last_change(
    stack: "StackState", deploy: "str | Unread | None", serving: "Serving | Unread | None", at: datetime
) -> Text:
    label = "Running since" if stack.state.endswith("_IN_PROGRESS") else "Last change"
    when = _when(stack.changed_at, at)
    if stack.last_failed:
        when += f", failed{_instead(serving)}"
    if isinstance(deploy, Unread):
        return _line(label, f"{when}; by whom can't be read: {deploy.unread}", _WARN)
    said = f": {deploy}" if deploy else "; AWS doesn't tell by whom"
    return _line(label, f"{when}{said}", _WARN if stack.last_failed else "")


def _instead(serving: "Serving | Unread | None") -> str:
    """Say what serves instead of a deploy that was undone, as far as the records tell."""
    if serving is None or isinstance(serving, Unread):
        return ""
    commit = f", commit {serving.commit}" if serving.commit else ""
    return f" (what serves is deploy {serving.number}{commit})"


def _health(health: "Health | Unread | None") -> Iterator[Text]:
    if health is None:
        yield _line("Health", "no API yet", _WARN)
    elif isinstance(health, Unread):
        yield _line("Health", f"no answer: {health.unread}", _BAD)
    else:
        said = f"{health.state or 'no report'}: GET /health answered {health.http_status} in {health.seconds:.2f} s"
        yield _line("Health", said, _STYLES.get(health.state, _BAD))
        yield from (_line("", trouble, _WARN) for trouble in health.troubles)


def _alarms(alarms: "Alarms | Unread", at: datetime) -> Iterator[Text]:
    if isinstance(alarms, Unread):
        yield _unread("Alarms", alarms)
        return
    groups = (("in ALARM", alarms.firing), ("without data", alarms.no_data), ("missing", alarms.missing))
    counts = [f"{len(group)} {word}" for word, group in groups if group]
    style = _BAD if alarms.firing or alarms.missing else _WARN if alarms.no_data else _GOOD
    yield _line("Alarms", ", ".join([*counts, f"{len(alarms.ok)} OK"]), style)
    for alarm in alarms.firing:
        yield _line("", f"{alarm.name} since {_when(alarm.since, at)}: {alarm.description}", _BAD)
        yield _line("", f"  {alarm.reason}")
    for word, names in (("without data", alarms.no_data), ("missing", alarms.missing), ("tells nobody", alarms.muted)):
        if names:
            yield _line("", f"{word}: {', '.join(names)}", _WARN)


def _payments(payments: "Traffic | Unread") -> Text:
    if isinstance(payments, Unread):
        return _unread("Payments", payments)
    if not payments.seen:
        return _line("Payments", f"none was counted in the last {MINUTES} min")
    well = f"{payments.validated} validated, {payments.processed} processed, {payments.replayed} repeated"
    ill = f"{payments.rejected} rejected, {payments.failed} failed (5xx)"
    lost = f"; {payments.failures_lost} failures couldn't be queued" if payments.failures_lost else ""
    style = _BAD if payments.failed or payments.failures_lost else ""
    return _line("Payments", f"in the last {MINUTES} min {well}, {ill}{lost}", style)


def _table(table: "TableState | Unread") -> Text:
    if isinstance(table, Unread):
        return _unread("Table", table)
    if table.state == NOT_MADE:
        return _line("Table", f"{table.name} is not made yet", _WARN)
    if table.state == GONE:
        return _line("Table", f"{table.name} is gone, and every payment with it: docs/recovery.md", _BAD)
    if not (table.restorable_from and table.restorable_to):
        return _line("Table", f"{table.name} is {table.state}; point-in-time recovery is off", _BAD)
    earliest, latest = (
        f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" for at in (table.restorable_from, table.restorable_to)
    )
    said = f"{table.name} is {table.state}; it can be restored as of {earliest} to {latest} UTC"
    return _line("Table", said, "" if table.state in {"ACTIVE", "UPDATING"} else _BAD)


def _queues(queues: "tuple[Queue, ...]") -> Iterator[Text]:
    width = max((len(queue.name) for queue in queues), default=0)
    for number, queue in enumerate(queues):
        label = "" if number else "Queues"
        if isinstance(queue.depth, Unread):
            yield _line(label, f"{queue.name:<{width}}  can't be read: {queue.depth.unread}", _WARN)
            continue
        depth = queue.depth
        said = f"{depth.waiting} waiting, {depth.in_flight} in flight" if depth.waiting + depth.in_flight else "empty"
        if isinstance(depth.oldest_seconds, Unread):
            said += f"; the age can't be read: {depth.oldest_seconds.unread}"
        elif depth.oldest_seconds is not None:
            said += f", the oldest for {span(depth.oldest_seconds)}"
        yield _line(label, f"{queue.name:<{width}}  {said}", _WARN if depth.waiting else "")


def _protection(stack: "StackState") -> Text:
    termination = "on" if stack.termination_protection else "off"
    if not stack.data_retained:
        return _line("Protection", f"termination protection is {termination}; the data goes with the stack")
    table = "on" if stack.table_protection else "off"
    said = f"termination protection is {termination}, deletion protection of the table {table}; the data is retained"
    return _line("Protection", said, "" if stack.termination_protection and stack.table_protection else _WARN)


def _drift(stack: "StackState", at: datetime) -> Text:
    said, style = _DRIFT.get(stack.drift, (stack.drift, _WARN))
    checked = f", checked {_when(stack.drift_checked_at, at)}" if stack.drift_checked_at else ""
    return _line("Drift", said + checked, style)


def _unread(label: str, part: Unread) -> Text:
    return _line(label, f"can't be read: {part.unread}", _WARN)


def _line(label: str, said: str, style: str = "") -> Text:
    return Text.assemble(f"{label:<{_LABEL}}  ", (printable(said), style))


def _when(time: datetime, now: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC ({span((now - time).total_seconds())} ago)"
