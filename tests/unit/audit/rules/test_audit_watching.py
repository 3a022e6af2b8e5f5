"""What answers callers is watched, and what watches is switched on."""

import json
from typing import Any

import pytest

from tests.unit.audit.audited import NOTHING, att, audit, either, ref, resource, said, sub

PRODUCTION = {"Metadata": {"Paycli": {"Environment": "prod", "RetainData": True}}}


def alarm(namespace: str, metric: str, **dimensions: Any) -> dict[str, Any]:
    listed = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    return {
        "Alarm": resource("AWS::CloudWatch::Alarm", Namespace=namespace, MetricName=metric, Dimensions=listed),
    }


FUNCTION = {"Function": resource("AWS::Lambda::Function", FunctionName="validation")}
PATH = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"


def method(verb: Any = "POST", uri: str = "${Function.Arn}/invocations") -> dict[str, Any]:
    integration = {"Type": "AWS_PROXY", "Uri": sub(PATH + uri)}
    return {"Method": resource("AWS::ApiGateway::Method", HttpMethod=verb, Integration=integration)}


def http_route(key: str, target: Any) -> dict[str, Any]:
    return {
        "Route": resource("AWS::ApiGatewayV2::Route", RouteKey=key, Target=target),
        "Integration": resource("AWS::ApiGatewayV2::Integration", IntegrationUri=att("Function")),
    }


ALIAS = {"Live": resource("AWS::Lambda::Alias", FunctionName=ref("Function"), Name="live")}


@pytest.mark.parametrize(
    ("route", "found"),
    [
        ({}, []),
        (method("GET"), []),
        (method(uri="${Other.Arn}/invocations"), []),
        (http_route("GET /health", sub("integrations/${Integration}")), []),
        (http_route("POST /validate", "integrations/other"), []),
        ({"Url": resource("AWS::Lambda::Url", TargetFunctionArn=att("Other"))}, []),
        (method(), ["Function"]),
        (method("ANY"), ["Function"]),
        (method(either("GET", "POST")), ["Function"]),
        ({**ALIAS, **method(uri="${Live}/invocations")}, ["Function"]),
        (http_route("POST /validate", sub("integrations/${Integration}")), ["Function"]),
        (http_route("$default", sub("integrations/${Integration}")), ["Function"]),
        ({"Url": resource("AWS::Lambda::Url", TargetFunctionArn=att("Function"))}, ["Function"]),
    ],
)
def test_a_function_behind_a_route_is_watched(route: dict[str, Any], found: list[str]) -> None:
    assert said("W9597", {**FUNCTION, **route}) == found
    assert said("W9597", {**FUNCTION, **route, **alarm("AWS/Lambda", "Errors", FunctionName="validation")}) == []


@pytest.mark.parametrize(
    ("watching", "found"),
    [
        (alarm("AWS/Lambda", "Errors", FunctionName=ref("Function")), []),
        (alarm("AWS/Lambda", "Errors", FunctionName={"Fn::ImportValue": "name"}), []),
        (alarm("AWS/Lambda", "Errors", FunctionName="processing"), ["Function"]),
        (alarm("AWS/Lambda", "Throttles", FunctionName="validation"), ["Function"]),
        (alarm("AWS/Lambda", "Errors", Resource="validation"), ["Function"]),
        (alarm("PaymentAPI", "Errors", FunctionName="validation"), ["Function"]),
    ],
)
def test_the_alarm_is_on_the_functions_errors(watching: dict[str, Any], found: list[str]) -> None:
    assert said("W9597", {**FUNCTION, **method(), **watching}) == found


