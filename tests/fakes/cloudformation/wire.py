"""AWS's query protocol, from botocore's own service models: so what the model lacks can't be answered.

https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

import functools
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.loaders import Loader
from botocore.model import ServiceModel

from tests.fakes.cloudformation.errors import ApiError, FakeProblem
from tests.fakes.cloudformation.model import Json


@functools.cache
def service(name: str) -> Any:
    """Return botocore's model of a service that speaks the query protocol."""
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


def decode(service_name: str, body: str) -> tuple[str, Json]:
    """Return a request's action and its parameters, as boto3 was given them."""
    fields = dict(parse_qsl(body, keep_blank_values=True))
    action = fields.pop("Action")
    fields.pop("Version", None)
    shape = service(service_name).operation_model(action).input_shape
    return action, _structure(shape, fields, "") if shape else {}


def _structure(shape: Any, fields: Mapping[str, str], prefix: str) -> Json:
    found = {}
    for member, member_shape in shape.members.items():
        name = prefix + member_shape.serialization.get("name", member)
        value = _value(member_shape, fields, name)
        if value is not None:
            found[member] = value
    return found


def _value(shape: Any, fields: Mapping[str, str], name: str) -> Any:
    if shape.type_name == "map":
        return _map(fields, name) or None
    if shape.type_name in {"structure", "list"}:
        if name in fields:  # an empty list is sent as an empty value
            return []
        if not any(key.startswith(f"{name}.") for key in fields):
            return None
        return _structure(shape, fields, f"{name}.") if shape.type_name == "structure" else _list(shape, fields, name)
    if name not in fields:
        return None
    match shape.type_name:
        case "boolean":
            return fields[name] == "true"
        case "integer":
            return int(fields[name])
        case _:
            return fields[name]


def _list(shape: Any, fields: Mapping[str, str], name: str) -> list[Any]:
    found: list[Any] = []
    while (value := _value(shape.member, fields, f"{name}.member.{len(found) + 1}")) is not None:
        found.append(value)
    return found


def _map(fields: Mapping[str, str], name: str) -> dict[str, str]:
    """Return a map of texts."""
    found: dict[str, str] = {}
    while (key := fields.get(f"{name}.entry.{len(found) + 1}.key")) is not None:
        found[key] = fields[f"{name}.entry.{len(found) + 1}.value"]
    return found


def encode(service_name: str, action: str, answer: Json) -> str:
    """Return the answer's XML. Times are seconds since the epoch."""
    operation = service(service_name).operation_model(action)
    inner = ""
    if operation.output_shape:
        wrapper = operation.output_shape.serialization.get("resultWrapper", f"{action}Result")
        inner = f"<{wrapper}>{''.join(_members(operation.output_shape, answer))}</{wrapper}>"
    elif answer:
        raise FakeProblem(f"{action} answers nothing, not {answer}")
    namespace = service(service_name).metadata["xmlNamespace"]
    metadata = "<ResponseMetadata><RequestId>fake</RequestId></ResponseMetadata>"
    return f'<{action}Response xmlns="{namespace}">{inner}{metadata}</{action}Response>'


def _members(shape: Any, value: Json) -> Iterator[str]:
    unknown = value.keys() - shape.members.keys()
    if unknown:
        raise FakeProblem(f"{shape.name} has no {sorted(unknown)}")
    for member, inner in value.items():
        yield _element(shape.members[member], inner, member)


def _element(shape: Any, value: Any, name: str) -> str:
    match shape.type_name:
        case "structure":
            text = "".join(_members(shape, value))
        case "list":
            text = "".join(_element(shape.member, entry, "member") for entry in value)
        case "boolean":
            text = "true" if value else "false"
        case "timestamp":
            text = datetime.fromtimestamp(value, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case _:
            allowed = getattr(shape, "enum", None)  # only a string has one
            if allowed and value not in allowed and not _of_a_stack(shape.name, value):
                raise FakeProblem(f"{shape.name} can't be {value!r}")
            text = escape(str(value))
    return f"<{name}>{text}</{name}>"


def _of_a_stack(name: str, value: str) -> bool:
    """Events of the stack itself carry its states, of which the model's ResourceStatus lacks some."""
    return name == "ResourceStatus" and value in service("cloudformation").shape_for("StackStatus").enum


def encode_error(error: ApiError) -> str:
    kind = "Sender" if error.status < 500 else "Receiver"
    said = f"<Type>{kind}</Type><Code>{error.code}</Code><Message>{escape(error.message)}</Message>"
    return f"<ErrorResponse><Error>{said}</Error><RequestId>fake</RequestId></ErrorResponse>"
