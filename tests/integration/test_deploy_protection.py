"""What stands before prod: the typed name, termination protection, the stack policy, alarms that undo an update."""

import json
import signal
from typing import Any

import pytest

from paycli.deployment import stackpolicy
from tests.fakes.cloudformation.model import Json, Stack
from tests.fakes.cloudformation.policy import denial
from tests.fakes.project import FakeProject
from tests.integration.conftest import Within
from tests.integration.deploys import (
    ALARM,
    CREATED,
    PROD,
    ROLLED_BACK,
    TABLE,
    UPDATED,
    error_of,
    recorded,
    records,
    slower_alarm,
    version,
    with_old_group,
)

FOREVER = 4e4  # seconds: longer than any test, and short enough for alarms that are looked at each second
DEPLOY = ("deploy", "--env", "prod", "--yes")
NAME = "Type the environment's name to confirm: "
ALARMS = ["validation-errors-prod", "processing-errors-prod", "api-5xx-prod"]
UNWATCHED = {"RollbackTriggers": [], "MonitoringTimeInMinutes": 0}


@pytest.fixture
def cloud(cloud: FakeProject) -> FakeProject:
    """A project whose template of prod counts as linted."""
    cloud.linted("prod")
    return cloud


def requests(cloud: FakeProject, operation: str) -> list[dict[str, Any]]:
    return [call.parameters for call in cloud.aws.calls if call.operation == operation]


def denied(stack: Stack, action: str, logical_id: str, kind: str = "AWS::Logs::LogGroup") -> bool:
    return bool(denial(stack.policy, action, logical_id, kind))


def test_a_first_deploy_asks_for_the_name_and_protects_what_it_has_made(cloud: FakeProject) -> None:
    ran = cloud.on_terminal("deploy", "--env", "prod", typed=[(NAME, "dev\n")])
    assert ran.status == 1
    assert "Not confirmed" in ran.out
    assert cloud.aws.stack(PROD).status == "DELETE_COMPLETE"
    ran = cloud.on_terminal("deploy", "--env", "prod", typed=[(NAME, "prod\n")])
    assert ran.status == 0, ran.out
    stack = cloud.aws.stack(PROD)
    assert stack.states == [*CREATED, *UPDATED]
    assert stack.termination_protection
    assert stack.resources[TABLE].properties["DeletionProtectionEnabled"] == "true"
    *creates, protection = requests(cloud, "CreateChangeSet")
    assert all("RollbackConfiguration" not in request for request in creates)
    assert protection["RollbackConfiguration"] == UNWATCHED
    assert denied(stack, "Replace", TABLE, "AWS::DynamoDB::Table")
    assert denied(stack, "Delete", "AccessLogs")
    assert not denied(stack, "Modify", TABLE, "AWS::DynamoDB::Table")
    assert not denied(stack, "Delete", ALARM, "AWS::CloudWatch::Alarm")
    assert [record.result for record in records(cloud, "prod")] == ["succeeded"]


@pytest.mark.parametrize("operation", ["SetStackPolicy", "UpdateTerminationProtection"])
def test_a_first_deploy_interrupted_when_it_is_made_is_guarded_all_the_same(
    cloud: FakeProject, within: Within, operation: str
) -> None:
    cloud.bootstrap()
    cloud.aws.faults.delay(operation, 1.0)
    ran = cloud.run(*DEPLOY, moments=[(cloud.aws.asked(operation), signal.SIGINT)])
    assert ran.status == 130
    assert "payment-api-prod is deployed and serves, but may not be protected yet." in error_of(ran)
    assert "`paycli deploy --env prod` then switches on what is missing." in error_of(ran)
    stack = cloud.aws.stack(PROD)
    assert stack.termination_protection
    assert denied(stack, "Delete", "AccessLogs")
    assert [record.result for record in records(cloud, "prod")] == ["succeeded"]
    again = within(*DEPLOY)
    assert again.status == 0, again.err
    assert stack.resources[TABLE].properties["DeletionProtectionEnabled"] == "true"


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGHUP])
def test_a_first_deploy_interrupted_while_its_table_is_protected_says_that_it_serves(
    cloud: FakeProject, within: Within, stop: signal.Signals
) -> None:
    cloud.bootstrap()
    cloud.aws.scenario.operation_seconds = lambda _stack, phase: FOREVER if phase == "update" else None
    ran = cloud.run(*DEPLOY, moments=[(cloud.aws.reached(PROD, "UPDATE_IN_PROGRESS", TABLE), stop)])
    assert ran.status == 130
    assert "payment-api-prod is deployed and serves, but may not be protected yet." in error_of(ran)
    cloud.aws.skip(FOREVER)
    stack = cloud.aws.stack(PROD)
    assert stack.resources[TABLE].properties["DeletionProtectionEnabled"] == "true"
    assert within(*DEPLOY).out.startswith("No changes")
    assert [record.result for record in records(cloud, "prod")] == ["succeeded"]


