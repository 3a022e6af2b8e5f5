"""What the template holds stays in its account and region."""

from collections.abc import Iterator

from cfnlint.rules import RuleMatch

from paycli.audit.destinations import destinations, names_region, through
from paycli.audit.rule import AuditRule, finding
from paycli.audit.template import Stack


class AnotherAccountReceives(AuditRule):
    """Data goes to a stranger."""

    id = "E9671"
    shortdesc = "A destination is in another account"
    description = (
        "A log subscription, event target, stream, backup copy, subscription, failure destination, integration or "
        "replication names an account by number or by a parameter, and not by AWS::AccountId."
    )
    why = "Payments or logs of them leave the account for one whose access nobody here reviews; a digit can be wrong."
    requirement = "PCI DSS 1.2.4, 7.2.5; AWS Well-Architected SEC07-BP02"
    mend = "Name ${AWS::AccountId} or a resource of the template. Where another account is meant, accept it by name."
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"
    tags = ("resources", "data")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each destination with each such account."""
        for destination in destinations(stack):
            for account in destination.accounts:
                yield finding(destination.node, f"Account {account} receives this, which need not be the stack's own")


class AnotherRegionReceives(AuditRule):
    """Data goes to another country."""

    id = "W9672"
    shortdesc = "A destination is in another region"
    description = "A destination (as of E9671), or a global table's replica, names a region and not AWS::Region."
    why = "Payments lie under another law, beside another key, and where the alarms and policies here don't reach."
    requirement = "PCI DSS 1.2.4; AWS Well-Architected SEC07-BP02"
    mend = "Name ${AWS::Region}. Where a copy in another region is meant, accept it by name."
    source_url = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GlobalTables.html"
    tags = ("resources", "data", "dynamodb")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each destination with each such region; a table's only replica is the table itself."""
        for destination in destinations(stack):
            for region in destination.regions:
                yield finding(destination.node, f"Region {region} receives this, which need not be the stack's own")
        for table in stack.resources("AWS::DynamoDB::GlobalTable"):
            replicas = list(through(table.get("Replicas"), "Region"))
            for node in replicas if len(replicas) > 1 else ():
                if names_region(node.text):
                    yield finding(node, f"{table.name} has a replica in {node.text}")
