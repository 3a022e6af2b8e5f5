"""A role may do what its function does, and nothing else."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource
from cfnlint.rules import RuleMatch

from paycli.audit.policies import PSEUDO, Statement, all_statements
from paycli.audit.rule import AuditRule, finding
from paycli.audit.template import Stack

# Every metric of an account is in its one data set, `default`, so that naming it takes nothing away.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetDataset.html
_NAMES_EVERYTHING = {"dataset"}

# Wildcards alone, also behind the partition: they match across colons.
_EVERYTHING = re.compile(r"(arn:([^:]*:)?)?[*?:]*[*?][*?:]*")
# An ARN whose last part is a wildcard alone, such as arn:aws:sqs:eu-west-1:111122223333:* or ...:table/*
# A recovery point has no name before it is made; AWS's own policy for backups allows them all. What stands before the
# slash is a bucket's name in S3's ARNs, and a type in others.
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForBackup.html
_WHOLE_SERVICE = re.compile(r"arn:[^:]*:[^:]*(:[^:]*){0,2}:(?!recovery-point:)((?<!:s3:::)[A-Za-z-]+[/:])?[?]*[*][*?]*")

# Keys that say which resource is meant, where the ARN doesn't.
_RESOURCE_KEY = re.compile(r"(aws:resourcetag|[a-z0-9-]+:resourcetag)/|kms:resourcealiases")

# AWS's policies for people's jobs; they reach the whole account, and most of them its data.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_job-functions.html
_JOBS = (
    "AdministratorAccess|Billing|DatabaseAdministrator|DataScientist|NetworkAdministrator|PowerUserAccess"
    "|ReadOnlyAccess|SecurityAudit|SupportUser|SystemAdministrator|ViewOnlyAccess"
)
# Services that hold data: to read is to read all of it.
_DATA = (
    "AWSBackup|AWSLambda_|AmazonAthena|AmazonDocDB|AmazonDynamoDB|AmazonElastiCache|AmazonEventBridge|AmazonKinesis"
    "|AmazonRDS|AmazonRedshift|AmazonS3|AmazonSNS|AmazonSQS|AmazonSSM|CloudWatch|CloudWatchLogs"
)
_BROAD = re.compile(
    rf":iam::aws:policy/(.*/)?({_JOBS}|IAMFullAccess|IAMReadOnlyAccess|\w+FullAccess\w*|({_DATA})ReadOnlyAccess\w*)$"
)


class WildcardAction(AuditRule):
    """A right that grows by itself."""

    id = "E9601"
    shortdesc = "A policy allows actions by a wildcard"
    description = 'An identity\'s policy allows "*", "service:*" or an action with a wildcard in it.'
    why = "It allows what nobody has thought of, and more with each action that AWS adds; stolen, it reaches the money."
    requirement = "PCI DSS 7.2.5; AWS Security Hub IAM.1, IAM.21; AWS Well-Architected SEC03-BP02"
    mend = "List the actions that the code calls."
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege"
    tags = ("resources", "iam")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each action with a wildcard."""
        for statement in _granted(stack):
            for action in statement.listed("Action"):
                if re.search(r"[*?]", action.text or ""):
                    yield finding(action, f"{action.text} allows more than the code calls")


class WildcardResource(AuditRule):
    """A right over everything."""

    id = "E9602"
    shortdesc = "A policy allows an action on every resource"
    description = 'An identity\'s policy allows an action on "*" (or on all of a service) that could name a resource.'
    why = "The role reaches the tables, queues and keys of every other system in the account."
    requirement = "PCI DSS 7.2.5; AWS Security Hub KMS.1, KMS.2; AWS Well-Architected SEC03-BP02"
    mend = "Name the ARN. Where AWS has no resource level for an action, give it a statement of its own."
    source_url = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"
    tags = ("resources", "iam")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each resource that is everything, for actions that need not have it so."""
        for statement in _granted(stack):
            if any(test.demands and _RESOURCE_KEY.match(test.key) for test in statement.conditions):
                continue
            actions = [node.text or "" for node in statement.listed("Action")]
            for resource in statement.listed("Resource"):
                needless = _needless(actions, resource.text or "")
                if needless:
                    yield finding(resource, f"{', '.join(needless)} is allowed on everything: {resource.text}")


class AllowByExclusion(AuditRule):
    """All but a few."""

    id = "E9603"
    shortdesc = "A policy allows everything but what it names"
    description = "A statement with Effect Allow has NotAction or NotResource."
    why = "It allows each action and resource that AWS or a colleague adds later."
    requirement = "PCI DSS 7.2.5, 7.3.3; AWS Well-Architected SEC03-BP02"
    mend = "Allow by Action and Resource."
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html"
    tags = ("resources", "iam")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each such element, in whatever policy."""
        for statement in all_statements(stack):
            for element in ("NotAction", "NotResource") if statement.allows else ():
                for node in statement.node.get(element):
                    if not node.absent:
                        yield finding(node, f"Allow with {element} allows all but what is named")


class BroadManagedPolicy(AuditRule):
    """A policy of AWS's that is made for people, or for a whole service."""

    id = "W9604"
    shortdesc = "A role has a policy of AWS's for whole services"
    description = (
        "ManagedPolicyArns has a job's policy (AdministratorAccess, ReadOnlyAccess, SecurityAudit, ...), a "
        "...FullAccess policy, or a ...ReadOnlyAccess policy of a service that holds data."
    )
    why = "It allows whole services, on every resource of the account; who may only read can read every payment."
    requirement = "PCI DSS 7.2.5; AWS Security Hub IAM.1; AWS Well-Architected SEC03-BP02"
    mend = "Write a policy with the actions that are called and the resources they are called on."
    source_url = "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/about-managed-policy-reference.html"
    tags = ("resources", "iam")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each such policy of a role, user or group."""
        for identity in stack.resources("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"):
            for node in identity.listed("ManagedPolicyArns"):
                broad = _BROAD.search(node.text or "")
                if broad:
                    yield finding(node, f"{broad[2]} allows whole services")


def _granted(stack: Stack) -> Iterator[Statement]:
    return (statement for statement in all_statements(stack) if statement.kind == "identity" and statement.allows)


def _needless(actions: list[str], resource: str) -> list[str]:
    """Return the actions that need not be allowed on so much; none where the resource isn't everything."""
    if _EVERYTHING.fullmatch(PSEUDO.sub("", resource)):
        return [action for action in actions if _has_resource_level(action)]
    return actions if _WHOLE_SERVICE.fullmatch(re.sub(r"\$\{[^}]*\}", "", resource)) else []


def _has_resource_level(action: str) -> bool:
    """Whether AWS lets a policy name the resource of an action; of an unknown one it is assumed."""
    service, _, name = action.lower().partition(":")
    known = _service_authorization().get(service, {}).get("Actions", {}).get(name)
    return known is None or bool(set(known.get("Resources", ())) - _NAMES_EVERYTHING)


@cache
def _service_authorization() -> Any:
    """Return AWS's Service Authorization Reference, as cfn-lint carries it."""
    return load_resource(AdditionalSpecs, "Policies.json")
