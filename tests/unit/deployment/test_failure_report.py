"""What a user reads of a failure: the cause, what became of the stack, and what to run next."""

import json
from typing import Any

import pytest

from paycli import console
from paycli.deployment import stack_arn
from paycli.deployment.failure import demand, refused_change_set
from paycli.deployment.follow import Finished, resource_event
from paycli.environment import Environment
from paycli.errors import PaycliError
from tests.scripted import STACK_ID as EMULATED_ID
from tests.scripted import Scripted, raw_event

STACK_ID = EMULATED_ID.replace("000000000000", "111111111111")
DEV = Environment(name="dev")
EXISTS = "Resource of type 'AWS::DynamoDB::Table' with identifier 'transactions-dev' already exists."
CONSOLE = (
    "https://us-east-1.console.aws.amazon.com/cloudformation/home?region=us-east-1#/stacks/events?stackId="
    "arn%3Aaws%3Acloudformation%3Aus-east-1%3A111111111111%3Astack%2Fpayment-api-dev%2F1"
)
NOT_OURS = "It doesn't belong to this stack: it was made by hand, or kept when an earlier stack was deleted."
DELETE_BOOTSTRAP = "aws cloudformation delete-stack --stack-name paycli-bootstrap --region us-east-1"
BUSY = (
    "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
    "minimum value of [10]."
)


def created(second: int, logical_id: str, reason: str, **more: Any) -> dict[str, Any]:
    return {**raw_event(second, "CREATE_FAILED", logical_id, reason), "PhysicalResourceId": "", **more}


def error_of(
    scripted: Scripted,
    status: str,
    *raw: dict[str, Any],
    environment: Environment = DEV,
    stack_id: str = STACK_ID,
) -> PaycliError:
    """Return the error of an operation that ended with `status` after these events."""
    if any(entry["ResourceStatus"].endswith(("FAILED", "ROLLBACK_IN_PROGRESS")) for entry in raw):
        scripted.answers("cloudformation", "describe_events", {"OperationEvents": []})
    finished = Finished(status, tuple(resource_event(entry) for entry in raw))
    with pytest.raises(PaycliError) as caught:
        demand(scripted.aws.client("cloudformation"), finished, "CREATE_COMPLETE", stack_id, environment)
    assert caught.value.code == "stack_failed"
    return caught.value


def test_what_was_wanted_passes(scripted: Scripted) -> None:
    cloudformation = scripted.aws.client("cloudformation")
    demand(cloudformation, Finished("DELETE_COMPLETE", ()), "DELETE_COMPLETE", STACK_ID, DEV)


def test_a_known_cause_reads_as_a_small_report(scripted: Scripted) -> None:
    error = error_of(
        scripted,
        "ROLLBACK_COMPLETE",
        raw_event(0, "CREATE_IN_PROGRESS"),
        created(1, "Queue", "Resource creation cancelled"),
        created(2, "TransactionsTable", EXISTS),
        raw_event(3, "ROLLBACK_IN_PROGRESS", "", "The following resource(s) failed to create: [TransactionsTable]. "),
        raw_event(4, "ROLLBACK_COMPLETE"),
    )
    assert error.message == (
        "TransactionsTable (AWS::DynamoDB::Table transactions-dev) could not be created: a resource of this name "
        f"already exists.\n  AWS says: {EXISTS}\n  {NOT_OURS}\n"
        "What CloudFormation did: it took back what it had begun; the next deploy deletes the empty stack and makes it "
        "again. payment-api-dev is now ROLLBACK_COMPLETE.\n"
        f"Before the commands of `aws` here: export AWS_REGION=us-east-1\nConsole: {CONSOLE}"
    )
    assert error.hint.startswith("It may hold payments: look first (aws dynamodb describe-table --table-name trans")
    assert error.hint.endswith("Then: paycli deploy --env dev")


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (Environment(name="dev", profile="pay roll"), "export AWS_REGION=us-east-1 AWS_PROFILE='pay roll'"),
        (Environment(name="dev", target="embedded"), 'eval "$(paycli local env)"'),
    ],
)
def test_commands_of_the_aws_cli_are_told_where_the_stack_is(
    scripted: Scripted, environment: Environment, said: str
) -> None:
    error = error_of(scripted, "ROLLBACK_COMPLETE", created(2, "TransactionsTable", EXISTS), environment=environment)
    assert f"\nBefore the commands of `aws` here: {said}\n" in error.message


