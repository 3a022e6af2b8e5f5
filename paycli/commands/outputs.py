"""`paycli outputs`: what the deployed stack offers, for people and scripts."""

import dataclasses
import json
import shlex
from collections.abc import Mapping

import click

from paycli.commands.common import Project, environment_command
from paycli.console import Result
from paycli.errors import ExitStatus, PaycliError, UsageError
from paycli.views import deploys


@click.command("outputs", epilog='Example: eval "$(paycli outputs --env dev --format env)"; echo "$APIEndpoint"')
@click.option("--format", "form", type=click.Choice(["text", "env", "json"]), default="text", show_default=True)
@click.option("--key", metavar="NAME", help="Only the value of this output.")
@environment_command
def command(project: Project, form: str, key: str | None) -> Result:
    """Show the outputs of the deployed stack, and write cfn-outputs/flat-outputs.json anew.

    --format env prints `export NAME=value` lines for eval, quoted for the shell, under the outputs' own names;
    --format json prints one flat object, as in the file. (--json, as everywhere, wraps it in paycli's document.)
    """
    from paycli.aws import check_caller
    from paycli.deployment import execution

    if key and form != "text":
        raise UsageError("--key gives the bare value.", hint="Leave --format out.", code="usage")
    aws = project.connect_to_deployed()
    check_caller(aws, project.environment)
    found = execution.written(aws, project.environment, project.root)
    outputs = found.outputs
    result = _result(outputs, form, key)
    if not found.unwritten:
        return result
    error = PaycliError(
        f"{found.path} can't be written: {found.unwritten}.",
        hint="What it would hold is shown all the same.",
        code="outputs_unwritable",
    )
    return dataclasses.replace(result, status=ExitStatus.FAILED, errors=(error,))


def _result(outputs: Mapping[str, str], form: str, key: str | None) -> Result:
    if key:
        if key not in outputs:
            raise UsageError(
                f"There is no output {key!r}.", hint=f"Known: {', '.join(outputs)}.", code="unknown_output"
            )
        return Result({"outputs": {key: outputs[key]}}, text=f"{outputs[key]}\n")
    if form == "env":
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in outputs.items()]
        return Result({"outputs": outputs}, text="".join(lines))
    if form == "json":
        return Result({"outputs": outputs}, text=json.dumps(outputs, indent=2) + "\n")
    return Result({"outputs": outputs}, shown=deploys.outputs(outputs))
