"""What a stack that keeps data gets once it is deployed: termination protection, and that of its table."""

from dataclasses import replace

from paycli.aws import Aws
from paycli.aws_errors import explained
from paycli.deployment import changeset, records, running, stackpolicy, stacks
from paycli.deployment.changeset import ChangeSet
from paycli.deployment.plan import Plan
from paycli.deployment.records import Record
from paycli.errors import PaycliError
from paycli.progress import Report, Step


def protect(aws: Aws, plan: Plan, begun: Record, executed: ChangeSet, report: Report, *, lifted: bool) -> str:
    """Set the stack policy where it was `lifted` or never was, termination protection, and the table's protection.

    A first create has to do without that of the table. Returns the stack's status after the change set for it, or ""
    where there was none. Raises PaycliError, and AWS's errors, where it can't be protected; it is deployed then.
    """
    cloudformation = aws.client("cloudformation")
    if lifted or executed.creates:
        stackpolicy.put(cloudformation, executed.stack_id)
    cloudformation.update_termination_protection(StackName=executed.stack_id, EnableTerminationProtection=True)
    if plan.wanted.parameters.get("DeletionProtection", "true") == "true":  # a recorded template may not know it
        return ""
    report(Step("Switching on the table's deletion protection"))
    wanted = replace(
        plan.wanted,
        template={"UsePreviousTemplate": True},
        parameters={**plan.wanted.parameters, "DeletionProtection": "true"},
        creates=False,
        revert_drift=False,
        description="paycli: deletion protection, after the create",
    )
    change_set = changeset.create(cloudformation, plan.environment, wanted)
    if change_set is None:
        return ""
    assert plan.bucket  # noqa: S101 - only a dry run has none
    records.now_executing(plan.bucket, begun, change_set.change_set_id)
    created = stacks.find(cloudformation, executed.stack_id)  # that serves, whatever becomes of its protection
    return running.run(aws, replace(plan, stack=created), change_set, report)


def missing(plan: Plan, error: Exception) -> PaycliError:
    """Return the error of a deploy that is done, where what came after it has failed."""
    known = explained(error)
    then = "" if plan.command in known.hint else f" Then: {plan.command}"
    return PaycliError(
        f"{plan.environment.stack_name} is deployed and serves, but isn't protected as it should be: {known.message}",
        hint=f"{known.hint}{then}, which switches on what is missing.".lstrip(),
        code="unprotected",
        data=known.data,
    )
