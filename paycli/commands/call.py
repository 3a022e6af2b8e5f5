"""`paycli call`: one request to the deployed API, as with curl, but signed."""

import json
import re
import shlex
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paycli import console
from paycli.commands.common import Project, environment_command
from paycli.console import Result
from paycli.errors import DetachedError, ExitStatus, PaycliError, UsageError
from paycli.text import printable

if TYPE_CHECKING:
    from paycli.api_client import Answer
    from paycli.aws import Aws
    from paycli.deployment.stacks import Stack
    from paycli.environment import Environment

# They change nothing: https://www.rfc-editor.org/rfc/rfc9110#name-safe-methods
_SAFE = ("GET", "HEAD", "OPTIONS")
_METHODS = (*_SAFE, "POST", "PUT", "PATCH", "DELETE")
_KEY = "Idempotency-Key"
# https://www.rfc-editor.org/rfc/rfc9110#name-field-names; values without what would begin another header
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*)")


@dataclass(frozen=True)
class Request:
    """What is sent; `path` begins with a slash and may have a query."""

    method: str
    path: str
    body: bytes | None
    headers: Mapping[str, str]

    @property
    def name(self) -> str:
        """The request in words, without what follows the path."""
        return f"{self.method} {self.path.partition('?')[0]}"


@click.command(
    "call",
    epilog="""\b
Example: paycli call POST /validate --env local \\
           --data '{"amount": "10.00", "currency": "USD", "customer_id": "customer-1"}'""",
)
@click.argument("method", metavar="METHOD", type=click.Choice(_METHODS, case_sensitive=False))
@click.argument("path")
@click.option("--data", metavar="JSON|@FILE|-", help="The body: JSON, or a file or standard input as it is.")
@click.option("--idempotency-key", "key", metavar="KEY", help="The same key is the same payment.")
@click.option("--header", "headers", metavar="NAME:VALUE", multiple=True, help="May be repeated.")
@click.option("--unsigned", is_flag=True, help="Send no signature.")
@click.option("--include", is_flag=True, help="Show status and headers, on standard error.")
@click.option("--yes", is_flag=True, help="Don't ask where the environment retains its data, as prod does.")
@environment_command
def command(
    project: Project,
    method: str,
    path: str,
    data: str | None,
    key: str | None,
    headers: tuple[str, ...],
    unsigned: bool,
    include: bool,
    yes: bool,
) -> Result:
    """Send one request to the deployed API, signed with your credentials, and print the body of the answer.

    The body is indented on a terminal, and as it came in a pipe. POST /validate gets an Idempotency-Key where you give
    none; it is shown, so that a retry can repeat it. Exits with 0 for an answer of 2xx, else with 1.
    """
    from paycli.aws import check_caller
    from paycli.deployment import execution, outputs

    request = prepared(method, path, data, key, headers)
    aws = project.connect_to_deployed()
    caller = check_caller(aws, project.environment)
    stack = execution.existing(aws, project.environment)
    confirm(request, project.environment, stack, caller.place, yes=yes)
    request = keyed(request)
    signed = project.environment.authorization == "iam" and not unsigned
    answer = send(aws, outputs.resolved(aws, stack)["APIEndpoint"], request, signed=signed)
    if include:
        console.note(f"HTTP {_status(answer)}")
        for name, value in answer.headers.items():
            console.note(f"{name}: {value}")
    return result(request, answer, pretty=sys.stdout.isatty())


def prepared(method: str, path: str, data: str | None, key: str | None, headers: tuple[str, ...]) -> Request:
    """Return the request that the command line asks for. Raises UsageError where it can't be sent."""
    if not re.fullmatch(r"/[\x21-\x7e]*", path):
        raise UsageError(
            f"{path!r} is no path: it begins with / and has only visible ASCII.", hint="Such as /health.", code="usage"
        )
    given = [*headers, f"{_KEY}:{key}"] if key is not None else headers
    return Request(method, path, _body(data), dict(map(_header, given)))


