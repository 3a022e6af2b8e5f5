"""The fake's change sets of type IMPORT: what they refuse, what they take up, and what is taken back."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.cloudformation import FakeAws
from tests.unit.fakes.conftest import Stacks
from tests.unit.fakes.samples import Json, queue, table, template

URL = "https://sqs.us-east-1.amazonaws.com/111111111111/failed"
TABLE = {**table(), "DeletionPolicy": "Retain"}
QUEUE = {**queue(QueueName="failed"), "DeletionPolicy": "Retain"}
KEY = {"Type": "AWS::KMS::Key", "Properties": {}, "DeletionPolicy": "Retain"}
BOTH = template(Table=TABLE, Queue=QUEUE)


def target(logical_id: str, kind: str, **identifier: str) -> Json:
    return {"LogicalResourceId": logical_id, "ResourceType": kind, "ResourceIdentifier": identifier}


OF_TABLE = target("Table", "AWS::DynamoDB::Table", TableName="payments")
OF_QUEUE = target("Queue", "AWS::SQS::Queue", QueueUrl=URL)


@pytest.fixture
def left(aws: FakeAws) -> FakeAws:
    """An account in which a table and a queue stand that no stack owns."""
    aws.leave_behind("AWS::DynamoDB::Table", "payments", {"TableName": "payments", "Kept": "as it is"})
    aws.leave_behind("AWS::SQS::Queue", URL, {"QueueName": "failed"})
    return aws


def test_a_stack_is_made_of_what_stands_as_it_stands(left: FakeAws, stacks: Stacks, cfn: Any) -> None:
    change_set = stacks.plan(BOTH, "IMPORT", ResourcesToImport=[OF_TABLE, OF_QUEUE])
    assert stacks.status == "REVIEW_IN_PROGRESS"
    assert {name: (one["Action"], one["PhysicalResourceId"]) for name, one in stacks.changes(change_set).items()} == {
        "Table": ("Import", "payments"),
        "Queue": ("Import", URL),
    }
    cfn.execute_change_set(ChangeSetName=change_set)
    left.skip(3600)
    assert left.stack("s").states == ["REVIEW_IN_PROGRESS", "IMPORT_IN_PROGRESS", "IMPORT_COMPLETE"]
    standing = left.standing("AWS::DynamoDB::Table", "payments")
    assert standing is not None
    assert (standing.stack_id, standing.properties["Kept"]) == (left.stack("s").stack_id, "as it is")
    assert cfn.describe_change_set(ChangeSetName=change_set)["ExecutionStatus"] == "EXECUTE_COMPLETE"
    assert stacks.run(template(Table=TABLE, Queue=QUEUE, Topic={"Type": "AWS::SNS::Topic"})) == "UPDATE_COMPLETE"


def test_a_key_is_imported_by_its_id(aws: FakeAws, stacks: Stacks) -> None:
    aws.leave_behind("AWS::KMS::Key", "1234", {})
    assert stacks.run(template(Key=KEY), "IMPORT", ResourcesToImport=[target("Key", "AWS::KMS::Key", KeyId="1234")])
    assert stacks.status == "IMPORT_COMPLETE"
    assert aws.stack("s").resources["Key"].physical_id == "1234"


def test_a_stack_that_stands_takes_up_more_and_gives_back_what_fails(left: FakeAws, stacks: Stacks) -> None:
    assert stacks.run(template(Queue=QUEUE), "IMPORT", ResourcesToImport=[OF_QUEUE]) == "IMPORT_COMPLETE"
    left.scenario.fail("Table", on="import", reason="Rate exceeded")
    assert stacks.run(BOTH, "IMPORT", ResourcesToImport=[OF_TABLE]) == "IMPORT_ROLLBACK_COMPLETE"
    standing = left.standing("AWS::DynamoDB::Table", "payments")
    assert standing is not None
    assert standing.stack_id == ""
    assert stacks.run(BOTH, "IMPORT", ResourcesToImport=[OF_TABLE]) == "IMPORT_COMPLETE"


def test_a_new_stack_whose_import_fails_can_only_be_deleted(left: FakeAws, stacks: Stacks, cfn: Any) -> None:
    left.scenario.fail("Table", on="import", reason="Rate exceeded")
    assert stacks.run(BOTH, "IMPORT", ResourcesToImport=[OF_TABLE, OF_QUEUE]) == "ROLLBACK_COMPLETE"
    assert ("Table", "IMPORT_FAILED", "Rate exceeded") in stacks.told()
    assert ("Queue", "IMPORT_ROLLBACK_COMPLETE", "") in stacks.told()
    assert cfn.describe_stack_resources(StackName="s")["StackResources"] == []
    queue_standing = left.standing("AWS::SQS::Queue", URL)
    assert queue_standing is not None
    assert queue_standing.stack_id == ""


CARELESS = template(Table=table())
OUTPUT = {"Outputs": {"Name": {"Value": {"Ref": "Table"}}}}
ALONE = template(Table=TABLE)


@pytest.mark.parametrize(
    ("document", "request_", "said"),
    [
        (ALONE, {"ResourcesToImport": []}, "Must Provide at least one resource to import"),
        ({**ALONE, **OUTPUT}, {}, "As part of the import operation, you cannot modify or add [Outputs]"),
        (
            ALONE,
            {"Tags": [{"Key": "a", "Value": "b"}], "RoleARN": "arn:aws:iam::111111111111:role/r"},
            "As part of the import operation, you cannot modify or add [RoleArn, Tags]",
        ),
        (template(Other=QUEUE), {}, "The logical resource ids [Table] provided in ResourceToImport do not exist"),
        (
            ALONE,
            {"ResourcesToImport": [target("Table", "AWS::DynamoDB::Table", Name="x")]},
            "Invalid resource identifier for resource type AWS::DynamoDB::Table. Expected [TableName]",
        ),
        (BOTH, {}, "Resources [Queue] is missing from ResourceToImport list"),
        (CARELESS, {}, "The following resources to import [Table] must have DeletionPolicy attribute specified"),
    ],
)
def test_what_is_no_import_is_refused(
    left: FakeAws, cfn: Any, refusal: Callable[..., tuple[str, str]], document: Json, request_: Json, said: str
) -> None:
    request = {"ResourcesToImport": [OF_TABLE], **request_}
    body = json.dumps(document)
    code, message = refusal(
        cfn.create_change_set,
        StackName="s",
        ChangeSetName="c",
        ChangeSetType="IMPORT",
        TemplateBody=body,
        **request,
    )
    assert code == "ValidationError"
    assert message.startswith(said)
    assert left.find("s") is None


def test_what_the_stack_has_already_is_left_as_it_is(left: FakeAws, stacks: Stacks) -> None:
    assert stacks.run(template(Queue=QUEUE), "IMPORT", ResourcesToImport=[OF_QUEUE]) == "IMPORT_COMPLETE"
    with pytest.raises(Exception, match=r"Resources \[Queue\] passed in ResourceToImport are already in a stack"):
        stacks.plan(BOTH, "IMPORT", ResourcesToImport=[OF_QUEUE, OF_TABLE])
    changed = {**QUEUE, "Properties": {"QueueName": "failed", "DelaySeconds": 5}}
    with pytest.raises(Exception, match=r"You have modified resources \[Queue\]"):
        stacks.plan(template(Queue=changed, Table=TABLE), "IMPORT", ResourcesToImport=[OF_TABLE])


def test_what_is_not_there_or_another_stack_s_fails_the_change_set(left: FakeAws, stacks: Stacks, cfn: Any) -> None:
    other = target("Table", "AWS::DynamoDB::Table", TableName="nothing")
    described = cfn.describe_change_set(ChangeSetName=stacks.plan(ALONE, "IMPORT", ResourcesToImport=[other]))
    assert (described["Status"], described["StatusReason"]) == (
        "FAILED",
        "Resource of type 'AWS::DynamoDB::Table' with identifier 'nothing' was not found.",
    )
    standing = left.standing("AWS::DynamoDB::Table", "payments")
    assert standing is not None
    standing.stack_id = "arn:other"
    described = cfn.describe_change_set(ChangeSetName=stacks.plan(ALONE, "IMPORT", ResourcesToImport=[OF_TABLE]))
    assert described["StatusReason"] == "payments already exists in stack arn:other"
