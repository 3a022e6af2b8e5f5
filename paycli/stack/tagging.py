"""Tags on everything that takes tags."""

from collections.abc import Mapping

from troposphere import Tags, Template


def tag_resources(template: Template, tags: Mapping[str, str]) -> None:
    """Tag each resource whose type has the property Tags."""
    for resource in template.resources.values():
        if "Tags" in resource.props:
            resource.Tags = Tags(dict(tags))
