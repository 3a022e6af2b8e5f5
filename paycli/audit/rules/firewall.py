"""Production has a firewall before it, and the firewall blocks."""

from collections.abc import Iterator

from cfnlint.rules import RuleMatch

from paycli.audit.production import in_production
from paycli.audit.rule import AuditRule, finding
from paycli.audit.template import Node, Resource, Stack, certain

_GROUPS = ("ManagedRuleGroupStatement", "RuleGroupReferenceStatement")
# What counts, or worse lets the request past every rule that follows.
_NOT_BLOCKING = ("Allow", "Count")

# Rules of AWS's common group that refuse good payments: they judge a body that the request validator has judged by
# its schema, and a header that clients may leave out. They may count; every other rule has to block.
# https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
MAY_COUNT = frozenset(
    {
        "CrossSiteScripting_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
        "NoUserAgent_HEADER",
        "SizeRestrictions_BODY",
    }
)
_COMMON = "AWSManagedRulesCommonRuleSet"


class NoFirewall(AuditRule):
    """Nothing stands before the API."""

    id = "W9651"
    shortdesc = "A stage of production has no web ACL"
    description = "A REST API's stage of production, unless it is private, has no AWS::WAFv2::WebACLAssociation."
    why = "Floods, known exploits and addresses of ill repute reach the API, and each request is paid for."
    requirement = "PCI DSS 6.4.2; AWS Security Hub APIGateway.4; AWS Well-Architected SEC05-BP03"
    mend = "Associate a web ACL with the stage's ARN (waf = true in paycli.toml)."
    source_url = "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-aws-waf.html"
    tags = ("resources", "wafv2", "apigateway", "production")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each stage without an association that is there whenever the stage is."""
        for stage in stack.resources("AWS::ApiGateway::Stage") if in_production(stack) else ():
            associated = [
                node
                for association in stack.resources("AWS::WAFv2::WebACLAssociation")
                if association.exists_with(stage)
                for node in association.get("ResourceArn")
                if _means(node, stage)
            ]
            if not certain(associated) and not _private(stack, stage):
                yield finding(stage, f"No web ACL stands before {stage.name}")


class FirewallBlocksNothing(AuditRule):
    """A web ACL in name alone."""

    id = "W9652"
    shortdesc = "A web ACL of production lets everything through"
    description = "A web ACL of production has DefaultAction Allow and no rule that blocks."
    why = "The association is there and every check for it is green, while each attack gets through."
    requirement = "PCI DSS 6.4.2; AWS Security Hub WAF.10; AWS Well-Architected SEC05-BP03"
    mend = "Add a rule with Action Block, or a rule group with OverrideAction None."
    source_url = "https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-default-action.html"
    tags = ("resources", "wafv2", "production")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each web ACL without a rule that can block."""
        for acl in _acls(stack):
            blocks = any(map(_may_block, acl.listed("Rules"))) or any(node.unknown for node in acl.get("Rules"))
            if not blocks and any("Allow" in node.keys for node in acl.get("DefaultAction")):
                yield finding(acl, f"{acl.name} blocks nothing")


class FirewallOnlyCounts(AuditRule):
    """A rule of the web ACL that was switched off."""

    id = "W9653"
    shortdesc = "A rule of production's web ACL only counts"
    description = (
        "A rule group is overridden to Count, one of its rules to Count or Allow (RuleActionOverrides, ExcludedRules), "
        "or a rate rule doesn't block."
    )
    why = "What it finds gets through. Set for a test it stays for ever, since the web ACL looks whole."
    requirement = "PCI DSS 6.4.2; AWS Well-Architected SEC05-BP03"
    mend = "Set OverrideAction None, drop the override, or let the rate rule Block."
    source_url = "https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-rule-group-override-options.html"
    tags = ("resources", "wafv2", "production")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each override that takes a rule's teeth."""
        for acl in _acls(stack):
            for rule in acl.listed("Rules"):
                for override in rule.get("OverrideAction", "Count"):
                    if not override.absent and not override.unknown:
                        yield finding(override, f"{_name(rule)} only counts what its group would block")
                yield from _rate_rule_that_lets_through(rule)
                for kind in _GROUPS:
                    for group in rule.get("Statement", kind):
                        yield from _single_overrides(rule, group)


