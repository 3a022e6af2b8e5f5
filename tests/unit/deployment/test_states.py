"""The states a stack, a bucket or an artifact can be in, and what a command makes of each."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from paycli.aws import Caller
from paycli.deployment import artifacts, bootstrap, execution, outputs, stacks, teardown, vaults
from paycli.deployment import plan as planning
from paycli.deployment.package import CodePackage
from paycli.deployment.states import Policy
from paycli.environment import Environment
from paycli.errors import PaycliError
from paycli.progress import Step
from paycli.stack import build
from tests.scripted import STACK_ID, Scripted, raw_event

DEV = Environment(name="dev")
CALLER = Caller("1" * 12, "arn:aws:iam::111111111111:user/dev", "here")
CODE = CodePackage(b"zip", "digest")
BUCKET = [{"OutputKey": "ArtifactBucket", "OutputValue": "bucket-1"}]


@pytest.fixture
def linted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A project whose template has passed: linting is not what is tried here."""
    monkeypatch.setattr("paycli.deployment.lint.check", lambda *_arguments: False)
    return tmp_path


def prepared(scripted: Scripted, root: Path, environment: Environment = DEV, **options: Any) -> planning.Plan:
    scripted.answers("sts", "get_caller_identity", {"Account": "1" * 12, "Arn": "arn:aws:iam::111111111111:user/dev"})
    chosen = planning.Options(Policy(wait=False, ask=None), **options)
    return planning.prepare(scripted.aws, environment, root, scripted.reported.append, chosen)


@pytest.mark.parametrize("status", [None, "REVIEW_IN_PROGRESS"])
def test_a_dry_run_for_a_new_account_makes_nothing(scripted: Scripted, linted: Path, status: str | None) -> None:
    change_set = "arn:aws:cloudformation:us-east-1:000000000000:changeSet/c/1"
    scripted.stands(status)
    scripted.stands(None)  # no bootstrap stack
    scripted.answers("cloudformation", "create_change_set", {"Id": change_set, "StackId": STACK_ID})
    scripted.answers("cloudformation", "describe_change_set", {"Status": "CREATE_COMPLETE", "Changes": []})
    plan = prepared(scripted, linted, dry_run=True)
    assert plan.change_set is not None
    assert plan.change_set.creates
    scripted.leaves_an_empty_stack(change_set)
    planning.discard(scripted.aws, plan)


MANY_TAGS = Environment(name="dev", tags={f"key-{number}": "x" * 200 for number in range(20)})


def test_a_first_plan_that_needs_the_bucket_is_told_from_the_template(scripted: Scripted, linted: Path) -> None:
    scripted.stands(None)
    scripted.stands(None)  # no bootstrap stack
    plan = prepared(scripted, linted, MANY_TAGS, dry_run=True)
    assert plan.change_set is not None
    assert plan.change_set.creates
    assert {(change.action, change.resource_type) for change in plan.changes} >= {("Add", "AWS::DynamoDB::Table")}
    assert len(plan.changes) == len(build(MANY_TAGS).resources)
    assert any("Told from the template" in step.text for step in scripted.reported if isinstance(step, Step))
    planning.discard(scripted.aws, plan)  # asks AWS for nothing


def test_a_template_too_large_for_a_request_needs_the_bucket(scripted: Scripted, linted: Path) -> None:
    scripted.stands("CREATE_COMPLETE")
    scripted.stands(None)
    scripted.answers("dynamodb", "describe_table", {"Table": {"TableStatus": "ACTIVE"}})
    with pytest.raises(PaycliError, match="needs the artifact bucket"):
        prepared(scripted, linted, MANY_TAGS, dry_run=True)


@pytest.mark.parametrize("status", [None, "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"])
def test_what_is_not_deployed_says_how_to_deploy_it(scripted: Scripted, status: str | None) -> None:
    scripted.stands(status)
    with pytest.raises(PaycliError, match="isn't deployed") as caught:
        execution.existing(scripted.aws, DEV)
    assert caught.value.hint == "paycli deploy --env dev"


