"""The policy documents of a template, statement by statement, however they are spelled."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import ip_network
from typing import Literal

from paycli.audit.template import Node, Resource, Stack

# Whose document it is: an identity's rights, the trust in a role, a key's policy, or the policy of another resource.
Kind = Literal["identity", "trust", "key", "resource"]

_DOCUMENTS: dict[str, tuple[tuple[Kind, tuple[str, ...]], ...]] = {
    "AWS::IAM::Role": (("trust", ("AssumeRolePolicyDocument",)),),
    "AWS::IAM::ManagedPolicy": (("identity", ("PolicyDocument",)),),
    "AWS::IAM::Policy": (("identity", ("PolicyDocument",)),),
    "AWS::IAM::RolePolicy": (("identity", ("PolicyDocument",)),),
    "AWS::IAM::UserPolicy": (("identity", ("PolicyDocument",)),),
    "AWS::IAM::GroupPolicy": (("identity", ("PolicyDocument",)),),
    "AWS::SSO::PermissionSet": (("identity", ("InlinePolicy",)),),
    "AWS::KMS::Key": (("key", ("KeyPolicy",)),),
    "AWS::KMS::ReplicaKey": (("key", ("KeyPolicy",)),),
    "AWS::ApiGateway::RestApi": (("resource", ("Policy",)),),
    "AWS::Backup::BackupVault": (("resource", ("AccessPolicy",)),),
    "AWS::DynamoDB::Table": (
        ("resource", ("ResourcePolicy", "PolicyDocument")),
        ("resource", ("StreamSpecification", "ResourcePolicy", "PolicyDocument")),
    ),
    "AWS::ECR::Repository": (("resource", ("RepositoryPolicyText",)),),
    "AWS::Logs::ResourcePolicy": (("resource", ("PolicyDocument",)),),
    "AWS::S3::BucketPolicy": (("resource", ("PolicyDocument",)),),
    "AWS::SNS::TopicInlinePolicy": (("resource", ("PolicyDocument",)),),
    "AWS::SNS::TopicPolicy": (("resource", ("PolicyDocument",)),),
    "AWS::SQS::QueueInlinePolicy": (("resource", ("PolicyDocument",)),),
    "AWS::SQS::QueuePolicy": (("resource", ("PolicyDocument",)),),
    "AWS::SecretsManager::ResourcePolicy": (("resource", ("ResourcePolicy",)),),
}
_WITH_INLINE_POLICIES = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")

# What says which account, organization or network a caller comes from, so that "*" isn't everybody.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
# https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-caller-account
CALLER_KEYS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "aws:vpcsourceip",
        "kms:calleraccount",
    }
)
# A pseudo parameter, whose colons part no ARN.
PSEUDO = re.compile(r"\$\{AWS::([A-Za-z]+)\}")
# Tests that leave out services of AWS alone, so that they let no caller through.
_OF_SERVICES = {"aws:principalisawsservice", "aws:viaawsservice"}
# A value that callers of every account meet: wildcards alone, an account's number or an organization's id with a
# wildcard, an ARN with one for the account. A bucket is one account's, though its ARN doesn't say whose.
_EVERY_CALLER = re.compile(
    r"[0-9*?]*[*?][0-9*?]*|(o-|r-|ou-|vpc-|vpce-)[*?]+|arn:[^:]*[*?]|(?!arn:[^:]*:s3:)arn(:[^:]*){3}:[0-9]*[*?].*"
    r"|arn(:[^:]*){1,2}:[*?]+"
)
# Networks that AWS calls public too, though they aren't the whole internet.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
_NARROWEST_PUBLIC = {4: 7, 6: 31}


def every_caller(text: str) -> bool:
    """Whether a condition's value is one that callers of every account can meet."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return bool(_EVERY_CALLER.fullmatch(PSEUDO.sub(r"${\1}", text)))
    return network.prefixlen <= _NARROWEST_PUBLIC[network.version]


# An API's policy may leave out all that comes before the stage.
_THIS_API = re.compile(r"^(arn:.*:)?execute-api:[^/]*/")


@dataclass(frozen=True)
class Condition:
    """One test of a statement; the key is in lower case, since IAM compares keys so."""

    operator: str
    key: str
    values: list[Node]

    @property
    def demands(self) -> bool:
        """Whether it lets through only those who have the key, with a value that is listed.

        ...IfExists and ForAllValues are also true of a request without the key.
        """
        operator = self.operator.removeprefix("ForAnyValue:")
        return bool(re.fullmatch("(String|Arn)(Equals|Like|EqualsIgnoreCase)|IpAddress", operator))

    @property
    def says_who(self) -> bool:
        """Whether it is about callers, and has no value that all of them meet."""
        return self.key in CALLER_KEYS and not any(every_caller(node.text or "") for node in self.values)


