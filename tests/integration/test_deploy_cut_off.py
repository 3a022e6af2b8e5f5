"""A deploy, a rollback or a teardown that is cut off when nearly all is done, and the same command again."""

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from paycli import smoke
from paycli.deployment import stackpolicy, undoing
from paycli.deployment.changeset import ChangeSet
from paycli.deployment.records import Record
from paycli.deployment.stacks import Stack
from paycli.errors import PaycliError
from paycli.smoke.result import CheckResult
from tests.fakes.project import FakeProject
from tests.integration.conftest import Within
from tests.integration.deploys import ALARM, LONG, PROD, STACK, error_of, records, slower_alarm, with_old_group

DEPLOY_PROD = ("deploy", "--env", "prod", "--yes")
DEPLOY = ("deploy", "--env", "dev", "--yes")
ROLLBACK = ("rollback", "--env", "dev", "--yes")
TESTED = (*DEPLOY, "--smoke-test", "--rollback-on-failure")


@pytest.fixture
def cloud(cloud: FakeProject) -> FakeProject:
    """A project whose template of prod counts as linted."""
    cloud.linted("prod")
    return cloud


def size(cloud: FakeProject) -> int:
    """Return what tells the versions of dev apart that run."""
    properties = cloud.aws.stack(STACK).now.template["Resources"]["ValidationFunction"]["Properties"]
    return int(properties["MemorySize"])


def sized(cloud: FakeProject, memory: int) -> None:
    """Let the checkout have a version of dev with so much memory."""
    (cloud.root / "paycli.toml").write_text(f"[defaults]\nmemory_mb = {memory}\n")
    cloud.linted("dev")


def torn_down(cloud: FakeProject, within: Within) -> None:
    """Leave what a stack of prod keeps."""
    cloud.deployed("prod")
    assert within("teardown", "--env", "prod", "--yes", "--disable-termination-protection").status == 0


def at(cloud: FakeProject, operation: str, happens: Callable[[], object], condition: Callable[[], bool]) -> None:
    """Let something happen right before the first such request under a condition."""
    original, happened = cloud.aws.faults.struck, list[bool]()

    def struck(asked: str) -> Any:
        if asked == operation and not happened and condition():
            happened.append(True)
            happens()
        return original(asked)

    cloud.aws.faults.struck = struck  # type: ignore[assignment]


# All is done but the dashboard's mark


def test_an_interrupt_after_a_first_create_says_that_it_is_deployed(cloud: FakeProject) -> None:
    cloud.bootstrap()
    cloud.aws.faults.delay("PutMetricData", 1.0)
    ran = cloud.run(*DEPLOY_PROD, moments=[(cloud.aws.asked("PutMetricData"), signal.SIGINT)])
    assert ran.status == 130
    assert "Interrupted, too late to undo it: payment-api-prod is deployed, as deploy 1." in error_of(ran)
    assert cloud.aws.stack(PROD).status == "UPDATE_COMPLETE"
    assert [record.result for record in records(cloud, "prod")] == ["succeeded"]


def test_an_interrupt_after_kept_data_was_taken_up_says_that_it_is_deployed(cloud: FakeProject, within: Within) -> None:
    torn_down(cloud, within)
    cloud.aws.faults.delay("PutMetricData", 1.0)
    ran = cloud.run(*DEPLOY_PROD, moments=[(cloud.aws.asked("PutMetricData"), signal.SIGTERM)])
    assert ran.status == 130
    assert "payment-api-prod is deployed, as deploy 1." in error_of(ran)
    assert cloud.aws.stack(PROD).status == "UPDATE_COMPLETE"


def test_an_interrupt_when_a_create_is_done_and_not_on_record_yet_guards_it(cloud: FakeProject) -> None:
    cloud.bootstrap()
    cloud.aws.faults.delay("PutObject", 1.0, after=4)  # the record of its end
    made = cloud.aws.asked("PutObject", 5)
    ran = cloud.run(*DEPLOY_PROD, moments=[(made, signal.SIGTERM)])
    assert ran.status == 130
    assert "Interrupted, too late to undo it: payment-api-prod is " in error_of(ran)
    assert cloud.aws.stack(PROD).termination_protection
    assert [record.result for record in records(cloud, "prod")] == ["succeeded"]


