"""What a stack that keeps data gets once it is deployed: termination protection, and that of its table."""

import contextlib
from dataclasses import replace

from paycli.aws import Aws
from paycli.aws_errors import explained
from paycli.deployment import changeset, running, stackpolicy, stacks
from paycli.deployment.changeset import ChangeSet
from paycli.deployment.plan import Plan
from paycli.errors import DetachedError, PaycliError
from paycli.progress import Report, Step


def protect(aws: Aws, plan: Plan, executed: ChangeSet, report: Report, *, lifted: bool) -> str:
    """Set the stack policy where it was `lifted` or never was, termination protection, and the table's protection.

    A first create has to do without that of the table. Returns the stack's status after the change set for it, or ""
    where there was none. Raises PaycliError where it can't be protected, or at an interrupt: it is deployed then, and
    on record so, and there is nothing to undo.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return _protected(aws, plan, executed, report, lifted=lifted)
    except (KeyboardInterrupt, SystemExit) as interrupt:
        with contextlib.suppress(BotoCoreError, ClientError):
            guard(aws, plan, executed, report)
        raise DetachedError(
            f"Interrupted: {plan.environment.stack_name} is deployed and serves, but may not be protected yet.",
            hint=f"CloudFormation ends what it has begun; `{plan.command}` then switches on what is missing.",
            code="interrupted",
            data={"ended": "succeeded"},
        ) from interrupt
    except (PaycliError, BotoCoreError, ClientError) as error:
        raise _missing(plan, error) from error


def guard(aws: Aws, plan: Plan, executed: ChangeSet, report: Report) -> None:
    """Set what guards a stack that keeps data, but for its table's protection, which takes a change set of its own."""
    if plan.environment.retain_data:
        stack = stacks.find(aws.client("cloudformation"), executed.stack_id)
        running.guard_again(aws, replace(plan, stack=stack), report)


def _protected(aws: Aws, plan: Plan, executed: ChangeSet, report: Report, *, lifted: bool) -> str:
    cloudformation = aws.client("cloudformation")
    if lifted or executed.creates:
        stackpolicy.put(cloudformation, executed.stack_id)
    cloudformation.update_termination_protection(StackName=executed.stack_id, EnableTerminationProtection=True)
    if plan.wanted.parameters.get("DeletionProtection", "true") == "true":  # a recorded template may not know it
        return ""
    report(Step("Switching on the table's deletion protection"))
    created = stacks.find(cloudformation, executed.stack_id)  # that serves, whatever becomes of its protection
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
    return running.run(aws, replace(plan, stack=created), change_set, report).status


def _missing(plan: Plan, error: Exception) -> PaycliError:
    """Return the error of a deploy that is done, where what came after it has failed."""
    known = explained(error)
    then = "" if plan.command in known.hint else f" Then: {plan.command}"
    return PaycliError(
        f"{plan.environment.stack_name} is deployed and serves, but isn't protected as it should be: {known.message}",
        hint=f"{known.hint}{then}, which switches on what is missing.".lstrip(),
        code="unprotected",
        data=known.data,
    )
