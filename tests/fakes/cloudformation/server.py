"""The HTTP server: finds the service a request is signed for, plays the faults, records the call."""

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.fakes.cloudformation import neighbours, wire
from tests.fakes.cloudformation.actions import CloudFormation
from tests.fakes.cloudformation.engine import Engine
from tests.fakes.cloudformation.errors import ApiError
from tests.fakes.cloudformation.faults import Fault, Faults
from tests.fakes.cloudformation.model import Json
from tests.fakes.cloudformation.s3 import S3, Answer, Request

_QUERY = {"cloudformation", "sts"}
_QUEUE_ERRORS = {"QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue"}


@dataclass
class Call:
    """A call that was made. Times are of `time.monotonic()`; `virtual` is the fake's time."""

    service: str
    operation: str
    parameters: Json
    at: float
    virtual: float
    answered: float = 0.0
    error: str = ""  # the code, "reset" or "intercepted"


class Desk:
    """Takes requests, one at a time, and answers them."""

    def __init__(self, engine: Engine, faults: Faults) -> None:
        self.engine = engine
        self.faults = faults
        self.lock = threading.RLock()
        self.calls: list[Call] = []
        self.problems: list[str] = []
        self.s3 = S3(engine.account, engine.account_id)
        self.cloudformation = CloudFormation(engine, self._fetch)
        self.neighbours = neighbours.Neighbours(engine)
        engine.has_objects = lambda bucket: bool(self.s3.objects.get(bucket))

    def handle(self, request: Request) -> Answer | None:
        """Return the answer, or None where the connection breaks instead."""
        service = service_of(request)
        operation, parameters = self._decode(service, request)
        call = Call(service, operation, parameters, time.monotonic(), self.engine.agenda.clock.now())
        with self.lock:
            self.calls.append(call)
            struck = self.faults.struck(operation)
        time.sleep(sum(fault.seconds for fault in struck))
        try:
            answer = self._answer(call, request, struck)
        except ApiError as error:
            call.error = error.code
            answer = _error(service, error, request.method)
        time.sleep(sum(fault.late for fault in struck))
        call.answered = time.monotonic()
        return answer

    def _answer(self, call: Call, request: Request, struck: list[Fault]) -> Answer | None:
        for fault in struck:
            if fault.error:
                raise fault.error
            if fault.instead:
                call.error = "intercepted"
                return fault.instead
        if any(fault.resets == "before" for fault in struck):
            call.error = "reset"
            return None
        try:
            with self.lock:
                self.engine.advance()
                with self.engine.agenda.moment():
                    answer = self._work(call, request)
                self.engine.advance()
        except ApiError:
            raise
        except Exception as problem:  # the test must fail, and paycli must not wait for a retry
            self.problems.append(f"{call.service} {call.operation}: {type(problem).__name__}: {problem}")
            raise ApiError("FakeProblem", str(problem)) from problem
        if any(fault.resets == "after" for fault in struck):
            call.error = "reset"
            return None
        return answer

    def _work(self, call: Call, request: Request) -> Answer:
        if call.service == "s3":
            return self.s3.answer(request)
        if call.service == "cloudformation":
            said = self.cloudformation.call(call.operation, call.parameters)
        else:
            said = self.neighbours.call(call.service, call.operation, call.parameters)
        if call.service in _QUERY:
            text = wire.encode(call.service, call.operation, said)
            return Answer(200, text.encode(), {"Content-Type": "text/xml"})
        return Answer(200, json.dumps(said).encode(), {"Content-Type": "application/json"})

    def _decode(self, service: str, request: Request) -> tuple[str, Json]:
        if service in _QUERY:
            return wire.decode(service, request.body.decode())
        if service == "s3":
            return self.s3.operation(request), {"Path": request.path, **request.query}
        return neighbours.decode(
            service, request.method, request.path, request.headers.get("x-amz-target", ""), request.body
        )

    def _fetch(self, url: str) -> str:
        bucket, _, key = urlsplit(url).path.lstrip("/").partition("/")
        if key not in self.s3.objects.get(bucket, {}):
            raise ApiError("ValidationError", "S3 error: The specified key does not exist.")
        return self.s3.objects[bucket][key].decode()


def service_of(request: Request) -> str:
    """Return the service of the signature: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`."""
    found = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", request.headers.get("authorization", ""))
    return found[1] if found else "unsigned"


def _error(service: str, error: ApiError, method: str) -> Answer:
    if service in _QUERY:
        return Answer(error.status, wire.encode_error(error).encode(), {"Content-Type": "text/xml"})
    if service == "s3":
        text = f"<Error><Code>{error.code}</Code><Message>{error.message}</Message></Error>"
        return Answer(error.status, b"" if method == "HEAD" else text.encode())
    said = json.dumps({"__type": error.code, "message": error.message}).encode()
    headers = {"x-amzn-errortype": error.code}
    if service == "sqs":  # the code that it had in the query protocol
        headers["x-amzn-query-error"] = f"{_QUEUE_ERRORS.get(error.code, error.code)};Sender"
    return Answer(error.status, said, headers)


class Server(ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, handle: Callable[[Request], Answer | None]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.handle_call = handle
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that are gone: tests interrupt them."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        answer = self.server.handle_call(Request(self.command, unquote(parts.path), query, headers, body))
        if answer is None:
            # Closing with a linger of 0 s sends a reset instead of an end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", answer.headers.get("x-amz-length", str(len(answer.body))))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _serve  # noqa: N815

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Log nothing: `FakeAws.calls` has every call."""
