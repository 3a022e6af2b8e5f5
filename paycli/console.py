"""How results look: rich on a terminal, plain lines elsewhere, one JSON document for programs.

Results go to standard output; progress and errors go to standard error.
"""

import contextlib
import io
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

from paycli.errors import ExitStatus, PaycliError, UsageError
from paycli.table import Table
from paycli.text import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

SCHEMA = 1
_WORD = re.compile(r"\S+\s*")
_LABEL = re.compile(r"\s*\S.*?\s{2,}|\s+")  # how a line begins below which its other lines stand


@dataclass(frozen=True)
class Result:
    """What a command found or did.

    `data` is what programs get (`--json`); people get `text` to the byte, then the lines and tables `shown`;
    `errors` are failures that belong to the result, and `told` those that `shown` tells people of (a smoke test's
    failed checks).
    """

    data: Mapping[str, Any]
    text: str = ""
    shown: Sequence[Any] = ()
    status: ExitStatus = ExitStatus.DONE
    errors: tuple[PaycliError, ...] = field(default=())
    told: tuple[PaycliError, ...] = field(default=())


def out() -> "Console":
    """Return the console of standard output."""
    return _console(sys.stdout)


def err() -> "Console":
    """Return the console of standard error."""
    return _console(sys.stderr)


def _console(stream: Any) -> "Console":
    from rich.console import Console

    # Off a terminal, tables aren't squeezed: a log is searched, not read at 80 columns.
    width = None if stream.isatty() else 1000
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def is_terminal(stream: TextIO) -> bool:
    """Whether a stream is a terminal, or is to be taken for one (FORCE_COLOR); rich is loaded only where it may be."""
    if not stream.isatty() and not {"FORCE_COLOR", "TTY_COMPATIBLE"} & os.environ.keys():
        return False
    return _console(stream).is_terminal


def note(part: str | Table) -> None:
    """Say something that is worth knowing, and no result, on standard error: where nobody reads it, nothing stops."""
    with contextlib.suppress(OSError):
        _write(sys.stderr, printable(part) if isinstance(part, str) else part)


def _write(stream: TextIO, part: Any) -> None:
    """Write a line or a table; off a terminal, what isn't rich's own needs no rich."""
    if isinstance(part, (str, Table)) and not is_terminal(stream):
        stream.writelines(f"{line}\n" for line in ([part] if isinstance(part, str) else part.lines()))
    else:
        show(_console(stream), part)


def show(console: "Console", part: Any) -> None:
    """Print a line or a table; off a terminal without trailing blanks.

    A terminal gets a long line in several, parted between words. A word that is too long for that (a URL to copy) stays
    whole, and ends its line: the terminal wraps that one.
    """
    from rich.table import Table as RichTable

    if not isinstance(part, (Table, RichTable)):
        console.print(_wrapped(console, part) if console.is_terminal else part, soft_wrap=True)
    elif console.is_terminal:
        console.print(part)
    elif isinstance(part, Table):
        console.file.writelines(f"{line}\n" for line in part.lines())
    else:
        with console.capture() as captured:
            console.print(part)
        lines = captured.get().splitlines()
        console.file.write("".join(f"{line.rstrip()}\n" for line in lines))


def _wrapped(console: "Console", part: "str | Text") -> "Text":
    """Return a text whose lines fit the console, as far as their words do; what goes on stands below its beginning."""
    from rich.text import Text

    whole = part if isinstance(part, Text) else Text(part)
    return Text("\n").join(piece for line in whole.split("\n", allow_blank=True) for piece in _pieces(console, line))


def _pieces(console: "Console", line: "Text") -> "Iterable[Text]":
    from rich.text import Text

    if line.cell_len <= console.width:
        return [line]
    begins = _LABEL.match(line.plain)
    indent = begins.end() if begins else 0
    if indent > console.width // 2:  # what goes on would have no room
        indent = 0
    label, said = line.divide([indent]) if indent else (Text(), line)
    pieces = said.divide(_breaks(said.plain, console.width - indent))
    for piece in pieces:
        piece.rstrip()
    first, *others = pieces
    return [label + first, *(Text(" " * indent) + other for other in others)]


def _breaks(text: str, width: int) -> list[int]:
    """Return where a text is parted, so that each line fits the width, or is a word that is too long for any.

    rich's own wrapping breaks such a word, or none at all.
    """
    from rich.cells import cell_len

    breaks: list[int] = []
    used = 0
    for word in _WORD.finditer(text):
        if used and used + cell_len(word[0].rstrip()) > width:
            breaks.append(word.start())
            used = 0
        used += cell_len(word[0])
    return breaks


def plain(parts: Iterable[Any]) -> str:
    """Return lines and tables as the text that goes to a file or a log."""
    text = io.StringIO()
    console = _console(text)
    for part in parts:
        show(console, part)
    return text.getvalue()


def finish(result: Result, *, command: str, environment: str | None, as_json: bool) -> int:
    """Show a result, for people or as the JSON document, and return its exit status."""
    if as_json:
        errors = (*result.errors, *result.told)
        _write_document(result.status, result.data, errors, command=command, environment=environment)
    else:
        sys.stdout.write(result.text)
        for part in result.shown:
            _write(sys.stdout, part)
        sys.stdout.flush()  # a reader that has left is found out here, and not at exit
        for error in result.errors:
            _show_lines(error)
    return result.status


def show_error(
    error: PaycliError, status: ExitStatus, *, command: str | None, environment: str | None, as_json: bool
) -> None:
    """Show an error that ended a command: message and hint, or the JSON document."""
    if as_json:
        _write_document(status, error.data, (error,), command=command, environment=environment)
    else:
        _show_lines(error)


def _write_document(
    status: ExitStatus,
    data: Mapping[str, Any],
    errors: tuple[PaycliError, ...],
    *,
    command: str | None,
    environment: str | None,
) -> None:
    document = {
        "schema": SCHEMA,
        "command": command,
        "environment": environment,
        "status": status.name.lower(),
        "data": data,
        "errors": [{"code": error.code, "message": error.message, "hint": error.hint} for error in errors],
    }
    print(json.dumps(document, indent=2, default=str))  # noqa: T201 - a result is for standard output


def _show_lines(error: PaycliError) -> None:
    from rich.text import Text

    lines = Text.assemble(("Error: ", "bold red"), printable(error.message))
    if error.hint:
        lines.append_text(Text.assemble(("\nHint:  ", "bold"), printable(error.hint)))
    show(err(), lines)


def can_ask() -> bool:
    """Whether there is a person at a terminal to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def require_answer(*, yes: bool) -> None:
    """Raise UsageError where a confirmation will be needed and there is no terminal to ask on."""
    if not yes and not can_ask():
        raise UsageError(
            "This asks for a confirmation, and there is no terminal to ask on.",
            hint="Add --yes to confirm it.",
            code="confirmation_needed",
        )


def ask(question: str) -> bool:
    """Ask at the terminal; anything but y or yes is no."""
    err().print(f"{printable(question)}? [y/N] ", end="", soft_wrap=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def confirm(action: str, name: str, *, typed: bool, yes: bool) -> None:
    """Ask before `action` (`Delete payment-api-dev`); `yes` answers.

    With `typed` the answer must be the environment's `name`. Raises PaycliError where it is anything else.
    """
    if yes:
        return
    if typed:
        err().print(f"{printable(action)}? Type the environment's name to confirm: ", end="", soft_wrap=True)
        confirmed = sys.stdin.readline().strip() == name
    else:
        confirmed = ask(action)
    if not confirmed:
        raise PaycliError("Not confirmed, and not done.", code="not_confirmed")
