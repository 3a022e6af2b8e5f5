"""What is stored, under which key, for how long, and what is left when the stack is deleted."""

from typing import Any

import pytest

from paycli.audit.inventory import UNKNOWN, Store
from paycli.audit.report import facts
from tests.unit.audit.templates import changed, facts_of, payments, project, read_document, resource

KEY = {"Fn::GetAtt": ["Key", "Arn"]}


def own(logical_id: str, document: dict[str, Any] | None = None) -> Store:
    stores = facts(read_document(document or payments())).data
    (found,) = (store for store in stores if store.logical_id == logical_id)
    return found


def only(made: dict[str, Any], **more: Any) -> Store:
    """The one store of a template that is no key."""
    (found,) = (store for store in facts_of({"Thing": made, **more}).data if store.logical_id == "Thing")
    return found


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_report_knows_what_lies_in_every_store_of_the_project(name: str) -> None:
    unknown = [store.logical_id for store in facts(read_document(project(name))).data if store.holds == UNKNOWN]
    assert unknown == []


def test_payments_are_kept_or_not() -> None:
    unprotected = changed(payments(), "TransactionsTable", "Properties", "DeletionProtectionEnabled", to=None)
    kept = own("TransactionsTable")
    lost = own("TransactionsTable", changed(unprotected, "TransactionsTable", "DeletionPolicy", to="Delete"))
    assert kept.payments
    assert kept.holds.startswith("payments: ")
    assert kept.encryption == "customer-managed key alias/payments-prod, rotating"
    assert kept.retention == "items with expires_at until then, others for good"
    assert kept.backup == "point-in-time recovery, 35 days"
    assert (kept.kept, kept.protected, kept.on_delete) == (True, True, "kept; deletion protection is on")
    assert (lost.kept, lost.protected, lost.on_delete) == (False, False, "deleted; AWS keeps a backup for 35 days")
    gone = own("Key", changed(payments(), "Key", "DeletionPolicy", to="Delete"))
    assert gone.on_delete == "deleted after 30 days in which that can be cancelled"
    assert own("FailedTransactionsQueue").retention == "messages for 14 days"
    assert own("AccessLogs").retention == "400 days"


def test_what_is_kept_without_its_key_is_as_good_as_gone() -> None:
    document = changed(payments(), "Key", "DeletionPolicy", to="Delete")
    (table,) = (store for store in facts(read_document(document)).data if store.kind == "table")
    assert table.on_delete == "kept, but its key is deleted: it could not be read any more; deletion protection is on"


@pytest.mark.parametrize(
    ("made", "encryption", "retention", "backup", "on_delete"),
    [
        (resource("DynamoDB::Table"), "AWS-owned key", "for good", "none", "deleted"),
        (
            resource(
                "DynamoDB::Table", "Snapshot", SSESpecification={"SSEEnabled": True}, DeletionProtectionEnabled=True
            ),
            "AWS-managed key alias/aws/dynamodb",
            "for good",
            "none",
            "the deletion fails: deletion protection is on",
        ),
        (
            resource(
                "DynamoDB::Table",
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 7},
            ),
            "AWS-owned key",
            "for good",
            "point-in-time recovery, 7 days",
            "deleted; AWS keeps a backup for 35 days",
        ),
        (resource("SQS::Queue"), "SQS's own key", "messages for 4 days", "none", "deleted"),
        (resource("SQS::Queue", SqsManagedSseEnabled=False), "none", "messages for 4 days", "none", "deleted"),
        (
            resource("SQS::Queue", KmsMasterKeyId="alias/aws/sqs"),
            "key alias/aws/sqs",
            "messages for 4 days",
            "none",
            "deleted",
        ),
        (resource("SNS::Topic"), "none", "until delivered", "none", "deleted"),
        (resource("Logs::LogGroup", "Retain"), "CloudWatch's own key", "for good", "none", "kept"),
        (
            resource("Logs::LogGroup", KmsKeyId=KEY, RetentionInDays=7),
            "customer-managed key Key, not rotating",
            "7 days",
            "none",
            "deleted",
        ),
        (
            resource("KMS::Key"),
            "does not rotate",
            "until deleted, which takes 30 days in which that can be cancelled",
            "none",
            "deleted after 30 days in which that can be cancelled",
        ),
        (resource("S3::Bucket", "Snapshot"), "S3's own key", "for good", "none", "deleted, after a snapshot"),
        (
            resource(
                "S3::Bucket",
                BucketEncryption={
                    "ServerSideEncryptionConfiguration": [
                        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
                    ]
                },
                VersioningConfiguration={"Status": "Enabled"},
                LifecycleConfiguration={"Rules": [{"ExpirationInDays": 3}]},
            ),
            "AWS-managed key alias/aws/s3",
            "as its lifecycle rules say",
            "old versions",
            "deleted; only when it is empty",
        ),
        (
            resource("Backup::BackupVault", EncryptionKeyArn=KEY),
            "customer-managed key Key, not rotating",
            "as the plan says",
            "none",
            "deleted; only when it is empty",
        ),
        (
            resource("Backup::BackupVault", "Retain", LockConfiguration={"MinRetentionDays": 30}),
            "AWS-managed key alias/aws/backup",
            "as the plan says, at least 30 days: locked",
            "none",
            "kept; governance lock",
        ),
        (
            resource("Backup::BackupVault", LockConfiguration={"MinRetentionDays": 30, "ChangeableForDays": 3}),
            "AWS-managed key alias/aws/backup",
            "as the plan says, at least 30 days: locked",
            "none",
            "the deletion fails: compliance lock",
        ),
    ],
)
def test_each_kind_of_store_says_how_it_is_kept(
    made: dict[str, Any], encryption: str, retention: str, backup: str, on_delete: str
) -> None:
    found = only(made, Key=resource("KMS::Key"))
    assert (found.encryption, found.retention, found.backup, found.on_delete) == (
        encryption,
        retention,
        backup,
        on_delete,
    )
    assert found.holds == UNKNOWN


