"""Whom production's keys obey: services that store payments, and nobody with the key alone."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from cfnlint.rules import RuleMatch

from paycli.audit.policies import Statement, statements
from paycli.audit.production import in_production
from paycli.audit.rule import AuditRule, finding
from paycli.audit.template import Node, Stack

# What reads or makes data, among a key's actions.
# https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
_CRYPTOGRAPHIC = (
    "kms:decrypt",
    "kms:derivesharedsecret",
    "kms:encrypt",
    "kms:generatedatakey",
    "kms:generatedatakeypair",
    "kms:generatedatakeypairwithoutplaintext",
    "kms:generatedatakeywithoutplaintext",
    "kms:generatemac",
    "kms:reencryptfrom",
    "kms:reencryptto",
    "kms:sign",
)
_GRANT = ("kms:creategrant",)
# An account as a whole: whatever its IAM policies allow anybody.
_ACCOUNT = re.compile(r"(arn:.+:iam::)?([0-9]{12}|\$\{AWS::AccountId\})(:root)?")


class KeyUsedByAccount(AuditRule):
    """Who has an IAM policy decrypts, past the store."""

    id = "W9624"
    shortdesc = "The whole account may use production's key directly"
    description = (
        "A key policy of production allows the account (root) kms:*, kms:Decrypt or another cryptographic action "
        "without a condition on kms:ViaService."
    )
    why = "Each role of the account with a broad IAM policy decrypts copied payments, and no service is asked for them."
    requirement = "PCI DSS 3.6.1, 7.2.5; AWS Well-Architected SEC08-BP04"
    mend = "Allow root the administration, and the use of the key with StringEquals kms:ViaService."
    source_url = "https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service"
    tags = ("resources", "kms", "production")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each such action; AWS's own default policy has it."""
        for statement in _of_keys(stack):
            through_a_service = any(test.demands and test.key == "kms:viaservice" for test in statement.conditions)
            if not through_a_service and any(map(_is_account, statement.principals("AWS"))):
                for action in _allowing(statement, _CRYPTOGRAPHIC):
                    message = f"{action.text} is allowed to all that IAM allows it in the account, through no service"
                    yield finding(action, message)


class GrantForAnyone(AuditRule):
    """A key is handed on."""

    id = "W9625"
    shortdesc = "Who may use production's key can hand it on"
    description = (
        "A key policy of production allows kms:CreateGrant without a condition kms:GrantIsForAWSResource; a Deny "
        "elsewhere isn't subtracted."
    )
    why = "A grant lets any principal, of any account, decrypt, and stands in no policy that somebody reviews."
    requirement = "PCI DSS 3.6.1, 7.2.5; AWS Well-Architected SEC08-BP04"
    mend = 'Add Bool kms:GrantIsForAWSResource "true" to the statement.'
    source_url = "https://docs.aws.amazon.com/kms/latest/developerguide/grant-authorization.html"
    tags = ("resources", "kms", "production")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each action that includes making grants."""
        for statement in _of_keys(stack):
            for_services = any(
                test.operator == "Bool"
                and test.key == "kms:grantisforawsresource"
                and all(node.truth is True for node in test.values)
                for test in statement.conditions
            )
            for action in () if for_services else _allowing(statement, _GRANT):
                yield finding(action, f"{action.text} lets the key be handed on: no kms:GrantIsForAWSResource")


def _of_keys(stack: Stack) -> Iterator[Statement]:
    """Yield what the policies of production's keys allow."""
    for key in stack.resources("AWS::KMS::Key", "AWS::KMS::ReplicaKey") if in_production(stack) else ():
        yield from (statement for statement in statements(key) if statement.allows)


def _allowing(statement: Statement, actions: tuple[str, ...]) -> Iterator[Node]:
    """Yield each element that allows one of the actions, by name or by a wildcard."""
    for node in statement.listed("Action"):
        pattern = (node.text or "").lower()
        if any(fnmatchcase(action, pattern) for action in actions):
            yield node


def _is_account(node: Node) -> bool:
    return bool(_ACCOUNT.fullmatch(node.text or ""))
