"""`paycli config deployer-policy`: the IAM policies by which somebody may deploy an environment."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paycli import console
from paycli.commands.common import Project, environment_command, region_of_outside
from paycli.console import Result
from paycli.files import write_whole
from paycli.text import printable

if TYPE_CHECKING:
    from paycli.deployment.rights import Place
    from paycli.environment import Environment

_POLICIES = ["deployer", "smoke-test", "bootstrap", "import", "role", "trust", "boundary"]
_NOTES = {
    "region": "No region is set: the policy holds in every region. Set AWS_REGION, or `region` in paycli.toml.",
    "account": "No account is set: the policy holds in whichever it is made. Set `account_id` in paycli.toml.",
    "boundary": "Who deploys writes the policies of the functions' roles, and so could give them, and take, any right. "
    "Set `permissions_boundary`; `--for boundary` prints one.",
}
_EPILOG = """
\b
Example, with a service role (cloudformation_role in paycli.toml):
  paycli config deployer-policy --env prod --for trust > trust.json
  paycli config deployer-policy --env prod --for role --output policies
  paycli config deployer-policy --env prod --output policies
  aws iam create-role --role-name paycli-prod --assume-role-policy-document file://trust.json
  aws iam create-policy --policy-name paycli-role-prod-1 --policy-document file://policies/paycli-role-prod-1.json
"""


@click.command("deployer-policy", epilog=_EPILOG, short_help="Print the IAM policies for deploying an environment.")
@click.option(
    "--for",
    "kind",
    type=click.Choice(_POLICIES),
    default="deployer",
    show_default=True,
    help="Whose policy it is.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write files into this folder, as many as managed policies need.",
)
@environment_command
def command(project: Project, kind: str, output: Path | None) -> Result:
    """Print an IAM policy for deploying an environment, and no more than that. Calls no AWS.

    \b
    deployer    whoever runs deploy, rollback, status, outputs and teardown
    smoke-test  besides, for smoke-test: it reads and deletes payments, which ought to be its own
    bootstrap   whoever runs bootstrap; else besides, for the first deploy of an account and region
    import      besides, for the deploy that takes up what a teardown has kept
    role        the role that CloudFormation assumes (cloudformation_role)
    trust       the trust policy of that role
    boundary    a permissions boundary for the functions' roles

    Without cloudformation_role, CloudFormation acts with the deployer's rights: the deployer's policy then has all
    that the stack is made of, to be used through CloudFormation alone. With it, the deployer may only
    pass that role on. The role is the better shape where people deploy, as the rights are then nobody's own.
    """
    from paycli.deployment import rights

    environment = project.environment
    place = _place(environment)
    policy = rights.POLICIES[kind](environment, place)
    parts = rights.split(policy)
    notes = list(_notes(kind, environment, place, 1 if output else len(parts)))
    for note in notes:
        console.note(note)
    data: dict[str, Any] = {
        "for": kind,
        "documents": parts,
        "characters": [rights.characters(part) for part in parts],
        "explained": rights.explained(policy),
        "notes": notes,
    }
    if output is None:
        return Result(data, text=_text(policy))
    data["written"] = [str(path) for path in _write(output, f"paycli-{kind}-{environment.name}", parts)]
    return Result(data, text="".join(f"Wrote {printable(path)}\n" for path in data["written"]))


def _place(environment: "Environment") -> "Place":
    """Return where the policy holds, as far as the settings and the surroundings say."""
    from paycli.deployment.rights import ANY, Place

    region = environment.region or region_of_outside(environment.profile)[0]
    return Place(_partition(region) if region else ANY, region or ANY, environment.account_id or ANY)


def _partition(region: str) -> str:
    from botocore.session import Session

    return str(Session().get_partition_for_region(region))


def _notes(kind: str, environment: "Environment", place: "Place", parts: int) -> Iterator[str]:
    """Give what the reader should know of a policy that is shown as one although it needs `parts`."""
    from paycli.deployment.rights import ANY

    if kind not in {"trust", "boundary"}:
        if place.region == ANY:
            yield _NOTES["region"]
        if place.account == ANY:
            yield _NOTES["account"]
    if parts > 1:
        yield f"A managed policy can't hold all of it: `--output FOLDER` writes it as {parts}."
    if kind in {"deployer", "role"} and not environment.permissions_boundary:
        yield _NOTES["boundary"]


def _text(policy: dict[str, Any]) -> str:
    return json.dumps(policy, indent=2) + "\n"


def _write(folder: Path, name: str, parts: list[dict[str, Any]]) -> list[Path]:
    """Write each part to a file of its own, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, part in enumerate(parts, 1):
        path = folder / (f"{name}-{number}.json" if len(parts) > 1 else f"{name}.json")
        write_whole(path, _text(part))
        written.append(path)
    return written
