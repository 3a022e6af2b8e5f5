"""`paycli deploy`: plan, show, ask, execute, follow, write the outputs."""

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paycli import console, display
from paycli.commands.carry_out import NO_CHANGES, carry_out, deployed_result, leave_nothing, planned, review
from paycli.commands.common import Project, environment_command
from paycli.commands.embedded_drift import refuse_to_revert
from paycli.commands.smoke_test import with_smoke_test
from paycli.console import Result
from paycli.errors import UsageError
from paycli.text import printable

if TYPE_CHECKING:
    from paycli.aws import Aws
    from paycli.deployment.plan import Plan
    from paycli.deployment.records import Record
    from paycli.deployment.states import Policy


@click.command(
    "deploy",
    epilog="Example: paycli deploy --env dev --yes --smoke-test. In two steps: "
    "paycli deploy --env prod --plan plan.json, review it, paycli deploy --env prod --execute plan.json --yes",
)
@click.option("--yes", is_flag=True, help="Don't ask; for CI.")
@click.option("--dry-run", is_flag=True, help="Stop after showing the change set; nothing stays behind.")
@click.option(
    "--plan",
    "plan_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Stop after showing the change set, and keep it: FILE names it for --execute.",
)
@click.option(
    "--execute",
    "execute_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="Execute exactly the change set that --plan has kept.",
)
@click.option("--smoke-test", is_flag=True, help="Run the smoke test afterwards.")
@click.option(
    "--rollback-on-failure", is_flag=True, help="With --smoke-test: where it fails, deploy the version before again."
)
@click.option(
    "--no-wait", is_flag=True, help="Don't wait for another operation on the stack: say who runs it, and end."
)
@click.option("--revert-drift", is_flag=True, help="Also set back what was changed outside CloudFormation.")
@click.option(
    "--skip",
    metavar="LOGICAL_ID",
    multiple=True,
    help="Where a rollback that got stuck is continued: leave this resource as it is; may be repeated.",
)
@click.option(
    "--allow-remove",
    metavar="LOGICAL_ID",
    multiple=True,
    help="Let this resource be removed, or made again empty, although it holds data; may be repeated.",
)
@environment_command
def command(
    project: Project,
    yes: bool,
    dry_run: bool,
    plan_file: Path | None,
    execute_file: Path | None,
    smoke_test: bool,
    rollback_on_failure: bool,
    no_wait: bool,
    revert_drift: bool,
    skip: tuple[str, ...],
    allow_remove: tuple[str, ...],
) -> Result:
    """Create or update the stack of an environment, and write its outputs to cfn-outputs/flat-outputs.json.

    Shows the change set and asks before it changes anything (`local` doesn't ask). Where another operation runs on
    the stack, it waits. Ctrl-C asks whether to undo what has begun; a second one leaves it to CloudFormation.
    """
    _check_options(
        looks=dry_run and plan_file is not None,
        stops=dry_run or plan_file is not None,
        executes=execute_file is not None and (plan_file is not None or dry_run or revert_drift),
        smoke_test=smoke_test,
        rollback_on_failure=rollback_on_failure,
    )
    confirmed = yes or project.environment.target == "embedded"
    yes = confirmed or dry_run or plan_file is not None  # these two execute nothing
    console.require_answer(yes=yes)
    if plan_file:
        _check_writable(plan_file)
    aws = project.connect()
    if execute_file:
        from paycli.deployment import planfile

        plan = planfile.load(aws, project.environment, execute_file)
    else:
        policy = _policy(yes=confirmed, wait=not no_wait, dry_run=dry_run, skip=skip)
        plan = _plan(project, aws, policy, dry_run=dry_run, revert_drift=revert_drift, kept=plan_file is not None)
    try:
        _say_what_was_rolled_back(plan)
        review(plan, allow_remove, yes=yes)
    except BaseException:  # an interrupt as well: a plan that isn't executed stays nowhere
        if not execute_file:
            leave_nothing(aws, plan)
        raise
    if dry_run:
        _discard(aws, plan)
        return Result(planned(plan, executed=False), shown=["Nothing was deployed." if plan.changes else NO_CHANGES])
    if plan_file:
        return _keep(aws, plan, plan_file)
    deployed = carry_out(project, aws, plan, allow_remove)
    result = deployed_result(plan, deployed, skipped=() if revert_drift else skip)
    if not smoke_test:
        return result
    runs = deployed.record or _what_runs(plan)
    checked, passed = with_smoke_test(project, plan.bucket, runs, result)
    if passed or not rollback_on_failure:
        return checked
    return _rolled_back(project, aws, checked, runs, new=deployed.record is not None)


