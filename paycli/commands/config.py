"""`paycli config`: each setting, its value and where it came from; and who may deploy it."""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click
from click.core import ParameterSource

from paycli.commands import deployer_policy
from paycli.commands.common import Project, environment_command, region_of_outside
from paycli.configuration import leaves, table_model
from paycli.console import Result
from paycli.environment import Environment
from paycli.errors import ExitStatus, UsageError
from paycli.views import settings


def _unless_a_command_follows(settings: Callable[..., int]) -> Callable[..., int]:
    """Show the settings where no command follows, and refuse options that it would not see."""

    @functools.wraps(settings)
    def callback(**options: Any) -> int:
        context = click.get_current_context()
        follows = context.invoked_subcommand
        if follows is None:
            return settings(**options)
        if any(context.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in options):
            raise UsageError(
                f"Options of `{context.command_path} {follows}` stand behind it.",
                hint=f"{context.command_path} {follows} --env NAME",
                code="usage",
            )
        return ExitStatus.DONE

    return callback


@click.group("config", invoke_without_command=True, epilog="Example: paycli config --env prod --describe")
@_unless_a_command_follows
@click.option("--describe", is_flag=True, help="Explain each setting, with its price where it has one.")
@environment_command
def command(project: Project, describe: bool) -> Result:
    """Show each setting of an environment and where it comes from.

    Settings stand in paycli.toml: [defaults], then [env.NAME].
    """
    sources = project.configuration.sources
    descriptions = dict(_descriptions())
    rows = [
        {
            "setting": dotted,
            "value": value,
            "source": sources[_said(dotted, sources)],
            "description": descriptions.get(dotted, ""),
        }
        for dotted, value in leaves(project.environment.model_dump())
    ]
    if project.environment.region is None and project.environment.target == "aws":
        row = next(row for row in rows if row["setting"] == "region")
        row["value"], row["source"] = region_of_outside(project.environment.profile)
    return Result({"settings": rows}, shown=[settings.settings(rows, describe=describe)])


def _said(dotted: str, sources: Mapping[str, str]) -> str:
    return dotted if dotted in sources else dotted.rpartition(".")[0]


def _descriptions() -> Iterator[tuple[str, str]]:
    for name, field in Environment.model_fields.items():
        table = table_model(name)
        if table:
            for inner, inner_field in table.model_fields.items():
                yield f"{name}.{inner}", inner_field.description or ""
        else:
            yield name, field.description or ""


command.add_command(deployer_policy.command)
