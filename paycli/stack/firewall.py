"""The web ACL of AWS WAF before the stage: which requests never reach the API."""

from typing import TYPE_CHECKING

from troposphere import Sub, Template
from troposphere.apigateway import Stage
from troposphere.logs import LogGroup
from troposphere.wafv2 import (
    ActionCondition,
    AllowAction,
    BlockAction,
    Condition,
    CountAction,
    CustomHTTPHeader,
    CustomResponse,
    DataProtect,
    DataProtectionConfig,
    DefaultAction,
    FieldToProtect,
    Filter,
    LoggingConfiguration,
    LoggingFilter,
    ManagedRuleGroupStatement,
    OverrideAction,
    RateBasedStatement,
    RuleAction,
    RuleActionOverride,
    Statement,
    VisibilityConfig,
    WebACL,
    WebACLAssociation,
    WebACLRule,
)

from paycli.stack.policies import arn

if TYPE_CHECKING:
    from paycli.environment import Environment, Throttle

# Seconds that the rate rule looks back: the shortest that WAF has, so that a flood is met within a minute.
WINDOW = 60
LARGEST_LIMIT = 2_000_000_000  # https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html

RATE = "rate"
# AWS's rule groups by the names of our rules; together they take 925 of the 1,500 capacity units in the price.
# https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
RULE_GROUPS = {
    "ip-reputation": "AWSManagedRulesAmazonIpReputationList",
    "known-bad-inputs": "AWSManagedRulesKnownBadInputsRuleSet",
    "common": "AWSManagedRulesCommonRuleSet",
}
# Rules of the common group that would refuse good payments, so they only count. The API stores text as it is and
# puts it in no page, path or query; a description with HTML, "../" or an address in it is no attack on it.
# A misspelt name would be ignored: https://docs.aws.amazon.com/waf/latest/APIReference/API_RuleActionOverride.html
COUNTED = (
    "CrossSiteScripting_BODY",
    "GenericLFI_BODY",
    "GenericRFI_BODY",
    "NoUserAgent_HEADER",  # some HTTP libraries send none by themselves
    "SizeRestrictions_BODY",  # over 8,192 bytes: the function says 413, as docs/api.md has it
)
# What identifies a caller or could hold card data. The body is in no record, but what a rule matched in it would be.
SECRET_HEADERS = ("authorization", "cookie", "idempotency-key", "x-amz-security-token")
SECRET_PARTS = ("BODY", "QUERY_STRING")


def add_firewall(template: Template, environment: "Environment", stage: Stage, logs: LogGroup) -> None:
    """Add the web ACL, its place before the stage, and its log.

    No alarm watches what it blocks: scanners knock at every public address, and the dashboard shows them.
    """
    web_acl = template.add_resource(
        WebACL(
            "WebAcl",
            Name=environment.named("payment-api"),
            Description=f"Payment API, environment {environment.name}.",
            Scope="REGIONAL",
            DefaultAction=DefaultAction(Allow=AllowAction()),
            Rules=[_rate_rule(environment.throttle), *_managed_rules()],
            DataProtectionConfig=_data_protection(),
            VisibilityConfig=_visible(environment.named("payment-api")),
        )
    )
    template.add_resource(
        WebACLAssociation(
            "WebAclAssociation",
            WebACLArn=web_acl.get_att("Arn"),
            ResourceArn=Sub(
                f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}::/restapis/${{RestApi}}/stages/${{{stage.title}}}"
            ),
        )
    )
    template.add_resource(
        LoggingConfiguration(
            "WebAclLogging",
            DependsOn=[logs.title],
            ResourceArn=web_acl.get_att("Arn"),
            # GetAtt's ARN of a log group ends in ":*", which WAF refuses. The log group's policy, by which WAF may
            # write, is made by WAF: https://docs.aws.amazon.com/waf/latest/APIReference/API_LoggingConfiguration.html
            LogDestinationConfigs=[arn("logs", f"log-group:{logs.LogGroupName}")],
            LoggingFilter=_what_matched(),
        )
    )


def rate_limit(throttle: "Throttle") -> int:
    """Return how many requests one address may send within the window before WAF blocks it.

    Many callers may share one address (NAT), so it can reach all that the stage lets through. What the stage answers
    with 429 counts as well; the limit leaves as much again for that, so that who comes too fast is told 429 first.
    """
    return min(2 * (throttle.rate * WINDOW + throttle.burst), LARGEST_LIMIT)


def _rate_rule(throttle: "Throttle") -> WebACLRule:
    """Return the rule that blocks a flood from one address, with what a client understands: 429, later.

    https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based-high-level-settings.html
    """
    return WebACLRule(
        Name=RATE,
        Priority=0,
        Statement=Statement(
            RateBasedStatement=RateBasedStatement(
                AggregateKeyType="IP", EvaluationWindowSec=WINDOW, Limit=rate_limit(throttle)
            )
        ),
        Action=RuleAction(
            Block=BlockAction(
                CustomResponse=CustomResponse(
                    ResponseCode=429, ResponseHeaders=[CustomHTTPHeader(Name="Retry-After", Value=str(WINDOW))]
                )
            )
        ),
        VisibilityConfig=_visible(RATE),
    )


def _managed_rules() -> list[WebACLRule]:
    rules = []
    for priority, (name, group) in enumerate(RULE_GROUPS.items(), start=1):
        statement = ManagedRuleGroupStatement(VendorName="AWS", Name=group)
        if name == "common":
            statement.RuleActionOverrides = [
                RuleActionOverride(Name=rule, ActionToUse=RuleAction(Count=CountAction())) for rule in COUNTED
            ]
        rules.append(
            WebACLRule(
                Name=name,
                Priority=priority,
                Statement=Statement(ManagedRuleGroupStatement=statement),
                OverrideAction=OverrideAction(**{"None": {}}),  # no override: the group's rules block
                VisibilityConfig=_visible(name),
            )
        )
    return rules


def _data_protection() -> DataProtectionConfig:
    """Return what no log line and no sampled request shows.

    The redaction of the logging configuration would cover the log alone.
    https://docs.aws.amazon.com/waf/latest/APIReference/API_DataProtectionConfig.html
    """
    fields = [
        FieldToProtect(FieldType="SINGLE_HEADER", FieldKeys=list(SECRET_HEADERS)),
        *(FieldToProtect(FieldType=part) for part in SECRET_PARTS),
    ]
    return DataProtectionConfig(DataProtections=[DataProtect(Field=field, Action="SUBSTITUTION") for field in fields])


def _what_matched() -> LoggingFilter:
    """Return the filter that keeps what a rule blocked or counted: the access log has every request already.

    A rule that COUNTED names is logged as EXCLUDED_AS_COUNT.
    https://docs.aws.amazon.com/waf/latest/APIReference/API_ActionCondition.html
    """
    actions = ("BLOCK", "COUNT", "EXCLUDED_AS_COUNT")
    conditions = [Condition(ActionCondition=ActionCondition(Action=action)) for action in actions]
    return LoggingFilter(
        DefaultBehavior="DROP",
        Filters=[Filter(Behavior="KEEP", Requirement="MEETS_ANY", Conditions=conditions)],
    )


def _visible(name: str) -> VisibilityConfig:
    return VisibilityConfig(CloudWatchMetricsEnabled=True, SampledRequestsEnabled=True, MetricName=name)