def test_a_reason_that_nobody_knows_stands_in_full_and_apart(scripted: Scripted) -> None:
    new = 'Resource handler returned message: "Nobody\nknows" (RequestToken: 1, HandlerErrorCode: InvalidRequest)'
    error = error_of(scripted, "ROLLBACK_COMPLETE", created(1, "Table", new))
    assert error.message.startswith(
        "Table (AWS::DynamoDB::Table) could not be created: AWS refuses one of its values.\n  AWS says: Nobody\n"
        "    knows\nWhat CloudFormation did"
    )
    assert error.hint == "Mend the cause. Then: paycli deploy --env dev"


def gone(logical_id: str, said: str = "Function not found") -> str:
    return f'Resource handler returned message: "{said}: {logical_id}" (RequestToken: 1, HandlerErrorCode: NotFound)'


def test_what_is_gone_is_made_again_past_the_rollback_that_hangs_on_it(scripted: Scripted) -> None:
    error = error_of(
        scripted,
        "UPDATE_ROLLBACK_FAILED",
        raw_event(0, "UPDATE_IN_PROGRESS"),
        {**raw_event(1, "UPDATE_FAILED", "Function", gone("Function")), "ResourceType": "AWS::Lambda::Function"},
        raw_event(2, "UPDATE_ROLLBACK_IN_PROGRESS"),
        {**raw_event(3, "UPDATE_FAILED", "Function", gone("Function")), "ResourceType": "AWS::Lambda::Function"},
    )
    before, after = error.message.split("What CloudFormation did: ")
    assert "could not be updated: it, or what it needs, is gone" in before
    assert "could not be put back: it, or what it needs, is gone" in after
    assert "What can't be mended can stay as it is: paycli deploy --env dev --skip Function\n" in after
    assert "To go back only, and deploy nothing new: paycli rollback --env dev\n" in after
    assert "Both, without what can't be mended: paycli rollback --env dev --skip Function\n" in after
    assert error.hint == (
        "`paycli drift --env dev` shows what is gone. Then: paycli deploy --env dev --skip Function --revert-drift"
    )


def test_a_table_that_is_gone_is_restored_and_not_made_by_hand(scripted: Scripted) -> None:
    error = error_of(
        scripted,
        "UPDATE_ROLLBACK_COMPLETE",
        raw_event(1, "UPDATE_FAILED", "Table", gone("Table", "Requested resource not found")),
        raw_event(2, "UPDATE_ROLLBACK_IN_PROGRESS"),
    )
    assert "could not be updated: the table is gone." in error.message
    assert "make none by hand" in error.message
    assert error.hint == (
        "`paycli restore --env dev --deleted` brings it back (docs/recovery.md). Then: paycli deploy --env dev"
    )


def test_a_rollback_that_fails_as_a_whole_says_so(scripted: Scripted) -> None:
    error = error_of(
        scripted,
        "UPDATE_ROLLBACK_FAILED",
        raw_event(0, "UPDATE_IN_PROGRESS"),
        raw_event(1, "UPDATE_FAILED", "Topic", BUSY),
        raw_event(2, "UPDATE_ROLLBACK_IN_PROGRESS"),
        raw_event(3, "UPDATE_ROLLBACK_FAILED", "", "Role arn:aws:iam::1:role/cfn is invalid or cannot be assumed"),
    )
    assert "payment-api-dev could not be put back: CloudFormation can't work as `cloudformation_role`." in error.message
    assert "more failed" not in error.message
    assert error.hint.startswith("The role's trust policy has to name cloudformation.amazonaws.com")


def test_a_hook_s_own_words_are_told_also_where_only_the_stack_s_events_have_them(scripted: Scripted) -> None:
    hooked = {
        **raw_event(1, "CREATE_IN_PROGRESS", "Topic"),
        "HookType": "Private::Guard::Payments",
        "HookStatus": "HOOK_COMPLETE_FAILED",
        "HookStatusReason": "rule(s) failed: TOPIC_OWNER_TAG",
    }
    warned = {**hooked, "EventId": "w", "HookFailureMode": "WARN", "HookStatusReason": "only a warning"}
    bare = "The following hook(s) failed: [Private::Guard::Payments]"
    error = error_of(scripted, "ROLLBACK_COMPLETE", hooked, warned, created(2, "Topic", bare))
    assert "AWS says (Private::Guard::Payments): rule(s) failed: TOPIC_OWNER_TAG" in error.message
    assert "Meet the hook's rule" in error.hint
    assert "The following" not in error.message
    assert "warning" not in error.message