def test_an_error_that_is_not_a_missing_stack_is_not_hidden(scripted: Scripted) -> None:
    scripted.fails("cloudformation", "describe_stacks", "AccessDenied")
    with pytest.raises(ClientError, match="AccessDenied"):
        stacks.find(scripted.aws.client("cloudformation"), "x")


def test_the_bucket_of_another_deploy_that_is_making_it_is_joined(scripted: Scripted) -> None:
    scripted.stands(None)
    scripted.stands(None)  # it was not there a moment ago
    scripted.answers("apigateway", "get_account", {"cloudwatchRoleArn": "arn:aws:iam::111111111111:role/logs"})
    scripted.fails("cloudformation", "create_stack", "AlreadyExistsException")
    scripted.stands("CREATE_IN_PROGRESS")
    scripted.events(raw_event(1, "CREATE_IN_PROGRESS"), raw_event(2, "CREATE_COMPLETE"))
    scripted.stands("CREATE_COMPLETE", Outputs=BUCKET)
    scripted.stands("CREATE_COMPLETE", Outputs=BUCKET)
    policy = Policy(wait=True, ask=None)
    assert bootstrap.ensure_bucket(scripted.aws, DEV, policy, scripted.reported.append) == "bucket-1"


def test_without_a_bootstrap_there_is_nothing_to_remove(scripted: Scripted) -> None:
    scripted.stands(None)
    bootstrap.remove_bootstrap(scripted.aws, DEV, CALLER, scripted.reported.append)
    assert scripted.reported == []


def test_only_the_account_s_own_artifacts_are_removed(scripted: Scripted) -> None:
    scripted.stands("CREATE_COMPLETE", Outputs=BUCKET)
    place = {"Bucket": "bucket-1", "ExpectedBucketOwner": CALLER.account}
    listed = {"Versions": [{"Key": "code/k.zip", "VersionId": "1"}]}
    scripted.stub("s3").add_response("list_object_versions", listed, place)
    scripted.stub("s3").add_response("delete_object", {}, {**place, "Key": "code/k.zip", "VersionId": "1"})
    resource = {
        "StackId": STACK_ID,
        "LogicalResourceId": "ArtifactBucket",
        "ResourceType": "AWS::S3::Bucket",
        "Timestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "ResourceStatus": "CREATE_COMPLETE",
    }
    scripted.answers("cloudformation", "describe_stack_resources", {"StackResources": [resource]})
    scripted.events(raw_event(1, "CREATE_COMPLETE"))
    scripted.answers("cloudformation", "delete_stack", {})
    scripted.events(raw_event(1, "CREATE_COMPLETE"), raw_event(2, "DELETE_COMPLETE"))
    bootstrap.remove_bootstrap(scripted.aws, DEV, CALLER, scripted.reported.append)


def bucket(scripted: Scripted) -> artifacts.Bucket:
    return artifacts.bucket_of(scripted.aws, "bucket-1", "1" * 12)


def test_a_package_that_is_there_is_not_uploaded_again(scripted: Scripted) -> None:
    digest = base64.b64encode(hashlib.sha256(CODE.content).digest()).decode()
    scripted.answers("s3", "head_object", {"ChecksumSHA256": digest})
    assert artifacts.upload_if_absent(bucket(scripted), CODE) is False


def test_code_that_may_not_be_read_is_no_missing_code(scripted: Scripted) -> None:
    scripted.fails("s3", "get_object", "AccessDenied")
    with pytest.raises(ClientError, match="AccessDenied"):
        artifacts.code_checksum(bucket(scripted), CODE.key)


def test_a_bucket_that_is_not_ours_is_not_written_to(scripted: Scripted) -> None:
    scripted.fails("s3", "head_object", "403")
    scripted.answers("s3", "list_objects_v2", {})
    with pytest.raises(ClientError, match="403"):
        artifacts.upload_if_absent(bucket(scripted), CODE)


