"""The fake AWS against its specification: what is seen when, drift, faults of calls, and the other services."""

import json
import random
import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.fakes.cloudformation import FakeAws
from tests.unit.fakes.conftest import Stacks
from tests.unit.fakes.samples import alarm, policy_of, queue, table, template

Refusal = Callable[..., tuple[str, str]]
TWO = template(Table=table(), Queue=queue(), Policy=policy_of("Queue"))


def test_events_come_in_pages_newest_first(aws: FakeAws, stacks: Stacks, cfn: Any) -> None:
    aws.scenario.page_size = 4
    assert stacks.run(TWO, "CREATE") == "CREATE_COMPLETE"
    pages = list(cfn.get_paginator("describe_stack_events").paginate(StackName="s"))
    assert len(pages) == 4
    events = [event for page in pages for event in page["StackEvents"]]
    assert [event["Timestamp"] for event in events] == sorted((event["Timestamp"] for event in events), reverse=True)
    assert len({event["EventId"] for event in events}) == len(events)
    listed = cfn.get_paginator("list_stack_resources").paginate(StackName="s").build_full_result()
    assert {one["LogicalResourceId"] for one in listed["StackResourceSummaries"]} == {"Table", "Queue", "Policy"}
    described = cfn.describe_stack_resources(StackName="s", LogicalResourceId="Table")["StackResources"]
    assert [one["PhysicalResourceId"] for one in described] == ["payments"]


def test_events_are_seen_late_and_out_of_order(aws: FakeAws, stacks: Stacks, cfn: Any) -> None:
    chance = random.Random(5)
    aws.scenario.event_delay = lambda: chance.uniform(0, 20)
    stacks.begin(TWO, "CREATE")
    seen: list[str] = []
    for _ in range(60):
        aws.skip(2)
        events = cfn.describe_stack_events(StackName="s")["StackEvents"]
        seen += [event["EventId"] for event in reversed(events) if event["EventId"] not in seen]
    final = [event["EventId"] for event in reversed(cfn.describe_stack_events(StackName="s")["StackEvents"])]
    assert sorted(seen) == sorted(final)
    assert seen != final


def test_describe_stacks_is_behind(aws: FakeAws, stacks: Stacks, cfn: Any, refusal: Refusal) -> None:
    aws.scenario.lag = {"DescribeStacks": 10, "DescribeChangeSet": 10}
    request = {"StackName": "s", "ChangeSetName": "c", "ChangeSetType": "CREATE"}
    made = cfn.create_change_set(**request, TemplateBody=json.dumps(TWO))
    assert "does not exist" in refusal(cfn.describe_stacks, StackName="s")[1]
    assert refusal(cfn.describe_change_set, ChangeSetName=made["Id"])[0] == "ChangeSetNotFound"
    aws.skip(11)
    assert cfn.describe_stacks()["Stacks"][0]["StackStatus"] == "REVIEW_IN_PROGRESS"
    cfn.execute_change_set(ChangeSetName=made["Id"])
    assert stacks.status == "CREATE_IN_PROGRESS"
    assert cfn.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "REVIEW_IN_PROGRESS"


def test_the_events_of_one_operation(aws: FakeAws, stacks: Stacks, cfn: Any) -> None:
    aws.scenario.fail("Queue", reason="quota")
    assert stacks.run(TWO, "CREATE") == "ROLLBACK_COMPLETE"
    operations = cfn.describe_stacks(StackName="s")["Stacks"][0]["LastOperations"]
    assert [one["OperationType"] for one in operations] == ["ROLLBACK", "CREATE_STACK"]
    created = {"OperationId": operations[1]["OperationId"], "Filters": {"FailedEvents": True}}
    failed = cfn.describe_events(**created)["OperationEvents"]
    found = [(one["EventType"], one["LogicalResourceId"], one["ResourceStatus"]) for one in failed]
    assert found == [("PROVISIONING_ERROR", "Queue", "CREATE_FAILED")]


