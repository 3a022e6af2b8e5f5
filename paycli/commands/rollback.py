"""`paycli rollback`: deploy a recorded version again, exactly."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from paycli import console, display
from paycli.commands.carry_out import carry_out, deployed_result, leave_nothing, review
from paycli.commands.common import Project, environment_command
from paycli.console import Result
from paycli.errors import DetachedError, PaycliError

if TYPE_CHECKING:
    from paycli.aws import Aws
    from paycli.deployment.plan import Plan
    from paycli.deployment.records import Record
    from paycli.deployment.rollback import Wish


@click.command("rollback", epilog="Example: paycli rollback --env prod --to 41 --smoke-test")
@click.option("--to", "number", type=click.IntRange(min=1), metavar="N", help="The deploy to go back to; see history.")
@click.option("--yes", is_flag=True, help="Don't ask; for CI.")
@click.option("--smoke-test", is_flag=True, help="Run the smoke test afterwards.")
@environment_command
def command(project: Project, number: int | None, yes: bool, smoke_test: bool) -> Result:
    """Deploy a recorded version again: its template, parameters and code, from the artifact bucket.

    Without --to it is the version before the one that runs, past those whose smoke test failed, once what another
    operation does to the stack is done; a rollback that was cut off is finished, and no more. It needs no
    checkout of that version, and is a deploy of its own: `paycli history` lists it, and the next rollback goes further
    back; --to N goes to any.
    """
    from paycli.deployment.rollback import Wish

    yes = yes or project.environment.target == "embedded"
    console.require_answer(yes=yes)
    aws = project.connect_to_deployed()
    plan, record, result = _roll_back(project, aws, Wish(number), yes=yes)
    if not smoke_test:
        return result
    from paycli.commands.smoke_test import with_smoke_test

    return with_smoke_test(project, plan, record, result)[0]


def back_to_version_before(project: Project, aws: "Aws", deploy: dict[str, Any] | None) -> Result:
    """Undo a deploy whose smoke test failed; the result says where that can't be.

    An error of AWS doesn't end the command either: it would hide what the deploy and the smoke test have found.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from paycli.aws_errors import explained
    from paycli.deployment.rollback import Wish

    if deploy is None:
        return Result({"rolled_back": False}, shown=["Not rolled back: this deploy changed nothing."])
    try:
        _, _, back = _roll_back(project, aws, Wish(undoes=deploy["number"]), yes=True)
    except (PaycliError, BotoCoreError, ClientError) as error:
        return _not_rolled_back(deploy, explained(error))
    return Result({"rolled_back": True, **back.data}, shown=["Rolled back to the version before:", *back.shown])


# Of errors that come when the earlier version runs again, and of one that says itself what runs.
_BACK = frozenset({"unprotected", "outputs_unread"})
_NEWER = "overtaken"


def _not_rolled_back(deploy: Mapping[str, Any], error: PaycliError) -> Result:
    """Return the result that says which version runs: after a failure CloudFormation calls it the previous one."""
    data = {"rolled_back": error.code in _BACK, "error": error.message, "hint": error.hint}
    mixed = error.data.get("status") == "UPDATE_ROLLBACK_FAILED" or isinstance(error, DetachedError)
    runs = "" if mixed or error.code == _NEWER else f"Deploy {deploy['number']} failed its smoke test and still runs. "
    said = error.message if error.code in _BACK else f"{runs}Not rolled back: {error.message}"
    return Result(data, status=error.status, errors=(PaycliError(said, hint=error.hint, code="not_rolled_back"),))


def _roll_back(project: Project, aws: "Aws", wish: "Wish", *, yes: bool) -> "tuple[Plan, Record | None, Result]":
    """Return what was carried out, its record where it changed anything, and what to tell of it."""
    from paycli.aws import check_caller
    from paycli.deployment import artifacts, bootstrap, records, rollback
    from paycli.deployment.states import Policy

    environment = project.environment
    caller = check_caller(aws, environment)
    bucket = artifacts.bucket_of(aws, bootstrap.demand_bucket(aws, environment), caller.account)
    with display.activity() as report:
        choice = rollback.choose(aws, environment, bucket, wish, report)
    record, begun = choice.record, choice.begun
    if begun:
        console.note(f"Deploy {begun.number} is a rollback whose end nobody had seen: it is finished, nothing more.")
    console.note(f"Going back to deploy {record.number} of {record.started_at}, commit {record.version.commit or '?'}")
    policy = Policy(wait=False, ask=lambda action: yes or console.ask(action))
    with display.activity() as report:
        plan = rollback.prepare(aws, environment, caller, bucket, record, policy, report)
    try:
        review(plan, (), yes=yes)
    except BaseException:
        leave_nothing(aws, plan)
        raise
    deployed = carry_out(project, aws, plan)
    if begun and begun.result == "in_progress" and plan.change_set is None:  # CloudFormation had finished it
        for ended in records.settled([begun], plan.stack):
            records.write(bucket, ended)
    return plan, deployed.record, deployed_result(plan, deployed)
