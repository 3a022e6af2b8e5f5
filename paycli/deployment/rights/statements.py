"""Statements of an IAM policy, and documents that a managed policy can hold."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

Statement = dict[str, Any]
Document = dict[str, Any]

# Characters of a managed policy, white space not counted.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
LIMIT = 6_144


def allow(sid: str, actions: Iterable[str], arns: Iterable[str], condition: Mapping[str, Any]) -> Statement:
    """Return a statement; an empty condition is left out."""
    statement = {"Sid": sid, "Effect": "Allow", "Action": sorted(set(actions)), "Resource": sorted(set(arns))}
    return {**statement, "Condition": dict(condition)} if condition else statement


def document(statements: Iterable[Statement]) -> Document:
    """Return a policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def characters(policy: Document) -> int:
    """Count as IAM does."""
    return len(json.dumps(policy, separators=(",", ":")))


def split(policy: Document) -> list[Document]:
    """Return the policy in as few documents, in its order, as managed policies can hold."""
    parts: list[list[Statement]] = [[]]
    for statement in policy["Statement"]:
        if parts[-1] and characters(document([*parts[-1], statement])) > LIMIT:
            parts.append([])
        parts[-1].append(statement)
    return [document(part) for part in parts]
