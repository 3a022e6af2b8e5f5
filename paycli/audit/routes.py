"""The routes of the APIs of a template."""

from dataclasses import dataclass

from paycli.audit.template import Node, Resource, Stack


@dataclass(frozen=True)
class Route:
    """One method of one path; a part in braces is a parameter, {proxy+} the rest of a path."""

    method: str
    path: tuple[str, ...]

    def needs(self, pattern: tuple[str, ...]) -> bool:
        """Whether a pattern has its wildcards exactly where this route has its parameters."""
        wanted = tuple("*" if part.startswith(("{", "$default")) else part for part in self.path)
        return pattern == wanted


def routes(stack: Stack) -> list[Route]:
    """Return every route of the template's REST, HTTP and WebSocket APIs."""
    found = [
        Route(method.text or "", _path(stack, place))
        for resource in stack.resources("AWS::ApiGateway::Method")
        for method in resource.get("HttpMethod")
        for place in resource.get("ResourceId")
    ]
    for resource in stack.resources("AWS::ApiGatewayV2::Route"):
        for key in resource.get("RouteKey"):
            method, _, path = (key.text or "").rpartition(" ")
            found.append(Route(method or "ANY", tuple(path.strip("/").split("/"))))
    return found


def _path(stack: Stack, place: Node) -> tuple[str, ...]:
    """Return the parts of the path that ends at a resource; the root has none."""
    parts: list[str] = []
    seen: set[str] = set()
    resource = _resource(stack, place)
    while resource is not None and resource.name not in seen:
        seen.add(resource.name)
        parts.insert(0, resource.get("PathPart")[0].text or "")
        resource = _resource(stack, resource.get("ParentId")[0])
    return tuple(parts)


def _resource(stack: Stack, place: Node) -> Resource | None:
    candidates = stack.resources("AWS::ApiGateway::Resource")
    return next((resource for resource in candidates if place.identifies(resource)), None)
