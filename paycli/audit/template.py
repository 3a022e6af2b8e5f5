"""A template as the rules read it: each value that a property can have, and where it stands.

An Fn::If has the values of both branches; a Ref to a parameter has that parameter's default; Fn::Select and Fn::Split
have what they come to. What is known only when the stack is deployed (a parameter without default, Fn::ImportValue,
Fn::FindInMap) stays what it is, and no rule judges it.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from cfnlint.template import Template

Path = tuple[str | int, ...]

# The property that gives a resource the name by which others can call it.
NAME_PROPERTIES = {
    "AWS::ApiGateway::RestApi": "Name",
    "AWS::ApiGateway::Stage": "StageName",
    "AWS::ApiGatewayV2::Stage": "StageName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::DynamoDB::GlobalTable": "TableName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::IAM::Role": "RoleName",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
}


def function_of(value: Any) -> tuple[str | None, Any]:
    """Return the name and the argument of an intrinsic function, or (None, None)."""
    if isinstance(value, dict) and len(value) == 1:
        ((name, argument),) = value.items()
        if name == "Ref" or str(name).startswith("Fn::"):
            return str(name), argument
    return None, None


@dataclass(frozen=True)
class Node:
    """One value that a part of the template can have. Its value is None where the part isn't there."""

    stack: "Stack"
    value: Any
    path: Path
    parameter: str | None = None  # the parameter whose default this is

    @property
    def absent(self) -> bool:
        """Whether nothing stands here."""
        return self.value is None

    @property
    def unknown(self) -> bool:
        """Whether a function stands here whose value only a deployment knows."""
        return function_of(self.value)[0] is not None

    @property
    def conditional(self) -> bool:
        """Whether an Fn::If decides about this."""
        return "Fn::If" in self.path

    @property
    def truth(self) -> bool | None:
        """True or False as a property takes them (also as text), else None."""
        return {"true": True, "false": False}.get(str(self.value).lower())

    @property
    def text(self) -> str | None:
        """The value as text, with ${LogicalId} and ${LogicalId.Attribute} for what other resources fill in."""
        return self.stack.text(self.value)

    @property
    def number(self) -> float | None:
        """The value as a number, else None."""
        try:
            return float(self.value)
        except (TypeError, ValueError, OverflowError):
            return None

    @property
    def keys(self) -> list[str]:
        """The keys of a mapping; nothing else has any."""
        return [key for key in self.mapping or () if isinstance(key, str)]

    @property
    def mapping(self) -> Mapping[str, Any] | None:
        """The value as a mapping, also where it is written as JSON text."""
        if self.unknown or not isinstance(self.value, dict):
            return _json_object(self.text)
        return self.value

    def get(self, *keys: str) -> list["Node"]:
        """Return each value that stands under the keys; an absent one is at the place where it is missing."""
        nodes = [self]
        for key in keys:
            nodes = [member for node in nodes for member in node._member(key)]
        return nodes

    def items(self) -> list["Node"]:
        """Return the elements of a list; a value without a list is a list of one, and an absent one is empty."""
        if not isinstance(self.value, list):
            return [] if self.absent else [self]
        nodes = [
            node
            for index, element in enumerate(self.value)
            for node in self.stack.possible(replace(self, value=element, path=(*self.path, index)))
        ]
        # A branch of an Fn::If can hold a list again.
        return [part for node in nodes for part in node.items()]

    def identifies(self, resource: "Resource") -> bool:
        """Whether this is a reference to a resource, its ARN, its URL or its name."""
        return self.text is not None and resource.is_called(self.text)

    def _member(self, key: str) -> list["Node"]:
        mapping = self.mapping
        if mapping is not None and key in mapping:
            return list(self.stack.possible(Node(self.stack, mapping[key], (*self.path, key))))
        if self.unknown:
            return [self]
        return [Node(self.stack, None, self.path)]


@dataclass(frozen=True)
class Resource:
    """One resource of the template."""

    stack: "Stack"
    name: str
    value: Mapping[str, Any]

    @property
    def path(self) -> Path:
        """Where it stands."""
        return ("Resources", self.name)

    @property
    def type(self) -> str:
        """Its type, such as AWS::SQS::Queue."""
        return str(self.value.get("Type"))

    @property
    def here(self) -> Node:
        """The resource as a whole: its attributes are its members."""
        return Node(self.stack, self.value, self.path)

    @property
    def names(self) -> list[str]:
        """The texts of its physical name, where the template gives it one."""
        key = NAME_PROPERTIES.get(self.type)
        return [text for node in self.get(key) if (text := node.text)] if key else []

    def is_called(self, text: str) -> bool:
        """Whether a text is a reference to it, its ARN, its URL or its name."""
        reference = rf"(.*[:/])?\$\{{{re.escape(self.name)}(\.[^}}]+)?\}}"
        named = any(text == name or text.endswith((f":{name}", f"/{name}")) for name in self.names)
        return named or bool(re.fullmatch(reference, text))

    def get(self, *keys: str) -> list[Node]:
        """Return each value of a property; what is missing is missing at the resource."""
        properties = (*self.path, "Properties")
        return [
            replace(node, path=self.path) if node.absent and node.path == properties else node
            for node in self.here.get("Properties", *keys)
        ]

    def listed(self, *keys: str) -> list[Node]:
        """Return each element that a property's list can have."""
        return [element for node in self.get(*keys) for element in node.items()]

    def exists_with(self, other: "Resource") -> bool:
        """Whether it is there whenever the other is: under no condition, or under the same."""
        return self.value.get("Condition") in (None, other.value.get("Condition"))


