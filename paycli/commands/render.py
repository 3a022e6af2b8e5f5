"""`paycli render`: the template, as security audits it and cfn-lint reads it."""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paycli import configuration
from paycli.commands.common import Project, env_is_given, environment_command, save
from paycli.console import Result
from paycli.errors import ExitStatus, PaycliError, UsageError
from paycli.handlers_source import demand_own
from paycli.text import printable

if TYPE_CHECKING:
    from paycli.environment import Environment

_SHOWN_LINES = 40
_RENDER_ALL = "Run `paycli render --all`."


@dataclass(frozen=True)
class _Template:
    environment: str
    path: Path | None
    text: str


@click.command("render", epilog="Example: paycli render --env prod --format json --output prod.json")
@click.option("--format", "form", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@click.option("--all", "everything", is_flag=True, help="Write templates/ENV.yaml of every environment on AWS.")
@click.option("--check", is_flag=True, help="Write nothing; exit 4 where templates/ (or --output) differs.")
@environment_command
def command(project: Project, form: str, output: Path | None, everything: bool, check: bool) -> Result:
    """Write the CloudFormation template of an environment.

    It goes to standard output, to --output, or with --all to templates/. With --check and no --env, all of
    templates/ is compared.
    """
    demand_own(project.root)
    named = env_is_given()
    if everything and (named or output):
        raise UsageError("--all is for every environment.", hint="Leave --env and --output out.", code="usage")
    if form != "yaml" and (everything or (check and not output)):
        raise UsageError("templates/ holds YAML.", hint="Leave --format out, or add --output.", code="usage")
    if everything or (check and not output and not named):
        templates = _all_templates(project.root)
    elif check and not output:
        templates = [_committed(project.root, project.environment)]
    else:
        templates = [_Template(project.environment.name, output, _text(project.environment, form))]
    if check:
        return _compare(templates, "Run the same command without --check." if output else _RENDER_ALL)
    return _write(templates)


def _all_templates(root: Path) -> list[_Template]:
    environments = [configuration.load(name, root).environment for name in configuration.known_names(root)]
    return [_committed(root, environment) for environment in environments if environment.target == "aws"]


def _committed(root: Path, environment: "Environment") -> _Template:
    path = root / "templates" / f"{environment.name}.yaml"
    return _Template(environment.name, path, _text(environment, "yaml"))


def _text(environment: "Environment", form: str) -> str:
    from paycli.stack import build

    template = build(environment)
    if form == "json":
        from paycli.stack.rendering import to_json

        return to_json(template) + "\n"
    from paycli.stack.yaml_rendering import committed

    return committed(template)


def _write(templates: list[_Template]) -> Result:
    written = []
    for template in templates:
        if template.path is None:
            return Result({"environment": template.environment, "template": template.text}, text=template.text)
        save(template.path, template.text)
        written.append({"environment": template.environment, "path": str(template.path)})
    return Result({"written": written}, text="".join(f"Wrote {printable(entry['path'])}\n" for entry in written))


def _compare(templates: list[_Template], hint: str) -> Result:
    different: list[str] = []
    text = ""
    for template in templates:
        path = template.path
        assert path is not None  # noqa: S101 - --check always has a file to compare with
        if not path.exists():
            different.append(str(path))
            text += f"{printable(str(path))} is missing.\n"
            continue
        there = path.read_text(encoding="utf-8", errors="replace")
        if there != template.text:
            different.append(str(path))
            text += _difference(path, there, template.text)
    if not different:
        return Result(
            {"different": []},
            text="".join(f"{printable(str(template.path))} is up to date.\n" for template in templates),
        )
    message = f"Not what the builders emit: {', '.join(different)}"
    error = PaycliError(message, hint=hint, code="template_differs")
    return Result({"different": different}, text=text, status=ExitStatus.DIFFERENT, errors=(error,))


def _difference(path: Path, there: str, emitted: str) -> str:
    lines = list(
        difflib.unified_diff(there.splitlines(), emitted.splitlines(), str(path), "what the builders emit", lineterm="")
    )
    more = [f"... {len(lines) - _SHOWN_LINES} more lines"] if len(lines) > _SHOWN_LINES else []
    return printable("\n".join([*lines[:_SHOWN_LINES], *more])) + "\n"  # the file there may be anybody's
