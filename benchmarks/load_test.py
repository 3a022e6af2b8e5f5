"""`paycli load-test` at more than the embedded AWS can take, beside a handler that makes the same write alone.

Both get the same arrivals, in turns, and both are reconciled. The target is at least 0.9 of the bare handler's
throughput.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.throughput import deployed
from paycli import emulator

RATE, SECONDS, TURNS = 200, 10, 3
BARE = """
import boto3, json, os, uuid
client = boto3.client("dynamodb")
def handler(event, context):
    sent = json.loads(event["body"])
    found = {"transaction_id": uuid.uuid4().hex, "customer_id": sent["customer_id"], "status": "validated"}
    client.put_item(TableName=os.environ["TABLE_NAME"], Item={name: {"S": value} for name, value in found.items()}
                    | {"amount_minor": {"N": sent["amount"].replace(".", "")}, "currency": {"S": sent["currency"]}},
                    ConditionExpression="attribute_not_exists(transaction_id)")
    print("done")
    body = json.dumps({**found, "amount_minor": int(sent["amount"].replace(".", ""))})
    return {"statusCode": 200, "headers": {"X-Content-Type-Options": "nosniff"}, "body": body}
"""


def load(root: Path, name: str, seed: int) -> dict[str, float]:
    """Return what a load test says of an environment; the first, seed 0, makes its functions warm."""
    command = ["load-test", "--env", name, "--rate", str(RATE if seed else 10), "--duration", str(SECONDS), "--json"]
    command = [sys.executable, "-m", "paycli", *command, "--mix", "new=1", "--in-flight", "8", "--seed", str(seed)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    document = json.loads(done.stdout)
    assert document["data"]["reconciliation"]["clean"], document
    assert not (seed and document["data"]["errors"]), document
    latency = document["data"]["latency"]["all"]
    return {"rate": document["data"]["throughput"], **latency}


def main() -> None:
    """Print both, and the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        try:
            deployed(root, BARE)
            found: dict[str, list[dict[str, float]]] = {"payments": [], "bare": []}
            for turn in range(TURNS + 1):
                for name, runs in found.items():
                    measured = load(root, name, turn)
                    if turn:
                        runs.append(measured)
            print(f"{'':>10}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}   (asked for: {RATE} requests/s)")
            rates = {}
            for name, runs in found.items():
                rates[name] = statistics.median(run["rate"] for run in runs)
                middle, high = (statistics.median(run[cut] for run in runs) * 1000 for cut in ("p50", "p99"))
                print(f"{name:>10}{rates[name]:>12.0f}{middle:>9.0f}{high:>9.0f}")
            print(f"{'':>10} ratio {rates['payments'] / rates['bare']:.2f} (target: at least 0.90)")
        finally:
            emulator.stop(root)


if __name__ == "__main__":
    main()
