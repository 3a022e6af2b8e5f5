"""Who may act on a resource: this account, and services on behalf of this account alone."""

import re
from collections.abc import Iterator

from cfnlint.rules import RuleMatch

from paycli.audit.policies import PSEUDO, Condition, Statement, all_statements, statements
from paycli.audit.rule import AuditRule, finding
from paycli.audit.template import Node, Stack

# What a service says of whom it acts for.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html#cross-service-confused-deputy-prevention
_SOURCE_KEYS = {"aws:sourcearn", "aws:sourceaccount"}
_ORGANIZATION_KEYS = {"aws:sourceorgid", "aws:sourceorgpaths", "sts:externalid"}
# In a key policy the ARN of the encrypted thing does it too; CloudWatch Logs names the log group so.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
_ENCRYPTION_CONTEXT = "kms:encryptioncontext:"

# Who says nothing of a source to a key, so that a condition would lock it out.
# EventBridge: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
_KEY_EXCEPTIONS = {"events.amazonaws.com"}
# Who may be trusted with a role without saying a source; AWS shows their roles without one.
# API Gateway's log role: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
# EC2: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html
# Backup: https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html
_TRUST_EXCEPTIONS = {"apigateway.amazonaws.com", "ec2.amazonaws.com", "backup.amazonaws.com"}

# An account by its number, or what is in it.
_ACCOUNT = re.compile(r"(?:arn(?::[^:]*){3}:)?([0-9]{12})(?::.+)?")
_ACCOUNT_KEYS = {"aws:principalaccount", "aws:principalarn", "aws:sourceowner", "kms:calleraccount"}

# Who signs in for everybody: without a test of `sub` any of its users is let in.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
_SHARED = re.compile(
    r"(.*:oidc-provider/)?(token\.actions\.githubusercontent\.com|gitlab\.com|app\.terraform\.io|accounts\.google\.com"
    r"|www\.amazon\.com|graph\.facebook\.com|cognito-identity\.amazonaws\.com|agent\.buildkite\.com|vstoken\..*)"
)
_WHO_SIGNED_IN = re.compile(r"(?!aws:).+:(sub|aud|oaud|azp|app_id|user_id|id)")
_EVERY_SUBJECT = re.compile(r"((repo|project_path|organization):)?[*?/:]*[*?][*?/:]*")
# Of these every user of the site has the same audience.
_SUBJECT_ALONE = re.compile(r".*(githubusercontent\.com|gitlab\.com|app\.terraform\.io|agent\.buildkite\.com)")

_SAYS_NO_ACCOUNT = re.compile(r"\$\{AWS::(Partition|Region|URLSuffix)\}")


class ServiceForAnyone(AuditRule):
    """A service may act on a resource for another account."""

    id = "E9551"
    shortdesc = "A service may use a resource on behalf of any account"
    description = "A resource's or key's policy allows a service without a condition on whom the service acts for."
    why = "Another account can point the same service at this queue, topic, bucket or key (the confused deputy)."
    requirement = "PCI DSS 7.2.5; AWS Well-Architected SEC03-BP07"
    mend = "Add StringEquals aws:SourceAccount, or ArnLike aws:SourceArn with the account in it."
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"
    tags = ("resources", "iam", "kms")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each service that isn't pinned; to read what a key is gives nothing away.

        DynamoDB describes a key so:
        https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html
        """
        for statement in all_statements(stack):
            if statement.kind in {"key", "resource"} and not _only_describes(statement):
                exceptions = _KEY_EXCEPTIONS if statement.kind == "key" else set()
                yield from _unpinned(statement, exceptions)


class RoleForAnyone(AuditRule):
    """A service may take a role for another account."""

    id = "W9552"
    shortdesc = "A service may take a role on behalf of any account"
    description = "A role's trust policy names a service without a condition on whom the service acts for."
    why = "Where the service can be told a role's ARN by another account, that account acts with this role's rights."
    requirement = "PCI DSS 7.2.5; AWS Well-Architected SEC03-BP07"
    mend = "Add StringEquals aws:SourceAccount to the trust policy."
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"
    tags = ("resources", "iam")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each trusted service that isn't pinned."""
        for statement in all_statements(stack):
            if statement.kind == "trust":
                yield from _unpinned(statement, _TRUST_EXCEPTIONS)


