"""One line of a log: of a function (handlers/payments/observability.py), of Lambda itself, or of the API."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

API = "api"  # the source of the access log's lines (paycli/stack/api_stage.py)

_FAILURE = re.compile(
    r"\b(ERROR|CRITICAL|FATAL|Traceback|errorType|Task timed out|Runtime exited|Runtime\.\w+|Status: (timeout|error))\b"
)
_LINKS = ("request_id", "api_request_id", "integration_request_id")
_TOO_MANY, _SERVER_ERROR = 429, 500


@dataclass(frozen=True)
class LogEvent:
    """A line; `fields` is what it says in JSON, empty where it is no JSON object."""

    identity: str  # the same whenever the same line is read
    at: int  # milliseconds since 1970, UTC
    source: str  # validation, processing, health-monitor or api
    stream: str
    message: str
    fields: Mapping[str, Any]

    @property
    def links(self) -> set[str]:
        """The ids of the request that it is of: Lambda's, and API Gateway's."""
        values = (self.fields.get(name) for name in _LINKS)
        return {value for value in values if isinstance(value, str) and len(value) > len("-")}

    @property
    def failed(self) -> bool:
        """Whether it tells of an error: a 5xx, a 429, a crash, a message that was lost; no refused payment."""
        if not self.fields:
            return _FAILURE.search(self.message) is not None
        status = _number(self.fields.get("status"))
        if status == _TOO_MANY or status >= _SERVER_ERROR:
            return True
        return self.fields.get("outcome") == "error" or not self.fields.keys().isdisjoint(
            ("error", "queue_error", "errorType", "FailureMessagesLost")
        )


def parsed(text: str) -> Mapping[str, Any]:
    """Return the JSON object that a line is, empty where it is none."""
    try:
        content = json.loads(text) if text.startswith("{") else None
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _number(value: object) -> int:
    """Return a status: the functions write a number, the access log its text."""
    if isinstance(value, str) and re.fullmatch("[0-9]{3}", value):
        return int(value)
    return value if isinstance(value, int) else 0
