"""A warm function: our own CPU a request without the SDK, memory over 10,000 requests, and the package's size.

The SDK is a stand-in that says yes at once, so what is measured is parsing, checking, building and logging.
"""

import contextlib
import io
import json
import os
import resource
import statistics
import time
from typing import Any

from benchmarks.measuring import machine, target

REQUESTS, WARM, PACKAGE = 10_000, 1_000, 20_480
VARIABLES = {
    "ENVIRONMENT": "bench",
    "METRIC_NAMESPACE": "PaymentAPI",
    "TABLE_NAME": "t",
    "QUEUE_URL": "http://127.0.0.1:1/q",
    "PAYMENT_TTL_SECONDS": "60",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
}
VALIDATE = {"amount": "10.00", "currency": "USD", "customer_id": "customer-1", "description": "rent of May"}
PROCESS = {"transaction_id": "txn_" + "0" * 32}


class _Yes:
    """A DynamoDB client that has done everything it is asked for."""

    def put_item(self, **_: Any) -> dict[str, Any]:
        return {}

    def update_item(self, **_: Any) -> dict[str, Any]:
        return {"Attributes": {"currency": {"S": "USD"}}}


def _unused() -> Any:
    """A good payment needs no queue."""
    raise AssertionError


class _Context:
    aws_request_id = "request"


def event(path: str, body: dict[str, str]) -> dict[str, Any]:
    """Return what API Gateway sends."""
    identity = {"accountId": "111111111111", "caller": "AROAEXAMPLE:pod-1"}
    return {
        "httpMethod": "POST",
        "resource": path,
        "headers": {"Idempotency-Key": "key-1"} if path == "/validate" else {},
        "body": json.dumps(body),
        "requestContext": {"requestId": "0f0e0d0c-0b0a-4988-8766-554433221100", "identity": identity},
    }


def main() -> None:
    """Print microseconds of CPU a request and the growth of memory."""
    print(f"\nA warm function ({machine()})")
    os.environ.update(VARIABLES)
    from handlers import processing, validation
    from handlers.payments.aws import Services
    from paycli.deployment.package import package
    from paycli.handlers_source import handlers_root

    services = Services(_Yes(), "t", _unused, "", 60)
    for name, module, sent in (
        ("validate", validation, event("/validate", VALIDATE)),
        ("process", processing, event("/process", PROCESS)),
    ):
        batches, peaks = [], []
        with contextlib.redirect_stdout(io.StringIO()) as logged:
            for batch in range((REQUESTS + WARM) // 500):
                began = time.process_time()
                for _ in range(500):
                    module.respond(sent, _Context(), services)
                if batch * 500 >= WARM:
                    batches.append((time.process_time() - began) / 500 * 1e6)
                    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
                logged.seek(0)
                logged.truncate()
        growth = (peaks[-1] - peaks[0]) / 1024
        print(f"{name:<10}{statistics.median(batches):>8.1f} us of CPU a request, min {min(batches):.1f}", end="")
        print(f"; peak memory grew by {growth:.1f} MB over {REQUESTS:,} requests")
    size = len(package(handlers_root()).content)
    target(f"a package of at most {PACKAGE:,} bytes ({size:,})", met=size <= PACKAGE)


main()
