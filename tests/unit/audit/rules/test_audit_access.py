"""Who may call, and how often."""

import json
from typing import Any

import pytest

from tests.unit.audit.audited import NOTHING, att, audit, either, policy, ref, resource, said, statement, sub


def method(**properties: Any) -> dict[str, Any]:
    wanted = {"RestApiId": ref("Api"), "HttpMethod": "POST", "AuthorizationType": "NONE"}
    return {"Method": resource("AWS::ApiGateway::Method", **{**wanted, **properties})}


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({}, ["Method"]),
        ({"HttpMethod": "GET"}, ["Method"]),
        ({"HttpMethod": "OPTIONS"}, []),
        ({"AuthorizationType": NOTHING}, ["Method"]),
        ({"AuthorizationType": either("AWS_IAM", "NONE")}, ["Method"]),
        ({"AuthorizationType": "AWS_IAM"}, []),
        ({"AuthorizationType": "CUSTOM", "AuthorizerId": ref("Authorizer")}, []),
        ({"AuthorizationType": ref("Given")}, []),
        ({"AuthorizationType": ref("Open")}, ["Method"]),
        ({"ApiKeyRequired": True}, ["Method"]),
        ({"ApiKeyRequired": "true"}, ["Method"]),
        ({"ApiKeyRequired": False}, ["Method"]),
    ],
)
def test_a_route_that_anybody_can_call(properties: dict[str, Any], found: list[str]) -> None:
    parameters = {"Given": {"Type": "String"}, "Open": {"Type": "String", "Default": "NONE"}}
    assert said("E9611", method(**properties), Parameters=parameters) == found


PARAMETERS = {
    "Any": {"Type": "String"},
    "AnyByDefault": {"Type": "String", "Default": "AWS_IAM"},
    "Closed": {"Type": "String", "AllowedValues": ["AWS_IAM", "CUSTOM"]},
    "ClosedByDefault": {"Type": "String", "Default": "AWS_IAM", "AllowedValues": ["AWS_IAM"]},
    "Openable": {"Type": "String", "AllowedValues": ["AWS_IAM", "NONE"]},
    "OpenableByDefault": {"Type": "String", "Default": "AWS_IAM", "AllowedValues": ["AWS_IAM", "NONE"]},
}
MAPPINGS = {
    "Stages": {"dev": {"Auth": "NONE", "Strict": "AWS_IAM"}, "prod": {"Auth": "AWS_IAM", "Strict": "AWS_IAM"}},
    "Junk": {"dev": "x"},
}


def in_map(*path: Any) -> dict[str, Any]:
    return {"Fn::FindInMap": list(path)}


@pytest.mark.parametrize(
    ("authorization", "open_route", "perhaps"),
    [
        (ref("Any"), [], ["Method"]),
        (ref("AnyByDefault"), [], ["Method"]),
        (ref("Closed"), [], []),
        (ref("ClosedByDefault"), [], []),
        (ref("Openable"), ["Method"], []),
        (ref("OpenableByDefault"), ["Method"], []),
        (either(ref("Closed"), ref("Openable")), ["Method"], []),
        (either("AWS_IAM", ref("Any")), [], ["Method"]),
        (in_map("Stages", "prod", "Auth"), ["Method"], []),
        (in_map("Stages", "prod", "Strict"), [], []),
        (in_map("Stages", "prod", ref("Any")), ["Method"], []),
        (in_map("Stages", "prod", "Other"), [], ["Method"]),
        (in_map("Junk", "dev", "Auth"), [], ["Method"]),
        (in_map("Missing", "dev", "Auth"), [], ["Method"]),
        (in_map(ref("Any"), "dev", "Auth"), [], ["Method"]),
        (in_map("Stages"), [], ["Method"]),
        ({"Fn::ImportValue": "authorization"}, [], ["Method"]),
        ("{{resolve:ssm:/authorization}}", [], ["Method"]),
        ({"Fn::Sub": "${Any}"}, [], ["Method"]),
        (ref("Undeclared"), [], ["Method"]),
        ("AWS_IAM", [], []),
        ("NONE", ["Method"], []),
        (NOTHING, ["Method"], []),
    ],
)
def test_every_value_that_a_deployment_can_give(authorization: Any, open_route: list[str], perhaps: list[str]) -> None:
    resources = method(AuthorizationType=authorization)
    assert said("E9611", resources, Parameters=PARAMETERS, Mappings=MAPPINGS) == open_route
    assert said("W9613", resources, Parameters=PARAMETERS, Mappings=MAPPINGS) == perhaps


