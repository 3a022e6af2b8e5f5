"""Progress of a stack operation: a live line with a bar on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from paycli import console
from paycli.progress import Event, Report, ResourceEvent, Step
from paycli.text import printable

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN_AT_ONCE = 3


@contextmanager
def activity() -> Iterator[Report]:
    """Give the callback that long jobs report to: live on a terminal, plain lines elsewhere."""
    shown = console.err()
    if shown.is_terminal:
        with live_display(shown) as report:
            yield report
    else:
        yield plain_lines(shown)


@contextmanager
def checks(total: int) -> Iterator[Callable[[str], None]]:
    """Give the callback that takes the name of each check that is done: a count on a terminal, else nothing."""
    shown = console.err()
    if not shown.is_terminal:
        yield lambda _name: None
        return
    done: list[str] = []
    with shown.status(f"Checking: 0 of {total}") as status:

        def report(name: str) -> None:
            done.append(name)
            status.update(f"Checking: {len(done)} of {total}, {printable(name)} is done")

        yield report


def plain_lines(shown: "Console") -> Report:
    """Write one line an event, in UTC, for a log."""

    def report(event: Event) -> None:
        if isinstance(event, Step):
            shown.print(printable(event.text), soft_wrap=True)
        else:
            shown.print(_line(event), soft_wrap=True)

    return report


@contextmanager
def live_display(shown: "Console") -> Iterator[Report]:
    """Keep one line with a bar, what is being worked on, and the time; steps and failures stay above it."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    busy: dict[str, None] = {}  # the resources being worked on, in the order they began
    columns = (
        SpinnerColumn(),
        MofNCompleteColumn(),
        BarColumn(24),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=shown, transient=True) as progress:
        task = progress.add_task("", total=None, visible=False)

        def report(event: Event) -> None:
            if isinstance(event, Step):
                progress.console.print(printable(event.text), soft_wrap=True)
                return
            if event.failed:
                progress.console.print(_line(event), style="red", soft_wrap=True)
            if event.status.endswith("_IN_PROGRESS"):
                busy[event.logical_id] = None
            else:
                busy.pop(event.logical_id, None)
            progress.update(task, completed=event.done, total=event.total, visible=True, description=_names(list(busy)))

        yield report


def _names(busy: list[str]) -> str:
    more = f" +{len(busy) - _SHOWN_AT_ONCE}" if len(busy) > _SHOWN_AT_ONCE else ""
    return printable(", ".join(busy[:_SHOWN_AT_ONCE])) + more


def _line(event: ResourceEvent) -> str:
    count = f"{event.done}/{event.total}"
    line = f"{event.at:%H:%M:%S}  {count:>7}  {event.status:<27} {event.resource_type:<32} {event.logical_id}"
    return printable(f"{line}  {event.reason}" if event.reason else line)
