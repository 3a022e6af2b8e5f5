"""A built stack as an auditor reads it: plain data, with a few questions that every test asks."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from paycli.environment import Environment, presets
from paycli.stack import build
from paycli.stack.rendering import to_json

Resource = dict[str, Any]


@dataclass(frozen=True)
class Built:
    """One rendered stack."""

    environment: Environment
    template: dict[str, Any]

    def __getitem__(self, logical_id: str) -> dict[str, Any]:
        properties: dict[str, Any] = self.template["Resources"][logical_id]["Properties"]
        return properties

    def resource(self, logical_id: str) -> Resource:
        resource: Resource = self.template["Resources"][logical_id]
        return resource

    def of_type(self, resource_type: str) -> dict[str, dict[str, Any]]:
        return {
            name: resource["Properties"]
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == resource_type
        }

    def statements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each statement of each policy document, with the logical ID of its resource."""
        for name, resource in self.template["Resources"].items():
            for document in ("PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument", "Policy"):
                for statement in resource["Properties"].get(document, {}).get("Statement", []):
                    yield name, statement


Builder = Callable[..., Built]


def built(name: str = "dev", **settings: Any) -> Built:
    environment = Environment(name=name, **{**presets().get(name, {}), **settings})
    return Built(environment, json.loads(to_json(build(environment))))


@pytest.fixture(scope="session")
def stack() -> Builder:
    return built


@pytest.fixture(scope="session")
def dev() -> Built:
    return built("dev")


@pytest.fixture(scope="session")
def prod() -> Built:
    return built("prod")


@pytest.fixture(scope="session")
def local() -> Built:
    return built("local")
