"""The roles of a stack: its own policies alone, bounded where the settings say so, passed to whom they trust."""

from collections.abc import Iterator, Mapping
from typing import Any

from paycli.deployment.rights.arns import Made

# An AWS managed policy in a template: the ARN's partition is the only part that differs.
_AWS_MANAGED = "arn:${AWS::Partition}:iam::aws:policy/"


def attachable(made: Made) -> Iterator[str]:
    """Give the ARNs, as patterns, of the policies that the template attaches to its roles."""
    for name in made.names("AWS::IAM::ManagedPolicy", "ManagedPolicyName"):
        yield f"arn:{{partition}}:iam::{{account}}:policy/{name}"
    for _, role in made.of_type("AWS::IAM::Role"):
        for policy in role.get("ManagedPolicyArns", []):
            text = str(policy.get("Fn::Sub", "")) if isinstance(policy, Mapping) else str(policy)
            if text.startswith(_AWS_MANAGED):
                yield "arn:{partition}:iam::aws:policy/" + text.removeprefix(_AWS_MANAGED)


def trusted_services(made: Made) -> dict[str, list[str]]:
    """Return, by service, the logical IDs of the roles that trust it."""
    found: dict[str, list[str]] = {}
    for title, role in made.of_type("AWS::IAM::Role"):
        for statement in role["AssumeRolePolicyDocument"]["Statement"]:
            found.setdefault(_service(statement), []).append(title)
    return found


def _service(statement: Mapping[str, Any]) -> str:
    return str(statement["Principal"]["Service"])