def test_events_carry_the_token_of_their_operation(stacks: Stacks, cfn: Any) -> None:
    cfn.execute_change_set(ChangeSetName=stacks.plan(TWO, "CREATE"), ClientRequestToken="mine")
    newest = cfn.describe_stack_events(StackName="s")["StackEvents"][0]
    assert newest["ClientRequestToken"] == "mine"


def test_drift_is_detected_and_shown(aws: FakeAws, stacks: Stacks, cfn: Any) -> None:
    assert stacks.run(TWO, "CREATE") == "CREATE_COMPLETE"
    aws.alter("s", "Table", BillingMode="PROVISIONED")
    aws.destroy("s", "Queue")
    begun = cfn.detect_stack_drift(StackName="s")["StackDriftDetectionId"]
    described = cfn.describe_stack_drift_detection_status(StackDriftDetectionId=begun)
    assert described["DetectionStatus"] == "DETECTION_IN_PROGRESS"
    aws.skip(2)
    described = cfn.describe_stack_drift_detection_status(StackDriftDetectionId=begun)
    assert (described["StackDriftStatus"], described["DriftedStackResourceCount"]) == ("DRIFTED", 2)
    filters = {"StackResourceDriftStatusFilters": ["MODIFIED"]}
    (drift,) = cfn.describe_stack_resource_drifts(StackName="s", **filters)["StackResourceDrifts"]
    assert drift["PropertyDifferences"] == [
        {
            "PropertyPath": "/BillingMode",
            "ExpectedValue": "null",
            "ActualValue": "PROVISIONED",
            "DifferenceType": "ADD",
        }
    ]
    shown = cfn.describe_stacks(StackName="s")["Stacks"][0]["DriftInformation"]["StackDriftStatus"]
    assert shown == "DRIFTED"


def test_a_drift_aware_change_set_reverts_what_drifted(aws: FakeAws, stacks: Stacks, cfn: Any) -> None:
    on_demand = table(BillingMode="PAY_PER_REQUEST")
    document = template(Table=on_demand, Queue=queue(DelaySeconds=1), Alarm=alarm(Threshold=1))
    assert stacks.run(document, "CREATE") == "CREATE_COMPLETE"
    aws.alter("s", "Table", BillingMode="PROVISIONED")
    aws.alter("s", "Alarm", Threshold=2)
    aws.destroy("s", "Queue")
    assert cfn.describe_change_set(ChangeSetName=stacks.plan(document))["Status"] == "FAILED"  # blind to drift
    wanted = {**document, "Resources": {**document["Resources"], "Alarm": alarm(Threshold=2)}}
    change_set = stacks.plan(wanted, DeploymentMode="REVERT_DRIFT")
    described = cfn.describe_change_set(ChangeSetName=change_set)
    assert (described["StackDriftStatus"], described["DeploymentMode"]) == ("DRIFTED", "REVERT_DRIFT")
    changes = stacks.changes(change_set, IncludePropertyValues=True)
    assert {key: (one["Action"], one["ResourceDriftStatus"]) for key, one in changes.items()} == {
        "Table": ("Modify", "MODIFIED"),
        "Queue": ("Add", "DELETED"),
        "Alarm": ("SyncWithActual", "MODIFIED"),
    }
    (detail,) = changes["Table"]["Details"]
    target = detail["Target"]
    assert (target["BeforeValue"], target["AfterValue"]) == ("PROVISIONED", "PAY_PER_REQUEST")
    assert (target["BeforeValueFrom"], target["AfterValueFrom"]) == ("ACTUAL_STATE", "TEMPLATE")
    assert target["Drift"]["PreviousValue"] == "PAY_PER_REQUEST"
    cfn.execute_change_set(ChangeSetName=change_set)
    aws.skip(3600)
    assert stacks.status == "UPDATE_COMPLETE"
    now = aws.standing("AWS::DynamoDB::Table", "payments")
    assert now and now.properties["BillingMode"] == "PAY_PER_REQUEST"
    assert aws.standing("AWS::SQS::Queue", aws.stack("s").resources["Queue"].physical_id)


