"""`paycli teardown`: say what goes and what stays, ask, delete, follow, list what is left."""

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from paycli import console, display, tables
from paycli.commands.common import Project, environment_command, goes_on
from paycli.console import Result
from paycli.errors import PaycliError
from paycli.text import printable

if TYPE_CHECKING:
    from paycli.deployment.teardown import Leftover, TeardownPlan


@click.command("teardown", epilog="Example: paycli teardown --env pr-123 --yes")
@click.option("--yes", is_flag=True, help="Don't ask; for CI.")
@click.option("--disable-termination-protection", "unprotect", is_flag=True, help="Needed where the stack has it.")
@environment_command
def command(project: Project, yes: bool, unprotect: bool) -> Result:
    """Delete the stack of an environment. Shows first what goes and what stays.

    On `local` it also stops the embedded AWS when no stack is left on it, and without a terminal it doesn't ask.
    """
    from paycli.aws import check_caller
    from paycli.deployment import outputs, teardown

    environment = project.environment
    # Without a terminal `local` goes unasked: what lies in the embedded AWS is test data of this machine.
    yes = yes or (environment.target == "embedded" and not console.can_ask())
    console.require_answer(yes=yes)
    aws = project.connect()
    caller = check_caller(aws, environment)
    plan = teardown.plan(aws, environment)
    if plan is None:
        stopped = _stop_embedded(project)
        return Result({"deleted": False, "left": [], **stopped}, text=f"There is no stack {environment.stack_name}.\n")
    console.show(console.err(), tables.teardown(plan, caller.place))
    if plan.stack.termination_protection and not unprotect:
        raise PaycliError(
            f"{plan.stack.name} has termination protection.",
            hint="If it is to go: add --disable-termination-protection.",
            code="termination_protection",
        )
    action = f"Delete {plan.stack.name} in {caller.place}"
    console.confirm(action, environment.name, typed=environment.retain_data, yes=yes)
    if plan.stack.termination_protection:
        teardown.unprotect(aws, plan.stack)
    with display.activity() as report, goes_on(f"paycli teardown --env {environment.name}"):
        left = teardown.execute(aws, environment, plan, report)
    outputs.forget(plan.stack, project.root)
    stopped = _stop_embedded(project)
    return _result(plan, left, stopped, kept_a_while=environment.target == "aws" and bool(plan.goes))


def _stop_embedded(project: Project) -> dict[str, Any]:
    """Stop the embedded AWS when no stack of any environment is left on it."""
    if project.environment.target != "embedded":
        return {}
    from paycli import emulator
    from paycli.deployment import bootstrap, teardown

    aws = project.connect()
    if not teardown.last_of_embedded(aws):
        return {"emulator_stopped": False}
    with display.activity() as report:
        bootstrap.remove_bootstrap(aws, project.environment, report)
    return {"emulator_stopped": emulator.stop(project.root)}


def _result(plan: "TeardownPlan", left: list["Leftover"], stopped: dict[str, Any], *, kept_a_while: bool) -> Result:
    shown = [f"{plan.stack.name} is deleted: {len(plan.goes)} resources gone, {len(left)} left."]
    for leftover in left:
        name = printable(f"{leftover.resource.resource_type} {leftover.resource.physical_id}")
        shown += [f"  {name}", f"    remove it with: {printable(leftover.command)}"]
    if kept_a_while:
        shown.append("AWS keeps a deleted KMS key for 7 days, and a deleted table's system backup for 35 days.")
    if stopped.get("emulator_stopped"):
        shown.append("The embedded AWS is stopped: no stack was left on it.")
    data = {
        "deleted": True,
        "stack": plan.stack.name,
        "gone": [dataclasses.asdict(resource) for resource in plan.goes],
        "left": [dataclasses.asdict(leftover) for leftover in left],
        **stopped,
    }
    return Result(data, shown=shown)
