"""`paycli teardown`: say what goes and what stays, ask, delete, follow, list what is left."""

import contextlib
import dataclasses
import os
from typing import TYPE_CHECKING, Any

import click

from paycli import console, display
from paycli.commands.common import Project, environment_command, goes_on, on_interrupt
from paycli.console import Result
from paycli.errors import PaycliError
from paycli.text import printable
from paycli.views import deploys

if TYPE_CHECKING:
    from paycli.aws import Aws, Caller
    from paycli.deployment.teardown import Leftover, TeardownPlan
    from paycli.environment import Environment


@click.command("teardown", epilog="Example: paycli teardown --env pr-123 --yes")
@click.option("--yes", is_flag=True, help="Don't ask; for CI.")
@click.option("--disable-termination-protection", "unprotect", is_flag=True, help="Needed where the stack has it.")
@click.option(
    "--retain",
    metavar="LOGICAL_ID",
    multiple=True,
    help="Leave this resource, on which an earlier delete has failed; may be repeated.",
)
@click.option("--artifacts", is_flag=True, help="Also remove the environment's deploy records, templates and code.")
@environment_command
def command(project: Project, yes: bool, unprotect: bool, retain: tuple[str, ...], artifacts: bool) -> Result:
    """Delete the stack of an environment. Shows first what goes and what stays.

    On `local` it also stops the embedded AWS when no stack is left on it: the records of all deploys go with its
    artifact bucket. Without a terminal it doesn't ask there.
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
        forgotten = _forget(aws, environment, caller) if artifacts else {}
        stopped = _stop_embedded(project, caller)
        return _nothing(environment.stack_name, teardown.kept_before(aws, environment), {**forgotten, **stopped})
    plan = teardown.retaining(plan, retain)
    beside = _copies(aws, environment)
    console.note(deploys.teardown(plan, caller.place))
    for leftover in beside:
        console.note(
            f"{leftover.resource.physical_id} stays: a copy of the payments, which a restore or a drill has made."
        )
    for resource in plan.in_the_way:
        console.note(f"{resource.logical_id} was in the way before: {resource.reason}")
    if plan.in_the_way and not retain:
        options = " ".join(f"--retain {resource.logical_id}" for resource in plan.in_the_way)
        console.note(f"Once that is mended this goes through; to leave it behind: {options}")
    if plan.stack.termination_protection and not unprotect:
        raise PaycliError(
            f"{plan.stack.name} has termination protection.",
            hint="If it is to go: add --disable-termination-protection.",
            code="termination_protection",
        )
    action = f"Delete {plan.stack.name} in {caller.place}"
    console.confirm(action, environment.name, typed=environment.retain_data, yes=yes)
    wished = " --artifacts" * artifacts + " --disable-termination-protection" * unprotect
    again = f"paycli teardown --env {environment.name}{wished}"
    with display.activity() as report:
        with on_interrupt(
            f"Interrupted before CloudFormation has said that it deletes {plan.stack.name}.",
            hint=f"`paycli status --env {environment.name}` tells whether it does; `{again}` goes on.",
        ):
            after = teardown.begin(aws, environment, plan, report, unprotect=unprotect)
        with goes_on(again):
            _settle(aws, environment, caller, plan)
            left = teardown.finish(aws, environment, plan, report, after=after)
    with on_interrupt(
        f"Interrupted: {plan.stack.name} is deleted, but what comes after it isn't all done.",
        hint=f"`{again}` does the rest.",
    ):
        try:
            outputs.forget(plan.stack, project.root)
        except (OSError, ValueError) as error:  # the stack is gone whatever this file says
            console.note(f"{project.root / outputs.FILE} stays: {error}")
        forgotten = _forget(aws, environment, caller) if artifacts else {}
        stopped = _stop_embedded(project, caller)
    return _result(plan, [*left, *beside], {**forgotten, **stopped}, on_aws=environment.target == "aws")


def _settle(aws: "Aws", environment: "Environment", caller: "Caller", plan: "TeardownPlan") -> None:
    """Put on record how deploys ended whose paycli was killed: the stack tells it, and is about to go."""
    from botocore.exceptions import BotoCoreError, ClientError

    from paycli.deployment import bootstrap, records
    from paycli.deployment.artifacts import bucket_of

    with contextlib.suppress(BotoCoreError, ClientError):  # whose right ends with the stack
        if bucket := bootstrap.find_bucket(aws):
            records.settle(bucket_of(aws, bucket, caller.account), environment.name, plan.stack)


def _copies(aws: "Aws", environment: "Environment") -> "list[Leftover]":
    """Return the copies of the table that a restore or a drill has left, as far as the caller may see them."""
    from botocore.exceptions import ClientError

    from paycli.deployment.teardown import Leftover, Resource
    from paycli.operations.restore import tables

    try:
        names = tables.names(aws.client("dynamodb"), environment, "restore", "drill")
    except ClientError as error:
        console.note(f"Whether restored copies of the table are left can't be told: {error}")
        return []
    return [
        Leftover(
            Resource("", name, "AWS::DynamoDB::Table"),
            f"paycli restore --env {environment.name} --cleanup --table {name}"
            if tables.made_at(name, environment, "restore")
            else f"paycli drill cleanup --env {environment.name}",
        )
        for name in names
    ]


def _forget(aws: "Aws", environment: "Environment", caller: "Caller") -> dict[str, Any]:
    """Remove the environment's records and artifacts."""
    from paycli.deployment import bootstrap, records
    from paycli.deployment.artifacts import bucket_of

    bucket = bootstrap.find_bucket(aws)
    if bucket is None:
        return {"artifacts_removed": 0}
    report = display.plain_lines(console.note)
    return {"artifacts_removed": records.forget(bucket_of(aws, bucket, caller.account), environment.name, report)}