class Stack:
    """The template as a whole."""

    def __init__(self, cfn: Template):
        self.template: Mapping[str, Any] = cfn.template

    def section(self, name: str) -> Mapping[str, Any]:
        """Return a section of the template, empty where there is none."""
        section = self.template.get(name)
        if not isinstance(section, dict):
            return {}
        return {key: value for key, value in section.items() if isinstance(key, str)}

    @cached_property
    def all_resources(self) -> Mapping[str, Resource]:
        """Every resource by its logical ID."""
        return {
            name: Resource(self, name, value)
            for name, value in self.section("Resources").items()
            if isinstance(value, dict)
        }

    def resources(self, *types: str) -> Iterator[Resource]:
        """Yield the resources of these types."""
        return (resource for resource in self.all_resources.values() if resource.type in types)

    def possible(self, node: Node) -> Iterator[Node]:
        """Yield each value that a node can have."""
        function, argument = function_of(node.value)
        if function == "Fn::If" and isinstance(argument, list) and len(argument) == 3:
            for index in (1, 2):
                yield from self.possible(replace(node, value=argument[index], path=(*node.path, "Fn::If", index)))
        elif function == "Ref" and argument == "AWS::NoValue":
            yield replace(node, value=None)
        elif function == "Ref" and (default := self.default(argument)) is not None:
            yield replace(node, value=default, parameter=argument)
        elif function == "Fn::Split" and (parts := self._split(argument)) is not None:
            yield replace(node, value=parts)
        elif function == "Fn::Select" and isinstance(argument, list) and len(argument) == 2:
            yield from self._selected(node, *argument)
        else:
            yield node

    def _selected(self, node: Node, index: Any, elements: Any) -> Iterator[Node]:
        at = int(str(index)) if str(index).isdecimal() else -1
        for place in self.possible(replace(node, value=elements)):
            if isinstance(place.value, list) and 0 <= at < len(place.value):
                path = (*place.path, "Fn::Select", 1, at) if place.value is elements else place.path
                yield from self.possible(replace(place, value=place.value[at], path=path))
            else:
                yield node

    def _split(self, argument: Any) -> list[str] | None:
        """Return the parts of an Fn::Split, None where only a deployment knows them."""
        if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str) or not argument[0]:
            return None
        text = self.text(argument[1])
        return None if text is None or "${" in text else text.split(argument[0])

    def default(self, name: Any) -> Any:
        """Return the default of a parameter, or None; that of an SSM parameter is a name and not its value."""
        parameter = self.section("Parameters").get(name) if isinstance(name, str) else None
        if not isinstance(parameter, dict) or str(parameter.get("Type")).startswith("AWS::SSM::"):
            return None
        default = parameter.get("Default")
        if isinstance(default, str) and "List" in str(parameter.get("Type")):
            return [part.strip() for part in default.split(",")]
        return default

    def text(self, value: Any) -> str | None:
        """Return a value as text, or None where it has none; see Node.text."""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str | int | float):
            return str(value)
        function, argument = function_of(value)
        match function, argument:
            case "Ref", str():
                return self._reference(argument)
            case "Fn::GetAtt", str():
                return f"${{{argument}}}"
            case "Fn::GetAtt", [str() as name, str() as attribute]:
                return f"${{{name}.{attribute}}}"
            case "Fn::Sub", str():
                return self._substitute(argument, {})
            case "Fn::Sub", [str() as template, dict() as variables]:
                return self._substitute(template, variables)
            case "Fn::Join", [str() as separator, list() as parts]:
                texts = [self.text(part) for part in parts]
                return separator.join(text for text in texts if text is not None) if None not in texts else None
            case "Fn::Select", _:
                (found, *others) = self.possible(Node(self, value, ()))
                return None if others or found.value is value else self.text(found.value)
        return None

    def _reference(self, name: str) -> str:
        default = self.text(self.default(name))
        return f"${{{name}}}" if default is None else default

    def _substitute(self, template: str, variables: Mapping[str, Any]) -> str:
        def fill(match: re.Match[str]) -> str:
            name = match[1].strip()
            text = self.text(variables[name]) if name in variables else self._reference(name)
            return match[0] if text is None else text

        return re.sub(r"\$\{([^!}][^}]*)\}", fill, template)


def certain(nodes: Iterable[Node]) -> bool:
    """Whether one of the nodes is there, whatever the Fn::Ifs around them decide."""
    return _certain([node.path for node in nodes])


def _certain(paths: list[Path]) -> bool:
    branches: dict[Path, dict[str | int, list[Path]]] = {}
    for path in paths:
        if "Fn::If" not in path:
            return True
        at = path.index("Fn::If")
        branches.setdefault(path[:at], {}).setdefault(path[at + 1], []).append(path[at + 2 :])
    return any(all(_certain(branch.get(number, [])) for number in (1, 2)) for branch in branches.values())


def _json_object(text: str | None) -> Mapping[str, Any] | None:
    if text is None or not text.lstrip().startswith("{"):
        return None
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