def test_calls_fail_as_scripted(aws: FakeAws, cfn: Any, refusal: Refusal) -> None:
    aws.put_stack("s", template=TWO)
    aws.faults.throttle("DescribeStack*", times=1, after=1)
    aws.faults.deny("DescribeEvents")
    aws.faults.refuse("ListStackResources", "InternalFailure", "oops", status=500)
    assert cfn.describe_stacks(StackName="s")["Stacks"]
    assert refusal(cfn.describe_stacks, StackName="s") == ("Throttling", "Rate exceeded")
    assert cfn.describe_stacks(StackName="s")["Stacks"]
    assert refusal(cfn.describe_events, StackName="s")[0] == "AccessDenied"
    assert refusal(cfn.list_stack_resources, StackName="s")[0] == "InternalFailure"
    aws.faults.expire_credentials(after=1)
    assert cfn.describe_stacks(StackName="s")["Stacks"]
    assert refusal(cfn.describe_stacks, StackName="s")[0] == "ExpiredToken"
    assert [call.error for call in aws.calls] == [
        "",
        "Throttling",
        "",
        "AccessDenied",
        "InternalFailure",
        "",
        "ExpiredToken",
    ]


def test_answers_are_slow_or_lost(aws: FakeAws, cfn: Any) -> None:
    aws.put_stack("s", template=TWO)
    aws.faults.delay("DescribeStacks", 0.2)
    began = time.monotonic()
    cfn.describe_stacks(StackName="s")
    assert time.monotonic() - began >= 0.2
    (call,) = aws.calls
    assert call.answered - call.at >= 0.2
    assert call.parameters == {"StackName": "s"}
    aws.faults.reset("UpdateTerminationProtection")
    with pytest.raises(ConnectionClosedError):
        cfn.update_termination_protection(StackName="s", EnableTerminationProtection=True)
    assert aws.stack("s").termination_protection is False
    aws.faults.reset("UpdateTerminationProtection", after_effect=True)
    with pytest.raises(ConnectionClosedError):
        cfn.update_termination_protection(StackName="s", EnableTerminationProtection=True)
    assert aws.stack("s").termination_protection is True


def test_time_passes_by_itself_and_an_operation_takes_what_it_is_given() -> None:
    with FakeAws(speed=200) as aws:
        aws.scenario.operation_seconds = lambda _stack, phase: 40.0 if phase == "create" else None
        client = boto3.Session("a", "b", region_name="us-east-1").client("cloudformation", endpoint_url=aws.url)
        client.create_stack(StackName="s", TemplateBody=json.dumps(TWO))
        client.close()
        aws.wait(aws.reached("s", "CREATE_IN_PROGRESS", "Policy"))
        aws.wait(aws.reached("s", "CREATE_COMPLETE"))
        moments = {moment.status: moment.at for moment in aws.stack("s").history}
        assert moments["CREATE_COMPLETE"] - moments["CREATE_IN_PROGRESS"] == pytest.approx(40)
        assert 0 <= time.monotonic() - aws.settled_at("s") < 5


def test_it_starts_at_once() -> None:
    began = time.monotonic()
    FakeAws().close()
    assert time.monotonic() - began < 0.5


