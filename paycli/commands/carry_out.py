"""What deploy and rollback have in common: show a plan and ask, carry it out, and what an interrupt does meanwhile."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from paycli import console, display
from paycli.commands.common import Project, goes_on
from paycli.console import Result
from paycli.errors import ExitStatus, PaycliError
from paycli.text import printable
from paycli.views import deploys

if TYPE_CHECKING:
    from paycli.aws import Aws
    from paycli.deployment.execution import Deployed
    from paycli.deployment.plan import Plan
    from paycli.environment import Environment

NO_CHANGES = "No changes: the stack has it all already."


def review(plan: "Plan", allow_remove: Collection[str], *, yes: bool) -> None:
    """Show what will change, refuse what would lose data, and ask."""
    from paycli.deployment import plan as planning

    change_set = plan.change_set
    if change_set is None:
        return
    console.note(deploys.changes(change_set, plan.caller.place))
    removed = {change.logical_id for change in plan.changes if change.action == "Remove" or change.deleted}
    for unused in sorted(set(allow_remove) - removed):
        console.note(f"--allow-remove {unused}: nothing of that name would be removed.")
    planning.guard(change_set, allow_remove)
    action = f"{'Create' if change_set.creates else 'Update'} {change_set.stack_name} in {plan.caller.place}"
    if change_set.imports:
        count = sum(change.action == "Import" for change in plan.changes)
        action += f", with the {count} resources that an earlier one has kept"
    console.confirm(action, plan.environment.name, typed=plan.environment.retain_data, yes=yes)


def carry_out(project: Project, aws: "Aws", plan: "Plan", allow_remove: Collection[str] = ()) -> "Deployed":
    """Execute the plan. An interrupt asks whether to undo it; where nobody can be asked, an update is undone."""
    from paycli.deployment import execution, undoing

    try:
        with display.activity() as report:
            return execution.execute(aws, plan, project.root, report, allow_remove)
    except KeyboardInterrupt:
        if plan.change_set is None:
            raise
    except SystemExit:  # the terminal is gone: nobody is asked or told
        _take_back(aws, plan)
        raise
    with goes_on(plan.command):  # a second interrupt, also while asking
        if not _undo_is_wanted(plan):
            raise _take_back(aws, plan) or KeyboardInterrupt
        with display.activity() as report:
            undone = undoing.undo(aws, plan, report)
    raise undone


def _take_back(aws: "Aws", plan: "Plan") -> PaycliError | None:
    """Take back a plan that CloudFormation hasn't begun with, as far as AWS can be asked."""
    from botocore.exceptions import BotoCoreError, ClientError

    from paycli.deployment import undoing

    try:
        return undoing.before_it_began(aws, plan) if plan.change_set else None
    except (BotoCoreError, ClientError):
        return None


def leave_nothing(aws: "Aws", plan: "Plan") -> None:
    """Discard a plan after an error or an interrupt, which stays what is told."""
    from botocore.exceptions import BotoCoreError, ClientError

    from paycli.aws_errors import in_short
    from paycli.deployment import plan as planning

    try:
        planning.discard(aws, plan)
    except (BotoCoreError, ClientError) as error:
        console.note(f"The plan's change set stays on the stack, and is in nobody's way: {in_short(error)}")


def _undo_is_wanted(plan: "Plan") -> bool:
    change_set = plan.change_set
    creates = change_set is not None and change_set.creates and not change_set.imports
    if not console.can_ask():
        return not creates  # CloudFormation can't cancel a create, and a delete wants to be asked for
    console.note("\nInterrupted. CloudFormation goes on; Ctrl-C again leaves it at that.")
    if creates:
        return console.ask("Delete what the create has made")
    imports = change_set is not None and change_set.imports
    return console.ask("Take back what was added to the kept data" if imports else "Cancel the update and roll it back")


def planned(plan: "Plan", *, executed: bool) -> dict[str, object]:
    """Return the plan as data."""
    return {"changes": [dataclasses.asdict(change) for change in plan.changes], "executed": executed}


NOTHING: Mapping[str, object] = {"changes": [], "executed": False}  # the plan where there was none


def deployed_result(plan: "Plan", deployed: "Deployed", skipped: Collection[str] = ()) -> Result:
    """Return what a deploy has done; `skipped` names what a rollback before it has left as it was."""
    count = sum(change.action != "Dynamic" for change in plan.changes)  # that one may turn out to be none
    if deployed.record:
        said = f"{count} changes deployed, as deploy {deployed.record.number}."
    else:
        said = "No changes, as far as CloudFormation knows." if skipped else NO_CHANGES
    return told(plan.environment, deployed, planned(plan, executed=deployed.record is not None), said, skipped)


def told(
    environment: "Environment", deployed: "Deployed", done: Mapping[str, object], said: str, skipped: Collection[str]
) -> Result:
    """Return what was `done`, in data and `said` in words, with the outputs of the stack as it is now."""
    record = deployed.record
    data = {
        **done,
        "deploy": record.model_dump() if record else None,
        "outputs": deployed.outputs,
        "outputs_file": None if deployed.unwritten else str(deployed.path),
    }
    if record and record.left_behind:
        console.note(deploys.left_behind(record))
    if skipped:
        data["skipped"] = list(skipped)
        console.note(
            f"The rollback has left out {', '.join(skipped)}, which may be gone, or not what the template says: "
            f"CloudFormation doesn't look. Next: paycli drift --env {environment.name}"
        )
    shown = [said, *deploys.outputs(deployed.outputs)]
    if deployed.unwritten:
        error = _unwritten(environment, deployed)
        return Result(data, shown=shown, status=ExitStatus.FAILED, errors=(error,))
    return Result(data, shown=[*shown, f"Written to {printable(str(deployed.path))}"])


def _unwritten(environment: "Environment", deployed: "Deployed") -> PaycliError:
    done = "The deploy succeeded" if deployed.record else "The stack has it all already"
    return PaycliError(
        f"{done}, but {deployed.path} can't be written: {deployed.unwritten}.",
        hint=f"The outputs are shown all the same; `paycli outputs --env {environment.name}` writes them as well.",
        code="outputs_unwritable",
    )
