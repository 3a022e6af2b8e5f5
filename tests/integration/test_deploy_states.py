"""A deploy onto a stack in each state that CloudFormation knows."""

import json
import re
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from boto3 import Session

from paycli.deployment import changeset
from tests.command_line import Happening, Point, Ran
from tests.fakes.cloudformation.model import Json
from tests.fakes.project import FakeProject
from tests.integration.conftest import Within
from tests.integration.deploys import (
    ALARM,
    CREATED,
    LONG,
    STACK,
    TABLE,
    UPDATED,
    error_of,
    slower_alarm,
    without_dashboard,
    without_data,
)


def test_a_first_deploy_makes_the_bucket_the_stack_and_the_outputs(cloud: FakeProject) -> None:
    ran = cloud.run("deploy", "--env", "dev", "--yes")
    assert ran.status == 0, ran.err
    assert cloud.aws.stack("paycli-bootstrap").states == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    assert cloud.aws.stack(STACK).states == CREATED
    kinds = [key.split("/")[0] for keys in cloud.aws.objects.values() for key in keys]
    assert sorted(kinds) == ["code", "deployments", "templates"]
    assert f"{len(cloud.aws.stack(STACK).resources)} changes deployed, as deploy 1." in ran.out
    outputs = cloud.aws.stack(STACK).outputs
    assert outputs["TransactionsTableName"] == "transactions-dev"
    assert f"APIEndpoint                           {outputs['APIEndpoint']}" in ran.out


