"""`Tables` over HTTP, for a paycli that is a process of its own, with a gate at which a test may stop it."""

import json
import threading
from datetime import UTC, datetime
from typing import Any

from tests.fakes.cloudformation import wire
from tests.fakes.cloudformation.fake import pointing_at
from tests.fakes.cloudformation.s3 import Answer, Request
from tests.fakes.cloudformation.server import Server, service_of
from tests.fakes.tables import Tables
from tests.unit.smoke.smoke_stack import AwsError

_ANSWER_SECONDS = 60


class TablesOverHttp:
    """Starts with the object and stops with `close`, or as a context manager.

    Requests are counted, and the one of number `gate` waits for `release`. What it asks for is done then, whether or
    not somebody is still there to hear of it; or, with `refused`, it never arrives.
    """

    def __init__(self, tables: Tables, *, gate: int = 0, refused: bool = False) -> None:
        self.tables, self.gate, self.refused = tables, gate, refused
        self.asked: list[str] = []  # the operations
        self.problems: list[str] = []
        self._held, self._released, self._lock = threading.Event(), threading.Event(), threading.Lock()
        self._server = Server(self._handle)
        self.environ = pointing_at(self._server.url, "us-east-1")

    def __enter__(self) -> "TablesOverHttp":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop; what was asked for and isn't there is a failure of the test."""
        self.release()
        self._server.close()
        assert self.problems == []

    def is_held(self) -> bool:
        """Whether the request of the gate is waiting."""
        return self._held.is_set()

    def release(self) -> None:
        """Let it go on."""
        self._released.set()

    def _handle(self, request: Request) -> Answer | None:
        service = service_of(request)
        if service == "sts":
            operation, params = wire.decode(service, request.body.decode())
        else:
            operation, params = request.headers["x-amz-target"].rpartition(".")[2], json.loads(request.body)
        with self._lock:
            self.asked.append(operation)
            held = len(self.asked) == self.gate
        if held:
            self._held.set()
            self._released.wait(_ANSWER_SECONDS)
            if self.refused:
                return None
        return self._answer(service, operation, params)

    def _answer(self, service: str, operation: str, params: dict[str, Any]) -> Answer:
        if "RestoreDateTime" in params:
            params["RestoreDateTime"] = datetime.fromtimestamp(params["RestoreDateTime"], UTC)
        try:
            said = self._done(operation, params)
        except AwsError as error:
            return _json(400, {"__type": error.code, "message": error.said, **error.more})
        if service == "sts":
            return Answer(200, wire.encode(service, operation, said).encode(), {"Content-Type": "text/xml"})
        return _json(200, said)

    def _done(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        try:
            with self.tables.lock:
                return self.tables.operations[operation](params)
        except AwsError:
            raise
        except Exception as problem:  # the test must fail, and paycli must not wait for a retry
            self.problems.append(f"{operation}: {type(problem).__name__}: {problem}")
            raise AwsError("FakeProblem", str(problem)) from problem


def _json(status: int, said: dict[str, Any]) -> Answer:
    body = json.dumps(said, default=lambda at: at.timestamp())  # times are seconds since the epoch
    return Answer(status, body.encode(), {"Content-Type": "application/x-amz-json-1.0"})
