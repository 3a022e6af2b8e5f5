"""Run a change set to its end, with what guards a stack that keeps data around it."""

import contextlib
import shlex
import uuid
from collections.abc import Collection, Iterator
from typing import Any

from paycli.aws import Aws
from paycli.aws_errors import explained, is_temporary, words
from paycli.deployment import changeset, failure, follow, stackpolicy
from paycli.deployment.changeset import ChangeSet
from paycli.deployment.follow import Finished
from paycli.deployment.plan import Plan, demand_table_still
from paycli.errors import PaycliError
from paycli.progress import Report, Step


def run_guarded(aws: Aws, plan: Plan, change_set: ChangeSet, report: Report, allowed: Collection[str]) -> Finished:
    """Run the change set under the stack policy; return how it ended.

    Where it fails, the policy stands again; where it succeeds on a stack that keeps data, `protection.protect` sets it.
    Raises PaycliError before anything is changed where the table is gone since the plan was saved.
    """
    demand_table_still(aws, plan)
    cloudformation = aws.client("cloudformation")
    if not plan.environment.retain_data and not _is_guarded_still(aws, plan, change_set, allowed):
        return run(aws, plan, change_set, report)
    stands = not change_set.creates and not allowed
    if not change_set.creates:
        try:
            with before_it_begins(aws, plan, change_set):
                stackpolicy.put(cloudformation, change_set.stack_id, lifted_for=allowed)
        except (KeyboardInterrupt, SystemExit):
            if not stands:
                _put_back(cloudformation, change_set, report)
            raise
    try:
        finished = run(aws, plan, change_set, report)
    except BaseException:
        if not stands:
            _put_back(cloudformation, change_set, report)
        raise
    if not stands and not plan.environment.retain_data:
        _put_back(cloudformation, change_set, report)
    return finished


def _is_guarded_still(aws: Aws, plan: Plan, change_set: ChangeSet, allowed: Collection[str]) -> bool:
    """Whether a policy from when data was kept would deny what is allowed: none can be taken away from a stack.

    It is asked (one call) only where something that holds data goes.
    """
    if not any(change.loses_data and change.logical_id in allowed for change in change_set.changes):
        return False
    with before_it_begins(aws, plan, change_set):
        return stackpolicy.is_there(aws.client("cloudformation"), change_set.stack_id)


