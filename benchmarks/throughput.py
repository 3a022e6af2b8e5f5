"""Throughput and latency through the deployed API, beside a handler that only makes the same write.

Both run on one embedded AWS behind the same gateway, unsigned, and take turns. The target is at least 0.9 of the bare
handler's throughput.
"""

import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

from benchmarks.measuring import machine, target
from paycli import emulator
from paycli.api_client import ApiClient
from paycli.aws import connect
from paycli.environment import Environment

CALLERS, REQUESTS, TURNS, SHARE = (1, 8, 32), 320, 3, 0.9
SETTINGS = "".join(f'[env.{name}]\nextends = "local"\nauthorization = "none"\n' for name in ("payments", "bare"))
BARE = """
import boto3, os, uuid
client = boto3.client("dynamodb")
def handler(event, context):
    item = {"transaction_id": {"S": uuid.uuid4().hex}, "body": {"S": event["body"]}}
    client.put_item(TableName=os.environ["TABLE_NAME"], Item=item,
                    ConditionExpression="attribute_not_exists(transaction_id)")
    print("done")
    return {"statusCode": 200, "body": "{}"}
"""


def run(client: ApiClient, callers: int) -> tuple[float, list[float]]:
    """Return requests per second and each request's seconds."""

    def one(_: int) -> float:
        body = {"amount": "10.00", "currency": "USD", "customer_id": "bench", "reference": uuid4().hex[:12]}
        began = time.perf_counter()
        answer = client.call("POST", "validate", body=json.dumps(body).encode(), headers={}, signed=False)
        assert answer.status == 200, answer.body
        return time.perf_counter() - began

    with ThreadPoolExecutor(callers) as pool:
        began = time.perf_counter()
        times = list(pool.map(one, range(REQUESTS)))
        return REQUESTS / (time.perf_counter() - began), times


def deployed(root: Path, bare: str = BARE) -> dict[str, ApiClient]:
    """Deploy both, put the bare handler into one, and return a client for each."""
    (root / "paycli.toml").write_text(SETTINGS)
    clients = {}
    for name in ("payments", "bare"):
        subprocess.run(
            [sys.executable, "-m", "paycli", "deploy", "--env", name], cwd=root, check=True, capture_output=True
        )
        endpoint = json.loads((root / "cfn-outputs" / "flat-outputs.json").read_text())["APIEndpoint"]
        aws = connect(Environment(name="local", target="embedded"), emulator.start(root).url)
        clients[name] = ApiClient(aws, endpoint, timeout=60)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("handlers/validation.py", bare)
    functions = aws.client("lambda")
    functions.update_function_code(FunctionName="payment-validation-bare", ZipFile=packed.getvalue())
    functions.get_waiter("function_updated_v2").wait(FunctionName="payment-validation-bare", WaiterConfig={"Delay": 1})
    return clients


def main() -> None:
    """Print both, and the ratio, for each number of callers."""
    print(f"\nThroughput through the embedded AWS ({machine()})")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        try:
            clients = deployed(root)
            print(f"{'callers':>7}{'':>10}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}")
            for callers in CALLERS:
                found: dict[str, list[tuple[float, list[float]]]] = {who: [] for who in clients}
                for turn in range(TURNS + 1):
                    for who, client in clients.items():
                        measured = run(client, callers)
                        if turn:  # the first makes the functions warm
                            found[who].append(measured)
                rates = {}
                for who, runs in found.items():
                    rates[who] = statistics.median(rate for rate, _ in runs)
                    cuts = statistics.quantiles([value * 1000 for _, times in runs for value in times], n=100)
                    print(f"{callers:>7}{who:>10}{rates[who]:>12.0f}{cuts[49]:>9.1f}{cuts[98]:>9.1f}")
                share = rates["payments"] / rates["bare"]
                target(f"{callers} callers: at least {SHARE} of the bare handler ({share:.2f})", met=share >= SHARE)
        finally:
            emulator.stop(root)


if __name__ == "__main__":
    main()
