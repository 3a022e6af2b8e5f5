"""A function is invoked by its route, and by nothing else."""

from typing import Any

import pytest

from tests.unit.audit.audited import NOTHING, att, either, ref, resource, said, sub

ARN = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:"


def permission(**properties: Any) -> dict[str, Any]:
    wanted = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": "f",
        "Principal": "events.amazonaws.com",
        "SourceArn": att("Rule"),
    }
    return {"Permission": resource("AWS::Lambda::Permission", **{**wanted, **properties})}


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({}, []),
        ({"Action": "lambda:InvokeFunctionUrl"}, []),
        ({"Action": "lambda:*"}, ["Permission"]),
        ({"Action": either("lambda:InvokeFunction", "lambda:UpdateFunctionCode")}, ["Permission"]),
        ({"Principal": "*"}, ["Permission"]),
        ({"Principal": "*", "PrincipalOrgID": "o-1234567890"}, []),
        ({"Principal": "*", "FunctionUrlAuthType": "NONE", "Action": "lambda:InvokeFunctionUrl"}, ["Permission"]),
        ({"Principal": "111122223333", "SourceArn": NOTHING}, []),
        ({"Principal": ref("AWS::AccountId"), "SourceArn": NOTHING}, []),
        ({"SourceArn": NOTHING}, ["Permission"]),
        ({"SourceArn": either(att("Rule"), NOTHING)}, ["Permission"]),
        ({"SourceArn": "*"}, ["Permission"]),
        ({"SourceArn": "arn:aws:events:*:*:rule/*"}, ["Permission"]),
        ({"SourceArn": sub("arn:${AWS::Partition}:events:${AWS::Region}:*:rule/tick")}, ["Permission"]),
        ({"SourceArn": sub("arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/*")}, []),
        ({"SourceArn": "arn:aws:s3:::receipts"}, []),
        ({"SourceArn": NOTHING, "SourceAccount": ref("AWS::AccountId")}, []),
        ({"SourceArn": NOTHING, "EventSourceToken": "t"}, []),
        ({"Principal": sub("logs.${AWS::Region}.${AWS::URLSuffix}"), "SourceArn": NOTHING}, ["Permission"]),
        (
            {"Principal": "apigateway.amazonaws.com", "SourceArn": NOTHING, "SourceAccount": ref("AWS::AccountId")},
            ["Permission"],
        ),
    ],
)
def test_who_may_invoke_what(properties: dict[str, Any], found: list[str]) -> None:
    assert said("E9561", permission(**properties)) == found


API = {
    "Api": resource("AWS::ApiGateway::RestApi", Name="payments"),
    "Payments": resource("AWS::ApiGateway::Resource", ParentId=att("Api", "RootResourceId"), PathPart="payments"),
    "Payment": resource("AWS::ApiGateway::Resource", ParentId=ref("Payments"), PathPart="{id}"),
    "Files": resource("AWS::ApiGateway::Resource", ParentId=att("Api", "RootResourceId"), PathPart="{proxy+}"),
    "Loop": resource("AWS::ApiGateway::Resource", ParentId=ref("Loop"), PathPart="loop"),
    "Create": resource("AWS::ApiGateway::Method", HttpMethod="POST", ResourceId=ref("Payments")),
    "Read": resource("AWS::ApiGateway::Method", HttpMethod="GET", ResourceId=ref("Payment")),
    "Looped": resource("AWS::ApiGateway::Method", HttpMethod="GET", ResourceId=ref("Loop")),
}
ANY = {"Any": resource("AWS::ApiGateway::Method", HttpMethod="ANY", ResourceId=ref("Files"))}
ROOT = {"Root": resource("AWS::ApiGateway::Method", HttpMethod="ANY", ResourceId=att("Api", "RootResourceId"))}
HTTP = {
    "Default": resource("AWS::ApiGatewayV2::Route", RouteKey="$default"),
    "Get": resource("AWS::ApiGatewayV2::Route", RouteKey="GET /orders/{id}/lines"),
}


@pytest.mark.parametrize(
    ("route", "found"),
    [
        ("v1/POST/payments", []),
        ("v1/GET/payments/*", []),
        ("*/POST/payments", ["Permission"]),
        ("v1/*/payments", ["Permission"]),
        ("v1/POST/*", ["Permission"]),
        ("v1/GET/*/lines", ["Permission"]),
        ("v1/GET/payments/*/*", ["Permission"]),
        ("v1/POST/pay*", ["Permission"]),
        ("*", ["Permission"]),
        ("*/*", ["Permission"]),
        ("authorizers/a1b2", []),
    ],
)
def test_a_permission_is_as_wide_as_its_route(route: str, found: list[str]) -> None:
    assert said("E9562", {**API, **permission(SourceArn=sub(f"{ARN}${{Api}}/{route}"))}) == found


@pytest.mark.parametrize(
    ("more", "route", "found"),
    [
        (ANY, "v1/*/*", []),
        (ANY, "*/*/*", ["Permission"]),
        (ANY, "v1/*/payments", ["Permission"]),
        (ROOT, "v1/*/", []),
        (HTTP, "v1/GET/orders/*/lines", []),
        (HTTP, "v1/*/*", []),
        (HTTP, "v1/GET/orders/*", ["Permission"]),
    ],
)
def test_a_route_that_is_wide_itself(more: dict[str, Any], route: str, found: list[str]) -> None:
    assert said("E9562", {**API, **more, **permission(SourceArn=sub(f"{ARN}${{Api}}/{route}"))}) == found


@pytest.mark.parametrize(
    "source",
    [
        {"Fn::Join": ["", ["arn:aws:execute-api:eu-west-1:111122223333:", ref("Api"), "/*"]]},
        {"Fn::Sub": [ARN + "${Id}/*/POST/payments", {"Id": ref("Api")}]},
        "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/*/*/*",
        either(att("Rule"), sub(f"{ARN}${{Api}}/*")),
        sub(f"{ARN}*/v1/POST/payments"),
        sub(f"{ARN}*/authorizers/a1b2"),
        "arn:aws:execute-api:*:*:*/v1/POST/payments",
        "arn:aws:execute-api:*",
    ],
)
def test_other_spellings_of_a_wide_source(source: Any) -> None:
    assert said("E9562", {**API, **permission(SourceArn=source)}) == ["Permission"]


@pytest.mark.parametrize("source", [att("Rule"), {"Fn::ImportValue": "x"}, NOTHING, "arn:aws:s3:::artifacts"])
def test_a_source_that_is_no_api(source: Any) -> None:
    assert said("E9562", {**API, **permission(SourceArn=source)}) == []
