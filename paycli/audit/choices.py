"""Every value that a deployment can give a property."""

from collections.abc import Iterator

from paycli.audit.template import Node, function_of


def choices(node: Node) -> Iterator[str | None]:
    """Yield each text that a node can have when it is deployed; None where it can be any.

    A parameter can have each of its AllowedValues, or anything, whatever its default; Fn::FindInMap each value that
    the mapping has under such a key.
    """
    function, argument = function_of(node.value)
    parameter = node.parameter or (argument if function == "Ref" else None)
    if parameter is not None:
        if node.parameter is not None:
            yield node.text
        yield from _allowed(node, parameter)
    elif function == "Fn::FindInMap":
        yield from _mapped(node, argument)
    elif not node.absent:
        yield None if node.unknown or "{{resolve:" in (node.text or "") else node.text


def _allowed(node: Node, parameter: object) -> Iterator[str | None]:
    declared = node.stack.section("Parameters").get(str(parameter))
    allowed = declared.get("AllowedValues") if isinstance(declared, dict) else None
    if isinstance(allowed, list) and allowed:
        yield from (node.stack.text(value) for value in allowed)
    else:
        yield None


def _mapped(node: Node, argument: object) -> Iterator[str | None]:
    name, key = (argument[0], argument[2]) if isinstance(argument, list) and len(argument) >= 3 else (None, None)
    mapping = node.stack.section("Mappings").get(name) if isinstance(name, str) else None
    rows = [row for row in mapping.values() if isinstance(row, dict)] if isinstance(mapping, dict) else []
    values = [value for row in rows for column, value in row.items() if column == key or not isinstance(key, str)]
    yield from (node.stack.text(value) for value in values) if values else (None,)
