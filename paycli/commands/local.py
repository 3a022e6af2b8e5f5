"""`paycli local`: the embedded AWS of this project."""

import functools
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paycli import configuration, console
from paycli.commands.common import output_options
from paycli.console import Result
from paycli.errors import PaycliError
from paycli.text import printable

if TYPE_CHECKING:
    from datetime import datetime


@click.group("local", epilog='Example: eval "$(paycli local env)" && aws dynamodb list-tables')
def command() -> None:
    """Start, stop and look at the embedded AWS: everything runs offline, on 127.0.0.1.

    `--env local` starts it by itself. Its state is in .paycli/ of the project.
    """


def _local_command(function: Callable[[Path], Result]) -> Callable[..., int]:
    """Turn `function(root) -> Result` into a click callback."""

    @functools.wraps(function)
    def callback(as_json: bool) -> int:
        name = click.get_current_context().command_path.split(" ", 1)[1]
        result = function(configuration.project_root())
        return console.finish(result, command=name, environment="local", as_json=as_json)

    return output_options(callback)


@command.command("start", epilog="Example: paycli local start")
@_local_command
def start(root: Path) -> Result:
    """Start it, or say where it runs."""
    from paycli import embedded_state, emulator

    running = emulator.start(root)
    text = f"The embedded AWS answers at {running.url} (process {running.pid}).\n"
    if running.lost_since:
        text += f"{embedded_state.loss(running.lost_since)}\n"
    return Result({**_facts(running), "lost_since": _iso(running.lost_since)}, text=text)


@command.command("stop", epilog="Example: paycli local stop")
@_local_command
def stop(root: Path) -> Result:
    """Stop it and save its state; the next start has everything again."""
    from paycli import emulator

    stopped = emulator.stop(root)
    return Result({"stopped": stopped}, text="Stopped; its state is saved.\n" if stopped else "It isn't running.\n")


@command.command(
    "status", short_help="Say whether it runs, and what it doesn't prove.", epilog="Example: paycli local status"
)
@_local_command
def status(root: Path) -> Result:
    """Say whether it runs, where its state is, and what a local success does not prove."""
    from paycli import embedded_state, emulator
    from paycli.stack.embedded import OMISSIONS

    running = emulator.find(root)
    state = emulator.home(root)
    unsaved = embedded_state.unsaved_since(state)
    shown = [f"It runs at {running.url} (process {running.pid})." if running else "It isn't running."]
    shown.append(f"Its state is in {printable(str(state))}.")
    if unsaved and running:
        shown.append(f"What came after {embedded_state.said(unsaved)} is saved when it is stopped; `kill -9` loses it.")
    elif unsaved:
        shown.append(embedded_state.loss(unsaved))
    shown += ["", "A local success does not prove:", *(f"- {omission}" for omission in OMISSIONS)]
    facts = _facts(running) if running else {}
    data = {"running": bool(running), **facts, "state": str(state), "unsaved_since": _iso(unsaved)}
    return Result({**data, "not_proven": list(OMISSIONS)}, shown=shown)


@command.command("env", epilog='Example: eval "$(paycli local env)"')
@_local_command
def env(root: Path) -> Result:
    """Print what points the AWS CLI, an SDK or a script at it."""
    from paycli import emulator
    from paycli.aws import EMBEDDED_KEY, EMBEDDED_REGION

    running = emulator.find(root)
    if running is None:
        raise PaycliError("The embedded AWS isn't running.", hint="paycli local start", code="emulator_stopped")
    variables = {
        "AWS_ENDPOINT_URL": running.url,
        "AWS_ACCESS_KEY_ID": EMBEDDED_KEY,
        "AWS_SECRET_ACCESS_KEY": EMBEDDED_KEY,
        "AWS_REGION": EMBEDDED_REGION,
        "AWS_DEFAULT_REGION": EMBEDDED_REGION,
    }
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    # A profile or session token of the shell would win over the keys.
    return Result({"variables": variables}, text="".join(lines) + "unset AWS_PROFILE AWS_SESSION_TOKEN\n")


def _iso(at: "datetime | None") -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _facts(running: Any) -> dict[str, Any]:
    return {"url": running.url, "process": running.pid}
