"""prod is taken down and deployed again: what was kept is the new stack's, whatever comes between."""

import json
import signal

import pytest

from tests.command_line import Ran
from tests.fakes.cloudformation.model import Stack
from tests.fakes.cloudformation.policy import denial
from tests.fakes.project import FakeProject
from tests.integration.conftest import Within
from tests.integration.deploys import LONG, PROD, TABLE, UPDATED, error_of, records

DEPLOY = ("deploy", "--env", "prod", "--yes")
IMPORTED = ["REVIEW_IN_PROGRESS", "IMPORT_IN_PROGRESS", "IMPORT_COMPLETE"]
KEPT = {
    "AccessLogs",
    "FailedTransactionsDeadLetterQueue",
    "FailedTransactionsQueue",
    "FirewallLogs",
    "FunctionFailuresQueue",
    "HealthMonitorLogs",
    "Key",
    "ProcessingLogs",
    TABLE,
    "ValidationLogs",
}
QUEUES = {
    "FailedTransactionsDeadLetterQueue": "failed-transactions-dlq-prod",
    "FailedTransactionsQueue": "failed-transactions-prod",
    "FunctionFailuresQueue": "function-failures-prod",
}
FUNCTION = "ValidationFunction"


@pytest.fixture
def cloud(cloud: FakeProject) -> FakeProject:
    """A project whose template of prod counts as linted."""
    cloud.linted("prod")
    return cloud


@pytest.fixture
def down(cloud: FakeProject, within: Within) -> FakeProject:
    """A project whose prod was deployed and taken down."""
    cloud.deployed("prod")
    taken_down(cloud, within)
    return cloud


def taken_down(cloud: FakeProject, within: Within) -> None:
    ran = within("teardown", "--env", "prod", "--yes", "--disable-termination-protection")
    assert ran.status == 0, ran.err


def ids(stack: Stack) -> dict[str, str]:
    return {name: stack.resources[name].physical_id for name in KEPT if name in stack.resources}


def old(cloud: FakeProject) -> Stack:
    """Return the stack that was taken down."""
    return next(stack for stack in cloud.aws.engine.stacks if stack.name == PROD)


def deployed(cloud: FakeProject, ran: Ran) -> Stack:
    """Return the new stack, which has all that was kept, and serves."""
    assert ran.status == 0, ran.err
    stack = cloud.aws.stack(PROD)
    assert stack.status == "UPDATE_COMPLETE"
    assert ids(stack) == ids(old(cloud))
    assert stack.outputs["TransactionsTableName"] == "transactions-prod"
    assert stack.now.tags["ManagedBy"] == "paycli"
    assert stack.termination_protection
    assert denial(stack.policy, "Replace", TABLE, "AWS::DynamoDB::Table")
    standing = cloud.aws.standing("AWS::DynamoDB::Table", "transactions-prod")
    assert standing is not None
    assert standing.properties["DeletionProtectionEnabled"] == "true"
    assert standing.stack_id == stack.stack_id
    return stack


def test_what_was_kept_is_taken_up_with_its_key(cloud: FakeProject, within: Within) -> None:
    first = within(*DEPLOY)
    assert first.status == 0, first.err
    taken_down(cloud, within)
    before = len(cloud.aws.calls)
    ran = within(*DEPLOY)
    stack = deployed(cloud, ran)
    assert stack.states == [*IMPORTED, *UPDATED]
    assert stack.now.parameters["DeletionProtection"] == "true"
    imports, update = (call.parameters for call in cloud.aws.calls[before:] if call.operation == "CreateChangeSet")
    assert imports["ChangeSetType"] == "IMPORT"
    assert not imports.keys() & {"Tags", "RoleARN", "Parameters", "ImportExistingResources"}
    body = json.loads(imports["TemplateBody"])
    assert body.keys() == {"AWSTemplateFormatVersion", "Description", "Resources"}
    assert {entry["DeletionPolicy"] for entry in body["Resources"].values()} == {"Retain"}
    assert body["Resources"]["FailedTransactionsQueue"]["Properties"]["KmsMasterKeyId"] == {
        "Fn::GetAtt": ["Key", "Arn"]
    }
    assert "DeletionProtectionEnabled" not in body["Resources"][TABLE]["Properties"]
    assert (update["ChangeSetType"], update["DeploymentMode"]) == ("UPDATE", "REVERT_DRIFT")
    assert update["RollbackConfiguration"] == {"RollbackTriggers": [], "MonitoringTimeInMinutes": 0}
    assert stack.resources[TABLE].deletion_policy == "RetainExceptOnCreate"
    assert [(record.result, record.number) for record in records(cloud, "prod")] == [("succeeded", 1), ("succeeded", 2)]
    assert records(cloud, "prod")[-1].change_set_id == stack.change_set_id
    again = within(*DEPLOY)
    assert "No changes" in again.out


