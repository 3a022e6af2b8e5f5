"""From where an API may be called: the addresses and networks in its resource policy.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
"""

from paycli.audit.model import Properties, Resource, document, listed, mapping, mappings
from paycli.audit.readable import Names

_SOURCES = frozenset({"aws:SourceIp", "aws:VpcSourceIp", "aws:SourceVpc", "aws:SourceVpce"})
NOBODY = "nobody"


def allowed_origins(names: Names, api: Resource | None, route: str, *, unsigned: bool) -> tuple[str, ...]:
    """Return from where a route (`payment-api-prod/v1/POST/validate`) can be called; empty: from everywhere.

    A Deny of everything but some sources holds for everybody. An Allow of some sources alone restricts only a
    route without authorization (`unsigned`): there a policy refuses what it doesn't allow, while a signed caller
    of the same account may also have the right from IAM.
    """
    if api is None or "Policy" not in api.properties:
        return ()
    statements = mappings(document(api.properties["Policy"]).get("Statement"))
    applying = [statement for statement in statements if _applies(names, api, statement, route)]
    denied = [_sources(names, statement, negated=True) for statement in applying if _effect(names, statement) == "Deny"]
    restricted = [sources for sources in denied if sources]
    if restricted:
        return tuple(sorted({source for sources in restricted for source in sources}))
    if not unsigned:
        return ()
    allowed = [
        _sources(names, statement, negated=False) for statement in applying if _effect(names, statement) == "Allow"
    ]
    if not allowed:
        return (NOBODY,)
    return tuple(sorted({source for sources in allowed for source in sources})) if all(allowed) else ()


def _effect(names: Names, statement: Properties) -> str:
    return names.text(statement.get("Effect"))


def _applies(names: Names, api: Resource, statement: Properties, route: str) -> bool:
    """Whether a statement is about a route, whoever calls it."""
    if statement.get("Principal") not in ("*", {"AWS": "*"}, {"AWS": ["*"]}):
        return False
    resources = (
        text.replace("execute-api:/", f"{names.of(api)}/", 1) for text in names.texts(statement.get("Resource"))
    )
    return any(covers(resource, route) for resource in resources)


def _sources(names: Names, statement: Properties, *, negated: bool) -> tuple[str, ...]:
    """Return the sources of a statement whose conditions name nothing else, else none."""
    found: list[str] = []
    for operator, keys in mapping(statement.get("Condition")).items():
        for key, values in mapping(keys).items():
            if key not in _SOURCES or ("Not" in operator) is not negated:
                return ()
            found += [names.text(value) for value in listed(values)]
    return tuple(found)


def covers(pattern: str, text: str) -> bool:
    """Whether a pattern of IAM, with `*` and `?`, is met by a text; in linear time per star, whatever it is."""
    place = at = 0
    star, resume = -1, 0
    while at < len(text):
        if place < len(pattern) and pattern[place] == "*":
            star, resume = place, at
            place += 1
        elif place < len(pattern) and pattern[place] in ("?", text[at]):
            place, at = place + 1, at + 1
        elif star >= 0:
            resume += 1
            place, at = star + 1, resume
        else:
            return False
    return pattern[place:].strip("*") == ""
