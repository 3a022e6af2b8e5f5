"""What every audit rule is: a cfn-lint rule that also says why it matters, who demands it, and how to mend it."""

from collections.abc import Iterator

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from paycli.audit.template import Node, Resource, Stack


class AuditRule(CloudFormationLintRule):  # type: ignore[misc]
    """A rule of the audit.

    Its id starts with E (money or secrets are at risk as it stands) or W (a safeguard is missing); cfn-lint
    reserves 9000 to 9999 for rules that are not its own.
    https://github.com/aws-cloudformation/cfn-lint/blob/main/docs/rules.md#categories
    """

    why: str = ""  # what can happen
    requirement: str = ""  # the controls that demand it: AWS Well-Architected, Security Hub, PCI DSS 4.0.1
    mend: str = ""  # how to mend it

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:  # noqa: ARG002
        """Yield what is wrong in a template."""
        return iter(())

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return what is wrong, as cfn-lint asks for it."""
        return list(self.findings(Stack(cfn)))


def finding(place: Node | Resource, message: str) -> RuleMatch:
    """Return a finding at a place of the template."""
    return RuleMatch(list(place.path), message)