STAGE = {
    "Api": resource("AWS::ApiGateway::RestApi", Name="payments"),
    "Stage": resource("AWS::ApiGateway::Stage", RestApiId=ref("Api"), StageName="v1"),
}
HTTP = {
    "Api": resource("AWS::ApiGatewayV2::Api", Name="payments"),
    "Stage": resource("AWS::ApiGatewayV2::Stage", ApiId=ref("Api"), StageName="v1"),
}


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        ({**STAGE, **alarm("AWS/ApiGateway", "5XXError", ApiName="payments", Stage="v1")}, []),
        ({**STAGE, **alarm("AWS/ApiGateway", "5XXError", ApiName="payments")}, []),
        ({**STAGE, **alarm("AWS/ApiGateway", "5XXError", ApiName={"Fn::ImportValue": "name"})}, []),
        ({"Stage": STAGE["Stage"], **alarm("AWS/ApiGateway", "5XXError", ApiName="of another stack")}, []),
        ({**HTTP, **alarm("AWS/ApiGateway", "5xx", ApiId=ref("Api"), Stage="v1")}, []),
        (STAGE, ["Stage"]),
        (HTTP, ["Stage"]),
        ({**STAGE, **alarm("AWS/ApiGateway", "4XXError", ApiName="payments", Stage="v1")}, ["Stage"]),
        ({**STAGE, **alarm("PaymentAPI", "5XXError", ApiName="payments", Stage="v1")}, ["Stage"]),
        ({**STAGE, **alarm("AWS/ApiGateway", "5XXError", ApiName="payments", Stage="v2")}, ["Stage"]),
        ({**STAGE, **alarm("AWS/ApiGateway", "5XXError", ApiName="others", Stage="v1")}, ["Stage"]),
        ({**STAGE, **alarm("AWS/ApiGateway", "5XXError", Stage="v1")}, ["Stage"]),
    ],
)
def test_a_stage_of_production_is_watched(resources: dict[str, Any], found: list[str]) -> None:
    assert said("W9598", resources, **PRODUCTION) == found
    assert said("W9598", resources) == []


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        (resource("AWS::Events::Rule", State="ENABLED"), []),
        (resource("AWS::Events::Rule"), []),
        (resource("AWS::Events::Rule", State=ref("State")), []),
        (resource("AWS::Pipes::Pipe", DesiredState="RUNNING"), []),
        (resource("AWS::Events::Rule", State="DISABLED"), ["Rule"]),
        (resource("AWS::Events::Rule", State=either("DISABLED", NOTHING)), ["Rule"]),
        (resource("AWS::Scheduler::Schedule", State="DISABLED"), ["Rule"]),
        (resource("AWS::Pipes::Pipe", DesiredState="STOPPED"), ["Rule"]),
    ],
)
def test_what_should_run_is_switched_on(rule: dict[str, Any], found: list[str]) -> None:
    assert said("W9635", {"Rule": rule}, Parameters={"State": {"Type": "String"}}) == found


def computing(expression: Any, *others: Any) -> dict[str, Any]:
    metric = {"Id": "errors", "MetricStat": {"Metric": {"Namespace": "AWS/Lambda", "MetricName": "Errors"}}}
    return {
        "Alarm": resource("AWS::CloudWatch::Alarm", Metrics=[{"Id": "sum", "Expression": expression}, metric, *others])
    }


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        (computing("FILL(errors, 0) + 1e3 * PERIOD(errors)"), []),
        (computing("SUM(METRICS('faults'))"), []),
        (computing('SELECT MAX(Errors) FROM "AWS/Lambda" WHERE x = 1'), []),
        (computing("fill(errors, REPEAT)"), []),
        (computing("errors + faults", either({"Id": "faults"}, NOTHING)), []),
        (computing("errors + faults", {"Id": ref("Given")}), []),
        (computing(sub("errors > ${Given}")), []),
        (computing({"Fn::ImportValue": "expression"}), []),
        (computing("FILL(errors, 0) + FILL(faults, 0)"), ["Alarm"]),
        (computing("errors / requests + requests"), ["Alarm"]),
        (computing("faults / requests"), ["Alarm", "Alarm"]),
        (computing(either("errors", "faults")), ["Alarm"]),
    ],
)
def test_an_alarm_computes_with_its_own_metrics(resources: dict[str, Any], found: list[str]) -> None:
    assert said("E9599", resources, Parameters={"Given": {"Type": "String"}}) == found


def dashboard(*metrics: Any, text: bool = False) -> dict[str, Any]:
    body: Any = json.dumps(
        {"widgets": [{"type": "text"}, {"type": "metric", "properties": {"metrics": list(metrics)}}]}
    )
    return {"Board": resource("AWS::CloudWatch::Dashboard", DashboardBody=body if text else sub(body))}


ERRORS = ["AWS/Lambda", "Errors", "FunctionName", "validation", {"id": "errors", "region": "${AWS::Region}"}]


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize(
    ("metrics", "found"),
    [
        ([ERRORS, [{"expression": "errors * 2", "id": "twice"}], [{"expression": "twice + errors"}]], []),
        ([ERRORS, ["PaymentAPI", "Faults"]], []),
        ([[{"expression": "SEARCH('{AWS/Lambda} errors', 'Sum')"}]], []),
        ([ERRORS, [{"expression": "faults * 2", "id": "twice"}]], ["Board"]),
        ([[{"expression": "errors * 2"}]], ["Board"]),
    ],
)
def test_a_widget_computes_with_its_own_metrics(metrics: list[Any], found: list[str], *, text: bool) -> None:
    assert said("E9599", dashboard(*metrics, text=text)) == found


def test_the_message_names_the_id() -> None:
    (found,) = audit(json.dumps({"Resources": computing("errors + faults")}, indent=1), "E9599")
    assert found.message == "Alarm computes with faults, which is none of its metrics"
    assert found.line.startswith('"Expression"')
