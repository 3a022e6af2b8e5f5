"""The local stack: what it leaves out, and nothing more."""

from typing import Any

from paycli.stack.embedded import OMISSIONS


def test_plain_http_is_let_in_because_there_is_nothing_else(local: Any) -> None:
    assert all("aws:SecureTransport" not in str(statement) for _, statement in local.statements())
    assert not local.of_type("AWS::SQS::QueuePolicy")
    assert local["AlarmTopicPolicy"]["PolicyDocument"]["Statement"]


def test_every_alarm_is_there_and_watches_one_metric(local: Any, stack: Any) -> None:
    on_aws = stack("local", target="aws").of_type("AWS::CloudWatch::Alarm")
    here = local.of_type("AWS::CloudWatch::Alarm")
    assert set(here) == set(on_aws)
    for name, alarm in here.items():
        assert "Metrics" not in alarm
        for setting in ("AlarmName", "AlarmDescription", "Threshold", "TreatMissingData", "Tags"):
            assert alarm[setting] == on_aws[name][setting]
    errors = here["ValidationErrorsAlarm"]
    assert (errors["Namespace"], errors["MetricName"], errors["Statistic"]) == ("AWS/Lambda", "Errors", "Sum")
    assert errors["Period"] == 300
    assert errors["Dimensions"] == [{"Name": "FunctionName", "Value": "payment-validation-local"}]


def test_everything_else_is_the_stack_of_aws(local: Any, stack: Any) -> None:
    on_aws = stack("local", target="aws")
    differ = {
        name
        for name, resource in on_aws.template["Resources"].items()
        if local.template["Resources"].get(name) != resource
    }
    types = {on_aws.resource(name)["Type"] for name in differ}
    assert stack("local", waf=True, backup=True).template == local.template  # left out
    assert types == {"AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::CloudWatch::Alarm"}
    assert local.template["Outputs"] == on_aws.template["Outputs"]
    assert local.template["Parameters"] == on_aws.template["Parameters"]


def test_what_a_local_success_does_not_prove_is_said_in_sentences() -> None:
    assert len(set(OMISSIONS)) == len(OMISSIONS)
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in OMISSIONS)
