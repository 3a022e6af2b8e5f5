"""`paycli diff`: what a deploy would change."""

import dataclasses

import click

from paycli import console, display
from paycli.commands.carry_out import NO_CHANGES, planned
from paycli.commands.common import Project, environment_command
from paycli.commands.embedded_drift import refuse_to_revert
from paycli.console import Result
from paycli.errors import ExitStatus
from paycli.views import deploys


@click.command("diff", epilog="Example: paycli diff --env prod || test $? -eq 4")
@click.option("--revert-drift", is_flag=True, help="Also show what was changed outside CloudFormation.")
@environment_command
def command(project: Project, revert_drift: bool) -> Result:
    """Show what a deploy would change, in the stack and in the code, without changing anything.

    Exits with 0 where nothing would change and with 4 where something would. CloudFormation computes it with a
    change set, which is deleted again; a stack that isn't there yet isn't made.
    """
    from paycli.deployment import difference
    from paycli.deployment import plan as planning
    from paycli.deployment.states import Policy

    aws = project.connect()
    if revert_drift and project.environment.target == "embedded":
        refuse_to_revert(aws, project.environment)
    options = planning.Options(Policy(wait=False, ask=None), dry_run=True, revert_drift=revert_drift)
    with display.activity() as report:
        plan = planning.prepare(aws, project.environment, project.root, report, options)
    try:
        assert plan.code is not None  # noqa: S101 - prepare packs it
        deployed = plan.stack.parameters.get("CodeKey") if plan.stack else None
        code = difference.code_change(plan.bucket, deployed, plan.code)
    finally:
        planning.discard(aws, plan)
    data = {**planned(plan, executed=False), "code": dataclasses.asdict(code)}
    if plan.change_set is None:
        return Result(data, shown=[NO_CHANGES])
    shown = [deploys.changes(plan.change_set, plan.caller.place), *deploys.code_change(code)]
    lost = [change.logical_id for change in plan.changes if change.loses_data]
    if lost:
        console.note(f"A deploy would refuse this: {', '.join(lost)} would be lost.")
    return Result(data, shown=shown, status=ExitStatus.DIFFERENT)
