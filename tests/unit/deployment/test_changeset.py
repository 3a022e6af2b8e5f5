"""Change sets: what they say, and that none stays behind."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import ANY

from paycli.deployment import changeset
from paycli.deployment.changeset import Cause, Change, ChangeSet, Wanted
from paycli.deployment.plan import guard
from paycli.environment import Environment
from paycli.errors import PaycliError
from tests.scripted import STACK_ID, Scripted

ID = "arn:aws:cloudformation:us-east-1:000000000000:changeSet/c/1"
DEV = Environment(name="dev", deployment_mode="express")


def made(scripted: Scripted, environment: Environment = DEV, *, creates: bool = False, **more: Any) -> ChangeSet | None:
    wanted = Wanted({"TemplateBody": "{}"}, {"CodeKey": "k"}, creates=creates, description="d", **more)
    return changeset.create(scripted.aws.client("cloudformation"), environment, wanted)


def begins(scripted: Scripted, **expected: Any) -> None:
    parameters = {**REQUEST, **expected} if expected else None
    scripted.stub("cloudformation").add_response("create_change_set", {"Id": ID, "StackId": STACK_ID}, parameters)


REQUEST: dict[str, Any] = {
    "StackName": "payment-api-dev",
    "ChangeSetName": ANY,
    "ClientToken": ANY,
    "ChangeSetType": "UPDATE",
    "Description": "d",
    "TemplateBody": "{}",
    "Parameters": [{"ParameterKey": "CodeKey", "ParameterValue": "k"}],
    "Capabilities": ["CAPABILITY_IAM"],
    "Tags": ANY,
}


def computed(scripted: Scripted, *changes: dict[str, Any], status: str = "CREATE_COMPLETE", **more: Any) -> None:
    described = {"Status": status, "Changes": [{"Type": "Resource", "ResourceChange": change} for change in changes]}
    scripted.answers("cloudformation", "describe_change_set", {**described, **more})


def change(action: str, logical_id: str, kind: str = "AWS::SNS::Topic", **more: Any) -> dict[str, Any]:
    return {"Action": action, "LogicalResourceId": logical_id, "ResourceType": kind, **more}


def test_a_plan_has_every_page_and_its_destructive_rows_first(scripted: Scripted) -> None:
    begins(scripted)
    computed(scripted, status="CREATE_IN_PROGRESS")
    topic = change(
        "Modify",
        "Topic",
        Replacement="False",
        Details=[
            {"Target": {"Attribute": "Properties", "Name": "DisplayName"}},
            {"Target": {"Attribute": "Tags"}},
            {"Target": {"Attribute": "Tags"}},
            {
                "Target": {
                    "Attribute": "Properties",
                    "Name": "Endpoint",
                    "Path": "/Properties/Subscription/0/Endpoint",
                    "BeforeValue": "x" * 300,
                    "AfterValue": "new",
                    "Drift": {"PreviousValue": "y", "ActualValue": "z"},
                }
            },
            {"Target": {"Attribute": "Properties", "Name": "Subscription.0.Endpoint"}},
            {},
        ],
    )
    computed(scripted, change("Add", "New"), change("Dynamic", "Later"), topic, NextToken="more")
    computed(scripted, change("Remove", "OldTopic"), change("Remove", "Table", "AWS::DynamoDB::Table"))
    plan = made(scripted)
    assert plan is not None
    assert [entry.logical_id for entry in plan.changes] == ["Table", "OldTopic", "Topic", "New", "Later"]
    assert [cause.name for cause in plan.changes[2].causes] == ["DisplayName", "Tags", "Subscription.0.Endpoint"]
    endpoint = plan.changes[2].causes[2]
    assert (len(endpoint.before), endpoint.after, endpoint.drifted) == (300, "new", True)
    assert plan.changes[0].loses_data


def test_an_update_is_watched_by_the_alarms(scripted: Scripted) -> None:
    arn = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:validation-errors-dev"
    triggers = [{"Arn": arn, "Type": "AWS::CloudWatch::Alarm"}]
    watched = {"RollbackTriggers": triggers, "MonitoringTimeInMinutes": 7}
    begins(scripted, RollbackConfiguration=watched, DeploymentMode="REVERT_DRIFT")
    computed(scripted)
    standard = Environment(name="dev", rollback_monitoring_minutes=7)
    assert made(scripted, standard, alarms=(arn,), revert_drift=True) is not None


def test_an_update_without_alarms_takes_away_those_that_cloudformation_has_saved(scripted: Scripted) -> None:
    begins(scripted, RollbackConfiguration={"RollbackTriggers": [], "MonitoringTimeInMinutes": 0})
    computed(scripted)
    assert made(scripted, Environment(name="dev", rollback_monitoring_minutes=7)) is not None


def test_nothing_new_is_no_plan_and_leaves_no_change_set(scripted: Scripted) -> None:
    begins(scripted)
    computed(scripted, status="FAILED", StatusReason="The submitted information didn't contain changes.")
    scripted.answers("cloudformation", "delete_change_set", {})
    assert made(scripted) is None


def test_a_refusal_is_shown_in_aws_s_words_and_leaves_no_empty_stack(scripted: Scripted) -> None:
    begins(scripted)
    computed(scripted, status="FAILED", StatusReason="Template error: x")
    scripted.answers("cloudformation", "describe_events", {"OperationEvents": []})  # before they go with the plan
    scripted.leaves_an_empty_stack()
    with pytest.raises(PaycliError, match="Template error: x"):
        made(scripted, Environment(name="dev", cloudformation_role="arn:aws:iam::111111111111:role/r"), creates=True)


OTHER = "arn:aws:cloudformation:us-east-1:000000000000:changeSet/other/1"


@pytest.mark.parametrize(
    ("status", "listed"), [("CREATE_IN_PROGRESS", None), (None, None), ("REVIEW_IN_PROGRESS", OTHER)]
)
def test_a_stack_that_another_deploy_has_taken_on_is_not_deleted(
    scripted: Scripted, status: str | None, listed: str | None
) -> None:
    scripted.answers("cloudformation", "delete_change_set", {})
    scripted.stands(status)
    if listed:
        scripted.answers("cloudformation", "list_change_sets", {"Summaries": [{"ChangeSetId": listed}]})
    changeset.discard(scripted.aws.client("cloudformation"), ID, STACK_ID, creates=True)


def test_a_stack_that_another_deploy_is_creating_is_busy(scripted: Scripted) -> None:
    said = "Stack [payment-api-dev] already exists and cannot be created again with the changeSet [paycli-1]."
    scripted.fails("cloudformation", "create_change_set", "ValidationError", said)
    scripted.answers("cloudformation", "delete_change_set", {})
    scripted.stands("CREATE_IN_PROGRESS")
    with pytest.raises(PaycliError, match="being created") as caught:
        made(scripted, creates=True)
    assert caught.value.code == "in_progress"


@pytest.mark.parametrize(
    "said",
    [
        # https://github.com/cloudtools/stacker/issues/8 has the words, there of another state
        f"Stack:{STACK_ID} is in UPDATE_IN_PROGRESS state and can not be updated.",
        "Stack [payment-api-dev] cannot be updated while in status UPDATE_IN_PROGRESS",
    ],
)
def test_a_stack_that_another_deploy_updates_meanwhile_is_busy(scripted: Scripted, said: str) -> None:
    scripted.fails("cloudformation", "create_change_set", "ValidationError", said)
    scripted.fails("cloudformation", "delete_change_set", "ValidationError", "no")
    with pytest.raises(PaycliError, match="is UPDATE_IN_PROGRESS: something else works on it") as caught:
        made(scripted)
    assert caught.value.code == "in_progress"


def test_a_plan_that_cannot_be_read_is_taken_back(scripted: Scripted) -> None:
    begins(scripted)
    scripted.fails("cloudformation", "describe_change_set", "ExpiredToken")
    scripted.answers("cloudformation", "delete_change_set", {})
    with pytest.raises(Exception, match="ExpiredToken"):
        made(scripted)


@pytest.mark.parametrize("creates", [True, False])
def test_a_plan_whose_reply_is_lost_is_taken_back_by_its_name(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch, *, creates: bool
) -> None:
    cloudformation = scripted.aws.client("cloudformation")
    asked: list[str] = []

    def lost(**request: Any) -> None:
        asked.append(request["ChangeSetName"])
        raise KeyboardInterrupt

    monkeypatch.setattr(cloudformation, "create_change_set", lost)
    deleted = {"StackName": "payment-api-dev", "ChangeSetName": ANY}
    scripted.stub("cloudformation").add_response("delete_change_set", {}, deleted)
    if creates:
        scripted.stands("REVIEW_IN_PROGRESS")
        scripted.answers("cloudformation", "list_change_sets", {"Summaries": []})
        scripted.answers("cloudformation", "delete_stack", {})
    with pytest.raises(KeyboardInterrupt):
        made(scripted, creates=creates)
    assert asked[0].startswith("paycli-")


def test_a_request_that_aws_refuses_is_the_error(scripted: Scripted) -> None:
    scripted.fails("cloudformation", "create_change_set", "ValidationError", "Template format error")
    scripted.fails("cloudformation", "delete_change_set", "ValidationError", "Stack [x] does not exist")
    with pytest.raises(ClientError, match="Template format error"):
        made(scripted)


def test_a_change_set_that_does_not_show_yet_is_waited_for(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    begins(scripted)
    scripted.fails("cloudformation", "describe_change_set", "ChangeSetNotFound")
    computed(scripted, change("Add", "New"))
    plan = made(scripted)
    assert plan is not None
    assert [entry.logical_id for entry in plan.changes] == ["New"]
    monkeypatch.setattr(changeset, "_VISIBLE_SECONDS", -1.0)
    scripted.fails("cloudformation", "describe_change_set", "ChangeSetNotFound")
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        changeset.describe(scripted.aws.client("cloudformation"), ID)


@pytest.mark.parametrize("made_before", [True, False])
def test_what_cannot_be_taken_back_does_not_hide_an_interrupt(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch, *, made_before: bool
) -> None:
    cloudformation = scripted.aws.client("cloudformation")

    def interrupted(**_: Any) -> None:
        raise KeyboardInterrupt

    def away(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://cloudformation.example")

    if made_before:
        begins(scripted)
    monkeypatch.setattr(cloudformation, "describe_change_set" if made_before else "create_change_set", interrupted)
    monkeypatch.setattr(cloudformation, "delete_change_set", away)
    with pytest.raises(KeyboardInterrupt):
        made(scripted)


def test_a_refusal_is_told_although_its_change_set_cannot_be_deleted(scripted: Scripted) -> None:
    begins(scripted)
    computed(scripted, status="FAILED", StatusReason="Template error: x")
    scripted.answers("cloudformation", "describe_events", {"OperationEvents": []})
    scripted.fails("cloudformation", "delete_change_set", "AccessDenied")
    with pytest.raises(PaycliError, match="Template error: x"):
        made(scripted)


@pytest.mark.parametrize("status", ["DELETE_PENDING", "DELETE_IN_PROGRESS", "DELETE_COMPLETE", "DELETE_FAILED"])
def test_a_plan_that_somebody_deletes_is_not_waited_for(scripted: Scripted, status: str) -> None:
    computed(scripted, status="CREATE_IN_PROGRESS")
    computed(scripted, status=status)
    with pytest.raises(PaycliError, match=f"The change set is {status}: somebody else has deleted it") as caught:
        changeset.describe(scripted.aws.client("cloudformation"), ID)
    assert caught.value.code == "plan_outdated"


def test_a_plan_that_takes_too_long_says_so(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changeset, "_DEADLINE_SECONDS", 0.0)
    begins(scripted)
    scripted.answers("cloudformation", "delete_change_set", {})
    with pytest.raises(PaycliError, match="isn't computed yet"):
        made(scripted)


def plan_of(*changes: Change) -> ChangeSet:
    return ChangeSet(ID, STACK_ID, "payment-api-dev", creates=False, changes=changes)


def table(action: str, replacement: str = "") -> Change:
    return Change(action, "Table", "AWS::DynamoDB::Table", replacement, (Cause("KeySchema"),))


@pytest.mark.parametrize("kind", ["AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::SQS::Queue", "AWS::Logs::LogGroup"])
def test_removing_what_holds_data_needs_its_name(kind: str) -> None:
    plan = plan_of(Change("Remove", "Thing", kind, "", ()))
    with pytest.raises(PaycliError, match="would be removed") as caught:
        guard(plan, ["Other"])
    assert "--allow-remove Thing" in caught.value.hint
    guard(plan, ["Thing"])


def test_a_new_logical_id_for_the_same_thing_is_no_way_to_lose_it() -> None:
    renamed = Change("Add", "Renamed", "AWS::DynamoDB::Table", "", ())
    with pytest.raises(PaycliError, match="while another of its type is added") as caught:
        guard(plan_of(table("Remove"), renamed), ["Table"])
    assert "two deploys" in caught.value.hint


def test_replacing_what_holds_data_is_never_allowed() -> None:
    with pytest.raises(PaycliError, match=r"replaced \(because of KeySchema\)") as caught:
        guard(plan_of(table("Modify", "True")), ["Table"])
    assert "new name" in caught.value.hint


@pytest.mark.parametrize(
    ("recreation", "evaluation", "lost"),
    [("Always", "Static", True), ("Always", "Dynamic", False), ("Conditionally", "Static", False)],
)
def test_what_surely_recreates_is_a_replacement_whatever_the_summary_says(
    recreation: str, evaluation: str, *, lost: bool
) -> None:
    """AWS's own summary is Conditional where one of several causes isn't sure."""
    details = [
        {"Target": {"Name": "KeySchema", "RequiresRecreation": recreation}, "Evaluation": evaluation},
        {"Target": {"Name": "Tags", "RequiresRecreation": "Never"}, "Evaluation": "Static"},
    ]
    entry = change("Modify", "Table", "AWS::DynamoDB::Table", Replacement="Conditional", Details=details)
    (found,) = changeset.changes({"Changes": [{"Type": "Resource", "ResourceChange": entry}]})
    assert found.loses_data is lost
    if lost:
        with pytest.raises(PaycliError, match=r"replaced \(because of KeySchema, Tags\)"):
            guard(plan_of(found), [])


def test_other_changes_pass() -> None:
    guard(
        plan_of(
            table("Modify", "Conditional"),
            table("Modify", "False"),
            table("Add"),
            Change("Remove", "Topic", "AWS::SNS::Topic", "", ()),
        ),
        [],
    )