def test_objects_lie_in_buckets_of_the_account(aws: FakeAws, client: Any, refusal: Refusal) -> None:
    s3 = client("s3")
    assert refusal(s3.put_object, Bucket="artifacts", Key="k", Body=b"x")[0] == "NoSuchBucket"
    aws.leave_behind("AWS::S3::Bucket", "artifacts", {})
    owner = {"Bucket": "artifacts", "ExpectedBucketOwner": "111111111111"}
    for key in ("a/1", "a/2", "a/3", "b/1"):
        s3.put_object(**owner, Key=key, Body=key.encode(), IfNoneMatch="*")
    assert refusal(s3.put_object, **owner, Key="a/1", Body=b"y", IfNoneMatch="*")[0] == "PreconditionFailed"
    etag = s3.head_object(**owner, Key="a/1")["ETag"]
    s3.put_object(**owner, Key="a/1", Body=b"new", IfMatch=etag)
    assert refusal(s3.put_object, **owner, Key="a/1", Body=b"y", IfMatch=etag)[0] == "PreconditionFailed"
    assert s3.get_object(**owner, Key="a/1")["Body"].read() == b"new"
    head = s3.head_object(**owner, Key="a/1", ChecksumMode="ENABLED")
    assert (head["ContentLength"], head["ChecksumSHA256"]) == (3, "EVB6Di9eadXfpApiob17buV+a82FxnybhDGzb/8hxDc=")
    assert refusal(s3.head_object, **owner, Key="z")[0] == "404"
    assert refusal(s3.get_object, **owner, Key="z")[0] == "NoSuchKey"
    listing = {"Bucket": "artifacts", "Prefix": "a/", "PaginationConfig": {"PageSize": 2}}
    pages = s3.get_paginator("list_objects_v2").paginate(**listing)
    assert [[one["Key"] for one in page["Contents"]] for page in pages] == [["a/1", "a/2"], ["a/3"]]
    s3.delete_object(**owner, Key="a/1")
    assert sorted(aws.objects["artifacts"]) == ["a/2", "a/3", "b/1"]
    other = {"Bucket": "artifacts", "ExpectedBucketOwner": "222222222222"}
    assert refusal(s3.get_object, **other, Key="b/1")[0] == "AccessDenied"
    s3.head_bucket(Bucket="artifacts")


def test_a_template_is_read_from_a_bucket(aws: FakeAws, cfn: Any, client: Any, refusal: Refusal) -> None:
    aws.leave_behind("AWS::S3::Bucket", "artifacts", {})
    client("s3").put_object(Bucket="artifacts", Key="t.json", Body=json.dumps(TWO).encode())
    request = {"StackName": "s", "ChangeSetName": "c", "ChangeSetType": "CREATE"}
    cfn.create_change_set(**request, TemplateURL=f"{aws.url}/artifacts/t.json")
    request = {"StackName": "t", "ChangeSetName": "c", "ChangeSetType": "CREATE"}
    assert refusal(cfn.create_change_set, **request, TemplateURL=f"{aws.url}/artifacts/u.json")[0] == "ValidationError"


def test_the_neighbours_answer_from_what_stands(aws: FakeAws, client: Any, refusal: Refusal) -> None:
    assert client("sts").get_caller_identity()["Account"] == "111111111111"
    gateway, logs = client("apigateway"), client("logs")
    assert "cloudwatchRoleArn" not in gateway.get_account()
    aws.leave_behind("AWS::ApiGateway::Account", "a", {"CloudWatchRoleArn": "arn:aws:iam::111111111111:role/logs"})
    assert gateway.get_account()["cloudwatchRoleArn"] == "arn:aws:iam::111111111111:role/logs"
    aws.leave_behind("AWS::Logs::LogGroup", "/aws/lambda/x", {})
    assert [one["logGroupName"] for one in logs.describe_log_groups(logGroupNamePrefix="/aws")["logGroups"]] == [
        "/aws/lambda/x"
    ]
    assert refusal(client("dynamodb").describe_table, TableName="t")[0] == "ResourceNotFoundException"
    client("cloudwatch").put_metric_data(Namespace="N", MetricData=[{"MetricName": "M", "Value": 1}])
    assert aws.calls[-1].parameters["Namespace"] == "N"
    with pytest.raises(ClientError, match="not in the fake"):
        client("sqs").list_queues()
    assert aws.problems.pop().startswith("sqs ListQueues")
