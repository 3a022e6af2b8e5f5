"""What GET /health of the deployed API answers."""

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paycli import api_client

if TYPE_CHECKING:
    from paycli.aws import Aws

_TIMEOUT = 2.0  # seconds


@dataclass(frozen=True)
class Health:
    """An answer of GET /health."""

    http_status: int
    state: str  # healthy, degraded, unknown, critical; the problem's code where it is no report
    seconds: float
    troubles: tuple[str, ...]  # the checks that aren't healthy


def read_health(aws: "Aws", endpoint: str | None, *, signed: bool) -> Health | None:
    """Ask once; None where there is no API yet. Raises PaycliError where no answer comes within 2 s."""
    if endpoint is None:
        return None
    started = time.monotonic()
    answer = api_client.call(aws, "GET", f"{endpoint}health", body=None, headers={}, signed=signed, timeout=_TIMEOUT)
    seconds = time.monotonic() - started
    report = _document(answer)
    state = report.get("status")
    if not isinstance(state, str):  # a problem's is the HTTP status
        state = str(report.get("code", ""))
    return Health(answer.status, state, round(seconds, 3), tuple(_troubles(report)))


def _document(answer: api_client.Answer) -> dict[str, Any]:
    """Return the body, empty where it is no JSON object: anything may answer in the API's place."""
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _troubles(report: dict[str, Any]) -> list[str]:
    with contextlib.suppress(LookupError, TypeError, AttributeError):  # as above
        return [
            f"{check['name']} is {check['state']}: {check['value']} (limit {check['threshold'].get(check['state'])})"
            for check in report["checks"]
            if check["state"] != "healthy"
        ]
    return []
