"""An HTTP relay to an AWS on this machine that counts the calls of each operation."""

import http.client
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from urllib.parse import parse_qs, urlsplit


class Relay:
    """Passes every request on to `target` while it is a context; `calls` counts them."""

    def __init__(self, target: str) -> None:
        self.calls: Counter[str] = Counter()
        host = urlsplit(target).netloc
        calls = self.calls

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                calls[_operation(self.command, self.headers.get("X-Amz-Target", ""), body)] += 1
                connection = http.client.HTTPConnection(host, timeout=60)
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                content = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in {"transfer-encoding", "connection", "content-length"}:
                        self.send_header(name, value)
                # To HEAD, it is the length of what would come.
                length = answer.getheader("Content-Length") if self.command == "HEAD" else None
                self.send_header("Content-Length", length or str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                connection.close()

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _pass_on  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Relay":
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _operation(verb: str, target: str, body: bytes) -> str:
    """Return the operation's name; of S3, which has none in the request, the verb."""
    action = parse_qs(body.decode(errors="replace")).get("Action", [""])[0] if len(body) < 1_000_000 else ""
    return target.rpartition(".")[2] or action or f"S3 {verb}"
