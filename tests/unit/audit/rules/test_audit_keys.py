"""Whom production's keys obey."""

from typing import Any

import pytest

from tests.unit.audit.audited import policy, ref, resource, said, statement, sub

PRODUCTION = {"Metadata": {"Paycli": {"Environment": "prod", "RetainData": True}}}
ROOT = {"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")}


def key(effect: str = "Allow", kind: str = "Key", **elements: Any) -> dict[str, Any]:
    whole = statement(effect, **{"Principal": ROOT, "Resource": "*", **elements})
    return {"Key": resource(f"AWS::KMS::{kind}", KeyPolicy=policy(whole))}


def via(operator: str = "StringEquals") -> dict[str, Any]:
    return {operator: {"kms:ViaService": sub("dynamodb.${AWS::Region}.amazonaws.com")}}


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        (key(Action="kms:Decrypt", Condition=via()), []),
        (key(Action="kms:*", Condition=via("StringLike")), []),
        (key(Action=["kms:DescribeKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"]), []),
        (key("Deny", Action="kms:*"), []),
        (key(Action="kms:Decrypt", Principal={"Service": "logs.amazonaws.com"}), []),
        (key(Action="kms:Decrypt", Principal={"AWS": sub("arn:aws:iam::${AWS::AccountId}:role/ops")}), []),
        (key(Action="kms:Decrypt", Principal={"AWS": {"Fn::ImportValue": "role"}}), []),
        (key(Action="kms:*"), ["Key"]),
        (key(Action="*"), ["Key"]),
        (key(Action=["kms:DescribeKey", "kms:Decrypt", "kms:ReEncrypt*"]), ["Key", "Key"]),
        (key(Action="KMS:GenerateDataKey", Principal={"AWS": ref("AWS::AccountId")}), ["Key"]),
        (key(Action="kms:Decrypt", Principal={"AWS": "111122223333"}), ["Key"]),
        (key(Action="kms:Decrypt", Condition=via("StringEqualsIfExists")), ["Key"]),
        (key(Action="kms:Decrypt", Condition={"Bool": {"aws:SecureTransport": "true"}}), ["Key"]),
        (key(Action="kms:Decrypt", kind="ReplicaKey"), ["Key"]),
    ],
)
def test_the_account_uses_the_key_through_services_alone(resources: dict[str, Any], found: list[str]) -> None:
    assert said("W9624", resources, **PRODUCTION) == found
    assert said("W9624", resources) == []


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        (key(Action="kms:CreateGrant", Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}}), []),
        (key(Action="kms:CreateGrant", Condition={"Bool": {"kms:GrantIsForAWSResource": True}, **via()}), []),
        (key("Deny", Action="kms:CreateGrant"), []),
        (key(Action="kms:ListGrants"), []),
        (key(Action={"Fn::ImportValue": "action"}), []),
        (key(Action="kms:CreateGrant"), ["Key"]),
        (key(Action="kms:Create*", Condition=via()), ["Key"]),
        (key(Action="kms:CreateGrant", Condition={"Bool": {"kms:GrantIsForAWSResource": "false"}}), ["Key"]),
        (key(Action="kms:CreateGrant", Condition={"BoolIfExists": {"kms:GrantIsForAWSResource": "true"}}), ["Key"]),
    ],
)
def test_a_key_is_handed_on_to_services_alone(resources: dict[str, Any], found: list[str]) -> None:
    assert said("W9625", resources, **PRODUCTION) == found
    assert said("W9625", resources) == []
