"""`paycli bootstrap`: what deploys need once in an account and region, for whoever has the rights to it."""

import json
from typing import Any

import pytest
from boto3 import Session

from paycli.stack.bootstrap import build_bootstrap
from paycli.stack.rendering import to_json
from tests.fakes.project import FakeProject
from tests.integration.conftest import LocalProject, Within
from tests.integration.deploys import CREATED, LONG, STACK, error_of

STACK_NAME = "paycli-bootstrap"
BOOTSTRAP = ("bootstrap", "--env", "dev", "--yes")
MADE = ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]


def stands(
    cloud: FakeProject,
    *,
    log_role: bool = True,
    outputs: dict[str, str] | None = None,
    description: str = "",
    **resources: Any,
) -> str:
    """Let the stack stand with other properties of its resources, other outputs, ...; return its bucket."""
    template = json.loads(to_json(build_bootstrap(retain=True, tls_only=True, log_role=log_role)))
    for name, properties in resources.items():
        if properties is None:
            del template["Resources"][name]
        else:
            template["Resources"].setdefault(name, {"Type": "AWS::SNS::Topic"})["Properties"] = properties
    if description:
        template["Description"] = description
    for name, value in (outputs or {}).items():
        template["Outputs"][name]["Value"] = value
    return cloud.aws.put_stack(STACK_NAME, template=template, tags={"ManagedBy": "paycli"}).outputs["ArtifactBucket"]


def test_it_makes_the_stack_and_deploys_use_it(cloud: FakeProject, within: Within) -> None:
    ran = within(*BOOTSTRAP, "--json")
    assert ran.status == 0, ran.err
    data = ran.document["data"]
    bucket = cloud.aws.stack(STACK_NAME).outputs["ArtifactBucket"]
    assert (data["bucket"], data["version"], data["changed"]) == (bucket, "1", True)
    assert {(one["action"], one["logical_id"]) for one in data["changes"]} == {
        ("Add", name) for name in cloud.aws.stack(STACK_NAME).resources
    }
    for name in ("ArtifactBucket", "ArtifactBucketPolicy", "ApiGatewayLogRole"):
        assert f"Add     {name} " in ran.err
    assert within("deploy", "--env", "dev", "--yes").status == 0
    assert cloud.aws.stack(STACK_NAME).states == MADE
    assert cloud.aws.stack(STACK).states == CREATED
    assert cloud.aws.objects.keys() == {bucket}


def test_again_it_changes_nothing(cloud: FakeProject, within: Within) -> None:
    assert within(*BOOTSTRAP).status == 0
    again = within(*BOOTSTRAP)
    assert again.status == 0, again.err
    place = again.out.splitlines()[0].removeprefix(f"{STACK_NAME} is there already in ")
    assert place.startswith("account 111111111111, us-east-1")
    assert f"Bucket   {cloud.aws.stack(STACK_NAME).outputs['ArtifactBucket']}\nVersion  1\n" in again.out
    assert "Action" not in again.err
    assert cloud.aws.stack(STACK_NAME).states == MADE
    assert within(*BOOTSTRAP, "--json").document["data"]["changes"] == []


def test_it_asks_first_and_says_where(cloud: FakeProject, within: Within) -> None:
    ran = cloud.on_terminal("bootstrap", "--env", "dev", typed=[("[y/N]", "n\n")])
    assert ran.status == 1
    assert f"Create {STACK_NAME} in account 111111111111, us-east-1" in ran.out
    assert "Not confirmed, and not done." in ran.out
    assert cloud.aws.find(STACK_NAME) is None
    unasked = within("bootstrap", "--env", "dev")
    assert unasked.status == 2
    assert "--yes" in error_of(unasked)


def test_what_an_older_paycli_has_made_is_updated(cloud: FakeProject, within: Within) -> None:
    bucket = stands(cloud, ArtifactBucketPolicy=None, OldTopic={"TopicName": "old"}, ArtifactBucket={"Tags": []})
    ran = within(*BOOTSTRAP)
    assert ran.status == 0, ran.err
    rows = [line.split()[:2] for line in ran.err.splitlines() if line.split()[:1] and "AWS::" in line]
    changes = [["Modify", "ArtifactBucket"], ["Remove", "OldTopic"], ["Add", "ArtifactBucketPolicy"]]
    assert [row for row in rows if row[0] in {"Add", "Modify", "Remove"}] == changes
    stack = cloud.aws.stack(STACK_NAME)
    assert f"{STACK_NAME} is updated in account" in ran.out
    assert (stack.status, stack.outputs["ArtifactBucket"]) == ("UPDATE_COMPLETE", bucket)
    assert {"ArtifactBucketPolicy", "ApiGatewayLogRole"} <= stack.resources.keys()
    assert "VersioningConfiguration" in stack.resources["ArtifactBucket"].properties
    assert "there already" in within(*BOOTSTRAP).out


def test_an_update_that_fails_says_why(cloud: FakeProject, within: Within) -> None:
    stands(cloud, ArtifactBucketPolicy=None)
    cloud.aws.scenario.fail("ArtifactBucketPolicy", reason="The policy can't be put")
    ran = within(*BOOTSTRAP)
    assert ran.status == 1
    assert "The policy can't be put" in error_of(ran)
    assert "paycli bootstrap --env dev" in error_of(ran)


