"""What can be called from outside, and what stands before it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paycli.audit.report import facts
from paycli.audit.restrictions import covers
from paycli.audit.surface import Route
from tests.unit.audit.templates import changed, facts_of, payments, project, read_document, resource


def route(title: str = "POST /process", **settings: Any) -> Route:
    """A route of the project's own template, after changes of (path -> value)."""
    document = payments()
    for path, value in settings.get("changes", []):
        document = changed(document, *path.split("/"), to=value)
    document["Resources"].update(settings.get("more", {}))
    (found,) = (route for route in facts(read_document(document)).surface.routes if route.title == title)
    return found


def test_a_route_says_who_may_call_it_and_what_it_calls() -> None:
    found = route()
    assert found.authorization == "IAM (SigV4)"
    assert not found.open
    assert found.validation == "ProcessRequest, any content type"
    assert found.throttle == "1000/s, burst 2000"
    assert (found.waf, found.origins) == ((), ())
    assert found.function == "payment-processing-prod"
    assert found.logical_id == "ProcessMethod"


def test_the_api_says_what_holds_for_all_routes() -> None:
    (api,) = facts(read_document(payments())).surface.apis
    assert (api.endpoint, api.tls) == ("REGIONAL", "SecurityPolicy_TLS13_1_2_2021_06")
    assert api.access_log
    assert not api.body_logged


def test_an_api_that_says_nothing_has_what_aws_gives_it() -> None:
    (api,) = facts_of({"Api": resource("ApiGateway::RestApi", DisableExecuteApiEndpoint=True)}).surface.apis
    assert (api.endpoint, api.tls, api.default_address, api.access_log) == ("EDGE", "TLS_1_0", False, False)


def test_bodies_in_the_log_are_seen() -> None:
    settings = [{"ResourcePath": "/*", "HttpMethod": "*", "DataTraceEnabled": True}]
    document = changed(payments(), "Stage", "Properties", "MethodSettings", to=settings)
    assert facts(read_document(document)).surface.apis[0].body_logged


@pytest.mark.parametrize(
    ("kind", "authorization", "is_open"),
    [("NONE", "none", True), ("COGNITO_USER_POOLS", "COGNITO_USER_POOLS", False), (None, "none", True)],
)
def test_authorization(kind: str | None, authorization: str, is_open: bool) -> None:
    found = route(changes=[("ProcessMethod/Properties/AuthorizationType", kind)])
    assert (found.authorization, found.open, found.by_iam) == (authorization, is_open, False)


def test_an_authorizer_is_named_and_an_api_key_is_no_authorization() -> None:
    authorizer = {"Own": resource("ApiGateway::Authorizer", Name="tokens")}
    changes = [
        ("ProcessMethod/Properties/AuthorizationType", "CUSTOM"),
        ("ProcessMethod/Properties/AuthorizerId", {"Ref": "Own"}),
    ]
    assert route(changes=changes, more=authorizer).authorization == "CUSTOM tokens"
    found = route(
        changes=[
            ("ProcessMethod/Properties/AuthorizationType", "NONE"),
            ("ProcessMethod/Properties/ApiKeyRequired", "true"),
        ]
    )
    assert (found.authorization, found.open) == ("none, API key", True)


@pytest.mark.parametrize(
    ("path", "value", "validation"),
    [
        ("ProcessMethod/Properties/RequestValidatorId", None, "none"),
        ("ProcessMethod/Properties/RequestModels", None, "none"),
        ("BodyValidator/Properties/ValidateRequestBody", False, "none"),
        ("BodyValidator/Properties/ValidateRequestParameters", True, "ProcessRequest, any content type; parameters"),
        (
            "ProcessMethod/Properties/RequestModels",
            {"application/json": {"Ref": "ProcessModel"}},
            "ProcessRequest, application/json alone",
        ),
        ("ProcessMethod/Properties/RequestModels", {"$default": "Empty"}, "Empty, any content type"),
    ],
)
def test_validation(path: str, value: Any, validation: str) -> None:
    assert route(changes=[(path, value)]).validation == validation


