"""What was deployed is on record, and can be deployed again."""

import io
import json
import signal
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from paycli import smoke
from paycli.deployment.package import package
from paycli.deployment.records import Record
from paycli.errors import DetachedError, PaycliError
from paycli.handlers_source import handlers_root
from tests.command_line import Ran
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
    recorded,
    records,
    slower_alarm,
    version,
    without_data,
)

KEYS = {"aws_access_key_id": "AKIAFAKE", "aws_secret_access_key": "fake"}
DEPLOY = ("deploy", "--env", "dev", "--yes")
ROLLBACK = ("rollback", "--env", "dev", "--yes")
MADE = ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]


@pytest.fixture
def third(cloud: FakeProject) -> FakeProject:
    """A stack on which the third version runs; the versions differ in an alarm's periods: 98, 99, 1."""
    cloud.deployed()
    for number, periods in ((1, 98), (2, 99), (3, 1)):
        recorded(cloud, number, version(cloud, periods))
    return cloud


def periods(cloud: FakeProject) -> int:
    found: int = cloud.aws.stack(STACK).resources[ALARM].properties["EvaluationPeriods"]
    return found


def test_a_rollback_goes_back_and_a_second_one_further(third: FakeProject, within: Within) -> None:
    ran = within(*ROLLBACK)
    assert ran.status == 0, ran.err
    assert "Going back to deploy 2 of 2026-11-02T12:00:00Z, commit c0ffee" in ran.err
    assert "EvaluationPeriods: 1 -> 99" in ran.err
    assert third.aws.stack(STACK).states[-3:] == UPDATED
    assert periods(third) == 99
    further = within(*ROLLBACK, "--json")
    assert further.document["data"]["deploy"]["rollback_of"] == 1
    assert periods(third) == 98
    last = within(*ROLLBACK)
    assert last.status == 1
    assert "There is no earlier version on record" in error_of(last)
    assert "--to N deploys another version again: 4, 3." in error_of(last)
    shown = within("history", "--env", "dev")
    assert [line[:4].split() for line in shown.out.splitlines()[1:]] == [["*", "5"], ["4"], ["3"], ["2"], ["1"]]
    assert "succeeded (again 1)" in shown.out
    assert "user/ada" in shown.out
    newest = within("history", "--env", "dev", "--json", "--limit", "1").document["data"]
    assert [deploy["rollback_of"] for deploy in newest["deploys"]] == [1]
    assert newest["running"] == 5


ROLLED_BACK = "What runs is a rollback: deploy 4, which is deploy 2 again, of commit c0ffee."


@pytest.mark.parametrize("stops", [(), ("--dry-run",)])
def test_a_deploy_that_would_undo_a_rollback_says_so(
    third: FakeProject, within: Within, stops: tuple[str, ...]
) -> None:
    assert within(*ROLLBACK).status == 0
    ran = within(*DEPLOY, *stops)
    assert ran.status == 0, ran.err
    assert ROLLED_BACK in ran.err
    assert "EvaluationPeriods: 99 -> 1" in ran.err
    if not stops:
        assert ROLLED_BACK not in within(*DEPLOY, "--revert-drift").err


def test_it_says_nothing_where_the_version_is_the_same_or_no_rollback(cloud: FakeProject, within: Within) -> None:
    cloud.deployed(other=slower_alarm)
    recorded(cloud, 1, version(cloud, 99))
    for command in (DEPLOY, ROLLBACK, (*ROLLBACK, "--to", "2")):
        assert within(*command).status == 0
    assert [record.rollback_of for record in records(cloud)] == [None, None, 1, 2]
    cloud.aws.alter(STACK, ALARM, EvaluationPeriods=42)
    ran = within(*DEPLOY, "--revert-drift")
    assert "as deploy 5." in ran.out, ran.err
    assert "is a rollback" not in ran.err


def test_whoever_may_not_read_the_records_is_told_nothing_of_it(third: FakeProject, within: Within) -> None:
    assert within(*ROLLBACK).status == 0
    third.aws.faults.deny("ListObjectsV2")
    ran = within(*DEPLOY, "--dry-run")
    assert ran.status == 0, ran.err
    assert "is a rollback" not in ran.err


def cut_off(cloud: FakeProject) -> None:
    """Begin a rollback that takes for ever, and kill paycli in the middle."""
    cloud.aws.scenario.durations[ALARM] = LONG
    process = cloud.begin(*ROLLBACK)
    cloud.aws.wait(cloud.aws.reached(STACK, "UPDATE_IN_PROGRESS", ALARM), 30)
    process.kill()
    process.communicate()