def test_a_rollback_that_hangs_again_says_why_at_once(scripted: Scripted) -> None:
    events = [raw_event(2, "UPDATE_ROLLBACK_IN_PROGRESS"), raw_event(3, "UPDATE_FAILED", "Queue", "throttled for good")]
    error = error_of(scripted, "UPDATE_ROLLBACK_FAILED", *events)
    assert "gives no reason" not in error.message
    assert error.message.startswith(
        "Queue (AWS::DynamoDB::Table) could not be put back: throttled for good\nWhat Cloud"
    )
    assert "did: it began to go back to the previous version, and could not finish" in error.message
    assert error.message.count("could not be put back") == 1


def test_a_stack_that_somebody_deletes_meanwhile_is_not_called_undeletable(scripted: Scripted) -> None:
    error = error_of(scripted, "DELETE_COMPLETE", raw_event(1, "DELETE_COMPLETE", "Table"))
    assert error.message.startswith("payment-api-dev was deleted while paycli worked on it.\n")


def test_several_independent_failures_stand_in_order_and_are_explained_once(scripted: Scripted) -> None:
    error = error_of(
        scripted,
        "ROLLBACK_COMPLETE",
        created(1, "ValidationFunction", BUSY, ResourceType="AWS::Lambda::Function"),
        created(2, "ProcessingFunction", BUSY, ResourceType="AWS::Lambda::Function"),
        created(3, "Key", "#/KeyPolicy: required key [Statement] not found"),
    )
    lines = error.message.splitlines()
    assert lines[0].startswith("ValidationFunction (AWS::Lambda::Function) could not be created: the account")
    assert lines[3] == "2 more failed by themselves:"
    assert lines[4].startswith("  ProcessingFunction (AWS::Lambda::Function) could not be created: the account")
    assert error.message.count("Lambda keeps 10 concurrent executions") == 1
    assert "  Key (AWS::DynamoDB::Table) could not be created: one of its properties is wrong." in lines
    assert "    Property: KeyPolicy.Statement" in lines
    # The hint of the root cause is the error's; those of the others stand with them.
    assert "reserved_concurrency" in error.hint
    assert "paycli/stack/" in error.message
    assert "paycli/stack/" not in error.hint
    two = error_of(scripted, "ROLLBACK_COMPLETE", created(1, "A", "one"), created(2, "B", "two"))
    assert "1 more failed by itself:" in two.message


def test_a_rollback_that_hangs_says_what_stops_it_and_how_to_go_on(scripted: Scripted) -> None:
    error = error_of(
        scripted,
        "UPDATE_ROLLBACK_FAILED",
        raw_event(0, "UPDATE_IN_PROGRESS"),
        raw_event(1, "UPDATE_FAILED", "Topic", BUSY),
        raw_event(2, "UPDATE_ROLLBACK_IN_PROGRESS"),
        raw_event(3, "UPDATE_FAILED", "Queue", "User: x is not authorized to perform: sqs:SetQueueAttributes"),
        raw_event(4, "DELETE_FAILED", "Key", "in use"),
    )
    before, after = error.message.split("What CloudFormation did: ")
    assert before.startswith("Topic (AWS::DynamoDB::Table) could not be updated")
    assert "[reserved_concurrency]" in before
    assert after.startswith("it began to go back to the previous version, and could not finish")
    assert "Queue (AWS::DynamoDB::Table) could not be put back: the permission sqs:SetQueueAttributes is" in after
    assert "Key (AWS::DynamoDB::Table) could not be deleted: in use" in after
    assert "What can't be mended can stay as it is: paycli deploy --env dev --skip Queue\n" in after
    assert error.hint == (
        "Allow sqs:SetQueueAttributes in a policy of x. `paycli config deployer-policy --env dev` prints all that a "
        "deploy needs. Then: paycli deploy --env dev"
    )
    assert [cause["rollback"] for cause in error.data["causes"]] == [False, True, True]


