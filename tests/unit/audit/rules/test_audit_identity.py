"""A role may do what its function does."""

from typing import Any

import pytest

from tests.unit.audit.audited import NOTHING, att, either, policy, ref, resource, said, statement, sub

TABLE = att("Table")


def rights(**elements: Any) -> dict[str, Any]:
    document = policy(statement(**{"Action": "dynamodb:PutItem", "Resource": TABLE, **elements}))
    return {"Rights": resource("AWS::IAM::ManagedPolicy", PolicyDocument=document)}


@pytest.mark.parametrize(
    ("action", "found"),
    [
        ("dynamodb:PutItem", 0),
        (["dynamodb:PutItem", "dynamodb:GetItem"], 0),
        ("*", 1),
        ("dynamodb:*", 1),
        (["dynamodb:*", "sqs:*"], 2),
        (["dynamodb:PutItem", "sqs:Send*"], 1),
        ("dynamodb:?etItem", 1),
        (either("dynamodb:PutItem", "*"), 1),
        (sub("dynamodb:*"), 1),
        ({"Fn::ImportValue": "action"}, 0),
    ],
)
def test_actions_by_a_wildcard(action: Any, found: int) -> None:
    assert said("E9601", rights(Action=action)) == ["Rights"] * found
    assert said("E9601", rights(Action=action, Effect="Deny")) == []


WIDE = policy(statement(Action="dynamodb:*", Resource=TABLE))


@pytest.mark.parametrize(
    "identity",
    [
        resource("AWS::IAM::ManagedPolicy", PolicyDocument=WIDE),
        resource("AWS::IAM::Policy", PolicyDocument=WIDE),
        resource("AWS::IAM::Policy", PolicyDocument={"Statement": WIDE["Statement"][0]}),
        resource("AWS::IAM::RolePolicy", PolicyDocument=WIDE),
        resource("AWS::IAM::UserPolicy", PolicyDocument=WIDE),
        resource("AWS::IAM::GroupPolicy", PolicyDocument=WIDE),
        resource("AWS::SSO::PermissionSet", InlinePolicy=WIDE),
        resource("AWS::IAM::Role", Policies=[{"PolicyName": "p", "PolicyDocument": WIDE}]),
        resource("AWS::IAM::User", Policies=[either({"PolicyDocument": WIDE}, NOTHING)]),
        resource("AWS::IAM::Group", Policies=[{"PolicyDocument": either(WIDE, policy())}]),
    ],
)
def test_every_policy_of_an_identity_is_read(identity: dict[str, Any]) -> None:
    assert said("E9601", {"Identity": identity}) == ["Identity"]


def test_a_trust_policy_or_a_resource_policy_is_no_right_of_an_identity() -> None:
    document = policy(statement(Principal={"AWS": ref("AWS::AccountId")}, Action="kms:*", Resource="*"))
    assert said("E9601", {"Key": resource("AWS::KMS::Key", KeyPolicy=document)}) == []
    assert said("E9602", {"Key": resource("AWS::KMS::Key", KeyPolicy=document)}) == []


