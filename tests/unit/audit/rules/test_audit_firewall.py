"""Production's firewall: it is there, it blocks, and it has a log."""

from typing import Any

import pytest

from paycli.audit.rules.firewall import MAY_COUNT
from paycli.stack.firewall import COUNTED
from tests.unit.audit.audited import NOTHING, att, either, ref, resource, said, sub

PRODUCTION = {"Metadata": {"Paycli": {"Environment": "prod", "RetainData": True}}}
ARN = "arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${Api}/stages/"


def stage(**properties: Any) -> dict[str, Any]:
    return {
        "Api": resource("AWS::ApiGateway::RestApi", Name="payments"),
        "Stage": resource("AWS::ApiGateway::Stage", RestApiId=ref("Api"), StageName="v1", **properties),
    }


def association(arn: Any, attributes: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"A": resource("AWS::WAFv2::WebACLAssociation", attributes, WebACLArn=att("Acl"), ResourceArn=arn)}


@pytest.mark.parametrize(
    ("associated", "found"),
    [
        (association(sub(f"{ARN}${{Stage}}")), []),
        (association(sub(f"{ARN}v1")), []),
        (association({"Fn::ImportValue": "stage"}), []),
        ({}, ["Stage"]),
        (association(sub(f"{ARN}v2")), ["Stage"]),
        (association(sub(f"{ARN}v1".replace("Api", "Other"))), ["Stage"]),
        (association(sub(f"{ARN}v1"), {"Condition": "Guarded"}), ["Stage"]),
        (association(either(sub(f"{ARN}v1"), NOTHING)), ["Stage"]),
        (association(NOTHING), ["Stage"]),
    ],
)
def test_a_stage_of_production_has_a_web_acl(associated: dict[str, Any], found: list[str]) -> None:
    assert said("W9651", {**stage(), **associated}, **PRODUCTION) == found
    assert said("W9651", {**stage(), **associated}) == []


def test_a_private_api_needs_none() -> None:
    private = resource("AWS::ApiGateway::RestApi", EndpointConfiguration={"Types": ["PRIVATE"]})
    assert said("W9651", {**stage(), "Api": private}, **PRODUCTION) == []


def managed(override: Any = "None", name: str = "AWSManagedRulesCommonRuleSet", **said: Any) -> dict[str, Any]:
    group = {"VendorName": "AWS", "Name": name, **said}
    return {"Name": "common", "OverrideAction": {override: {}}, "Statement": {"ManagedRuleGroupStatement": group}}


def rate(action: str) -> dict[str, Any]:
    return {"Name": "rate", "Action": {action: {}}, "Statement": {"RateBasedStatement": {"Limit": 100}}}


def acl(*rules: Any, default: str = "Allow", **properties: Any) -> dict[str, Any]:
    return {"Acl": resource("AWS::WAFv2::WebACL", DefaultAction={default: {}}, Rules=list(rules), **properties)}


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        (acl(managed()), []),
        (acl(rate("Block")), []),
        (acl(rate("Captcha")), []),
        (acl(default="Block"), []),
        (acl({"Fn::ImportValue": "rule"}), []),
        ({"Acl": resource("AWS::WAFv2::WebACL", DefaultAction={"Allow": {}}, Rules={"Fn::ImportValue": "r"})}, []),
        (acl(), ["Acl"]),
        (acl(managed("Count"), rate("Count")), ["Acl"]),
        (acl(rate("Allow")), ["Acl"]),
    ],
)
def test_a_web_acl_of_production_blocks(resources: dict[str, Any], found: list[str]) -> None:
    assert said("W9652", resources, **PRODUCTION) == found
    assert said("W9652", resources) == []


def overridden(name: str, action: str) -> dict[str, Any]:
    return {"RuleActionOverrides": [{"Name": name, "ActionToUse": {action: {}}}]}


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        (managed(), []),
        (managed(**overridden("GenericLFI_BODY", "Count")), []),
        (managed(**overridden("NoUserAgent_HEADER", "Block")), []),
        (managed(ExcludedRules=[{"Name": "SizeRestrictions_BODY"}]), []),
        (managed(RuleActionOverrides={"Fn::ImportValue": "overrides"}), []),
        (rate("Block"), []),
        (rate("Challenge"), []),
        ({"Name": "watch", "Action": {"Count": {}}, "Statement": {"GeoMatchStatement": {}}}, []),
        (managed("Count"), ["Acl"]),
        (managed(**overridden("GenericLFI_BODY", "Allow")), ["Acl"]),
        (managed(**overridden("GenericLFI_QUERYARGUMENTS", "Count")), ["Acl"]),
        (managed(name="AWSManagedRulesKnownBadInputsRuleSet", **overridden("NoUserAgent_HEADER", "Count")), ["Acl"]),
        (managed(ExcludedRules=[{"Name": "Log4JRCE_HEADER"}]), ["Acl"]),
        (rate("Count"), ["Acl"]),
        (rate("Allow"), ["Acl"]),
        (
            {
                "Name": "own",
                "Statement": {"RuleGroupReferenceStatement": {"Arn": "a", **overridden("x", "Count")}},
            },
            ["Acl"],
        ),
    ],
)
def test_a_rule_of_production_blocks(rule: dict[str, Any], found: list[str]) -> None:
    assert said("W9653", acl(rule), **PRODUCTION) == found
    assert said("W9653", acl(rule)) == []


def test_what_may_count_is_what_the_stack_counts() -> None:
    assert frozenset(COUNTED) == MAY_COUNT


def log(arn: Any, attributes: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"Log": resource("AWS::WAFv2::LoggingConfiguration", attributes, ResourceArn=arn)}


@pytest.mark.parametrize(
    ("logging", "found"),
    [
        (log(att("Acl")), []),
        (log({"Fn::ImportValue": "acl"}), []),
        ({}, ["Acl"]),
        (log(att("Other")), ["Acl"]),
        (log(att("Acl"), {"Condition": "Logged"}), ["Acl"]),
        (log(either(att("Acl"), att("Other"))), ["Acl"]),
    ],
)
def test_a_web_acl_of_production_has_a_log(logging: dict[str, Any], found: list[str]) -> None:
    assert said("W9654", {**acl(managed()), **logging}, **PRODUCTION) == found
    assert said("W9654", {**acl(managed()), **logging}) == []