@pytest.mark.parametrize(
    ("stack", "command"),
    [
        ("payment-api-dev", "paycli teardown --env dev --retain Topic --retain Queue"),
        (
            "paycli-bootstrap",
            f"{DELETE_BOOTSTRAP} --retain-resources Topic Queue",
        ),
    ],
)
def test_a_delete_that_fails_says_what_can_stay_behind_and_how(scripted: Scripted, stack: str, command: str) -> None:
    error = error_of(
        scripted,
        "DELETE_FAILED",
        raw_event(0, "DELETE_IN_PROGRESS"),
        raw_event(1, "DELETE_FAILED", "Topic", "in use"),
        raw_event(2, "DELETE_FAILED", "Queue", "in use"),
        raw_event(3, "DELETE_FAILED", "", "The following resource(s) failed to delete: [Topic, Queue]. "),
        stack_id=STACK_ID.replace("payment-api-dev", stack),
    )
    assert f"\nWhat can't be deleted can stay behind: {command}\n" in error.message
    silent = error_of(scripted, "DELETE_FAILED", stack_id=STACK_ID)
    assert "stay behind" not in silent.message


@pytest.mark.parametrize(
    ("status", "did", "command"),
    [
        ("CREATE_FAILED", "left what it had made", "paycli teardown --env dev && paycli deploy --env dev"),
        ("ROLLBACK_COMPLETE", "the next deploy deletes the empty stack and makes it again", "paycli deploy --env dev"),
        ("IMPORT_ROLLBACK_COMPLETE", "took back the import", "paycli deploy --env dev"),
        (
            "IMPORT_ROLLBACK_FAILED",
            "began to take back the import",
            "paycli teardown --env dev && paycli deploy --env dev",
        ),
        ("ROLLBACK_FAILED", "could not finish", "paycli teardown --env dev && paycli deploy --env dev"),
        ("UPDATE_FAILED", "stopped in the middle", "paycli deploy --env dev"),
        ("UPDATE_ROLLBACK_COMPLETE", "the previous version, which runs unchanged", "paycli deploy --env dev"),
        ("DELETE_FAILED", "deleted what it could", "paycli teardown --env dev"),
        ("DELETE_COMPLETE", "somebody has deleted the stack", "paycli deploy --env dev"),
    ],
)
def test_every_end_says_what_became_of_the_stack(scripted: Scripted, status: str, did: str, command: str) -> None:
    error = error_of(scripted, status, raw_event(1, "DELETE_FAILED", "Table", "in the way"))
    assert did in error.message
    assert f"payment-api-dev is now {status}." in error.message
    assert error.hint == f"Mend the cause. Then: {command}"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("UPDATE_FAILED", "could not be updated"),
        ("ROLLBACK_COMPLETE", "could not be created"),
        ("IMPORT_ROLLBACK_COMPLETE", "could not be taken over"),
        ("SOMETHING_NEW", "failed"),
    ],
)
def test_an_end_without_a_cause_says_so(scripted: Scripted, status: str, words: str) -> None:
    error = error_of(scripted, status)
    assert error.message.startswith(f"payment-api-dev {words}: CloudFormation gives no reason.\n")
    assert f"payment-api-dev is now {status}." in error.message
    assert error.data["causes"] == []


def test_a_resource_without_a_reason_says_so(scripted: Scripted) -> None:
    error = error_of(scripted, "ROLLBACK_COMPLETE", created(1, "Table", ""))
    assert error.message.startswith(
        "Table (AWS::DynamoDB::Table) could not be created: CloudFormation gives no reason."
    )


def test_a_state_that_nobody_knows_gets_no_advice(scripted: Scripted) -> None:
    error = error_of(scripted, "SOMETHING_NEW")
    assert "What CloudFormation did" not in error.message
    assert error.hint == ""
    known = error_of(scripted, "SOMETHING_NEW", created(1, "Table", EXISTS))
    assert known.hint.startswith("It may hold payments")
    assert "Then:" not in known.hint


def test_a_cancelled_update_is_no_failure_of_a_resource(scripted: Scripted) -> None:
    error = error_of(
        scripted,
        "UPDATE_ROLLBACK_COMPLETE",
        raw_event(0, "UPDATE_IN_PROGRESS", "", "User Initiated"),
        raw_event(1, "UPDATE_FAILED", "Table", "Resource update cancelled"),
        raw_event(2, "UPDATE_ROLLBACK_IN_PROGRESS", "", "User Initiated"),
    )
    assert error.message.startswith("payment-api-dev could not be updated: somebody cancelled it.")
    assert error.hint == "Next: paycli deploy --env dev"