def test_a_policy_closes_what_a_deployment_could_open() -> None:
    api = resource("AWS::ApiGateway::RestApi", Policy=policy(statement(Principal={"AWS": "111122223333"}, **INVOKE)))
    assert said("W9613", {"Api": api, **method(AuthorizationType=ref("Any"))}, Parameters=PARAMETERS) == []


def test_the_message_says_who_decides() -> None:
    def message(authorization: Any) -> str:
        document = {"Parameters": PARAMETERS, "Resources": method(AuthorizationType=authorization)}
        (found,) = audit(json.dumps(document), "E9611")
        return found.message

    assert message("NONE") == "Anybody can call Method: no authorization"
    decided = "Anybody can call Method: its authorization can be NONE when it is deployed"
    assert message(ref("OpenableByDefault")) == decided


INVOKE = {"Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
HEALTH = "execute-api:/v1/GET/health"
API = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}"
ELSEWHERE = {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
ON_MONDAYS = {"StringEquals": {"aws:PrincipalTag/day": "Monday"}}


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ([statement(Principal={"AWS": "111122223333"}, **INVOKE)], []),
        ([statement(Principal="*", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}}, **INVOKE)], []),
        ([statement(Principal="*", **INVOKE)], ["Method"]),
        ([statement(NotPrincipal={"AWS": "111122223333"}, **INVOKE)], ["Method"]),
        ([statement(Principal={"AWS": "111122223333"}, **INVOKE), statement(Principal="*", **INVOKE)], ["Method"]),
        ([statement(Principal="*", Condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, **INVOKE)], ["Method"]),
        (
            [
                statement(Principal="*", **INVOKE),
                statement("Deny", Principal="*", Condition={"NotIpAddress": {"aws:SourceIp": "::/0"}}, **INVOKE),
            ],
            ["Method"],
        ),
        (
            [
                statement(Principal="*", **INVOKE),
                statement("Deny", Principal="*", Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, **INVOKE),
            ],
            ["Method"],
        ),
        ([statement("Deny", Principal="*", **INVOKE)], ["Method"]),
        (
            [
                statement(Principal="*", **INVOKE),
                statement(
                    "Deny", Principal="*", Condition={"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, **INVOKE
                ),
            ],
            [],
        ),
        (
            [
                statement(Principal="*", **INVOKE),
                statement("Deny", Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}}, **INVOKE),
            ],
            ["Method"],
        ),
        ([statement("Deny", Principal="*", Condition=ELSEWHERE, **INVOKE)], []),
        (
            [
                statement(Principal="*", Action="execute-api:Invoke", Resource=sub(f"{API}:api/v1/GET/health")),
                statement("Deny", Principal="*", Condition=ELSEWHERE, Action="execute-api:*", Resource="*"),
            ],
            [],
        ),
        (
            [
                statement(Principal="*", **INVOKE),
                statement("Deny", Principal="*", Condition=ELSEWHERE, Action="execute-api:Invoke", Resource=HEALTH),
            ],
            ["Method"],
        ),
        (
            [
                statement(Principal="*", **INVOKE),
                statement("Deny", Principal="*", Condition=ELSEWHERE, **{**INVOKE, "Action": "execute-api:Manage*"}),
            ],
            ["Method"],
        ),
        (
            [
                statement(Principal="*", **INVOKE),
                statement("Deny", Principal="*", Condition=ELSEWHERE, **{**INVOKE, "Action": ref("Unknown")}),
            ],
            ["Method"],
        ),
        (
            [
                statement(Principal="*", **INVOKE),
                statement("Deny", Principal="*", Condition={**ELSEWHERE, **ON_MONDAYS}, **INVOKE),
            ],
            ["Method"],
        ),
        (
            [
                statement(Principal="*", NotAction="execute-api:ManageConnections", Resource="*"),
                statement("Deny", Principal="*", Condition=ELSEWHERE, **INVOKE),
            ],
            ["Method"],
        ),
    ],
)
def test_the_policy_of_an_api_can_close_its_routes(statements: list[Any], found: list[str]) -> None:
    api = resource("AWS::ApiGateway::RestApi", Policy=policy(*statements))
    assert said("E9611", {"Api": api, **method()}) == found
    assert said("E9611", {"Another": api, **method()}) == ["Method"]


