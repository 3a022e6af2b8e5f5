"""The API's resource policy: from where it may be called, and by whom beside this account's own callers."""

from typing import TYPE_CHECKING, Any

from troposphere import Sub

from paycli.stack.policies import Statement, allow, policy

if TYPE_CHECKING:
    from paycli.environment import Environment

INVOKE = ("execute-api:Invoke",)
# API Gateway writes its own region, account and API before the slash.
THIS_API = "execute-api:/*"


def resource_policy(environment: "Environment") -> dict[str, Any] | None:
    """Return the policy, or None where no setting asks for one.

    With IAM authorization it never says "anyone from there may": in the API's own account either policy's allow is
    enough, so that would let in every principal of the account, whatever its IAM policy says. It denies the rest
    instead, and names the principals of other accounts, for whom both policies have to allow. Without authorization
    nothing else could allow, so there the policy does.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
    """
    statements: list[Statement] = []
    if environment.allowed_principals:
        callers = {"AWS": [_principal(name) for name in environment.allowed_principals]}
        statements.append(allow("CallersOfOtherAccounts", INVOKE, THIS_API, principal=callers))
    if environment.allowed_ips:
        networks = {"aws:SourceIp": environment.allowed_ips}
        if environment.authorization == "none":
            statements.append(_for_everyone("AnyoneFromTheseNetworks", "Allow", {"IpAddress": networks}))
        else:
            statements.append(_for_everyone("NobodyFromElsewhere", "Deny", {"NotIpAddress": networks}))
    return policy(*statements) if statements else None


def _for_everyone(sid: str, effect: str, condition: dict[str, Any]) -> Statement:
    return {
        "Sid": sid,
        "Effect": effect,
        "Principal": "*",
        "Action": list(INVOKE),
        "Resource": THIS_API,
        "Condition": condition,
    }


def _principal(name: str) -> str | Sub:
    """Return an ARN as it is, and an account id as its root: the account's own policies decide who of it."""
    return name if name.startswith("arn:") else Sub(f"arn:${{AWS::Partition}}:iam::{name}:root")
