"""Tags on everything that takes tags."""

from collections.abc import Mapping

from troposphere import Tags, Template

# AWS Backup names the property by the type, and wants a map in it.
MAPS = frozenset({"BackupPlanTags", "BackupVaultTags"})


def tag_resources(template: Template, tags: Mapping[str, str]) -> None:
    """Tag each resource whose type has a property for tags."""
    for resource in template.resources.values():
        if "Tags" in resource.props:
            resource.Tags = Tags(dict(tags))
        for name in MAPS & resource.props.keys():
            setattr(resource, name, dict(tags))