def _put_back(cloudformation: Any, change_set: ChangeSet, report: Report) -> None:
    """Set the policy in full again after a failure or an interrupt, which stays the error that is told."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        stackpolicy.put(cloudformation, change_set.stack_id)
    except (BotoCoreError, ClientError) as error:
        if not change_set.creates:  # a failed create may have taken the stack with it
            report(Step(f"The stack policy isn't back, the next deploy sets it again: {error}"))


def run(aws: Aws, plan: Plan, change_set: ChangeSet, report: Report) -> Finished:
    """Execute the change set and follow it to its end; return how it ended."""
    cloudformation = aws.client("cloudformation")
    with before_it_begins(aws, plan, change_set):
        after = follow.patiently(lambda: follow.last_event(cloudformation, change_set.stack_id), report)
    with before_it_begins(aws, plan, change_set, perhaps=True):
        _execute(cloudformation, change_set, report, plan.command)
    only = {change.logical_id for change in change_set.changes}
    finished = follow.follow(
        cloudformation, change_set.stack_id, after=after, total=len(change_set.changes), report=report, only=only
    )
    wanted = "CREATE_COMPLETE" if change_set.creates else "UPDATE_COMPLETE"
    wanted = "IMPORT_COMPLETE" if change_set.imports else wanted
    failure.demand(
        cloudformation,
        finished,
        wanted,
        change_set.stack_id,
        plan.environment,
        served=plan.serves_before,
        command=plan.command,
    )
    return finished


def _execute(cloudformation: Any, change_set: ChangeSet, report: Report, command: str) -> None:
    """Let CloudFormation begin. Where its answer is lost it is asked again, with one token: it begins only once.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ExecuteChangeSet.html
    """
    token = str(uuid.uuid4())
    asked = 0

    def execute() -> None:
        nonlocal asked
        asked += 1
        try:
            cloudformation.execute_change_set(ChangeSetName=change_set.change_set_id, ClientRequestToken=token)
        except cloudformation.exceptions.InvalidChangeSetStatusException as error:
            if asked == 1 or not _is_executed(cloudformation, change_set):
                raise _outdated(change_set, error, command) from None
        except cloudformation.exceptions.ChangeSetNotFoundException as error:
            raise _outdated(change_set, error, command) from None

    follow.patiently(execute, report)


def _is_executed(cloudformation: Any, change_set: ChangeSet) -> bool:
    """Whether it runs, or has run: then the answer that was lost was a yes."""
    described = cloudformation.describe_change_set(ChangeSetName=change_set.change_set_id)
    return str(described.get("ExecutionStatus", "")).startswith("EXECUTE_")


def _outdated(change_set: ChangeSet, error: Any, command: str) -> PaycliError:
    return PaycliError(
        f"{change_set.stack_name} has moved since the plan was made: {words(error)}",
        hint=f"Another deploy came first, or the plan was deleted; nothing of it is done. Plan again: {command}",
        code="plan_outdated",
    )


TAKEN_UP = "What was kept is the stack's again; nothing of the rest is done."


def _undone(plan: Plan, change_set: ChangeSet) -> str:
    """Say what isn't done where this change set doesn't begin: it may be the second of a deploy."""
    if plan.taken_up:
        return TAKEN_UP
    return "Nothing of the change is done." if change_set == plan.change_set else "Nothing of this is done."


@contextlib.contextmanager
def before_it_begins(aws: Aws, plan: Plan, change_set: ChangeSet, *, perhaps: bool = False) -> Iterator[None]:
    """Say of an error of AWS that nothing of the change is done, and keep no change set that nobody executes.

    With `perhaps` it may have begun where AWS gives no answer.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        if perhaps and is_temporary(error):
            error.add_note("CloudFormation may have begun: the same command finds out, and goes on.")
            raise
        leave(aws, plan, change_set)
        if isinstance(error, ClientError):
            undone = _undone(plan, change_set)
            again = f"{plan.command} --execute {shlex.quote(plan.file)}" if plan.saved else plan.command
            raise failure.refused_request(error, plan.environment, again, unchanged=undone) from error
        error.add_note(_undone(plan, change_set))
        raise explained(error) from error
    except PaycliError:  # the stack has moved
        leave(aws, plan, change_set)
        raise


def leave(aws: Aws, plan: Plan, change_set: ChangeSet) -> None:
    """Delete a change set that isn't executed, unless a file names it; what can't be deleted is in nobody's way."""
    from botocore.exceptions import BotoCoreError, ClientError

    if not plan.saved:
        with contextlib.suppress(BotoCoreError, ClientError):
            changeset.discard(
                aws.client("cloudformation"), change_set.change_set_id, change_set.stack_id, creates=change_set.creates
            )


def guard_again(aws: Aws, plan: Plan, report: Report) -> None:
    """Set what guards a stack that keeps data where a deploy or a teardown that was cut off has left it off.

    The embedded AWS has neither to set.
    """
    stack = plan.stack
    if stack is None or not plan.environment.retain_data or plan.environment.target == "embedded":
        return
    cloudformation = aws.client("cloudformation")
    if not stack.termination_protection:
        cloudformation.update_termination_protection(StackName=stack.stack_id, EnableTerminationProtection=True)
        report(Step("Termination protection was off: it is on again"))
    if not stackpolicy.stands(cloudformation, stack.stack_id):
        stackpolicy.put(cloudformation, stack.stack_id)
        report(Step("The stack policy was missing or lifted: it stands again"))