def test_an_interrupt_while_guards_are_set_whose_credentials_have_expired_says_the_same(cloud: FakeProject) -> None:
    cloud.bootstrap()
    cloud.aws.faults.delay("SetStackPolicy", 1.0)
    asked = cloud.aws.asked("SetStackPolicy")
    ran = cloud.run(*DEPLOY, moments=[(asked, cloud.aws.faults.expire_credentials), (asked, signal.SIGINT)])
    assert ran.status == 130
    assert "is deployed and serves, but may not be protected yet." in error_of(ran)


def test_an_update_that_is_too_late_to_cancel_is_guarded(cloud: FakeProject) -> None:
    stack = cloud.deployed("prod", other=slower_alarm)
    cloud.aws.scenario.operation_seconds = lambda _stack, phase: 30.0 if phase == "cleanup" else None
    cleaning = cloud.aws.reached(PROD, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    ran = cloud.run(*DEPLOY, moments=[(cleaning, signal.SIGINT)])
    assert ran.status == 130
    assert "too late to undo it: payment-api-prod is UPDATE_COMPLETE" in error_of(ran)
    assert stack.termination_protection
    assert [record.result for record in records(cloud, "prod")] == ["succeeded"]


def test_a_first_create_that_is_taken_back_says_what_stays(cloud: FakeProject) -> None:
    cloud.bootstrap()
    cloud.aws.scenario.durations["HealthSchedule"] = FOREVER
    made = cloud.aws.reached(PROD, "CREATE_COMPLETE", TABLE)
    ran = cloud.on_terminal(*DEPLOY, typed=[(made, "\x03"), ("Delete what the create has made? [y/N]", "y\n")])
    assert ran.status == 130
    said = " ".join(ran.out.split())
    assert "is deleted again, but for what keeps data: " in said
    assert "transactions-prod" in said
    assert "The next `paycli deploy --env prod` takes it up again." in said
    assert cloud.aws.standing("AWS::DynamoDB::Table", "transactions-prod")


@pytest.mark.parametrize("denied", [True, False])
def test_a_deploy_whose_protection_fails_serves_and_says_what_is_missing(
    cloud: FakeProject, within: Within, denied: bool
) -> None:
    cloud.bootstrap()
    if denied:
        cloud.aws.faults.deny("UpdateTerminationProtection", times=1)
    else:
        cloud.aws.scenario.fail(TABLE, on="update", reason="Rate exceeded (Service: DynamoDb, Status Code: 400)")
    ran = within(*DEPLOY)
    assert ran.status == 1
    said = error_of(ran)
    assert "payment-api-prod is deployed and serves, but isn't protected as it should be: " in said
    assert "nothing serves" not in said
    assert "paycli deploy --env prod, which switches on what is missing." in said
    assert [record.result for record in records(cloud, "prod")] == ["succeeded"]
    again = within(*DEPLOY)
    assert again.status == 0, again.err
    stack = cloud.aws.stack(PROD)
    assert stack.termination_protection
    assert stack.resources[TABLE].properties["DeletionProtectionEnabled"] == "true"


def test_an_update_is_watched_by_the_error_alarms(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed("prod", other=slower_alarm)
    ran = within(*DEPLOY)
    assert ran.status == 0, ran.err
    (request,) = requests(cloud, "CreateChangeSet")
    triggers = request["RollbackConfiguration"]
    assert [trigger["Arn"].rpartition(":")[2] for trigger in triggers["RollbackTriggers"]] == ALARMS
    assert int(triggers["MonitoringTimeInMinutes"]) == 5
    assert stack.termination_protection
    assert denied(stack, "Delete", "AccessLogs")


def test_an_alarm_undoes_the_update(cloud: FakeProject) -> None:
    stack = cloud.deployed("prod", other=slower_alarm)
    done = cloud.aws.reached(PROD, "UPDATE_COMPLETE", ALARM)
    ran = cloud.run(*DEPLOY, moments=[(done, lambda: cloud.aws.alarm("api-5xx-prod", "ALARM"))])
    assert ran.status == 1
    assert "alarm:api-5xx-prod is in ALARM state" in error_of(ran)
    assert stack.states[-4:] == ROLLED_BACK
    assert [record.result for record in records(cloud, "prod")] == ["failed"]


def test_alarms_that_are_switched_off_no_longer_undo_an_update(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed("prod", other=slower_alarm)
    assert within(*DEPLOY).status == 0
    assert stack.rollback_configuration["RollbackTriggers"]  # CloudFormation keeps them
    (cloud.root / "paycli.toml").write_text("[env.prod]\nrollback_on_alarm = false\nlog_retention_days = 731\n")
    cloud.linted("prod")
    cloud.aws.alarm("api-5xx-prod", "ALARM")
    ran = within(*DEPLOY)
    assert ran.status == 0, ran.err
    assert stack.rollback_configuration == UNWATCHED


def test_the_alarm_that_calls_for_a_rollback_does_not_undo_it(cloud: FakeProject, within: Within) -> None:
    (cloud.root / "paycli.toml").write_text("[env.dev]\nrollback_on_alarm = true\n")
    stack = cloud.deployed()
    recorded(cloud, 1, version(cloud, 98))
    recorded(cloud, 2, version(cloud, 1))
    cloud.aws.alarm("api-5xx-dev", "ALARM")
    ran = within("rollback", "--env", "dev", "--yes")
    assert ran.status == 0, ran.err
    assert stack.resources[ALARM].properties["EvaluationPeriods"] == 98
    assert requests(cloud, "CreateChangeSet")[-1]["RollbackConfiguration"] == UNWATCHED


def test_a_removal_that_is_allowed_lifts_the_policy_for_itself_alone(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed("prod", other=with_old_group)
    seen: list[tuple[bool, bool]] = []

    def look() -> bool:
        if stack.in_progress:
            seen.append((denied(stack, "Delete", "OldLogs"), denied(stack, "Delete", "AccessLogs")))
        return False

    ran = cloud.run(*DEPLOY, "--allow-remove", "OldLogs", moments=[(look, print)])
    assert ran.status == 0, ran.err
    assert seen[0] == (False, True)
    assert "OldLogs" not in stack.now.template["Resources"]
    assert denied(stack, "Delete", "OldLogs")
    assert cloud.aws.standing("AWS::Logs::LogGroup", "/old")  # as its policy wants it


def test_a_policy_from_when_data_was_kept_is_lifted_too(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed("prod", other=with_old_group)
    stack.policy = json.loads(stackpolicy.body())
    (cloud.root / "paycli.toml").write_text("[env.prod]\nretain_data = false\n")
    cloud.linted("prod")
    ran = within(*DEPLOY, "--allow-remove", "OldLogs")
    assert ran.status == 0, ran.err
    assert "OldLogs" not in stack.now.template["Resources"]
    assert denied(stack, "Delete", "AccessLogs")


def test_where_no_policy_stands_none_is_set_for_a_removal(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(other=with_old_group)
    ran = within("deploy", "--env", "dev", "--yes", "--allow-remove", "OldLogs")
    assert ran.status == 0, ran.err
    assert stack.policy is None


@pytest.fixture
def removing(cloud: FakeProject) -> tuple[FakeProject, Stack]:
    """A stack whose update removes something by permission, and takes for ever."""

    def other(template: Json) -> None:
        with_old_group(template)
        slower_alarm(template)

    stack = cloud.deployed("prod", other=other)
    cloud.aws.scenario.durations[ALARM] = FOREVER
    return cloud, stack


ALLOWED = (*DEPLOY, "--allow-remove", "OldLogs")


def test_an_interrupt_puts_the_policy_back(removing: tuple[FakeProject, Stack]) -> None:
    cloud, stack = removing
    begun = cloud.aws.reached(PROD, "UPDATE_IN_PROGRESS", ALARM)
    back = cloud.aws.reached(PROD, "UPDATE_ROLLBACK_IN_PROGRESS")
    ran = cloud.run(*ALLOWED, moments=[(begun, signal.SIGTERM), (back, lambda: cloud.aws.skip(FOREVER))])
    assert ran.status == 130
    assert denied(stack, "Delete", "OldLogs")
    assert stack.states[-4:] == ROLLED_BACK
    assert [record.result for record in records(cloud, "prod")] == ["cancelled"]


def test_a_terminal_that_hangs_up_leaves_no_policy_lifted(removing: tuple[FakeProject, Stack]) -> None:
    cloud, stack = removing
    ran = cloud.run(*ALLOWED, moments=[(cloud.aws.reached(PROD, "UPDATE_IN_PROGRESS", ALARM), signal.SIGHUP)])
    assert ran.status == 130
    assert stack.in_progress
    assert denied(stack, "Delete", "OldLogs")


def test_a_failure_puts_the_policy_back(removing: tuple[FakeProject, Stack], within: Within) -> None:
    cloud, stack = removing
    cloud.aws.scenario.durations.clear()
    cloud.aws.scenario.fail(ALARM, on="update", reason="no such metric")
    ran = within(*ALLOWED)
    assert ran.status == 1
    assert "no such metric" in error_of(ran)
    assert denied(stack, "Delete", "OldLogs")


def test_where_the_policy_cannot_be_put_back_the_first_error_is_told(
    removing: tuple[FakeProject, Stack], within: Within
) -> None:
    cloud, stack = removing
    begun = cloud.aws.reached(PROD, "UPDATE_IN_PROGRESS", ALARM)
    ran = cloud.run(*ALLOWED, moments=[(begun, cloud.aws.faults.expire_credentials)])
    assert ran.status == 3
    assert "CloudFormation goes on" in error_of(ran)
    assert "The stack policy isn't back, the next deploy sets it again" in ran.err
    cloud.aws.faults.planned.clear()
    cloud.aws.skip(FOREVER)
    assert not denied(stack, "Delete", "OldLogs")
    cloud.aws.alter(PROD, ALARM, EvaluationPeriods=50)
    cloud.aws.scenario.durations.clear()
    again = within(*DEPLOY, "--revert-drift")
    assert again.status == 0, again.err
    assert denied(stack, "Delete", "OldLogs")


def test_what_a_killed_deploy_has_left_unguarded_is_guarded_by_the_next_also_with_nothing_new(
    removing: tuple[FakeProject, Stack], within: Within
) -> None:
    cloud, stack = removing
    process = cloud.begin(*ALLOWED)
    cloud.aws.wait(cloud.aws.reached(PROD, "UPDATE_IN_PROGRESS", ALARM))
    process.kill()
    process.communicate()
    cloud.aws.skip(FOREVER)
    stack.termination_protection = False
    assert not denied(stack, "Delete", "OldLogs")
    again = within(*DEPLOY)
    assert (again.status, again.out.splitlines()[0]) == (0, "No changes: the stack has it all already."), again.err
    assert "Termination protection was off: it is on again" in again.err
    assert "The stack policy was missing or lifted: it stands again" in again.err
    assert stack.termination_protection
    assert denied(stack, "Delete", "OldLogs")
    assert "again" not in within(*DEPLOY).err


def test_a_teardown_that_cannot_begin_leaves_the_protection_on(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed("prod")
    stack.termination_protection = True
    teardown = ("teardown", "--env", "prod", "--yes", "--disable-termination-protection")
    cloud.aws.faults.deny("DeleteStack")
    assert within(*teardown).status == 1
    assert stack.termination_protection
    cloud.aws.faults.planned.clear()
    cloud.aws.faults.expire_credentials(after=8)  # DeleteStack is the ninth call
    assert within(*teardown).status == 3  # nor can it be switched on again: the next deploy does
    cloud.aws.faults.planned.clear()
    assert not stack.termination_protection
    assert within(*DEPLOY).status == 0
    assert stack.termination_protection
    assert within(*teardown).status == 0
    assert stack.status == "DELETE_COMPLETE"


def test_a_first_create_that_fails_needs_no_policy(cloud: FakeProject, within: Within) -> None:
    cloud.bootstrap()
    cloud.aws.scenario.fail(TABLE, reason="Subscriber limit exceeded")
    cloud.aws.faults.deny("SetStackPolicy")
    ran = within(*DEPLOY)
    assert ran.status == 1
    assert "Subscriber limit exceeded" in error_of(ran)
    assert "policy" not in ran.err


def test_a_table_that_is_protected_already_needs_no_second_update(cloud: FakeProject) -> None:
    cloud.bootstrap()
    created = cloud.aws.reached(PROD, "CREATE_IN_PROGRESS")
    reason = "The submitted information didn't contain changes."
    ran = cloud.run(*DEPLOY, moments=[(created, lambda: cloud.aws.scenario.refuse_change_set(reason))])
    assert ran.status == 0, ran.err
    assert cloud.aws.stack(PROD).states == CREATED
    assert cloud.aws.stack(PROD).termination_protection


def test_a_deploy_that_was_killed_after_its_create_counts(cloud: FakeProject, within: Within) -> None:
    cloud.bootstrap()
    cloud.aws.scenario.operation_seconds = lambda _stack, phase: FOREVER if phase == "update" else None
    process = cloud.begin(*DEPLOY)
    cloud.aws.wait(cloud.aws.reached(PROD, "UPDATE_IN_PROGRESS", TABLE))
    process.kill()
    process.communicate()
    cloud.aws.skip(FOREVER)
    shown = within("history", "--env", "prod", "--json").document["data"]
    assert [deploy["result"] for deploy in shown["deploys"]] == ["succeeded"]
    assert shown["running"] == 1