@pytest.mark.parametrize("arguments", [["deploy", "--dry-run"], ["diff"]])
def test_a_look_names_what_would_be_taken_up_and_leaves_nothing(
    down: FakeProject, within: Within, arguments: list[str]
) -> None:
    ran = within(*arguments, "--env", "prod", "--json")
    assert ran.status == (4 if arguments == ["diff"] else 0), ran.err
    changes = ran.document["data"]["changes"]
    imports = {change["logical_id"]: change["physical_id"] for change in changes if change["action"] == "Import"}
    assert imports == ids(old(down))
    added = {change["logical_id"] for change in changes if change["action"] == "Add"}
    assert added == json.loads(down.body("prod"))["Resources"].keys() - KEPT
    assert "CreateChangeSet" not in down.aws.operations()
    assert down.aws.stack(PROD) is old(down)


def test_the_question_and_the_table_say_what_is_taken_up(down: FakeProject, within: Within) -> None:
    asked = "Type the environment's name to confirm: "
    ran = down.on_terminal("deploy", "--env", "prod", typed=[(asked, "no\n")])
    assert ran.status == 1
    shown = " ".join(ran.out.split())
    assert "Import TransactionsTable AWS::DynamoDB::Table transactions-prod" in shown
    assert ids(old(down))["Key"][:8] in shown
    assert "with the 10 resources that an earlier one has kept" in shown
    assert down.aws.stack(PROD).states == ["REVIEW_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"]
    deployed(down, within(*DEPLOY))


def results(cloud: FakeProject) -> list[str]:
    return [record.result for record in records(cloud, "prod")]