@pytest.mark.parametrize(
    ("action", "target", "found"),
    [
        ("dynamodb:PutItem", TABLE, 0),
        ("dynamodb:PutItem", "*", 1),
        ("dynamodb:PutItem", ["*"], 1),
        ("dynamodb:PutItem", either(TABLE, "*"), 1),
        ("dynamodb:PutItem", ref("Wide"), 1),
        ("dynamodb:PutItem", "arn:aws:dynamodb:*:*:table/*", 1),
        ("dynamodb:PutItem", sub("arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:*"), 1),
        ("logs:PutLogEvents", "arn:aws:logs:*:*:log-group:*", 1),
        ("backup:TagResource", sub("arn:aws:backup:${AWS::Region}:${AWS::AccountId}:recovery-point:*"), 0),
        ("backup:TagResource", sub("arn:aws:backup:${AWS::Region}:${AWS::AccountId}:backup-vault:*"), 1),
        *(("dynamodb:PutItem", everything, 1) for everything in ("**", "?*", "arn:*", "arn:aws:*", "arn:aws:*:*:*")),
        ("dynamodb:PutItem", sub("arn:${AWS::Partition}:*"), 1),
        ("dynamodb:PutItem", "arn:aws:dynamodb:*", 1),
        ("dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:*", 1),
        ("dynamodb:PutItem", "arn:aws:dynamodb:*:*:table/?*", 1),
        ("dynamodb:PutItem", "arn:aws:dynamodb:*:*:table/**", 1),
        ("dynamodb:PutItem", sub("${Table.Arn}*"), 0),
        ("xray:PutTraceSegments", "arn:*", 0),
        ("s3:GetObject", "arn:aws:s3:::receipts/*", 0),
        ("s3:GetObject", "arn:aws:s3:::*", 1),
        ("s3:GetObject", sub("${Bucket.Arn}/*"), 0),
        ("logs:PutLogEvents", sub("${Logs.Arn}:*"), 0),
        ("dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:111122223333:table/payments-*", 0),
        ("xray:PutTraceSegments", "*", 0),
        (["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*", 0),
        ("cloudwatch:GetMetricData", "*", 0),
        ("cloudwatch:PutMetricData", "*", 0),
        ("CloudWatch:getmetricdata", "*", 0),
        ("logs:DescribeLogGroups", "*", 0),
        (["xray:PutTraceSegments", "dynamodb:PutItem"], "*", 1),
        ("payments:Unknown", "*", 1),
        ("dynamodb:PutItem", {"Fn::ImportValue": "table"}, 0),
    ],
)
def test_resources_by_a_wildcard(action: Any, target: Any, found: int) -> None:
    parameters = {"Wide": {"Type": "String", "Default": "*"}}
    assert said("E9602", rights(Action=action, Resource=target), Parameters=parameters) == ["Rights"] * found


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"StringEquals": {"aws:ResourceTag/Project": "payment-api"}}, []),
        ({"StringEquals": {"ec2:ResourceTag/Project": "payment-api"}}, []),
        ({"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/payments"}}, []),
        ({"StringEquals": {"kms:ViaService": "sqs.eu-west-1.amazonaws.com"}}, ["Rights"]),
        ({"StringEqualsIfExists": {"aws:ResourceTag/Project": "payment-api"}}, ["Rights"]),
    ],
)
def test_a_condition_can_say_which_resource_is_meant(condition: Any, found: list[str]) -> None:
    assert said("E9602", rights(Action="kms:Decrypt", Resource="*", Condition=condition)) == found


@pytest.mark.parametrize("element", ["NotAction", "NotResource"])
def test_all_but_what_is_named(element: str) -> None:
    assert said("E9603", rights(**{element: "iam:*"})) == ["Rights"]
    assert said("E9603", rights(**{element: "iam:*", "Effect": "Deny"})) == []
    assert said("E9603", rights(**{element: NOTHING})) == []
    guard = resource("AWS::SQS::QueuePolicy", PolicyDocument=policy(statement(**{element: ["iam:*"]})))
    assert said("E9603", {"Guard": guard}) == ["Guard"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("arn:aws:iam::aws:policy/AdministratorAccess", ["Role"]),
        (sub("arn:${AWS::Partition}:iam::aws:policy/AmazonSQSFullAccess"), ["Role"]),
        ("arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess_v2", ["Role"]),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", ["Role"]),
        ("arn:aws:iam::aws:policy/SecurityAudit", ["Role"]),
        ("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess", ["Role"]),
        ("arn:aws:iam::aws:policy/job-function/DatabaseAdministrator", ["Role"]),
        ("arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess", ["Role"]),
        ("arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess", ["Role"]),
        ("arn:aws:iam::aws:policy/CloudWatchLogsReadOnlyAccess", ["Role"]),
        ("arn:aws:iam::aws:policy/AWSXrayReadOnlyAccess", []),
        ("arn:aws:iam::111122223333:policy/ReadOnlyAccess", []),
        ("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", []),
        (ref("Rights"), []),
    ],
)
@pytest.mark.parametrize("kind", ["AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"])
def test_full_access_of_aws(kind: str, name: Any, found: list[str]) -> None:
    assert said("W9604", {"Role": resource(kind, ManagedPolicyArns=[name])}) == found
