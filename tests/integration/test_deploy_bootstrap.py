"""The bootstrap stack in each odd state that a deploy can find it in."""

import json

import pytest
from boto3 import Session

from tests.fakes.cloudformation.states import path
from tests.fakes.project import FakeProject
from tests.integration.conftest import Within
from tests.integration.deploys import (
    CREATED,
    LONG,
    STACK,
    UPDATED,
    error_of,
    recorded,
    slower_alarm,
    version,
)

BOOTSTRAP = "paycli-bootstrap"
DEPLOY = ("deploy", "--env", "dev", "--yes")
PLAN = ("deploy", "--env", "dev", "--plan", "plan.json")


def stands(cloud: FakeProject, status: str) -> None:
    """Let the bootstrap stack stand in a state that an operation has left, or runs in."""
    cloud.bootstrap(status, lasts=LONG)


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"])
def test_what_a_failed_create_has_left_is_removed_and_created_again(
    cloud: FakeProject, within: Within, status: str
) -> None:
    stands(cloud, status)
    refused = within(*PLAN)
    assert refused.status == 1
    assert f"{BOOTSTRAP} is {status}" in error_of(refused)
    ran = within(*PLAN, "--yes")
    assert ran.status == 0, ran.err
    assert cloud.aws.stack(BOOTSTRAP).states == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    assert cloud.aws.stack(STACK).states == CREATED[:1]


def test_what_a_failed_create_has_left_is_removed_by_permission_alone(cloud: FakeProject) -> None:
    stands(cloud, "ROLLBACK_COMPLETE")
    before = list(cloud.aws.stack(BOOTSTRAP).states)
    ran = cloud.on_terminal("deploy", "--env", "dev", typed=[("[y/N]", "n\n")])
    assert ran.status == 1
    assert f"{BOOTSTRAP} is ROLLBACK_COMPLETE: nothing of it serves. Delete it and create it again" in ran.out
    assert "Nothing was changed." in ran.out
    assert cloud.aws.stack(BOOTSTRAP).states == before


def test_who_may_not_wait_does_not_wait_for_the_bucket(cloud: FakeProject, within: Within) -> None:
    stands(cloud, "CREATE_IN_PROGRESS")
    ran = within(*DEPLOY, "--no-wait")
    assert ran.status == 1
    assert f"{BOOTSTRAP} is CREATE_IN_PROGRESS" in error_of(ran)


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS"])
def test_what_runs_is_waited_for(cloud: FakeProject, within: Within, status: str) -> None:
    stands(cloud, status)
    waits = cloud.aws.asked("DescribeStackEvents", 2)
    ran = within(*PLAN, moments=[(waits, lambda: cloud.aws.skip(LONG))])
    assert ran.status == 0, ran.err
    assert f"{BOOTSTRAP} is {status}, since " in ran.err
    assert cloud.aws.stack(BOOTSTRAP).status == "CREATE_COMPLETE"


UNSETTLED = (
    "UPDATE_IN_PROGRESS",
    "UPDATE_FAILED",
    "UPDATE_ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK_FAILED",
    "IMPORT_ROLLBACK_FAILED",
)


@pytest.mark.parametrize("status", UNSETTLED)
def test_the_bucket_is_used_while_its_stack_is_updated_or_stuck(
    cloud: FakeProject, within: Within, status: str
) -> None:
    settled = cloud.deployed(other=slower_alarm).now.parameters["ArtifactBucket"]
    recorded(cloud, 1, version(cloud, 98))
    recorded(cloud, 2, version(cloud, 99))
    stack = cloud.aws.stack(BOOTSTRAP)
    for step in path(stack.status, status):
        cloud.aws.engine.set_stack(stack, step)
    before = list(stack.states)
    shown = within("history", "--env", "dev", "--json").document["data"]["deploys"]
    assert [deploy["number"] for deploy in shown] == [2, 1]
    assert "ArtifactBucket" not in within("diff", "--env", "dev").out
    assert within("rollback", "--env", "dev", "--to", "1", "--yes").status == 0
    ran = within(*DEPLOY)
    assert ran.status == 0, ran.err
    assert cloud.aws.stack(STACK).now.parameters["ArtifactBucket"] == settled
    assert stack.states == before


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"])
def test_the_artifacts_of_a_stuck_stack_are_removed_too(cloud: FakeProject, within: Within, status: str) -> None:
    stands(cloud, status)
    recorded(cloud, 1, version(cloud, 98))
    ran = within("teardown", "--env", "dev", "--artifacts", "--yes", "--json")
    assert ran.document["data"]["artifacts_removed"] == 3


