"""How lines of logs look: one line an event, a colour for each source; what they say can't steer the terminal."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from paycli.text import one_line

if TYPE_CHECKING:
    from rich.text import Text

    from paycli.operations.logs.event import LogEvent

_COLOURS = {"validation": "cyan", "processing": "green", "health-monitor": "blue", "api": "magenta"}
_WIDTH = max(map(len, _COLOURS))
_LAMBDA = ("START ", "END ", "REPORT ", "INIT_START ")
# What the source and the time say already, or nobody asks for at night.
_LEFT_OUT = {"_aws", "Environment", "FunctionName", "time_ms", "api_id", "stage", "protocol", "tls_version"}


def line(event: "LogEvent") -> str:
    """Show an event in a line."""
    return f"{_time(event.at)}  {event.source:<{_WIDTH}}  {_said(event)}"


def coloured(event: "LogEvent") -> "Text":
    """Show an event in a line for a terminal."""
    from rich.text import Text

    style = "bold red" if event.failed else "dim" if event.message.startswith(_LAMBDA) else ""
    source = (f"{event.source:<{_WIDTH}}", _COLOURS[event.source])
    return Text.assemble((_time(event.at), "dim"), "  ", source, "  ", (_said(event), style))


def document(event: "LogEvent") -> dict[str, Any]:
    """Return an event for programs."""
    return {
        "at": _time(event.at),
        "source": event.source,
        "stream": event.stream,
        "id": event.identity,
        "failed": event.failed,
        "message": event.fields or event.message,
    }


def _said(event: "LogEvent") -> str:
    said = " ".join(_fields(event.fields)) if event.fields else event.message
    return one_line(" ".join(said.split()))  # Lambda's own lines have tabs


def _fields(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        if name not in _LEFT_OUT and value != "-":  # API Gateway's word for nothing
            yield f"{name}={value if isinstance(value, str) else json.dumps(value)}"


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
