"""A template as text: YAML for people who review it, JSON for CloudFormation."""

import json
from typing import Any

import yaml
from troposphere import Template

# What a reader wants to know first, first.
SECTIONS = ("AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Resources", "Outputs")
ATTRIBUTES = ("Type", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Properties")

# C where PyYAML was built with it: ten times as fast.
_BaseDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def to_json(template: Template) -> str:
    """Return the template as minified JSON: what is sent to CloudFormation."""
    return json.dumps(as_dict(template), separators=(",", ":"), ensure_ascii=False)


def to_yaml(template: Template) -> str:
    """Return the template as YAML with the short tags (!Ref, !GetAtt, !Sub), in the order of the builders."""
    text: str = yaml.dump(
        as_dict(template), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100_000, default_flow_style=False
    )
    return text


def as_dict(template: Template) -> dict[str, Any]:
    """Return the template as plain data; sections and attributes of a resource in a fixed order."""
    document = template.to_dict()
    document["Resources"] = {name: _ordered(resource, ATTRIBUTES) for name, resource in document["Resources"].items()}
    return _ordered(document, SECTIONS)


def _ordered(mapping: dict[str, Any], first: tuple[str, ...]) -> dict[str, Any]:
    return {key: mapping[key] for key in (*first, *mapping) if key in mapping}


class _Dumper(_BaseDumper):  # type: ignore[misc]
    """Writes CloudFormation's functions by their short tags, and a text of several lines as a block."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Write everything out: an anchor would hide from a reader what a resource is."""
        return True


def _represent_text(dumper: Any, text: str) -> yaml.ScalarNode:
    return _scalar(dumper, "tag:yaml.org,2002:str", text)


def _represent_mapping(dumper: Any, mapping: dict[str, Any]) -> yaml.Node:
    if len(mapping) == 1:
        ((name, value),) = mapping.items()
        if name == "Ref" or name.startswith("Fn::"):
            return _function(dumper, f"!{name.removeprefix('Fn::')}", value)
    node: yaml.MappingNode = dumper.represent_mapping("tag:yaml.org,2002:map", mapping.items())
    return node


def _function(dumper: Any, tag: str, value: Any) -> yaml.Node:
    if tag == "!GetAtt":
        value = ".".join(value)
    if isinstance(value, str):
        return _scalar(dumper, tag, value)
    node: yaml.Node = dumper.represent_sequence(tag, value)
    return node


def _scalar(dumper: Any, tag: str, text: str) -> yaml.ScalarNode:
    node: yaml.ScalarNode = dumper.represent_scalar(tag, text, style="|" if "\n" in text else None)
    return node


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(dict, _represent_mapping)