def test_a_deploy_that_was_killed_after_its_import_is_gone_on_with(down: FakeProject, within: Within) -> None:
    down.aws.scenario.durations["Key"] = LONG
    down.run(*DEPLOY, moments=[(down.aws.reached(PROD, "IMPORT_IN_PROGRESS", "Key"), signal.SIGKILL)])
    down.aws.scenario.durations.clear()
    down.aws.skip(LONG)
    assert down.aws.stack(PROD).states == IMPORTED
    planned = within("diff", "--env", "prod", "--json").document["data"]["changes"]
    assert not [change for change in planned if change["action"] in {"Import", "Remove"}]
    stack = deployed(down, within(*DEPLOY))
    assert stack.states == [*IMPORTED, *UPDATED]
    assert results(down) == ["failed", "succeeded"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_import_is_left_to_the_next_deploy(
    down: FakeProject, within: Within, number: signal.Signals
) -> None:
    down.aws.scenario.durations["Key"] = 800
    ran = down.run(*DEPLOY, moments=[(down.aws.reached(PROD, "IMPORT_IN_PROGRESS", "Key"), number)])
    assert ran.status == 130
    assert "has what was kept, and nothing that serves. The next deploy adds the rest." in error_of(ran)
    assert down.aws.stack(PROD).states == IMPORTED
    assert results(down) == ["cancelled"]
    deployed(down, within(*DEPLOY))


def test_an_interrupt_after_the_import_takes_back_what_was_added(down: FakeProject, within: Within) -> None:
    down.aws.scenario.durations[FUNCTION] = LONG
    ran = down.run(*DEPLOY, moments=[(down.aws.reached(PROD, "CREATE_IN_PROGRESS", FUNCTION), signal.SIGINT)])
    assert ran.status == 130
    assert "The next deploy adds the rest." in error_of(ran)
    stack = down.aws.stack(PROD)
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.resources.keys() == KEPT
    assert results(down) == ["cancelled"]
    down.aws.scenario.durations.clear()
    deployed(down, within(*DEPLOY))
    assert results(down) == ["cancelled", "succeeded"]


def test_an_interrupt_before_the_import_leaves_nothing(down: FakeProject) -> None:
    down.aws.faults.delay("ListObjectsV2", 1.0)
    ran = down.run(*DEPLOY, moments=[(down.aws.asked("ListObjectsV2"), signal.SIGTERM)])
    assert ran.status == 130
    assert "what was kept is as it was, without payment-api-prod" in error_of(ran)
    assert down.aws.stack(PROD).states == ["REVIEW_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"]


def test_a_terminal_asks_what_to_do_with_what_was_added(down: FakeProject) -> None:
    down.aws.scenario.durations[FUNCTION] = LONG
    begun = down.aws.reached(PROD, "CREATE_IN_PROGRESS", FUNCTION)
    ran = down.on_terminal(
        *DEPLOY, typed=[(begun, "\x03"), ("Take back what was added to the kept data? [y/N]", "y\n")]
    )
    assert ran.status == 130
    assert "The next deploy adds the rest." in ran.out


def test_an_update_that_fails_loses_nothing_and_says_so(down: FakeProject, within: Within) -> None:
    down.aws.scenario.fail(FUNCTION, reason="The role defined for the function cannot be assumed by Lambda.")
    ran = within(*DEPLOY)
    assert ran.status == 1
    assert "cannot be assumed" in error_of(ran)
    assert "of which nothing is lost; nothing serves yet" in error_of(ran)
    assert "previous version" not in error_of(ran)
    assert ids(down.aws.stack(PROD)) == ids(old(down))
    assert results(down) == ["failed"]
    deployed(down, within(*DEPLOY))


def test_an_import_that_fails_is_taken_back_and_tried_again(down: FakeProject, within: Within) -> None:
    down.aws.scenario.fail(TABLE, on="import", reason="Rate exceeded")
    ran = within(*DEPLOY)
    assert ran.status == 1
    assert "Rate exceeded" in error_of(ran)
    assert "Then: paycli deploy --env prod" in error_of(ran)
    assert down.aws.stack(PROD).status == "ROLLBACK_COMPLETE"
    deployed(down, within(*DEPLOY))


def test_data_that_was_imported_alone_is_kept_by_a_teardown(down: FakeProject, within: Within) -> None:
    down.aws.scenario.fail(FUNCTION)
    assert within(*DEPLOY).status == 1
    ran = within("teardown", "--env", "prod", "--yes")
    assert ran.status == 0, ran.err
    assert "0 resources gone, 10 left" in ran.out
    deployed(down, within(*DEPLOY))


def gone(cloud: FakeProject, kind: str, physical_id: str) -> None:
    standing = cloud.aws.standing(kind, physical_id)
    assert standing is not None
    cloud.aws.engine.account.remove(standing)


def test_a_queue_that_is_gone_is_made_again(down: FakeProject, within: Within) -> None:
    dead_letters = ids(old(down))["FailedTransactionsDeadLetterQueue"]
    gone(down, "AWS::SQS::Queue", dead_letters)
    stack = deployed(down, within(*DEPLOY))
    assert ("CREATE_COMPLETE", dead_letters) in {
        (event.status, event.physical_id)
        for event in stack.events
        if event.logical_id == "FailedTransactionsDeadLetterQueue"
    }
    assert "maxReceiveCount" in stack.resources["FailedTransactionsQueue"].properties["RedrivePolicy"]


def test_a_table_that_is_gone_is_made_again_and_protected_afterwards(down: FakeProject, within: Within) -> None:
    gone(down, "AWS::DynamoDB::Table", "transactions-prod")
    down.aws.scenario.fail(FUNCTION)
    assert within(*DEPLOY).status == 1  # a protected table would be in the way of the rollback
    assert down.aws.standing("AWS::DynamoDB::Table", "transactions-prod") is None
    stack = deployed(down, within(*DEPLOY))
    assert stack.states[-6:] == [*UPDATED, *UPDATED]
    assert results(down) == ["failed", "succeeded"]


def test_nothing_but_the_logs_is_left(down: FakeProject, within: Within) -> None:
    for name, physical_id in ids(old(down)).items():
        resource = old(down).resources[name]
        if resource.type not in {"AWS::Logs::LogGroup", "AWS::KMS::Key"}:
            gone(down, resource.type, physical_id)
    deployed(down, within(*DEPLOY))


@pytest.mark.parametrize(
    ("state", "command"),
    [
        ("PendingDeletion", "aws kms cancel-key-deletion --key-id {key} --region us-east-1 && aws kms enable-key"),
        ("Disabled", "Enable it, then deploy again: aws kms enable-key --key-id {key} --region us-east-1"),
        ("Unavailable", "Look at the key in the KMS console."),
    ],
)
def test_a_key_that_cannot_be_used_stops_the_deploy(
    down: FakeProject, within: Within, state: str, command: str
) -> None:
    key = ids(old(down))["Key"]
    down.aws.key(key, state)
    ran = within(*DEPLOY)
    assert ran.status == 1
    assert f"transactions-prod was kept, but its key {key} is {state}." in error_of(ran)
    assert command.format(key=key) in error_of(ran)
    assert down.aws.stack(PROD) is old(down)


def test_a_key_that_is_gone_stops_the_deploy(down: FakeProject, within: Within) -> None:
    gone(down, "AWS::KMS::Key", ids(old(down))["Key"])
    ran = within(*DEPLOY)
    assert ran.status == 1
    assert "transactions-prod was kept, but its key is gone: arn:aws:kms:" in error_of(ran)


def test_a_key_of_somebody_else_is_not_taken_over(down: FakeProject, within: Within) -> None:
    key = down.aws.standing("AWS::KMS::Key", ids(old(down))["Key"])
    assert key is not None
    key.properties["Tags"] = [{"Key": "ManagedBy", "Value": "paycli"}, {"Key": "Environment", "Value": "staging"}]
    ran = within(*DEPLOY)
    assert ran.status == 1
    assert "which isn't this environment's own key" in error_of(ran)
    assert "CreateChangeSet" not in down.aws.operations()


def test_what_another_stack_has_is_refused(down: FakeProject, within: Within) -> None:
    other = down.aws.put_stack("other", "CREATE_COMPLETE")
    standing = down.aws.standing("AWS::DynamoDB::Table", "transactions-prod")
    assert standing is not None
    standing.stack_id = other.stack_id
    ran = within(*DEPLOY)
    assert ran.status == 1
    assert f"It belongs to {other.stack_id}" in error_of(ran)
    assert "Nothing was changed." in error_of(ran)
    assert down.aws.stack(PROD).status == "DELETE_COMPLETE"


def test_what_may_not_be_imported_names_the_policy(down: FakeProject, within: Within) -> None:
    down.aws.faults.deny("CreateChangeSet")
    ran = within(*DEPLOY)
    assert ran.status == 1
    assert "paycli config deployer-policy --env prod --for import" in error_of(ran)


def test_an_import_that_is_refused_for_another_reason_says_that_one(down: FakeProject, within: Within) -> None:
    down.aws.faults.refuse("CreateChangeSet", "InsufficientCapabilitiesException", "Requires CAPABILITY_X")
    ran = within(*DEPLOY)
    assert ran.status == 1
    assert "Requires CAPABILITY_X" in error_of(ran)
    assert "--for import" not in error_of(ran)


def test_a_kept_plan_takes_up_and_adds_what_it_shows(down: FakeProject, within: Within) -> None:
    planned = within("deploy", "--env", "prod", "--plan", "plan.json")
    assert planned.status == 0, planned.err
    saved = json.loads((down.root / "plan.json").read_text())
    assert {change["logical_id"] for change in saved["changes"]} == json.loads(down.body("prod"))["Resources"].keys()
    deployed(down, within("deploy", "--env", "prod", "--execute", "plan.json", "--yes"))


def test_what_was_changed_since_the_teardown_becomes_as_the_settings_say(down: FakeProject, within: Within) -> None:
    queue = down.aws.standing("AWS::SQS::Queue", ids(old(down))["FailedTransactionsQueue"])
    assert queue is not None
    queue.properties = {**queue.properties, "MessageRetentionPeriod": 60}
    deployed(down, within(*DEPLOY))
    queue = down.aws.standing("AWS::SQS::Queue", ids(old(down))["FailedTransactionsQueue"])
    assert queue is not None
    assert queue.properties["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_what_would_replace_the_data_is_refused_after_the_import(down: FakeProject, within: Within) -> None:
    table = down.aws.standing("AWS::DynamoDB::Table", "transactions-prod")
    assert table is not None
    table.properties = {**table.properties, "ImportSourceSpecification": {"InputFormat": "CSV"}}
    ran = within(*DEPLOY)
    assert ran.status == 1
    assert f"{TABLE} (AWS::DynamoDB::Table) holds data and would be replaced" in error_of(ran)
    assert down.aws.stack(PROD).status == "IMPORT_COMPLETE"
