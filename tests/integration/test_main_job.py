"""The main job, end to end, as a user does it: deploy, check, call, take down."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from paycli import emulator
from paycli.deployment.failure.causes import causes
from paycli.deployment.follow import follow
from tests.command_line import clean
from tests.integration.conftest import LocalProject, parent_of


def stacks(project: LocalProject) -> dict[str, str]:
    listed = project.aws().client("cloudformation").describe_stacks()["Stacks"]
    return {stack["StackName"]: stack["StackStatus"] for stack in listed}


def test_from_nothing_to_a_checked_stack_and_back_to_nothing(fresh: LocalProject) -> None:
    deployed = fresh.run("deploy", "--env", "local", "--smoke-test")
    assert deployed.status == 0, deployed.err
    assert "cfn-lint: no findings" in deployed.err
    assert "Uploaded the handlers: code/" in deployed.err
    assert "CREATE_COMPLETE" in deployed.err
    assert "checks passed" in deployed.out
    assert "PASS" in deployed.out
    assert "FAIL" not in deployed.out
    assert "Started the embedded AWS at" in deployed.err
    running = emulator.find(fresh.root)
    assert running is not None
    assert fresh.outputs()["APIEndpoint"].startswith(running.url)
    assert {"TransactionsTableName", "AlarmTopicArn", "DashboardName"} <= set(fresh.outputs())

    again = fresh.run("deploy", "--env", "local")
    assert again.status == 0
    assert "No changes" in again.out
    assert "Uploaded" not in again.err
    assert "cfn-lint" not in again.err
    listed = fresh.aws().client("cloudformation").list_change_sets(StackName="payment-api-local")["Summaries"]
    assert [entry["Status"] for entry in listed if entry["ExecutionStatus"] != "EXECUTE_COMPLETE"] == []

    gone = fresh.run("teardown", "--env", "local")
    assert gone.status == 0, gone.err
    assert "goes" in gone.err
    assert re.search(r" DELETE_COMPLETE +AWS::DynamoDB::Table ", gone.err)
    assert "The embedded AWS is stopped" in gone.out
    assert emulator.find(fresh.root) is None
    assert parent_of(running.pid) is None
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", running.port)) != 0
    assert not (fresh.root / "cfn-outputs" / "flat-outputs.json").exists()
    assert stacks(fresh) == {}


def test_a_dry_run_leaves_nothing_behind(fresh: LocalProject) -> None:
    dry = fresh.within("deploy", "--env", "local", "--dry-run")
    assert dry.status == 0
    assert "Nothing was deployed" in dry.out
    assert "TransactionsTable" in dry.err
    assert stacks(fresh) == {}
    assert fresh.aws().client("s3").list_buckets()["Buckets"] == []


def test_a_dry_run_of_a_change_shows_it_and_changes_nothing(shared: LocalProject) -> None:
    settings = (shared.root / "paycli.toml").read_text()
    try:
        (shared.root / "paycli.toml").write_text(settings + "\n[env.local.throttle]\nrate = 7\n")
        dry = shared.within("deploy", "--env", "local", "--dry-run", "--json")
    finally:
        (shared.root / "paycli.toml").write_text(settings)
    changes = dry.document["data"]["changes"]
    assert [(change["action"], change["logical_id"]) for change in changes] == [("Modify", "Stage")]
    assert dry.document["data"]["executed"] is False
    assert "No changes" in shared.within("deploy", "--env", "local", "--dry-run").out


def test_a_failed_deploy_names_its_first_real_cause(shared: LocalProject) -> None:
    """The template for AWS, sent to the embedded one, which refuses an alarm on metric math."""
    variables = shared.within("local", "env", "--json").document["data"]["variables"]
    unasked = shared.within("deploy", "--env", "dev", **variables)
    assert unasked.status == 2
    assert "--yes" in unasked.err

    failed = shared.within("deploy", "--env", "dev", "--yes", **variables)
    assert failed.status == 1
    error = failed.err[failed.err.index("Error: ") :]
    assert re.match(r"Error: \w+Alarm \(AWS::CloudWatch::Alarm\) could not be created: .*metric math", error), error
    assert "What CloudFormation did: it took back what it had begun" in error
    assert "payment-api-dev is now ROLLBACK_COMPLETE" in error
    assert "Then: paycli deploy --env dev" in error
    assert "Traceback" not in failed.err

    status = shared.within("status", "--env", "dev", **variables)
    assert status.status == 0
    assert re.search(
        r"^State +ROLLBACK_COMPLETE .*: the create failed and was undone: nothing is there$", status.out, re.M
    )
    assert re.search(r"^Cause +\w+Alarm \(AWS::CloudWatch::Alarm\): .*metric math", status.out, re.M)
    assert re.search(r"^Health +no API yet$", status.out, re.M)

    again = shared.within("deploy", "--env", "dev", "--yes", "--json", **variables)
    assert again.status == 1
    assert again.document["errors"][0]["code"] == "stack_failed"
    assert "ROLLBACK_COMPLETE: deleting what is left of it, to create it again" in again.err
    assert shared.within("teardown", "--env", "dev", **variables).status == 2
    assert shared.within("teardown", "--env", "dev", "--yes", **variables).status == 0
    assert "payment-api-dev" not in stacks(shared)


def test_a_refusal_before_anything_is_made_names_its_resource(shared: LocalProject) -> None:
    """CloudFormation validates what it is to create, and tells the resource in DescribeEvents alone."""
    cloudformation, s3 = shared.aws().client("cloudformation"), shared.aws().client("s3")
    s3.create_bucket(Bucket="a-name-that-is-taken")
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "a-name-that-is-taken"}}
    body = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, "Bucket": bucket}})
    stack_id = cloudformation.create_stack(StackName="refused", TemplateBody=body)["StackId"]
    finished = follow(cloudformation, stack_id, after="", total=2, report=lambda _event: None)
    assert finished.status == "ROLLBACK_COMPLETE"
    (cause,) = causes(cloudformation, "refused")
    assert (cause.logical_id, cause.name, cause.status) == ("Bucket", "a-name-that-is-taken", "REFUSED")
    cloudformation.delete_stack(StackName=stack_id)
    s3.delete_bucket(Bucket="a-name-that-is-taken")


def test_a_template_too_large_for_a_request_goes_through_the_bucket(shared: LocalProject) -> None:
    deployed = shared.within("deploy", "--env", "tagged")
    assert deployed.status == 0, deployed.err
    assert "No changes" in shared.within("deploy", "--env", "tagged").out
    assert shared.within("teardown", "--env", "tagged").status == 0
    shared.within("outputs", "--env", "local")


@pytest.mark.parametrize(("typed", "status", "words"), [("n\n", 1, "Not confirmed"), ("\x03", 130, "Interrupted")])
def test_a_plan_that_is_not_confirmed_leaves_nothing(shared: LocalProject, typed: str, status: int, words: str) -> None:
    variables = shared.within("local", "env", "--json").document["data"]["variables"]
    ran = shared.on_terminal(typed, "deploy", "--env", "pr-7", **variables)
    assert ran.status == status
    assert "Create payment-api-pr-7 in account 000000000000, us-east-1, through AWS_ENDPOINT_URL=" in ran.out
    assert words in ran.out
    assert "payment-api-pr-7" not in stacks(shared)


def test_on_a_terminal_progress_is_live_and_a_confirmed_teardown_goes(shared: LocalProject) -> None:
    deployed = shared.on_terminal("", "deploy", "--env", "tagged")
    assert deployed.status == 0
    assert "━" in deployed.out  # the bar
    kept = shared.on_terminal("n\n", "teardown", "--env", "tagged")
    assert kept.status == 1
    assert "payment-api-tagged" in stacks(shared)
    gone = shared.on_terminal("y\n", "teardown", "--env", "tagged")
    assert gone.status == 0
    assert "payment-api-tagged" not in stacks(shared)


def test_an_interrupted_deploy_says_so_and_the_next_one_goes_on(fresh: LocalProject) -> None:
    process = fresh.begin("deploy", "--env", "local")
    assert process.stderr is not None
    for line in process.stderr:
        if "CREATE_IN_PROGRESS" in line and "payment-api-local" in line:
            break
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode in {0, 130}  # it may have been done just then
    assert process.returncode == 0 or "CloudFormation goes on" in said or "too late to undo it" in said
    deadline = time.monotonic() + 30
    while stacks(fresh)["payment-api-local"].endswith("IN_PROGRESS") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert fresh.within("deploy", "--env", "local").status == 0


def test_the_client_of_the_reference_passes_unchanged(shared: LocalProject) -> None:
    """A client that knows only the outputs file, plain HTTP and boto3."""
    assert shared.within("outputs", "--env", "open").status == 0
    script = Path(__file__).parent / "reference_client.py"
    command = f'eval "$({sys.executable} -m paycli local env)" && {sys.executable} {script}'
    try:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=shared.root,
            env=clean(AWS_PROFILE="other"),
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        shared.within("outputs", "--env", "local")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "passed"


def test_smoke_test_as_json_and_by_name(shared: LocalProject) -> None:
    ran = shared.within("smoke-test", "--env", "local", "--json")
    assert ran.status == 0, ran.err
    checks = ran.document["data"]["checks"]
    assert len(checks) >= 12
    assert all(check["passed"] and check["duration_seconds"] >= 0 for check in checks)
    one = shared.within("smoke-test", "--env", "open", "--only", "workflow", "--json")
    assert [check["name"] for check in one.document["data"]["checks"]] == ["workflow"]
    wrong = shared.within("smoke-test", "--env", "local", "--only", "workflw")
    assert wrong.status == 2
    assert "workflow" in wrong.err


def test_a_broken_stack_fails_the_smoke_test(shared: LocalProject) -> None:
    cloudwatch = shared.aws().client("cloudwatch")
    dashboard = cloudwatch.get_dashboard(DashboardName="payment-dashboard-open")["DashboardBody"]
    cloudwatch.delete_dashboards(DashboardNames=["payment-dashboard-open"])
    try:
        ran = shared.within("smoke-test", "--env", "open", "--only", "dashboard")
        document = shared.within("smoke-test", "--env", "open", "--only", "dashboard", "--json").document
    finally:
        cloudwatch.put_dashboard(DashboardName="payment-dashboard-open", DashboardBody=dashboard)
    assert ran.status == 1
    assert re.search(r"^FAIL .* dashboard .* \(expected .*; found .*\)$", ran.out, re.M)
    assert "dashboard" not in ran.err  # it was said
    (error,) = document["errors"]
    assert error["code"] == "check_failed"
    assert error["message"].startswith("dashboard: expected")


def test_on_a_terminal_the_checks_are_counted(shared: LocalProject) -> None:
    ran = shared.on_terminal("", "smoke-test", "--env", "local", "--only", "topic", "--only", "dashboard")
    assert ran.status == 0
    assert "2 of 2 checks passed" in ran.out


def test_what_is_not_deployed_is_said(shared: LocalProject) -> None:
    for command in ("smoke-test", "outputs"):
        ran = (
            shared.within(command, "--env", "local-2")
            if command == "outputs"
            else shared.within(command, "--env", "kept")
        )
        assert ran.status in {1, 3}
        assert "Traceback" not in ran.err
    assert "paycli deploy --env kept" in shared.within("outputs", "--env", "kept").err


def test_outputs_for_scripts(shared: LocalProject) -> None:
    endpoint = shared.within("outputs", "--env", "local", "--key", "APIEndpoint").out.strip()
    assert endpoint == shared.outputs()["APIEndpoint"]
    assert f"export APIEndpoint={endpoint}\n" in shared.within("outputs", "--env", "local", "--format", "env").out
    assert "APIEndpoint" in shared.within("outputs", "--env", "local").out
    wrong = shared.within("outputs", "--env", "local", "--key", "Nope")
    assert wrong.status == 2
    assert "APIEndpoint" in wrong.err


def test_the_wrong_account_is_refused_before_anything_happens(fresh: LocalProject) -> None:
    (fresh.root / "paycli.toml").write_text('[env.local]\naccount_id = "111111111111"\n')
    refused = fresh.within("deploy", "--env", "local")
    assert refused.status == 3
    assert "111111111111" in refused.err
    assert fresh.within("teardown", "--env", "local").status == 3
    assert stacks(fresh) == {}


def test_data_that_is_kept_is_protected_and_named(fresh: LocalProject) -> None:
    deployed = fresh.within("deploy", "--env", "kept", "--yes")
    assert deployed.status == 0, deployed.err
    assert "Switching on the table's deletion protection" in deployed.err
    table = fresh.aws().client("dynamodb").describe_table(TableName="transactions-kept")["Table"]
    assert str(table["DeletionProtectionEnabled"]).lower() == "true"  # the embedded AWS keeps the parameter's text
    again = fresh.within("deploy", "--env", "kept", "--yes")
    assert "No changes" in again.out, again.err

    refused = fresh.within("teardown", "--env", "kept", "--yes")
    assert refused.status == 1
    assert "--disable-termination-protection" in refused.err
    gone = fresh.within("teardown", "--env", "kept", "--yes", "--disable-termination-protection")
    assert gone.status == 0, gone.err
    assert "AWS::DynamoDB::Table transactions-kept" in gone.out
    assert "aws dynamodb delete-table --table-name transactions-kept" in gone.out
    assert fresh.aws().client("dynamodb").list_tables()["TableNames"] == ["transactions-kept"]


def test_data_that_was_kept_is_taken_up_again(fresh: LocalProject) -> None:
    assert fresh.within("deploy", "--env", "kept", "--yes").status == 0
    dynamodb = fresh.aws().client("dynamodb")
    dynamodb.put_item(TableName="transactions-kept", Item={"transaction_id": {"S": "txn_precious"}})
    assert fresh.within("teardown", "--env", "kept", "--yes", "--disable-termination-protection").status == 0
    again = fresh.within("deploy", "--env", "kept", "--yes")
    assert again.status == 0, again.err
    assert re.search(r"Import +TransactionsTable", again.err)
    assert fresh.aws().client("dynamodb").scan(TableName="transactions-kept")["Count"] == 1


def test_a_removal_that_is_allowed_but_not_planned_is_said(shared: LocalProject) -> None:
    settings = (shared.root / "paycli.toml").read_text()
    try:
        (shared.root / "paycli.toml").write_text(settings + "\n[env.local.throttle]\nrate = 8\n")
        dry = shared.within("deploy", "--env", "local", "--dry-run", "--allow-remove", "Tabel")
    finally:
        (shared.root / "paycli.toml").write_text(settings)
    assert dry.status == 0
    assert "--allow-remove Tabel: nothing of that name would be removed." in dry.err


def test_a_stack_stays_while_another_one_lives(shared: LocalProject) -> None:
    none = shared.within("teardown", "--env", "kept", "--yes")
    assert none.status == 0
    assert "There is no stack payment-api-kept" in none.out
    assert emulator.find(shared.root) is not None
