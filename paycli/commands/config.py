"""`paycli config`: each setting, its value and where it came from."""

import os
from collections.abc import Iterator, Mapping

import click

from paycli import tables
from paycli.commands.common import Project, environment_command
from paycli.configuration import leaves, table_model
from paycli.console import Result
from paycli.environment import Environment


@click.command("config", epilog="Example: paycli config --env prod --describe")
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
        row["value"], row["source"] = _region_of_outside(project.environment.profile)
    return Result({"settings": rows}, shown=[tables.settings(rows, describe=describe)])


def _region_of_outside(profile: str | None) -> tuple[str | None, str]:
    """Return the region that the standard variables or files give, and which of them."""
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if os.environ.get(variable):
            return os.environ[variable], variable
    import boto3

    region = boto3.Session(profile_name=profile).region_name
    return region, "AWS profile" if region else "default"


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