TABLE = resource(
    "DynamoDB::Table",
    TableName="t",
    Tags=[{"Key": "Backup", "Value": "daily"}],
    PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
)
PLAN = resource(
    "Backup::BackupPlan",
    BackupPlan={
        "BackupPlanRule": [
            {
                "TargetBackupVault": {"Ref": "Vault"},
                "ScheduleExpression": "cron(0 5 * * ? *)",
                "Lifecycle": {"DeleteAfterDays": 90},
                "CopyActions": [{}],
            }
        ]
    },
)
VAULT = resource("Backup::BackupVault", BackupVaultName="safe")
PLANNED = "backup cron(0 5 * * ? *), kept 90 days in safe, copied to another vault"


def selection(**said: Any) -> dict[str, Any]:
    return resource("Backup::BackupSelection", BackupPlanId={"Ref": "Plan"}, BackupSelection=said)


@pytest.mark.parametrize(
    ("chosen", "backup"),
    [
        (selection(Resources=[{"Fn::GetAtt": ["Thing", "Arn"]}]), f"point-in-time recovery, 35 days; {PLANNED}"),
        (
            selection(ListOfTags=[{"ConditionKey": "Backup", "ConditionValue": "daily"}]),
            f"point-in-time recovery, 35 days; {PLANNED}",
        ),
        (selection(ListOfTags=[{"ConditionKey": "Backup", "ConditionValue": "no"}]), "point-in-time recovery, 35 days"),
        (selection(Resources=["arn:elsewhere"]), "point-in-time recovery, 35 days"),
    ],
)
def test_a_backup_plan_is_the_backup_of_what_it_takes_in(chosen: dict[str, Any], backup: str) -> None:
    assert only(TABLE, Plan=PLAN, Vault=VAULT, Selection=chosen).backup == backup


def test_a_plan_from_elsewhere_and_one_without_a_rule() -> None:
    chosen = selection(Resources=[{"Fn::GetAtt": ["Thing", "Arn"]}])
    made = resource("DynamoDB::Table")
    assert only(made, Selection=chosen).backup == "a backup plan from elsewhere"
    empty = resource("Backup::BackupPlan", BackupPlan={})
    assert only(made, Selection=chosen, Plan=empty).backup == "a backup plan without a rule"
    bare = resource("Backup::BackupPlan", BackupPlan={"BackupPlanRule": [{"TargetBackupVault": "Default"}]})
    assert only(made, Selection=chosen, Plan=bare).backup == "backup no schedule, kept for good in Default"
    assert only(made, Selection=chosen, Plan=bare).backed_up


def test_a_log_group_is_in_no_backup_plan() -> None:
    chosen = selection(Resources=[{"Fn::GetAtt": ["Thing", "Arn"]}])
    assert only(resource("Logs::LogGroup"), Selection=chosen, Plan=PLAN, Vault=VAULT).backup == "none"


def test_another_type_under_the_tables_name_is_no_store_of_payments() -> None:
    assert not facts_of({"TransactionsTable": resource("S3::Bucket")}).data[0].payments