def test_a_look_without_a_reason_is_told_by_an_answer_that_has_one(scripted: Scripted) -> None:
    scripted.fails("s3", "head_object", "400")
    scripted.fails("s3", "list_objects_v2", "ExpiredToken")
    with pytest.raises(ClientError, match="ExpiredToken"):
        artifacts.upload_if_absent(bucket(scripted), CODE)


def test_a_teardown_waits_for_what_works_on_the_stack(scripted: Scripted) -> None:
    scripted.stands("UPDATE_IN_PROGRESS")
    with pytest.raises(PaycliError, match="something else works on it"):
        teardown.plan(scripted.aws, DEV)


RESOURCES = {
    "TransactionsTable": ("AWS::DynamoDB::Table", "transactions-dev"),
    "Key": ("AWS::KMS::Key", "1234"),
    "Queue": ("AWS::SQS::Queue", "https://queue"),
    "Logs": ("AWS::Logs::LogGroup", "/aws/lambda/x"),
    "Account": ("AWS::ApiGateway::Account", "account"),
    "Topic": ("AWS::SNS::Topic", "arn:topic"),
    "Vault": ("AWS::Backup::BackupVault", "transactions-dev-a1"),
}


def planned(scripted: Scripted, kept: set[str]) -> teardown.TeardownPlan:
    at = raw_event(1, "x")["Timestamp"]
    scripted.stands("CREATE_COMPLETE")
    summaries = [
        {
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": physical_id,
            "ResourceType": kind,
            "ResourceStatus": "CREATE_COMPLETE",
            "LastUpdatedTimestamp": at,
        }
        for logical_id, (kind, physical_id) in RESOURCES.items()
    ]
    gone = {**summaries[0], "LogicalResourceId": "Gone", "ResourceStatus": "DELETE_COMPLETE"}
    scripted.answers("cloudformation", "list_stack_resources", {"StackResourceSummaries": [*summaries, gone]})
    policies = {name: {"DeletionPolicy": "RetainExceptOnCreate" if name in kept else "Delete"} for name in RESOURCES}
    scripted.answers("cloudformation", "get_template", {"TemplateBody": json.dumps({"Resources": policies})})
    plan = teardown.plan(scripted.aws, DEV)
    assert plan is not None
    return plan


def test_a_stack_that_paycli_did_not_deploy_is_left_alone(scripted: Scripted, linted: Path) -> None:
    scripted.stands("CREATE_COMPLETE", Tags=[])
    with pytest.raises(PaycliError, match="not deployed by paycli"):
        teardown.plan(scripted.aws, DEV)
    scripted.stands("CREATE_COMPLETE", Tags=[{"Key": "ManagedBy", "Value": "somebody"}])
    with pytest.raises(PaycliError, match="not deployed by paycli"):
        prepared(scripted, linted)


def test_an_empty_stack_that_a_plan_has_left_is_taken_down(scripted: Scripted) -> None:
    scripted.stands("REVIEW_IN_PROGRESS", Tags=[])
    scripted.answers("cloudformation", "list_stack_resources", {"StackResourceSummaries": []})
    plan = teardown.plan(scripted.aws, DEV)
    assert plan is not None
    assert plan.goes == plan.stays == ()


def taken_down(
    scripted: Scripted, plan: teardown.TeardownPlan, environment: Environment = DEV
) -> list[teardown.Leftover]:
    report = scripted.reported.append
    after = teardown.begin(scripted.aws, environment, plan, report)
    return teardown.finish(scripted.aws, environment, plan, report, after=after)


def test_a_teardown_that_another_one_has_finished_is_done(scripted: Scripted) -> None:
    plan = planned(scripted, set(RESOURCES) - {"Topic", "Vault"})
    scripted.events(raw_event(1, "DELETE_COMPLETE"))
    scripted.stands("DELETE_COMPLETE")
    assert len(taken_down(scripted, plan)) == len(plan.stays)


