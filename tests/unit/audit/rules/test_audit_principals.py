"""Services act for this account alone, and nobody is everybody."""

import json
from typing import Any

import pytest

from tests.unit.audit.audited import NOTHING, att, either, policy, ref, resource, said, statement, sub

ACCOUNT = {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}}


def services(condition: Any, **elements: Any) -> dict[str, Any]:
    return statement(
        Principal={"Service": "events.amazonaws.com"},
        Action="sqs:SendMessage",
        Resource="*",
        Condition=condition,
        **elements,
    )


def queue(*statements: Any) -> dict[str, Any]:
    return {"Guard": resource("AWS::SQS::QueuePolicy", Queues=["q"], PolicyDocument=policy(*statements))}


@pytest.mark.parametrize(
    "condition",
    [
        ACCOUNT,
        {"StringEquals": {"AWS:SOURCEACCOUNT": "111122223333"}},
        {"StringEquals": {"aws:SourceAccount": ["111122223333", ref("AWS::AccountId")]}},
        {"ArnLike": {"aws:SourceArn": sub("arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/*")}},
        {"ArnEquals": {"aws:SourceArn": att("Rule")}},
        {"StringLike": {"aws:SourceArn": {"Fn::ImportValue": "rule"}}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::artifacts"}},
        {"StringEquals": {"aws:SourceOrgID": "o-1234567890"}},
        {"StringEquals": {"aws:SourceOrgID": {"Fn::ImportValue": "organization"}}},
        {"ForAnyValue:StringLike": {"aws:SourceOrgPaths": "o-1234567890/*"}},
        {"StringEquals": {"sts:ExternalId": "payments"}},
        {"Bool": {"aws:SecureTransport": "true"}, **ACCOUNT},
    ],
)
def test_a_service_that_is_pinned(condition: Any) -> None:
    assert said("E9551", queue(services(condition))) == []


@pytest.mark.parametrize(
    "condition",
    [
        NOTHING,
        {"Bool": {"aws:SecureTransport": "true"}},
        {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}},
        {"StringEqualsIfExists": {"aws:SourceAccount": ref("AWS::AccountId")}},
        {"ForAllValues:StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}},
        {"StringNotEquals": {"aws:SourceAccount": "111122223333"}},
        {"StringLike": {"aws:SourceAccount": "*"}},
        {"StringEquals": {"aws:SourceAccount": [ref("AWS::AccountId"), "*"]}},
        {"StringEquals": {"aws:SourceAccount": []}},
        {"StringLike": {"aws:SourceOrgID": "*"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/*"}},
        {"ArnLike": {"aws:SourceArn": sub("arn:${AWS::Partition}:events:${AWS::Region}:*:rule/*")}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}},
    ],
)
def test_a_service_that_may_act_for_anybody(condition: Any) -> None:
    assert said("E9551", queue(services(condition))) == ["Guard"]


def test_each_of_several_services_is_named() -> None:
    loose = statement(Principal={"Service": ["events.amazonaws.com", "s3.amazonaws.com"]}, Action="*", Resource="*")
    assert said("E9551", queue(loose)) == ["Guard", "Guard"]
    assert said("E9551", queue(statement("Deny", Principal={"Service": "s3.amazonaws.com"}, Action="*"))) == []


LOOSE = statement(Principal={"Service": "config.amazonaws.com"}, Action="x:Put", Resource="*")


@pytest.mark.parametrize(
    "guard",
    [
        resource("AWS::SQS::QueuePolicy", PolicyDocument=policy(LOOSE)),
        resource("AWS::SQS::QueueInlinePolicy", PolicyDocument=policy(LOOSE)),
        resource("AWS::SNS::TopicPolicy", PolicyDocument={"Statement": LOOSE}),
        resource("AWS::SNS::TopicInlinePolicy", PolicyDocument=policy(either(LOOSE, NOTHING))),
        resource("AWS::S3::BucketPolicy", PolicyDocument=either(policy(LOOSE), policy())),
        resource("AWS::Logs::ResourcePolicy", PolicyDocument=json.dumps(policy(LOOSE))),
        resource("AWS::Logs::ResourcePolicy", PolicyDocument=sub(json.dumps(policy(LOOSE)))),
        resource("AWS::DynamoDB::Table", ResourcePolicy={"PolicyDocument": policy(LOOSE)}),
        resource("AWS::DynamoDB::Table", StreamSpecification={"ResourcePolicy": {"PolicyDocument": policy(LOOSE)}}),
        resource("AWS::ApiGateway::RestApi", Policy=policy(LOOSE)),
        resource("AWS::Backup::BackupVault", AccessPolicy=policy(LOOSE)),
        resource("AWS::SecretsManager::ResourcePolicy", ResourcePolicy=policy(LOOSE)),
        resource("AWS::ECR::Repository", RepositoryPolicyText=policy(LOOSE)),
        resource("AWS::KMS::Key", KeyPolicy=policy(LOOSE)),
        resource("AWS::KMS::ReplicaKey", KeyPolicy=policy(LOOSE)),
    ],
)
def test_every_policy_of_a_resource_is_read(guard: Any) -> None:
    assert said("E9551", {"Guard": guard}) == ["Guard"]


def key(**elements: Any) -> dict[str, Any]:
    return {"Key": resource("AWS::KMS::Key", KeyPolicy=policy(statement(Resource="*", **elements)))}


def test_a_log_group_pins_its_key_by_the_encryption_context() -> None:
    logs = {"Principal": {"Service": sub("logs.${AWS::Region}.amazonaws.com")}, "Action": "kms:Decrypt"}

    def context(value: Any) -> Any:
        return {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": value}}

    pinned = context(sub("arn:aws:logs:${AWS::Region}:${AWS::AccountId}:*"))
    assert said("E9551", key(**logs, Condition=pinned)) == []
    assert said("E9551", key(**logs, Condition=context("*"))) == ["Key"]
    assert said("E9551", key(**logs)) == ["Key"]


def test_services_that_say_no_source_to_a_key() -> None:
    events = {"Principal": {"Service": "events.amazonaws.com"}}
    assert said("E9551", key(**events, Action=["kms:Decrypt", "kms:GenerateDataKey"])) == []
    assert said("E9551", queue(statement(**events, Action="sqs:SendMessage", Resource="*"))) == ["Guard"]


@pytest.mark.parametrize(
    ("action", "found"),
    [
        (["kms:Describe*", "kms:Get*", "kms:List*"], []),
        ("kms:DescribeKey", []),
        (["kms:DescribeKey", "kms:Decrypt"], ["Key"]),
        ([], ["Key"]),
    ],
)
def test_to_look_at_a_key_gives_nothing_away(action: Any, found: list[str]) -> None:
    assert said("E9551", key(Principal={"Service": "dynamodb.amazonaws.com"}, Action=action)) == found


@pytest.mark.parametrize(
    ("service", "condition", "found"),
    [
        ("lambda.amazonaws.com", NOTHING, ["Role"]),
        ("lambda.amazonaws.com", ACCOUNT, []),
        ("apigateway.amazonaws.com", NOTHING, []),
        ("ec2.amazonaws.com", NOTHING, []),
        ("backup.amazonaws.com", NOTHING, []),
        (["ec2.amazonaws.com", "scheduler.amazonaws.com"], NOTHING, ["Role"]),
    ],
)
def test_who_may_take_a_role(service: Any, condition: Any, found: list[str]) -> None:
    trust = policy(statement(Principal={"Service": service}, Action="sts:AssumeRole", Condition=condition))
    role = {"Role": resource("AWS::IAM::Role", AssumeRolePolicyDocument=trust)}
    assert said("W9552", role) == found
    assert said("E9551", role) == []


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ["arn:aws:iam::111122223333:root", "*"]}])
def test_everybody_is_allowed(principal: Any) -> None:
    everybody = statement(Principal=principal, Action="sqs:SendMessage", Resource="*")
    assert said("E9553", queue(everybody)) == ["Guard"]
    assert said("E9553", key(Principal=principal, Action="kms:Decrypt")) == ["Key"]


def test_everybody_but_one_is_everybody() -> None:
    assert said("E9553", queue(statement(NotPrincipal={"AWS": "111122223333"}, Action="*", Resource="*"))) == ["Guard"]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}, []),
        ({"StringEquals": {"AWS:SourceOwner": ref("AWS::AccountId")}}, []),
        ({"StringEquals": {"kms:CallerAccount": ref("AWS::AccountId")}}, []),
        ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, []),
        ({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, ["Guard"]),
        ({"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "::/0"]}}, ["Guard"]),
        ({"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}, ["Guard"]),
        ({"IpAddress": {"aws:SourceIp": "2000::/3"}}, ["Guard"]),
        ({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "2001:db8::/32"]}}, []),
        ({"StringLike": {"aws:PrincipalAccount": "????????????"}}, ["Guard"]),
        ({"StringLike": {"kms:CallerAccount": ["1*", "2*"]}}, ["Guard"]),
        ({"StringLike": {"aws:PrincipalOrgID": "o-*"}}, ["Guard"]),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/payments"}}, ["Guard"]),
        ({"ArnLike": {"aws:PrincipalArn": "arn:*"}}, ["Guard"]),
        ({"ArnLike": {"aws:SourceArn": sub("arn:${AWS::Partition}:sns:${AWS::Region}:*:orders")}}, ["Guard"]),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:receipts-of-payments"}}, []),
        ({"ArnLike": {"aws:SourceArn": sub("arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:*")}}, []),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}, []),
        ({"StringLike": {"aws:userid": "AROAEXAMPLE:*"}}, []),
        ({"StringLike": {"aws:PrincipalOrgID": "*"}}, ["Guard"]),
        ({"StringLike": {"aws:PrincipalArn": "*"}, "StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}, []),
        ({"Bool": {"aws:SecureTransport": "true"}}, ["Guard"]),
        ({"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}}, ["Guard"]),
        ({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1234567890"}}, ["Guard"]),
    ],
)
def test_everybody_under_a_condition(condition: Any, found: list[str]) -> None:
    everybody = statement(Principal="*", Action="sqs:SendMessage", Resource="*", Condition=condition)
    assert said("E9553", queue(everybody)) == found


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, []),
        ({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, []),
        ({"NotIpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}}, []),
        ({"NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "0.0.0.0/0"]}}, ["Api"]),
        ({"Bool": {"aws:SecureTransport": "false"}}, ["Api"]),
        ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, ["Api"]),
        (
            {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}},
            [],
        ),
    ],
)
def test_an_api_that_denies_all_but_some(condition: Any, found: list[str]) -> None:
    invoke = {"Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    document = policy(statement(**invoke), statement("Deny", **invoke, Condition=condition))
    assert said("E9553", {"Api": resource("AWS::ApiGateway::RestApi", Policy=document)}) == found


def test_to_deny_something_else_takes_nothing_back() -> None:
    everybody = statement(Principal="*", Action="sqs:SendMessage", Resource="*")
    outside = {"StringNotEquals": {"aws:PrincipalAccount": ref("AWS::AccountId")}}
    denied = statement("Deny", Principal="*", Action="sqs:DeleteQueue", Resource="*", Condition=outside)
    assert said("E9553", queue(everybody, denied)) == ["Guard"]
    assert said("E9553", queue(everybody, {**denied, "Action": "sqs:*"})) == []


OTHER = "111122223333"
CLOUDWATCH = {"Service": "cloudwatch.amazonaws.com"}
FOR_OTHER = {"StringEquals": {"aws:SourceAccount": OTHER}}
OWN = sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")


@pytest.mark.parametrize(
    ("principal", "found"),
    [
        (OTHER, ["Guard"]),
        (f"arn:aws:iam::{OTHER}:root", ["Guard"]),
        (sub(f"arn:${{AWS::Partition}}:iam::{OTHER}:role/caller"), ["Guard"]),
        (f"arn:aws:sts::{OTHER}:assumed-role/caller/session", ["Guard"]),
        ([OWN, OTHER], ["Guard"]),
        (ref("Partner"), ["Guard"]),
        (OWN, []),
        (ref("AWS::AccountId"), []),
        (att("Role"), []),
        ({"Fn::ImportValue": "caller"}, []),
        ("*", []),
    ],
)
def test_another_account_is_allowed(principal: Any, found: list[str]) -> None:
    partner = {"Partner": {"Type": "String", "Default": OTHER}}
    allowed = statement(Principal={"AWS": principal}, Action="sqs:SendMessage", Resource="*")
    assert said("E9554", queue(allowed), Parameters=partner) == found
    assert said("E9554", queue({**allowed, "Effect": "Deny"}), Parameters=partner) == []


@pytest.mark.parametrize(
    "guard",
    [
        resource("AWS::KMS::Key", KeyPolicy=policy(statement(Principal={"AWS": OTHER}))),
        resource("AWS::SNS::TopicPolicy", PolicyDocument=policy(statement(Principal={"AWS": OTHER}))),
        resource("AWS::S3::BucketPolicy", PolicyDocument=policy(statement(Principal={"AWS": OTHER}))),
        resource("AWS::ApiGateway::RestApi", Policy=policy(statement(Principal={"AWS": OTHER}))),
        resource(
            "AWS::DynamoDB::Table", ResourcePolicy={"PolicyDocument": policy(statement(Principal={"AWS": OTHER}))}
        ),
        resource("AWS::IAM::Role", AssumeRolePolicyDocument=policy(statement(Principal={"AWS": OTHER}))),
        resource("AWS::Lambda::Permission", Principal=OTHER, Action="lambda:InvokeFunction"),
        resource("AWS::Lambda::Permission", Principal=f"arn:aws:iam::{OTHER}:role/caller"),
        resource("AWS::Lambda::LayerVersionPermission", Principal=OTHER),
        resource("AWS::Lambda::Permission", Principal="events.amazonaws.com", SourceAccount=OTHER),
        resource(
            "AWS::Lambda::Permission",
            Principal="events.amazonaws.com",
            SourceArn=sub(f"arn:${{AWS::Partition}}:events:${{AWS::Region}}:{OTHER}:rule/tick"),
        ),
        resource("AWS::SNS::TopicPolicy", PolicyDocument=policy(statement(Principal=CLOUDWATCH, Condition=FOR_OTHER))),
        resource("AWS::SNS::TopicPolicy", PolicyDocument=policy(statement(Principal="*", Condition=FOR_OTHER))),
        resource(
            "AWS::IAM::Role",
            AssumeRolePolicyDocument=policy(
                statement(Principal={"Federated": f"arn:aws:iam::{OTHER}:saml-provider/staff"})
            ),
        ),
    ],
)
def test_wherever_another_account_is_allowed(guard: Any) -> None:
    assert said("E9554", {"Guard": guard}) == ["Guard"]


GITHUB = sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:oidc-provider/token.actions.githubusercontent.com")
GITHUB_KEY = "token.actions.githubusercontent.com"


@pytest.mark.parametrize(
    ("provider", "condition", "found"),
    [
        (GITHUB, NOTHING, ["Role"]),
        (GITHUB, {"StringEquals": {f"{GITHUB_KEY}:aud": "sts.amazonaws.com"}}, ["Role"]),
        (GITHUB, {"StringLike": {f"{GITHUB_KEY}:sub": "repo:*"}}, ["Role"]),
        (GITHUB, {"StringLike": {f"{GITHUB_KEY}:sub": "repo:shop/payments:*"}}, []),
        (GITHUB, {"StringLike": {f"{GITHUB_KEY}:sub": {"Fn::ImportValue": "subject"}}}, []),
        ("cognito-identity.amazonaws.com", NOTHING, ["Role"]),
        ("cognito-identity.amazonaws.com", {"StringEquals": {"cognito-identity.amazonaws.com:aud": "pool"}}, []),
        (sub("arn:aws:iam::${AWS::AccountId}:saml-provider/staff"), NOTHING, []),
        ({"Fn::ImportValue": "provider"}, NOTHING, []),
    ],
)
def test_who_signs_in_at_a_shared_provider(provider: Any, condition: Any, found: list[str]) -> None:
    web_identity = {"Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": provider}}
    trust = policy(statement(Condition=condition, **web_identity))
    assert said("E9553", {"Role": resource("AWS::IAM::Role", AssumeRolePolicyDocument=trust)}) == found


def test_a_service_and_this_account_may_invoke() -> None:
    for principal in ("apigateway.amazonaws.com", ref("AWS::AccountId")):
        assert said("E9554", {"Permission": resource("AWS::Lambda::Permission", Principal=principal)}) == []


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"StringEquals": {"aws:PrincipalAccount": OTHER}}, ["Guard"]),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/*"}}, ["Guard"]),
        ({"StringEquals": {"aws:PrincipalAccount": ref("AWS::AccountId")}}, []),
        ({"StringNotEquals": {"aws:PrincipalAccount": OTHER}}, []),
        ({"StringEquals": {"aws:SourceVpce": OTHER}}, []),
    ],
)
def test_everybody_of_another_account(condition: Any, found: list[str]) -> None:
    everybody = statement(Principal="*", Action="sqs:SendMessage", Resource="*", Condition=condition)
    assert said("E9554", queue(everybody)) == found
    assert said("E9554", queue({**everybody, "Principal": {"AWS": OWN}})) == []