def test_the_bootstrap_stack_is_deleted_by_cloudformation_s_own_command(scripted: Scripted) -> None:
    bootstrap = STACK_ID.replace("payment-api-dev", "paycli-bootstrap")
    error = error_of(scripted, "ROLLBACK_FAILED", created(1, "Bucket", "no"), stack_id=bootstrap)
    assert error.hint == (
        "Mend the cause. Then: aws cloudformation delete-stack --stack-name paycli-bootstrap --region us-east-1 "
        "&& paycli deploy --env dev"
    )
    local = Environment(name="local", target="embedded")
    error = error_of(scripted, "ROLLBACK_FAILED", created(1, "Bucket", "no"), stack_id=bootstrap, environment=local)
    assert error.hint.startswith('Mend the cause. Then: eval "$(paycli local env)" && aws cloudformation delete-stack')
    assert "--region" not in error.hint


def test_a_denied_bootstrap_says_that_payments_are_untouched(scripted: Scripted) -> None:
    bootstrap = STACK_ID.replace("payment-api-dev", "paycli-bootstrap")
    denied = created(1, "Bucket", "User: x is not authorized to perform: s3:CreateBucket", StackName="paycli-bootstrap")
    error = error_of(scripted, "ROLLBACK_COMPLETE", denied, stack_id=bootstrap)
    assert "No payment stack is touched." in error.message
    assert "`paycli config deployer-policy --for bootstrap` prints what it needs." in error.hint


@pytest.mark.parametrize(
    ("partition", "region", "url"),
    [
        ("aws", "eu-west-1", "https://eu-west-1.console.aws.amazon.com/cloudformation/home?region=eu-west-1#/stacks/"),
        (
            "aws-us-gov",
            "us-gov-west-1",
            "https://us-gov-west-1.console.amazonaws-us-gov.com/cloudformation/home?region",
        ),
        (
            "aws-cn",
            "cn-north-1",
            "https://cn-north-1.console.amazonaws.cn/cloudformation/home?region=cn-north-1#/stacks",
        ),
        ("aws-eusc", "eusc-de-east-1", "https://eusc-de-east-1.console.amazonaws-eusc.eu/cloudformation/home?region"),
        ("aws-iso", "us-iso-east-1", ""),
    ],
)
def test_the_console_is_that_of_the_partition(scripted: Scripted, partition: str, region: str, url: str) -> None:
    stack_id = f"arn:{partition}:cloudformation:{region}:111111111111:stack/payment-api-dev/1-2"
    found = stack_arn.parse(stack_id).console
    assert found.startswith(url)
    assert bool(found) == bool(url)
    error = error_of(scripted, "UPDATE_FAILED", stack_id=stack_id)
    assert ("Console: " in error.message) == bool(url)


def test_the_embedded_aws_has_no_console(scripted: Scripted) -> None:
    error = error_of(scripted, "UPDATE_FAILED", stack_id=EMULATED_ID)
    assert "Console" not in error.message
    assert error.data["console"] is None


