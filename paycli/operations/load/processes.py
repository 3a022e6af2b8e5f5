"""The processes of a load test, each held by a pipe that ends with paycli: Locust's, and the keeper of the proxy."""

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paycli.aws import Aws
    from paycli.environment import Environment
    from paycli.operations.load.plan import Plan

_PARTING = 10.0  # seconds


@dataclass(frozen=True)
class Address:
    """Where the master is; port 0 is any that is free."""

    host: str = "127.0.0.1"
    port: int = 0


class Process:
    """One child; a session of its own, so that Ctrl-C on the terminal is for paycli alone."""

    def __init__(self, role: str, order: dict[str, Any]) -> None:
        self._complaints: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - as long as the child
        self._process = subprocess.Popen(  # noqa: S603 - a module of paycli
            [sys.executable, "-c", f"from paycli.operations.load.{role} import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdin and self._process.stdout  # noqa: S101 - they are pipes
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._role = role
        self._said = ""  # at the end, the last line of its complaints
        with contextlib.suppress(BrokenPipeError):  # it is gone already: its end says why
            self._stdin.write(json.dumps(order) + "\n")
            self._stdin.flush()

    def stop(self) -> None:
        """Ask it to come to an end."""
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield what it says until it ends."""
        yield from map(json.loads, self._stdout)

    def wait(self) -> None:
        """Return when it has ended by itself."""
        self._process.wait()

    def last_words(self) -> str:
        """End it, and say why a child that failed did so: the last line of what it complained of."""
        self.close()
        return f"The load test's {self._role} failed: {self._said or 'it said nothing'}"

    @property
    def failed(self) -> bool:
        """Whether it has ended, and not well."""
        return bool(self._process.poll())

    def close(self) -> None:
        """End it, by force where it doesn't end by itself."""
        self.stop()
        try:
            self._process.wait(_PARTING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stdout.close()
        if not self._complaints.closed:
            self._complaints.seek(0)
            self._said = " ".join([line.strip() for line in self._complaints if line.strip()][-1:])
            self._complaints.close()


def master_order(plan: "Plan", workers: int, endpoint: str, address: Address, patience: float) -> dict[str, Any]:
    """Return the order of the master; it waits `patience` seconds for the workers to come."""
    return {"plan": asdict(plan), "workers": workers, "endpoint": endpoint, "patience": patience, **asdict(address)}


def worker_order(aws: "Aws", environment: "Environment", endpoint: str, address: Address) -> dict[str, Any]:
    """Return the order of a worker. It holds no credentials: the worker finds them as paycli does."""
    return {
        "environment": environment.model_dump_json(),
        "endpoint_url": aws.endpoint_url,
        "endpoint": endpoint,
        **asdict(address),
    }


def keeper_order(aws: "Aws", environment: "Environment", outputs: Mapping[str, str]) -> dict[str, Any]:
    """Return the order of the keeper: the functions that it sends through a proxy, and what the proxy is tried with."""
    return {
        "environment": environment.model_dump_json(),
        "endpoint_url": aws.endpoint_url,
        "functions": [outputs[name] for name in ("ValidationFunctionName", "ProcessingFunctionName")],
        "table": outputs["TransactionsTableName"],
        "queue": outputs["FailedTransactionsQueueUrl"],
    }
