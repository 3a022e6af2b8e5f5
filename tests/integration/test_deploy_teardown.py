"""A stack is taken down: what goes, what stays, what is in the way, and what others still need."""

import signal

import pytest

from paycli.deployment.artifacts import template_key
from paycli.deployment.package import package
from paycli.handlers_source import handlers_root
from tests.fakes.project import FakeProject
from tests.integration.conftest import Within
from tests.integration.deploys import LONG, PROD, STACK, TABLE, error_of, recorded, records, version

TEARDOWN = ("teardown", "--env", "dev", "--yes")
TOPIC = "AlarmTopic"


def test_a_teardown_takes_everything_down(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed()
    ran = within(*TEARDOWN)
    assert ran.status == 0, ran.err
    assert f"{len(stack.resources)} resources gone, 0 left" in ran.out
    assert "AWS keeps a deleted KMS key" in ran.out
    assert stack.status == "DELETE_COMPLETE"
    assert cloud.aws.standing("AWS::DynamoDB::Table", "transactions-dev") is None
    (request,) = [call.parameters for call in cloud.aws.calls if call.operation == "DeleteStack"]
    assert request["DeploymentConfig"] == {"Mode": "EXPRESS"}


def test_a_protected_stack_is_torn_down_only_by_explicit_wish_and_keeps_its_data(
    cloud: FakeProject, within: Within
) -> None:
    stack = cloud.deployed("prod")
    stack.termination_protection = True
    refused = within("teardown", "--env", "prod", "--yes")
    assert refused.status == 1
    assert "has termination protection" in error_of(refused)
    assert "--disable-termination-protection" in error_of(refused)
    assert stack.status == "CREATE_COMPLETE"
    kept = {one.logical_id for one in stack.resources.values() if one.deletion_policy != "Delete"}
    assert TABLE in kept
    ran = within("teardown", "--env", "prod", "--yes", "--disable-termination-protection")
    assert ran.status == 0, ran.err
    assert f"{len(stack.resources) - len(kept)} resources gone, {len(kept)} left" in ran.out
    assert "aws dynamodb delete-table --table-name transactions-prod" in ran.out
    assert "AWS keeps" not in ran.out
    assert cloud.aws.standing("AWS::DynamoDB::Table", "transactions-prod")
    assert cloud.aws.stack(PROD).status == "DELETE_COMPLETE"


def test_what_is_in_the_way_is_named_and_can_be_left(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed()
    cloud.aws.scenario.fail(TOPIC, on="delete", reason="Topic has a subscription", times=2)
    early = within(*TEARDOWN, "--retain", TOPIC)
    assert early.status == 2
    assert "Run it without --retain first" in error_of(early)
    assert stack.status == "CREATE_COMPLETE"
    ran = within(*TEARDOWN)
    assert ran.status == 1
    assert "Topic has a subscription" in error_of(ran)
    assert f"What can't be deleted can stay behind: paycli teardown --env dev --retain {TOPIC}\n" in ran.err
    again = within(*TEARDOWN)
    assert again.status == 1
    assert f"{TOPIC} was in the way before: Topic has a subscription" in again.err
    assert f"to leave it behind: --retain {TOPIC}" in again.err
    other = within(*TEARDOWN, "--retain", TABLE)
    assert other.status == 2
    assert f"It has failed on: {TOPIC}." in error_of(other)
    left = within(*TEARDOWN, "--retain", TOPIC)
    assert left.status == 0, left.err
    assert "1 left" in left.out
    assert stack.status == "DELETE_COMPLETE"
    assert stack.resources[TOPIC].status == "DELETE_SKIPPED"


def test_a_delete_that_runs_is_joined(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(status="DELETE_IN_PROGRESS", lasts=LONG)
    joins = cloud.aws.asked("DescribeStackEvents", 2)
    ran = within(*TEARDOWN, moments=[(joins, lambda: cloud.aws.skip(LONG))])
    assert ran.status == 0, ran.err
    assert "DeleteStack" not in cloud.aws.operations()
    assert stack.status == "DELETE_COMPLETE"


def test_what_runs_is_not_disturbed(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(status="UPDATE_IN_PROGRESS", lasts=LONG)
    ran = within(*TEARDOWN)
    assert ran.status == 1
    assert f"{STACK} is UPDATE_IN_PROGRESS, since " in error_of(ran)
    assert stack.status == "UPDATE_IN_PROGRESS"


def test_an_interrupted_teardown_goes_on_without_paycli(cloud: FakeProject) -> None:
    stack = cloud.deployed()
    cloud.aws.scenario.durations[TABLE] = LONG
    followed = cloud.aws.asked("DescribeStackEvents", 2)
    ran = cloud.run(*TEARDOWN, moments=[(followed, signal.SIGINT)])
    assert ran.status == 130
    assert "CloudFormation goes on" in error_of(ran)
    assert "paycli teardown --env dev" in error_of(ran)
    assert stack.status == "DELETE_IN_PROGRESS"


def test_a_teardown_interrupted_after_the_delete_says_that_the_stack_is_gone(cloud: FakeProject) -> None:
    stack = cloud.deployed()
    recorded(cloud, 1, version(cloud, 98))
    cloud.aws.faults.delay("ListObjectsV2", 10, after=1)
    ran = cloud.run(*TEARDOWN, "--artifacts", moments=[(cloud.aws.asked("ListObjectsV2", 2), signal.SIGINT)])
    assert ran.status == 130
    assert f"{STACK} is deleted" in error_of(ran)
    assert "`paycli teardown --env dev --artifacts` does the rest" in error_of(ran)
    assert stack.status == "DELETE_COMPLETE"
    again = cloud.run(*TEARDOWN, "--artifacts")
    assert again.status == 0
    assert records(cloud) == []


def test_an_interrupt_before_the_delete_puts_the_protection_back(cloud: FakeProject) -> None:
    stack = cloud.deployed("prod")
    stack.termination_protection = True
    cloud.aws.faults.delay("UpdateTerminationProtection", 1.0, after_effect=True)
    command = ("teardown", "--env", "prod", "--yes", "--disable-termination-protection")
    ran = cloud.run(*command, moments=[(cloud.aws.asked("UpdateTerminationProtection"), signal.SIGINT)])
    assert ran.status == 130
    assert "Interrupted before CloudFormation has said that it deletes payment-api-prod." in error_of(ran)
    assert stack.termination_protection
    assert stack.status == "CREATE_COMPLETE"


def test_what_an_earlier_teardown_has_kept_is_listed_again(cloud: FakeProject, within: Within) -> None:
    cloud.linted("prod")
    cloud.deployed("prod")
    command = ("teardown", "--env", "prod", "--yes", "--disable-termination-protection")
    assert within(*command).status == 0
    again = within(*command)
    assert again.status == 0, again.err
    assert "There is no stack payment-api-prod." in again.out
    assert "aws dynamodb delete-table --table-name transactions-prod" in again.out
    cloud.aws.faults.deny("DescribeTable")
    assert "delete-table" not in within(*command).out


def test_a_deploy_that_was_killed_is_put_on_record_before_its_stack_goes(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed()
    record = recorded(cloud, 1, version(cloud, 98), result="in_progress")
    stack.change_set_id = record.change_set_id
    assert within(*TEARDOWN).status == 0
    assert [one.result for one in records(cloud)] == ["succeeded"]


def test_a_stack_without_a_bucket_goes_too(cloud: FakeProject, within: Within) -> None:
    cloud.deployed()
    cloud.aws.engine.stacks.remove(cloud.aws.stack("paycli-bootstrap"))
    ran = within(*TEARDOWN)
    assert ran.status == 0, ran.err
    assert "payment-api-dev is deleted" in ran.out


@pytest.mark.parametrize("operation", ["DescribeLogGroups", "ListObjectsV2"])
def test_a_right_that_lacks_after_the_delete_does_not_hide_it(
    cloud: FakeProject, within: Within, operation: str
) -> None:
    stack = cloud.deployed()
    recorded(cloud, 1, version(cloud, 98), result="in_progress")
    cloud.aws.faults.deny(operation)
    ran = within(*TEARDOWN)
    assert ran.status == 0, ran.err
    assert ("Whether a log group was written to again" in ran.err) is (operation == "DescribeLogGroups")
    assert "payment-api-dev is deleted" in ran.out
    assert stack.status == "DELETE_COMPLETE"


def test_on_a_terminal_it_asks(cloud: FakeProject) -> None:
    stack = cloud.deployed()
    ran = cloud.on_terminal("teardown", "--env", "dev", typed=[("[y/N]", "n\n")])
    assert ran.status == 1
    assert "Not confirmed" in ran.out
    assert stack.status == "CREATE_COMPLETE"


def test_artifacts_go_where_no_other_environment_needs_them(cloud: FakeProject, within: Within) -> None:
    cloud.deployed()
    own, shared = recorded(cloud, 1, version(cloud, 98), code="code/own.zip"), recorded(cloud, 2, version(cloud, 99))
    bucket = cloud.aws.stack("paycli-bootstrap").outputs["ArtifactBucket"]
    other = shared.model_copy(update={"environment": "pr-7", "number": 1})
    cloud.aws.lay(bucket, "deployments/pr-7/000001.json", other.model_dump_json().encode())
    ran = within(*TEARDOWN, "--artifacts")
    assert ran.status == 0, ran.err
    assert "4 records and artifacts are removed" in ran.out
    assert records(cloud) == []
    assert sorted(cloud.aws.objects[bucket]) == [
        package(handlers_root()).key,
        "deployments/pr-7/000001.json",
        template_key(shared.version.template_sha256),
    ]
    assert own.version.code_key == "code/own.zip"
    again = within(*TEARDOWN, "--artifacts", "--json").document["data"]
    assert again == {"deleted": False, "left": [], "artifacts_removed": 0}


@pytest.mark.parametrize("status", ["REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "DELETE_FAILED"])
def test_what_a_failure_or_a_plan_has_left_is_taken_down(cloud: FakeProject, within: Within, status: str) -> None:
    stack = cloud.deployed(status=status)
    ran = within(*TEARDOWN)
    assert ran.status == 0, ran.err
    assert stack.status == "DELETE_COMPLETE"


def test_what_is_not_there_is_said(within: Within) -> None:
    ran = within(*TEARDOWN, "--artifacts")
    assert ran.status == 0
    assert f"There is no stack {STACK}." in ran.out
    assert "0 records and artifacts" in ran.out


COPIES = ("transactions-dev-restore-20261101T000000Z", "transactions-dev-drill-20261101T000000Z")


def test_copies_of_the_table_are_named_before_and_after(cloud: FakeProject, within: Within) -> None:
    cloud.deployed()
    for number, name in enumerate((*COPIES, "transactions-prod-restore-20261101T000000Z")):
        table = {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": name}}
        cloud.aws.put_stack(f"beside-{number}", "CREATE_COMPLETE", {"Resources": {"Table": table}})
    ran = within("teardown", "--env", "dev", "--yes")
    assert ran.status == 0, ran.err
    for name in COPIES:
        assert f"{name} stays: a copy of the payments" in ran.err
    assert f"remove it with: paycli restore --env dev --cleanup --table {COPIES[0]}" in ran.out
    assert "remove it with: paycli drill cleanup --env dev" in ran.out
    assert "transactions-prod" not in ran.out + ran.err


def test_who_may_not_list_tables_is_told_that_copies_may_be_left(cloud: FakeProject, within: Within) -> None:
    cloud.deployed()
    cloud.aws.faults.deny("ListTables")
    ran = within("teardown", "--env", "dev", "--yes")
    assert ran.status == 0, ran.err
    assert "Whether restored copies of the table are left can't be told" in ran.err
