"""What the role of a function allows, wherever the template says it."""

from collections.abc import Iterator

from paycli.audit.policies import Statement, statements
from paycli.audit.template import Resource, Stack

# A policy that says itself whose it is, and by which property.
_ATTACHED = {
    "AWS::IAM::ManagedPolicy": "Roles",
    "AWS::IAM::Policy": "Roles",
    "AWS::IAM::RolePolicy": "RoleName",
}


def role_of(stack: Stack, function: Resource) -> Iterator[Resource]:
    """Yield each role of the template that a function can have."""
    for role in stack.resources("AWS::IAM::Role"):
        if any(node.identifies(role) for node in function.get("Role")):
            yield role


def allowed(stack: Stack, role: Resource) -> Iterator[Statement]:
    """Yield what a role allows: its own policies, those that it names, and those that name it."""
    policies = [
        policy
        for policy in stack.resources(*_ATTACHED)
        if any(node.identifies(policy) for node in role.listed("ManagedPolicyArns"))
        or any(node.identifies(role) for node in policy.listed(_ATTACHED[policy.type]))
    ]
    for resource in (role, *policies):
        yield from (said for said in statements(resource) if said.kind == "identity" and said.allows)