def test_a_difference_that_cloudformation_counts_as_none_is_no_failure(cloud: FakeProject, within: Within) -> None:
    stands(cloud, description="As before. Built by paycli.")
    cloud.aws.faults.refuse("UpdateStack", "ValidationError", "No updates are to be performed.")
    ran = within(*BOOTSTRAP)
    assert ran.status == 0, ran.err
    assert "only its outputs, parameters or tags" in ran.err
    assert cloud.aws.operations().count("UpdateStack") == 1
    assert cloud.aws.stack(STACK_NAME).states == MADE


def test_an_update_that_is_refused_is_told(cloud: FakeProject, within: Within) -> None:
    stands(cloud, ArtifactBucketPolicy=None)
    cloud.aws.faults.deny("UpdateStack")
    ran = within(*BOOTSTRAP)
    assert ran.status == 1
    assert "AWS refused: UpdateStack" in error_of(ran)


def test_what_a_newer_paycli_has_made_is_left(cloud: FakeProject, within: Within) -> None:
    stands(cloud, outputs={"BootstrapVersion": "10"}, ArtifactBucketPolicy=None)
    ran = within(*BOOTSTRAP)
    assert ran.status == 0, ran.err
    assert "is of a newer paycli" in ran.err
    assert "Version  10" in ran.out
    assert cloud.aws.stack(STACK_NAME).states == MADE


def test_a_log_role_of_its_own_stays_and_another_s_is_left(cloud: FakeProject, within: Within) -> None:
    cloud.aws.leave_behind("AWS::ApiGateway::Account", "account", {"CloudWatchRoleArn": "arn:aws:iam::1:role/own"})
    stands(cloud, log_role=False)
    assert "there already" in within(*BOOTSTRAP).out


def test_a_bucket_that_was_deleted_by_hand_is_told(cloud: FakeProject, within: Within) -> None:
    stands(cloud)
    cloud.aws.destroy(STACK_NAME, "ArtifactBucket")
    ran = within(*BOOTSTRAP)
    assert ran.status == 1
    assert "The artifact bucket is gone" in error_of(ran)
    Session().client("cloudformation").delete_stack(StackName=STACK_NAME)
    cloud.aws.skip(LONG)
    assert within(*BOOTSTRAP).status == 0


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("REVIEW_IN_PROGRESS", "can't be used"),
        ("DELETE_FAILED", "is DELETE_FAILED"),
        ("IMPORT_ROLLBACK_FAILED", "is IMPORT_ROLLBACK_FAILED"),
    ],
)
def test_what_needs_a_person_says_so(cloud: FakeProject, within: Within, status: str, said: str) -> None:
    cloud.bootstrap(status)
    ran = within(*BOOTSTRAP)
    assert ran.status == 1
    assert f"{STACK_NAME} {said}" in error_of(ran)
    leads_out = f"`aws cloudformation delete-stack --stack-name {STACK_NAME} --region us-east-1"
    assert (leads_out in error_of(ran)) is (status != "REVIEW_IN_PROGRESS")


def test_what_a_failed_create_has_left_is_made_again(cloud: FakeProject, within: Within) -> None:
    cloud.bootstrap("ROLLBACK_COMPLETE")
    ran = within(*BOOTSTRAP)
    assert ran.status == 0, ran.err
    assert cloud.aws.stack(STACK_NAME).states == MADE


def test_an_update_that_got_stuck_is_rolled_back_first(cloud: FakeProject, within: Within) -> None:
    cloud.bootstrap("UPDATE_ROLLBACK_FAILED")
    assert within(*BOOTSTRAP).status == 0
    assert cloud.aws.stack(STACK_NAME).status == "UPDATE_ROLLBACK_COMPLETE"


def test_a_stack_that_goes_meanwhile_is_told(cloud: FakeProject, within: Within) -> None:
    stands(cloud)
    cloud.aws.faults.refuse("DescribeStacks", "ValidationError", "Stack with id x does not exist")
    cloud.aws.faults.planned[-1].after = 1
    ran = within(*BOOTSTRAP)
    assert ran.status == 1
    assert "can't be used" in error_of(ran)


def test_another_account_is_refused(cloud: FakeProject, within: Within) -> None:
    (cloud.root / "paycli.toml").write_text('[env.dev]\naccount_id = "222222222222"\n')
    assert within(*BOOTSTRAP).status == 3
    assert cloud.aws.operations() == []


def test_on_the_embedded_aws_it_asks_nothing(fresh: LocalProject) -> None:
    first = fresh.run("bootstrap", "--env", "local", "--json")
    assert first.status == 0, first.err
    bucket = first.document["data"]["bucket"]
    again = fresh.run("bootstrap", "--env", "local")
    assert again.status == 0, again.err
    assert f"{STACK_NAME} is there already in the embedded AWS.\nBucket   {bucket}\n" in again.out
    assert fresh.aws().client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"]
    assert fresh.within("deploy", "--env", "local").status == 0
    assert fresh.run("history", "--env", "local", "--json").document["data"]["running"] == 1
