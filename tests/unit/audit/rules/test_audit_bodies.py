"""What callers send must not be written down, however the setting is spelled."""

from typing import Any

import pytest

from tests.unit.audit.audited import NOTHING, att, either, ref, resource, said, sub

SPELLINGS = [True, "true", "True", either(True, False), either(False, either("true", NOTHING)), ref("Trace")]
SAFE = [False, "false", NOTHING, ref("Unset"), {"Fn::ImportValue": "trace"}]
PARAMETERS = {"Trace": {"Type": "String", "Default": "true"}, "Unset": {"Type": "String"}}


def places(value: Any) -> list[dict[str, Any]]:
    setting = {"ResourcePath": "/*", "HttpMethod": "*", "DataTraceEnabled": value}
    return [
        resource("AWS::ApiGateway::Stage", MethodSettings=[setting]),
        resource("AWS::ApiGateway::Stage", MethodSettings=[either(setting, NOTHING)]),
        resource("AWS::ApiGateway::Deployment", StageDescription={"DataTraceEnabled": value}),
        resource("AWS::ApiGateway::Deployment", StageDescription={"MethodSettings": [setting]}),
        resource("AWS::ApiGatewayV2::Stage", DefaultRouteSettings={"DataTraceEnabled": value}),
        resource("AWS::ApiGatewayV2::Stage", RouteSettings={"POST /validate": {"DataTraceEnabled": value}}),
    ]


@pytest.mark.parametrize("place", range(len(places(None))))
@pytest.mark.parametrize("value", SPELLINGS)
def test_data_tracing_is_found_wherever_it_is_set(place: int, value: Any) -> None:
    assert said("E9511", {"Here": places(value)[place]}, Parameters=PARAMETERS) == ["Here"]


@pytest.mark.parametrize("value", SAFE)
def test_a_stage_without_data_tracing(value: Any) -> None:
    resources = {f"Here{number}": place for number, place in enumerate(places(value))}
    assert said("E9511", resources, Parameters=PARAMETERS) == []


@pytest.mark.parametrize(
    "variable",
    [
        "$input.body",
        "$input.json('$')",
        "$request.header.Authorization",
        "$request.body.card",
        "$method.request.header.x",
        "$context.requestOverride.header.x",
        "$context.responseOverride.header.x",
        "$context.error.validationErrorString",
        "$context.identity.apiKey",
    ],
)
@pytest.mark.parametrize("spell", [lambda text: text, sub, lambda text: {"Fn::Join": ["", [text, " x"]]}])
def test_an_access_log_that_quotes_the_caller(variable: str, spell: Any) -> None:
    text = spell(f'{{"x":"{variable}"}}')
    resources = {
        "Rest": resource("AWS::ApiGateway::Stage", AccessLogSetting={"Format": text}),
        "Deployment": resource("AWS::ApiGateway::Deployment", StageDescription={"AccessLogSetting": {"Format": text}}),
        "Http": resource("AWS::ApiGatewayV2::Stage", AccessLogSettings={"Format": text}),
    }
    assert said("E9512", resources) == ["Rest", "Deployment", "Http"]


@pytest.mark.parametrize(
    "variable", ["$context.identity.apiKeyId", "$context.requestId", "$context.error.messageString", ""]
)
def test_an_access_log_that_names_the_caller_alone(variable: str) -> None:
    assert said("E9512", {"S": resource("AWS::ApiGateway::Stage", AccessLogSetting={"Format": variable})}) == []


@pytest.mark.parametrize(("value", "found"), [("true", ["F"]), (True, ["F"]), ("false", []), (NOTHING, [])])
def test_powertools_that_log_each_event(value: Any, found: list[str]) -> None:
    function = resource("AWS::Lambda::Function", Environment={"Variables": {"POWERTOOLS_LOGGER_LOG_EVENT": value}})
    assert said("E9513", {"F": function}) == found


@pytest.mark.parametrize("part", ["ResponseTemplates", "ResponseParameters"])
def test_an_error_that_quotes_the_caller(part: str) -> None:
    quoting = {part: {"x": '{"m":"$context.error.validationErrorString"}'}}
    fixed = {part: {"x": '{"m":"$context.requestId"}'}}
    assert said("W9514", {"R": resource("AWS::ApiGateway::GatewayResponse", **quoting)}) == ["R"]
    assert said("W9514", {"R": resource("AWS::ApiGateway::GatewayResponse", **fixed)}) == []


def test_a_firewall_log_needs_the_header_redacted() -> None:
    def logging(**properties: Any) -> dict[str, Any]:
        return {"L": resource("AWS::WAFv2::LoggingConfiguration", **properties)}

    assert said("W9515", logging()) == ["L"]
    assert said("W9515", logging(RedactedFields=[{"SingleHeader": {"Name": "cookie"}}, {"UriPath": {}}])) == ["L"]
    assert said("W9515", logging(RedactedFields=[{"SingleHeader": {"Name": "Authorization"}}])) == []


@pytest.mark.parametrize(
    ("protections", "found"),
    [
        ([{"Field": {"FieldType": "SINGLE_HEADER", "FieldKeys": ["cookie", "Authorization"]}, "Action": "HASH"}], []),
        ([{"Field": {"FieldType": "SINGLE_HEADER", "FieldKeys": ["cookie"]}}], ["L"]),
        ([{"Field": {"FieldType": "SINGLE_COOKIE", "FieldKeys": ["authorization"]}}], ["L"]),
        ([either({"Field": {"FieldType": "SINGLE_HEADER", "FieldKeys": ["authorization"]}}, NOTHING)], ["L"]),
        (NOTHING, ["L"]),
    ],
)
def test_or_the_web_acl_protects_the_header(protections: Any, found: list[str]) -> None:
    web_acl = resource("AWS::WAFv2::WebACL", DataProtectionConfig={"DataProtections": protections})
    logging = resource("AWS::WAFv2::LoggingConfiguration", ResourceArn=att("Acl"))
    assert said("W9515", {"Acl": web_acl, "L": logging}) == found
    assert said("W9515", {"Another": web_acl, "L": logging}) == ["L"]
