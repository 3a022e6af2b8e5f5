"""Deploys through what goes wrong on the way: throttling, lost replies, late answers, credentials that expire."""

import random

import pytest

from tests.fakes.project import FakeProject
from tests.integration.conftest import Within
from tests.integration.deploys import (
    ALARM,
    CREATED,
    LONG,
    STACK,
    UPDATED,
    error_of,
    records,
    slower_alarm,
    untouched,
    without_dashboard,
    without_data,
)

A_SECOND = 400.0  # of real time, in the fake's


def test_what_is_temporary_is_ridden_out_and_nothing_is_done_twice(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(other=slower_alarm)
    faults = cloud.aws.faults
    faults.throttle("DescribeStackEvents", after=2)
    faults.throttle("CreateChangeSet")
    faults.reset("CreateChangeSet", after_effect=True, after=1)
    faults.reset("PutObject", after_effect=True, after=2)  # the record, as it begins
    faults.reset("ExecuteChangeSet", after_effect=True)
    faults.reset("DescribeStackEvents", after=5)
    faults.delay("Describe*", 0.3, times=2)
    cloud.aws.scenario.durations[ALARM] = 100 * A_SECOND  # a tenth of that, in express mode
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 0, ran.err
    assert [call.error for call in cloud.aws.calls if call.error].count("Throttling") == 2
    assert [call.error for call in cloud.aws.calls if call.error].count("reset") == 4
    assert stack.states == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE", *UPDATED]
    assert stack.change_sets.keys() == {stack.change_set_id}
    assert [(record.number, record.result) for record in records(cloud)] == [(1, "succeeded")]


PAGE = b"<html><body>Please log in</body></html>"
LONG_PAGE = b"<!DOCTYPE html><html><body><br>" + 5000 * b"x"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (PAGE, "text/html; charset=utf-8", 200),
        (PAGE, "", 200),
        (LONG_PAGE, "", 407),
        (PAGE, "text/html", 502),
        (b"Welcome! " * 1000, "text/plain", 200),
    ],
)
def test_what_a_proxy_answers_is_waited_out_while_following(
    cloud: FakeProject, within: Within, body: bytes, kind: str, status: int
) -> None:
    stack = cloud.deployed(other=slower_alarm)
    times = 12 if status == 502 else 2  # botocore itself tries five times
    cloud.aws.faults.intercept("DescribeStackEvents", body, kind=kind, status=status, times=times, after=2)
    cloud.aws.scenario.durations[ALARM] = 100 * A_SECOND
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 0, ran.err
    (said,) = (line for line in ran.err.splitlines() if line.startswith("AWS can't be asked now, and is asked again"))
    assert len(said) < 200
    assert "AWS answers again." in ran.err
    assert stack.status == "UPDATE_COMPLETE"


@pytest.mark.parametrize(("body", "kind"), [(PAGE, "text/html"), (b"Welcome! " * 1000, "text/plain")])
def test_what_a_proxy_answers_is_one_short_message_elsewhere(
    cloud: FakeProject, within: Within, body: bytes, kind: str
) -> None:
    cloud.deployed(other=slower_alarm)
    cloud.aws.faults.intercept("DescribeStacks", body, kind=kind)
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 1
    assert "What answers isn't AWS: " in error_of(ran)
    assert "HTTPS_PROXY" in error_of(ran)
    assert len(error_of(ran)) < 400


def test_events_that_show_late_and_in_disorder_are_shown_once(cloud: FakeProject, within: Within) -> None:
    chance = random.Random(7)
    cloud.aws.scenario.event_delay = lambda: chance.uniform(0, A_SECOND / 2)
    cloud.aws.scenario.page_size = 30
    cloud.bootstrap()
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 0, ran.err
    lines = [line for line in ran.err.splitlines() if "_COMPLETE  " in line]
    assert len(lines) == len(set(lines)) > 30  # what shows after the stack's own end is left out where all went well


def test_a_cause_that_shows_after_the_end_is_told(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(other=without_dashboard)
    cloud.aws.scenario.fail("Dashboard", reason="The field widgets must be present")

    def delay() -> float:
        dashboard = stack.resources.get("Dashboard")
        return A_SECOND if dashboard and dashboard.status == "CREATE_FAILED" else 0.0

    cloud.aws.scenario.event_delay = delay
    cloud.aws.scenario.durations["Dashboard"] = 10.0
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 1
    assert "The field widgets must be present" in error_of(ran)


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "UPDATE_IN_PROGRESS"])
def test_what_describestacks_says_late_is_not_done_twice(cloud: FakeProject, within: Within, status: str) -> None:
    other = without_data if status == "ROLLBACK_COMPLETE" else slower_alarm
    cloud.deployed(status=status, other=other, lasts=LONG)
    ends = cloud.aws.clock.now() + LONG
    cloud.aws.skip(2 * A_SECOND)
    cloud.aws.scenario.lag["DescribeStacks"] = 2 * A_SECOND
    moments = []
    if status == "UPDATE_IN_PROGRESS":
        waits = cloud.aws.asked("DescribeStackEvents", 2)
        moments = [(waits, lambda: cloud.aws.skip(ends - cloud.aws.clock.now()))]
    ran = within("deploy", "--env", "dev", "--yes", moments=moments)
    assert ran.status == 0, ran.err
    assert ran.err.count(f"{STACK} is {status}") == 1
    assert cloud.aws.stack(STACK).states[-3:] == (CREATED if status == "ROLLBACK_COMPLETE" else UPDATED)
    repairs = [name for name in cloud.aws.operations() if name in {"DeleteStack", "ContinueUpdateRollback"}]
    assert len(repairs) == (0 if status == "UPDATE_IN_PROGRESS" else 1)