def _check_options(*, looks: bool, stops: bool, executes: bool, smoke_test: bool, rollback_on_failure: bool) -> None:
    if looks:
        raise UsageError(
            "--dry-run leaves nothing behind, and --plan keeps the plan.", hint="Leave one of them out.", code="usage"
        )
    if stops and smoke_test:
        raise UsageError("There is nothing deployed to test.", hint="Leave --smoke-test out.", code="usage")
    if executes:
        raise UsageError(
            "--execute executes a plan as it is.", hint="Leave --plan, --dry-run and --revert-drift out.", code="usage"
        )
    if rollback_on_failure and not smoke_test:
        raise UsageError(
            "--rollback-on-failure is for --smoke-test.",
            hint="Add --smoke-test: CloudFormation rolls a failed update back by itself.",
            code="usage",
        )


def _policy(*, yes: bool, wait: bool, dry_run: bool, skip: tuple[str, ...]) -> "Policy":
    """Return what may be done to the stack before the plan is made; a repair is asked for, also with --plan."""
    from paycli.deployment.states import Policy

    def ask(action: str) -> bool:
        return yes or console.ask(action)

    repairs = not dry_run and (yes or console.can_ask())
    return Policy(wait=wait and not dry_run, ask=ask if repairs else None, skip=skip)


def _plan(project: Project, aws: "Aws", policy: "Policy", *, dry_run: bool, revert_drift: bool, kept: bool) -> "Plan":
    from paycli.deployment import plan as planning

    if revert_drift and project.environment.target == "embedded":
        refuse_to_revert(aws, project.environment)
    options = planning.Options(policy, dry_run=dry_run, revert_drift=revert_drift, kept=kept)
    with display.activity() as report:
        return planning.prepare(aws, project.environment, project.root, report, options)


def _say_what_was_rolled_back(plan: "Plan") -> None:
    """Say where what runs is a rollback: this checkout may well be what it was rolled back from."""
    from paycli.deployment import rollback

    running = rollback.replaced(plan)
    if running:
        before, after = (printable(each.version.commit) or "?" for each in (running, plan))
        console.note(
            f"What runs is a rollback: deploy {running.number}, which is deploy {running.rollback_of} again, of commit "
            f"{before}. This puts commit {after} in its place: is mended there what it was rolled back from?"
        )


def _discard(aws: "Aws", plan: "Plan") -> None:
    from paycli.deployment import plan as planning

    planning.discard(aws, plan)


def _check_writable(plan_file: Path) -> None:
    from paycli.deployment import planfile

    planfile.check_writable(plan_file)


def _keep(aws: "Aws", plan: "Plan", path: Path) -> Result:
    from paycli.deployment import planfile

    try:
        planfile.save(plan, aws.region, path)
    except BaseException:  # what no file names, nobody executes
        leave_nothing(aws, plan)
        raise
    name = printable(str(path))
    execute = f"paycli deploy --env {plan.environment.name} --execute {shlex.quote(name)}"
    said = f"Written to {name}. Execute it: {execute}" if plan.change_set else f"Written to {name}: it does nothing."
    nothing = [NO_CHANGES] if plan.change_set is None else []
    return Result({**planned(plan, executed=False), "plan": str(path)}, shown=[*nothing, said])


def _what_runs(plan: "Plan") -> "Record | None":
    from paycli.deployment import rollback

    return rollback.what_runs(plan)


def _rolled_back(project: Project, aws: "Aws", checked: Result, runs: "Record | None", *, new: bool) -> Result:
    """Return what was deployed, and failed its smoke test, with what the way back says.

    Where this deploy changed nothing, it goes back from what has never passed one: an earlier try was cut off.
    """
    from paycli.commands.rollback import back_to_version_before, not_undone

    console.note(f"The smoke test failed: {'; '.join(error.message for error in (*checked.errors, *checked.told))}")
    untested = "smoke_test" in checked.data and runs is not None and runs.smoke_test != "passed"
    if runs and (new or untested):
        back = back_to_version_before(project, aws, runs.number)
    else:
        back = not_undone(project, runs)
    data = {**checked.data, "rollback": back.data}
    shown, errors = [*checked.shown, *back.shown], (*checked.errors, *back.errors)
    return dataclasses.replace(checked, data=data, shown=shown, errors=errors, status=max(checked.status, back.status))