def test_what_is_kept_is_named_with_the_command_that_removes_it(scripted: Scripted) -> None:
    kept = {"TransactionsTable", "Key", "Queue", "Account", "Vault"}
    plan = planned(scripted, kept)
    assert {resource.logical_id for resource in plan.stays} == kept
    assert [resource.logical_id for resource in plan.goes] == ["Logs", "Topic"]
    scripted.events(raw_event(1, "CREATE_COMPLETE"))
    scripted.stands("CREATE_COMPLETE")
    scripted.answers("cloudformation", "delete_stack", {})
    scripted.events(raw_event(1, "CREATE_COMPLETE"), raw_event(2, "DELETE_COMPLETE"))
    # The group is there again: a function wrote its last line after the delete.
    scripted.answers("logs", "describe_log_groups", {"logGroups": [{"logGroupName": "/aws/lambda/x"}]})
    role = Environment(name="dev", profile="work", cloudformation_role="arn:aws:iam::111111111111:role/r")
    left = taken_down(scripted, plan, role)
    commands = {leftover.resource.logical_id: leftover.command for leftover in left}
    assert set(commands) == {*kept, "Logs"}
    assert "--no-deletion-protection-enabled" in commands["TransactionsTable"]
    assert "schedule-key-deletion --key-id 1234" in commands["Key"]
    assert commands["Queue"] == (
        "aws sqs delete-queue --queue-url https://queue --region us-east-1 --profile work "
        "--endpoint-url http://127.0.0.1:1"
    )
    assert "delete-log-group --log-group-name /aws/lambda/x" in commands["Logs"]
    unlock, points, vault = commands["Vault"].split(" && ")
    assert unlock.startswith(
        "aws backup delete-backup-vault-lock-configuration --backup-vault-name transactions-dev-a1 "
    )
    assert "| xargs -r -n 1 aws backup delete-recovery-point --backup-vault-name transactions-dev-a1 " in points
    assert points.count("--region us-east-1 --profile work") == 2
    assert points.endswith("--recovery-point-arn")
    assert vault.startswith("aws backup delete-backup-vault --backup-vault-name transactions-dev-a1 --region us-east-1")


POINTS = [{"RecoveryPointArn": f"arn:aws:backup:us-east-1:000000000000:recovery-point:{number}"} for number in (1, 2)]


def test_a_vault_that_goes_is_emptied_first(scripted: Scripted) -> None:
    plan = planned(scripted, set(RESOURCES) - {"Topic", "Vault"})
    scripted.events(raw_event(1, "CREATE_COMPLETE"))
    scripted.stands("CREATE_COMPLETE")
    listed = "list_recovery_points_by_backup_vault"
    scripted.answers("backup", listed, {"RecoveryPoints": POINTS})
    scripted.answers("backup", "delete_recovery_point", {})
    scripted.fails("backup", "delete_recovery_point", "InvalidResourceStateException")  # it is still being made
    scripted.answers("backup", listed, {"RecoveryPoints": POINTS})
    scripted.answers("backup", "delete_recovery_point", {})
    scripted.answers("backup", listed, {"RecoveryPoints": POINTS[:1]})
    scripted.answers("backup", listed, {"RecoveryPoints": []})
    scripted.answers("cloudformation", "delete_stack", {})
    scripted.events(raw_event(1, "CREATE_COMPLETE"), raw_event(2, "DELETE_COMPLETE"))
    assert len(taken_down(scripted, plan)) == len(plan.stays)
    said = [step.text for step in scripted.reported if isinstance(step, Step)]
    assert said == ["Deleting 2 recovery points of the vault transactions-dev-a1"]


