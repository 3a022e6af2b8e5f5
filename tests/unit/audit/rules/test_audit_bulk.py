"""A function reads the payment that it works on, and not all of them."""

from typing import Any

import pytest

from tests.unit.audit.audited import att, policy, ref, resource, said, statement, sub

TABLE = {"Table": resource("AWS::DynamoDB::Table", TableName="transactions")}
SCAN = statement(Action=["dynamodb:PutItem", "dynamodb:Scan"], Resource=att("Table"))


def function(**role: Any) -> dict[str, Any]:
    return {
        **TABLE,
        "Function": resource("AWS::Lambda::Function", Role=att("Role")),
        "Role": resource("AWS::IAM::Role", **role),
    }


def inline(**elements: Any) -> dict[str, Any]:
    whole = statement(**{"Action": "dynamodb:Scan", "Resource": att("Table"), **elements})
    return function(Policies=[{"PolicyName": "p", "PolicyDocument": policy(whole)}])


@pytest.mark.parametrize(
    "action",
    [
        "dynamodb:Scan",
        "dynamodb:Query",
        "dynamodb:BatchGetItem",
        "DynamoDB:PartiQLSelect",
        "dynamodb:ExportTableToPointInTime",
        "dynamodb:RestoreTableToPointInTime",
        "dynamodb:RestoreTableFromBackup",
        "dynamodb:GetRecords",
    ],
)
def test_a_function_may_not_read_in_bulk(action: str) -> None:
    assert said("W9605", inline(Action=[action])) == ["Role"]


@pytest.mark.parametrize("action", ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:*", "sqs:ReceiveMessage"])
def test_what_is_no_bulk_read_or_said_elsewhere(action: str) -> None:
    assert said("W9605", inline(Action=action)) == []


@pytest.mark.parametrize(
    ("arn", "found"),
    [
        (sub("${Table.Arn}/index/by-customer"), ["Role"]),
        (sub("${Table.Arn}/stream/*"), ["Role"]),
        (sub("arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/transactions"), ["Role"]),
        (sub("arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/trans*"), ["Role"]),
        ("*", ["Role"]),
        (["arn:aws:sqs:eu-west-1:111122223333:transaction", att("Table")], ["Role"]),
        (att("Other"), []),
        (sub("arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/others"), []),
        ({"Fn::ImportValue": "table"}, []),
    ],
)
def test_only_the_tables_of_the_template_are_meant(arn: Any, found: list[str]) -> None:
    assert said("W9605", inline(Resource=arn)) == found


@pytest.mark.parametrize(
    ("elements", "found"),
    [
        ({"Effect": "Deny"}, []),
        ({"Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["x"]}}}, []),
        ({"Condition": {"StringNotLike": {"dynamodb:LeadingKeys": ["x"]}}}, ["Role"]),
        ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, ["Role"]),
    ],
)
def test_a_denial_and_a_condition_on_the_key(elements: dict[str, Any], found: list[str]) -> None:
    whole = {"Effect": "Allow", "Action": "dynamodb:Query", "Resource": att("Table"), **elements}
    assert said("W9605", function(Policies=[{"PolicyName": "p", "PolicyDocument": policy(whole)}])) == found


def test_wherever_the_policy_stands() -> None:
    managed = {"Policy": resource("AWS::IAM::ManagedPolicy", PolicyDocument=policy(SCAN))}
    assert said("W9605", {**function(ManagedPolicyArns=[ref("Policy")]), **managed}) == ["Policy"]
    assert said("W9605", {**function(), **managed}) == []
    for kind, whose in (
        ("ManagedPolicy", {"Roles": [ref("Role")]}),
        ("Policy", {"Roles": ["by-name"]}),
        ("RolePolicy", {"RoleName": ref("Role")}),
    ):
        attached = {"Policy": resource(f"AWS::IAM::{kind}", PolicyDocument=policy(SCAN), **whose)}
        assert said("W9605", {**function(RoleName="by-name"), **attached}) == ["Policy"]


def test_a_policy_of_two_functions_and_two_tables_is_told_once() -> None:
    second = {
        "Second": resource("AWS::Lambda::Function", Role=att("Role")),
        "Third": resource("AWS::Lambda::Function", Role=att("OtherRole")),
        "OtherRole": resource("AWS::IAM::Role", ManagedPolicyArns=[ref("Policy")]),
        "Policy": resource("AWS::IAM::ManagedPolicy", PolicyDocument=policy({**SCAN, "Resource": "*"})),
        "Replicated": resource("AWS::DynamoDB::GlobalTable", TableName="others"),
    }
    assert said("W9605", {**function(ManagedPolicyArns=[ref("Policy")]), **second}) == ["Policy"]


def test_a_role_of_no_function_may() -> None:
    resources = inline()
    del resources["Function"]
    assert said("W9605", resources) == []
