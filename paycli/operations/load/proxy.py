"""The proxy that makes faults, as a process, and how it is told which."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from typing import Any

from paycli.errors import PaycliError

_START_SECONDS = 20.0
_ANSWER_SECONDS = 10.0
_PARTING = 5.0  # seconds: it would wait for connections, which the functions keep open


class Proxy:
    """A proxy on this machine before `upstream`; it makes no faults until it is told to."""

    def __init__(self, upstream: str) -> None:
        port = _free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(  # noqa: S603 - fixed words, an address and a port
            [sys.executable, "-m", "microburst", "--upstream", upstream, "--host", "127.0.0.1", "--port", str(port)],
            env={"PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def await_answer(self) -> None:
        """Return when it answers. Raises PaycliError where it doesn't start."""
        deadline = time.monotonic() + _START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                return make_faults(self.address, [])
            time.sleep(0.05)
        raise PaycliError("The proxy that makes faults did not start.", code="faults_failed")

    def end(self) -> None:
        """End it, by force where it doesn't end by itself."""
        self._process.terminate()
        try:
            self._process.wait(_PARTING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def make_faults(address: str, rules: list[dict[str, Any]]) -> None:
    """Tell the proxy at an address which faults it makes from now on."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    url, body = f"{address}/_microburst/rules", json.dumps(rules).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="POST")  # noqa: S310
    direct.open(request, timeout=_ANSWER_SECONDS).close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
