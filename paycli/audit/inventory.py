"""What is stored, and for how long: each store, its key, its backups, and what is left when the stack is deleted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from paycli.audit.model import Properties, Resource, Template, listed, mapping, mappings
from paycli.audit.readable import Names
from paycli.stack.retention import KEEPING_POLICIES

# What lies in the project's own stores, by logical ID; those of payments first.
PAYMENTS = {
    "TransactionsTable": "payments: amount, currency, customer id, description, metadata, the caller's id",
    "FailedTransactionsQueue": "refused and failed payments: the fields that keep the contract, the caller's id",
    "FailedTransactionsDeadLetterQueue": "what was received five times from the queue of failed payments",
    "BackupVault": "recovery points of the table: payments",
}
CONTENTS = {
    **PAYMENTS,
    "FunctionFailuresQueue": "events of scheduled health checks that failed; no payment",
    "AlarmTopic": "alarms and changes of health, on their way to subscribers; no payment",
    "ValidationLogs": "one line a request to /validate: ids, outcome, metrics; no field of a payment",
    "ProcessingLogs": "one line a request to /process: ids, outcome, metrics; no field of a payment",
    "HealthMonitorLogs": "one line a health check",
    "AccessLogs": "who called what, when, from which address; no header, no body",
    "ExecutionLogs": "errors of the API itself; no body",
    "FirewallLogs": "requests that the web ACL blocked or counted",
    "Key": "nothing itself: encrypts the stores",
    "ArtifactBucket": "the packaged handlers; no payment",
}
UNREADABLE = "its key is deleted: it could not be read any more"
UNKNOWN = "not known to this report"
_DAY = 24 * 3600


@dataclass(frozen=True)
class Store:
    """One store. `customer_key` is the name of the customer-managed key that encrypts it, else None."""

    logical_id: str
    kind: str
    name: str
    holds: str
    payments: bool
    encryption: str
    customer_key: str | None
    retention: str
    backup: str
    backed_up: bool
    kept: bool  # when the stack is deleted
    protected: bool  # from deletion by mistake
    on_delete: str


@dataclass(frozen=True)
class _Facts:
    """What a type says of itself; the rest is the same for all."""

    kind: str
    key: Any  # the property that names the key
    without_key: str  # the encryption where it names none
    retention: str
    backup: str = "none"
    protected: bool = False
    protection: str = "deletion protection is on"  # what protects it, where it is
    after: str = ""  # what AWS does beyond deleting it


def inventory(template: Template, names: Names) -> tuple[Store, ...]:
    """Return every store of a template, by kind."""
    found = [
        _store(template, names, resource, reader(names, resource.properties))
        for resource_type, reader in _READERS.items()
        for resource in template.of_type(resource_type)
    ]
    plans = list(_plans(template, names))
    return tuple(_with_plans(names, template.resources[store.logical_id], store, plans) for store in found)


def _store(template: Template, names: Names, resource: Resource, facts: _Facts) -> Store:
    kept = resource.deletion_policy in KEEPING_POLICIES
    called = template.called(facts.key)
    key = called if called and called.type == "AWS::KMS::Key" else None
    named = names.text(facts.key)
    return Store(
        logical_id=resource.logical_id,
        kind=facts.kind,
        name=names.of(resource),
        holds=CONTENTS.get(resource.logical_id, UNKNOWN),
        payments=resource.logical_id in PAYMENTS and facts.kind in {"table", "queue", "backup vault"},
        encryption=_encryption(names, key, named) or facts.without_key,
        customer_key=named if key or (named and "alias/aws/" not in named) else None,
        retention=facts.retention,
        backup=facts.backup,
        backed_up=facts.backup != "none",
        kept=kept,
        protected=facts.protected,
        on_delete=_on_delete(resource, facts, key, kept=kept),
    )


def _encryption(names: Names, key: Resource | None, named: str) -> str:
    if key is None:
        return f"key {named}" if named else ""
    rotation = "rotating" if names.flag(key.properties.get("EnableKeyRotation")) else "not rotating"
    return f"customer-managed key {named}, {rotation}"


def _on_delete(resource: Resource, facts: _Facts, key: Resource | None, *, kept: bool) -> str:
    if kept:
        unreadable = key is not None and key.deletion_policy not in KEEPING_POLICIES
        said = f"kept, but {UNREADABLE}" if unreadable else "kept"
        return f"{said}; {facts.protection}" if facts.protected else said
    if facts.protected:
        return f"the deletion fails: {facts.protection}"
    return f"deleted{', after a snapshot' if resource.deletion_policy == 'Snapshot' else facts.after}"


def _table(names: Names, said: Properties) -> _Facts:
    encryption = mapping(said.get("SSESpecification"))
    expiry = mapping(said.get("TimeToLiveSpecification"))
    recovery = mapping(said.get("PointInTimeRecoverySpecification"))
    days = names.number(recovery.get("RecoveryPeriodInDays")) or 35
    expires = names.flag(expiry.get("Enabled"))
    recoverable = names.flag(recovery.get("PointInTimeRecoveryEnabled"))
    return _Facts(
        kind="table",
        key=encryption.get("KMSMasterKeyId") if names.flag(encryption.get("SSEEnabled")) else None,
        without_key="AWS-managed key alias/aws/dynamodb"
        if names.flag(encryption.get("SSEEnabled"))
        else "AWS-owned key",
        retention=f"items with {names.text(expiry.get('AttributeName'))} until then, others for good"
        if expires
        else "for good",
        backup=f"point-in-time recovery, {days:g} days" if recoverable else "none",
        protected=names.flag(said.get("DeletionProtectionEnabled")),
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
        after="; AWS keeps a backup for 35 days" if recoverable else "",
    )


def _queue(names: Names, said: Properties) -> _Facts:
    seconds = names.number(said.get("MessageRetentionPeriod")) or 4 * _DAY
    own = said.get("SqsManagedSseEnabled", True)
    return _Facts(
        kind="queue",
        key=said.get("KmsMasterKeyId"),
        without_key="SQS's own key" if names.flag(own) else "none",
        retention=f"messages for {seconds / _DAY:g} days",
    )


def _topic(_names: Names, said: Properties) -> _Facts:
    return _Facts("topic", said.get("KmsMasterKeyId"), "none", "until delivered")


def _log_group(names: Names, said: Properties) -> _Facts:
    days = names.number(said.get("RetentionInDays"))
    retention = f"{days:g} days" if days else "for good"
    return _Facts("log group", said.get("KmsKeyId"), "CloudWatch's own key", retention)


def _key(names: Names, said: Properties) -> _Facts:
    days = names.number(said.get("PendingWindowInDays")) or 30
    rotation = "rotates every year" if names.flag(said.get("EnableKeyRotation")) else "does not rotate"
    waiting = f"{days:g} days in which that can be cancelled"
    return _Facts("key", None, rotation, f"until deleted, which takes {waiting}", after=f" after {waiting}")


def _bucket(names: Names, said: Properties) -> _Facts:
    rules = mappings(mapping(said.get("BucketEncryption")).get("ServerSideEncryptionConfiguration"))
    default = mapping(rules[0].get("ServerSideEncryptionByDefault")) if rules else {}
    by_kms = names.text(default.get("SSEAlgorithm")).startswith("aws:kms")
    versioned = names.text(mapping(said.get("VersioningConfiguration")).get("Status")) == "Enabled"
    rules = mappings(mapping(said.get("LifecycleConfiguration")).get("Rules"))
    expiring = any("ExpirationInDays" in rule or "ExpirationDate" in rule for rule in rules)
    return _Facts(
        kind="bucket",
        key=default.get("KMSMasterKeyID"),
        without_key="AWS-managed key alias/aws/s3" if by_kms else "S3's own key",
        retention="as its lifecycle rules say" if expiring else "for good",
        backup="old versions" if versioned else "none",
        after="; only when it is empty",
    )


def _vault(names: Names, said: Properties) -> _Facts:
    lock = mapping(said.get("LockConfiguration"))
    least = names.number(lock.get("MinRetentionDays"))
    return _Facts(
        kind="backup vault",
        key=said.get("EncryptionKeyArn"),
        without_key="AWS-managed key alias/aws/backup",
        retention=f"as the plan says, at least {least:g} days: locked" if least else "as the plan says",
        protected=bool(lock),
        # https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html
        protection="compliance lock" if "ChangeableForDays" in lock else "governance lock",
        after="; only when it is empty",
    )


_READERS: dict[str, Callable[[Names, Properties], _Facts]] = {
    "AWS::DynamoDB::Table": _table,
    "AWS::SQS::Queue": _queue,
    "AWS::SNS::Topic": _topic,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::S3::Bucket": _bucket,
    "AWS::Backup::BackupVault": _vault,
    "AWS::KMS::Key": _key,
}


@dataclass(frozen=True)
class _Plan:
    """What a backup plan saves, and in words how."""

    resources: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    words: str


def _plans(template: Template, names: Names) -> Iterator[_Plan]:
    for selection in template.of_type("AWS::Backup::BackupSelection"):
        said = mapping(selection.properties.get("BackupSelection"))
        plan = template.called(selection.properties.get("BackupPlanId"))
        chosen = [resource.logical_id for arn in listed(said.get("Resources")) if (resource := template.called(arn))]
        tags = [
            (names.text(tag.get("ConditionKey")), names.text(tag.get("ConditionValue")))
            for tag in mappings(said.get("ListOfTags"))
        ]
        yield _Plan(tuple(chosen), tuple(tags), _in_words(names, plan) if plan else "a backup plan from elsewhere")


def _in_words(names: Names, plan: Resource) -> str:
    rules = mappings(mapping(plan.properties.get("BackupPlan")).get("BackupPlanRule"))
    return "; ".join(_rule(names, rule) for rule in rules) or "a backup plan without a rule"


def _rule(names: Names, rule: Properties) -> str:
    days = names.number(mapping(rule.get("Lifecycle")).get("DeleteAfterDays"))
    kept = f"kept {days:g} days" if days else "kept for good"
    copied = ", copied to another vault" if listed(rule.get("CopyActions")) else ""
    schedule = names.text(rule.get("ScheduleExpression")) or "no schedule"
    return f"backup {schedule}, {kept} in {names.text(rule.get('TargetBackupVault'))}{copied}"


def _with_plans(names: Names, resource: Resource, store: Store, plans: list[_Plan]) -> Store:
    """Add the backup plans that take a store in, by its ARN or its tags."""
    tags = {
        (names.text(tag.get("Key")), names.text(tag.get("Value"))) for tag in mappings(resource.properties.get("Tags"))
    }
    taken = [plan.words for plan in plans if resource.logical_id in plan.resources or tags & set(plan.tags)]
    if store.kind not in {"table", "bucket"} or not taken:
        return store
    ways = [store.backup] if store.backed_up else []
    return replace(store, backup="; ".join([*ways, *taken]), backed_up=True)
