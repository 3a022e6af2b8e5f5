"""A template's text as data that the audit can ask questions of, whatever is in it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from paycli.errors import UsageError
from paycli.text import one_line

Properties = Mapping[str, Any]

# Bytes that CloudFormation takes, from S3:
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
LARGEST = 1_048_576


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    logical_id: str
    type: str
    properties: Properties
    deletion_policy: str


@dataclass(frozen=True)
class Template:
    """A template as plain data, functions in their long form; `decoded` is cfn-lint's, which knows the lines."""

    resources: Mapping[str, Resource]
    parameters: Mapping[str, Properties]
    decoded: Any = field(compare=False, repr=False)
    document: Properties = field(compare=False, repr=False)  # all of it

    def of_type(self, *types: str) -> Iterator[Resource]:
        """Give the resources of these types."""
        return (resource for resource in self.resources.values() if resource.type in types)

    def called(self, value: Any) -> Resource | None:
        """Return the resource that a Ref, a GetAtt or a Sub of one variable names."""
        names = [name for name in references(value) if name in self.resources]
        return self.resources[names[0]] if len(names) == 1 else None


def read(text: str, name: str) -> Template:
    """Read a template, YAML with CloudFormation's tags or JSON; `name` stands in the errors.

    Raises UsageError where it is none.
    """
    from cfnlint.decode import decode_str

    if len(text.encode()) > LARGEST:
        raise _unreadable(name, "it is larger than the 1 MiB that CloudFormation takes")
    decoded, problems = decode_str(text)
    if problems:
        raise _unreadable(name, f"line {problems[0].linenumber}: {one_line(problems[0].message)}")
    whole = _plain(decoded)
    if not isinstance(whole, dict) or not isinstance(whole.get("Resources"), dict):
        raise _unreadable(name, "it has no Resources")
    return Template(
        {logical_id: _resource(logical_id, mapping(body)) for logical_id, body in whole["Resources"].items()},
        {parameter: mapping(body) for parameter, body in mapping(whole.get("Parameters")).items()},
        decoded,
        whole,
    )


def _unreadable(name: str, why: str) -> UsageError:
    return UsageError(
        f"{name} is no CloudFormation template: {why}.",
        hint="It must be YAML or JSON, with a section Resources.",
        code="template_unreadable",
    )


def _resource(logical_id: str, body: Properties) -> Resource:
    return Resource(
        logical_id, str(body.get("Type", "")), mapping(body.get("Properties")), str(body.get("DeletionPolicy", ""))
    )


def _plain(node: Any) -> Any:
    """Return YAML's data as JSON's: a date as text, keys as text."""
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    return node if node is None or isinstance(node, bool | int | float) else str(node)


def mapping(value: Any) -> Properties:
    """Return the value where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """Return a value, or a list of them, as a list; of an Fn::If all that can come of it."""
    if value is None or value == {"Ref": "AWS::NoValue"}:
        return []
    if isinstance(value, list):
        return [part for entry in value for part in ([entry] if isinstance(entry, list) else listed(entry))]
    if isinstance(value, dict) and set(value) == {"Fn::If"}:
        return [part for branch in listed(value["Fn::If"])[1:] for part in listed(branch)]
    return [value]


def mappings(value: Any) -> list[Properties]:
    """Return what is a mapping of a value or a list."""
    return [entry for entry in listed(value) if isinstance(entry, dict)]


def document(value: Any) -> Properties:
    """Return a policy document, which may also be written as JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return mapping(value)


def references(value: Any) -> Iterator[str]:
    """Give what a value refers to by Ref, Fn::GetAtt and Fn::Sub: logical IDs, parameters, pseudo parameters."""
    if isinstance(value, list):
        for entry in value:
            yield from references(entry)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _referenced(key, inner)


def _referenced(key: str, inner: Any) -> Iterator[str]:
    if key == "Ref" and isinstance(inner, str):
        yield inner
    elif key == "Fn::GetAtt":
        yield from (str(name).partition(".")[0] for name in listed(inner)[:1])
    else:
        if key == "Fn::Sub":
            yield from (name.partition(".")[0] for text in listed(inner)[:1] for name in variables(str(text)))
        yield from references(inner)


def variables(text: str) -> list[str]:
    """Return the variables of a text of Fn::Sub; `${!literal}` is none."""
    return [part.partition("}")[0].strip() for part in text.split("${")[1:] if not part.startswith("!") and "}" in part]