def test_an_update_changes_what_differs_and_nothing_else(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(other=slower_alarm)
    ran = within("deploy", "--env", "dev", "--yes", "--json")
    assert ran.status == 0, ran.err
    # CloudFormation lists the dashboard too: it refers to an attribute of the alarm, which could change.
    assert [change["logical_id"] for change in ran.document["data"]["changes"]] == [ALARM, "Dashboard"]
    assert stack.states[-3:] == UPDATED
    assert {event.logical_id for event in stack.events if event.status.startswith("UPDATE")} == {
        STACK,
        ALARM,
    }


def test_a_deploy_without_changes_leaves_no_change_set(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed()
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 0, ran.err
    assert "No changes" in ran.out
    assert stack.states == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    assert stack.change_sets == {}
    assert [call.operation for call in cloud.aws.calls] == [
        "GetCallerIdentity",
        "DescribeStacks",
        "DescribeStacks",  # where the artifact bucket is
        "GetTemplate",
        "DescribeTable",  # is it there? CloudFormation wouldn't know
    ]


def test_a_failed_create_names_its_cause_before_what_it_cancelled(cloud: FakeProject, within: Within) -> None:
    cloud.bootstrap()
    cloud.aws.scenario.fail(TABLE, reason="Subscriber limit exceeded")
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 1
    error = error_of(ran)
    assert error.startswith(f"Error: {TABLE} (AWS::DynamoDB::Table)")
    assert "Subscriber limit exceeded" in error
    assert "ROLLBACK_COMPLETE" in error
    assert "Then: paycli deploy --env dev" in error
    assert "Resource creation cancelled" in ran.err
    assert cloud.aws.standing("AWS::KMS::Key", cloud.aws.stack(STACK).resources["Key"].physical_id) is None


def test_a_failed_update_leaves_the_version_before_it(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(other=without_dashboard)
    before = stack.now.body
    cloud.aws.scenario.fail("Dashboard", reason="The field widgets must be present")
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 1
    assert "The field widgets must be present" in error_of(ran)
    assert "UPDATE_ROLLBACK_COMPLETE" in ran.err
    assert cloud.aws.stack(STACK).now.body == before


AT_REST = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
}
# Where what runs usually ends.
IN_PROGRESS = {
    "CREATE_IN_PROGRESS": "CREATE_COMPLETE",
    "UPDATE_IN_PROGRESS": "UPDATE_COMPLETE",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_IN_PROGRESS": "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_IN_PROGRESS": "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_IN_PROGRESS": "IMPORT_ROLLBACK_COMPLETE",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK_COMPLETE",
    "DELETE_IN_PROGRESS": "DELETE_COMPLETE",
}
DEAD = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}
STUCK = {"UPDATE_FAILED": "RollbackStack", "UPDATE_ROLLBACK_FAILED": "ContinueUpdateRollback"}
OTHERS = {"REVIEW_IN_PROGRESS", "DELETE_COMPLETE", "IMPORT_ROLLBACK_FAILED"}


def test_every_state_of_cloudformation_is_tried_here() -> None:
    model = botocore.session.get_session().get_service_model("cloudformation")
    known = [*AT_REST, *IN_PROGRESS, *DEAD, *STUCK, *OTHERS]
    assert sorted(known) == sorted(model.shape_for("StackStatus").enum)


def deployed(cloud: FakeProject, run: Callable[..., Ran], *moments: tuple[Point, Happening]) -> Ran:
    ran = run("deploy", "--env", "dev", "--yes", moments=moments)
    assert ran.status == 0, ran.err
    assert cloud.aws.stack(STACK).resources[ALARM].properties["EvaluationPeriods"] != 99
    return ran


@pytest.mark.parametrize("status", sorted(AT_REST))
def test_a_stack_at_rest_is_updated(cloud: FakeProject, within: Within, status: str) -> None:
    stack = cloud.deployed(status=status, other=slower_alarm)
    ran = deployed(cloud, within)
    assert "waiting" not in ran.err
    assert stack.states[-3:] == UPDATED


@pytest.mark.parametrize(("status", "rest"), IN_PROGRESS.items())
def test_what_runs_is_waited_for(cloud: FakeProject, within: Within, status: str, rest: str) -> None:
    stack = cloud.deployed(status=status, other=slower_alarm, lasts=LONG)
    ran = deployed(cloud, within, (cloud.aws.asked("DescribeStackEvents", 2), lambda: cloud.aws.skip(LONG)))
    assert f"{STACK} is {status}, since " in ran.err
    assert ran.err.count("waiting until it is done") == 1
    assert rest in stack.states
    again = rest in {"ROLLBACK_COMPLETE", "DELETE_COMPLETE"}
    assert cloud.aws.stack(STACK).states[-3:] == (CREATED if again else UPDATED)


@pytest.mark.parametrize("status", ["REVIEW_IN_PROGRESS", "DELETE_COMPLETE"])
def test_what_is_not_there_is_created(cloud: FakeProject, within: Within, status: str) -> None:
    cloud.deployed(status=status)
    deployed(cloud, within)
    assert cloud.aws.stack(STACK).states == CREATED


@pytest.mark.parametrize("status", sorted(DEAD))
def test_what_a_failed_create_or_delete_has_left_is_removed_and_created_again(
    cloud: FakeProject, within: Within, status: str
) -> None:
    stack = cloud.deployed(status=status, other=without_data)
    deployed(cloud, within)
    assert stack.states[-1] == "DELETE_COMPLETE"
    assert cloud.aws.stack(STACK).states == CREATED


@pytest.mark.parametrize("status", sorted(DEAD - {"ROLLBACK_COMPLETE"}))
def test_what_holds_data_is_not_removed_on_the_way(cloud: FakeProject, within: Within, status: str) -> None:
    stack = cloud.deployed(status=status, failed={TABLE: "no"} if status != "CREATE_FAILED" else None)
    before = list(stack.states)
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 1
    assert error_of(ran).startswith(f"Error: {STACK} is {status}")
    assert f"{TABLE} (transactions-dev)" in ran.err
    assert "paycli teardown --env dev" in ran.err
    assert stack.states == before


@pytest.mark.parametrize(("status", "operation"), STUCK.items())
def test_an_update_that_got_stuck_is_rolled_back_first(
    cloud: FakeProject, within: Within, status: str, operation: str
) -> None:
    stack = cloud.deployed(status=status, other=slower_alarm)
    deployed(cloud, within)
    assert operation in cloud.aws.operations()
    assert stack.states[-4:] == ["UPDATE_ROLLBACK_COMPLETE", *UPDATED]


def test_where_a_rollback_left_something_out_the_stack_is_not_said_to_have_it_all(
    cloud: FakeProject, within: Within
) -> None:
    cloud.deployed(status="UPDATE_ROLLBACK_FAILED", failed={"Dashboard": "denied for good"})
    ran = within("deploy", "--env", "dev", "--yes", "--skip", "Dashboard", "--json")
    assert ran.status == 0, ran.err
    assert ran.document["data"]["skipped"] == ["Dashboard"]
    assert "The rollback has left out Dashboard" in ran.err


def test_nothing_is_skipped_of_a_stack_that_is_not_there(cloud: FakeProject, within: Within) -> None:
    cloud.bootstrap()
    ran = within("deploy", "--env", "dev", "--yes", "--skip", "Dashboard")
    assert ran.status == 2
    assert f"{STACK} is not there" in error_of(ran)


def test_what_could_not_be_deleted_after_an_update_is_told_and_kept_on_record(
    cloud: FakeProject, within: Within
) -> None:
    def with_old_board(template: Json) -> None:
        template["Resources"]["OldBoard"] = {**template["Resources"]["Dashboard"], "Properties": {"DashboardName": "o"}}

    cloud.deployed(other=with_old_board)
    cloud.aws.scenario.fail("OldBoard", on="cleanup", reason="somebody looks at it", times=9)
    ran = within("deploy", "--env", "dev", "--yes", "--json")
    assert ran.status == 0, ran.err
    (left,) = ran.document["data"]["deploy"]["left_behind"]
    assert left.startswith("OldBoard (AWS::CloudWatch::Dashboard ")
    assert left.endswith("): somebody looks at it")
    assert f"Left behind by deploy 1: delete it by hand, once nothing needs it.\n  {left}" in ran.err
    assert f"Left behind by deploy 1: delete it by hand, once nothing needs it.\n  {left}" in within("history").out


ROLE_GONE = "Role arn:aws:iam::111111111111:role/cfn is invalid or cannot be assumed"


@pytest.mark.parametrize(
    ("status", "operation"),
    [("UPDATE_ROLLBACK_FAILED", "ContinueUpdateRollback"), ("ROLLBACK_COMPLETE", "DeleteStack")],
)
def test_a_repair_that_aws_refuses_says_why_and_what_is_as_it_was(
    cloud: FakeProject, within: Within, status: str, operation: str
) -> None:
    cloud.deployed(status=status, other=without_data if status == "ROLLBACK_COMPLETE" else slower_alarm)
    cloud.aws.faults.refuse(operation, "ValidationError", ROLE_GONE)
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 1
    assert error_of(ran).startswith(f"Error: CloudFormation can't work as `cloudformation_role`. AWS says: {ROLE_GONE}")
    assert f"{STACK} is still {status}." in error_of(ran)
    assert error_of(ran).endswith("Then: paycli deploy --env dev\n")


def test_a_change_set_that_aws_does_not_begin_with_says_why(cloud: FakeProject, within: Within) -> None:
    cloud.deployed(other=slower_alarm)
    said = f"Stack:arn:aws:cloudformation:r:1:stack/{STACK}/1 is in UPDATE_ROLLBACK_IN_PROGRESS state and can not be "
    cloud.aws.faults.refuse("ExecuteChangeSet", "ValidationError", f"{said}updated.")
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 1
    assert error_of(ran).startswith("Error: Something else works on the stack. AWS says: Stack:arn")
    assert "Nothing of the change is done." in error_of(ran)
    assert "`paycli status --env dev` says what it is. Then: paycli deploy --env dev" in error_of(ran)


def test_an_import_that_got_stuck_is_for_a_person(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(status="IMPORT_ROLLBACK_FAILED")
    before = list(stack.states)
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 1
    assert f"Error: {STACK} is IMPORT_ROLLBACK_FAILED" in ran.err
    assert "CloudFormation console" in ran.err
    assert "only a delete leads out: `paycli teardown --env dev && paycli deploy --env dev`." in error_of(ran)
    assert stack.states == before


@pytest.mark.parametrize("arguments", [["deploy", "--yes", "--no-wait"], ["deploy", "--dry-run"], ["diff"]])
def test_who_may_not_wait_says_what_runs(cloud: FakeProject, within: Within, arguments: list[str]) -> None:
    stack = cloud.deployed(status="UPDATE_ROLLBACK_IN_PROGRESS", lasts=LONG)
    ran = within(*arguments, "--env", "dev")
    assert ran.status == 1
    assert f"Error: {STACK} is UPDATE_ROLLBACK_IN_PROGRESS, since " in ran.err
    assert "Wait until it is done" in ran.err
    assert stack.change_sets == {}


def test_what_a_rollback_hangs_on_can_be_left_as_it_is(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(status="UPDATE_ROLLBACK_FAILED", other=slower_alarm, failed={"Dashboard": "denied for good"})
    cloud.aws.scenario.fail("Dashboard", on="rollback", reason="denied for good")
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 1
    assert "Dashboard (AWS::CloudWatch::Dashboard" in error_of(ran)
    assert "What can't be mended can stay as it is: paycli deploy --env dev --skip Dashboard" in error_of(ran)
    other = within("deploy", "--env", "dev", "--yes", "--skip", "Nope")
    assert other.status == 2
    assert "The rollback has not failed on Nope" in error_of(other)
    assert "It has failed on: Dashboard." in error_of(other)
    ran = within("deploy", "--env", "dev", "--yes", "--skip", "Dashboard")
    assert ran.status == 0, ran.err
    assert stack.states[-4:] == ["UPDATE_ROLLBACK_COMPLETE", *UPDATED]
    said = "The rollback has left out Dashboard, which may be gone, or not what the template says"
    assert f"{said}: CloudFormation doesn't look. Next: paycli drift --env dev" in ran.err
    again = within("deploy", "--env", "dev", "--yes", "--skip", "Dashboard")
    assert again.status == 2
    assert f"{STACK} is UPDATE_COMPLETE: no rollback of it has got stuck, so there is nothing to skip." in again.err


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"])
def test_a_look_repairs_nothing(cloud: FakeProject, within: Within, status: str) -> None:
    stack = cloud.deployed(status=status)
    before = list(stack.states)
    ran = within("diff", "--env", "dev")
    assert ran.status == 1
    assert error_of(ran).startswith(f"Error: {STACK} is {status}")
    assert "paycli deploy" in ran.err
    assert stack.states == before


PLAN = ("deploy", "--env", "dev", "--plan", "plan.json")
# What each state is led out of with, and what is asked before.
REPAIRS = {
    "CREATE_FAILED": ("DeleteStack", "nothing of it serves. Delete it and create it again? [y/N]"),
    "UPDATE_ROLLBACK_FAILED": ("ContinueUpdateRollback", "Roll it back to the previous version first? [y/N]"),
}


@pytest.mark.parametrize(("status", "operation"), [(status, repair[0]) for status, repair in REPAIRS.items()])
def test_a_plan_repairs_only_with_a_yes_where_nobody_can_be_asked(
    cloud: FakeProject, within: Within, status: str, operation: str
) -> None:
    stack = cloud.deployed(status=status, other=without_data if status == "CREATE_FAILED" else slower_alarm)
    before = list(stack.states)
    ran = within(*PLAN)
    assert ran.status == 1
    assert error_of(ran).startswith(f"Error: {STACK} is {status}")
    assert "`paycli deploy --env dev` offers the way out: it asks first, and --yes answers." in error_of(ran)
    assert stack.states == before
    allowed = within(*PLAN, "--yes")
    assert allowed.status == 0, allowed.err
    assert operation in cloud.aws.operations()


@pytest.mark.parametrize(("status", "operation", "question"), [(key, *repair) for key, repair in REPAIRS.items()])
def test_a_plan_asks_at_a_terminal_before_it_repairs(
    cloud: FakeProject, status: str, operation: str, question: str
) -> None:
    stack = cloud.deployed(status=status, other=without_data if status == "CREATE_FAILED" else slower_alarm)
    before = list(stack.states)
    refused = cloud.on_terminal(*PLAN, typed=[(question, "n\n")])
    assert refused.status == 1
    assert "Nothing was changed." in refused.out
    assert stack.states == before
    ran = cloud.on_terminal(*PLAN, typed=[(question, "y\n")])
    assert ran.status == 0, ran.out
    assert operation in cloud.aws.operations()
    assert "Written to plan.json" in ran.out


def test_a_stack_of_somebody_else_is_left_alone(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(status="UPDATE_ROLLBACK_FAILED")
    stack.now.tags = {"ManagedBy": "somebody"}
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 1
    assert "was not deployed by paycli" in ran.err
    assert "ContinueUpdateRollback" not in cloud.aws.operations()
    stack.status = "CREATE_COMPLETE"
    called = within("call", "GET", "/health", "--env", "dev")
    assert called.status == 1
    assert "was not deployed by paycli" in called.err


def test_of_two_deploys_at_once_the_second_waits_and_a_third_may_not(cloud: FakeProject) -> None:
    stack = cloud.deployed(other=slower_alarm)
    cloud.aws.scenario.durations[ALARM] = LONG
    first = cloud.begin("deploy", "--env", "dev", "--yes")
    cloud.aws.wait(cloud.aws.reached(STACK, "UPDATE_IN_PROGRESS", ALARM))
    third = cloud.run("deploy", "--env", "dev", "--yes", "--no-wait")
    assert third.status == 1
    assert re.search(
        r"is UPDATE_IN_PROGRESS, since [\d:]{8} UTC \(paycli .*, by arn:aws:iam::1{12}:user/dev\)", third.err
    )
    waits = cloud.aws.asked("DescribeChangeSet")  # whose the update is that it waits for
    second = deployed(cloud, cloud.run, (waits, lambda: cloud.aws.skip(LONG)))
    assert "waiting until it is done" in second.err
    assert "No changes" in second.out
    assert "changes deployed, as deploy 1." in first.communicate(timeout=20)[0]
    assert stack.states[-3:] == UPDATED
    assert stack.change_sets.keys() == {stack.change_set_id}


def test_of_two_first_deploys_the_one_that_comes_late_is_told_so(
    cloud: FakeProject, within: Within, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.bootstrap()
    describe = changeset.describe

    def comes_first(*arguments: Any) -> Any:
        other = Session().client("cloudformation")
        names = {"StackName": STACK, "ChangeSetName": "other"}
        topic = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
        other.create_change_set(**names, ChangeSetType="CREATE", TemplateBody=topic)
        cloud.aws.skip(LONG)
        other.execute_change_set(**names)
        return describe(*arguments)

    monkeypatch.setattr(changeset, "describe", comes_first)
    monkeypatch.setattr(changeset, "_VISIBLE_SECONDS", 0.0)
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 1
    assert "another deploy of the same stack came first" in error_of(ran)
    assert "Run the command again" in error_of(ran)
    cloud.aws.skip(LONG)
    assert cloud.aws.stack(STACK).states == CREATED
