"""The API: routes, validation, errors, stage, and a deployment for each change."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from paycli.handlers_source import load_contract
from paycli.stack import api_models

ROUTES = {"validate": "POST", "process": "POST", "health": "GET"}


def deployment(built: Any) -> str:
    (name,) = built.of_type("AWS::ApiGateway::Deployment")
    return str(name)


def test_three_routes_each_to_its_function(dev: Any) -> None:
    paths = {name: resource["PathPart"] for name, resource in dev.of_type("AWS::ApiGateway::Resource").items()}
    methods = {
        paths[method["ResourceId"]["Ref"]]: (method["HttpMethod"], method["Integration"]["Uri"]["Fn::Sub"])
        for method in dev.of_type("AWS::ApiGateway::Method").values()
    }
    assert {path: method for path, (method, _) in methods.items()} == ROUTES
    for path, function in (("validate", "Validation"), ("process", "Processing"), ("health", "HealthMonitor")):
        assert f"${{{function}Function.Arn}}/invocations" in methods[path][1]
    for method in dev.of_type("AWS::ApiGateway::Method").values():
        assert method["Integration"]["Type"] == "AWS_PROXY"


@pytest.mark.parametrize(("setting", "type_"), [("iam", "AWS_IAM"), ("none", "NONE")])
def test_authorization_is_the_same_on_every_route(stack: Any, setting: str, type_: str) -> None:
    methods = stack(authorization=setting).of_type("AWS::ApiGateway::Method").values()
    assert {method["AuthorizationType"] for method in methods} == {type_}


def test_authorization_is_on_unless_somebody_says_otherwise(stack: Any) -> None:
    methods = stack("fresh").of_type("AWS::ApiGateway::Method").values()
    assert {method["AuthorizationType"] for method in methods} == {"AWS_IAM"}


def test_every_post_is_validated_whatever_its_content_type(dev: Any) -> None:
    contract = load_contract().REQUEST_MODELS
    posts = [m for m in dev.of_type("AWS::ApiGateway::Method").values() if m["HttpMethod"] == "POST"]
    assert len(posts) == 2
    schemas = []
    for method in posts:
        assert dev[method["RequestValidatorId"]["Ref"]]["ValidateRequestBody"] is True
        assert set(method["RequestModels"]) == {"$default"}
        schemas.append(dev[method["RequestModels"]["$default"]["Ref"]]["Schema"])
    assert sorted(schemas, key=str) == sorted(contract.values(), key=str)


def test_the_api_is_regional_and_takes_no_old_tls(dev: Any) -> None:
    assert dev["RestApi"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert dev["RestApi"]["SecurityPolicy"].startswith("SecurityPolicy_TLS13_1_2")
    assert dev["RestApi"]["EndpointAccessMode"] == "STRICT"


def test_the_stage_throttles_logs_and_traces_without_bodies(stack: Any) -> None:
    stage = stack(throttle={"rate": 7, "burst": 9})["Stage"]
    setting = stage["MethodSettings"][0]
    assert (setting["ResourcePath"], setting["HttpMethod"]) == ("/*", "*")
    assert (setting["ThrottlingRateLimit"], setting["ThrottlingBurstLimit"]) == (7, 9)
    assert setting["MetricsEnabled"] is True
    for each in stage["MethodSettings"]:
        assert each["DataTraceEnabled"] is False
        assert each["LoggingLevel"] == "ERROR"
    assert stage["StageName"] == "v1"
    assert stage["TracingEnabled"] is True


@pytest.mark.parametrize(
    ("throttle", "limits"),
    [({"rate": 1000, "burst": 2000}, (10, 20)), ({"rate": 7, "burst": 9}, (7, 9))],
)
def test_asking_for_health_leaves_the_scheduled_run_its_instance(
    stack: Any, throttle: dict[str, int], limits: tuple[int, int]
) -> None:
    _, health = stack(throttle=throttle)["Stage"]["MethodSettings"]
    assert (health["ResourcePath"], health["HttpMethod"]) == ("/~1health", "GET")
    assert (health["ThrottlingRateLimit"], health["ThrottlingBurstLimit"]) == limits


def test_the_access_log_says_who_and_what_and_nothing_a_caller_wrote(dev: Any) -> None:
    log = json.loads(dev["Stage"]["AccessLogSetting"]["Format"])
    values = set(log.values())
    for name in ("requestId", "extendedRequestId", "identity.sourceIp", "identity.userArn", "status", "httpMethod"):
        assert f"$context.{name}" in values
    for value in values:
        assert value.startswith("$context.")
        assert not any(word in value for word in ("header", "querystring", "userAgent", "messageString", "validation"))
    assert "$context.path" not in values


def test_the_execution_log_is_declared_before_the_stage_writes_it(dev: Any) -> None:
    assert dev.resource("Stage")["DependsOn"] == ["ExecutionLogs"]
    assert dev["ExecutionLogs"]["LogGroupName"] == {"Fn::Sub": "API-Gateway-Execution-Logs_${RestApi}/v1"}


def test_the_deployment_waits_for_methods_and_errors(dev: Any) -> None:
    waits = set(dev.resource(deployment(dev))["DependsOn"])
    assert waits == {*dev.of_type("AWS::ApiGateway::Method"), *dev.of_type("AWS::ApiGateway::GatewayResponse")}


def test_a_change_of_the_api_is_deployed(stack: Any, dev: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = deployment(dev)
    assert deployment(stack("dev", authorization="none")) != first
    models = {"validate": {"type": "object"}, "process": {"type": "object"}}
    monkeypatch.setattr(api_models, "load_contract", lambda: SimpleNamespace(REQUEST_MODELS=models))
    changed = deployment(stack("dev"))
    assert changed != first
    monkeypatch.setattr("paycli.stack.api_errors.GATEWAY_ERRORS", ())
    assert deployment(stack("dev")) not in {first, changed}


def test_what_the_deployment_does_not_hold_makes_no_new_one(stack: Any, dev: Any) -> None:
    for settings in (
        {"throttle": {"rate": 1, "burst": 1}},
        {"tags": {"Team": "x"}},
        {"memory_mb": 2048},
        {"log_retention_days": 7},
        {"target": "embedded"},
    ):
        assert deployment(stack("dev", **settings)) == deployment(dev), settings


def test_the_gateways_errors_are_problems_that_repeat_nothing(dev: Any) -> None:
    responses = dev.of_type("AWS::ApiGateway::GatewayResponse").values()
    by_type = {response["ResponseType"]: response for response in responses}
    assert len(by_type) == len(responses)
    assert {
        "DEFAULT_4XX",
        "DEFAULT_5XX",
        "BAD_REQUEST_BODY",
        "MISSING_AUTHENTICATION_TOKEN",
        "ACCESS_DENIED",
        "INVALID_SIGNATURE",
        "EXPIRED_TOKEN",
        "THROTTLED",
        "REQUEST_TOO_LARGE",
        "UNSUPPORTED_MEDIA_TYPE",
        "RESOURCE_NOT_FOUND",
    } <= set(by_type)
    for response in responses:
        assert response["ResponseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        (template,) = response["ResponseTemplates"].values()
        problem = json.loads(template)
        assert {"type", "title", "detail", "code", "request_id", "errors"} <= set(problem)
        assert problem["request_id"] == "$context.requestId"
        assert template.count("$") == 1
        if "StatusCode" in response:
            assert problem["status"] == int(response["StatusCode"])
        else:
            assert response["ResponseType"].startswith("DEFAULT_")
    lost = json.loads(by_type["DEFAULT_5XX"]["ResponseTemplates"]["application/json"])
    assert (lost["status"], lost["code"]) == (503, "temporarily_unavailable")
    assert "Idempotency-Key" in lost["detail"]


def test_who_may_try_again_is_told_when(dev: Any) -> None:
    for response in dev.of_type("AWS::ApiGateway::GatewayResponse").values():
        again = response.get("StatusCode", response["ResponseType"]) in {"429", "503", "DEFAULT_5XX"}
        assert ("gatewayresponse.header.Retry-After" in response["ResponseParameters"]) == again


def test_a_code_means_the_same_as_in_the_contract(dev: Any) -> None:
    contract = load_contract().PROBLEMS
    shared = 0
    for response in dev.of_type("AWS::ApiGateway::GatewayResponse").values():
        problem = json.loads(response["ResponseTemplates"]["application/json"])
        if problem["code"] in contract and "status" in problem:
            shared += 1
            assert problem["status"] == contract[problem["code"]][0]
    assert shared >= 4
