"""Who may call, and how often."""

from typing import Any

import pytest

from tests.unit.audit.audited import NOTHING, either, policy, ref, resource, said, statement


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


INVOKE = {"Action": "execute-api:Invoke", "Resource": "execute-api:/*"}


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
        (resource("AWS::Lambda::Url", AuthType="NONE"), resource("AWS::Lambda::Url", AuthType="AWS_IAM")),
    ],
)
def test_http_apis_and_function_urls(open_route: dict[str, Any], closed: dict[str, Any]) -> None:
    assert said("E9611", {"Open": open_route, "Closed": closed}) == ["Open"]


LIMITS = {"ThrottlingRateLimit": 1000, "ThrottlingBurstLimit": 2000}
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
