"""Change sets: what they say, and that none stays behind."""

from typing import Any

import pytest

from paycli.deployment import changeset
from paycli.deployment.changeset import Change, ChangeSet
from paycli.deployment.plan import guard
from paycli.environment import Environment
from paycli.errors import PaycliError
from tests.scripted import STACK_ID, Scripted

ID = "arn:aws:cloudformation:us-east-1:000000000000:changeSet/c/1"
DEV = Environment(name="dev", deployment_mode="express")


def made(scripted: Scripted, environment: Environment = DEV, *, creates: bool = False) -> ChangeSet | None:
    return changeset.create(
        scripted.aws.client("cloudformation"),
        environment,
        template={"TemplateBody": "{}"},
        parameters={"CodeKey": "k"},
        creates=creates,
        description="d",
    )


def begins(scripted: Scripted) -> None:
    scripted.answers("cloudformation", "create_change_set", {"Id": ID, "StackId": STACK_ID})


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
            {},
        ],
    )
    computed(scripted, change("Add", "New"), change("Dynamic", "Later"), topic, NextToken="more")
    computed(scripted, change("Remove", "OldTopic"), change("Remove", "Table", "AWS::DynamoDB::Table"))
    plan = made(scripted)
    assert plan is not None
    assert [entry.logical_id for entry in plan.changes] == ["Table", "OldTopic", "Topic", "New", "Later"]
    assert plan.changes[2].causes == ("DisplayName", "Tags")
    assert plan.changes[0].loses_data


def test_nothing_new_is_no_plan_and_leaves_no_change_set(scripted: Scripted) -> None:
    begins(scripted)
    computed(scripted, status="FAILED", StatusReason="The submitted information didn't contain changes.")
    scripted.answers("cloudformation", "delete_change_set", {})
    assert made(scripted) is None


def test_a_refusal_is_shown_in_aws_s_words_and_leaves_no_empty_stack(scripted: Scripted) -> None:
    begins(scripted)
    computed(scripted, status="FAILED", StatusReason="Template error: x")
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
    scripted.fails("cloudformation", "create_change_set", "AlreadyExistsException")
    with pytest.raises(PaycliError, match="being created") as caught:
        made(scripted, creates=True)
    assert caught.value.code == "in_progress"


def test_a_plan_that_cannot_be_read_is_taken_back(scripted: Scripted) -> None:
    begins(scripted)
    scripted.fails("cloudformation", "describe_change_set", "ExpiredToken")
    scripted.answers("cloudformation", "delete_change_set", {})
    with pytest.raises(Exception, match="ExpiredToken"):
        made(scripted)


def test_a_plan_that_takes_too_long_says_so(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changeset, "_DEADLINE_SECONDS", 0.0)
    begins(scripted)
    scripted.answers("cloudformation", "delete_change_set", {})
    with pytest.raises(PaycliError, match="isn't computed yet"):
        made(scripted)


def plan_of(*changes: Change) -> ChangeSet:
    return ChangeSet(ID, STACK_ID, "payment-api-dev", creates=False, changes=changes)


def table(action: str, replacement: str = "") -> Change:
    return Change(action, "Table", "AWS::DynamoDB::Table", replacement, ("KeySchema",))


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