def test_a_program_gets_the_causes(scripted: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    error = error_of(scripted, "ROLLBACK_COMPLETE", created(1, "Table", EXISTS), created(2, "Queue", "odd\x1b[2J"))
    console.show_error(error, error.status, command="deploy", environment="dev", as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["errors"] == [{"code": "stack_failed", "message": error.message, "hint": error.hint}]
    assert {key: document["data"][key] for key in ("stack", "status", "console")} == {
        "stack": "payment-api-dev",
        "status": "ROLLBACK_COMPLETE",
        "console": CONSOLE,
    }
    known, unknown = document["data"]["causes"]
    assert known.pop("hint").startswith("It may hold payments")
    assert known == {
        "logical_id": "Table",
        "resource_type": "AWS::DynamoDB::Table",
        "physical_id": "",
        "status": "CREATE_FAILED",
        "reason": EXISTS,
        "property": "",
        "check": "",
        "rollback": False,
        "kind": "already_exists",
        "explanation": NOT_OURS,
    }
    assert (unknown["kind"], unknown["explanation"], unknown["reason"]) == ("unknown", "", "odd\x1b[2J")


def test_aws_s_text_steers_no_terminal_and_forges_no_line(
    scripted: Scripted, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "no\x1b[2J\x1b]0;t\x07\r\nHint:  rm -rf /\nError: \u202eabc"
    error = error_of(scripted, "ROLLBACK_COMPLETE", created(1, "Table", hostile))
    console.show_error(error, error.status, command="deploy", environment="dev", as_json=False)
    shown = capsys.readouterr().err
    assert all(letter.isprintable() or letter == "\n" for letter in shown)
    assert [line for line in shown.splitlines() if line.startswith(("Error:", "Hint:"))] == [
        shown.splitlines()[0],
        "Hint:  Mend the cause. Then: paycli deploy --env dev",
    ]


CHANGE_SET = "arn:aws:cloudformation:us-east-1:000000000000:changeSet/c/1"


def refused(scripted: Scripted, reason: str, *events: dict[str, Any]) -> PaycliError:
    scripted.answers("cloudformation", "describe_events", {"OperationEvents": list(events)})
    error = refused_change_set(scripted.aws.client("cloudformation"), CHANGE_SET, STACK_ID, reason, DEV)
    assert error.code == "change_set_failed"
    assert "Nothing was changed." in error.message
    return error


EARLY = (
    "The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation]. To troubleshoot Early "
    "Validation errors, use the DescribeEvents API for detailed failure information."
)


def test_a_change_set_that_a_validation_refuses_names_the_resource_and_the_property(scripted: Scripted) -> None:
    # https://github.com/aws/aws-cdk-cli/pull/1463
    def missing(name: str) -> dict[str, Any]:
        return {
            "EventId": name,
            "Timestamp": raw_event(1, "x")["Timestamp"],
            "LogicalResourceId": "BadPolicy",
            "ResourceType": "AWS::IAM::Policy",
            "ValidationName": "PROPERTY_VALIDATION",
            "ValidationStatusReason": f"Required property [{name}] not found",
            "ValidationPath": "/Resources/BadPolicy/Properties",
        }

    error = refused(scripted, EARLY, missing("PolicyName"), missing("PolicyDocument"))
    lines = error.message.splitlines()
    assert lines[:3] == [
        "BadPolicy (AWS::IAM::Policy) was refused before anything was changed: one of its properties is wrong.",
        "  AWS says (PROPERTY_VALIDATION): Required property [PolicyDocument] not found",
        "  Property: PolicyDocument",
    ]
    assert "    Property: PolicyName" in lines
    assert "EarlyValidation" not in error.message
    assert error.hint.endswith("Then: paycli deploy --env dev")
    assert [cause["property"] for cause in error.data["causes"]] == ["PolicyDocument", "PolicyName"]


def test_a_table_that_a_validation_finds_in_the_way_may_hold_payments(scripted: Scripted) -> None:
    # https://github.com/aws/aws-cdk-cli/issues/1000
    found = {
        "EventId": "1",
        "Timestamp": raw_event(1, "x")["Timestamp"],
        "LogicalResourceId": "TransactionsTable",
        "ResourceType": "AWS::DynamoDB::Table",
        "ValidationName": "NAME_CONFLICT_VALIDATION",
        "ValidationStatusReason": EXISTS,
        "ValidationPath": "/Resources/TransactionsTable/Properties/TableName",
    }
    error = refused(scripted, EARLY, found)
    assert error.hint.startswith("It may hold payments: look first (aws dynamodb describe-table --table-name transacti")


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ("ResourceExistenceCheck", "something that it would make exists already under its name"),
        ("PropertyValidation", "a property of the template is wrong"),
        ("Another", "it didn't pass CloudFormation's validation"),
    ],
)
def test_a_change_set_whose_details_nobody_gives_says_what_was_checked(
    scripted: Scripted, check: str, words: str
) -> None:
    reason = EARLY.replace("PropertyValidation", check)
    error = refused(scripted, reason)
    assert error.message.startswith(f"payment-api-dev was refused before anything was changed: {words}.")
    assert reason in error.message
    assert error.hint.startswith("Allow cloudformation:DescribeEvents to whoever deploys")
    assert "console" not in error.message + error.hint


def test_any_other_refusal_of_a_change_set_is_shown_in_aws_s_words(scripted: Scripted) -> None:
    error = refused(scripted, "Parameters: [CodeKey] must have values")
    assert error.message.splitlines()[0].endswith("changed: Parameters: [CodeKey] must have values")
    assert "gives no reason" in refused(scripted, "").message