def setting(path: str, verb: str, **limits: Any) -> dict[str, Any]:
    return {"ResourcePath": path, "HttpMethod": verb, **limits}


EVERY = setting("/*", "*", ThrottlingRateLimit=10, ThrottlingBurstLimit=5)


@pytest.mark.parametrize(
    ("settings", "throttle"),
    [
        ([], "the account's limit"),
        ([EVERY], "10/s, burst 5"),
        ([setting("/process", "POST", ThrottlingRateLimit=3), EVERY], "3/s"),
        ([setting("/~1process", "POST", ThrottlingRateLimit=3), EVERY], "3/s"),
        ([setting("/~1process", "*", ThrottlingRateLimit=3), EVERY], "3/s"),
        ([setting("/process", "GET", ThrottlingRateLimit=3), EVERY], "10/s, burst 5"),
        ([setting("/process", "POST", ThrottlingRateLimit=-1), EVERY], "10/s, burst 5"),
        ([setting("/process", "POST", LoggingLevel="ERROR"), EVERY], "10/s, burst 5"),
    ],
)
def test_the_most_specific_throttle_holds(settings: list[Any], throttle: str) -> None:
    assert route(changes=[("Stage/Properties/MethodSettings", settings)]).throttle == throttle


ACL = resource("WAFv2::WebACL", Name="guard", DefaultAction={"Allow": {}}, Rules=[{}, {}])
STAGE = "arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${RestApi}/stages/"


@pytest.mark.parametrize(
    ("resource_arn", "acl", "waf"),
    [
        ({"Fn::Sub": STAGE + "${Stage}"}, {"Fn::GetAtt": ["Acl", "Arn"]}, ("guard (2 rules, else allow)",)),
        ({"Fn::Sub": STAGE + "v1"}, {"Fn::GetAtt": ["Acl", "Arn"]}, ("guard (2 rules, else allow)",)),
        ({"Fn::Sub": STAGE + "v1"}, "arn:elsewhere", ("arn:elsewhere",)),
        ({"Fn::Sub": STAGE + "v2"}, {"Fn::GetAtt": ["Acl", "Arn"]}, ()),
    ],
)
def test_a_web_acl_stands_before_its_stage_alone(resource_arn: Any, acl: Any, waf: tuple[str, ...]) -> None:
    association = resource("WAFv2::WebACLAssociation", ResourceArn=resource_arn, WebACLArn=acl)
    assert route(more={"Acl": ACL, "Association": association}).waf == waf


def deny(principal: Any = "*", resources: Any = "execute-api:/*", **conditions: Any) -> dict[str, Any]:
    return {
        "Effect": "Deny",
        "Principal": principal,
        "Action": "execute-api:Invoke",
        "Resource": resources,
        "Condition": conditions,
    }


def allow(**conditions: Any) -> dict[str, Any]:
    return {**deny(), "Effect": "Allow", "Condition": conditions}