class PublicPolicy(AuditRule):
    """A policy allows everybody."""

    id = "E9553"
    shortdesc = "A policy allows everybody"
    description = (
        "A resource's, key's or role's policy allows Principal \"*\" (or NotPrincipal) under no condition on who, or "
        "a role trusts a shared identity provider (GitHub, GitLab, Google, Cognito) under none on whose token it is."
    )
    why = "Anybody with an AWS account, or anybody at all, can use the resource."
    requirement = "PCI DSS 7.3.3; AWS Security Hub SQS.3, SNS.4, KMS.5, S3.2; AWS Well-Architected SEC03-BP07"
    mend = "Name the principals, or add a condition such as aws:PrincipalOrgID or aws:SourceVpce."
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"
    tags = ("resources", "iam")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each principal that is everybody, unless another statement denies the same to all but some."""
        for statement in all_statements(stack):
            shut = any(other.shuts(statement) for other in statements(statement.resource))
            if not statement.allows or statement.narrowed or shut:
                continue
            for principal in (*statement.for_everybody, *statement.listed("NotPrincipal")):
                yield finding(principal, "Everybody is allowed, under no condition on who they are")
            for provider in statement.principals("Federated"):
                if _SHARED.fullmatch(provider.text or "") and not _says_whose_token(statement, provider.text or ""):
                    yield finding(provider, f"Whoever {provider.text} signs in is allowed: no condition says who")


class AnotherAccount(AuditRule):
    """A policy lets another account in."""

    id = "E9554"
    shortdesc = "A policy allows another account"
    description = (
        "A resource's, key's or role's policy, or a Lambda permission, allows an account by number: as a principal, "
        "by its identity provider, or as the source that a service acts for."
    )
    why = "That account decides alone who of it acts on payments, and a wrong digit lets a stranger in."
    requirement = "PCI DSS 7.2.5, 7.3.3; AWS Well-Architected SEC03-BP07"
    mend = (
        "Name ${AWS::AccountId}. Where another account is meant, as by allowed_principals in paycli.toml, the finding "
        "is true: accept it by name."
    )
    source_url = (
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html"
    )
    tags = ("resources", "iam", "kms", "lambda")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each principal, or condition on everybody's account, that is an account's number or its ARN."""
        named = [
            place
            for statement in all_statements(stack)
            if statement.allows and statement.kind != "identity"
            for place in _callers(statement)
        ]
        permissions = stack.resources("AWS::Lambda::Permission", "AWS::Lambda::LayerVersionPermission")
        named += [
            place
            for permission in permissions
            for key in ("Principal", "SourceAccount", "SourceArn")
            for place in permission.get(key)
        ]
        for place in named:
            account = _ACCOUNT.fullmatch(PSEUDO.sub("", place.text or ""))
            if account:
                yield finding(place, f"Account {account[1]} is allowed, which need not be the stack's own")


def _callers(statement: Statement) -> list[Node]:
    """Return whom a statement names: its principals, and the account that it demands of everybody or a service."""
    keys: set[str] = set()
    if statement.for_everybody:
        keys |= _ACCOUNT_KEYS
    if statement.for_everybody or statement.principals("Service"):
        keys |= _SOURCE_KEYS
    limits = [value for test in statement.conditions if test.demands and test.key in keys for value in test.values]
    return [*statement.principals("AWS"), *statement.principals("Federated"), *limits]


def _says_whose_token(statement: Statement, provider: str) -> bool:
    return any(
        test.demands
        and _WHO_SIGNED_IN.fullmatch(test.key)
        and (test.key.endswith(":sub") or not _SUBJECT_ALONE.fullmatch(provider))
        and not any(_EVERY_SUBJECT.fullmatch(node.text or "") for node in test.values)
        for test in statement.conditions
    )


def _unpinned(statement: Statement, exceptions: set[str]) -> Iterator[RuleMatch]:
    if not statement.allows or any(_pins(test) for test in statement.conditions):
        return
    for service in statement.principals("Service"):
        if service.text not in exceptions:
            yield finding(service, f"{service.text} may act for any account: no condition says for whom")


def _pins(test: Condition) -> bool:
    """Whether a test lets a service act for accounts that are named alone."""
    if not test.demands or not test.values:
        return False
    if test.key in _ORGANIZATION_KEYS:
        return all(node.text is None or node.text.strip("*") for node in test.values)
    if test.key in _SOURCE_KEYS or test.key.startswith(_ENCRYPTION_CONTEXT):
        return all(map(_names_account, test.values))
    return False


def _names_account(node: Node) -> bool:
    """Whether a text names an account, a resource of this template, or a bucket (whose ARN has no account)."""
    if node.text is None:
        return True
    text = _SAYS_NO_ACCOUNT.sub("", node.text)
    return bool(re.search(r"[0-9]{12}|\$\{", text) or re.match(r"arn:[^:]*:s3:::[^*]+", text))


def _only_describes(statement: Statement) -> bool:
    actions = [(node.text or "").lower() for node in statement.listed("Action")]
    return bool(actions) and all(re.match("kms:(describe|get|list)", action) for action in actions)
