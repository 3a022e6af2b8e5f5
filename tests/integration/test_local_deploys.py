"""Deploys to the embedded AWS, where it does less than CloudFormation on AWS."""

import json
import re
import signal
from typing import Any

import pytest

from tests.integration.conftest import LocalProject

TABLE = "transactions-local"


def completeness(project: LocalProject) -> tuple[str, str]:
    """Return whether the table can be restored to a point in time, and whether its items expire."""
    dynamodb = project.aws().client("dynamodb")
    backups = dynamodb.describe_continuous_backups(TableName=TABLE)["ContinuousBackupsDescription"]
    expiry = dynamodb.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]
    return backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"], expiry["TimeToLiveStatus"]


def change(project: LocalProject) -> None:
    """Let the next deploy have something to do."""
    (project.root / "paycli.toml").write_text("[env.local]\nmemory_mb = 640\n")


def results(project: LocalProject) -> list[Any]:
    return [
        deploy["result"] for deploy in project.within("history", "--env", "local", "--json").document["data"]["deploys"]
    ]


def test_a_table_that_was_left_half_done_is_completed_by_the_next_deploy(fresh: LocalProject) -> None:
    """As by a paycli that was killed when CloudFormation was done."""
    assert fresh.within("deploy", "--env", "local").status == 0
    dynamodb = fresh.aws().client("dynamodb")
    off = {"PointInTimeRecoveryEnabled": False}
    dynamodb.update_continuous_backups(TableName=TABLE, PointInTimeRecoverySpecification=off)
    expiry = {"Enabled": False, "AttributeName": "expires_at"}
    dynamodb.update_time_to_live(TableName=TABLE, TimeToLiveSpecification=expiry)
    assert completeness(fresh) == ("DISABLED", "DISABLED")
    again = fresh.within("deploy", "--env", "local")
    assert again.status == 0
    assert "No changes" in again.out
    assert completeness(fresh) == ("ENABLED", "ENABLED")


def test_a_deploy_with_changes_says_that_the_table_is_gone_before_it_changes_anything(fresh: LocalProject) -> None:
    assert fresh.within("deploy", "--env", "local").status == 0
    change(fresh)
    assert fresh.within("deploy", "--env", "local", "--plan", "plan.json").status == 0
    fresh.aws().client("dynamodb").delete_table(TableName=TABLE)
    for more in ((), ("--execute", "plan.json")):
        refused = fresh.within("deploy", "--env", "local", *more)
        assert refused.status == 1
        assert f"Error: {TABLE} is gone, deleted past CloudFormation. Nothing was deployed." in refused.err
    assert "`paycli teardown --env local`, then deploy." in refused.err
    assert "UPDATE_" not in refused.err
    assert results(fresh) == ["succeeded"]  # the one before
    listed = fresh.aws().client("cloudformation").list_change_sets(StackName="payment-api-local")["Summaries"]
    kept = json.loads((fresh.root / "plan.json").read_text())["change_set_id"]  # it can be executed with the table back
    waiting = [entry["ChangeSetId"] for entry in listed if entry["ExecutionStatus"] != "EXECUTE_COMPLETE"]
    assert waiting == [kept]


def interrupted(project: LocalProject, number: signal.Signals) -> None:
    """Interrupt a deploy with changes when CloudFormation has begun with it, as its first event tells."""
    change(project)
    process = project.begin("deploy", "--env", "local")
    assert process.stderr
    for line in process.stderr:
        if line.startswith("Stack payment-api-local"):
            process.send_signal(number)
            break
    process.communicate(timeout=60)


def memory(project: LocalProject) -> int:
    found = project.aws().client("lambda").get_function_configuration(FunctionName="payment-validation-local")
    return int(found["MemorySize"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_what_an_interrupted_update_has_done_is_on_record(fresh: LocalProject, number: signal.Signals) -> None:
    assert fresh.within("deploy", "--env", "local").status == 0
    interrupted(fresh, number)
    assert memory(fresh) == 640
    assert results(fresh) == ["succeeded", "succeeded"]


def test_progress_of_an_update_shows_what_changes_and_no_more(fresh: LocalProject) -> None:
    created = fresh.within("deploy", "--env", "local")
    assert " 62/62 " in created.err
    change(fresh)
    updated = fresh.within("deploy", "--env", "local", "--json")
    assert updated.status == 0
    changed = {entry["logical_id"] for entry in updated.document["data"]["changes"]}
    progress = [line.split() for line in updated.err.splitlines() if re.match(r"\d\d:\d\d:\d\d ", line)]
    assert {line[4] for line in progress} == {*changed, "payment-api-local"}
    assert progress[-1][1] == f"{len(changed)}/{len(changed)}"


def test_what_was_deleted_is_told_and_not_said_to_be_reverted(fresh: LocalProject) -> None:
    first = fresh.within("diff", "--env", "local", "--revert-drift")  # there is no stack yet
    assert first.status == 4
    assert fresh.within("deploy", "--env", "local", "--revert-drift").status == 0
    same = fresh.within("deploy", "--env", "local", "--revert-drift")
    assert same.status == 0
    assert "what was modified, it doesn't revert." in same.err
    fresh.aws().client("lambda").update_function_configuration(FunctionName="payment-validation-local", MemorySize=768)
    modified = fresh.within("drift", "--env", "local")
    assert modified.status == 4
    assert "--revert-drift" not in modified.out  # which the embedded AWS can't
    assert fresh.within("deploy", "--env", "local", "--revert-drift").status == 0
    assert "Somebody deleted" not in fresh.within("status", "--env", "local").out
    fresh.aws().client("lambda").delete_function(FunctionName="payment-validation-local")
    status = fresh.within("status", "--env", "local").out
    assert "Somebody deleted ValidationFunction, which neither the health nor CloudFormation notices.\n" in status
    assert "Drift          yes: " in status
    for command in ("deploy", "diff"):
        refused = fresh.within(command, "--env", "local", "--revert-drift")
        assert refused.status == 1
        assert "can't revert drift, and of payment-api-local somebody deleted ValidationFunction." in refused.err
        assert "`paycli teardown --env local`, then deploy" in refused.err
