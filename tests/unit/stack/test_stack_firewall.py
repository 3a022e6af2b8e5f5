"""The web ACL: what it blocks, what it only counts, and what its log may know."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paycli.environment import Throttle
from paycli.stack.firewall import rate_limit

WAF = {"AWS::WAFv2::WebACL", "AWS::WAFv2::WebACLAssociation", "AWS::WAFv2::LoggingConfiguration"}


def rules(built: Any) -> dict[str, dict[str, Any]]:
    return {rule["Name"]: rule for rule in built["WebAcl"]["Rules"]}


def groups(built: Any) -> dict[str, dict[str, Any]]:
    found = (rule["Statement"].get("ManagedRuleGroupStatement") for rule in rules(built).values())
    return {group["Name"]: group for group in found if group}


def test_it_is_there_where_the_setting_says_so_and_nowhere_else(dev: Any, prod: Any, local: Any, stack: Any) -> None:
    types = [{resource["Type"] for resource in built.template["Resources"].values()} for built in (dev, local)]
    assert all(not WAF & found for found in types)
    for built in (prod, stack(waf=True)):
        assert {resource["Type"] for resource in built.template["Resources"].values()} >= WAF


def test_it_stands_before_the_stage(prod: Any) -> None:
    association = prod["WebAclAssociation"]
    assert association["WebACLArn"] == {"Fn::GetAtt": ["WebAcl", "Arn"]}
    assert association["ResourceArn"]["Fn::Sub"].endswith(":${AWS::Region}::/restapis/${RestApi}/stages/${Stage}")
    assert prod["WebAcl"]["Scope"] == "REGIONAL"


def test_aws_rule_groups_block_and_everything_else_is_let_through(prod: Any) -> None:
    assert set(groups(prod)) == {
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesAmazonIpReputationList",
    }
    assert prod["WebAcl"]["DefaultAction"] == {"Allow": {}}
    for rule in rules(prod).values():
        assert rule.get("OverrideAction", {"None": {}}) == {"None": {}}  # Count would switch a whole group off
    priorities = [rule["Priority"] for rule in rules(prod).values()]
    assert sorted(set(priorities)) == sorted(priorities)


def test_a_good_payment_is_not_refused_for_its_text(prod: Any) -> None:
    found = groups(prod)
    overridden = {
        override["Name"]: override["ActionToUse"]
        for override in found["AWSManagedRulesCommonRuleSet"]["RuleActionOverrides"]
    }
    assert overridden == {
        name: {"Count": {}}
        for name in (
            "CrossSiteScripting_BODY",
            "GenericLFI_BODY",
            "GenericRFI_BODY",
            "NoUserAgent_HEADER",
            "SizeRestrictions_BODY",
        )
    }
    assert all("RuleActionOverrides" not in group for name, group in found.items() if "Common" not in name)


@given(st.integers(1, 100_000), st.integers(1, 100_000))
def test_one_address_reaches_the_stages_throttle_and_is_told_429_first(rate: int, burst: int) -> None:
    limit = rate_limit(Throttle(rate=rate, burst=burst))
    most = 60 * rate + burst  # what the stage lets through in the minute that WAF looks back
    assert 2 * most == limit
    assert 10 <= limit <= 2_000_000_000


def test_the_rate_rule_stays_within_what_waf_takes(stack: Any) -> None:
    rule = rules(stack(waf=True, throttle={"rate": 10**9, "burst": 1}))["rate"]
    assert rule["Statement"]["RateBasedStatement"] == {
        "AggregateKeyType": "IP",
        "EvaluationWindowSec": 60,
        "Limit": 2_000_000_000,
    }


def test_a_flood_is_told_to_come_back_later(prod: Any) -> None:
    response = rules(prod)["rate"]["Action"]["Block"]["CustomResponse"]
    assert response["ResponseCode"] == 429
    assert response["ResponseHeaders"] == [{"Name": "Retry-After", "Value": "60"}]


def test_what_is_blocked_is_a_problem_of_its_own_code(dev: Any, prod: Any) -> None:
    response = prod["WafFilteredResponse"]
    assert (response["ResponseType"], response["StatusCode"]) == ("WAF_FILTERED", "403")
    assert json.loads(response["ResponseTemplates"]["application/json"])["code"] == "request_blocked"
    assert "WafFilteredResponse" not in dev.template["Resources"]


def test_every_rule_is_seen_in_cloudwatch_and_on_the_dashboard(prod: Any, dev: Any) -> None:
    acl = prod["WebAcl"]
    for visible in (acl["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in acl["Rules"])):
        assert visible["CloudWatchMetricsEnabled"] is True
        assert visible["SampledRequestsEnabled"] is True
    body = prod["Dashboard"]["DashboardBody"]["Fn::Sub"]
    assert "AWS/WAFV2" not in dev["Dashboard"]["DashboardBody"]["Fn::Sub"]
    (graph,) = (widget for widget in json.loads(body)["widgets"] if "AWS/WAFV2" in json.dumps(widget))
    lines = graph["properties"]["metrics"]
    assert acl["VisibilityConfig"]["MetricName"] in lines[0]
    assert [line[-1] for line in lines] == [rule["VisibilityConfig"]["MetricName"] for rule in acl["Rules"]]


def test_its_log_is_a_declared_encrypted_group_that_the_key_knows(prod: Any) -> None:
    group = prod["FirewallLogs"]
    assert group["LogGroupName"] == "aws-waf-logs-payment-api-prod"
    assert group["RetentionInDays"] == prod.environment.log_retention_days
    assert group["KmsKeyId"] == {"Fn::GetAtt": ["Key", "Arn"]}
    logging = prod["WebAclLogging"]
    (destination,) = logging["LogDestinationConfigs"]
    assert destination["Fn::Sub"].endswith(f":log-group:{group['LogGroupName']}")  # WAF refuses one that ends in :*
    assert prod.resource("WebAclLogging")["DependsOn"] == ["FirewallLogs"]
    statements = {statement["Sid"]: statement for statement in prod["Key"]["KeyPolicy"]["Statement"]}
    allowed = statements["LogGroupsOfThisStack"]["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"]
    assert destination in allowed


def test_its_log_keeps_what_matched(prod: Any) -> None:
    keep = prod["WebAclLogging"]["LoggingFilter"]
    assert keep["DefaultBehavior"] == "DROP"
    (kept,) = keep["Filters"]
    assert kept["Behavior"] == "KEEP"
    actions = {condition["ActionCondition"]["Action"] for condition in kept["Conditions"]}
    assert actions == {"BLOCK", "COUNT", "EXCLUDED_AS_COUNT"}  # the last: a rule of AWS's that only counts here
    assert kept["Requirement"] == "MEETS_ANY"


@pytest.mark.parametrize("header", ["authorization", "x-amz-security-token", "idempotency-key", "cookie"])
def test_neither_its_log_nor_its_samples_hold_a_secret(prod: Any, header: str) -> None:
    protected = prod["WebAcl"]["DataProtectionConfig"]["DataProtections"]
    assert {protection["Action"] for protection in protected} == {"SUBSTITUTION"}
    assert all(protection.keys() == {"Action", "Field"} for protection in protected)  # no exclusion
    fields = {protection["Field"]["FieldType"]: protection["Field"].get("FieldKeys") for protection in protected}
    assert header in fields["SINGLE_HEADER"]
    assert fields.keys() >= {"BODY", "QUERY_STRING"}