def test_a_plan_of_a_stack_that_nobody_has_executed_is_told(cloud: FakeProject, within: Within) -> None:
    stands(cloud, "REVIEW_IN_PROGRESS")
    before = list(cloud.aws.stack(BOOTSTRAP).states)
    ran = within(*PLAN)
    assert ran.status == 1
    assert f"{BOOTSTRAP} can't be used" in error_of(ran)
    assert "CloudFormation console" in error_of(ran)
    assert cloud.aws.stack(BOOTSTRAP).states == before


def test_a_delete_that_got_stuck_names_on_what_and_the_command(cloud: FakeProject, within: Within) -> None:
    cloud.bootstrap("DELETE_FAILED", failed={"ArtifactBucketPolicy": "The bucket policy can't be deleted."})
    before = list(cloud.aws.stack(BOOTSTRAP).states)
    ran = within(*PLAN)
    assert ran.status == 1
    assert f"{BOOTSTRAP} is DELETE_FAILED" in error_of(ran)
    assert "ArtifactBucketPolicy: The bucket policy can't be deleted." in error_of(ran)
    command = f"aws cloudformation delete-stack --stack-name {BOOTSTRAP} --region us-east-1"
    assert f"`{command}`" in error_of(ran)
    assert f"`{command} --retain-resources ArtifactBucketPolicy`" in error_of(ran)
    assert cloud.aws.stack(BOOTSTRAP).states == before


def test_a_bucket_that_was_deleted_by_hand_is_told_with_the_way_out(cloud: FakeProject, within: Within) -> None:
    cloud.deployed(other=slower_alarm)
    cloud.aws.destroy(BOOTSTRAP, "ArtifactBucket")
    for command in (DEPLOY, ("history", "--env", "dev"), ("rollback", "--env", "dev", "--yes")):
        ran = within(*command)
        assert ran.status == 1
        assert "The artifact bucket is gone" in error_of(ran)
        assert f"`aws cloudformation delete-stack --stack-name {BOOTSTRAP}`" in error_of(ran)
        assert "--debug" not in error_of(ran)
    Session().client("cloudformation").delete_stack(StackName=BOOTSTRAP)
    cloud.aws.skip(LONG)
    ran = within(*DEPLOY)
    assert ran.status == 0, ran.err
    assert "as deploy 1." in ran.out
    assert cloud.aws.stack(STACK).states[-3:] == UPDATED


def test_a_stack_of_that_name_that_is_somebody_else_s_is_left_alone(cloud: FakeProject, within: Within) -> None:
    cloud.aws.put_stack(BOOTSTRAP, template={"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    ran = within(*PLAN)
    assert ran.status == 1
    assert f"{BOOTSTRAP} was not deployed by paycli" in error_of(ran)


def test_a_bootstrap_that_fails_says_why(cloud: FakeProject, within: Within) -> None:
    cloud.aws.scenario.fail("ArtifactBucket", reason="You have attempted to create more buckets than allowed")
    ran = within(*PLAN)
    assert ran.status == 1
    assert "more buckets than allowed" in error_of(ran)
    assert cloud.aws.find(STACK) is None


def test_an_account_s_own_log_role_stays(cloud: FakeProject, within: Within) -> None:
    cloud.aws.leave_behind("AWS::ApiGateway::Account", "account", {"CloudWatchRoleArn": "arn:aws:iam::1:role/own"})
    assert within(*PLAN).status == 0
    assert "AWS::ApiGateway::Account" not in {one.type for one in cloud.aws.stack(BOOTSTRAP).resources.values()}


def test_two_first_deploys_share_one_bucket(cloud: FakeProject) -> None:
    (cloud.root / "paycli.toml").write_text("[env.pr-7]\n")
    cloud.linted("pr-7")
    cloud.aws.faults.delay("GetAccount", 0.7, times=2)
    one, other = cloud.begin(*DEPLOY), cloud.begin("deploy", "--env", "pr-7", "--plan", "plan.json", "--json")
    said = [process.communicate(timeout=40) for process in (one, other)]
    assert [one.returncode, other.returncode] == [0, 0], said
    assert json.loads(said[1][0])["data"]["plan"] == "plan.json"
    assert cloud.aws.operations().count("CreateStack") in {1, 2}
    assert cloud.aws.stack(BOOTSTRAP).states == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    assert len(cloud.aws.objects) == 1
