"""The fake CloudFormation against its specification: failures, rollbacks, cancels, modes, policies, triggers."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.cloudformation import FakeAws
from tests.unit.fakes.conftest import Stacks
from tests.unit.fakes.samples import Json, alarm, policy_of, queue, table, template

Refusal = Callable[..., tuple[str, str]]
TWO = template(Table=table(), Queue=queue(), Policy=policy_of("Queue"))
SLOWER = template(Table=table(BillingMode="PAY_PER_REQUEST"), Queue=queue(DelaySeconds=5), Policy=policy_of("Queue"))


@pytest.fixture
def standing(stacks: Stacks) -> Stacks:
    """The stack `s`, created from TWO."""
    assert stacks.run(TWO, "CREATE") == "CREATE_COMPLETE"
    return stacks


def test_a_failed_create_cancels_the_others_and_is_rolled_back(aws: FakeAws, stacks: Stacks) -> None:
    aws.scenario.fail("Table", reason="Subscriber limit exceeded")
    assert stacks.run(TWO, "CREATE") == "ROLLBACK_COMPLETE"
    told = stacks.told()
    failed = told.index(("Table", "CREATE_FAILED", "Subscriber limit exceeded"))
    assert told[failed + 1] == ("Queue", "CREATE_FAILED", "Resource creation cancelled")
    reason = "The following resource(s) failed to create: [Table, Queue]. Rollback requested by user."
    assert told[failed + 2] == ("s", "ROLLBACK_IN_PROGRESS", reason)
    assert ("Queue", "DELETE_COMPLETE", "") in told
    assert ("Policy", "CREATE_IN_PROGRESS", "") not in told
    assert aws.engine.account.resources == []


def test_a_create_that_cannot_be_rolled_back(aws: FakeAws, stacks: Stacks, cfn: Any) -> None:
    aws.scenario.fail("Policy")
    aws.scenario.fail("Queue", on="rollback", reason="still in use")
    assert stacks.run(TWO, "CREATE") == "ROLLBACK_FAILED"
    assert ("Queue", "DELETE_FAILED", "still in use") in stacks.told()
    cfn.delete_stack(StackName="s")
    aws.skip(3600)
    assert stacks.status == "DELETE_COMPLETE"


def test_retain_except_on_create_goes_with_the_create_that_made_it(aws: FakeAws, stacks: Stacks) -> None:
    aws.scenario.fail("Policy")
    kept = {**table(), "DeletionPolicy": "RetainExceptOnCreate"}
    retained = {**table("other"), "DeletionPolicy": "Retain"}
    document = template(Kept=kept, Retained=retained, Queue=queue(), Policy=policy_of("Queue"))
    assert stacks.run(document, "CREATE") == "ROLLBACK_COMPLETE"
    assert aws.standing("AWS::DynamoDB::Table", "payments") is None
    assert aws.standing("AWS::DynamoDB::Table", "other")


def test_a_name_that_is_taken_meanwhile_fails_the_create(aws: FakeAws, stacks: Stacks) -> None:
    change_set = stacks.plan(TWO, "CREATE")
    aws.leave_behind("AWS::DynamoDB::Table", "payments", {"TableName": "payments"})
    stacks.cfn.execute_change_set(ChangeSetName=change_set)
    aws.skip(3600)
    assert stacks.status == "ROLLBACK_COMPLETE"
    assert any("identifier 'payments' already exists" in reason for _, _, reason in stacks.told())


def test_a_failed_update_brings_the_old_configuration_back(aws: FakeAws, standing: Stacks) -> None:
    aws.scenario.fail("Queue", on="update", reason="no such attribute")
    added = {**SLOWER, "Resources": {**SLOWER["Resources"], "New": alarm()}}
    assert standing.run(added) == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.stack("s").states[-4:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    table_now = aws.standing("AWS::DynamoDB::Table", "payments")
    assert table_now and "BillingMode" not in table_now.properties
    assert aws.standing("AWS::CloudWatch::Alarm", "errors") is None
    assert standing.cfn.get_template(StackName="s")["TemplateBody"] == TWO


def test_a_rollback_that_fails_is_continued_or_skipped(aws: FakeAws, standing: Stacks, refusal: Refusal) -> None:
    cfn = standing.cfn
    aws.scenario.fail("Queue", on="update")
    aws.scenario.fail("Table", on="rollback", reason="limit of changes a day", times=2)
    assert standing.run(SLOWER) == "UPDATE_ROLLBACK_FAILED"
    code, said = refusal(cfn.continue_update_rollback, StackName="s", ResourcesToSkip=["Policy"])
    assert (code, "cannot be skipped" in said) == ("ValidationError", True)
    cfn.continue_update_rollback(StackName="s", ClientRequestToken="a")
    aws.skip(3600)
    assert standing.status == "UPDATE_ROLLBACK_FAILED"
    cfn.continue_update_rollback(StackName="s", ResourcesToSkip=["Table"])
    aws.skip(3600)
    assert standing.status == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.stack("s").resources["Table"].status == "UPDATE_COMPLETE"
    code, said = refusal(cfn.continue_update_rollback, StackName="s")
    assert said == "RollbackUpdatedStack cannot be called from current stack status"


def test_a_stack_put_in_a_failed_rollback_can_be_continued(aws: FakeAws, cfn: Any) -> None:
    aws.put_stack("s", "UPDATE_ROLLBACK_FAILED", TWO, failed={"Queue": "gone"})
    cfn.continue_update_rollback(StackName="s")
    aws.skip(3600)
    assert aws.stack("s").status == "UPDATE_ROLLBACK_COMPLETE"


def test_an_update_is_cancelled_only_while_it_is_in_progress(aws: FakeAws, standing: Stacks, refusal: Refusal) -> None:
    cfn, said = standing.cfn, "CancelUpdateStack cannot be called from current stack status"
    assert refusal(cfn.cancel_update_stack, StackName="s") == ("ValidationError", said)
    standing.begin(SLOWER)
    aws.skip(1)
    cfn.cancel_update_stack(StackName="s", ClientRequestToken="t")
    cfn.cancel_update_stack(StackName="s", ClientRequestToken="t")  # a retry
    assert standing.status == "UPDATE_ROLLBACK_IN_PROGRESS"
    aws.skip(3600)
    assert standing.status == "UPDATE_ROLLBACK_COMPLETE"
    assert ("Queue", "UPDATE_FAILED", "Resource update cancelled") in standing.told()


def test_a_create_is_not_cancelled_but_deleted(aws: FakeAws, stacks: Stacks, refusal: Refusal) -> None:
    stacks.begin(TWO, "CREATE")
    aws.skip(5)
    said = "CancelUpdateStack cannot be called from current stack status"
    assert refusal(stacks.cfn.cancel_update_stack, StackName="s") == ("ValidationError", said)
    stacks.cfn.delete_stack(StackName="s")
    assert ("Table", "CREATE_FAILED", "Resource creation cancelled") in stacks.told()
    aws.skip(3600)
    assert stacks.status == "DELETE_COMPLETE"
    assert aws.engine.account.resources == []


def test_a_stack_in_an_update_is_not_deleted(aws: FakeAws, standing: Stacks, refusal: Refusal) -> None:
    standing.begin(SLOWER)
    said = f"Stack [{aws.stack('s').stack_id}] cannot be deleted while in status UPDATE_IN_PROGRESS"
    assert refusal(standing.cfn.delete_stack, StackName="s") == ("ValidationError", said)


def test_a_replacement_makes_the_new_before_it_removes_the_old(aws: FakeAws, stacks: Stacks) -> None:
    def named(name: str) -> Json:
        return template(Queue=queue(QueueName=name), Policy=policy_of("Queue"))

    assert stacks.run(named("one"), "CREATE") == "CREATE_COMPLETE"
    old = aws.stack("s").resources["Queue"].physical_id
    assert stacks.run(named("two")) == "UPDATE_COMPLETE"
    told = stacks.told()
    cleanup = told.index(("s", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", ""))
    assert told.index(("Policy", "UPDATE_COMPLETE", "")) < cleanup < told.index(("Queue", "DELETE_COMPLETE", ""))
    assert aws.standing("AWS::SQS::Queue", old) is None
    new = aws.stack("s").resources["Queue"].physical_id
    assert aws.stack("s").resources["Policy"].properties["Queues"] == [new]


def test_a_failed_update_takes_a_replacement_back(aws: FakeAws, stacks: Stacks) -> None:
    def named(name: str) -> Json:
        return template(Queue=queue(QueueName=name), Policy=policy_of("Queue"))

    assert stacks.run(named("one"), "CREATE") == "CREATE_COMPLETE"
    aws.scenario.fail("Policy", on="update")
    assert stacks.run(named("two")) == "UPDATE_ROLLBACK_COMPLETE"
    names = [one.physical_id.rpartition("/")[2] for one in aws.engine.account.resources if "Queue" in one.type]
    assert "one" in names
    assert "two" not in names


def test_what_has_a_name_is_not_replaced(aws: FakeAws, standing: Stacks) -> None:
    other_key = template(Table=table(KeySchema=[{"AttributeName": "other", "KeyType": "HASH"}]))
    assert standing.changes(standing.plan(other_key))["Table"]["Replacement"] == "Conditional"
    assert standing.run(other_key) == "UPDATE_ROLLBACK_COMPLETE"
    reason = (
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
        "Rename payments and update the stack again."
    )
    assert ("Table", "UPDATE_FAILED", reason) in standing.told()


def test_what_the_cleanup_cannot_delete_fails_nothing(aws: FakeAws, standing: Stacks) -> None:
    aws.scenario.fail("Queue", on="cleanup", reason="in use")
    assert standing.run(template(Table=table())) == "UPDATE_COMPLETE"
    said = "Update successful. One or more resources could not be deleted."
    assert standing.told()[-1] == ("s", "UPDATE_COMPLETE", said)


def test_a_failed_delete_is_retried_with_what_is_to_stay(aws: FakeAws, standing: Stacks, refusal: Refusal) -> None:
    cfn = standing.cfn
    _, said = refusal(cfn.delete_stack, StackName="s", RetainResources=["Queue"])
    assert "retain only when the stack is in the DELETE_FAILED state" in said
    assert refusal(cfn.delete_stack, StackName="s", DeletionMode="FORCE_DELETE_STACK")[0] == "ValidationError"
    aws.scenario.fail("Queue", on="delete", reason="in use", times=2)
    cfn.delete_stack(StackName="s")
    aws.skip(3600)
    assert standing.status == "DELETE_FAILED"
    assert standing.told()[-1][2] == "The following resource(s) failed to delete: [Queue]. "
    cfn.delete_stack(StackName="s", RetainResources=["Queue"])
    aws.skip(3600)
    assert standing.status == "DELETE_COMPLETE"
    assert [one.type for one in aws.engine.account.resources] == ["AWS::SQS::Queue"]


def test_a_forced_delete_leaves_what_is_in_the_way(aws: FakeAws, standing: Stacks) -> None:
    aws.scenario.fail("Table", on="delete", times=2)
    for more in ({}, {"DeletionMode": "FORCE_DELETE_STACK"}):
        standing.cfn.delete_stack(StackName="s", **more)
        aws.skip(3600)
    assert standing.status == "DELETE_COMPLETE"
    assert ("Table", "DELETE_SKIPPED", "") in standing.told()


def test_a_protected_table_and_a_full_bucket_are_in_the_way(aws: FakeAws, stacks: Stacks, client: Any) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "artifacts"}}
    document = template(Table=table(DeletionProtectionEnabled="true"), Bucket=bucket)
    assert stacks.run(document, "CREATE") == "CREATE_COMPLETE"
    client("s3").put_object(Bucket="artifacts", Key="k", Body=b"x")
    stacks.cfn.delete_stack(StackName="s")
    aws.skip(3600)
    assert stacks.status == "DELETE_FAILED"
    reasons = " ".join(reason for _, status, reason in stacks.told() if status == "DELETE_FAILED")
    assert "currently protected against deletion" in reasons
    assert "bucket you tried to delete is not empty" in reasons


@pytest.mark.parametrize(("config", "status"), [({"Mode": "EXPRESS"}, "CREATE_FAILED"), ({}, "ROLLBACK_COMPLETE")])
def test_express_mode_alone_turns_the_rollback_off(aws: FakeAws, stacks: Stacks, config: Json, status: str) -> None:
    aws.scenario.fail("Policy")
    assert stacks.run(TWO, "CREATE", DeploymentConfig={"Mode": "STANDARD", **config}) == status


def test_express_mode_with_rollback(aws: FakeAws, stacks: Stacks) -> None:
    aws.scenario.fail("Policy")
    express = {"Mode": "EXPRESS", "DisableRollback": False}
    assert stacks.run(TWO, "CREATE", DeploymentConfig=express) == "ROLLBACK_COMPLETE"


def test_express_mode_ends_before_things_are_ready(aws: FakeAws, stacks: Stacks, client: Any, refusal: Refusal) -> None:
    express = {"Mode": "EXPRESS", "DisableRollback": False}
    stacks.begin(template(Table=table()), "CREATE", DeploymentConfig=express)
    dynamodb = client("dynamodb")
    aws.skip(5)
    assert stacks.status == "CREATE_COMPLETE"
    assert any("completed using Express Mode" in reason for _, _, reason in stacks.told())
    assert dynamodb.describe_table(TableName="payments")["Table"]["TableStatus"] == "CREATING"
    aws.skip(30)
    assert dynamodb.describe_table(TableName="payments")["Table"]["TableStatus"] == "ACTIVE"
    stacks.cfn.delete_stack(StackName="s", DeploymentConfig=express)
    aws.skip(5)
    assert stacks.status == "DELETE_COMPLETE"
    assert dynamodb.describe_table(TableName="payments")["Table"]["TableStatus"] == "DELETING"
    aws.skip(30)
    assert refusal(dynamodb.describe_table, TableName="payments")[0] == "ResourceNotFoundException"


def test_without_rollback_nothing_is_replaced(stacks: Stacks, refusal: Refusal) -> None:
    express = {"Mode": "EXPRESS"}
    assert stacks.run(template(Queue=queue(QueueName="one")), "CREATE", DeploymentConfig=express) == "CREATE_COMPLETE"
    assert stacks.run(template(Queue=queue(QueueName="two")), DeploymentConfig=express) == "UPDATE_FAILED"
    reason = "Replacement type updates not supported on stack with disable-rollback."
    assert ("Queue", "UPDATE_FAILED", reason) in stacks.told()
    again = stacks.plan(template(Queue=queue(QueueName="three")), DeploymentConfig={"Mode": "STANDARD"})
    _, said = refusal(stacks.cfn.execute_change_set, ChangeSetName=again)
    assert said.startswith("This stack is currently in a non-terminal [UPDATE_FAILED] state.")
    assert refusal(stacks.cfn.rollback_stack, StackName="s")[0] == "ValidationError"


def test_a_failed_update_without_rollback_is_mended_or_rolled_back(aws: FakeAws, standing: Stacks) -> None:
    aws.scenario.fail("Queue", on="update", times=2)
    disabled = {"DisableRollback": True}
    assert standing.run(SLOWER, DeploymentConfig=disabled) == "UPDATE_FAILED"
    assert standing.run(SLOWER, DeploymentConfig=disabled) == "UPDATE_FAILED"
    standing.cfn.rollback_stack(StackName="s")
    aws.skip(3600)
    assert standing.status == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.stack("s").now.template == TWO
    assert standing.run(SLOWER, DeploymentConfig=disabled) == "UPDATE_COMPLETE"


def test_a_failed_create_without_rollback_is_mended_or_rolled_back(aws: FakeAws, stacks: Stacks) -> None:
    aws.scenario.fail("Queue", times=2)
    disabled = {"DisableRollback": True}
    assert stacks.run(TWO, "CREATE", DeploymentConfig=disabled) == "CREATE_FAILED"
    assert aws.standing("AWS::DynamoDB::Table", "payments")
    assert stacks.run(SLOWER, DeploymentConfig=disabled) == "UPDATE_FAILED"
    assert stacks.run(SLOWER, DeploymentConfig=disabled) == "UPDATE_COMPLETE"


def test_rollback_stack_takes_a_failed_create_back(aws: FakeAws, stacks: Stacks) -> None:
    aws.scenario.fail("Queue")
    assert stacks.run(TWO, "CREATE", DeploymentConfig={"DisableRollback": True}) == "CREATE_FAILED"
    stacks.cfn.rollback_stack(StackName="s")
    aws.skip(3600)
    assert stacks.status == "ROLLBACK_COMPLETE"


def test_a_create_can_delete_itself_on_failure(aws: FakeAws, stacks: Stacks) -> None:
    aws.scenario.fail("Queue")
    assert stacks.run(TWO, "CREATE", OnStackFailure="DELETE") == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("action", "document"),
    [
        ("Update:Replace", template(Table=table("other"), Queue=queue(), Policy=policy_of("Queue"))),
        ("Update:Delete", template(Queue=queue(), Policy=policy_of("Queue"))),
        ("Update:Modify", template(Table=table(BillingMode="x"), Queue=queue(), Policy=policy_of("Queue"))),
    ],
)
def test_a_stack_policy_denies(standing: Stacks, action: str, document: Json) -> None:
    allow = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": [action], "Principal": "*", "Resource": "LogicalResourceId/Table"}
    standing.cfn.set_stack_policy(StackName="s", StackPolicyBody=json.dumps({"Statement": [allow, deny]}))
    assert standing.run(document) == "UPDATE_ROLLBACK_COMPLETE"
    denied = f"Statement [#2] does not allow [{action}] for resource [LogicalResourceId/Table]"
    assert ("Table", "UPDATE_FAILED", f"Action denied by stack policy: {denied};") in standing.told()
    policy = json.dumps({"Statement": [allow]})
    standing.cfn.set_stack_policy(StackName="s", StackPolicyBody=policy)
    assert json.loads(standing.cfn.get_stack_policy(StackName="s")["StackPolicyBody"]) == json.loads(policy)
    assert standing.run(document) == "UPDATE_COMPLETE"


def test_what_no_statement_of_a_policy_allows_is_denied(standing: Stacks) -> None:
    by_type = {"StringEquals": {"ResourceType": ["AWS::DynamoDB::Table"]}}
    allow = {"Effect": "Allow", "NotAction": "Update:Delete", "Principal": "*", "Resource": "*", "Condition": by_type}
    standing.cfn.set_stack_policy(StackName="s", StackPolicyBody=json.dumps({"Statement": [allow]}))
    assert standing.run(SLOWER) == "UPDATE_ROLLBACK_COMPLETE"
    (denied,) = [entry for entry in standing.told() if "stack policy" in entry[2]]
    assert denied[0] == "Queue"


def triggers(name: str, minutes: int = 1) -> Json:
    arn = f"arn:aws:cloudwatch:us-east-1:111111111111:alarm:{name}"
    listed = [{"Arn": arn, "Type": "AWS::CloudWatch::Alarm"}]
    return {"RollbackTriggers": listed, "MonitoringTimeInMinutes": minutes}


def test_an_alarm_in_the_monitoring_time_rolls_an_update_back(aws: FakeAws, stacks: Stacks) -> None:
    document = template(Alarm=alarm(), Queue=queue())
    changed = template(Alarm=alarm(), Queue=queue(DelaySeconds=1))
    assert stacks.run(document, "CREATE") == "CREATE_COMPLETE"
    stacks.begin(changed, RollbackConfiguration=triggers("errors"))
    aws.skip(60)
    assert stacks.told()[-1][:2] == ("Queue", "UPDATE_COMPLETE")
    assert stacks.status == "UPDATE_IN_PROGRESS"
    aws.alarm("errors", "ALARM")
    aws.skip(3600)
    assert stacks.status == "UPDATE_ROLLBACK_COMPLETE"
    aws.alarm("errors", "OK")
    assert stacks.run(changed) == "UPDATE_COMPLETE"  # the triggers are kept for the next update


@pytest.mark.parametrize(
    ("given", "ends"),
    [
        ({}, "UPDATE_ROLLBACK_COMPLETE"),
        ({"MonitoringTimeInMinutes": 1}, "UPDATE_ROLLBACK_COMPLETE"),
        ({"RollbackTriggers": []}, "UPDATE_COMPLETE"),
    ],
)
def test_triggers_are_saved_for_later_updates_until_an_empty_list_takes_them_away(
    aws: FakeAws, stacks: Stacks, given: Json, ends: str
) -> None:
    alarmed = template(Alarm=alarm(), Queue=queue())
    assert stacks.run(alarmed, "CREATE") == "CREATE_COMPLETE"
    slower = template(Alarm=alarm(), Queue=queue(DelaySeconds=1))
    assert stacks.run(slower, RollbackConfiguration=triggers("errors")) == "UPDATE_COMPLETE"
    aws.alarm("errors", "ALARM")
    assert stacks.run(alarmed, RollbackConfiguration=given) == ends
    (stack,) = stacks.cfn.describe_stacks(StackName="s")["Stacks"]
    watched = [trigger["Arn"].rpartition(":")[2] for trigger in stack["RollbackConfiguration"]["RollbackTriggers"]]
    assert watched == ([] if given == {"RollbackTriggers": []} else ["errors"])


def test_the_monitoring_time_is_waited_without_triggers_too(aws: FakeAws, stacks: Stacks) -> None:
    assert stacks.run(TWO, "CREATE") == "CREATE_COMPLETE"
    stacks.begin(SLOWER, RollbackConfiguration={"RollbackTriggers": [], "MonitoringTimeInMinutes": 60})
    aws.skip(1800)
    assert stacks.status == "UPDATE_IN_PROGRESS"
    aws.skip(3600)
    assert stacks.status == "UPDATE_COMPLETE"


def test_a_missing_alarm_fails_the_operation(aws: FakeAws, stacks: Stacks) -> None:
    assert stacks.run(TWO, "CREATE", RollbackConfiguration=triggers("errors")) == "ROLLBACK_COMPLETE"
    assert any("errors does not exist" in reason for _, _, reason in stacks.told())
    assert aws.engine.account.resources == []
    stacks.cfn.delete_stack(StackName="s")
    aws.skip(3600)
    assert stacks.run(TWO, "CREATE", RollbackConfiguration={}) == "CREATE_COMPLETE"
    assert stacks.run(SLOWER, RollbackConfiguration=triggers("errors")) == "UPDATE_ROLLBACK_COMPLETE"
