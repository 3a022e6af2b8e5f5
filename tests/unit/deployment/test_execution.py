"""What an execution does at its edges, where no stack can be made to stand."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from botocore.response import StreamingBody

from paycli.aws import Caller
from paycli.aws_errors import is_temporary
from paycli.deployment import artifacts, execution, follow, running, undoing
from paycli.deployment.changeset import ChangeSet, Wanted
from paycli.deployment.plan import Plan
from paycli.deployment.records import Record, Version
from paycli.environment import Environment
from paycli.errors import ExitStatus, PaycliError
from paycli.foreign_answers import ForeignAnswerError
from tests.scripted import STACK_ID, Scripted, raw_event

DEV = Environment(name="dev")


def plan(scripted: Scripted) -> Plan:
    return Plan(
        environment=DEV,
        caller=Caller("1" * 12, "arn:aws:iam::111111111111:user/dev", "here"),
        stack=None,
        wanted=Wanted({"TemplateBody": "{}"}, {"CodeKey": "k"}, creates=False, description="d"),
        body="{}",
        version=Version(template_sha256="t", code_key="code/k.zip", paycli="1", commit=""),
        bucket=artifacts.bucket_of(scripted.aws, "bucket-1", "1" * 12),
        change_set=ChangeSet("arn:aws:cloudformation:x:0:changeSet/c/1", STACK_ID, "payment-api-dev", False, ()),
    )


def test_a_stack_without_outputs_is_not_deployed(scripted: Scripted, tmp_path: Path) -> None:
    with pytest.raises(PaycliError, match="isn't deployed"):
        execution.execute(scripted.aws, replace(plan(scripted), change_set=None), tmp_path, scripted.reported.append)


def test_a_deploy_that_is_not_done_in_time_stays_in_progress_on_record(
    scripted: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never_done(*_: object, **__: object) -> None:
        raise PaycliError("isn't done", code=follow.DEADLINE_CODE)

    monkeypatch.setattr(follow, "follow", never_done)
    scripted.answers("s3", "put_object", {})  # the template
    scripted.answers("s3", "list_objects_v2", {})
    scripted.answers("s3", "put_object", {})  # the record, as it begins: no second one follows
    scripted.events(raw_event(1, "UPDATE_COMPLETE"))
    scripted.answers("cloudformation", "execute_change_set", {})
    with pytest.raises(PaycliError, match="isn't done"):
        execution.execute(scripted.aws, plan(scripted), tmp_path, scripted.reported.append)


def away(scripted: Scripted) -> None:
    """Script the next ExecuteChangeSet: AWS fails, and tells nothing."""
    scripted.stub("cloudformation").add_client_error("execute_change_set", "ServiceUnavailable", http_status_code=503)


@pytest.mark.parametrize("status", ["EXECUTE_IN_PROGRESS", "OBSOLETE"])
def test_an_answer_that_was_lost_was_a_yes_where_the_change_set_is_executed(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    monkeypatch.setattr(follow, "_SHORTEST", 0.0)
    scripted.events(raw_event(1, "CREATE_COMPLETE"))
    away(scripted)
    scripted.fails("cloudformation", "execute_change_set", "InvalidChangeSetStatus", "it can't")
    scripted.answers("cloudformation", "describe_change_set", {"ExecutionStatus": status})
    begun = plan(scripted)
    assert begun.change_set
    if status == "OBSOLETE":  # another deploy came first
        with pytest.raises(PaycliError, match="has moved since the plan was made"):
            running.run(scripted.aws, begun, begun.change_set, scripted.reported.append)
        return
    scripted.events(raw_event(1, "CREATE_COMPLETE"), raw_event(2, "UPDATE_COMPLETE"))
    assert running.run(scripted.aws, begun, begun.change_set, scripted.reported.append).status == "UPDATE_COMPLETE"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("EXECUTE_COMPLETE", "too late to undo it: another deploy of it has begun"),
        ("EXECUTE_FAILED", "too late to undo it: another deploy of it has begun"),
        ("OBSOLETE", "before CloudFormation began: what runs on payment-api-dev is another deploy's, since "),
        (None, "before CloudFormation began: what runs on payment-api-dev is another deploy's, since "),
    ],
)
def test_what_another_deploy_has_begun_since_is_left_alone(scripted: Scripted, status: str | None, said: str) -> None:
    scripted.answers("s3", "list_objects_v2", {})
    scripted.stands("UPDATE_IN_PROGRESS", ChangeSetId="another")
    if status:
        scripted.answers("cloudformation", "describe_change_set", {"ExecutionStatus": status})
    else:
        scripted.fails("cloudformation", "describe_change_set", "ChangeSetNotFound")
    if not status or status == "OBSOLETE":
        scripted.fails("cloudformation", "delete_change_set", "InvalidChangeSetStatus")
        scripted.answers("cloudformation", "describe_change_set", {"ChangeSetName": "theirs"})
    undone = undoing.undo(scripted.aws, plan(scripted), scripted.reported.append)
    assert said in undone.message
    scripted.all_was_asked()


@pytest.mark.parametrize(
    ("execution", "status"), [("EXECUTE_COMPLETE", "UPDATE_COMPLETE"), ("EXECUTE_FAILED", "UPDATE_ROLLBACK_COMPLETE")]
)
def test_where_no_change_set_is_named_its_own_status_tells(scripted: Scripted, execution: str, status: str) -> None:
    """As by the embedded AWS."""
    scripted.answers("s3", "list_objects_v2", {})
    scripted.stands(status)
    scripted.answers("cloudformation", "describe_change_set", {"ExecutionStatus": execution})
    undone = undoing.undo(scripted.aws, plan(scripted), scripted.reported.append)
    assert undone.message == f"Interrupted, too late to undo it: payment-api-dev is {status}."
    scripted.all_was_asked()


def test_an_update_that_adds_the_rest_for_another_deploy_is_left_alone(scripted: Scripted) -> None:
    scripted.answers("s3", "list_objects_v2", {})
    scripted.stands("UPDATE_IN_PROGRESS", ChangeSetId="another")
    scripted.answers("cloudformation", "describe_change_set", {"ExecutionStatus": "EXECUTE_COMPLETE"})
    undone = undoing.undo(scripted.aws, replace(plan(scripted), change_set=IMPORT), scripted.reported.append)
    assert undone.message == "Interrupted: payment-api-dev has what was kept, and another deploy goes on with it."
    scripted.all_was_asked()


def test_records_that_cannot_be_read_are_in_no_undoings_way(scripted: Scripted) -> None:
    scripted.fails("s3", "list_objects_v2", "AccessDenied")
    begun = plan(scripted)
    assert begun.change_set
    scripted.stands("UPDATE_IN_PROGRESS", ChangeSetId=begun.change_set.change_set_id)
    scripted.events(raw_event(1, "UPDATE_IN_PROGRESS"))
    scripted.answers("cloudformation", "cancel_update_stack", {})
    scripted.events(raw_event(1, "UPDATE_IN_PROGRESS"), raw_event(2, "UPDATE_ROLLBACK_COMPLETE"))
    scripted.events(raw_event(1, "UPDATE_IN_PROGRESS"), raw_event(2, "UPDATE_ROLLBACK_COMPLETE"))
    undone = undoing.undo(scripted.aws, begun, scripted.reported.append)
    assert undone.message == "Interrupted: the update is cancelled, payment-api-dev is as it was before."


@pytest.mark.parametrize("keeps", [True, False])
def test_what_a_deleted_create_has_left_may_not_be_readable(scripted: Scripted, keeps: bool) -> None:
    creating = plan(scripted)
    assert creating.change_set
    environment = Environment(name="dev", retain_data=keeps)
    creating = replace(creating, environment=environment, change_set=replace(creating.change_set, creates=True))
    assert creating.change_set
    scripted.answers("s3", "list_objects_v2", {})
    scripted.stands("CREATE_IN_PROGRESS", ChangeSetId=creating.change_set.change_set_id)
    scripted.events(raw_event(1, "CREATE_IN_PROGRESS"))
    scripted.answers("cloudformation", "delete_stack", {})
    scripted.events(raw_event(1, "CREATE_IN_PROGRESS"), raw_event(2, "DELETE_COMPLETE"))
    scripted.fails("cloudformation", "list_stack_resources", "AccessDenied")
    undone = undoing.undo(scripted.aws, creating, scripted.reported.append)
    assert undone.message.startswith("Interrupted: what the create of payment-api-dev had made is deleted again")
    assert ("what `paycli teardown` names" in undone.message) is keeps


def test_a_create_that_shows_late_is_taken_back(scripted: Scripted) -> None:
    creating = plan(scripted)
    assert creating.change_set
    creating = replace(creating, change_set=replace(creating.change_set, creates=True))
    scripted.answers("s3", "list_objects_v2", {})
    scripted.stands("REVIEW_IN_PROGRESS")
    scripted.answers("cloudformation", "describe_change_set", {"ExecutionStatus": "EXECUTE_IN_PROGRESS"})
    scripted.events(raw_event(1, "CREATE_IN_PROGRESS"))
    scripted.answers("cloudformation", "delete_stack", {})
    scripted.events(raw_event(1, "CREATE_IN_PROGRESS"), raw_event(2, "DELETE_COMPLETE"))
    scripted.answers("cloudformation", "list_stack_resources", {"StackResourceSummaries": []})
    undone = undoing.undo(scripted.aws, creating, scripted.reported.append)
    assert undone.message == "Interrupted: what the create of payment-api-dev had made is deleted again."


def test_a_stack_that_is_gone_by_now_needs_no_undoing(scripted: Scripted) -> None:
    scripted.answers("s3", "list_objects_v2", {})
    scripted.stands(None)
    scripted.answers("cloudformation", "delete_change_set", {})
    undone = undoing.undo(scripted.aws, plan(scripted), scripted.reported.append)
    assert undone.message == "Interrupted before CloudFormation began: payment-api-dev is unchanged."


@pytest.mark.parametrize("code", ["ChangeSetNotFound", "InvalidChangeSetStatus"])
def test_a_change_set_that_is_gone_or_can_no_longer_be_executed_belongs_to_an_outdated_plan(
    scripted: Scripted, code: str
) -> None:
    scripted.events(raw_event(1, "CREATE_COMPLETE"))
    scripted.fails("cloudformation", "execute_change_set", code, "it does not exist")
    planned = plan(scripted)
    assert planned.change_set
    with pytest.raises(PaycliError, match="has moved since the plan was made: it does not exist") as caught:
        running.run(scripted.aws, planned, planned.change_set, scripted.reported.append)
    assert caught.value.code == "plan_outdated"


def test_where_aws_stays_away_it_may_have_begun(
    scripted: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_SHORTEST", 0.0)
    monkeypatch.setattr(follow, "SILENCE_SECONDS", -1.0)
    scripted.answers("s3", "put_object", {})
    scripted.answers("s3", "list_objects_v2", {})
    scripted.answers("s3", "put_object", {})
    scripted.events(raw_event(1, "CREATE_COMPLETE"))
    away(scripted)
    away(scripted)
    with pytest.raises(ClientError) as caught:
        execution.execute(scripted.aws, plan(scripted), tmp_path, scripted.reported.append)
    assert caught.value.__notes__ == ["CloudFormation may have begun: the same command finds out, and goes on."]


def test_the_cause_is_told_also_where_it_cannot_be_recorded(scripted: Scripted, tmp_path: Path) -> None:
    scripted.answers("s3", "put_object", {})
    scripted.answers("s3", "list_objects_v2", {})
    scripted.answers("s3", "put_object", {})
    scripted.events(raw_event(1, "CREATE_COMPLETE"))
    scripted.fails("cloudformation", "execute_change_set", "ExpiredToken")
    scripted.fails("cloudformation", "delete_change_set", "ExpiredToken")
    scripted.fails("s3", "put_object", "ExpiredToken")
    with pytest.raises(PaycliError, match="The credentials have expired") as caught:
        execution.execute(scripted.aws, plan(scripted), tmp_path, scripted.reported.append)
    assert caught.value.message.endswith("\nNothing of the change is done.")
    assert caught.value.status is ExitStatus.CONFIGURATION


IMPORT = ChangeSet("arn:aws:cloudformation:x:0:changeSet/c/1", STACK_ID, "payment-api-dev", True, (), imports=True)
OUTPUTS = [{"OutputKey": "RestApiId", "OutputValue": "a"}]


@pytest.mark.parametrize("ended", ["UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_what_serves_already_after_an_import_is_not_taken_back(scripted: Scripted, ended: str) -> None:
    """Only the table's deletion protection is under way then."""
    taking_up = replace(plan(scripted), change_set=IMPORT)
    scripted.stands("UPDATE_IN_PROGRESS", Outputs=OUTPUTS, ChangeSetId="other")
    scripted.events(raw_event(1, "UPDATE_IN_PROGRESS"))
    scripted.events(raw_event(1, "UPDATE_IN_PROGRESS"), raw_event(2, ended))
    if "ROLLBACK" in ended:
        scripted.events(raw_event(1, "UPDATE_IN_PROGRESS"), raw_event(2, ended))
    begun = Record(
        number=1,
        environment="dev",
        stack_id=STACK_ID,
        change_set_id="other",
        reviewed_change_set_id=IMPORT.change_set_id,
        version=taking_up.version,
        deployer="d",
        started_at="2026-11-01T12:00:00Z",
        changes=1,
    )
    scripted.answers("s3", "list_objects_v2", {"Contents": [{"Key": "deployments/dev/000001.json"}]})
    body = StreamingBody(io.BytesIO(begun.model_dump_json().encode()), len(begun.model_dump_json()))
    scripted.answers("s3", "get_object", {"Body": body})
    scripted.answers("s3", "put_object", {})
    undone = undoing.undo(scripted.aws, taking_up, scripted.reported.append)
    assert undone.message == f"Interrupted, too late to undo it: payment-api-dev is {ended}."


def test_an_import_that_failed_while_it_was_interrupted_is_told(scripted: Scripted) -> None:
    scripted.stands("ROLLBACK_COMPLETE", ChangeSetId=IMPORT.change_set_id)
    scripted.answers("s3", "list_objects_v2", {})
    undone = undoing.undo(scripted.aws, replace(plan(scripted), change_set=IMPORT), scripted.reported.append)
    assert undone.message == "Interrupted, too late to undo it: payment-api-dev is ROLLBACK_COMPLETE."


def answered(code: str, status: int) -> ClientError:
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "DescribeStackEvents")


@pytest.mark.parametrize(
    ("error", "temporary"),
    [
        (answered("Throttling", 400), True),
        (answered("ServiceUnavailable", 503), True),
        (answered("AccessDenied", 403), False),
        (exceptions.EndpointConnectionError(endpoint_url="https://x"), True),
        (exceptions.ReadTimeoutError(endpoint_url="https://x"), True),
        (ForeignAnswerError(operation="DescribeStackEvents"), True),
        (ResponseParserError("Unable to parse response, invalid XML received."), True),
        (ValueError("x"), False),
    ],
)
def test_what_is_waited_out(error: Exception, temporary: bool) -> None:
    assert is_temporary(error) is temporary
