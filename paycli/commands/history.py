"""`paycli history`: the deploys of an environment."""

import click

from paycli import console, display
from paycli.commands.common import Project, environment_command
from paycli.console import Result
from paycli.text import printable
from paycli.views import deploys


@click.command("history", epilog="Example: paycli history --env prod --limit 5")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many, newest first.")
@environment_command
def command(project: Project, limit: int) -> Result:
    """List the deploys of an environment: when, by whom, which commit and code, how they ended.

    The one that runs is marked with *. That a smoke test failed is told where it was part of the deploy.
    `paycli rollback --to N` deploys any that succeeded again.
    """
    from paycli.aws import check_caller
    from paycli.deployment import artifacts, bootstrap, records, stacks

    environment = project.environment
    aws = project.connect_to_deployed()
    caller = check_caller(aws, environment)
    bucket = artifacts.bucket_of(aws, bootstrap.demand_bucket(aws, environment), caller.account)
    stack = stacks.find(aws.client("cloudformation"), environment.stack_name)
    kept = records.recent(bucket, environment.name, display.plain_lines(console.note), max(limit, records.KEPT))
    found = records.settled(kept.records, stack)
    running = records.current(found, stack, kept.unreadable)
    found = found[:limit]
    data = {
        "deploys": [record.model_dump() for record in found],
        "running": running.number if running else None,
        "unreadable": kept.unreadable,
    }
    if not found:
        return Result(data, shown=[f"No deploy of {environment.name} is on record."])
    shown = [deploys.history(found, running)]
    failed = [printable(f"Deploy {record.number}: {record.cause}") for record in found[:1] if record.cause]
    left = [deploys.left_behind(record) for record in found if record.left_behind]
    return Result(data, shown=[*shown, *failed, *left])