def _header(line: str) -> tuple[str, str]:
    parts = _HEADER.fullmatch(line)
    if not parts:
        raise UsageError(f"{line!r} is no header.", hint="Write it as NAME:VALUE, in visible ASCII.", code="usage")
    return parts[1].title(), parts[2].strip()


def _body(data: str | None) -> bytes | None:
    if data is None:
        return None
    if data == "-":
        return sys.stdin.buffer.read()
    if data.startswith("@"):
        try:
            return Path(data[1:]).read_bytes()
        except OSError as error:
            raise UsageError(f"--data can't be read: {error}", hint="@ is followed by a path.", code="usage") from None
    try:
        json.loads(data)
    except (ValueError, RecursionError) as error:
        hint = "Quote it for the shell: --data '{\"amount\": …}'. What is no JSON can be sent from a file: @FILE."
        raise UsageError(f"--data is no JSON: {error}", hint=hint, code="usage") from None
    return data.encode(errors="surrogateescape")


def confirm(request: Request, environment: "Environment", stack: "Stack", place: str, *, yes: bool) -> None:
    """Ask before a request that may change what is to be kept: on prod, it moves money."""
    kept = environment.retain_data or stack.termination_protection
    if kept and request.method not in _SAFE:
        console.require_answer(yes=yes)
        console.confirm(f"{request.name} on {stack.name} in {place}", environment.name, typed=True, yes=yes)


def keyed(request: Request) -> Request:
    """Return the request, for a new payment with an Idempotency-Key; one that is made here is shown first."""
    if request.name != "POST /validate" or _KEY in request.headers:
        return request
    key = str(uuid.uuid4())
    console.note(f"{_KEY}: {key} (a retry repeats it with --idempotency-key)")
    return replace(request, headers={**request.headers, _KEY: key})


def send(aws: "Aws", endpoint: str, request: Request, *, signed: bool) -> "Answer":
    """Send the request once. Where no answer comes, the error says what that means for a retry."""
    from paycli.api_client import ApiClient

    client = ApiClient(aws, endpoint)
    unknown = f"Whether {request.name} took effect is unknown."
    try:
        return client.call(request.method, request.path[1:], body=request.body, headers=request.headers, signed=signed)
    except PaycliError as error:
        if request.method in _SAFE:
            raise
        hint = f"{again(request)} {error.hint}"
        raise PaycliError(f"{error.message}\n{unknown}", hint=hint, code=error.code) from error
    except KeyboardInterrupt:
        raise DetachedError(f"Interrupted. {unknown}", hint=again(request), code="interrupted") from None
    finally:
        client.close()


def again(request: Request) -> str:
    """Say what to do where nobody knows whether a request took effect."""
    if request.method in _SAFE:
        return "Send it again: it changes nothing."
    if _KEY in request.headers:
        key = shlex.quote(request.headers[_KEY])
        return f"Send it again with --idempotency-key {key}, as the same caller: it stays one payment."
    if request.name == "POST /process":
        return "Send it again: a payment is processed once, however often that is asked for."
    return "Look at what is stored before you send it again."


def result(request: Request, answer: "Answer", *, pretty: bool) -> Result:
    """Return what the API answered; one that isn't 2xx is a failure."""
    text = answer.body.decode(errors="replace")
    try:
        body = answer.json()
        if pretty:
            text = json.dumps(body, indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):  # no JSON, or nested deeper than anybody reads
        body = text
    data = {
        "status": answer.status,
        "headers": dict(answer.headers),
        "body": body,
        "idempotency_key": request.headers.get(_KEY),
    }
    shown = f"{printable(text)}\n" if pretty and text else text
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Result(data, text=shown)
    hint = again(request) if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR else ""
    error = PaycliError(f"{request.name} was answered {_status(answer)}.", hint=hint, code="not_2xx")
    return Result(data, text=shown, status=ExitStatus.FAILED, errors=(error,))


def _status(answer: "Answer") -> str:
    phrases = {status.value: status.phrase for status in HTTPStatus}
    return f"{answer.status} {phrases.get(answer.status, '')}".rstrip()