def test_a_rollback_that_was_cut_off_and_is_asked_for_again_goes_no_further(third: FakeProject, within: Within) -> None:
    cut_off(third)
    third.aws.skip(LONG)
    ran = within(*ROLLBACK)
    assert ran.status == 0, ran.err
    assert "Deploy 4 is a rollback whose end nobody had seen" in ran.err
    assert "No changes" in ran.out
    assert periods(third) == 99
    assert [(record.number, record.result) for record in records(third)][3:] == [(4, "succeeded")]
    assert within(*ROLLBACK).status == 0  # asked for anew, it goes further back
    assert periods(third) == 98


def test_it_goes_no_further_while_cloudformation_is_at_it_either(third: FakeProject) -> None:
    cut_off(third)
    asked = third.aws.asked("DescribeStackEvents", 3)
    ran = third.run(*ROLLBACK, moments=[(asked, lambda: third.aws.skip(LONG))])
    assert ran.status == 0, ran.err
    assert "waiting until it is done" in ran.err
    assert periods(third) == 99
    assert records(third)[-1].result == "succeeded"


# While something else runs


@pytest.fixture
def deploying(cloud: FakeProject, request: pytest.FixtureRequest) -> Iterator[FakeProject]:
    """A stack on which the second version runs, and to which the third is being deployed: 98, 99, 1.

    The parameter is why that will fail.
    """
    cloud.deployed(other=slower_alarm)
    recorded(cloud, 1, version(cloud, 98))
    recorded(cloud, 2, version(cloud, 99))
    cloud.aws.scenario.durations[ALARM] = LONG
    if reason := getattr(request, "param", ""):
        cloud.aws.scenario.fail(ALARM, on="update", reason=reason)
    process = cloud.begin(*DEPLOY)
    cloud.aws.wait(cloud.aws.reached(STACK, "UPDATE_IN_PROGRESS", ALARM), 30)
    yield cloud
    process.communicate(timeout=30)


def ended_by(cloud: FakeProject, *arguments: str) -> Ran:
    """Run paycli, and let what it waits for end."""

    def end() -> None:
        cloud.aws.scenario.durations.clear()
        cloud.aws.skip(2 * LONG)

    waits = cloud.aws.asked("DescribeChangeSet")  # whose it is
    return cloud.run(*arguments, moments=[(waits, end)])


@pytest.mark.parametrize(("deploying", "number", "restored"), [("", 2, 99), ("boom", 1, 98)], indirect=["deploying"])
def test_what_a_rollback_goes_back_from_is_told_by_the_deploy_that_it_waits_for(
    deploying: FakeProject, number: int, restored: int
) -> None:
    ran = ended_by(deploying, *ROLLBACK)
    assert ran.status == 0, ran.err
    assert "waiting until it is done" in ran.err
    assert f"Going back to deploy {number} " in ran.err
    assert periods(deploying) == restored


def test_of_two_rollbacks_at_once_the_second_goes_no_further(third: FakeProject) -> None:
    third.aws.scenario.durations[ALARM] = LONG
    first = third.begin(*ROLLBACK)
    third.aws.wait(third.aws.reached(STACK, "UPDATE_IN_PROGRESS", ALARM), 30)
    third.aws.faults.delay("ListObjectsV2", 1.0, after=1)  # by then the first has ended its record
    ran = ended_by(third, *ROLLBACK)
    assert ran.status == 0, ran.err
    assert "Deploy 4 is a rollback whose end nobody had seen" in ran.err
    assert "No changes" in ran.out
    first.communicate(timeout=30)
    assert [(record.number, record.result) for record in records(third)][3:] == [(4, "succeeded")]
    assert periods(third) == 99


def test_a_rollback_that_waits_can_be_interrupted(deploying: FakeProject, within: Within) -> None:
    waits = deploying.aws.asked("DescribeChangeSet")
    ran = deploying.run(*ROLLBACK, moments=[(waits, signal.SIGINT)])
    assert ran.status == 130
    assert "Error: Interrupted." in ran.err
    assert [record.number for record in records(deploying)] == [1, 2, 3]
    deploying.aws.skip(LONG)
    assert periods(deploying) == 1


def test_what_begins_after_the_choice_is_not_waited_for(third: FakeProject) -> None:
    """What runs at its end may be another version than the one that was gone back from."""
    third.aws.scenario.durations[ALARM] = LONG
    aws = boto3.client("cloudformation", "us-east-1", endpoint_url=third.aws.url, **KEYS)
    kept = [{"ParameterKey": name, "UsePreviousValue": True} for name in ("ArtifactBucket", "CodeKey")]
    update = {
        "StackName": STACK,
        "TemplateBody": json.dumps(json.loads(version(third, 5)), separators=(",", ":")),
        "Parameters": kept,
    }

    third.aws.faults.delay("GetObject", 1.0, after=1)  # the template; the first is the record
    chosen = third.aws.asked("GetObject", 2)
    moments = [(chosen, lambda: aws.update_stack(**update, Capabilities=["CAPABILITY_IAM"]))]
    ran = third.run(*ROLLBACK, "--to", "2", moments=moments)
    assert ran.status == 1
    assert f"Error: {STACK} is UPDATE_IN_PROGRESS, since " in ran.err
    assert "Wait until it is done" in error_of(ran)
    assert third.aws.stack(STACK).change_sets == {}


