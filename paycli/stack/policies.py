"""The words of a policy document: statements, and the conditions that pin a service to this account."""

from collections.abc import Mapping, Sequence
from typing import Any

from troposphere import AccountId, Sub

Statement = dict[str, Any]

DENY_PLAIN_HTTP = "DenyPlainHttp"


def policy(*statements: Statement) -> dict[str, Any]:
    """Return a policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def arn(service: str, resource: str) -> Sub:
    """Return the ARN of a resource of this account and region; `resource` may hold Fn::Sub variables."""
    return Sub(f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}")


def allow(
    sid: str,
    actions: Sequence[str],
    resources: Any,
    *,
    principal: Mapping[str, Any] | None = None,
    condition: Mapping[str, Any] | None = None,
) -> Statement:
    """Return a statement that allows; `principal` only in a resource's own policy."""
    statement: Statement = {"Sid": sid, "Effect": "Allow"}
    if principal is not None:
        statement["Principal"] = dict(principal)
    statement |= {"Action": list(actions), "Resource": resources}
    if condition is not None:
        statement["Condition"] = dict(condition)
    return statement


def deny_plain_http(action: str, resources: Any) -> Statement:
    """Return the statement that refuses whoever comes without TLS."""
    return {
        "Sid": DENY_PLAIN_HTTP,
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resources,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def account_root() -> dict[str, Any]:
    """Return the principal that hands the decision to this account's IAM policies."""
    return {"AWS": Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")}


def on_behalf_of(service: str, resource: str) -> dict[str, Any]:
    """Return the condition that keeps a service principal from being another account's confused deputy.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    return {
        "StringEquals": {"aws:SourceAccount": AccountId},
        "ArnLike": {"aws:SourceArn": arn(service, resource)},
    }


def via(*services: str) -> dict[str, Any]:
    """Return the condition that a KMS key is used only by these services, for whoever called them.

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    """
    return {
        "StringEquals": {
            "kms:ViaService": [Sub(f"{service}.${{AWS::Region}}.${{AWS::URLSuffix}}") for service in services]
        }
    }
