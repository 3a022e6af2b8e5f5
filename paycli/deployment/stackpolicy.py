"""The stack policy: no update may replace or remove what holds data, unless it was allowed by name.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html
"""

import json
from collections.abc import Collection
from typing import Any

from paycli.stack.retention import DATA_TYPES


def body(lifted_for: Collection[str] = ()) -> str:
    """Return the policy as JSON; the resources `lifted_for` may be removed."""
    statements: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": ["Update:Replace", "Update:Delete"],
            "Principal": "*",
            # A deny always wins, so what is lifted is left out of it.
            **({"NotResource": [f"LogicalResourceId/{name}" for name in sorted(lifted_for)]} if lifted_for else {}),
            **({} if lifted_for else {"Resource": "*"}),
            "Condition": {"StringEquals": {"ResourceType": sorted(DATA_TYPES)}},
        },
    ]
    return json.dumps({"Statement": statements})


def stands(cloudformation: Any, stack_id: str) -> bool:
    """Whether the policy is the stack's, lifted for nothing (one call)."""
    found = cloudformation.get_stack_policy(StackName=stack_id).get("StackPolicyBody")
    return bool(found) and json.loads(found) == json.loads(body())


def is_there(cloudformation: Any, stack_id: str) -> bool:
    """Whether the stack has any policy (one call)."""
    return bool(cloudformation.get_stack_policy(StackName=stack_id).get("StackPolicyBody"))


def put(cloudformation: Any, stack_id: str, lifted_for: Collection[str] = ()) -> None:
    """Set the policy (one call)."""
    cloudformation.set_stack_policy(StackName=stack_id, StackPolicyBody=body(lifted_for))