@pytest.mark.parametrize(
    ("open_route", "closed"),
    [
        (
            resource("AWS::ApiGatewayV2::Route", RouteKey="POST /validate"),
            resource("AWS::ApiGatewayV2::Route", RouteKey="POST /validate", AuthorizationType="AWS_IAM"),
        ),
        (
            resource("AWS::ApiGatewayV2::Route", RouteKey="$default", AuthorizationType="NONE"),
            resource("AWS::ApiGatewayV2::Route", RouteKey="OPTIONS /validate"),
        ),
        (
            resource("AWS::ApiGatewayV2::Api", ProtocolType="HTTP", Target=att("Function")),
            resource("AWS::ApiGatewayV2::Api", ProtocolType="HTTP", Target=NOTHING),
        ),
        (resource("AWS::Lambda::Url", AuthType="NONE"), resource("AWS::Lambda::Url", AuthType="AWS_IAM")),
    ],
)
def test_http_apis_and_function_urls(open_route: dict[str, Any], closed: dict[str, Any]) -> None:
    assert said("E9611", {"Open": open_route, "Closed": closed}) == ["Open"]


LIMITS = {"ThrottlingRateLimit": 1000, "ThrottlingBurstLimit": 2000}
PAY = {"ResourcePath": "/~1pay", "HttpMethod": "POST"}
EVERYWHERE = {"ResourcePath": "/*", "HttpMethod": "*"}


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ([{**EVERYWHERE, **LIMITS}], []),
        ([{**EVERYWHERE, "ThrottlingRateLimit": "1000", "ThrottlingBurstLimit": ref("Burst")}], []),
        ([{**EVERYWHERE, "ThrottlingRateLimit": ref("Given"), "ThrottlingBurstLimit": 5}], []),
        ([{"ResourcePath": "/validate", "HttpMethod": "POST", **LIMITS}], ["S"]),
        ([{"ResourcePath": "/*", "HttpMethod": "POST", **LIMITS}], ["S"]),
        ([{**EVERYWHERE, "ThrottlingRateLimit": 1000}], ["S"]),
        ([{**EVERYWHERE, **LIMITS, "ThrottlingBurstLimit": -1}], ["S"]),
        ([{**EVERYWHERE, **LIMITS, "ThrottlingBurstLimit": either(5, NOTHING)}], ["S"]),
        ([EVERYWHERE], ["S"]),
        ([{**EVERYWHERE, **LIMITS}, {**PAY, **LIMITS}], []),
        ([{**EVERYWHERE, **LIMITS}, {**PAY, "ThrottlingRateLimit": -1}], ["S"]),
        ([{**EVERYWHERE, **LIMITS}, {**PAY, "ThrottlingBurstLimit": either("-1", 5)}], ["S"]),
        (NOTHING, ["S"]),
    ],
)
def test_a_stage_limits_every_route(settings: Any, found: list[str]) -> None:
    stage = {"S": resource("AWS::ApiGateway::Stage", StageName="v1", MethodSettings=settings)}
    parameters = {"Burst": {"Type": "Number", "Default": 5}, "Given": {"Type": "Number"}}
    assert said("W9612", stage, Parameters=parameters) == found


@pytest.mark.parametrize(
    ("plan", "found"),
    [
        ({"Throttle": {"RateLimit": 5, "BurstLimit": 10}, "ApiStages": [{"Stage": ref("S")}]}, []),
        ({"Throttle": {"RateLimit": 5, "BurstLimit": 10}, "ApiStages": [{"Stage": "v1"}]}, []),
        ({"Throttle": {"RateLimit": 5, "BurstLimit": 10}, "ApiStages": [{"Stage": "v2"}]}, ["S"]),
        ({"Throttle": {"RateLimit": 5}, "ApiStages": [{"Stage": ref("S")}]}, ["S"]),
        ({"ApiStages": [{"Stage": ref("S")}]}, ["S"]),
    ],
)
def test_a_usage_plan_can_limit_a_stage(plan: dict[str, Any], found: list[str]) -> None:
    stage = resource("AWS::ApiGateway::Stage", StageName="v1")
    assert said("W9612", {"S": stage, "Plan": resource("AWS::ApiGateway::UsagePlan", **plan)}) == found


def test_a_stage_of_an_http_api_limits_by_default() -> None:
    limited = resource("AWS::ApiGatewayV2::Stage", DefaultRouteSettings=LIMITS)
    assert said("W9612", {"L": limited, "S": resource("AWS::ApiGatewayV2::Stage")}) == ["S"]
