"""One JSON line a request: allow-listed fields and metrics, and nothing that a client wrote.

Metrics are in CloudWatch's Embedded Metric Format: no call.
"""

import json
import os
import re
import sys
import time
import traceback
from typing import Any

from .aws import error_code

ENVIRONMENT = os.environ.get("ENVIRONMENT", "unknown")
NAMESPACE = os.environ.get("METRIC_NAMESPACE", "PaymentAPI")
FUNCTION = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "unknown")

_TRACE = re.compile(r"Root=(1-[0-9a-f]{8}-[0-9a-f]{24})")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CODE = re.compile(r"[A-Za-z.]{1,64}")
_cold = True


class Record:
    """The log line of one request, as it grows: only what is assigned here is ever logged."""

    def __init__(self, operation: str, request_id: str, api_request_id: object = None) -> None:
        global _cold  # noqa: PLW0603 - a fact of the process
        self._started = time.perf_counter()
        self._metrics: list[dict[str, Any]] = []
        self.fields: dict[str, Any] = {"operation": operation, "request_id": request_id, "cold_start": _cold}
        self.currency: str | None = None  # a code of the contract's list
        _cold = False
        # A client can set both by headers, so only their own forms are taken.
        if isinstance(api_request_id, str) and _UUID.fullmatch(api_request_id):
            self.fields["api_request_id"] = api_request_id
        if match := _TRACE.search(os.environ.get("_X_AMZN_TRACE_ID", "")):
            self.fields["trace_id"] = match[1]

    def failed(self, error: Exception) -> None:
        """Count a 5xx, which is no error to Lambda."""
        self.fields["outcome"] = "error"
        self.metric("Faults", 1, ["FunctionName"])
        self.error(error)

    def error(self, error: Exception) -> None:
        """Say what failed and where. The message may hold a value."""
        places = [f"{frame.f_code.co_filename}:{line}" for frame, line in traceback.walk_tb(error.__traceback__)]
        own = [place for place in places if "/handlers/" in place][-1]
        self.fields.update(error=type(error.__cause__ or error).__name__, error_at=own.rpartition("/")[2])
        if _CODE.fullmatch(code := error_code(error)):
            self.fields["aws_code"] = code

    def payment(self, outcome: str) -> None:
        """Count a payment as Validated, Processed, Rejected or Replayed."""
        self.fields["outcome"] = outcome.lower()
        by_currency = [["Environment", "Currency"]] if self.currency else []
        self.metric(f"Payments{outcome}", 1, *by_currency, ["Environment"])

    def metric(self, name: str, value: int, *dimensions: list[str], resolution: int = 60) -> None:
        """Add a metric, kept by the second or minute; its dimensions are fields of every line."""
        self.fields[name] = value
        metrics = [{"Name": name, "Unit": "Count", "StorageResolution": resolution}]
        dimensions = dimensions or (["Environment"],)
        self._metrics.append({"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": metrics})

    def write(self) -> None:
        """Print the line."""
        line = {**self.fields, "Environment": ENVIRONMENT, "FunctionName": FUNCTION}
        line["duration_ms"] = round((time.perf_counter() - self._started) * 1000, 3)
        if self.currency:
            line["Currency"] = self.currency
        if self._metrics:
            line["_aws"] = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": self._metrics}
        sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
        sys.stdout.flush()
