"""`paycli deploy`: plan, show, ask, execute, follow, write the outputs."""

import dataclasses
from typing import TYPE_CHECKING

import click

from paycli import console, display, tables
from paycli.commands.common import Project, environment_command, goes_on
from paycli.commands.smoke_test import check_stack
from paycli.console import Result
from paycli.errors import UsageError
from paycli.text import printable

if TYPE_CHECKING:
    from collections.abc import Collection

    from paycli.deployment.execution import Deployed
    from paycli.deployment.plan import Plan

_NO_CHANGES = "No changes: the stack has it all already."


@click.command("deploy", epilog="Example: paycli deploy --env dev --yes --smoke-test")
@click.option("--yes", is_flag=True, help="Don't ask; for CI.")
@click.option("--dry-run", is_flag=True, help="Stop after showing the change set; nothing stays behind.")
@click.option("--smoke-test", is_flag=True, help="Run the smoke test afterwards.")
@click.option(
    "--allow-remove",
    metavar="LOGICAL_ID",
    multiple=True,
    help="Let this resource be removed although it holds data; may be repeated.",
)
@environment_command
def command(project: Project, yes: bool, dry_run: bool, smoke_test: bool, allow_remove: tuple[str, ...]) -> Result:
    """Create or update the stack of an environment, and write its outputs to cfn-outputs/flat-outputs.json.

    Shows the change set and asks before it changes anything (`local` doesn't ask).
    """
    from paycli.deployment import execution
    from paycli.deployment import plan as planning

    if dry_run and smoke_test:
        raise UsageError(
            "--dry-run deploys nothing that could be tested.", hint="Leave --smoke-test out.", code="usage"
        )
    yes = yes or dry_run or project.environment.target == "embedded"
    console.require_answer(yes=yes)
    aws = project.connect()
    with display.activity() as report:
        plan = planning.prepare(aws, project.environment, project.root, report, dry_run=dry_run)
    try:
        _review(plan, allow_remove, yes=yes)
    except BaseException:  # an interrupt as well: a plan that isn't executed stays nowhere
        planning.discard(aws, plan)
        raise
    if dry_run:
        planning.discard(aws, plan)
        return Result(_data(plan, executed=False), shown=["Nothing was deployed." if plan.changes else _NO_CHANGES])
    with display.activity() as report, goes_on(f"paycli deploy --env {project.environment.name}"):
        deployed = execution.execute(aws, plan, project.root, report)
    result = _result(plan, deployed)
    return _with_smoke_test(project, result) if smoke_test else result


def _review(plan: "Plan", allow_remove: "Collection[str]", *, yes: bool) -> None:
    """Show what will change, refuse what would lose data, and ask."""
    from paycli.deployment import plan as planning

    change_set = plan.change_set
    if change_set is None:
        return
    console.show(console.err(), tables.changes(change_set, plan.place))
    for unused in sorted(
        set(allow_remove) - {change.logical_id for change in plan.changes if change.action == "Remove"}
    ):
        console.note(f"--allow-remove {unused}: nothing of that name would be removed.")
    planning.guard(change_set, allow_remove)
    action = f"{'Create' if change_set.creates else 'Update'} {change_set.stack_name} in {plan.place}"
    console.confirm(action, plan.environment.name, typed=plan.environment.retain_data, yes=yes)


def _data(plan: "Plan", *, executed: bool) -> dict[str, object]:
    return {"changes": [dataclasses.asdict(change) for change in plan.changes], "executed": executed}


def _result(plan: "Plan", deployed: "Deployed") -> Result:
    data = {**_data(plan, executed=bool(plan.changes)), "outputs": deployed.outputs, "outputs_file": str(deployed.path)}
    said = f"{len(plan.changes)} changes deployed." if plan.changes else _NO_CHANGES
    return Result(data, shown=[said, *tables.outputs(deployed.outputs), f"Written to {printable(str(deployed.path))}"])


def _with_smoke_test(project: Project, deployed: Result) -> Result:
    checked = check_stack(project, only=())
    data = {**deployed.data, "smoke_test": checked.data}
    return dataclasses.replace(checked, data=data, shown=[*deployed.shown, *checked.shown])
