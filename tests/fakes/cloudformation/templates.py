"""Templates as paycli sends them: JSON with Ref, Fn::GetAtt, Fn::Sub and Fn::Join; nothing else is here."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from tests.fakes.cloudformation.errors import ApiError, FakeProblem, invalid
from tests.fakes.cloudformation.model import Json

# Bytes: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
INLINE_LIMIT = 51_200
_NAMED_IAM = {"AWS::IAM::Role": "RoleName", "AWS::IAM::ManagedPolicy": "ManagedPolicyName"}
_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")

Reference = tuple[str, str]  # (logical id or parameter, attribute or nothing)


def parse(body: str) -> Json:
    """Return the template; raises ApiError where it is none."""
    try:
        document = json.loads(body)
    except json.JSONDecodeError as error:
        where = f"(line {error.lineno}, column {error.colno})"
        raise invalid(f"Template format error: JSON not well-formed. {where}") from None
    if not document.get("Resources"):
        raise invalid("Template format error: At least one Resources member must be defined.")
    return dict(document)


def check(document: Json, capabilities: list[str]) -> None:
    """Raise ApiError for what CloudFormation refuses before it makes a change set."""
    known = {*document["Resources"], *document.get("Parameters", {})}
    used = {name for name, _ in references([document["Resources"], document.get("Outputs", {})])}
    unknown = sorted(name for name in used - known if not name.startswith("AWS::"))
    if unknown:
        listed = ", ".join(unknown)
        raise invalid(
            f"Template format error: Unresolved resource dependencies [{listed}] in the Resources block of the template"
        )
    try:
        TopologicalSorter(needs(document)).prepare()
    except CycleError as error:
        raise invalid(f"Circular dependency between resources: [{', '.join(error.args[1][1:])}]") from None
    needed = _capability(document)
    if needed and not {"CAPABILITY_NAMED_IAM", needed} & set(capabilities):
        raise ApiError("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")


def _capability(document: Json) -> str:
    iam = [entry for entry in document["Resources"].values() if entry["Type"].startswith("AWS::IAM::")]
    if any(_NAMED_IAM.get(entry["Type"]) in entry.get("Properties", {}) for entry in iam):
        return "CAPABILITY_NAMED_IAM"
    return "CAPABILITY_IAM" if iam else ""


def parameters(document: Json, given: list[Json], before: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters' values; raises ApiError for missing, unknown and forbidden ones."""
    declared: Json = document.get("Parameters", {})
    asked = {entry["ParameterKey"]: entry for entry in given}
    unknown = sorted(asked.keys() - declared.keys())
    if unknown:
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    values = {key: str(entry["Default"]) for key, entry in declared.items() if "Default" in entry}
    for key, entry in asked.items():
        values[key] = before[key] if entry.get("UsePreviousValue") else entry.get("ParameterValue", "")
    missing = sorted(declared.keys() - values.keys())
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    for key, value in values.items():
        allowed = declared[key].get("AllowedValues")
        if allowed and value not in allowed:
            raise invalid(f"Template error: Parameter '{key}' must be one of AllowedValues")
    return values


def references(node: Any) -> Iterator[Reference]:
    """Give what a part of a template refers to."""
    if isinstance(node, list):
        for entry in node:
            yield from references(entry)
    elif isinstance(node, dict):
        match node:
            case {"Ref": str(name)}:
                yield name, ""
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                yield name, attribute
            case {"Fn::Sub": str(text)}:
                yield from (_split(variable) for variable in _VARIABLE.findall(text))
            case {"Fn::Sub": [str(text), dict(variables)]}:
                yield from (_split(variable) for variable in _VARIABLE.findall(text) if variable not in variables)
                yield from references(list(variables.values()))
            case _:
                yield from references(list(node.values()))


def _split(variable: str) -> Reference:
    name, _, attribute = variable.partition(".")
    return name, attribute


def resolve(node: Any, value: Callable[[str, str], Any]) -> Any:
    """Return a part of a template with every reference replaced by `value(name, attribute)`."""
    if isinstance(node, list):
        return [resolve(entry, value) for entry in node]
    if not isinstance(node, dict):
        return node
    match node:
        case {"Ref": str(name)}:
            return value(name, "")
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return value(name, attribute)
        case {"Fn::Sub": str(text)}:
            return _VARIABLE.sub(lambda found: str(value(*_split(found[1]))), text)
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(str(resolve(part, value)) for part in parts)
    functions = [key for key in node if key.startswith("Fn::")]
    if functions:
        raise FakeProblem(f"{functions[0]} is not in the fake; SPEC.md says what is")
    return {key: resolve(entry, value) for key, entry in node.items()}


def needs(document: Json) -> dict[str, set[str]]:
    """Return, for each resource, those that must stand before it."""
    resources: Json = document["Resources"]
    found = {}
    for logical_id, entry in resources.items():
        said = entry.get("DependsOn", [])
        named = {said} if isinstance(said, str) else set(said)
        named |= {name for name, _ in references(entry.get("Properties", {}))}
        found[logical_id] = named & resources.keys()
    return found
