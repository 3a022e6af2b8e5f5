"""Where real money flows: what some rules demand of production alone."""

import re
from collections.abc import Iterator

from paycli.audit.template import Node, Resource, Stack

_PRODUCTION = {"prod", "production", "live"}
_NOT_YET = {"pre", "non", "not"}


def in_production(stack: Stack) -> bool:
    """Whether a template is one of production.

    paycli says so itself, in the template's Metadata (`Paycli: {Environment, RetainData}`): data that is kept, or
    a name that says production. A template without it is judged by the tag Environment of its resources.
    """
    stated = stack.section("Metadata").get("Paycli")
    if isinstance(stated, dict):
        node = Node(stack, stated, ("Metadata", "Paycli"))
        return node.get("RetainData")[0].truth is True or says_production(node.get("Environment")[0].text)
    return any(says_production(name) for resource in stack.all_resources.values() for name in _environments(resource))


def says_production(name: str | None) -> bool:
    """Whether an environment of this name is production: prod, live, prod-eu; not pre-prod."""
    words = set(re.split(r"[^a-z0-9]+", (name or "").lower()))
    return bool(words & _PRODUCTION) and not words & _NOT_YET


def _environments(resource: Resource) -> Iterator[str | None]:
    """Yield the values of the resource's tag Environment; tags are a list of pairs or a mapping."""
    for tag in resource.listed("Tags"):
        if any(node.text == "Environment" for node in tag.get("Key")):
            yield from (node.text for node in tag.get("Value"))
        yield from (node.text for node in tag.get("Environment"))
