"""The click group: commands that load when they are called, and one place where errors become an exit status."""

import contextlib
import gc
import importlib
import os
import shlex
import signal
import sys
import threading
import traceback
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, cast

import click

from paycli import __version__
from paycli.errors import ExitStatus, PaycliError
from paycli.text import redacted

if TYPE_CHECKING:
    from io import TextIOWrapper

    from click.shell_completion import CompletionItem

# Name -> one line of help. Kept here so that `paycli --help` imports no command.
COMMANDS = {
    "render": "Write the CloudFormation template of an environment.",
    "deploy": "Create or update the stack, follow it and write its outputs.",
    "bootstrap": "Make what deploys need once in an account and region.",
    "diff": "Show what a deploy would change, in the stack and in the code.",
    "smoke-test": "Check the deployed stack with real requests.",
    "load-test": "Send load, and prove that no payment was lost or doubled.",
    "status": "Show how the deployed stack fares, on one screen.",
    "drift": "Show what was changed outside CloudFormation.",
    "outputs": "Show the outputs of the deployed stack.",
    "history": "List the deploys of an environment.",
    "rollback": "Deploy a recorded version again, exactly.",
    "restore": "Recover the table: restore beside it, compare, copy back.",
    "drill": "Rehearse a recovery or the alarms, with a report for an audit.",
    "call": "Send a signed request to the deployed API.",
    "failures": "See, replay and settle failed payments.",
    "logs": "Show what functions and API log; follow a payment.",
    "audit": "Say what a template allows, exposes and keeps; find what is wrong.",
    "teardown": "Delete the stack; says first what goes and what stays.",
    "local": "Start, stop and look at the embedded AWS.",
    "config": "Show each setting of an environment and where it comes from.",
    "completion": "Print the script by which bash, zsh or fish completes paycli.",
}


_GROUPS = {"config", "drill", "failures", "local"}  # commands that have commands


class _LazyGroup(click.Group):
    """A group whose commands are modules of `paycli.commands`, imported when one is called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"paycli.commands.{name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            nearest = get_close_matches(args[0], COMMANDS, n=1)
            if nearest:
                raise click.UsageError(f"{error.message} Did you mean {nearest[0]!r}?", ctx) from None
            raise

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete a command's name from the list: click would import each command."""
        from click.shell_completion import CompletionItem

        names = [CompletionItem(name, help=line) for name, line in COMMANDS.items() if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Example: paycli deploy --env dev && paycli smoke-test --env dev",
)
@click.version_option(__version__, package_name="paycli", prog_name="paycli", message="%(prog)s %(version)s")
def paycli() -> None:
    """Generate, deploy, check and operate the AWS stack of a payment-processing API.

    What works on an environment takes --env (else PAYCLI_ENV, else dev); every command, --json and --debug.
    Offline, without an account: --env local.
    """


# What a command imports lives as long as the process: to search it for garbage again and again, as it grows, was a
# fifth of a short command's time. A long one is still searched, each time it has made so many objects more.
_COLLECTED_EVERY = 300_000


def main() -> NoReturn:
    """Run the command line and leave with its exit status."""
    gc.set_threshold(_COLLECTED_EVERY)
    # pydantic would look into every installed package for a plugin of it; paycli has none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, _hang_up)
    sys.excepthook = _show_traceback
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller (`>&-`)
            from pathlib import Path

            setattr(sys, name, Path(os.devnull).open("r+"))  # noqa: SIM115 - as long as paycli
    with contextlib.suppress(AttributeError):  # as standard error is: what it can't write would hide what was done
        cast("TextIOWrapper", sys.stdout).reconfigure(errors="backslashreplace")
    _leave(run(sys.argv[1:]))


