"""Where the rights hold: partition, region and account, and the ARNs of what a template makes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

ANY = "*"


class Place(NamedTuple):
    """A partition, a region and an account; ANY where the settings don't say which."""

    partition: str
    region: str
    account: str


class Made(NamedTuple):
    """What a stack makes: its name, its template's resources, and the environment that tags them."""

    stack: str
    resources: Mapping[str, Any]
    environment: str

    def of_type(self, resource_type: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Give the logical ID and the properties of each resource of a type."""
        for title, resource in self.resources.items():
            if resource["Type"] == resource_type:
                yield title, resource["Properties"]

    def names(self, resource_type: str, named_by: str) -> list[str]:
        """Return the physical names of a type's resources, by the property that holds them.

        A part that only AWS knows is ANY. Without such a property CloudFormation makes the name of the stack's, the
        logical ID and something random:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
        """
        return [
            re.sub(r"\$\{[^}]+\}", ANY, _text(properties[named_by]))
            if named_by in properties
            else f"{self.stack}-{title}-*"
            for title, properties in self.of_type(resource_type)
        ]


def _text(value: Any) -> str:
    """Return the text of a property, also of one in Fn::Sub."""
    return str(value["Fn::Sub"] if isinstance(value, Mapping) else value)