def test_a_first_deploy_waits_until_what_it_has_made_shows(cloud: FakeProject, within: Within) -> None:
    cloud.aws.scenario.lag = {
        "DescribeStacks": A_SECOND,
        "DescribeChangeSet": A_SECOND,
        "DescribeStackEvents": A_SECOND,
    }
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 0, ran.err
    assert cloud.aws.stack(STACK).states == CREATED
    assert cloud.aws.stack(STACK).outputs["RestApiId"] in ran.out


def test_outputs_are_those_after_the_deploy(cloud: FakeProject, within: Within) -> None:
    cloud.deployed(other=without_dashboard)
    cloud.aws.scenario.durations["Dashboard"] = 4.0
    cloud.aws.skip(LONG)
    cloud.aws.scenario.lag["DescribeStacks"] = 2 * A_SECOND
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 0, ran.err
    assert "DashboardName" in ran.out


def test_expired_credentials_end_a_deploy_with_the_way_on(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(other=slower_alarm)
    cloud.aws.scenario.durations[ALARM] = LONG
    begun = cloud.aws.reached(STACK, "UPDATE_IN_PROGRESS", ALARM)
    ran = within("deploy", "--env", "dev", "--yes", moments=[(begun, cloud.aws.faults.expire_credentials)])
    assert ran.status == 3
    assert "The credentials have expired" in error_of(ran)
    assert "CloudFormation goes on" in error_of(ran)
    assert "aws sso login" in error_of(ran)
    cloud.aws.faults.planned.clear()
    cloud.aws.skip(LONG)
    assert stack.status == "UPDATE_COMPLETE"
    again = within("deploy", "--env", "dev", "--yes")
    assert "No changes" in again.out, again.err
    assert [record.result for record in records(cloud)] == ["in_progress"]  # told by the stack: see the history


@pytest.mark.parametrize("refused", ["ExecuteChangeSet", "DescribeStackEvents", "ListObjectsV2"])
def test_what_is_refused_before_cloudformation_begins_has_changed_nothing_and_leaves_nothing(
    cloud: FakeProject, within: Within, refused: str
) -> None:
    stack = cloud.deployed(other=slower_alarm)
    cloud.aws.faults.deny(refused)
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 1
    assert f"AWS refused: {refused}" in error_of(ran)
    assert "Nothing of the change is done." in error_of(ran)
    assert untouched(stack, ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"])
    cloud.aws.faults.planned.clear()
    assert {record.result for record in records(cloud)} <= {"failed"}
    assert all(refused in record.cause for record in records(cloud))


def test_a_reviewed_plan_that_could_not_begin_can_be_executed_later(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(other=slower_alarm)
    assert within("deploy", "--env", "dev", "--plan", "plan.json").status == 0
    cloud.aws.faults.deny("ExecuteChangeSet")
    assert "Nothing of the change is done." in error_of(
        within("deploy", "--env", "dev", "--execute", "plan.json", "--yes")
    )
    cloud.aws.faults.planned.clear()
    assert within("deploy", "--env", "dev", "--execute", "plan.json", "--yes").status == 0
    assert stack.states[-3:] == UPDATED


def test_an_answer_that_is_lost_again_and_again_is_asked_for_until_it_comes(cloud: FakeProject, within: Within) -> None:
    """CloudFormation has begun at the first time; with the same token it begins only once."""
    stack = cloud.deployed(other=slower_alarm)
    cloud.aws.faults.refuse("DescribeStackEvents", "ServiceUnavailable", "Service is unavailable", status=503, times=6)
    cloud.aws.faults.reset("ExecuteChangeSet", after_effect=True, times=8)
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 0, ran.err
    assert ran.err.count("AWS can't be asked now") == 2
    assert stack.states[-3:] == UPDATED
    assert [record.result for record in records(cloud)] == ["succeeded"]


def test_an_error_without_a_message_is_told_by_its_code(cloud: FakeProject, within: Within) -> None:
    cloud.deployed(other=slower_alarm)
    cloud.aws.faults.refuse("CreateChangeSet", "InternalFailure", "", status=500, times=float("inf"))
    assert "CreateChangeSet: InternalFailure" in error_of(within("deploy", "--env", "dev", "--yes"))
    cloud.aws.faults.refuse("DescribeStacks", "ValidationError", "", times=float("inf"))
    assert "DescribeStacks: ValidationError" in error_of(within("deploy", "--env", "dev", "--yes"))


def test_a_deploy_whose_end_cannot_be_put_on_record_is_done(cloud: FakeProject, within: Within) -> None:
    cloud.deployed(other=slower_alarm)
    cloud.aws.faults.refuse("PutObject", "AccessDenied", "no", status=403, times=1)
    cloud.aws.faults.planned[-1].after = 3  # the code, the template, the record
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 0, ran.err
    assert "How deploy 1 ended can't be put on record: AWS refused: PutObject" in ran.err
    shown = within("history", "--env", "dev", "--json").document["data"]
    assert [(deploy["number"], deploy["result"]) for deploy in shown["deploys"]] == [(1, "succeeded")]


def test_a_deploy_whose_outputs_cannot_be_read_says_that_it_is_done(cloud: FakeProject) -> None:
    cloud.deployed(other=slower_alarm)

    def on_record() -> bool:
        return [record.result for record in records(cloud)] == ["succeeded"]

    cloud.aws.faults.delay("PutMetricData", 1.0)
    ran = cloud.run(
        "deploy", "--env", "dev", "--yes", moments=[(on_record, lambda: cloud.aws.faults.deny("DescribeStacks"))]
    )
    assert ran.status == 1
    assert "payment-api-dev is deployed, as deploy 1, but its outputs can't be read: " in error_of(ran)
    assert "`paycli outputs --env dev` reads and writes them" in error_of(ran)
