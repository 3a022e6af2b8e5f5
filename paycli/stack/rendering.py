"""A template as data, and as the JSON that CloudFormation gets."""

import json
from typing import Any

from troposphere import Template

# What a reader wants to know first, first.
SECTIONS = ("AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Resources", "Outputs")
ATTRIBUTES = ("Type", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Metadata", "Properties")


def to_json(template: Template) -> str:
    """Return the template as minified JSON: what is sent to CloudFormation."""
    return json.dumps(as_dict(template), separators=(",", ":"), ensure_ascii=False)


def as_dict(template: Template) -> dict[str, Any]:
    """Return the template as plain data; sections and attributes of a resource in a fixed order."""
    document = template.to_dict()
    document["Resources"] = {name: _ordered(resource, ATTRIBUTES) for name, resource in document["Resources"].items()}
    return _ordered(document, SECTIONS)


def _ordered(mapping: dict[str, Any], first: tuple[str, ...]) -> dict[str, Any]:
    return {key: mapping[key] for key in (*first, *mapping) if key in mapping}
