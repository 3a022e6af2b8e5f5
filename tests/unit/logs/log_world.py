"""CloudWatch Logs in memory: lines that arrive late, pages that end early, throttling."""

import itertools
import json
import re
from dataclasses import dataclass, field
from typing import Any

from paycli.operations.logs.event import LogEvent, parsed
from tests.unit.smoke.smoke_stack import AwsError

GROUPS = {
    "validation": "/aws/lambda/payment-validation-test",
    "processing": "/aws/lambda/payment-processing-test",
    "health-monitor": "/aws/lambda/health-monitor-test",
    "api": "/aws/apigateway/payment-api-test/access",
}
NOW = 1_795_000_000_000  # milliseconds
_ids = itertools.count(1)


@dataclass
class Line:
    at: int
    message: str
    arrives: int
    stream: str = "stream"
    event_id: str = field(default_factory=lambda: f"{next(_ids):056}")


class MissingError(Exception):
    """What botocore's client raises for a group that isn't there."""


class Logs:
    """Acts as a client of CloudWatch Logs, and as what answers one."""

    def __init__(self, now: int = NOW) -> None:
        self.groups: dict[str, list[Line]] = {name: [] for name in GROUPS.values()}
        self.now = now
        self.page = 10_000
        self.ids = True  # the embedded AWS gives none
        self.failures: list[str] = []  # AWS's codes, for the next calls
        self.asked: list[dict[str, Any]] = []
        self.exceptions = type("Exceptions", (), {"ResourceNotFoundException": MissingError})

    def write(self, source: str, message: Any, at: int | None = None, late: int = 0, stream: str = "stream") -> Line:
        text = message if isinstance(message, str) else json.dumps(message)
        when = self.now if at is None else at
        line = Line(when, text, when + late, stream)
        self.groups[GROUPS[source]].append(line)
        return line

    def answer(self, params: dict[str, Any]) -> dict[str, Any]:
        """Answer FilterLogEvents."""
        self.asked.append(dict(params))
        if self.failures:
            raise AwsError(self.failures.pop(0))
        lines = self.groups.get(params["logGroupName"])
        if lines is None:
            raise AwsError("ResourceNotFoundException")
        terms = re.findall(r'"([^"]*)"', params.get("filterPattern", ""))
        found = sorted(
            (
                line
                for line in lines
                if line.arrives <= self.now
                and params["startTime"] <= line.at <= params.get("endTime", line.at)
                and (not terms or any(term in line.message for term in terms))
            ),
            key=lambda line: line.at,
        )
        first = int(params.get("nextToken", "0"))
        more = {"nextToken": str(first + self.page)} if len(found) > first + self.page else {}
        return {"events": [self._shown(line) for line in found[first : first + self.page]], **more}

    def _shown(self, line: Line) -> dict[str, Any]:
        shown = {"logStreamName": line.stream, "timestamp": line.at, "message": line.message}
        return {**shown, "eventId": line.event_id} if self.ids else shown

    def filter_log_events(self, **params: Any) -> dict[str, Any]:
        try:
            return self.answer(params)
        except AwsError as error:
            if error.code == "ResourceNotFoundException":
                raise MissingError from None
            raise


def event(message: Any, source: str = "validation", at: int = NOW) -> LogEvent:
    text = message if isinstance(message, str) else json.dumps(message)
    return LogEvent("id", at, source, "stream", text, parsed(text))


def request(logs: Logs, source: str, number: int, transaction: str, at: int) -> None:
    """Write all lines of a request."""
    own, gateway = f"lambda-request-{number}", f"gateway-request-{number}"
    operation = {"validation": "validate", "processing": "process"}[source]
    line = {"operation": operation, "request_id": own, "api_request_id": gateway, "transaction_id": transaction}
    logs.write(source, f"START RequestId: {own} Version: $LATEST\n", at)
    logs.write(source, {**line, "outcome": "validated", "status": 200}, at)
    logs.write(source, f"REPORT RequestId: {own}\tDuration: 3 ms", at)
    access = {"request_id": gateway, "integration_request_id": own, "status": "200", "path": f"/{operation}"}
    logs.write("api", access, at + 5)
