"""`paycli smoke-test`: check the deployed stack with real requests."""

import dataclasses
from typing import TYPE_CHECKING

import click

from paycli import console, display
from paycli.commands.common import Project, environment_command, on_interrupt
from paycli.console import Result
from paycli.errors import ExitStatus, PaycliError
from paycli.views import checks

if TYPE_CHECKING:
    from paycli.deployment.artifacts import Bucket
    from paycli.deployment.records import Record


@click.command("smoke-test", epilog="Example: paycli smoke-test --env dev --only workflow --only health")
@click.option("--only", metavar="NAME", multiple=True, help="Run only this check; may be repeated.")
@environment_command
def command(project: Project, only: tuple[str, ...]) -> Result:
    """Check the deployed stack: real HTTP, real AWS calls, nothing mocked. Exits with 1 where a check fails.

    The checks: table, functions, health, workflow, bad-payment, unknown-payment, unauthenticated, failed-queue,
    throttling, topic, alarms, dashboard. Test data is removed again. One message stays in the failed-transactions
    queue, and one of each request that failed at first, where the queue may hold real failures: it is never received
    from then. `paycli failures replay` leaves what tells of a smoke test.
    """
    return check_stack(project, only=only)


def check_stack(project: Project, *, only: tuple[str, ...]) -> Result:
    """Run the checks against what the stack's outputs name."""
    from paycli import smoke
    from paycli.aws import check_caller
    from paycli.deployment import artifacts, execution, outputs

    aws = project.connect_to_deployed()
    caller = check_caller(aws, project.environment)
    stack = execution.existing(aws, project.environment)
    bucket = artifacts.bucket_of(aws, stack.parameters["ArtifactBucket"], caller.account)
    digest = artifacts.code_checksum(bucket, stack.parameters["CodeKey"])
    target = smoke.Target(aws, project.environment, outputs.resolved(aws, stack), digest)
    with display.checks(len(only) or len(smoke.names())) as report:
        results = smoke.run(target, only=only, report=lambda result: report(result.name))
    failed = [result for result in results if not result.passed]
    said = f"{len(results) - len(failed)} of {len(results)} checks passed on {stack.name} in {caller.place}."
    errors = tuple(
        PaycliError(f"{result.name}: expected {result.expected}; found {result.found}", code="check_failed")
        for result in failed
    )
    return Result(
        {"checks": [dataclasses.asdict(result) for result in results], "failed": len(failed)},
        shown=[*map(checks.check_line, results), said],
        status=ExitStatus.FAILED if failed else ExitStatus.DONE,
        told=errors,
    )


def with_smoke_test(
    project: Project, bucket: "Bucket | None", record: "Record | None", deployed: Result
) -> tuple[Result, bool]:
    """Return what was deployed together with what the smoke test says of it, and whether it passed.

    The record of what runs says it as well. One that can't run counts as failed, and says nothing of what was deployed.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from paycli.aws_errors import explained

    runs = f"deploy {record.number} of {project.environment.name}" if record else "what is deployed"
    again = f"Nothing is undone. Then: paycli smoke-test --env {project.environment.name}"
    with on_interrupt(f"Interrupted: {runs} runs, and its smoke test isn't done.", hint=again):
        try:
            checked = check_stack(project, only=())
        except (PaycliError, BotoCoreError, ClientError) as error:
            known = explained(error)
            return dataclasses.replace(deployed, status=known.status, errors=(*deployed.errors, known)), False
        passed = not checked.data["failed"]
        tested = _put_on_record(bucket, record, passed=passed)
    data = {**deployed.data, "smoke_test": checked.data}
    if tested and data["deploy"]:  # and not an earlier one
        data["deploy"] = tested.model_dump()
    shown, status = [*deployed.shown, *checked.shown], max(deployed.status, checked.status)
    return dataclasses.replace(checked, data=data, shown=shown, status=status, errors=deployed.errors), passed


def _put_on_record(bucket: "Bucket | None", record: "Record | None", *, passed: bool) -> "Record | None":
    """Put on record how the smoke test of what runs ended; one that has passed it once stays such a version."""
    from paycli.deployment import execution

    if record is None or bucket is None or (record.smoke_test == "passed" and not passed):
        return None
    return execution.put_smoke_test(bucket, record, display.plain_lines(console.note), passed=passed)
