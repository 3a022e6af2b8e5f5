"""What a deploy, a teardown and the status say where something has failed, to somebody who has only the terminal."""

import pytest

from paycli.aws import connect
from paycli.configuration import load
from paycli.deployment import stacks
from paycli.operations.serving import Serving, read_serving
from tests.fakes.project import FakeProject
from tests.integration.conftest import Within
from tests.integration.deploys import ALARM, LONG, STACK, error_of, records, slower_alarm

DEPLOY = ("deploy", "--env", "dev", "--yes")


@pytest.mark.parametrize("operation", ["CreateChangeSet", "DescribeChangeSet", "PutObject"])
def test_a_plan_that_is_denied_has_changed_nothing_and_points_to_the_policy(
    cloud: FakeProject, within: Within, operation: str
) -> None:
    stack = cloud.deployed(other=slower_alarm)
    cloud.aws.faults.deny(operation)
    ran = within(*DEPLOY)
    assert ran.status == 1
    assert f"AWS refused: {operation}" in error_of(ran)
    assert "\nNothing was changed.\n" in error_of(ran)
    assert "`paycli config deployer-policy --env dev` prints all that a deploy needs." in error_of(ran)
    assert stack.states == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]


def test_a_request_that_is_refused_says_what_it_means_and_what_to_run_next(cloud: FakeProject, within: Within) -> None:
    cloud.deployed(other=slower_alarm)
    said = "Role arn:aws:iam::111111111111:role/paycli is invalid or cannot be assumed"
    cloud.aws.faults.refuse("CreateChangeSet", "ValidationError", said)
    ran = within(*DEPLOY)
    assert error_of(ran).startswith(f"Error: CloudFormation can't work as `cloudformation_role`. AWS says: {said}\n")
    assert "Nothing was changed." in error_of(ran)
    assert "Then: paycli deploy --env dev" in error_of(ran)


def test_a_deploy_that_another_one_outran_while_it_planned_says_so(cloud: FakeProject, within: Within) -> None:
    cloud.deployed(other=slower_alarm)
    said = f"Stack [{STACK}] cannot be updated while in status UPDATE_IN_PROGRESS"
    cloud.aws.faults.refuse("CreateChangeSet", "ValidationError", said)
    ran = within(*DEPLOY)
    assert f"{STACK} is UPDATE_IN_PROGRESS: something else works on it." in error_of(ran)
    assert "Wait until it is done" in error_of(ran)


def test_an_alarm_that_was_deleted_comes_back_as_the_hint_says(cloud: FakeProject, within: Within) -> None:
    (cloud.root / "paycli.toml").write_text("[env.dev]\nrollback_on_alarm = true\n")
    stack = cloud.deployed(other=slower_alarm)
    name, kind = "api-5xx-dev", "AWS::CloudWatch::Alarm"
    cloud.aws.destroy(STACK, next(one.logical_id for one in stack.resources.values() if one.physical_id == name))
    ran = within(*DEPLOY)
    assert f"{STACK} could not be updated: the alarm {name} is missing." in error_of(ran)
    assert f"aws cloudwatch put-metric-alarm --alarm-name {name} " in error_of(ran)
    cloud.aws.leave_behind(kind, name, {"AlarmName": name})
    assert within(*DEPLOY, "--revert-drift").status == 0
    standing = cloud.aws.standing(kind, name)
    assert standing
    assert "Metrics" in standing.properties


def test_a_token_that_expires_in_the_middle_names_the_command_that_goes_on(cloud: FakeProject, within: Within) -> None:
    cloud.deployed(other=slower_alarm)
    cloud.aws.scenario.durations[ALARM] = LONG
    begun = cloud.aws.reached(STACK, "UPDATE_IN_PROGRESS", ALARM)
    ran = within(*DEPLOY, moments=[(begun, cloud.aws.faults.expire_credentials)])
    assert ran.status == 3
    assert "the same command follows it again. " in error_of(ran)
    assert error_of(ran).rstrip().endswith("Then: paycli deploy --env dev --yes")


def test_after_a_deploy_that_was_undone_the_records_tell_what_serves(cloud: FakeProject, within: Within) -> None:
    cloud.deployed(other=slower_alarm)
    assert serving(cloud) is None  # and no record is read
    assert within(*DEPLOY).status == 0
    (cloud.root / "paycli.toml").write_text("[env.dev]\nmemory_mb = 256\n")
    cloud.linted("dev")
    cloud.aws.scenario.fail("ValidationFunction", on="update", reason="Lambda has no mind for it", times=2)
    assert within(*DEPLOY).status == 1
    assert [record.result for record in records(cloud)] == ["succeeded", "failed"]
    assert serving(cloud) == Serving(1, records(cloud)[0].version.commit)
    bucket = cloud.aws.stack("paycli-bootstrap").outputs["ArtifactBucket"]
    cloud.aws.lay(bucket, "deployments/dev/000009.json", b"of a newer paycli")
    assert serving(cloud) is None


def serving(cloud: FakeProject) -> Serving | None:
    """Return what the status reads; `within` has set the variables by which the fake AWS is found."""
    environment = load("dev", cloud.root).environment
    aws = connect(environment)
    stack = stacks.find(aws.client("cloudformation"), STACK)
    assert stack
    return read_serving(aws, environment, stack, "111111111111")
