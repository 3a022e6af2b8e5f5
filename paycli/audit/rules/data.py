"""Money's records outlive a mistake: a stack that is deleted, a resource that is replaced, a table that is dropped."""

from collections.abc import Iterator

from cfnlint.rules import RuleMatch

from paycli.audit.production import in_production
from paycli.audit.rule import AuditRule, finding
from paycli.audit.template import Stack

_HOLDS_DATA = (
    "AWS::Backup::BackupVault",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
)


class DeletedWithStack(AuditRule):
    """Data goes with the stack."""

    id = "E9521"
    shortdesc = "Production data is deleted with its stack"
    description = (
        "A table, key, queue, log group, bucket or backup vault of production has no retaining DeletionPolicy."
    )
    why = "One wrong `delete-stack`, or one resource dropped from the template, destroys payments or the key to them."
    requirement = "PCI DSS 10.5.1; AWS Security Hub KMS.3; AWS Well-Architected REL09-BP01"
    mend = "Set DeletionPolicy to RetainExceptOnCreate (or Retain)."
    source_url = (
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html"
    )
    tags = ("resources", "data", "production")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield what a deleted stack takes with it."""
        yield from _not_kept(stack, "DeletionPolicy", {"Retain", "RetainExceptOnCreate"}, "when the stack is deleted")


class DeletedWhenReplaced(AuditRule):
    """Data goes with a replacement."""

    id = "E9522"
    shortdesc = "Production data is deleted when its resource is replaced"
    description = (
        "A table, key, queue, log group, bucket or backup vault of production has no UpdateReplacePolicy Retain."
    )
    why = "An innocent change of a name or a key replaces the resource, and the old one goes with all that is in it."
    requirement = "PCI DSS 10.5.1; AWS Security Hub KMS.3; AWS Well-Architected REL09-BP01"
    mend = "Set UpdateReplacePolicy to Retain."
    source_url = (
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatereplacepolicy.html"
    )
    tags = ("resources", "data", "production")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield what a replacement takes with it."""
        yield from _not_kept(stack, "UpdateReplacePolicy", {"Retain"}, "when it is replaced")


class TableUnprotected(AuditRule):
    """Anybody with the right to do so can drop the table."""

    id = "E9523"
    shortdesc = "A production table can be deleted by one call"
    description = "A table of production has no DeletionProtectionEnabled."
    why = "A retaining policy binds CloudFormation alone; one DeleteTable from a script or console destroys the ledger."
    requirement = "AWS Security Hub DynamoDB.6; AWS Well-Architected REL09-BP01"
    mend = "Set DeletionProtectionEnabled to true."
    source_url = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithTables.Basics.html"
    tags = ("resources", "dynamodb", "data", "production")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each unprotected table."""
        for table in stack.resources("AWS::DynamoDB::Table") if in_production(stack) else ():
            for node in table.get("DeletionProtectionEnabled"):
                if node.absent or node.truth is False:
                    yield finding(node, f"The table {table.name} can be deleted by one call")


class TableWithoutRecovery(AuditRule):
    """The table can't be set back to before a mistake."""

    id = "W9524"
    shortdesc = "A table can't be restored to a point in time"
    description = "PointInTimeRecoveryEnabled isn't true."
    why = "A bad deploy that overwrites payments can't be undone; a daily backup loses up to a day of them."
    requirement = "AWS Security Hub DynamoDB.2; AWS Well-Architected REL09-BP03"
    mend = "Set PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled to true."
    source_url = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html"
    tags = ("resources", "dynamodb", "data")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each table without it."""
        for table in stack.resources("AWS::DynamoDB::Table"):
            for node in table.get("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"):
                if node.absent or node.truth is False:
                    yield finding(node, f"The table {table.name} can't be restored to a point in time")


def _not_kept(stack: Stack, attribute: str, keeping: set[str], when: str) -> Iterator[RuleMatch]:
    for resource in stack.resources(*_HOLDS_DATA) if in_production(stack) else ():
        for node in resource.here.get(attribute):
            if not node.unknown and node.text not in keeping:
                yield finding(node, f"{resource.name} is deleted with its data {when}")
