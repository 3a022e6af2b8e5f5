"""Nothing travels in clear, however the policy is spelled."""

from typing import Any

import pytest

from tests.unit.audit.audited import NOTHING, att, either, policy, ref, resource, said, statement, sub

PLAIN_HTTP = {"Bool": {"aws:SecureTransport": "false"}}
QUEUE = resource("AWS::SQS::Queue", QueueName="failed")


def deny(**elements: Any) -> dict[str, Any]:
    wanted = {"Principal": "*", "Action": "sqs:*", "Resource": att("Queue"), "Condition": PLAIN_HTTP}
    return statement("Deny", **{**wanted, **elements})


def queue(*statements: Any, **attributes: Any) -> dict[str, Any]:
    guard = resource("AWS::SQS::QueuePolicy", attributes, Queues=[ref("Queue")], PolicyDocument=policy(*statements))
    return {"Queue": QUEUE, "Guard": guard}


@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"AWS": ["*"]}},
        {"Action": "*"},
        {"Action": ["sqs:*"]},
        {"Action": ["SQS:*", "sqs:SendMessage"]},
        {"Resource": "*"},
        {"Resource": [att("Queue")]},
        {"Resource": {"Fn::GetAtt": "Queue.Arn"}},
        {"Resource": sub("${Queue.Arn}")},
        {"Resource": sub("arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:failed")},
        {"Condition": {"Bool": {"aws:SecureTransport": False}}},
        {"Condition": {"Bool": {"AWS:securetransport": ["false"]}}},
        {"Condition": {"BoolIfExists": {"aws:SecureTransport": "False"}}},
    ],
)
def test_a_policy_that_refuses_plain_http(elements: dict[str, Any]) -> None:
    assert said("E9541", queue(deny(**elements))) == []


@pytest.mark.parametrize(
    "elements",
    [
        {"Effect": "Allow"},
        {"Principal": {"AWS": ref("AWS::AccountId")}},
        {"Principal": {"Service": "*"}},
        {"Action": "sqs:SendMessage"},
        {"Action": ["sqs:SendMessage", "sqs:ReceiveMessage"]},
        {"Resource": att("Other")},
        {"Resource": "arn:aws:sqs:eu-west-1:111122223333:other"},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Condition": {"Bool": {"aws:ViaAWSService": "false"}}},
        {"Condition": {"StringEquals": {"aws:SecureTransport": "false"}}},
        {"Condition": {**PLAIN_HTTP, "StringEquals": {"aws:PrincipalAccount": "111122223333"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "false", "aws:ViaAWSService": "false"}}},
        {"Condition": NOTHING},
    ],
)
def test_a_policy_that_leaves_a_gap(elements: dict[str, Any]) -> None:
    assert said("E9541", queue(deny(**elements))) == ["Queue"]


def test_one_statement_alone_is_no_list_and_counts() -> None:
    guard = resource("AWS::SQS::QueuePolicy", Queues=ref("Queue"), PolicyDocument={"Statement": deny()})
    assert said("E9541", {"Queue": QUEUE, "Guard": guard}) == []


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ([either(deny(), NOTHING)], ["Queue"]),
        ([either(deny(), deny())], []),
        ([either(deny(), deny(Principal={"AWS": "*"}))], []),
        ([statement(Principal={"AWS": ref("AWS::AccountId")}, Action="sqs:*", Resource="*"), deny()], []),
    ],
)
def test_a_statement_that_a_condition_decides_about(statements: list[Any], found: list[str]) -> None:
    assert said("E9541", queue(*statements)) == found


def test_a_policy_under_a_condition_that_its_queue_is_not_under() -> None:
    assert said("E9541", queue(deny(), Condition="Strict")) == ["Queue"]
    both = queue(deny(), Condition="Strict")
    assert said("E9541", {**both, "Queue": {**QUEUE, "Condition": "Strict"}}) == []


