"""Stack policies: which updates of which resources are allowed."""

from fnmatch import fnmatchcase
from typing import Any

from tests.fakes.cloudformation.model import Json


def denial(policy: Json | None, action: str, logical_id: str, resource_type: str) -> str:
    """Return why `Update:<action>` of a resource is denied, or nothing where it is allowed."""
    if policy is None:
        return ""
    wanted, resource = f"Update:{action}", f"LogicalResourceId/{logical_id}"
    allowed = False
    for number, statement in enumerate(policy["Statement"], start=1):
        if not _applies(statement, wanted, resource, resource_type):
            continue
        if statement["Effect"] == "Deny":
            said = f"Statement [#{number}] does not allow [{wanted}] for resource [{resource}]"
            return f"Action denied by stack policy: {said};"
        allowed = True
    return "" if allowed else f"Action not allowed by stack policy: no statement allows [{wanted}] for [{resource}];"


def _applies(statement: Json, action: str, resource: str, resource_type: str) -> bool:
    types = statement.get("Condition", {}).get("StringEquals", {}).get("ResourceType")
    return (
        _matches(action, statement.get("Action"), statement.get("NotAction"))
        and _matches(resource, statement.get("Resource"), statement.get("NotResource"))
        and (types is None or resource_type in _listed(types))
    )


def _matches(value: str, patterns: Any, exceptions: Any) -> bool:
    if exceptions is not None:
        return not any(fnmatchcase(value, pattern) for pattern in _listed(exceptions))
    return any(fnmatchcase(value, pattern) for pattern in _listed(patterns))


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