OUTSIDE = {"NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "198.51.100.0/24"]}}
INSIDE = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
TWO = ("192.0.2.0/24", "198.51.100.0/24")


@pytest.mark.parametrize(
    ("statements", "signed", "unsigned"),
    [
        ([allow(), deny(**OUTSIDE)], TWO, TWO),
        ([allow(), deny({"AWS": "*"}, **OUTSIDE)], TWO, TWO),
        ([allow(), deny({"AWS": "arn:aws:iam::1:root"}, **OUTSIDE)], (), ()),
        ([allow(), deny(resources="execute-api:/v1/GET/*", **OUTSIDE)], (), ()),
        ([allow(), deny(**OUTSIDE, StringNotEquals={"aws:SourceVpce": "vpce-1"})], (*TWO, "vpce-1"), (*TWO, "vpce-1")),
        ([allow(), deny(**OUTSIDE, Bool={"aws:SecureTransport": "false"})], (), ()),
        ([allow(), deny(**INSIDE)], (), ()),
        ([allow(**INSIDE)], (), ("192.0.2.0/24",)),
        ([allow(**INSIDE), allow()], (), ()),
        ([], (), ("nobody",)),
    ],
)
def test_from_where_a_route_can_be_called(statements: list[Any], signed: Any, unsigned: Any) -> None:
    policy = ("RestApi/Properties/Policy", {"Statement": statements})
    assert route(changes=[policy]).origins == signed
    opened = ("ProcessMethod/Properties/AuthorizationType", "NONE")
    assert route(changes=[policy, opened]).origins == unsigned


def test_each_stage_has_its_own_routes() -> None:
    stage = resource("ApiGateway::Stage", RestApiId={"Ref": "RestApi"}, StageName="v2")
    document = payments()
    document["Resources"]["Second"] = stage
    surface = facts(read_document(document)).surface
    assert [(route.stage, route.throttle) for route in surface.routes if route.path == "/health"] == [
        ("v1", "1000/s, burst 2000"),
        ("v2", "the account's limit"),
    ]
    assert not surface.apis[0].access_log


def test_a_route_of_an_api_elsewhere_is_no_secret() -> None:
    method = resource(
        "ApiGateway::Method",
        RestApiId={"Fn::ImportValue": "api"},
        ResourceId="x",
        HttpMethod="ANY",
        Integration={"Type": "HTTP_PROXY", "Uri": "https://bank.example"},
    )
    (found,) = facts_of({"Method": method}).surface.routes
    assert (found.title, found.function, found.stage, found.open) == ("ANY /", "https://bank.example", "", True)


def test_a_nested_path_and_one_without_end() -> None:
    api = {"Ref": "Api"}
    made = {
        "Api": resource("ApiGateway::RestApi"),
        "A": resource(
            "ApiGateway::Resource", RestApiId=api, ParentId={"Fn::GetAtt": ["Api", "RootResourceId"]}, PathPart="a"
        ),
        "B": resource("ApiGateway::Resource", RestApiId=api, ParentId={"Ref": "A"}, PathPart="{id}"),
        "Loop": resource("ApiGateway::Resource", RestApiId=api, ParentId={"Ref": "Loop"}, PathPart="l"),
        "Get": resource("ApiGateway::Method", RestApiId=api, ResourceId={"Ref": "B"}, HttpMethod="GET"),
        "Odd": resource("ApiGateway::Method", RestApiId=api, ResourceId={"Ref": "Loop"}, HttpMethod="GET"),
    }
    paths = [route.path for route in facts_of(made).surface.routes]
    assert paths[0] == "/a/{id}"
    assert paths[1].startswith("/l/l")


@pytest.mark.parametrize(("kind", "is_open"), [("NONE", True), ("AWS_IAM", False)])
def test_a_function_url_is_a_way_in(kind: str, is_open: bool) -> None:
    made = {
        "F": resource("Lambda::Function", FunctionName="f"),
        "Url": resource("Lambda::Url", AuthType=kind, TargetFunctionArn={"Ref": "F"}),
    }
    (found,) = facts_of(made).surface.routes
    assert (found.title, found.open, found.by_iam, found.function) == ("ANY URL of f", is_open, not is_open, "f")


def test_what_may_hold_more_and_is_not_read_is_said() -> None:
    made = {
        "Balancer": resource("ElasticLoadBalancingV2::LoadBalancer"),
        "Api": resource("ApiGateway::RestApi", Name="imported", Body={"openapi": "3.0"}),
    }
    assert facts_of(made).unread == ("AWS::ElasticLoadBalancingV2::LoadBalancer", "the OpenAPI body of imported")


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_of_the_projects_own_templates_everything_is_read(name: str) -> None:
    assert facts(read_document(project(name))).unread == ()


@given(st.text("a*?b/", max_size=8), st.text("ab/", max_size=8))
def test_a_pattern_of_iam_is_met_as_aws_meets_it(pattern: str, text: str) -> None:
    import re

    expression = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)
    assert covers(pattern, text) is (re.fullmatch(expression, text) is not None)


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    assert not covers("*a" * 500 + "b", "a" * 2000)
