"""What every command shares: the options, the project it stands in, and how its result leaves."""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from paycli import configuration, console
from paycli.environment import presets
from paycli.errors import DetachedError, PaycliError, not_deployed
from paycli.files import write_whole

if TYPE_CHECKING:
    from paycli.aws import Aws
    from paycli.emulator import Emulator
    from paycli.environment import Environment


_SOURCES = {ParameterSource.COMMANDLINE: "--env", ParameterSource.ENVIRONMENT: "PAYCLI_ENV"}


@dataclass(frozen=True)
class Project:
    """The folder a command works on, and the environment that was chosen."""

    root: Path
    configuration: configuration.Configuration
    ending: contextlib.ExitStack = field(
        default_factory=contextlib.ExitStack, repr=False, compare=False, kw_only=True
    )  # what is to be let go at the command's end

    @property
    def environment(self) -> "Environment":
        """The chosen environment."""
        return self.configuration.environment

    def connect(self) -> "Aws":
        """Return the environment's AWS; the embedded one is started where it doesn't run."""
        from paycli.aws import connect

        if self.environment.target != "embedded":
            return connect(self.environment)
        from paycli import emulator

        running = self._running()
        part, waited = emulator.take_part(self.root)
        self.ending.callback(os.close, part)
        if waited:
            running = self._running()
        return connect(self.environment, running.url)

    def _running(self) -> "Emulator":
        from paycli import embedded_state, emulator

        running = emulator.find(self.root)
        if running is None:
            running = emulator.start(self.root)
            console.note(f"Started the embedded AWS at {running.url}")
            if running.lost_since:
                console.note(embedded_state.loss(running.lost_since))
        return running

    def connect_to_deployed(self) -> "Aws":
        """Return the environment's AWS, without starting an embedded one that has never held a stack."""
        if self.environment.target == "embedded":
            from paycli import emulator

            if not emulator.home(self.root).exists():
                raise not_deployed(self.environment.stack_name, self.environment.name)
        return self.connect()


def goes_on(command: str) -> contextlib.AbstractContextManager[None]:
    """Say on an interrupt that CloudFormation goes on, and which command comes back to it."""
    return on_interrupt(
        "Interrupted: paycli no longer follows, but CloudFormation goes on with what it has begun.",
        hint=f"Wait until it is done, then run `{command}` again: it takes up what is left.",
    )


@contextlib.contextmanager
def on_interrupt(message: str, hint: str) -> Iterator[None]:
    """Say on an interrupt what has become of the work."""
    try:
        yield
    except KeyboardInterrupt:
        raise DetachedError(message, hint=hint, code="interrupted") from None


def region_of_outside(profile: str | None) -> tuple[str | None, str]:
    """Return the region that the standard variables or files give, and which of them."""
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if os.environ.get(variable):
            return os.environ[variable], variable
    import boto3

    region = boto3.Session(profile_name=profile).region_name
    return region, "AWS profile" if region else "default"


def save(path: Path, text: str) -> None:
    """Write a file whole or not at all; what is no regular file (/dev/stdout, a pipe) is written to as it is."""
    try:
        path = path.resolve()  # the file that a link names, not the link
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
            return
        write_whole(path, text)
    except OSError as error:
        raise PaycliError(f"{path} can't be written: {error.strerror}", hint="Choose another --output.") from None


def env_is_given() -> bool:
    """Whether --env stands on the command line; PAYCLI_ENV and the default don't count."""
    return click.get_current_context().get_parameter_source("env") is ParameterSource.COMMANDLINE


def _environments(_context: click.Context, _option: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of an environment; whatever is wrong with the project, the shell hears nothing of it."""
    try:
        names = configuration.known_names(configuration.project_root())
    except (OSError, PaycliError):
        names = sorted(presets())
    return [name for name in names if name.startswith(incomplete)]


def env_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --env; the command gets the name as `env`."""
    return click.option(
        "--env",
        "env",
        metavar="NAME",
        envvar="PAYCLI_ENV",
        default="dev",
        show_default="PAYCLI_ENV, else dev",
        shell_complete=_environments,
        help="The environment: local, dev, prod, or any of paycli.toml.",
    )(function)


def output_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --json and --debug."""
    function = click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")(
        function
    )
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")(function)


def environment_command(function: Callable[..., console.Result]) -> Callable[..., int]:
    """Turn `function(project, **options) -> Result` into a click callback with the common options."""

    @functools.wraps(function)
    def callback(env: str, as_json: bool, **options: Any) -> int:
        root = configuration.project_root()
        source = click.get_current_context().get_parameter_source("env")
        settings = configuration.load(env, root, _SOURCES.get(source or ParameterSource.DEFAULT, "default"))
        with contextlib.ExitStack() as ending:
            result = function(Project(root, settings, ending=ending), **options)
        name = click.get_current_context().command_path.split(" ", 1)[1]
        return console.finish(result, command=name, environment=env, as_json=as_json)

    return env_option(output_options(callback))
