"""`paycli drift`: what was changed outside CloudFormation."""

import dataclasses
from typing import TYPE_CHECKING

import click

from paycli import display
from paycli.commands.common import Project, environment_command
from paycli.console import Result
from paycli.errors import ExitStatus, PaycliError, not_deployed
from paycli.views import drift as drift_view

if TYPE_CHECKING:
    from paycli.operations.drift import Drift

_EMBEDDED = "The embedded AWS doesn't look at everything: an alarm that was deleted, for one, it doesn't notice."


@click.command("drift", epilog="Example: paycli drift --env prod || paycli deploy --env prod --revert-drift --dry-run")
@environment_command
def command(project: Project) -> Result:
    """Show what was changed outside CloudFormation: each property as it was set, and as it is.

    Exits with 0 where nothing has drifted and with 4 where something has. It changes nothing. A plain deploy doesn't
    see drift; `deploy --revert-drift` takes it back, and `diff --revert-drift` shows what that would do.
    """
    from paycli.aws import check_caller
    from paycli.deployment import stacks
    from paycli.operations.drift import detect

    environment = project.environment
    aws = project.connect_to_deployed()
    check_caller(aws, environment)
    cloudformation = aws.client("cloudformation")
    stack = stacks.find(cloudformation, environment.stack_name)
    if stack is None or stack.empty:
        raise not_deployed(environment.stack_name, environment.name)
    with display.activity() as report:
        drift = detect(cloudformation, stack.name, report)
    notes = [_EMBEDDED] if environment.target == "embedded" else []
    would = _outlook(drift, environment.name, embedded=environment.target == "embedded")
    data = {
        **dataclasses.asdict(drift),
        "checked_at": drift.checked_at.isoformat(timespec="seconds"),
        "deploy_would": would,
        "notes": notes,
    }
    errors: tuple[PaycliError, ...] = ()
    if drift.incomplete:
        said = f"The detection is incomplete: {drift.incomplete}"
        errors = (PaycliError(said, hint="What it could read is shown.", code="drift_incomplete"),)
    shown = [*drift_view.drift(drift), *would, *notes]
    return Result(data, shown=shown, status=ExitStatus.DIFFERENT if drift.resources else ExitStatus.DONE, errors=errors)


def _outlook(drift: "Drift", environment: str, *, embedded: bool) -> list[str]:
    """Say what a deploy would do about it."""
    deleted = [one for one in drift.resources if one.status == "DELETED"]
    said = []
    if any(one.status == "MODIFIED" for one in drift.resources):
        said.append(
            "A deploy leaves what was modified, unless the template changes the same property: then that one wins."
            + ("" if embedded else f" `paycli deploy --env {environment} --revert-drift` sets it back to the template.")
        )
    if deleted and embedded:
        return [*said, f"No deploy makes it again there: `paycli teardown --env {environment}`, then deploy."]
    if deleted:
        said.append(
            "A deploy leaves what was deleted, and fails where the template changes it. "
            f"`paycli deploy --env {environment} --revert-drift` makes it again."
        )
    lost = [one.logical_id for one in deleted if one.holds_data]
    if lost:
        tables = [one.logical_id for one in deleted if one.resource_type == "AWS::DynamoDB::Table"]
        if tables:
            said.append(f"Its payments come back by `paycli restore --env {environment} --deleted`, and by no deploy.")
        options = " ".join(f"--allow-remove {one}" for one in lost if one not in tables)
        if options:
            said.append(f"What is made again is empty, and wants {options} as well.")
    return said
