"""Every value that a setting can have when the stack is deployed."""

from collections.abc import Iterator
from typing import Any

from paycli.audit.model import Template, listed, mapping
from paycli.audit.readable import Names


def possible(template: Template, names: Names, value: Any) -> tuple[str, ...]:
    """Return what a Ref to a parameter, an Fn::If or an Fn::FindInMap can come to, each as text, once.

    Whoever deploys chooses a parameter's value: one that may be anything is `<its name>`, beside its default.
    """
    return tuple(dict.fromkeys(_possible(template, names, value)))


def _possible(template: Template, names: Names, value: Any) -> Iterator[str]:
    function, inner = next(iter(value.items())) if isinstance(value, dict) and len(value) == 1 else ("", None)
    if function == "Fn::If":
        for branch in listed(inner)[1:]:
            yield from _possible(template, names, branch)
    elif function == "Fn::FindInMap":
        yield from _mapped(template, names, listed(inner))
    elif function == "Ref" and (parameter := template.parameters.get(str(inner))) is not None:
        if "Default" in parameter:
            yield names.text(value)
        yield from names.texts(parameter.get("AllowedValues")) or (f"<{inner}>",)
    else:
        yield names.text(value)


def _mapped(template: Template, names: Names, arguments: list[Any]) -> Iterator[str]:
    """Give each value of a mapping below the second key, whatever the first one is."""
    name, _, key = (*arguments, "", "", "")[:3]
    rows = mapping(mapping(template.document.get("Mappings")).get(str(name)))
    for row in rows.values():
        yield from (
            names.text(found) for last, found in mapping(row).items() if not isinstance(key, str) or last == key
        )
    if not rows:
        yield f"<{names.text(name)}>"
