"""A body is checked before a function sees it."""

from typing import Any

import pytest

from tests.unit.audit.audited import NOTHING, either, ref, resource, said


def api(method: dict[str, Any], *, bodies: Any = True, schema: Any = None) -> dict[str, Any]:
    return {
        "Method": resource(
            "AWS::ApiGateway::Method", **{"HttpMethod": "POST", "Integration": {"Type": "AWS_PROXY"}, **method}
        ),
        "Validator": resource("AWS::ApiGateway::RequestValidator", ValidateRequestBody=bodies),
        "Model": resource("AWS::ApiGateway::Model", Schema={"type": "object"} if schema is None else schema),
    }


CHECKED = {"RequestValidatorId": ref("Validator"), "RequestModels": {"$default": ref("Model")}}


@pytest.mark.parametrize("verb", ["POST", "PUT", "PATCH", "ANY"])
def test_a_route_with_a_body_needs_model_and_validator(verb: str) -> None:
    assert said("E9531", api({"HttpMethod": verb, **CHECKED})) == []
    assert said("E9531", api({"HttpMethod": verb})) == ["Method", "Method"]
    assert said("E9531", api({"HttpMethod": verb, **CHECKED, "RequestModels": NOTHING})) == ["Method"]
    assert said("E9531", api({"HttpMethod": verb, **CHECKED, "RequestModels": {}})) == ["Method"]
    assert said("E9531", api({"HttpMethod": verb, **CHECKED, "RequestValidatorId": NOTHING})) == ["Method"]


@pytest.mark.parametrize("verb", ["GET", "DELETE", "OPTIONS", "HEAD"])
def test_a_route_without_a_body_needs_none(verb: str) -> None:
    assert said("E9531", api({"HttpMethod": verb})) == []


def test_a_mock_takes_no_body() -> None:
    assert said("E9531", api({"Integration": {"Type": "MOCK"}})) == []


@pytest.mark.parametrize(
    ("bodies", "found"),
    [(True, []), ("true", []), (False, ["Method"]), ("false", ["Method"]), (NOTHING, ["Method"]), (ref("Unset"), [])],
)
def test_the_validator_must_check_bodies(bodies: Any, found: list[str]) -> None:
    assert said("E9531", api(CHECKED, bodies=bodies), Parameters={"Unset": {"Type": "String"}}) == found


def test_a_validator_of_another_stack_is_trusted() -> None:
    assert said("E9531", api({**CHECKED, "RequestValidatorId": {"Fn::ImportValue": "validator"}})) == []


@pytest.mark.parametrize(
    ("models", "schema", "found"),
    [
        ({"$default": "Empty"}, None, ["Method"]),
        ({"$default": either(ref("Model"), "Empty")}, None, ["Method"]),
        ({"$default": ref("Model")}, {}, ["Method"]),
        ({"$default": ref("Model")}, "{}", ["Method"]),
        ({"$default": ref("Model")}, '{"type": "object"}', []),
        (either({"$default": ref("Model")}, NOTHING), None, ["Method"]),
    ],
)
def test_a_model_that_accepts_everything_is_none(models: Any, schema: Any, found: list[str]) -> None:
    assert said("E9531", api({**CHECKED, "RequestModels": models}, schema=schema)) == found


@pytest.mark.parametrize(
    ("models", "found"),
    [
        ({"$default": ref("Model")}, []),
        ({"application/json": ref("Model")}, ["Method"]),
        ({"application/json": ref("Model"), "$default": ref("Model")}, []),
        (NOTHING, []),
        ({"Fn::ImportValue": "x"}, []),
    ],
)
def test_no_content_type_gets_round_the_model(models: Any, found: list[str]) -> None:
    assert said("W9532", api({**CHECKED, "RequestModels": models})) == found