def test_a_policy_of_another_queue_counts_for_that_one() -> None:
    guard = resource("AWS::SQS::QueuePolicy", Queues=[ref("Other")], PolicyDocument=policy(deny()))
    assert said("E9541", {"Queue": QUEUE, "Guard": guard}) == ["Queue"]


def test_an_inline_policy_counts() -> None:
    guard = resource("AWS::SQS::QueueInlinePolicy", Queue=ref("Queue"), PolicyDocument=policy(deny()))
    assert said("E9541", {"Queue": QUEUE, "Guard": guard}) == []


@pytest.mark.parametrize("kind", ["AWS::SNS::TopicPolicy", "AWS::SNS::TopicInlinePolicy"])
@pytest.mark.parametrize(("action", "found"), [("sns:Publish", []), ("SNS:*", []), ("sns:Subscribe", ["Topic"])])
def test_a_topic_must_refuse_to_publish(kind: str, action: str, found: list[str]) -> None:
    key = {"AWS::SNS::TopicPolicy": "Topics", "AWS::SNS::TopicInlinePolicy": "TopicArn"}[kind]
    document = policy(deny(Action=action, Resource=ref("Topic")))
    guard = resource(kind, **{key: ref("Topic"), "PolicyDocument": document})
    assert said("E9541", {"Topic": resource("AWS::SNS::Topic"), "Guard": guard}) == found


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        ([att("Bucket"), sub("${Bucket.Arn}/*")], []),
        ([sub("arn:aws:s3:::${Bucket}"), {"Fn::Join": ["", [att("Bucket"), "/*"]]}], []),
        (["arn:aws:s3:::artifacts", "arn:aws:s3:::artifacts/*"], []),
        ("*", []),
        ([att("Bucket")], ["Bucket"]),
        ([sub("${Bucket.Arn}/*")], ["Bucket"]),
        ([att("Bucket"), sub("${Bucket.Arn}/public/*")], ["Bucket"]),
    ],
)
def test_a_bucket_and_all_its_objects(resources: Any, found: list[str]) -> None:
    guard = resource(
        "AWS::S3::BucketPolicy", Bucket=ref("Bucket"), PolicyDocument=policy(deny(Action="s3:*", Resource=resources))
    )
    bucket = resource("AWS::S3::Bucket", BucketName="artifacts")
    assert said("E9541", {"Bucket": bucket, "Guard": guard}) == found


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({}, ["Api"]),
        ({"SecurityPolicy": "TLS_1_0"}, ["Api"]),
        ({"SecurityPolicy": either("TLS_1_2", "TLS_1_0")}, ["Api"]),
        ({"SecurityPolicy": "TLS_1_2"}, []),
        ({"SecurityPolicy": ref("Policy")}, []),
        ({"EndpointConfiguration": {"Types": ["PRIVATE"]}}, []),
        ({"EndpointConfiguration": {"Types": ["REGIONAL"]}}, ["Api"]),
    ],
)
@pytest.mark.parametrize("kind", ["AWS::ApiGateway::RestApi", "AWS::ApiGateway::DomainName"])
def test_an_api_that_speaks_old_tls(kind: str, properties: dict[str, Any], found: list[str]) -> None:
    assert said("W9542", {"Api": resource(kind, **properties)}, Parameters={"Policy": {"Type": "String"}}) == found


@pytest.mark.parametrize(
    ("protocol", "found"),
    [("http", True), (either("https", "http"), True), ("https", False), (NOTHING, False), (ref("Given"), False)],
)
def test_a_topic_sends_over_tls(protocol: Any, found: bool) -> None:
    alone = {"Pager": resource("AWS::SNS::Subscription", Protocol=protocol, Endpoint="x")}
    within = {"Topic": resource("AWS::SNS::Topic", Subscription=[{"Protocol": protocol, "Endpoint": "x"}])}
    parameters = {"Given": {"Type": "String"}}
    assert said("E9543", alone, Parameters=parameters) == (["Pager"] if found else [])
    assert said("E9543", within, Parameters=parameters) == (["Topic"] if found else [])