def _leave(status: int) -> NoReturn:
    """Leave without taking apart, object by object, what was imported: that was 4 % of a deploy with nothing new.

    Everything is written before. Where that can't be, or another thread still runs, Python sees to it; who interrupts
    doesn't wait for what a thread is asking AWS.
    """
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
        if threading.active_count() == 1 or status == ExitStatus.INTERRUPTED:
            os._exit(status)
    sys.exit(status)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _hang_up(_signal: int, _frame: FrameType | None) -> NoReturn:
    """End: what has to be put back is, and what CloudFormation has begun goes on. Nobody is there to be asked."""
    sys.exit(ExitStatus.INTERRUPTED)


def _show_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Show what --debug lets through."""
    sys.stderr.write(redacted("".join(traceback.format_exception(kind, error, trace))))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit status; an expected error never leaves as a traceback."""
    debug = "--debug" in arguments
    try:
        return int(paycli.main(arguments, prog_name="paycli", standalone_mode=False) or ExitStatus.DONE)
    except (KeyboardInterrupt, click.Abort) as interrupt:
        notes = getattr(interrupt.__cause__ or interrupt, "__notes__", [])  # click raises its own from it
        error = PaycliError("Interrupted.", hint=" ".join(notes), code="interrupted")
        return _refuse(arguments, error, ExitStatus.INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as problem:
        click.echo(problem.ctx.get_help() if problem.ctx else "", err=True)
        return ExitStatus.USAGE
    except click.ClickException as problem:
        context = getattr(problem, "ctx", None)
        where = context.command_path if context else "paycli"
        hint = f"`{where} --help` shows how."
        if where == "paycli" and getattr(problem, "option_name", "") in {"--env", "--json", "--debug"}:
            hint = "It stands behind the command: paycli status --env local"
        said = problem.format_message().replace("\n\t", " ")  # click lists choices with tabs
        error = PaycliError(said, hint=hint, code="usage")
        return _refuse(arguments, error, ExitStatus.USAGE)
    except Exception as problem:
        if debug:
            raise
        known = problem if isinstance(problem, PaycliError) else _explained(problem)
        if "the same command" in known.hint:  # as those say that follow what goes on without paycli
            known.hint += f" Then: {_again(arguments)}"
        return _refuse(arguments, known, known.status)


def _again(arguments: list[str]) -> str:
    """Return the command that goes on with what has begun; a plan of which something is executed is none any more."""
    if any(word.partition("=")[0] == "--execute" for word in arguments):
        return f"paycli deploy --env {_environment(arguments)}"
    return shlex.join(["paycli", *arguments])


def _explained(problem: Exception) -> PaycliError:
    # Whatever raised an error of boto3 has imported it; without it there is nothing to explain.
    if "botocore" in sys.modules:
        from paycli.aws_errors import explain

        known = explain(problem)
        if known:
            return known
    if isinstance(problem, OSError):
        return PaycliError(f"The operating system refuses: {problem}", hint="--debug shows where.", code="os_error")
    return PaycliError(
        redacted(f"An error that paycli doesn't know: {type(problem).__name__}: {problem}"),
        hint="Run it again with --debug for the traceback.",
        code="unexpected",
    )


def _refuse(arguments: list[str], error: PaycliError, status: ExitStatus) -> int:
    from paycli import console

    command, environment = _command(arguments), _environment(arguments)
    for as_json in dict.fromkeys(("--json" in arguments, False)):  # what standard output can't take is told as lines
        with contextlib.suppress(OSError):  # a full disk or a closed pipe may take neither
            console.show_error(error, status, command=command, environment=environment, as_json=as_json)
            break
    return status


def _command(arguments: list[str]) -> str | None:
    """Return the command's name for the document of an error, with that of its subcommand."""
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if word in COMMANDS:
            return f"{word} {following}" if word in _GROUPS and following[:1].isalpha() else word
    return None


def _environment(arguments: list[str]) -> str:
    """Return the environment's name for the document of an error, also of one that click found."""
    if "local" in arguments[:1]:
        return "local"
    name = os.environ.get("PAYCLI_ENV") or "dev"
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if word == "--env" or word.startswith("--env="):  # the last one counts
            name = word.removeprefix("--env=") if "=" in word else following
    return name
