"""The daily backup of the table: a vault, the plan that fills it, and the role that does.

Point-in-time recovery ends with the table, whoever deletes it; a recovery point in the vault stays.
"""

from typing import TYPE_CHECKING

from troposphere import Sub, Template
from troposphere.backup import (
    BackupPlan,
    BackupPlanResourceType,
    BackupRuleResourceType,
    BackupSelection,
    BackupSelectionResourceType,
    BackupVault,
    LifecycleResourceType,
    LockConfigurationType,
)
from troposphere.dynamodb import Table
from troposphere.iam import ManagedPolicy, Role
from troposphere.kms import Key

from paycli.stack.permissions import service_trust
from paycli.stack.policies import allow, arn, policy, via
from paycli.stack.retention import data_policies

if TYPE_CHECKING:
    from paycli.environment import Environment

DAILY = "cron(0 3 * * ? *)"  # UTC; AWS Backup starts within the 8 hours after


def add_backup(template: Template, environment: "Environment", key: Key, table: Table) -> BackupVault:
    """Add the vault, the plan and the role."""
    vault = _add_vault(template, environment, key)
    plan = template.add_resource(
        BackupPlan(
            "BackupPlan",
            BackupPlan=BackupPlanResourceType(
                BackupPlanName=environment.named("transactions"),
                BackupPlanRule=[
                    BackupRuleResourceType(
                        RuleName="daily",
                        TargetBackupVault=vault.ref(),
                        ScheduleExpression=DAILY,
                        Lifecycle=LifecycleResourceType(DeleteAfterDays=environment.backup_retention_days),
                    )
                ],
            ),
        )
    )
    template.add_resource(
        BackupSelection(
            "BackupSelection",
            BackupPlanId=plan.ref(),
            BackupSelection=BackupSelectionResourceType(
                SelectionName="transactions",
                IamRoleArn=_add_role(template, key, table, vault).get_att("Arn"),
                Resources=[table.get_att("Arn")],
            ),
        )
    )
    return vault


def _add_vault(template: Template, environment: "Environment", key: Key) -> BackupVault:
    """Add the vault, under a name that ends in the API's id, which no other stack has.

    A vault that outlives its stack would be in the way of the next stack's, whose key is another. Where the data is
    kept, the vault is locked in governance mode: no recovery point goes before its time, unless somebody with the
    right to it takes the lock away first.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html
    """
    vault = BackupVault(
        "BackupVault",
        **data_policies(environment),
        BackupVaultName=Sub(f"{environment.named('transactions')}-${{RestApi}}"),
        EncryptionKeyArn=key.get_att("Arn"),
    )
    if environment.retain_data:
        vault.LockConfiguration = LockConfigurationType(MinRetentionDays=environment.backup_retention_days)
    return template.add_resource(vault)


def _add_role(template: Template, key: Key, table: Table, vault: BackupVault) -> Role:
    """Add the role of AWS Backup: of AWS's own policy for it what one table needs.

    Whether an account uses the advanced features for DynamoDB decides which of the two calls makes the backup.
    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForBackup.html
    """
    key_arn = key.get_att("Arn")
    statements = [
        allow(
            "BackUpTable",
            [
                "dynamodb:CreateBackup",
                "dynamodb:DescribeTable",
                "dynamodb:ListTagsOfResource",
                "dynamodb:StartAwsBackupJob",
            ],
            table.get_att("Arn"),
        ),
        allow(
            "ExpireBackups",
            ["dynamodb:DeleteBackup", "dynamodb:DescribeBackup"],
            Sub(f"${{{table.title}.Arn}}/backup/*"),
        ),
        allow("FillVault", ["backup:DescribeBackupVault"], vault.get_att("BackupVaultArn")),
        allow("TagRecoveryPoints", ["backup:TagResource"], arn("backup", "recovery-point:*")),
        allow("DescribeKey", ["kms:DescribeKey"], key_arn),
        allow(
            "UseKeyThroughServices",
            ["kms:Decrypt", "kms:GenerateDataKey"],
            key_arn,
            condition=via("backup", "dynamodb"),
        ),
        allow(
            "GrantKeyToServices",
            ["kms:CreateGrant"],
            key_arn,
            condition={**via("backup", "dynamodb"), "Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
    ]
    rights = template.add_resource(
        ManagedPolicy(
            "BackupPolicy",
            Description="What AWS Backup may do to back up the table of payments.",
            PolicyDocument=policy(*statements),
        )
    )
    return template.add_resource(
        Role(
            "BackupRole",
            Description="AWS Backup backs up the table of payments.",
            AssumeRolePolicyDocument=service_trust("backup"),
            ManagedPolicyArns=[rights.ref()],
        )
    )
