"""A deploy that is interrupted, killed, or left alone: what becomes of the stack, and what the record says."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.fakes.cloudformation.model import Json
from tests.fakes.project import FakeProject
from tests.integration.conftest import Within
from tests.integration.deploys import (
    ALARM,
    CREATED,
    LONG,
    ROLLED_BACK,
    STACK,
    TABLE,
    UPDATED,
    error_of,
    recorded,
    records,
    slower_alarm,
    version,
)

DEPLOY = ("deploy", "--env", "dev", "--yes")
CANCEL, DELETE = "Cancel the update and roll it back? [y/N]", "Delete what the create has made? [y/N]"


def results(cloud: FakeProject) -> list[str]:
    return [record.result for record in records(cloud)]


@pytest.fixture
def updating(cloud: FakeProject) -> FakeProject:
    """A stack whose update takes for ever."""
    cloud.deployed(other=slower_alarm)
    cloud.aws.scenario.durations[ALARM] = LONG
    return cloud


@pytest.fixture
def creating(cloud: FakeProject) -> FakeProject:
    """A stack whose create takes for ever."""
    cloud.bootstrap()
    cloud.aws.scenario.durations[TABLE] = LONG
    return cloud


def begun(cloud: FakeProject) -> Callable[[], bool]:
    """Return whether the update has begun with what takes so long."""
    return cloud.aws.reached(STACK, "UPDATE_IN_PROGRESS", ALARM)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_without_a_terminal_an_update_is_cancelled_and_followed(updating: FakeProject, number: signal.Signals) -> None:
    back = updating.aws.reached(STACK, "UPDATE_ROLLBACK_IN_PROGRESS")
    ran = updating.run(*DEPLOY, moments=[(begun(updating), number), (back, lambda: updating.aws.skip(LONG))])
    assert ran.status == 130
    assert "the update is cancelled, payment-api-dev is as it was before" in error_of(ran)
    stack = updating.aws.stack(STACK)
    assert stack.states[-4:] == ROLLED_BACK
    assert stack.resources[ALARM].properties["EvaluationPeriods"] == 99
    assert results(updating) == ["cancelled"]
    lines = [line for line in ran.err.splitlines() if "_IN_PROGRESS" in line]
    assert len(lines) == len(set(lines))


def test_a_second_signal_leaves_it_to_cloudformation(updating: FakeProject) -> None:
    back = updating.aws.reached(STACK, "UPDATE_ROLLBACK_IN_PROGRESS")
    ran = updating.run(*DEPLOY, moments=[(begun(updating), signal.SIGINT), (back, signal.SIGTERM)])
    assert ran.status == 130
    assert "CloudFormation goes on" in error_of(ran)
    assert "paycli deploy --env dev" in error_of(ran)
    assert updating.aws.stack(STACK).status == "UPDATE_ROLLBACK_IN_PROGRESS"


def test_a_terminal_that_hangs_up_leaves_it_to_cloudformation(updating: FakeProject, within: Within) -> None:
    ran = updating.run(*DEPLOY, moments=[(begun(updating), signal.SIGHUP)])
    assert ran.status == 130
    assert "Traceback" not in ran.err
    updating.aws.skip(LONG)
    assert updating.aws.stack(STACK).states[-3:] == UPDATED
    assert "succeeded" in within("history", "--env", "dev").out


def test_nohup_is_respected(updating: FakeProject) -> None:
    """Who ignores SIGHUP for paycli wants it to go on."""
    ignoring = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); from paycli.cli import main; main()"
    command = [sys.executable, "-c", ignoring, *DEPLOY]
    process = subprocess.Popen(command, cwd=updating.root, env={**os.environ, **updating.aws.environ})
    updating.aws.wait(begun(updating))
    process.send_signal(signal.SIGHUP)
    updating.aws.skip(LONG)
    assert process.wait(30) == 0


def test_who_no_longer_reads_the_progress_stops_no_deploy(updating: FakeProject) -> None:
    process = updating.begin(*DEPLOY)
    updating.aws.wait(begun(updating))
    assert process.stderr
    process.stderr.close()
    process.stderr = None
    updating.aws.skip(LONG)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "as deploy 1." in out
    assert results(updating) == ["succeeded"]


def test_without_a_terminal_a_create_is_left_with_the_way_back(creating: FakeProject) -> None:
    made = creating.aws.reached(STACK, "CREATE_IN_PROGRESS", TABLE)
    ran = creating.run(*DEPLOY, moments=[(made, signal.SIGINT)])
    assert ran.status == 130
    assert "CloudFormation goes on" in error_of(ran)
    assert "paycli deploy --env dev" in error_of(ran)
    again = creating.run(
        *DEPLOY, moments=[(creating.aws.asked("DescribeStackEvents"), lambda: creating.aws.skip(2 * LONG))]
    )
    assert again.status == 0, again.err
    assert "waiting until it is done" in again.err
    assert creating.aws.stack(STACK).states == CREATED
    shown = creating.run("history", "--env", "dev", "--json").document["data"]
    assert [(deploy["number"], deploy["result"]) for deploy in shown["deploys"]] == [(1, "succeeded")]
    assert shown["running"] == 1


def test_before_anything_has_begun_nothing_stays(cloud: FakeProject) -> None:
    stack = cloud.deployed(other=slower_alarm)
    cloud.aws.faults.delay("ListObjectsV2", 1.0, after=1)
    ran = cloud.run(*DEPLOY, moments=[(cloud.aws.asked("ListObjectsV2", times=2), signal.SIGTERM)])
    assert ran.status == 130
    assert "Interrupted before CloudFormation began: payment-api-dev is unchanged" in error_of(ran)
    assert stack.states == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    assert stack.change_sets == {}
    assert results(cloud) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("there", [True, False])
def test_what_has_not_begun_leaves_nothing_also_of_a_create(
    cloud: FakeProject, number: signal.Signals, *, there: bool
) -> None:
    stack = cloud.deployed(other=slower_alarm) if there else None
    cloud.bootstrap()
    cloud.aws.faults.delay("DescribeStackEvents", 2.0)
    ran = cloud.run(*DEPLOY, moments=[(cloud.aws.asked("DescribeStackEvents"), number)])
    assert ran.status == 130
    assert stack is None or stack.change_sets == {}
    assert cloud.aws.stack(STACK).status == ("CREATE_COMPLETE" if there else "DELETE_COMPLETE")
    assert results(cloud) == ["cancelled"]
    if number == signal.SIGINT:
        assert "Interrupted before CloudFormation began: payment-api-dev is unchanged." in error_of(ran)


def test_a_plan_of_a_file_survives_an_interrupt_before_it_begins(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(other=slower_alarm)
    assert within("deploy", "--env", "dev", "--plan", "plan.json").status == 0
    cloud.aws.faults.delay("DescribeStackEvents", 2.0)
    execute = ("deploy", "--env", "dev", "--execute", "plan.json", "--yes")
    ran = cloud.run(*execute, moments=[(cloud.aws.asked("DescribeStackEvents"), signal.SIGINT)])
    assert ran.status == 130
    assert "Interrupted before CloudFormation began" in error_of(ran)
    again = within(*execute)
    assert again.status == 0, again.err
    assert stack.states[-3:] == UPDATED


def test_on_a_terminal_too_nothing_stays_of_what_has_not_begun(cloud: FakeProject) -> None:
    stack = cloud.deployed(other=slower_alarm)
    cloud.aws.faults.delay("DescribeStackEvents", 2.0)
    asked = cloud.aws.asked("DescribeStackEvents")
    ran = cloud.on_terminal(*DEPLOY, typed=[(asked, "\x03"), (CANCEL, "n\n")])
    assert ran.status == 130
    assert "Interrupted before CloudFormation began: payment-api-dev is unchanged." in " ".join(ran.out.split())
    assert stack.change_sets == {}
    assert results(cloud) == ["cancelled"]


def test_a_create_that_is_not_on_record_yet_leaves_nothing(cloud: FakeProject) -> None:
    cloud.bootstrap()
    cloud.aws.faults.delay("ListObjectsV2", 2.0)
    ran = cloud.run(*DEPLOY, moments=[(cloud.aws.asked("ListObjectsV2"), signal.SIGINT)])
    assert ran.status == 130
    assert "Interrupted before CloudFormation began: payment-api-dev is unchanged." in error_of(ran)
    assert cloud.aws.stack(STACK).status == "DELETE_COMPLETE"
    assert results(cloud) == []


def test_an_interrupt_while_aws_cannot_be_asked_still_ends_it(creating: FakeProject) -> None:
    made = creating.aws.reached(STACK, "CREATE_IN_PROGRESS", TABLE)
    denied = (made, lambda: creating.aws.faults.deny("DescribeStacks"))
    ran = creating.run(*DEPLOY, moments=[denied, (made, signal.SIGINT)])
    assert ran.status == 130
    assert "CloudFormation goes on" in error_of(ran)


def test_an_interrupt_of_what_guards_an_unchanged_stack_ends_it(cloud: FakeProject) -> None:
    cloud.linted("prod")
    cloud.deployed("prod")
    cloud.aws.faults.delay("GetStackPolicy", 2.0)
    ran = cloud.run("deploy", "--env", "prod", "--yes", moments=[(cloud.aws.asked("GetStackPolicy"), signal.SIGINT)])
    assert ran.status == 130
    assert error_of(ran) == "Error: Interrupted.\n"


def test_a_plan_that_another_update_has_outdated_does_not_stay(updating: FakeProject) -> None:
    updating.aws.faults.refuse("ExecuteChangeSet", "InvalidChangeSetStatus", "it is OBSOLETE")
    ran = updating.run(*DEPLOY)
    assert ran.status == 1
    assert "has moved since the plan was made" in error_of(ran)
    assert updating.aws.stack(STACK).change_sets == {}


def test_an_interrupted_repair_says_that_cloudformation_goes_on(cloud: FakeProject) -> None:
    stack = cloud.deployed(status="UPDATE_ROLLBACK_FAILED", other=slower_alarm, failed={ALARM: "gone"})
    cloud.aws.scenario.durations[ALARM] = LONG
    goes_on = cloud.aws.asked("DescribeStackEvents", 2)
    ran = cloud.run(*DEPLOY, moments=[(goes_on, signal.SIGINT)])
    assert ran.status == 130
    assert "CloudFormation goes on with what it has begun on payment-api-dev" in error_of(ran)
    assert stack.status == "UPDATE_ROLLBACK_IN_PROGRESS"


def test_another_deploys_update_is_left_alone(updating: FakeProject) -> None:
    updating.aws.faults.delay("ListObjectsV2", 20.0, after=1)
    first = updating.begin(*DEPLOY)
    updating.aws.wait(updating.aws.asked("ListObjectsV2", times=2))
    second = updating.begin(*DEPLOY)
    updating.aws.wait(begun(updating))
    first.send_signal(signal.SIGINT)
    _, err = first.communicate(timeout=30)
    assert first.returncode == 130
    assert "Interrupted before CloudFormation began: what runs on payment-api-dev is another deploy's, since" in err
    updating.aws.skip(LONG)
    second.communicate(timeout=30)
    assert second.returncode == 0
    assert "CancelUpdateStack" not in updating.aws.operations()
    assert results(updating) == ["succeeded"]


def test_a_deploy_that_runs_is_not_put_on_record_as_failed(cloud: FakeProject) -> None:
    stack = cloud.deployed(other=slower_alarm)
    before = recorded(cloud, 1, version(cloud, 98), result="in_progress")

    def succeeds() -> None:  # while this deploy is planned
        stack.change_set_id = before.change_set_id

    cloud.aws.faults.delay("PutObject", 0.5)
    ran = cloud.run(*DEPLOY, moments=[(cloud.aws.asked("PutObject"), succeeds)])
    assert ran.status == 0, ran.err
    assert results(cloud) == ["succeeded", "succeeded"]


def test_an_update_that_only_cleans_up_is_followed_to_its_end_and_counts(cloud: FakeProject) -> None:
    def with_old_board(template: Json) -> None:
        dashboard = template["Resources"]["Dashboard"]
        template["Resources"]["OldBoard"] = {**dashboard, "Properties": {"DashboardName": "old"}}

    stack = cloud.deployed(other=with_old_board)
    cloud.aws.scenario.durations["OldBoard"] = LONG
    cleans = cloud.aws.reached(STACK, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    refused = cloud.aws.asked("CancelUpdateStack")
    ran = cloud.run(*DEPLOY, moments=[(cleans, signal.SIGINT), (refused, lambda: cloud.aws.skip(LONG))])
    assert ran.status == 130
    assert "too late to undo it: payment-api-dev is UPDATE_COMPLETE" in error_of(ran)
    assert stack.states[-3:] == UPDATED
    assert results(cloud) == ["succeeded"]
    assert cloud.aws.calls[-1].operation == "PutMetricData"  # its mark on the dashboard


def test_a_rollback_that_fails_is_told(updating: FakeProject) -> None:
    updating.aws.scenario.fail(ALARM, on="rollback")
    back = updating.aws.reached(STACK, "UPDATE_ROLLBACK_IN_PROGRESS")
    ran = updating.run(*DEPLOY, moments=[(begun(updating), signal.SIGINT), (back, lambda: updating.aws.skip(LONG))])
    assert ran.status == 130
    assert "payment-api-dev is UPDATE_ROLLBACK_FAILED" in error_of(ran)
    assert results(updating) == ["failed"]


def test_a_cancel_that_aws_refuses_is_an_error(updating: FakeProject) -> None:
    updating.aws.faults.deny("CancelUpdateStack")
    ran = updating.run(*DEPLOY, moments=[(begun(updating), signal.SIGINT)])
    assert ran.status == 1
    assert "AWS refused: CancelUpdateStack" in error_of(ran)


@pytest.mark.parametrize(
    ("answer", "said"),
    [("y\n", "the update is cancelled"), ("n\n", "CloudFormation goes on"), ("\x03", "CloudFormation goes on")],
)
def test_on_a_terminal_an_interrupted_update_asks(updating: FakeProject, answer: str, said: str) -> None:
    aws = updating.aws
    wanted = answer == "y\n"
    if wanted:
        aws.scenario.durations[ALARM] = 2000.0  # the rollback takes a tenth of that
    ran = updating.on_terminal(*DEPLOY, typed=[(begun(updating), "\x03"), (CANCEL, answer)])
    assert ran.status == 130
    assert said in ran.out
    assert ("CancelUpdateStack" in aws.operations()) is wanted


@pytest.mark.parametrize(("on", "said"), [("", "is deleted again"), ("delete", "payment-api-dev is DELETE_FAILED")])
def test_on_a_terminal_an_interrupted_create_can_be_deleted(creating: FakeProject, on: str, said: str) -> None:
    if on:
        creating.aws.scenario.fail("Key", on=on)
    made = creating.aws.reached(STACK, "CREATE_COMPLETE", "Key")
    ran = creating.on_terminal(*DEPLOY, typed=[(made, "\x03"), (DELETE, "y\n")])
    assert ran.status == 130
    assert said in ran.out
    assert results(creating) == ["failed" if on else "cancelled"]


def test_a_create_that_is_done_is_not_deleted_by_an_interrupt(cloud: FakeProject) -> None:
    cloud.bootstrap()
    cloud.aws.faults.delay("DescribeStacks", 2.0, after=2)  # the outputs
    done = cloud.aws.asked("DescribeStacks", 3)
    ran = cloud.on_terminal(*DEPLOY, typed=[(done, "\x03"), (DELETE, "y\n")])
    assert ran.status == 130
    assert "too late to undo it: payment-api-dev is deployed, as deploy 1." in " ".join(ran.out.split())
    assert cloud.aws.stack(STACK).states == CREATED
    assert results(cloud) == ["succeeded"]


def kill(cloud: FakeProject) -> None:
    """Begin the update, kill paycli in the middle, and let CloudFormation come to its end."""
    process = cloud.begin(*DEPLOY)
    cloud.aws.wait(begun(cloud))
    process.kill()
    process.communicate()
    cloud.aws.skip(LONG)
    assert results(cloud) == ["in_progress"]


def test_a_deploy_that_was_killed_counts_where_the_stack_has_come_to_its_version(updating: FakeProject) -> None:
    kill(updating)
    shown = updating.run("history", "--env", "dev")
    assert "*  1" in shown.out
    assert "succeeded" in shown.out
    assert results(updating) == ["in_progress"]  # to look writes nothing
    updating.aws.alter(STACK, ALARM, EvaluationPeriods=50)
    updating.aws.scenario.durations.clear()
    again = updating.run(*DEPLOY, "--revert-drift")
    assert again.status == 0, again.err
    assert "EvaluationPeriods: 50 -> 1 (drifted)" in " ".join(again.err.split())
    assert results(updating) == ["succeeded", "succeeded"]


def test_a_deploy_that_was_killed_has_failed_where_the_stack_was_rolled_back(updating: FakeProject) -> None:
    updating.aws.scenario.fail(ALARM, on="update")
    kill(updating)
    shown = updating.run("history", "--env", "dev")
    assert "Deploy 1: paycli didn't see its end" in shown.out
    updating.aws.scenario.durations.clear()
    again = updating.run(*DEPLOY)
    assert again.status == 0, again.err
    assert results(updating) == ["failed", "succeeded"]


@pytest.mark.parametrize("command", [DEPLOY, ("rollback", "--env", "dev", "--yes"), ("history", "--env", "dev")])
def test_an_interrupt_does_not_wait_for_an_s3_that_does_not_answer(
    cloud: FakeProject, command: tuple[str, ...]
) -> None:
    cloud.deployed(other=slower_alarm)
    for number in (1, 2):
        recorded(cloud, number, version(cloud, 97 + number))
    cloud.aws.faults.delay("GetObject", 30.0, times=float("inf"))
    ran = cloud.run(*command, moments=[(cloud.aws.asked("GetObject"), signal.SIGINT)])
    assert ran.status == 130
    assert ran.ended - ran.began < 30  # which nobody waits for