class FirewallWithoutLog(AuditRule):
    """Nobody can say what was blocked."""

    id = "W9654"
    shortdesc = "A web ACL of production has no log"
    description = "No AWS::WAFv2::LoggingConfiguration names a web ACL of production."
    why = "After an attack nobody can tell who sent what, nor whether a rule refused good payments."
    requirement = "PCI DSS 10.2.1; AWS Security Hub WAF.11; AWS Well-Architected SEC04-BP01"
    mend = "Add a LoggingConfiguration with the web ACL's ARN as ResourceArn."
    source_url = "https://docs.aws.amazon.com/waf/latest/developerguide/logging.html"
    tags = ("resources", "wafv2", "logs", "production")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each web ACL without a log."""
        for acl in _acls(stack):
            logged = [
                node
                for log in stack.resources("AWS::WAFv2::LoggingConfiguration")
                if log.exists_with(acl)
                for node in log.get("ResourceArn")
                if node.identifies(acl) or _untold(node)
            ]
            if not certain(logged):
                yield finding(acl, f"{acl.name} has no log")


def _acls(stack: Stack) -> Iterator[Resource]:
    yield from stack.resources("AWS::WAFv2::WebACL") if in_production(stack) else ()


def _means(node: Node, stage: Resource) -> bool:
    """Whether an ARN is a stage's: of its API and with its name; one that only a deployment knows may be."""
    apis = [api.text for api in stage.get("RestApiId")]
    its_own = node.identifies(stage) and any(f"/restapis/{api}/" in (node.text or "") for api in apis)
    return its_own or _untold(node)


def _untold(node: Node) -> bool:
    """Whether only a deployment knows what stands here."""
    return node.unknown and node.text is None


def _private(stack: Stack, stage: Resource) -> bool:
    return any(
        place.identifies(api) and any(kind.text == "PRIVATE" for kind in api.listed("EndpointConfiguration", "Types"))
        for api in stack.resources("AWS::ApiGateway::RestApi")
        for place in stage.get("RestApiId")
    )


def _may_block(rule: Node) -> bool:
    """Whether a rule of a web ACL stops a request: it says so, or its group does."""
    actions = {key for node in rule.get("Action") for key in node.keys}
    overrides = {key for node in rule.get("OverrideAction") for key in node.keys}
    return rule.unknown or bool(actions - {*_NOT_BLOCKING}) or "None" in overrides


def _rate_rule_that_lets_through(rule: Node) -> Iterator[RuleMatch]:
    if all(node.absent for node in rule.get("Statement", "RateBasedStatement")):
        return
    for kind in _NOT_BLOCKING:
        for action in rule.get("Action", kind):
            if not action.absent and not action.unknown:
                yield finding(action, f"{_name(rule)} lets a flood through: its action is {kind}")


def _single_overrides(rule: Node, group: Node) -> Iterator[RuleMatch]:
    common = any(node.text == _COMMON for node in group.get("Name"))
    excluded = [(place, place, "Count") for node in group.get("ExcludedRules") for place in node.items()]
    overridden = [
        (override, action, kind)
        for node in group.get("RuleActionOverrides")
        for override in node.items()
        for kind in _NOT_BLOCKING
        for action in override.get("ActionToUse", kind)
        if not action.absent
    ]
    for override, place, kind in (*excluded, *overridden):
        name = override.get("Name")[0].text
        if not place.unknown and not (common and kind == "Count" and name in MAY_COUNT):
            yield finding(place, f"{_name(rule)} doesn't block what {name} finds: {kind}")


def _name(rule: Node) -> str:
    return f"Rule {rule.get('Name')[0].text}"
