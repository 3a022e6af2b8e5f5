"""What other rules can't see: resources that a template makes without naming them."""

from collections.abc import Iterator

from cfnlint.rules import RuleMatch

from paycli.audit.production import in_production
from paycli.audit.rule import AuditRule, finding
from paycli.audit.template import Node, Stack

# They add no resource but what the template itself names.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-languageextensions.html
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-serverless.html
_KNOWN = {"AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"}
_OPAQUE = ("AWS::CloudFormation::CustomResource", "AWS::CloudFormation::Macro", "AWS::CloudFormation::Stack")


class Unread(AuditRule):
    """A part of production that this audit doesn't read."""

    id = "W9641"
    shortdesc = "A part of production is not read by the audit"
    description = (
        "A template of production has an unknown transform, an Fn::Transform anywhere, a resource of AWS SAM, a custom "
        "resource or nested stack."
    )
    why = "What it makes is in no finding and no answer of this audit, whatever it opens or keeps."
    requirement = "PCI DSS 6.5.1, 7.2.5; AWS Well-Architected SEC01-BP06"
    mend = "Write the resources into the template, or audit what it makes by itself and accept this by name."
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros.html"
    tags = ("resources", "cloudformation", "production")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each transform and each resource whose effect stands elsewhere."""
        if not in_production(stack):
            return
        whole = Node(stack, dict(stack.template), ())
        for transform in (item for node in whole.get("Transform") for item in node.items()):
            if transform.text not in _KNOWN:
                yield finding(transform, "A transform adds to the template what the audit doesn't read")
        for resource in stack.all_resources.values():
            if resource.type in _OPAQUE or resource.type.startswith(("Custom::", "AWS::Serverless::")):
                yield finding(resource, f"What {resource.name} makes is not read: {resource.type}")
        for place in _transformed(whole):
            owner = place.path[1] if place.path[:1] == ("Resources",) and len(place.path) > 1 else "The template"
            yield finding(place, f"{owner} has an Fn::Transform, whose result is not read")


def _transformed(place: Node) -> Iterator[Node]:
    """Yield each place of the template, however deep, that a transform fills."""
    value = place.value
    if isinstance(value, dict) and "Fn::Transform" in value:
        yield place
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _transformed(Node(place.stack, inner, (*place.path, key)))
