"""The daily backup: what, where to, by whom, and what is left of it."""

from typing import Any

import pytest

from paycli.environment import Environment
from paycli.stack import build

BACKUP = {"AWS::Backup::BackupVault", "AWS::Backup::BackupPlan", "AWS::Backup::BackupSelection"}


def types(built: Any) -> set[str]:
    return {resource["Type"] for resource in built.template["Resources"].values()}


def test_it_is_there_where_the_setting_says_so_and_nowhere_else(dev: Any, prod: Any, local: Any, stack: Any) -> None:
    for built in (dev, local):
        assert not BACKUP & types(built)
        assert "BackupRole" not in built.template["Resources"]
        assert "BackupVaultName" not in built.template["Outputs"]
    for built in (prod, stack(backup=True)):
        assert types(built) >= BACKUP
        assert built.template["Outputs"]["BackupVaultName"]["Value"] == {"Ref": "BackupVault"}


def test_the_table_is_backed_up_every_day_and_kept_as_long_as_the_setting_says(stack: Any) -> None:
    built = stack(backup=True, backup_retention_days=90)
    (rule,) = built["BackupPlan"]["BackupPlan"]["BackupPlanRule"]
    assert rule["ScheduleExpression"].endswith(" * * ? *)")
    assert rule["Lifecycle"] == {"DeleteAfterDays": 90}
    assert rule["TargetBackupVault"] == {"Ref": "BackupVault"}
    selection = built["BackupSelection"]["BackupSelection"]
    assert selection["Resources"] == [{"Fn::GetAtt": ["TransactionsTable", "Arn"]}]
    assert selection["IamRoleArn"] == {"Fn::GetAtt": ["BackupRole", "Arn"]}


def test_kept_backups_are_locked_until_their_time(stack: Any) -> None:
    kept = stack(backup=True, retain_data=True, backup_retention_days=90)
    assert kept["BackupVault"]["LockConfiguration"] == {"MinRetentionDays": 90}  # no date: governance mode
    assert kept.resource("BackupVault")["DeletionPolicy"] == "RetainExceptOnCreate"
    assert "LockConfiguration" not in stack(backup=True)["BackupVault"]


def test_a_vault_that_is_left_is_not_in_the_way_of_the_next_stack() -> None:
    environment = Environment(name="a" * 20, backup=True)
    name = build(environment).to_dict()["Resources"]["BackupVault"]["Properties"]["BackupVaultName"]["Fn::Sub"]
    assert name == f"transactions-{environment.name}-${{RestApi}}"
    assert len(name.replace("${RestApi}", "a1b2c3d4e5")) <= 50  # AWS Backup's limit


def test_the_vault_has_the_customers_key_and_the_key_lets_aws_backup_use_it(prod: Any, dev: Any) -> None:
    assert prod["BackupVault"]["EncryptionKeyArn"] == {"Fn::GetAtt": ["Key", "Arn"]}
    for built, expected in ((prod, True), (dev, False)):
        statements = {statement["Sid"]: statement for statement in built["Key"]["KeyPolicy"]["Statement"]}
        for sid in ("UseByIamThroughTheStores", "GrantsByIamForTheStores"):
            services = statements[sid]["Condition"]["StringEquals"]["kms:ViaService"]
            found = {"Fn::Sub": "backup.${AWS::Region}.${AWS::URLSuffix}"} in services
            assert found == expected, sid


def test_aws_backup_may_do_what_one_table_needs(prod: Any) -> None:
    rights = {
        action: statement["Resource"]
        for statement in prod["BackupPolicy"]["PolicyDocument"]["Statement"]
        for action in statement["Action"]
    }
    table = {"Fn::GetAtt": ["TransactionsTable", "Arn"]}
    backups = {"Fn::Sub": "${TransactionsTable.Arn}/backup/*"}
    key = {"Fn::GetAtt": ["Key", "Arn"]}
    points = "arn:${AWS::Partition}:backup:${AWS::Region}:${AWS::AccountId}:recovery-point:*"
    assert rights == {
        "dynamodb:CreateBackup": table,
        "dynamodb:DescribeTable": table,
        "dynamodb:ListTagsOfResource": table,
        "dynamodb:StartAwsBackupJob": table,
        "dynamodb:DeleteBackup": backups,
        "dynamodb:DescribeBackup": backups,
        "backup:DescribeBackupVault": {"Fn::GetAtt": ["BackupVault", "BackupVaultArn"]},
        "backup:TagResource": {"Fn::Sub": points},
        "kms:DescribeKey": key,
        "kms:Decrypt": key,
        "kms:GenerateDataKey": key,
        "kms:CreateGrant": key,
    }
    assert prod["BackupRole"]["ManagedPolicyArns"] == [{"Ref": "BackupPolicy"}]
    (trust,) = prod["BackupRole"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "backup.amazonaws.com"}


def test_a_backup_that_fails_is_told(prod: Any) -> None:
    alarm = prod["BackupFailuresAlarm"]
    watched = {query["MetricStat"]["Metric"]["MetricName"] for query in alarm["Metrics"] if "MetricStat" in query}
    assert watched == {"NumberOfBackupJobsFailed", "NumberOfBackupJobsExpired"}
    for query in alarm["Metrics"]:
        if "MetricStat" in query:
            assert query["MetricStat"]["Metric"]["Dimensions"] == [
                {"Name": "BackupVaultName", "Value": {"Ref": "BackupVault"}}
            ]
    assert alarm["Threshold"] == 1


@pytest.mark.parametrize("kind", ["BackupPlan", "BackupVault"])
def test_what_aws_backup_makes_is_tagged(stack: Any, kind: str) -> None:
    tags = stack("prod", tags={"Team": "payments"})[kind][f"{kind}Tags"]
    assert tags == {"Team": "payments", "Project": "payment-api", "Environment": "prod", "ManagedBy": "paycli"}
