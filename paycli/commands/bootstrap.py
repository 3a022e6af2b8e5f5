"""`paycli bootstrap`: make or update what deploys need once in an account and region."""

import dataclasses

import click

from paycli import console, display
from paycli.commands.common import Project, environment_command, goes_on
from paycli.console import Result
from paycli.text import printable
from paycli.views import deploys


@click.command("bootstrap", epilog="Example: paycli bootstrap --env prod --yes")
@click.option("--yes", is_flag=True, help="Don't ask; for CI.")
@environment_command
def command(project: Project, yes: bool) -> Result:
    """Make or update the stack paycli-bootstrap: what deploys need once in an account and region.

    It holds the artifact bucket of all environments there, and API Gateway's log role where the account has none. The
    first deploy makes it as well: this is for whoever has the rights to it and deploys nothing. `paycli config
    deployer-policy --for bootstrap` prints them. Run again, it changes nothing, or what a newer paycli has changed.
    """
    from paycli.deployment import bootstrapping
    from paycli.deployment.states import Policy
    from paycli.stack.bootstrap import BOOTSTRAP_STACK

    environment = project.environment
    yes = yes or environment.target == "embedded"
    console.require_answer(yes=yes)
    aws = project.connect()
    with display.activity() as report:
        policy = Policy(wait=True, ask=lambda action: yes or console.ask(action))
        plan = bootstrapping.prepare(aws, environment, policy, report)
    if plan.changes:
        console.note(deploys.changes(plan.changes, plan.caller.place))
        verb = "Create" if plan.changes.creates else "Update"
        console.confirm(f"{verb} {BOOTSTRAP_STACK} in {plan.caller.place}", environment.name, typed=False, yes=yes)
    with display.activity() as report, goes_on(f"paycli bootstrap --env {environment.name}"):
        made = bootstrapping.execute(aws, plan, report)
    data = {
        "stack": BOOTSTRAP_STACK,
        **dataclasses.asdict(made),
        "changes": [dataclasses.asdict(change) for change in plan.changes.changes] if plan.changes else [],
        "changed": plan.changes is not None,
    }
    done = "created" if plan.changes and plan.changes.creates else "updated" if plan.changes else "there already"
    shown = [
        f"{BOOTSTRAP_STACK} is {done} in {plan.caller.place}.",
        f"Bucket   {printable(made.bucket)}",
        f"Version  {printable(made.version)}",
    ]
    return Result(data, shown=[printable(shown[0]), *shown[1:]])
