"""The bootstrap stack in each odd state that a deploy can find it in."""

import json

import pytest
from boto3 import Session

from tests.fakes.project import FakeProject
from tests.integration.conftest import Within
from tests.integration.deploys import CREATED, LONG, STACK, UPDATED, error_of, slower_alarm

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
    ran = within(*PLAN)
    assert ran.status == 0, ran.err
    assert cloud.aws.stack(BOOTSTRAP).states == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    assert cloud.aws.stack(STACK).states == CREATED[:1]


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"])
def test_what_runs_is_waited_for(cloud: FakeProject, within: Within, status: str) -> None:
    stands(cloud, status)
    waits = cloud.aws.asked("DescribeStackEvents", 2)
    ran = within(*PLAN, moments=[(waits, lambda: cloud.aws.skip(LONG))])
    assert ran.status == 0, ran.err
    assert f"{BOOTSTRAP} is {status}, since " in ran.err
    assert cloud.aws.stack(BOOTSTRAP).status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def test_an_update_that_got_stuck_is_rolled_back(cloud: FakeProject, within: Within) -> None:
    stands(cloud, "UPDATE_ROLLBACK_FAILED")
    assert within(*PLAN).status == 0
    assert cloud.aws.stack(BOOTSTRAP).status == "UPDATE_ROLLBACK_COMPLETE"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("IMPORT_ROLLBACK_FAILED", "is IMPORT_ROLLBACK_FAILED"),
        ("REVIEW_IN_PROGRESS", "can't be used"),
    ],
)
def test_what_needs_a_person_says_so(cloud: FakeProject, within: Within, status: str, said: str) -> None:
    stands(cloud, status)
    before = list(cloud.aws.stack(BOOTSTRAP).states)
    ran = within(*PLAN)
    assert ran.status == 1
    assert f"{BOOTSTRAP} {said}" in error_of(ran)
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