@dataclass(frozen=True)
class Statement:
    """One statement of a policy document."""

    resource: Resource  # of the template
    kind: Kind
    node: Node

    @property
    def allows(self) -> bool:
        """Whether its effect is Allow."""
        return any(node.text == "Allow" for node in self.node.get("Effect"))

    @property
    def denies(self) -> bool:
        """Whether its effect is Deny."""
        return any(node.text == "Deny" for node in self.node.get("Effect"))

    def listed(self, key: str) -> list[Node]:
        """Return what stands under Action, Resource and the like, one or a list."""
        return [item for node in self.node.get(key) for item in node.items()]

    def acts(self, *actions: str) -> bool:
        """Whether it is about one of these actions, wildcards spelled out; case doesn't matter to IAM."""
        return bool({(node.text or "").lower() for node in self.listed("Action")} & {name.lower() for name in actions})

    def principals(self, kind: str) -> list[Node]:
        """Return the principals of a kind, such as Service; everybody, "*", is of the kind AWS."""
        return [
            principal
            for node in self.listed("Principal")
            for principal in ([node] if node.text == "*" and kind == "AWS" else _members(node, kind))
        ]

    @property
    def for_everybody(self) -> list[Node]:
        """The principals that are a wildcard."""
        return [node for node in self.principals("AWS") if node.text == "*"]

    @property
    def conditions(self) -> list[Condition]:
        """Every test that must be passed."""
        return [
            Condition(operator, key.lower(), [item for node in keys.get(key) for item in node.items()])
            for block in self.node.get("Condition")
            for operator in block.keys
            for keys in block.get(operator)
            for key in keys.keys
        ]

    @property
    def narrowed(self) -> bool:
        """Whether a condition says which callers are meant."""
        return any(test.demands and test.says_who for test in self.conditions)

    @property
    def denies_all_but_some(self) -> bool:
        """Whether it denies everybody but callers that a condition names; any further test would let more through."""
        tests = [test for test in self.conditions if test.key not in _OF_SERVICES]
        named = bool(tests) and all(test.says_who and "Not" in test.operator for test in tests)
        return self.denies and bool(self.for_everybody) and named

    def shuts(self, allowing: "Statement") -> bool:
        """Whether it denies all that another statement allows, to everybody but callers that a condition names."""
        return self.denies_all_but_some and all(
            any(fnmatchcase(allowed, denied) for denied in self._patterns(element))
            for element in ("Action", "Resource")
            for allowed in allowing._patterns(element)
        )

    def _patterns(self, element: str) -> list[str]:
        """Return what stands under Action or Resource; what can't be read is everything to allow, nothing to deny."""
        nodes = self.listed(element)
        if any(not node.absent for node in self.node.get(f"Not{element}")):
            nodes = [Node(self.node.stack, None, self.node.path)]
        texts = [("*" if self.allows else "") if node.text is None else node.text for node in nodes]
        return [_THIS_API.sub("", text).lower() for text in texts]


def statements(resource: Resource) -> Iterator[Statement]:
    """Yield every statement of a resource's policy documents."""
    for kind, document in _documents(resource):
        for node in document.get("Statement"):
            for item in node.items():
                yield Statement(resource, kind, item)


def all_statements(stack: Stack) -> Iterator[Statement]:
    """Yield every statement of the template."""
    for resource in stack.all_resources.values():
        yield from statements(resource)


def attached(stack: Stack, target: Resource) -> Iterator[Statement]:
    """Yield the statements of the policies that are there whenever a queue, topic or bucket is."""
    for resource in stack.resources(*_ATTACHMENTS):
        targets = resource.listed(_ATTACHMENTS[resource.type])
        if resource.exists_with(target) and any(node.identifies(target) for node in targets):
            yield from statements(resource)


_ATTACHMENTS = {
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::SNS::TopicInlinePolicy": "TopicArn",
    "AWS::SNS::TopicPolicy": "Topics",
    "AWS::SQS::QueueInlinePolicy": "Queue",
    "AWS::SQS::QueuePolicy": "Queues",
}


def _documents(resource: Resource) -> Iterator[tuple[Kind, Node]]:
    for kind, keys in _DOCUMENTS.get(resource.type, ()):
        for document in resource.get(*keys):
            yield kind, document
    if resource.type in _WITH_INLINE_POLICIES:
        for policy in resource.listed("Policies"):
            for document in policy.get("PolicyDocument"):
                yield "identity", document


def _members(node: Node, kind: str) -> list[Node]:
    return [item for member in node.get(kind) for item in member.items()]
