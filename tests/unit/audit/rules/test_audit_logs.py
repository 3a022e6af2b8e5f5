"""What happened can be read back."""

from typing import Any

import pytest

from tests.unit.audit.audited import NOTHING, att, either, ref, resource, said, sub

PRODUCTION = {"Metadata": {"Paycli": {"Environment": "prod", "RetainData": True}}}


def group(**properties: Any) -> dict[str, Any]:
    return {"Logs": resource("AWS::Logs::LogGroup", **properties)}


@pytest.mark.parametrize(
    ("function", "name", "found"),
    [
        ({"LoggingConfig": {"LogGroup": ref("Logs")}}, None, []),
        ({"LoggingConfig": {"LogGroup": "/payments/validation"}}, "/payments/validation", []),
        ({"LoggingConfig": {"LogGroup": ref("Given")}}, None, []),
        ({"LoggingConfig": {"LogGroup": {"Fn::ImportValue": "logs"}}}, None, []),
        ({"LoggingConfig": {"LogGroup": "/payments/other"}}, "/payments/validation", ["F"]),
        ({"LoggingConfig": {"LogGroup": either(ref("Logs"), NOTHING)}}, None, ["F"]),
        ({"FunctionName": "validation"}, "/aws/lambda/validation", []),
        ({"FunctionName": sub("v-${AWS::StackName}")}, sub("/aws/lambda/v-${AWS::StackName}"), []),
        ({}, sub("/aws/lambda/${F}"), []),
        ({"LoggingConfig": {"LogFormat": "JSON"}}, {"Fn::Join": ["/", ["/aws/lambda", ref("F")]]}, []),
        ({"FunctionName": "validation"}, "/aws/lambda/processing", ["F"]),
        ({}, None, ["F"]),
    ],
)
def test_the_log_group_of_a_function_is_declared(function: dict[str, Any], name: Any, found: list[str]) -> None:
    logs = group() if name is None else group(LogGroupName=name)
    resources = {"F": resource("AWS::Lambda::Function", **function), **logs}
    assert said("E9581", resources, Parameters={"Given": {"Type": "String"}}) == found


def test_a_log_group_that_is_not_always_there() -> None:
    logs = resource("AWS::Logs::LogGroup", {"Condition": "Logged"}, LogGroupName="/aws/lambda/v")
    function = resource("AWS::Lambda::Function", FunctionName="v")
    assert said("E9581", {"F": function, "Logs": logs}) == ["F"]


def stage(level: Any, name: Any = "v1") -> dict[str, Any]:
    settings = [{"ResourcePath": "/*", "HttpMethod": "*", "LoggingLevel": level}]
    return {"S": resource("AWS::ApiGateway::Stage", RestApiId=ref("Api"), StageName=name, MethodSettings=settings)}


@pytest.mark.parametrize(
    ("level", "name", "found"),
    [
        ("ERROR", sub("API-Gateway-Execution-Logs_${Api}/v1"), []),
        ("INFO", {"Fn::Join": ["", ["API-Gateway-Execution-Logs_", ref("Api"), "/v1"]]}, []),
        ("ERROR", sub("API-Gateway-Execution-Logs_${Api}/v2"), ["S"]),
        ("INFO", "other", ["S"]),
        (either("OFF", "ERROR"), "other", ["S"]),
        ("OFF", "other", []),
        (NOTHING, "other", []),
    ],
)
def test_the_execution_log_of_a_stage_is_declared(level: Any, name: Any, found: list[str]) -> None:
    assert said("E9582", {**stage(level), **group(LogGroupName=name)}) == found


def test_a_stage_whose_name_nobody_knows() -> None:
    assert said("E9582", stage("ERROR", {"Fn::ImportValue": "stage"})) == []


@pytest.mark.parametrize(
    ("value", "endless", "short"),
    [
        (400, [], []),
        ("365", [], []),
        (364, [], ["Logs"]),
        (ref("Days"), [], ["Logs"]),
        (NOTHING, ["Logs"], []),
        (either(400, NOTHING), ["Logs"], []),
        (either(400, 30), [], ["Logs"]),
        ({"Fn::ImportValue": "days"}, [], []),
    ],
)
def test_how_long_logs_are_kept(value: Any, endless: list[str], short: list[str]) -> None:
    sections = {"Parameters": {"Days": {"Type": "Number", "Default": 30}}}
    assert said("W9583", group(RetentionInDays=value), **sections) == endless
    assert said("W9584", group(RetentionInDays=value), **sections, **PRODUCTION) == short
    assert said("W9584", group(RetentionInDays=value), **sections) == []


@pytest.mark.parametrize(("value", "found"), [(att("Key"), []), (NOTHING, ["Logs"]), (ref("Given"), [])])
def test_logs_are_locked_with_a_key(value: Any, found: list[str]) -> None:
    assert said("W9585", group(KmsKeyId=value)) == found


@pytest.mark.parametrize(
    ("kind", "setting"),
    [("AWS::ApiGateway::Stage", "AccessLogSetting"), ("AWS::ApiGatewayV2::Stage", "AccessLogSettings")],
)
def test_a_stage_has_an_access_log(kind: str, setting: str) -> None:
    assert said("W9586", {"S": resource(kind, **{setting: {"DestinationArn": att("Logs"), "Format": "x"}})}) == []
    assert said("W9586", {"S": resource(kind, **{setting: {"Format": "x"}})}) == ["S"]
    assert said("W9586", {"S": resource(kind)}) == ["S"]
