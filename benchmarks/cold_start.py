"""Cold start: import and first request of a handler beside those of a bare `boto3.client("dynamodb")` handler.

Each run is a fresh process against a DynamoDB stub on this machine; the two take turns, so that a drift of the
machine touches both, and the ratio of the medians is the result. The target is at most 0.85.
"""

import json
import os
import statistics
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from benchmarks.measuring import ROOT, machine, target

RUNS, SHARE = 25, 0.85

BARE = """
import boto3, os
client = boto3.client("dynamodb")
def handler(event, context):
    client.put_item(TableName=os.environ["TABLE_NAME"], Item={"transaction_id": {"S": "x"}})
    return {"statusCode": 200}
"""
MEASURE = """
import json, sys, time
began = time.perf_counter()
{load}
loaded = time.perf_counter()
class Context:
    aws_request_id = "r"
event = json.loads({event!r})
assert handler(event, Context())["statusCode"] == 200
first = time.perf_counter()
handler(event, Context())
second = time.perf_counter()
print(json.dumps([loaded - began, first - loaded, second - first]), file=sys.stderr)
"""
EVENT = {
    "httpMethod": "POST",
    "resource": "/validate",
    "headers": {},
    "body": json.dumps({"amount": "10.00", "currency": "USD", "customer_id": "customer-1"}),
    "requestContext": {"requestId": "gateway", "identity": {}},
}


class _Stub(BaseHTTPRequestHandler):
    """Says yes to every write, as DynamoDB does."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: two would wait 40 ms for an acknowledgement
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


def measured(load: str, variables: dict[str, str]) -> list[float]:
    """Return seconds of init, of the first request and of the second, in a fresh process."""
    script = MEASURE.format(load=load, event=json.dumps(EVENT))
    done = subprocess.run(
        [sys.executable, "-c", script], env=variables, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return list(json.loads(done.stderr))


def main() -> None:
    """Print the medians in milliseconds and the ratio."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "ENVIRONMENT": "bench",
        "METRIC_NAMESPACE": "PaymentAPI",
        "TABLE_NAME": "t",
        "QUEUE_URL": "http://127.0.0.1:1/q",
        "PAYMENT_TTL_SECONDS": "60",
    }
    runs: dict[str, list[list[float]]] = {"bare boto3 client": [], "payment-validation": []}
    loads = {"bare boto3 client": BARE, "payment-validation": "from handlers.validation import handler"}
    for number in range(RUNS + 1):
        for name, load in loads.items():
            times = measured(load, variables)
            if number:  # the first only warms the file cache
                runs[name].append(times)
    server.shutdown()
    print(f"\nCold start of a handler ({machine()})")
    print(f"{'ms, medians of ' + str(RUNS):<22}{'init':>8}{'first':>8}{'second':>8}{'init + first':>14}")
    totals = {}
    for name, found in runs.items():
        init, first, second = (statistics.median(run[column] for run in found) * 1000 for column in range(3))
        totals[name] = statistics.median(run[0] + run[1] for run in found) * 1000
        print(f"{name:<22}{init:>8.1f}{first:>8.1f}{second:>8.1f}{totals[name]:>14.1f}")
    ratio = totals["payment-validation"] / totals["bare boto3 client"]
    target(f"at most {SHARE} of the bare client's ({ratio:.2f})", met=ratio <= SHARE)


main()
