"""What fails isn't lost."""

from typing import Any

import pytest

from tests.unit.audit.audited import NOTHING, att, either, ref, resource, said


def queue(**properties: Any) -> dict[str, Any]:
    return resource("AWS::SQS::Queue", **properties)


TO_DEAD = {"deadLetterTargetArn": att("Dead"), "maxReceiveCount": 5}


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        (TO_DEAD, []),
        ('{"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:111122223333:dead", "maxReceiveCount": 5}', []),
        (ref("Given"), []),
        (NOTHING, ["Queue"]),
        ({"maxReceiveCount": 5}, ["Queue"]),
        (either(TO_DEAD, NOTHING), ["Queue"]),
    ],
)
def test_a_queue_has_a_dead_letter_queue(policy: Any, found: list[str]) -> None:
    source = {"Queue": queue(RedrivePolicy=policy)}
    assert said("W9631", source, Parameters={"Given": {"Type": "String"}}) == found


def test_a_dead_letter_queue_needs_none() -> None:
    function = resource("AWS::Lambda::Function", DeadLetterConfig={"TargetArn": att("Failures")})
    resources = {"Queue": queue(RedrivePolicy=TO_DEAD), "Dead": queue(), "F": function, "Failures": queue()}
    assert said("W9631", resources) == []


@pytest.mark.parametrize(
    ("source", "dead", "found"),
    [
        (1209600, 1209600, []),
        (345600, 1209600, []),
        (NOTHING, 345600, []),
        (NOTHING, "300000", ["Dead"]),
        (1209600, NOTHING, ["Dead"]),
        (either(60, 1209600), 86400, ["Dead"]),
        (ref("Given"), 60, []),
        (1209600, ref("Given"), []),
    ],
)
def test_a_dead_letter_is_kept_as_long_as_the_letter(source: Any, dead: Any, found: list[str]) -> None:
    resources = {
        "Queue": queue(MessageRetentionPeriod=source, RedrivePolicy=TO_DEAD),
        "Dead": queue(MessageRetentionPeriod=dead),
    }
    assert said("W9632", resources, Parameters={"Given": {"Type": "Number"}}) == found


SENDERS = [
    resource("AWS::Events::Rule", Targets=[{"Id": "f", "Arn": att("F")}]),
    resource("AWS::SNS::Subscription", Protocol="lambda", Endpoint=att("F")),
    resource("AWS::Scheduler::Schedule", Target={"Arn": att("F")}),
    resource("AWS::S3::Bucket", NotificationConfiguration={"LambdaConfigurations": [{"Function": att("F")}]}),
]


@pytest.mark.parametrize("sender", SENDERS)
def test_an_event_that_fails_is_kept(sender: dict[str, Any]) -> None:
    def function(**properties: Any) -> dict[str, Any]:
        return {"Sender": sender, "F": resource("AWS::Lambda::Function", **properties)}

    def config(destination: Any, name: Any) -> dict[str, Any]:
        failure = {"OnFailure": {"Destination": destination}}
        return {"C": resource("AWS::Lambda::EventInvokeConfig", FunctionName=name, DestinationConfig=failure)}

    assert said("W9633", function()) == ["F"]
    assert said("W9633", function(DeadLetterConfig={"TargetArn": att("Dead")})) == []
    assert said("W9633", function(DeadLetterConfig=either({"TargetArn": att("Dead")}, NOTHING))) == ["F"]
    assert said("W9633", {**function(), **config(att("Dead"), ref("F"))}) == []
    assert said("W9633", {**function(), **config(NOTHING, ref("F"))}) == ["F"]
    assert said("W9633", {**function(), **config(att("Dead"), ref("G"))}) == ["F"]


def test_a_function_that_nobody_invokes_asynchronously() -> None:
    assert said("W9633", {"F": resource("AWS::Lambda::Function"), "Rule": resource("AWS::Events::Rule")}) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (att("Table", "StreamArn"), ["M"]),
        (att("Stream"), ["M"]),
        ("arn:aws:kinesis:eu-west-1:111122223333:stream/payments", ["M"]),
        ("arn:aws:dynamodb:eu-west-1:111122223333:table/payments/stream/2026", ["M"]),
        (att("Queue"), []),
        ({"Fn::ImportValue": "stream"}, []),
    ],
)
def test_a_record_of_a_stream_that_fails_is_kept(source: Any, found: list[str]) -> None:
    kept = {"OnFailure": {"Destination": att("Dead")}}
    stream = {"Stream": resource("AWS::Kinesis::Stream")}
    assert said("W9634", {**stream, "M": resource("AWS::Lambda::EventSourceMapping", EventSourceArn=source)}) == found
    mapping = resource("AWS::Lambda::EventSourceMapping", EventSourceArn=source, DestinationConfig=kept)
    assert said("W9634", {**stream, "M": mapping}) == []