def _nothing(name: str, left: "list[Leftover]", done: dict[str, Any]) -> Result:
    """Return the result of a teardown of what isn't there; what an earlier one has kept, it lists again."""
    data = {"deleted": False, "left": [dataclasses.asdict(leftover) for leftover in left], **done}
    return Result(data, shown=[f"There is no stack {name}.", *_left(left), *_said(done)])


def _left(left: "list[Leftover]") -> list[str]:
    shown = []
    for leftover in left:
        name = printable(f"{leftover.resource.resource_type} {leftover.resource.physical_id}")
        shown += [f"  {name}", f"    remove it with: {printable(leftover.command)}"]
    return shown


def _said(done: dict[str, Any]) -> list[str]:
    said = []
    if "artifacts_removed" in done:
        said.append(f"{done['artifacts_removed']} records and artifacts are removed from the artifact bucket.")
    if done.get("emulator_stopped"):
        said.append(
            "The embedded AWS is stopped: no stack was left on it. Its artifact bucket and the records in it are gone."
        )
    if done.get("emulator_in_use"):
        said.append("The embedded AWS goes on, since another paycli works on it.")
    return said


def _stop_embedded(project: Project, caller: "Caller") -> dict[str, Any]:
    """Stop the embedded AWS when no stack of any environment is left on it."""
    if project.environment.target != "embedded":
        return {}
    from paycli import emulator
    from paycli.deployment import bootstrap, teardown

    aws = project.connect()
    alone = emulator.keep_others_off(project.root)
    if alone is None:
        return {"emulator_stopped": False, "emulator_in_use": True}
    project.ending.callback(os.close, alone)
    if not teardown.last_of_embedded(aws):
        return {"emulator_stopped": False}
    with display.activity() as report:
        bootstrap.remove_bootstrap(aws, project.environment, caller, report)
    return {"emulator_stopped": emulator.stop(project.root)}


# What AWS keeps for a while of what is deleted, by type; the embedded AWS keeps nothing.
_KEPT_A_WHILE = {
    "AWS::KMS::Key": "AWS keeps a deleted KMS key for 7 days.",
    "AWS::DynamoDB::Table": "AWS keeps a deleted table's system backup for 35 days.",
}


def _result(plan: "TeardownPlan", left: list["Leftover"], done: dict[str, Any], *, on_aws: bool) -> Result:
    shown = [f"{plan.stack.name} is deleted: {len(plan.goes)} resources gone, {len(left)} left.", *_left(left)]
    if on_aws:
        gone = {resource.resource_type for resource in plan.goes}
        shown += [said for kind, said in _KEPT_A_WHILE.items() if kind in gone]
    shown += _said(done)
    data = {
        "deleted": True,
        "stack": plan.stack.name,
        "gone": [dataclasses.asdict(resource) for resource in plan.goes],
        "left": [dataclasses.asdict(leftover) for leftover in left],
        **done,
    }
    return Result(data, shown=shown)
