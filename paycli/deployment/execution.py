"""Execute a plan: follow its change set to the end, protect what is to be kept, and write the outputs."""

import uuid
from dataclasses import dataclass
from pathlib import Path

from paycli.aws import Aws
from paycli.deployment import changeset, failure, follow, outputs, stacks
from paycli.deployment.changeset import ChangeSet
from paycli.deployment.plan import Plan
from paycli.environment import Environment
from paycli.errors import not_deployed
from paycli.progress import Report, Step


@dataclass(frozen=True)
class Deployed:
    """A deployed stack's outputs, and the file they were written to."""

    outputs: dict[str, str]
    path: Path


def execute(aws: Aws, plan: Plan, root: Path, report: Report) -> Deployed:
    """Execute the plan, follow it to its end, protect what is to be kept, and write the outputs."""
    if plan.change_set:
        _run(aws, plan.environment, plan.change_set, report)
        if plan.environment.retain_data:
            _protect(aws, plan, plan.change_set, report)
        if plan.environment.target == "embedded":
            _complete_table(aws, plan.environment)
    return finish(aws, plan.environment, root)


def finish(aws: Aws, environment: Environment, root: Path) -> Deployed:
    """Read the stack's outputs and write the file (one call)."""
    stack = existing(aws, environment)
    flat = outputs.resolved(aws, stack)
    return Deployed(flat, outputs.write(flat, root))


def existing(aws: Aws, environment: Environment) -> stacks.Stack:
    """Return the environment's stack, or raise PaycliError where there is none that works."""
    stack = stacks.find(aws.client("cloudformation"), environment.stack_name)
    if stack is None or stack.status == "REVIEW_IN_PROGRESS" or not stack.outputs:
        raise not_deployed(environment.stack_name, environment.name)
    return stack


def _run(aws: Aws, environment: Environment, change_set: ChangeSet, report: Report) -> None:
    cloudformation = aws.client("cloudformation")
    after = follow.last_event(cloudformation, change_set.stack_id)
    cloudformation.execute_change_set(ChangeSetName=change_set.change_set_id, ClientRequestToken=str(uuid.uuid4()))
    finished = follow.follow(
        cloudformation, change_set.stack_id, after=after, total=len(change_set.changes), report=report
    )
    wanted = "CREATE_COMPLETE" if change_set.creates else "UPDATE_COMPLETE"
    failure.demand(finished, wanted, change_set.stack_name, environment.name)


def _protect(aws: Aws, plan: Plan, executed: ChangeSet, report: Report) -> None:
    """Switch on what a first create has to do without, and the stack's own protection."""
    cloudformation = aws.client("cloudformation")
    cloudformation.update_termination_protection(StackName=executed.stack_id, EnableTerminationProtection=True)
    if not executed.creates:
        return
    report(Step("Switching on the table's deletion protection"))
    protection = changeset.create(
        cloudformation,
        plan.environment,
        template=plan.template,
        parameters={**plan.parameters, "DeletionProtection": "true"},
        creates=False,
        description="paycli: deletion protection, after the create",
    )
    if protection:
        _run(aws, plan.environment, protection, report)


def _complete_table(aws: Aws, environment: Environment) -> None:
    """Switch on what the embedded CloudFormation leaves out of the table; on AWS the template does it."""
    dynamodb = aws.client("dynamodb")
    table = environment.named("transactions")
    dynamodb.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    dynamodb.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )
