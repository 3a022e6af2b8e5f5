"""What lies still is locked."""

from typing import Any

import pytest

from tests.unit.audit.audited import NOTHING, att, either, ref, resource, said, sub

KEY = att("Key")


@pytest.mark.parametrize(
    ("specification", "found"),
    [
        ({"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}, 0),
        ({"SSEEnabled": "true", "KMSMasterKeyId": ref("Given")}, 0),
        ({"SSEEnabled": True}, 1),
        ({"SSEEnabled": True, "KMSMasterKeyId": "alias/aws/dynamodb"}, 1),
        ({"SSEEnabled": True, "KMSMasterKeyId": either(KEY, NOTHING)}, 1),
        ({"SSEEnabled": False, "KMSMasterKeyId": KEY}, 1),
        ({"KMSMasterKeyId": KEY}, 1),
        ({"Fn::ImportValue": "sse"}, 0),
        (NOTHING, 2),
    ],
)
def test_a_table_has_a_key_of_yours(specification: Any, found: int) -> None:
    table = {"Store": resource("AWS::DynamoDB::Table", SSESpecification=specification)}
    assert said("E9621", table, Parameters={"Given": {"Type": "String"}}) == ["Store"] * found


@pytest.mark.parametrize(
    ("kind", "properties", "found"),
    [
        ("AWS::SQS::Queue", {"KmsMasterKeyId": KEY}, []),
        ("AWS::SQS::Queue", {"KmsMasterKeyId": "alias/aws/sqs"}, ["Store"]),
        ("AWS::SQS::Queue", {"KmsMasterKeyId": either(KEY, "alias/aws/sqs")}, ["Store"]),
        ("AWS::SNS::Topic", {"KmsMasterKeyId": sub("arn:aws:kms:eu-west-1:1:alias/aws/sns")}, ["Store"]),
        ("AWS::SQS::Queue", {"SqsManagedSseEnabled": True}, []),
        ("AWS::SQS::Queue", {"SqsManagedSseEnabled": "true"}, []),
        ("AWS::SQS::Queue", {"SqsManagedSseEnabled": False}, ["Store"]),
        ("AWS::SQS::Queue", {"SqsManagedSseEnabled": either(True, False)}, ["Store"]),
        ("AWS::SQS::Queue", {"KmsMasterKeyId": ""}, ["Store"]),
        ("AWS::SQS::Queue", {"KmsMasterKeyId": either(KEY, NOTHING)}, ["Store"]),
        ("AWS::SQS::Queue", {}, ["Store"]),
        ("AWS::SNS::Topic", {"KmsMasterKeyId": ref("Key")}, []),
        ("AWS::SNS::Topic", {}, ["Store"]),
        ("AWS::S3::Bucket", {"BucketEncryption": {"ServerSideEncryptionConfiguration": [{"A": 1}]}}, []),
        ("AWS::S3::Bucket", {"BucketEncryption": {"ServerSideEncryptionConfiguration": []}}, ["Store"]),
        ("AWS::S3::Bucket", {}, ["Store"]),
    ],
)
def test_a_store_is_locked(kind: str, properties: dict[str, Any], found: list[str]) -> None:
    assert said("E9621", {"Store": resource(kind, **properties)}) == found


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({}, []),
        ({"Environment": {"Variables": {}}}, []),
        ({"Environment": {"Variables": {"A": "b"}}}, ["F"]),
        ({"Environment": {"Variables": {"A": "b"}}, "KmsKeyArn": KEY}, []),
        ({"Environment": either({"Variables": {"A": "b"}}, NOTHING)}, ["F"]),
    ],
)
def test_variables_are_locked(properties: dict[str, Any], found: list[str]) -> None:
    assert said("W9622", {"F": resource("AWS::Lambda::Function", **properties)}) == found


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({"EnableKeyRotation": True}, []),
        ({"EnableKeyRotation": "true", "KeySpec": "SYMMETRIC_DEFAULT"}, []),
        ({}, ["Key"]),
        ({"EnableKeyRotation": "false"}, ["Key"]),
        ({"EnableKeyRotation": either(True, False)}, ["Key"]),
        ({"KeySpec": "RSA_2048"}, []),
        ({"KeySpec": "HMAC_256"}, []),
        ({"Origin": "EXTERNAL"}, []),
        ({"Origin": "AWS_KMS"}, ["Key"]),
    ],
)
def test_a_key_changes(properties: dict[str, Any], found: list[str]) -> None:
    assert said("E9623", {"Key": resource("AWS::KMS::Key", **properties)}) == found