def test_an_interrupted_rollback_that_is_done_is_asked_for_again_in_vain(cloud: FakeProject, within: Within) -> None:
    cloud.bootstrap()
    for memory in (256, 512, 1024):
        sized(cloud, memory)
        assert within(*DEPLOY).status == 0
    cloud.aws.faults.delay("PutMetricData", 1.0)
    ran = cloud.run(*ROLLBACK, moments=[(cloud.aws.asked("PutMetricData"), signal.SIGTERM)])
    assert ran.status == 130
    assert "payment-api-dev is deployed, as deploy 4. It is deploy 2 again: the rollback is done." in error_of(ran)
    assert size(cloud) == 512
    same = within(*ROLLBACK)
    assert same.status == 0, same.err
    assert "Deploy 4 is a rollback whose end nobody had seen: it is finished, nothing more." in same.err
    assert size(cloud) == 512
    again = within(*ROLLBACK)
    assert again.status == 0, again.err
    assert "What runs is deploy 2 again, by deploy 4: this goes further back." in again.err
    assert size(cloud) == 256


# Around the smoke test


@pytest.fixture
def bad(cloud: FakeProject, within: Within, monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    """Deploy 1 (256 MB) runs; what the checkout has (512 MB) fails its smoke test."""
    cloud.bootstrap()
    sized(cloud, 256)
    assert within(*DEPLOY).status == 0
    sized(cloud, 512)
    failed = CheckResult("health", "t", passed=False, duration_seconds=0.1, expected="up", found="down")
    monkeypatch.setattr(smoke, "run", lambda *_arguments, **_options: [failed])
    return cloud


def begins_again(cloud: FakeProject) -> bool:
    """Whether the deploy's change set is executed, and the rollback's."""
    return cloud.aws.operations().count("ExecuteChangeSet") >= 3  # the first is deploy 1's


def test_a_rollback_that_is_no_longer_followed_is_not_said_not_to_be(bad: FakeProject, within: Within) -> None:
    at(bad, "DescribeStackEvents", lambda: bad.aws.faults.deny("DescribeStackEvents"), lambda: begins_again(bad))
    ran = within(*TESTED, "--json")
    assert ran.status == 1
    rollback = ran.document["data"]["rollback"]
    assert rollback["rolled_back"] is None
    (error,) = (one for one in ran.document["errors"] if one["code"] == "rollback_unseen")
    assert "The rollback to deploy 1 has begun, or may have, and its end can't be seen: AWS refused" in error["message"]
    assert "`paycli rollback --env dev --to 1` waits for that, and does what is left." in error["hint"]
    assert "still runs" not in ran.out
    bad.aws.faults.planned.clear()
    bad.aws.skip(LONG)
    assert size(bad) == 256
    assert "No changes" in within(*ROLLBACK, "--to", "1").out


def test_a_rollback_that_takes_too_long_is_not_said_not_to_be(
    bad: FakeProject, within: Within, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless() -> None:
        monkeypatch.setattr("paycli.deployment.follow.follow.__kwdefaults__", {"only": (), "deadline_seconds": 0.0})

    at(bad, "ExecuteChangeSet", endless, lambda: bad.aws.operations().count("ExecuteChangeSet") >= 3)
    ran = within(*TESTED, "--json")
    assert ran.document["data"]["rollback"]["rolled_back"] is None
    assert "its end can't be seen: payment-api-dev isn't done after" in ran.out


def test_a_rollback_that_was_interrupted_too_late_is_done(
    bad: FakeProject, within: Within, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_aws: object, record: Record, _report: object) -> None:
        if record.rollback_of:
            raise KeyboardInterrupt

    monkeypatch.setattr("paycli.deployment.marks.mark", interrupted)
    ran = within(*TESTED, "--json")
    assert ran.status == 130
    assert ran.document["data"]["rollback"]["rolled_back"] is True
    assert "payment-api-dev is deployed, as deploy 3. It is deploy 1 again: the rollback is done" in ran.out


def test_the_same_command_again_rolls_back_what_was_never_tested(bad: FakeProject, within: Within) -> None:
    assert within(*DEPLOY).status == 0  # as one that was killed before its smoke test
    again = within(*TESTED, "--json")
    assert again.status == 1
    assert again.document["data"]["deploy"] is None
    assert again.document["data"]["rollback"]["rolled_back"] is True
    assert size(bad) == 256
    assert [record.smoke_test for record in records(bad)][::-1] == ["", "failed", ""]


def test_what_has_passed_before_is_not_rolled_back_by_a_deploy_that_changes_nothing(
    bad: FakeProject, within: Within
) -> None:
    assert within(*DEPLOY).status == 0
    mark(bad, 2, "passed")
    again = within(*TESTED)
    assert again.status == 1
    said = "Not rolled back: this deploy changed nothing, and deploy 2, which runs, has passed its smoke test before."
    assert f"{said} `paycli history --env dev` lists what `paycli rollback --to N` goes back to." in again.out
    assert size(bad) == 512


def test_where_it_cannot_be_told_what_runs_nothing_is_rolled_back(bad: FakeProject, within: Within) -> None:
    assert within(*DEPLOY).status == 0
    bad.aws.faults.deny("ListObjectsV2")
    again = within(*TESTED)
    assert again.status == 1
    assert "Not rolled back: this deploy changed nothing. `paycli history --env dev`" in again.out


def mark(cloud: FakeProject, number: int, result: str) -> None:
    (bucket,) = cloud.aws.objects
    record: Record = next(one for one in records(cloud) if one.number == number)
    content = record.model_copy(update={"smoke_test": result}).model_dump_json().encode()
    cloud.aws.lay(bucket, f"deployments/dev/{number:06d}.json", content)


def test_an_interrupted_smoke_test_says_what_runs(
    cloud: FakeProject, within: Within, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(smoke, "run", interrupted)
    cloud.bootstrap()
    for which in ("deploy 1 of dev", "deploy 1 of dev"):
        ran = within(*DEPLOY, "--smoke-test")
        assert ran.status == 130
        assert f"Interrupted: {which} runs, and its smoke test isn't done." in error_of(ran)
        assert "Nothing is undone. Then: paycli smoke-test --env dev" in error_of(ran)


def test_an_interrupt_while_the_way_back_is_planned_says_what_runs(
    bad: FakeProject, within: Within, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("paycli.deployment.rollback.choose", interrupted)
    ran = within(*TESTED)
    assert ran.status == 130
    assert "Interrupted: deploy 2 of dev has failed its smoke test and still runs." in error_of(ran)
    assert "Then: paycli rollback --env dev" in error_of(ran)


# Guards


@pytest.mark.parametrize("operation", ["SetStackPolicy", "UpdateTerminationProtection"])
def test_an_interrupt_while_an_update_is_guarded_leaves_the_guards(cloud: FakeProject, operation: str) -> None:
    stack = cloud.deployed("prod", other=slower_alarm)
    stack.policy = json.loads(stackpolicy.body())
    stack.termination_protection = True
    cloud.aws.faults.delay(operation, 1.0)
    ran = cloud.run(*DEPLOY_PROD, moments=[(cloud.aws.asked(operation), signal.SIGINT)])
    assert ran.status == 130
    assert stack.policy == json.loads(stackpolicy.body())
    assert stack.termination_protection


def test_a_network_that_is_lost_before_anything_begins_says_that_nothing_is_done(
    cloud: FakeProject, within: Within
) -> None:
    cloud.deployed("prod", other=slower_alarm)
    cloud.aws.faults.reset("SetStackPolicy", times=float("inf"))
    ran = within(*DEPLOY_PROD)
    assert ran.status == 1
    assert "Hint:  Nothing of the change is done." in error_of(ran)


def test_a_teardown_whose_request_is_lost_says_that_it_may_have_begun(cloud: FakeProject, within: Within) -> None:
    cloud.deployed()
    cloud.aws.faults.reset("DeleteStack", times=float("inf"))
    ran = within("teardown", "--env", "dev", "--yes")
    assert ran.status == 1
    assert "CloudFormation may have begun: the same command finds out, and goes on." in error_of(ran)


def test_a_teardown_that_goes_on_leaves_what_was_left_before(cloud: FakeProject) -> None:
    stack = cloud.deployed(status="DELETE_FAILED", failed={"Dashboard": "in use"})
    teardown = ("teardown", "--env", "dev", "--yes", "--retain", "Dashboard")
    cloud.aws.scenario.durations["Key"] = LONG
    first = cloud.begin(*teardown)
    cloud.aws.wait(cloud.aws.reached(STACK, "DELETE_IN_PROGRESS", "Key"))
    first.kill()
    first.communicate()
    ran = cloud.run(*teardown, moments=[(cloud.aws.asked("DescribeStackEvents", 3), lambda: cloud.aws.skip(LONG))])
    assert ran.status == 0, ran.err
    assert stack.status == "DELETE_COMPLETE"


def test_an_interrupt_while_the_policy_is_lifted_puts_it_back(cloud: FakeProject) -> None:
    stack = cloud.deployed("prod", other=with_old_group)
    stack.policy = json.loads(stackpolicy.body())
    cloud.aws.faults.delay("SetStackPolicy", 1.0, after_effect=True)
    lifted = cloud.aws.asked("SetStackPolicy")
    ran = cloud.run(*DEPLOY_PROD, "--allow-remove", "OldLogs", moments=[(lifted, signal.SIGINT)])
    assert ran.status == 130
    assert stack.policy == json.loads(stackpolicy.body())


def test_a_teardown_that_leaves_the_protection_off_says_so(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed("prod")
    stack.termination_protection = True
    at(cloud, "DeleteStack", cloud.aws.faults.expire_credentials, lambda: True)
    ran = within("teardown", "--env", "prod", "--yes", "--disable-termination-protection")
    assert ran.status == 3
    assert not stack.termination_protection
    assert "Where the stack stands, its termination protection is off: the next deploy sets it." in error_of(ran)


def test_a_teardown_of_artifacts_again_removes_the_rest(cloud: FakeProject, within: Within) -> None:
    cloud.bootstrap()
    assert within(*DEPLOY).status == 0
    cloud.aws.faults.deny("DeleteObject", times=1, after=2)
    teardown = ("teardown", "--env", "dev", "--yes", "--artifacts")
    assert within(*teardown).status == 1
    assert within(*teardown).status == 0
    assert [key for objects in cloud.aws.objects.values() for key in objects] == []


def test_what_is_refused_after_the_import_says_what_is_done(cloud: FakeProject, within: Within) -> None:
    torn_down(cloud, within)
    cloud.aws.faults.deny("ExecuteChangeSet", times=1, after=1)
    ran = within(*DEPLOY_PROD)
    assert ran.status == 1
    assert cloud.aws.stack(PROD).status == "IMPORT_COMPLETE"
    assert "What was kept is the stack's again; nothing of the rest is done." in error_of(ran)
    assert error_of(ran).rstrip().endswith("Then: paycli deploy --env prod")


@pytest.mark.parametrize("command", [("diff", "--env", "prod"), ("deploy", "--env", "prod", "--dry-run")])
@pytest.mark.parametrize("operation", ["DeleteObject", "DeleteChangeSet", "ListChangeSets", "DeleteStack"])
def test_an_interrupted_look_leaves_nothing(cloud: FakeProject, command: tuple[str, ...], operation: str) -> None:
    cloud.bootstrap()
    cloud.aws.faults.delay(operation, 1.0)
    ran = cloud.run(*command, moments=[(cloud.aws.asked(operation), signal.SIGINT)])
    assert ran.status == 130
    assert cloud.aws.stack(PROD).status == "DELETE_COMPLETE"
    assert [key for objects in cloud.aws.objects.values() for key in objects if key.startswith("looks/")] == []


# Right after ExecuteChangeSet, with DescribeStacks behind


def behind(cloud: FakeProject) -> None:
    """Let DescribeStacks show the stack as it was before CloudFormation began."""

    def lags() -> None:
        cloud.aws.clock.skip(100)
        cloud.aws.scenario.lag["DescribeStacks"] = 50.0

    at(cloud, "ExecuteChangeSet", lags, lambda: True)
    cloud.aws.faults.delay("ExecuteChangeSet", 1.0, after_effect=True)


@pytest.mark.parametrize("which", [signal.SIGHUP, signal.SIGTERM])
def test_a_first_create_that_has_just_begun_is_not_deleted_unasked(cloud: FakeProject, which: signal.Signals) -> None:
    cloud.bootstrap()
    behind(cloud)
    ran = cloud.run(*DEPLOY_PROD, moments=[(cloud.aws.asked("ExecuteChangeSet"), which)])
    assert ran.status == 130
    assert "DeleteStack" not in cloud.aws.operations()


def test_a_hang_up_cancels_no_update_that_has_just_begun(cloud: FakeProject) -> None:
    cloud.deployed(other=slower_alarm)
    behind(cloud)
    ran = cloud.run(*DEPLOY, moments=[(cloud.aws.asked("ExecuteChangeSet"), signal.SIGHUP)])
    assert ran.status == 130
    assert "CancelUpdateStack" not in cloud.aws.operations()


def test_a_hang_up_after_a_failed_update_puts_that_on_record(cloud: FakeProject) -> None:
    cloud.deployed(other=slower_alarm)
    cloud.aws.scenario.fail(ALARM, on="update", reason="no such metric")
    cloud.aws.faults.delay("DescribeEvents", 1.0)
    ran = cloud.run(*DEPLOY, moments=[(cloud.aws.asked("DescribeEvents"), signal.SIGHUP)])
    assert ran.status == 130
    (record,) = records(cloud)
    assert record.result == "failed"
    assert record.cause == "Interrupted, too late to undo it: payment-api-dev is UPDATE_ROLLBACK_COMPLETE."


def test_a_hang_up_whose_record_cannot_be_read_leaves_it_to_the_next_deploy(cloud: FakeProject) -> None:
    cloud.deployed(other=slower_alarm)
    cloud.aws.scenario.fail(ALARM, on="update", reason="no such metric")
    at(cloud, "DescribeEvents", lambda: cloud.aws.faults.deny("ListObjectsV2"), lambda: True)
    cloud.aws.faults.delay("DescribeEvents", 1.0)
    ran = cloud.run(*DEPLOY, moments=[(cloud.aws.asked("DescribeEvents"), signal.SIGHUP)])
    assert ran.status == 130
    assert [record.result for record in records(cloud)] == ["in_progress"]


# A rollback whose command hasn't told its end


@pytest.fixture
def three(cloud: FakeProject, within: Within) -> FakeProject:
    """Three deploys of dev; prod's settings are the same."""
    cloud.bootstrap()
    for memory in (256, 512, 1024):
        sized(cloud, memory)
        cloud.linted("prod")
        assert within(*DEPLOY_PROD).status == 0
        assert within(*DEPLOY).status == 0
    return cloud


ROLLBACK_PROD = ("rollback", "--env", "prod", "--yes")


def size_of_prod(cloud: FakeProject) -> int:
    return int(cloud.aws.stack(PROD).now.template["Resources"]["ValidationFunction"]["Properties"]["MemorySize"])


def test_a_rollback_interrupted_while_it_is_protected_goes_no_further(three: FakeProject, within: Within) -> None:
    three.aws.faults.delay("UpdateTerminationProtection", 1.0)
    protecting = three.aws.asked("UpdateTerminationProtection")
    ran = three.run(*ROLLBACK_PROD, moments=[(protecting, signal.SIGTERM)])
    assert ran.status == 130
    assert size_of_prod(three) == 512
    assert within(*ROLLBACK_PROD).status == 0
    assert size_of_prod(three) == 512


def test_a_rollback_that_could_not_be_protected_goes_no_further(three: FakeProject, within: Within) -> None:
    three.aws.faults.deny("UpdateTerminationProtection", times=1)
    assert within(*ROLLBACK_PROD).status == 1
    assert within(*ROLLBACK_PROD).status == 0
    assert size_of_prod(three) == 512


def cut_off(cloud: FakeProject) -> None:
    """Interrupt a rollback of dev when it is done."""
    cloud.aws.faults.delay("PutMetricData", 1.0)
    ran = cloud.run(*ROLLBACK, moments=[(cloud.aws.asked("PutMetricData"), signal.SIGTERM)])
    assert ran.status == 130
    assert size(cloud) == 512


def failing(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Let the one check of the smoke test end as the list says."""
    passes = [False]

    def checks(*_arguments: object, **_options: object) -> list[CheckResult]:
        return [CheckResult("health", "t", passed=passes[0], duration_seconds=0.1, expected="up", found="down")]

    monkeypatch.setattr(smoke, "run", checks)
    return passes


def test_a_failed_smoke_test_goes_back_from_a_rollback_that_was_cut_off(
    three: FakeProject, within: Within, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(three)
    failing(monkeypatch)
    sized(three, 512)
    ran = within(*TESTED, "--json")
    assert ran.document["data"]["rollback"]["rolled_back"] is True
    assert size(three) == 256


def test_the_smoke_test_of_a_rollback_that_is_finished_is_on_record(
    three: FakeProject, within: Within, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(three)
    failing(monkeypatch)
    assert within(*ROLLBACK, "--smoke-test").status == 1
    newest = max(records(three), key=lambda record: record.number)
    assert (newest.number, newest.smoke_test, newest.unseen) == (4, "failed", False)


def test_what_has_passed_is_not_rolled_back_at_a_second_failure_either(
    cloud: FakeProject, within: Within, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = failing(monkeypatch)
    cloud.bootstrap()
    sized(cloud, 256)
    assert within(*DEPLOY).status == 0
    sized(cloud, 512)
    passes[0] = True
    assert within(*TESTED).status == 0
    passes[0] = False
    for _ in range(2):
        assert within(*TESTED, "--json").document["data"]["rollback"]["rolled_back"] is False
        assert size(cloud) == 512


def test_one_that_cannot_run_rolls_back_nothing_that_was_there(
    bad: FakeProject, within: Within, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*_arguments: object, **_options: object) -> None:
        raise PaycliError("The stack payment-api-dev has no output RestApiId.")

    assert within(*DEPLOY).status == 0
    monkeypatch.setattr(smoke, "run", cannot)
    ran = within(*TESTED, "--json")
    assert ran.status == 1
    assert ran.document["data"]["rollback"]["rolled_back"] is False
    assert "has passed" not in within(*TESTED).out
    assert size(bad) == 512


@pytest.mark.parametrize("imports", [True, False])
@pytest.mark.parametrize(
    ("status", "own", "begun", "ended"),
    [
        ("UPDATE_COMPLETE", True, "EXECUTE_IN_PROGRESS", "succeeded"),
        ("CREATE_COMPLETE", True, "EXECUTE_IN_PROGRESS", "succeeded"),
        ("UPDATE_ROLLBACK_COMPLETE", True, "EXECUTE_IN_PROGRESS", "failed"),
        ("UPDATE_IN_PROGRESS", True, "EXECUTE_IN_PROGRESS", None),
        ("UPDATE_COMPLETE", False, "EXECUTE_IN_PROGRESS", None),
        ("REVIEW_IN_PROGRESS", False, "EXECUTE_IN_PROGRESS", None),
        ("UPDATE_IN_PROGRESS", False, "EXECUTE_FAILED", "failed"),
        ("UPDATE_COMPLETE", False, "", None),
        ("IMPORT_COMPLETE", True, "EXECUTE_COMPLETE", None),
    ],
)
def test_what_is_over_is_told_by_the_change_set_or_a_stack_at_rest(
    imports: bool, status: str, own: bool, begun: str, ended: str | None
) -> None:
    change_set = ChangeSet("ours", "id", STACK, creates=False, changes=(), imports=imports)
    stack = Stack(STACK, "id", status, {}, {}, False, {}, change_set_id="ours" if own else "another")
    complete = begun == "EXECUTE_COMPLETE" and not imports  # then the import alone isn't all
    assert undoing._ended(change_set, stack, begun, {"ours"}) == ("succeeded" if complete else ended)


def test_a_first_create_whose_end_could_not_be_put_on_record_at_first_succeeded(
    cloud: FakeProject, within: Within
) -> None:
    cloud.bootstrap()
    at(
        cloud,
        "DescribeStackEvents",
        lambda: cloud.aws.faults.deny("PutObject", times=1),
        lambda: cloud.aws.operations().count("ExecuteChangeSet") == 1,
    )
    ran = within(*DEPLOY_PROD)
    assert ran.status == 0
    assert "How deploy 1 ended can't be put on record" in ran.err
    assert [record.result for record in records(cloud, "prod")] == ["succeeded"]


def test_the_same_command_goes_on_after_an_interrupted_skip(cloud: FakeProject, within: Within) -> None:
    cloud.deployed(status="UPDATE_ROLLBACK_FAILED", other=slower_alarm, failed={ALARM: "gone"})
    cloud.aws.faults.delay("ContinueUpdateRollback", 1.0, after_effect=True)
    command = (*DEPLOY, "--skip", ALARM)
    ran = cloud.run(*command, moments=[(cloud.aws.asked("ContinueUpdateRollback"), signal.SIGTERM)])
    assert ran.status == 130
    assert "CloudFormation goes on with what it has begun on payment-api-dev" in error_of(ran)
    cloud.aws.skip(LONG)
    again = within(*command)
    assert again.status == 0, again.err


def test_a_hang_up_while_a_look_is_taken_back_leaves_nothing(cloud: FakeProject) -> None:
    cloud.bootstrap()
    cloud.aws.faults.delay("DeleteObject", 1.0)
    ran = cloud.run("diff", "--env", "prod", moments=[(cloud.aws.asked("DeleteObject"), signal.SIGHUP)])
    assert ran.status == 130
    assert cloud.aws.stack(PROD).status == "DELETE_COMPLETE"


def test_a_plan_whose_execution_is_refused_is_still_the_one_to_execute(cloud: FakeProject, within: Within) -> None:
    cloud.deployed(other=slower_alarm)
    assert within("deploy", "--env", "dev", "--plan", "a plan.json").status == 0
    cloud.aws.faults.deny("ExecuteChangeSet", times=1)
    ran = within("deploy", "--env", "dev", "--execute", "a plan.json", "--yes")
    assert ran.status == 1
    assert error_of(ran).endswith("Then: paycli deploy --env dev --execute 'a plan.json'\n")
    assert within("deploy", "--env", "dev", "--execute", "a plan.json", "--yes").status == 0


def test_what_is_refused_between_the_import_and_the_rest_says_what_is_done(cloud: FakeProject, within: Within) -> None:
    torn_down(cloud, within)
    cloud.aws.faults.deny("CreateChangeSet", times=1, after=1)
    ran = within(*DEPLOY_PROD)
    assert ran.status == 1
    assert "What was kept is the stack's again; nothing of the rest is done." in error_of(ran)
    assert [record.result for record in records(cloud, "prod")] == ["failed"]


def test_a_protection_that_could_not_be_switched_off_is_not_said_to_be_off(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed("prod")
    stack.termination_protection = True
    cloud.aws.faults.deny("UpdateTerminationProtection", times=1)
    ran = within("teardown", "--env", "prod", "--yes", "--disable-termination-protection")
    assert ran.status == 1
    assert "its termination protection is off" not in error_of(ran)
    assert stack.termination_protection
