"""What production keeps."""

from typing import Any

import pytest

from tests.unit.audit.audited import NOTHING, either, ref, resource, said

PRODUCTION = {"Metadata": {"Paycli": {"Environment": "prod", "RetainData": True}}}
DEVELOPMENT = {"Metadata": {"Paycli": {"Environment": "dev", "RetainData": False}}}
PARAMETERS = {
    "Protect": {"Type": "String", "Default": "true"},
    "Expose": {"Type": "String", "Default": "false"},
    "Unset": {"Type": "String"},
}
TYPES = [
    "AWS::Backup::BackupVault",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
]


@pytest.mark.parametrize("resource_type", TYPES)
def test_what_holds_data_is_kept_in_production(resource_type: str) -> None:
    kept = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
    for rule, attribute in (("E9521", "DeletionPolicy"), ("E9522", "UpdateReplacePolicy")):
        wrong = {**kept, attribute: "Delete"}
        missing = {key: value for key, value in kept.items() if key != attribute}
        assert said(rule, {"Data": resource(resource_type, kept)}, **PRODUCTION) == []
        assert said(rule, {"Data": resource(resource_type, wrong)}, **PRODUCTION) == ["Data"]
        assert said(rule, {"Data": resource(resource_type, missing)}, **PRODUCTION) == ["Data"]
        assert said(rule, {"Data": resource(resource_type, wrong)}, **DEVELOPMENT) == []


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("Retain", []),
        (either("Retain", "RetainExceptOnCreate"), []),
        (either("Retain", "Delete"), ["Data"]),
        (ref("Unset"), []),
        ("Snapshot", ["Data"]),
    ],
)
def test_a_deletion_policy_by_a_function(value: Any, found: list[str]) -> None:
    queue = resource("AWS::SQS::Queue", {"DeletionPolicy": value})
    assert said("E9521", {"Data": queue}, Parameters=PARAMETERS, **PRODUCTION) == found


def test_what_holds_no_data_may_go() -> None:
    assert said("E9521", {"Topic": resource("AWS::SNS::Topic")}, **PRODUCTION) == []


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (True, []),
        ("true", []),
        (ref("Protect"), []),
        (ref("Unset"), []),
        (ref("Expose"), ["Table"]),
        (False, ["Table"]),
        ("false", ["Table"]),
        (either(True, NOTHING), ["Table"]),
        (NOTHING, ["Table"]),
    ],
)
def test_deletion_protection_of_a_production_table(value: Any, found: list[str]) -> None:
    table = {"Table": resource("AWS::DynamoDB::Table", DeletionProtectionEnabled=value)}
    assert said("E9523", table, Parameters=PARAMETERS, **PRODUCTION) == found
    assert said("E9523", table, Parameters=PARAMETERS, **DEVELOPMENT) == []


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"PointInTimeRecoveryEnabled": True}, []),
        ({"PointInTimeRecoveryEnabled": "false"}, ["Table"]),
        ({"RecoveryPeriodInDays": 7}, ["Table"]),
        (NOTHING, ["Table"]),
        (either({"PointInTimeRecoveryEnabled": True}, NOTHING), ["Table"]),
        ({"Fn::ImportValue": "x"}, []),
    ],
)
def test_recovery_to_a_point_in_time(value: Any, found: list[str]) -> None:
    table = resource("AWS::DynamoDB::Table", PointInTimeRecoverySpecification=value)
    assert said("W9524", {"Table": table}) == found