# What is asked

STUCK = {
    "CREATE_FAILED": "nothing of it serves. Delete it and create it again? [y/N]",
    "UPDATE_ROLLBACK_FAILED": "Roll it back to the previous version first? [y/N]",
}


@pytest.fixture(params=STUCK)
def stuck(cloud: FakeProject, request: pytest.FixtureRequest) -> FakeProject:
    """A stack in a state from which only a repair leads on, and one version on record."""
    cloud.deployed(status=request.param, other=without_data if request.param == "CREATE_FAILED" else slower_alarm)
    recorded(cloud, 1, version(cloud, 98))
    return cloud


TO_THE_FIRST = ("rollback", "--env", "dev", "--to", "1")


@pytest.mark.parametrize("answer", ["n\n", "\x03"])
def test_a_rollback_repairs_nothing_without_a_yes(stuck: FakeProject, within: Within, answer: str) -> None:
    stack = stuck.aws.stack(STACK)
    before = list(stack.states)
    assert within(*TO_THE_FIRST).status == 2
    ran = stuck.on_terminal(*TO_THE_FIRST, typed=[(STUCK[stack.status], answer)])
    assert ran.status == (130 if answer == "\x03" else 1)
    declined = "Nothing was changed. To be asked again: paycli rollback --to 1 --env dev"
    assert ("Interrupted." if answer == "\x03" else declined) in ran.out
    assert stack.states == before


def test_a_rollback_repairs_with_a_yes(stuck: FakeProject) -> None:
    question = STUCK[stuck.aws.stack(STACK).status]
    ran = stuck.on_terminal(*TO_THE_FIRST, typed=[(question, "y\n"), ("[y/N]", "y\n")])
    assert ran.status == 0, ran.out
    assert periods(stuck) == 98


def test_a_rollback_that_nobody_may_be_asked_about_repairs_by_its_yes(stuck: FakeProject, within: Within) -> None:
    ran = within(*TO_THE_FIRST, "--yes")
    assert ran.status == 0, ran.err
    assert periods(stuck) == 98