def test_a_vault_that_stays_full_stops_the_teardown(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vaults, "DEADLINE_SECONDS", -1.0)
    scripted.answers("backup", "list_recovery_points_by_backup_vault", {"RecoveryPoints": POINTS})
    with pytest.raises(PaycliError, match="still has 2 recovery points") as caught:
        vaults.empty(scripted.aws.client("backup"), "v-1", scripted.reported.append)
    assert "--backup-vault-name v-1" in caught.value.hint


@pytest.mark.parametrize("then", ["gone", "made again"])
def test_express_mode_waits_until_the_table_is_really_gone(scripted: Scripted, then: str) -> None:
    plan = planned(scripted, set(RESOURCES) - {"TransactionsTable", "Topic"})
    scripted.events(raw_event(1, "CREATE_COMPLETE"))
    scripted.stands("CREATE_COMPLETE")
    scripted.answers("cloudformation", "delete_stack", {})
    scripted.events(raw_event(1, "CREATE_COMPLETE"), raw_event(2, "DELETE_COMPLETE"))
    scripted.answers("dynamodb", "describe_table", {"Table": {"TableStatus": "DELETING"}})
    if then == "gone":
        scripted.fails("dynamodb", "describe_table", "ResourceNotFoundException")
    else:  # by a deploy that has waited
        scripted.answers("dynamodb", "describe_table", {"Table": {"TableStatus": "CREATING"}})
    express = Environment(name="dev", deployment_mode="express")
    left = taken_down(scripted, plan, express)
    assert len(left) == len(plan.stays)


def test_a_protection_that_somebody_switches_on_meanwhile_is_not_switched_off(scripted: Scripted) -> None:
    plan = planned(scripted, set(RESOURCES) - {"Topic"})
    scripted.events(raw_event(1, "CREATE_COMPLETE"))
    scripted.stands("CREATE_COMPLETE", EnableTerminationProtection=True)
    scripted.fails("cloudformation", "delete_stack", "ValidationError", "TerminationProtection is enabled")
    with pytest.raises(PaycliError) as caught:
        taken_down(scripted, plan)
    assert caught.value.message.endswith("TerminationProtection is enabled\npayment-api-dev stands.")


def test_the_outputs_of_another_stack_stay(tmp_path: Path, scripted: Scripted) -> None:
    scripted.stands("CREATE_COMPLETE", Outputs=[{"OutputKey": "RestApiId", "OutputValue": "mine"}])
    stack = stacks.find(scripted.aws.client("cloudformation"), "payment-api-dev")
    assert stack is not None
    outputs.forget(stack, tmp_path)
    path = outputs.write({"RestApiId": "other"}, tmp_path)
    outputs.forget(stack, tmp_path)
    assert path.exists()
    outputs.write({"RestApiId": "mine"}, tmp_path)
    outputs.forget(stack, tmp_path)
    assert not path.exists()


def test_the_endpoint_of_aws_is_left_as_it_is(scripted: Scripted) -> None:
    entries = {"APIEndpoint": "https://x.example/v1/", "RestApiId": "x", "StageName": "v1"}
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in entries.items()]
    scripted.stands("CREATE_COMPLETE", Outputs=listed)
    stack = execution.existing(scripted.aws, DEV)
    from dataclasses import replace

    assert outputs.resolved(replace(scripted.aws, endpoint_url=None), stack) == entries
    assert outputs.resolved(scripted.aws, stack)["APIEndpoint"] == "http://127.0.0.1:1/restapis/x/v1/_user_request_/"


def test_a_runtime_that_ends_soon_is_said(scripted: Scripted, linted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paycli.deployment.plan.warning", lambda runtime, _today: f"{runtime} ends")
    scripted.stands("UPDATE_IN_PROGRESS")
    with pytest.raises(PaycliError):
        prepared(scripted, linted)
    assert scripted.reported == [Step("python3.11 ends")]
    monkeypatch.setattr("paycli.deployment.plan.warning", lambda *_: None)
    scripted.stands("UPDATE_IN_PROGRESS")
    with pytest.raises(PaycliError):
        prepared(scripted, linted)
    assert len(scripted.reported) == 1
