"""The table, the queues, the topic, and what is left of them when the stack goes."""

from typing import Any

import pytest

from paycli.stack.retention import DATA_TYPES, KEEPING_POLICIES

FOURTEEN_DAYS = 1_209_600


def test_the_table_can_be_brought_back_and_forgets_what_expired(dev: Any) -> None:
    table = dev["TransactionsTable"]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["KeySchema"] == [{"AttributeName": "transaction_id", "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": "transaction_id", "AttributeType": "S"}]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


@pytest.mark.parametrize("retain", [True, False])
def test_data_stays_or_goes_by_one_setting(stack: Any, retain: bool) -> None:
    resources = stack(retain_data=retain, backup=True, waf=True).template["Resources"].values()
    expected = ("RetainExceptOnCreate", "Retain") if retain else ("Delete", "Delete")
    assert (expected[0] in KEEPING_POLICIES) == retain
    assert {resource["Type"] for resource in resources} >= DATA_TYPES
    for resource in resources:
        policies = (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
        assert policies == (expected if resource["Type"] in DATA_TYPES else (None, None)), resource["Type"]


def test_only_kept_data_is_protected_and_the_deployment_says_when(stack: Any) -> None:
    assert stack(retain_data=True)["TransactionsTable"]["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
    assert "DeletionProtectionEnabled" not in stack(retain_data=False)["TransactionsTable"]


def test_a_failed_payment_is_received_five_times_then_kept_for_14_days(dev: Any) -> None:
    failed = dev["FailedTransactionsQueue"]
    assert failed["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["FailedTransactionsDeadLetterQueue", "Arn"]},
        "maxReceiveCount": 5,
    }
    for queue in dev.of_type("AWS::SQS::Queue").values():
        assert queue["MessageRetentionPeriod"] == FOURTEEN_DAYS


def test_only_the_failed_queue_may_put_into_its_dead_letter_queue(dev: Any) -> None:
    allowed = dev["FailedTransactionsDeadLetterQueue"]["RedriveAllowPolicy"]
    assert allowed["redrivePermission"] == "byQueue"
    (source,) = allowed["sourceQueueArns"]
    assert source["Fn::Sub"].endswith(":" + dev["FailedTransactionsQueue"]["QueueName"])
    for name in ("FailedTransactionsQueue", "FunctionFailuresQueue"):
        assert dev[name]["RedriveAllowPolicy"] == {"redrivePermission": "denyAll"}


def test_only_this_stacks_alarms_publish_as_a_service(dev: Any) -> None:
    (allowed,) = (s for name, s in dev.statements() if name == "AlarmTopicPolicy" and s["Effect"] == "Allow")
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Action"] == ["sns:Publish"]
    assert allowed["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"].endswith(":alarm:*-dev")
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_an_address_is_subscribed_where_one_is_set(stack: Any, dev: Any) -> None:
    assert not dev.of_type("AWS::SNS::Subscription")
    subscriptions = stack(alarms={"email": "oncall@bank.example"}).of_type("AWS::SNS::Subscription")
    assert list(subscriptions.values()) == [
        {"TopicArn": {"Ref": "AlarmTopic"}, "Protocol": "email", "Endpoint": "oncall@bank.example"}
    ]


def test_every_log_group_forgets(stack: Any) -> None:
    for group in stack(log_retention_days=14).of_type("AWS::Logs::LogGroup").values():
        assert group["RetentionInDays"] == 14


def test_the_key_waits_before_it_dies(dev: Any, prod: Any) -> None:
    assert dev["Key"]["PendingWindowInDays"] == 7
    assert prod["Key"]["PendingWindowInDays"] == 30
    assert dev["KeyAlias"]["TargetKeyId"] == {"Ref": "Key"}
