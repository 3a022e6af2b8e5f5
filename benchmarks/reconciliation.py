"""The reconciliation of 20,000 payments, beside a bare scan of the same table, on the embedded AWS.

The targets are 60 s and 300 MB of memory. Each runs in a process of its own, whose peak is told by the kernel.
"""

import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paycli import emulator
from paycli.aws import Aws, connect
from paycli.environment import Environment
from paycli.operations.load import stored
from paycli.operations.load.ledger import Ledger
from paycli.operations.load.sample import Sample
from paycli.operations.reconciliation import Exchange, reconcile

if TYPE_CHECKING:
    from multiprocessing.queues import SimpleQueue

PAYMENTS, BATCH, TABLE, RUN = 20_000, 25, "transactions-local", "0123abcd"
LOCAL = Environment(name="local", target="embedded")
NOON = "2026-01-01T12:00:00.000Z"


def customer(number: int) -> str:
    """Return the customer of a payment."""
    return f"paycli-load-{RUN}-0-{number}"


def stocked(root: Path, aws: Aws) -> None:
    """Put the payments into the table, every second one processed, and their exchanges into the ledger."""
    ledger = Ledger(root, RUN)
    for number in range(PAYMENTS):
        name, id_ = customer(number), f"txn_{number:032}"
        told: dict[str, Any] = {"amount_minor": 1000, "currency": "USD", "created_at": NOON}
        exchanges = [Exchange("validate", name, name, 200, id_, **told)]
        if number % 2:
            exchanges.append(Exchange("process", name, name, 200, id_, NOON))
        ledger.add(Sample("new", 0.0, 0.01, 0.0, "", exchange).row() for exchange in exchanges)
    ledger.close()
    client = aws.client("dynamodb")

    def put(first: int) -> None:
        items = []
        for number in range(first, first + BATCH):
            item = {
                "transaction_id": f"txn_{number:032}",
                "status": "processed" if number % 2 else "validated",
                "currency": "USD",
                "customer_id": customer(number),
                "description": "x" * 100,
                "principal": "000000000000:root",
                "fingerprint": "f" * 64,
                "request_id": "r" * 36,
                "created_at": NOON,
                **({"processed_at": NOON, "processed_by": "000000000000:root"} if number % 2 else {}),
            }
            values = {name: {"S": value} for name, value in item.items()}
            items.append({"PutRequest": {"Item": {**values, "amount_minor": {"N": "1000"}}}})
        client.batch_write_item(RequestItems={TABLE: items})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(0, PAYMENTS, BATCH)))


def bare(_root: Path, aws: Aws) -> int:
    """Scan the table, and keep nothing."""
    pages = aws.client("dynamodb").get_paginator("scan").paginate(TableName=TABLE, ConsistentRead=True)
    return sum(len(page["Items"]) for page in pages)


def reconciled(root: Path, aws: Aws) -> int:
    """Read ledger and table, and reconcile."""
    with Ledger.of(root, RUN).open() as file:
        exchanges = [Exchange(*json.loads(line)[5:]) for line in file]
    items = stored.items_of(aws, TABLE, f"paycli-load-{RUN}-", lambda _count: None)
    assert reconcile(exchanges, items, []) == []
    return len(items)


def measured(work: Callable[[Path, Aws], int], root: Path, url: str, told: "SimpleQueue[tuple[float, float]]") -> None:
    """Tell the seconds of a piece of work, and the process's highest memory in MB."""
    aws = connect(LOCAL, url)
    aws.client("dynamodb")
    began = time.perf_counter()
    assert work(root, aws) == PAYMENTS
    took = time.perf_counter() - began
    told.put((took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def main() -> None:
    """Print both, and the ratio."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        try:
            (root / "paycli.toml").touch()
            deploy = [sys.executable, "-m", "paycli", "deploy", "--env", "local"]
            subprocess.run(deploy, cwd=root, check=True, capture_output=True)
            url = emulator.start(root).url
            stocked(root, connect(LOCAL, url))
            print(f"{PAYMENTS} payments{'':>12}{'seconds':>10}{'MB':>8}")
            found = {}
            for work in (bare, reconciled):
                told = spawn.SimpleQueue()
                process = spawn.Process(target=measured, args=(work, root, url, told))
                process.start()
                process.join()
                found[work.__name__], memory = told.get()
                print(f"{work.__name__:>26}{found[work.__name__]:>10.1f}{memory:>8.0f}")
            ratio = found["reconciled"] / found["bare"]
            print(f"{'ratio to the bare scan':>26}{ratio:>10.2f}   (targets: 60 s, 300 MB)")
        finally:
            emulator.stop(root)


if __name__ == "__main__":
    main()
