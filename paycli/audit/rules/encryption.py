"""What lies still is locked, with a key of the customer's that changes."""

from collections.abc import Iterator

from cfnlint.rules import RuleMatch

from paycli.audit.rule import AuditRule, finding
from paycli.audit.template import Node, Resource, Stack


class StoreUnencrypted(AuditRule):
    """A store that nobody said to encrypt."""

    id = "E9621"
    shortdesc = "A store isn't encrypted as payments must be"
    description = (
        "A table, queue or topic has a key of AWS's (alias/aws/...), a table or topic no key at all, a queue neither "
        "a key nor SqsManagedSseEnabled, a bucket no BucketEncryption."
    )
    why = "Whoever gets at the storage or may read the service reads the payments; nothing records the use of a key."
    requirement = "PCI DSS 3.5.1; AWS Security Hub SQS.1, SNS.1, S3.17; AWS Well-Architected SEC08-BP02"
    mend = "Name the key: SSESpecification (SSEType KMS, KMSMasterKeyId), KmsMasterKeyId, BucketEncryption."
    source_url = "https://docs.aws.amazon.com/kms/latest/developerguide/service-integration.html"
    tags = ("resources", "kms", "dynamodb", "sqs", "sns", "s3")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each store that isn't locked."""
        for table in stack.resources("AWS::DynamoDB::Table"):
            for node in table.get("SSESpecification", "SSEEnabled"):
                if node.absent or node.truth is False:
                    yield finding(node, f"{table.name} isn't encrypted with a key of yours")
            for node in table.get("SSESpecification", "KMSMasterKeyId"):
                if node.absent or _of_aws(node):
                    yield _with_key_of_aws(table, node)
        for store in stack.resources("AWS::SQS::Queue", "AWS::SNS::Topic"):
            yield from (_with_key_of_aws(store, node) for node in store.get("KmsMasterKeyId") if _of_aws(node))
        for queue in stack.resources("AWS::SQS::Queue"):
            managed = all(node.truth is True for node in queue.get("SqsManagedSseEnabled"))
            yield from () if managed else _without(queue, "KmsMasterKeyId")
        for topic in stack.resources("AWS::SNS::Topic"):
            yield from _without(topic, "KmsMasterKeyId")
        for bucket in stack.resources("AWS::S3::Bucket"):
            yield from _without(bucket, "BucketEncryption", "ServerSideEncryptionConfiguration")


class EnvironmentUnencrypted(AuditRule):
    """A function's variables are locked with AWS's key alone."""

    id = "W9622"
    shortdesc = "A function's environment isn't encrypted with a key of yours"
    description = "A function with variables has no KmsKeyArn."
    why = "Everybody with lambda:GetFunctionConfiguration reads them; a key of yours is a second lock."
    requirement = "PCI DSS 3.5.1; AWS Well-Architected SEC08-BP02"
    mend = "Set KmsKeyArn."
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html"
    tags = ("resources", "lambda", "kms")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each function without it."""
        for function in stack.resources("AWS::Lambda::Function"):
            if any(node.mapping for node in function.get("Environment", "Variables")):
                yield from _without(function, "KmsKeyArn")


class KeyWithoutRotation(AuditRule):
    """A key that stays the same for ever."""

    id = "E9623"
    shortdesc = "A key isn't rotated"
    description = "A symmetric customer-managed key has no EnableKeyRotation."
    why = "A key that never changes protects ever more; PCI DSS demands a change at the end of its cryptoperiod."
    requirement = "PCI DSS 3.7.4; AWS Security Hub KMS.4; AWS Well-Architected SEC08-BP01"
    mend = "Set EnableKeyRotation to true."
    source_url = "https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html"
    tags = ("resources", "kms")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each key without it; KMS rotates neither asymmetric nor HMAC nor imported keys."""
        for key in stack.resources("AWS::KMS::Key"):
            if _rotatable(key):
                for node in key.get("EnableKeyRotation"):
                    if node.absent or node.truth is False:
                        yield finding(node, f"{key.name} isn't rotated")


def _of_aws(node: Node) -> bool:
    """Whether a key is one that AWS manages: its policy lets in whoever may use the service in the account."""
    return "alias/aws/" in (node.text or "")


def _with_key_of_aws(store: Resource, place: Node) -> RuleMatch:
    return finding(place, f"{store.name} is encrypted with a key of AWS's")


def _without(resource: Resource, *keys: str) -> Iterator[RuleMatch]:
    for node in resource.get(*keys):
        if node.absent or node.value in ("", []):
            yield finding(node, f"{resource.name} isn't encrypted with a key: no {keys[0]}")


def _rotatable(key: Resource) -> bool:
    def only(nodes: list[Node], default: str) -> bool:
        return all(node.absent or node.text == default for node in nodes)

    return only(key.get("KeySpec"), "SYMMETRIC_DEFAULT") and only(key.get("Origin"), "AWS_KMS")