def test_out_of_a_stuck_rollback_it_goes_back_to_what_served_and_no_further(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(status="UPDATE_ROLLBACK_FAILED", other=slower_alarm, failed={ALARM: "gone"})
    for number, periods_then in ((1, 98), (2, 99)):
        recorded(cloud, number, version(cloud, periods_then))
    ran = within(*ROLLBACK)
    assert ran.status == 0, ran.err
    assert "Going back to deploy 2" in ran.err
    assert periods(cloud) == 99
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    again = within(*ROLLBACK)
    assert again.status == 0, again.err
    assert periods(cloud) == 98


def test_without_a_record_the_stuck_rollback_is_finished_and_nothing_deployed(
    cloud: FakeProject, within: Within
) -> None:
    stack = cloud.deployed(status="UPDATE_ROLLBACK_FAILED", failed={ALARM: "gone"})
    ran = within(*ROLLBACK, "--skip", ALARM, "--json")
    assert ran.status == 0, ran.err
    assert "What runs isn't known from the records: the rollback that got stuck is gone on with, no more." in ran.err
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    data = ran.document["data"]
    assert (data["changes"], data["executed"], data["deploy"], data["skipped"]) == ([], False, None, [ALARM])
    assert data["outputs"]["TransactionsTableName"] == "transactions-dev"


def test_nothing_is_deleted_for_a_version_that_there_is_not(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(status="CREATE_FAILED", other=without_data)
    before = list(stack.states)
    assert "There is no earlier version" in error_of(within(*ROLLBACK))
    assert "Deploy 9 is not on record" in error_of(within(*ROLLBACK, "--to", "9"))
    assert stack.states == before


def test_a_rollback_that_is_interrupted_at_its_question_leaves_nothing(third: FakeProject) -> None:
    ran = third.on_terminal("rollback", "--env", "dev", typed=[("[y/N]", "\x03")])
    assert ran.status == 130
    assert "Interrupted." in ran.out
    stack = third.aws.stack(STACK)
    assert (stack.states, stack.change_sets) == (MADE, {})
    assert len(records(third)) == 3


# What was left alone


def test_a_rollback_that_is_left_alone_is_gone_on_with_by_number(third: FakeProject) -> None:
    third.aws.scenario.durations[ALARM] = LONG
    begun = third.aws.reached(STACK, "UPDATE_IN_PROGRESS", ALARM)
    undoing = third.aws.reached(STACK, "UPDATE_ROLLBACK_IN_PROGRESS")
    ran = third.run(*ROLLBACK, moments=[(begun, signal.SIGINT), (undoing, signal.SIGINT)])
    assert ran.status == 130
    assert "run `paycli rollback --env dev --to 2` again" in error_of(ran)


def test_a_rollback_that_fails_is_to_be_run_again(third: FakeProject, within: Within) -> None:
    third.aws.scenario.fail(ALARM, on="update", reason="boom")
    assert "paycli rollback --env dev --to 2" in error_of(within(*ROLLBACK))


def test_a_rollback_to_a_number_asks_and_needs_one_that_succeeded(third: FakeProject, within: Within) -> None:
    recorded(third, 4, version(third, 97), result="failed")
    for number, said in ((4, "Deploy 4 did not succeed: it failed."), (9, "Deploy 9 is not on record.")):
        ran = within(*ROLLBACK, "--to", str(number))
        assert ran.status == 1
        assert said in error_of(ran)
    refused = third.on_terminal("rollback", "--env", "dev", "--to", "1", typed=[("[y/N]", "n\n")])
    assert refused.status == 1
    stack = third.aws.stack(STACK)
    assert (stack.states, stack.change_sets) == (MADE, {})
    unasked = within("rollback", "--env", "dev", "--to", "1")
    assert unasked.status == 2
    assert within(*ROLLBACK, "--to", "1").status == 0
    assert periods(third) == 98
    assert "Deploy 4" not in within("history", "--env", "dev").out


def test_what_runs_is_marked_however_few_are_asked_for(third: FakeProject, within: Within) -> None:
    recorded(third, 4, version(third, 97), result="failed")
    shown = within("history", "--env", "dev", "--limit", "1", "--json").document["data"]
    assert ([deploy["number"] for deploy in shown["deploys"]], shown["running"]) == ([4], 3)


def test_what_a_record_says_steers_no_terminal(cloud: FakeProject, within: Within) -> None:
    cloud.deployed()
    record = recorded(cloud, 1, version(cloud, 98), result="failed")
    evil = record.model_copy(update={"cause": "\x1b[2Jgone", "started_at": "\x1b]0;evil", "deployer": "a:\x1b[1m"})
    bucket = cloud.aws.stack("paycli-bootstrap").outputs["ArtifactBucket"]
    cloud.aws.lay(bucket, "deployments/dev/000001.json", evil.model_dump_json().encode())
    ran = within("history", "--env", "dev")
    assert ran.status == 0
    assert "\x1b" not in ran.out + ran.err
    assert "[2Jgone" in ran.out


def test_what_failed_last_says_why(third: FakeProject, within: Within) -> None:
    recorded(third, 4, version(third, 97), result="failed")
    shown = within("history", "--env", "dev")
    assert "Deploy 4: the reason" in shown.out
    assert "*  3" in shown.out


def zipped(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("content", [b"no zip", b"", zipped("handlers/validation.py", b"steal()")])
def test_code_that_somebody_has_replaced_is_not_rolled_back_to(
    third: FakeProject, within: Within, content: bytes
) -> None:
    """Who deploys one environment may write the code of all: the name says whose bytes they must be."""
    bucket, key = next(iter(third.aws.objects)), records(third)[0].version.code_key
    third.aws.lay(bucket, key, content)
    refused = within(*ROLLBACK)
    assert refused.status == 1
    assert f"{key} in {bucket} is not the code that its name says" in error_of(refused)


def test_code_that_somebody_has_replaced_is_not_deployed(cloud: FakeProject, within: Within) -> None:
    cloud.deployed(other=slower_alarm)
    key = recorded(cloud, 1, version(cloud, 99)).version.code_key
    (bucket,) = cloud.aws.objects
    cloud.aws.lay(bucket, key, b"steal()")
    deployed = within(*DEPLOY)
    assert deployed.status == 0, deployed.err
    assert f"Uploaded the handlers: {key}" in deployed.err
    assert cloud.aws.objects[bucket][key] == package(handlers_root()).content


def test_a_rollback_needs_the_very_artifacts(third: FakeProject, within: Within) -> None:
    first, second = records(third)[:2]
    template = f"templates/{second.version.template_sha256}.json"
    third.aws.lay(next(iter(third.aws.objects)), template, b"{}")
    changed = within(*ROLLBACK)
    assert changed.status == 1
    assert f"{template} in " in error_of(changed)
    assert "is not the template that its name says" in error_of(changed)
    third.aws.take(template)
    missing = within(*ROLLBACK)
    assert missing.status == 1
    assert f"Deploy 2 can't be repeated: {template} is no longer in the artifact bucket" in error_of(missing)
    third.aws.take(first.version.code_key)
    missing = within(*ROLLBACK, "--to", "1")
    assert f"Deploy 1 can't be repeated: {first.version.code_key} is no longer" in error_of(missing)
    assert third.aws.stack(STACK).states == MADE


def keeps_data(cloud: FakeProject, *, on: bool) -> None:
    """Switch `retain_data` of dev."""
    (cloud.root / "paycli.toml").write_text(f"[env.dev]\nretain_data = {str(on).lower()}\n")


@pytest.mark.parametrize("stands", [True, False])
def test_a_version_from_before_its_data_was_kept_has_no_protection_to_set(
    cloud: FakeProject, within: Within, *, stands: bool
) -> None:
    cloud.deployed() if stands else cloud.bootstrap()
    recorded(cloud, 1, version(cloud, 99))
    keeps_data(cloud, on=True)
    ran = within(*ROLLBACK, "--to", "1")
    assert ran.status == 0, ran.err
    stack = cloud.aws.stack(STACK)
    assert stack.states == ([*MADE, *UPDATED] if stands else CREATED)
    assert stack.now.parameters.keys() == {"ArtifactBucket", "CodeKey"}
    assert periods(cloud) == 99
    assert stack.termination_protection
    assert records(cloud)[-1].result == "succeeded"


@pytest.mark.parametrize("stands", [True, False])
def test_a_version_from_when_its_data_was_kept_protects_a_table_that_stands(
    cloud: FakeProject, within: Within, *, stands: bool
) -> None:
    """A first create has to do without: the table of one that fails couldn't be deleted."""
    keeps_data(cloud, on=True)
    cloud.deployed() if stands else cloud.bootstrap()
    recorded(cloud, 1, version(cloud, 99))
    keeps_data(cloud, on=False)
    ran = within(*ROLLBACK, "--to", "1")
    assert ran.status == 0, ran.err
    assert cloud.aws.stack(STACK).now.parameters["DeletionProtection"] == ("true" if stands else "false")
    assert periods(cloud) == 99


def test_a_version_can_be_brought_back_after_a_teardown(third: FakeProject, within: Within) -> None:
    assert within("teardown", "--env", "dev", "--yes").status == 0
    ran = within(*ROLLBACK, "--to", "2")
    assert ran.status == 0, ran.err
    assert third.aws.stack(STACK).states == CREATED
    assert periods(third) == 99


def test_the_only_version_can_be_brought_back_after_a_teardown(cloud: FakeProject, within: Within) -> None:
    cloud.deployed()
    recorded(cloud, 1, version(cloud, 98))
    assert within("teardown", "--env", "dev", "--yes").status == 0
    refused = within(*ROLLBACK)
    assert refused.status == 1
    assert "--to N deploys a version again: 1." in error_of(refused)
    assert within(*ROLLBACK, "--to", "1").status == 0
    assert periods(cloud) == 98


def test_nothing_runs_where_the_stack_is_gone_and_the_next_create_fails(third: FakeProject, within: Within) -> None:
    def running() -> object:
        return within("history", "--env", "dev", "--json").document["data"]["running"]

    assert running() == 3
    assert within("teardown", "--env", "dev", "--yes").status == 0
    assert running() is None
    third.aws.scenario.fail(TABLE, reason="Subscriber limit exceeded")
    assert within(*DEPLOY).status == 1
    assert running() is None
    assert not [line for line in within("history", "--env", "dev").out.splitlines() if line.startswith("*")]
    lies(third, "deployments/dev/000005.json", NEWER)  # nor does it matter what can't be read
    refused = within(*ROLLBACK)
    assert refused.status == 1
    assert "There is no earlier version on record to go back to." in error_of(refused)
    assert "--to N deploys a version again: 3, 2, 1." in error_of(refused)
    assert third.aws.stack(STACK).status == "ROLLBACK_COMPLETE"
    assert within(*ROLLBACK, "--to", "2").status == 0
    assert running() == 6
    assert periods(third) == 99


def test_a_stack_that_is_half_deleted_runs_nothing(cloud: FakeProject, within: Within) -> None:
    cloud.deployed(status="DELETE_FAILED", failed={TABLE: "no"})
    recorded(cloud, 1, version(cloud, 98))
    assert within("history", "--env", "dev", "--json").document["data"]["running"] is None


def test_twenty_are_listed_and_older_ones_can_be_rolled_back_to(cloud: FakeProject, within: Within) -> None:
    cloud.deployed()
    for number in range(1, 26):
        recorded(cloud, number, version(cloud, number if number < 25 else 1))
    shown = within("history", "--env", "dev", "--json").document["data"]
    assert [deploy["number"] for deploy in shown["deploys"]] == list(range(25, 5, -1))
    assert len(within("history", "--env", "dev", "--json", "--limit", "30").document["data"]["deploys"]) == 25
    ran = within(*ROLLBACK, "--to", "5")
    assert ran.status == 0, ran.err
    assert periods(cloud) == 5
    assert records(cloud)[-1].rollback_of == 5


def test_two_deploys_that_begin_at_once_get_a_number_each(cloud: FakeProject) -> None:
    cloud.deployed(other=slower_alarm)
    cloud.aws.faults.delay("PutObject", 0.5, after=2)  # the record's: code and template come before it
    listed = cloud.aws.asked("PutObject", 3)
    ran = cloud.run(*DEPLOY, moments=[(listed, lambda: recorded(cloud, 1, "{}", result="in_progress"))])
    assert ran.status == 0, ran.err
    assert "as deploy 2." in ran.out
    assert [record.result for record in records(cloud)] == ["in_progress", "succeeded"]


def test_where_nothing_was_deployed_there_is_nothing_to_tell(cloud: FakeProject, within: Within) -> None:
    for command in (("history", "--env", "dev"), ROLLBACK):
        ran = within(*command)
        assert ran.status == 1
        assert "paycli deploy --env dev" in error_of(ran)
    cloud.bootstrap()
    ran = within("history", "--env", "dev")
    assert (ran.status, ran.out) == (0, "No deploy of dev is on record.\n")
    assert "There is no earlier version" in error_of(within(*ROLLBACK))


# What can't be read

NEWER = json.dumps({"schema_version": 2, "number": 2, "environment": "dev"}).encode()


def lies(cloud: FakeProject, key: str, content: bytes) -> None:
    """Let something lie among the records."""
    (bucket,) = cloud.aws.objects
    cloud.aws.lay(bucket, key, content)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe", NEWER])
def test_a_record_that_cannot_be_read_stops_nothing(cloud: FakeProject, within: Within, content: bytes) -> None:
    cloud.deployed(other=slower_alarm)
    recorded(cloud, 1, version(cloud, 99))
    key = "deployments/dev/000002.json"
    lies(cloud, key, content)
    ran = within(*DEPLOY)
    assert ran.status == 0, ran.err
    assert ran.err.count(f"{key} in the artifact bucket can't be read") == 1
    assert "as deploy 3." in ran.out
    assert cloud.aws.objects[next(iter(cloud.aws.objects))][key] == content
    shown = within("history", "--env", "dev")
    assert [line[:4].split() for line in shown.out.splitlines()[1:]] == [["*", "3"], ["1"]]
    assert shown.err.count(key) == 1
    assert within("history", "--env", "dev", "--json").document["data"]["unreadable"] == [2]
    assert within(*ROLLBACK).status == 0
    assert periods(cloud) == 99


def test_a_record_under_another_name_counts_as_unreadable(third: FakeProject, within: Within) -> None:
    lies(third, "deployments/dev/000004.json", records(third)[0].model_dump_json().encode())
    shown = within("history", "--env", "dev", "--json").document["data"]
    assert shown["unreadable"] == [4]
    assert [deploy["number"] for deploy in shown["deploys"]] == [3, 2, 1]


def test_a_stray_file_among_the_records_stops_nothing(cloud: FakeProject, within: Within) -> None:
    cloud.deployed(other=slower_alarm)
    recorded(cloud, 1, version(cloud, 99))
    strays = ["deployments/dev/", "deployments/dev/notes.txt", "deployments/dev/zz/000007.json"]
    for key in strays:
        lies(cloud, key, b"hello")
    ran = within(*DEPLOY)
    assert ran.status == 0, ran.err
    assert "as deploy 2." in ran.out
    for key in strays:
        assert ran.err.count(f"{key} in the artifact bucket is no record of a deploy") == 1


def test_a_rollback_to_what_cannot_be_read_says_so(third: FakeProject, within: Within) -> None:
    lies(third, "deployments/dev/000002.json", NEWER)
    ran = within(*ROLLBACK, "--to", "2")
    assert ran.status == 1
    assert "The record of deploy 2 can't be read" in error_of(ran)
    assert within(*ROLLBACK).status == 0
    assert periods(third) == 98


def test_a_rollback_without_a_number_needs_to_know_what_runs(third: FakeProject, within: Within) -> None:
    lies(third, "deployments/dev/000004.json", NEWER)
    ran = within(*ROLLBACK)
    assert ran.status == 1
    assert "Which version runs can't be told: the record of deploy 4 can't be read." in error_of(ran)
    assert "--to N" in error_of(ran)
    assert within("history", "--env", "dev", "--json").document["data"]["running"] is None
    assert within(*ROLLBACK, "--to", "2").status == 0
    assert periods(third) == 99


def test_artifacts_go_with_the_stack_past_what_cannot_be_read(third: FakeProject, within: Within) -> None:
    (objects,) = third.aws.objects.values()
    lies(third, "deployments/dev/000002.json", NEWER)
    ran = within("teardown", "--env", "dev", "--yes", "--artifacts", "--json")
    assert ran.status == 0, ran.err
    assert "deployments/dev/000002.json in the artifact bucket can't be read" in ran.err
    assert ran.document["data"]["artifacts_removed"] == 5
    assert {key for key in objects if not key.startswith("templates/")} == {"deployments/dev/000002.json"}


def test_artifacts_that_an_unread_record_may_name_stay(third: FakeProject, within: Within) -> None:
    (objects,) = third.aws.objects.values()
    lies(third, "deployments/prod/000001.json", NEWER)
    lies(third, "deployments/README", b"hello")
    kept = {key for key in objects if not key.startswith("deployments/dev/")}
    ran = within("teardown", "--env", "dev", "--yes", "--artifacts", "--json")
    assert ran.status == 0, ran.err
    assert "Templates and code stay as well" in ran.err
    assert ran.document["data"]["artifacts_removed"] == 3
    assert objects.keys() == kept


# After a smoke test


@pytest.fixture
def broken(cloud: FakeProject, monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    """An AWS on which the dashboard is gone; the other checks would call what the fake hasn't, so they are left out."""
    cloud.aws.faults.refuse("GetDashboard", "ResourceNotFound", "gone", times=float("inf"))
    run = smoke.run
    monkeypatch.setattr(
        "paycli.smoke.run", lambda target, *, only, report: run(target, only=("dashboard",), report=report)
    )
    return cloud


CHECKED = (*DEPLOY, "--smoke-test", "--rollback-on-failure")


def test_a_deploy_that_fails_its_smoke_test_is_rolled_back(broken: FakeProject, within: Within) -> None:
    stack = broken.deployed(other=slower_alarm)
    recorded(broken, 1, version(broken, 99))
    ran = within(*CHECKED, "--json")
    assert ran.status == 1, ran.err
    data = ran.document["data"]
    assert data["smoke_test"]["failed"] > 0
    assert data["rollback"]["rolled_back"] is True
    assert data["rollback"]["deploy"]["rollback_of"] == 1
    assert periods(broken) == 99
    assert stack.states[-6:] == [*UPDATED, *UPDATED]
    assert data["deploy"]["smoke_test"] == "failed"
    shown = within("history", "--env", "dev").out.splitlines()
    assert "succeeded, smoke test failed" in next(line for line in shown if line.split()[0] == "2")
    assert sum("smoke test" in line for line in shown) == 1


def test_without_an_earlier_version_it_says_so(broken: FakeProject, within: Within) -> None:
    broken.bootstrap()
    ran = within(*CHECKED)
    assert ran.status == 1
    assert "The smoke test failed: " in ran.err[: ran.err.index("Error: ")]
    said = "Deploy 1 failed its smoke test and still runs. Not rolled back: There is no earlier version on record"
    assert said in error_of(ran)
    assert error_of(ran).endswith("\nHint:  `paycli history` lists the deploys.\n")
    assert broken.aws.stack(STACK).states == CREATED
    unchanged = within(*CHECKED, "--json")
    assert unchanged.status == 1
    rollback = json.loads(unchanged.out)["data"]["rollback"]
    assert (rollback["rolled_back"], rollback["error"]) == (
        False,
        "There is no earlier version on record to go back to.",
    )


def test_where_aws_refuses_the_rollback_what_was_found_is_told_all_the_same(
    broken: FakeProject, within: Within
) -> None:
    broken.deployed(other=slower_alarm)
    recorded(broken, 1, version(broken, 99))
    broken.aws.faults.deny("CreateChangeSet", after=1)  # the first is the deploy's
    ran = within(*CHECKED, "--json")
    assert ran.status == 1
    data = ran.document["data"]
    assert data["deploy"]["number"] == 2
    assert data["smoke_test"]["failed"] > 0
    assert data["rollback"]["rolled_back"] is False
    assert data["rollback"]["error"].startswith("AWS refused: CreateChangeSet")
    assert data["rollback"]["hint"].startswith(
        "Allow CreateChangeSet in a policy of arn:aws:iam::111111111111:user/dev"
    )
    assert periods(broken) == 1


def test_where_the_records_cannot_be_read_it_is_not_rolled_back(broken: FakeProject, within: Within) -> None:
    broken.deployed(other=slower_alarm)
    recorded(broken, 1, version(broken, 99))
    broken.aws.faults.deny("ListObjectsV2", after=2)  # the deploy's
    ran = within(*CHECKED)
    assert ran.status == 1
    said = "Deploy 2 failed its smoke test and still runs. Not rolled back: AWS refused: ListObjectsV2"
    assert said in error_of(ran)
    assert "as deploy 2." in ran.out


@pytest.mark.parametrize(
    ("error", "status", "back", "said"),
    [
        (
            DetachedError("Interrupted.", code="interrupted", data={"ended": "cancelled"}),
            130,
            False,
            "Deploy 2 failed its smoke test and still runs. Not rolled back: Interrupted.",
        ),
        (PaycliError("Half.", data={"status": "UPDATE_ROLLBACK_FAILED"}), 1, False, "Not rolled back: Half."),
        (PaycliError("It serves.", code="unprotected"), 1, True, "It serves."),
        (PaycliError("No."), 1, False, "Deploy 2 failed its smoke test and still runs. Not rolled back: No."),
    ],
)
def test_what_runs_after_a_rollback_that_ended_otherwise_is_said_where_it_is_known(
    broken: FakeProject,
    within: Within,
    monkeypatch: pytest.MonkeyPatch,
    error: PaycliError,
    status: int,
    back: bool,
    said: str,
) -> None:
    def ends(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr("paycli.deployment.rollback.choose", ends)
    broken.deployed(other=slower_alarm)
    recorded(broken, 1, version(broken, 99))
    ran = within(*CHECKED, "--json")
    assert ran.status == status
    assert ran.document["data"]["rollback"]["rolled_back"] is back
    assert said in [each["message"] for each in ran.document["errors"]]


def test_a_deploy_that_came_after_the_one_that_failed_its_test_is_left(
    broken: FakeProject, within: Within, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = smoke.run

    def meanwhile(*arguments: Any, **options: Any) -> Any:
        recorded(broken, 3, version(broken, 98))
        return checks(*arguments, **options)

    monkeypatch.setattr("paycli.smoke.run", meanwhile)
    broken.deployed(other=slower_alarm)
    recorded(broken, 1, version(broken, 99))
    ran = within(*CHECKED, "--json")
    assert ran.status == 1
    rollback = ran.document["data"]["rollback"]
    assert rollback["error"] == "Deploy 3 has come after deploy 2, and is what runs now."
    assert rollback["hint"] == "Is it mended there? Else: `paycli rollback --env dev`."
    assert periods(broken) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PaycliError("The stack payment-api-dev has no output RestApiId."), "has no output RestApiId"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetItem"), "AWS refused: GetItem"),
    ],
)
def test_a_smoke_test_that_cannot_run_counts_as_failed(
    cloud: FakeProject, within: Within, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def cannot(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr("paycli.smoke.run", cannot)
    cloud.deployed(other=slower_alarm)
    recorded(cloud, 1, version(cloud, 99))
    ran = within(*CHECKED)
    assert ran.status == 1
    assert said in error_of(ran)
    assert "Rolled back to the version before:" in ran.out
    assert periods(cloud) == 99
    left = within(*DEPLOY, "--smoke-test")
    assert left.status == 1
    assert said in error_of(left)
    assert "changes deployed, as deploy" in left.out
    assert periods(cloud) == 1


def failed_its_test(record: Record) -> bytes:
    return record.model_copy(update={"smoke_test": "failed"}).model_dump_json().encode()


def test_a_rollback_goes_past_what_failed_its_smoke_test(broken: FakeProject, within: Within) -> None:
    broken.deployed(other=slower_alarm)
    recorded(broken, 1, version(broken, 98))
    failed = recorded(broken, 2, version(broken, 99))
    lies(broken, "deployments/dev/000002.json", failed_its_test(failed))
    recorded(broken, 3, version(broken, 1))
    ran = within(*ROLLBACK)
    assert ran.status == 0, ran.err
    assert "Deploy 2 is passed over, since its smoke test failed; --to 2 goes to it all the same." in ran.err
    assert periods(broken) == 98


def test_a_rollback_goes_to_what_failed_its_smoke_test_where_nothing_else_is_left(
    broken: FakeProject, within: Within
) -> None:
    broken.deployed(other=slower_alarm)
    failed = recorded(broken, 1, version(broken, 99))
    lies(broken, "deployments/dev/000001.json", failed_its_test(failed))
    recorded(broken, 2, version(broken, 1))
    ran = within(*ROLLBACK)
    assert ran.status == 0, ran.err
    assert "Deploy 1 failed its smoke test, as has every earlier version on record." in ran.err
    assert "passed over" not in ran.err
    assert periods(broken) == 99


def test_a_smoke_test_that_cannot_be_put_on_record_is_told(broken: FakeProject, within: Within) -> None:
    broken.deployed(other=slower_alarm)
    broken.aws.faults.deny("PutObject", after=4)
    ran = within(*DEPLOY, "--smoke-test", "--json")
    assert ran.status == 1
    assert "How deploy 1 ended can't be put on record: AWS refused: PutObject" in ran.err
    assert ran.document["data"]["smoke_test"]["failed"] == 1


def test_a_rollback_can_be_checked_too(broken: FakeProject, within: Within) -> None:
    stack = broken.deployed()
    recorded(broken, 1, version(broken, 99))
    recorded(broken, 2, version(broken, 1))
    ran = within(*ROLLBACK, "--smoke-test")
    assert ran.status == 1
    assert "FAIL" in ran.out
    assert stack.states[-3:] == UPDATED
