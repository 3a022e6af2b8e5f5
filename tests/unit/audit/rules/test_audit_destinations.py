"""What the template holds stays in its account and region."""

from typing import Any

import pytest

from tests.unit.audit.audited import NOTHING, att, either, ref, resource, said, sub

OWN = "arn:${AWS::Partition}:kinesis:${AWS::Region}:${AWS::AccountId}:stream/payments"
FOREIGN = OWN.replace("${AWS::AccountId}", "999988887777")
ABROAD = OWN.replace("${AWS::Region}", "us-east-1")
PARAMETERS = {"Given": {"Type": "String"}, "Own": {"Type": "String", "Default": "111122223333"}}


def places(arn: Any) -> list[dict[str, Any]]:
    """Every place that names a destination, with this one."""
    failure = {"DestinationConfig": {"OnFailure": {"Destination": arn}}}
    return [
        resource("AWS::ApiGateway::Method", Integration={"Uri": arn}),
        resource("AWS::ApiGateway::Stage", AccessLogSetting={"DestinationArn": arn}),
        resource("AWS::ApiGatewayV2::Integration", IntegrationUri=arn),
        resource("AWS::ApiGatewayV2::Stage", AccessLogSettings={"DestinationArn": arn}),
        resource(
            "AWS::Backup::BackupPlan",
            BackupPlan={"BackupPlanRule": [{"CopyActions": [{"DestinationBackupVaultArn": arn}]}]},
        ),
        resource("AWS::DynamoDB::GlobalTable", Replicas=[{"KinesisStreamSpecification": {"StreamArn": arn}}]),
        resource("AWS::DynamoDB::Table", KinesisStreamSpecification={"StreamArn": arn}),
        resource("AWS::Events::Rule", Targets=[{"Arn": arn}]),
        resource("AWS::Events::Rule", Targets=[{"Arn": "x", "DeadLetterConfig": {"Arn": arn}}]),
        resource("AWS::Lambda::EventInvokeConfig", **failure),
        resource("AWS::Lambda::EventInvokeConfig", DestinationConfig={"OnSuccess": {"Destination": arn}}),
        resource("AWS::Lambda::EventSourceMapping", **failure),
        resource("AWS::Lambda::EventSourceMapping", FunctionName=arn),
        resource("AWS::Lambda::Function", DeadLetterConfig={"TargetArn": arn}),
        resource("AWS::Logs::DeliveryDestination", DestinationResourceArn=arn),
        resource("AWS::Logs::Destination", TargetArn=arn),
        resource("AWS::Logs::SubscriptionFilter", DestinationArn=arn),
        resource("AWS::Pipes::Pipe", Target=arn),
        resource("AWS::Pipes::Pipe", Enrichment=arn),
        resource("AWS::SNS::Subscription", Endpoint=arn),
        resource("AWS::SNS::Subscription", RedrivePolicy={"deadLetterTargetArn": arn}),
        resource("AWS::SNS::Topic", Subscription=[{"Endpoint": arn}]),
        resource("AWS::SQS::Queue", RedrivePolicy={"deadLetterTargetArn": arn}),
        resource("AWS::Scheduler::Schedule", Target={"Arn": arn}),
        resource("AWS::Scheduler::Schedule", Target={"DeadLetterConfig": {"Arn": arn}}),
        resource("AWS::WAFv2::LoggingConfiguration", LogDestinationConfigs=[arn]),
    ]


@pytest.mark.parametrize("number", range(len(places(""))))
def test_whatever_sends(number: int) -> None:
    assert said("E9671", {"Sender": places(sub(FOREIGN))[number]}) == ["Sender"]
    assert said("E9671", {"Sender": places(sub(OWN))[number]}) == []
    assert said("W9672", {"Sender": places(sub(ABROAD))[number]}) == ["Sender"]
    assert said("W9672", {"Sender": places(sub(OWN))[number]}) == []


def tap(arn: Any) -> dict[str, Any]:
    return {"Tap": resource("AWS::Logs::SubscriptionFilter", DestinationArn=arn)}


@pytest.mark.parametrize(
    ("arn", "account", "region"),
    [
        (att("Stream"), [], []),
        (ref("Given"), [], []),
        ({"Fn::ImportValue": "stream"}, [], []),
        (NOTHING, [], []),
        ("on-call@example.com", [], []),
        ("https://pager.example/arn", [], []),
        ("arn:aws:s3:::payments", [], []),
        (sub("arn:aws:apigateway:${AWS::Region}:lambda:path/functions/${Function.Arn}/invocations"), [], []),
        (sub(OWN.replace("${AWS::AccountId}", "${Given}")), ["Tap"], []),
        (sub(OWN.replace("${AWS::AccountId}", "${Own}")), ["Tap"], []),
        (sub(OWN.replace("${AWS::Region}", "${Given}")), [], ["Tap"]),
        ("arn:aws:sqs:eu-west-1:999988887777:queue", ["Tap"], ["Tap"]),
        (either(att("Stream"), sub(FOREIGN)), ["Tap"], []),
        (
            sub(f"arn:aws:apigateway:${{AWS::Region}}:lambda:path/functions/{FOREIGN}/invocations"),
            ["Tap"],
            [],
        ),
    ],
)
def test_whose_a_destination_is(arn: Any, account: list[str], region: list[str]) -> None:
    assert said("E9671", tap(arn), Parameters=PARAMETERS) == account
    assert said("W9672", tap(arn), Parameters=PARAMETERS) == region


def test_a_bucket_that_is_copied_to_another_account() -> None:
    def bucket(account: Any) -> dict[str, Any]:
        rules = [{"Destination": {"Bucket": "arn:aws:s3:::copies", "Account": account}}]
        return {"Bucket": resource("AWS::S3::Bucket", ReplicationConfiguration={"Rules": rules})}

    assert said("E9671", bucket("999988887777")) == ["Bucket"]
    assert said("E9671", bucket(ref("AWS::AccountId"))) == []


@pytest.mark.parametrize(
    ("regions", "found"),
    [
        ([ref("AWS::Region")], []),
        (["eu-west-1"], []),
        ([ref("AWS::Region"), "us-east-1"], ["Table"]),
        ([ref("AWS::Region"), ref("Given")], ["Table"]),
        (["eu-west-1", "us-east-1"], ["Table", "Table"]),
    ],
)
def test_a_replica_of_a_table(regions: list[Any], found: list[str]) -> None:
    table = resource("AWS::DynamoDB::GlobalTable", Replicas=[{"Region": region} for region in regions])
    assert said("W9672", {"Table": table}, Parameters=PARAMETERS) == found
