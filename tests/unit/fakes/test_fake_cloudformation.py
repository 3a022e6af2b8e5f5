"""The fake CloudFormation against its specification: change sets, creates, updates, deletes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from tests.fakes.cloudformation import FakeAws, Problem, states
from tests.fakes.cloudformation.errors import FakeProblem
from tests.fakes.cloudformation.resource_types import TYPES
from tests.unit.fakes.conftest import Stacks
from tests.unit.fakes.samples import Json, alarm, policy_of, queue, table, template

Refusal = Callable[..., tuple[str, str]]
TWO = template(Table=table(), Queue=queue(), Policy=policy_of("Queue"))


def test_a_stack_is_created_through_review(aws: FakeAws, stacks: Stacks, cfn: Any) -> None:
    change_set = stacks.plan(TWO, "CREATE")
    assert stacks.status == "REVIEW_IN_PROGRESS"
    assert {change["Action"] for change in stacks.changes(change_set).values()} == {"Add"}
    cfn.execute_change_set(ChangeSetName=change_set)
    assert stacks.status == "CREATE_IN_PROGRESS"
    aws.skip(3600)
    assert aws.stack("s").states == ["REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    assert cfn.describe_change_set(ChangeSetName=change_set)["ExecutionStatus"] == "EXECUTE_COMPLETE"
    told = stacks.told()
    assert told[:2] == [("s", "REVIEW_IN_PROGRESS", "User Initiated"), ("s", "CREATE_IN_PROGRESS", "User Initiated")]
    assert told.index(("Queue", "CREATE_COMPLETE", "")) < told.index(("Policy", "CREATE_IN_PROGRESS", ""))
    assert told[-1] == ("s", "CREATE_COMPLETE", "")


def test_a_change_set_is_computed_in_time(aws: FakeAws, cfn: Any, refusal: Refusal) -> None:
    made = cfn.create_change_set(
        StackName="s", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=json.dumps(TWO)
    )["Id"]
    described = cfn.describe_change_set(ChangeSetName="c", StackName="s")
    assert (described["Status"], described["ExecutionStatus"]) == ("CREATE_PENDING", "UNAVAILABLE")
    code, said = refusal(cfn.execute_change_set, ChangeSetName=made)
    assert (code, said) == (
        "InvalidChangeSetStatus",
        f"ChangeSet [{made}] cannot be executed in its current status of [CREATE_PENDING]",
    )
    aws.skip(0.5)
    assert cfn.describe_change_set(ChangeSetName=made)["Status"] == "CREATE_IN_PROGRESS"
    aws.skip(0.5)
    described = cfn.describe_change_set(ChangeSetName=made)
    assert (described["Status"], described["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")


def test_a_change_set_says_what_changes_and_why(stacks: Stacks) -> None:
    before = template(
        Table=table(), Queue=queue(QueueName="one", DelaySeconds=1), Policy=policy_of("Queue"), Old=queue()
    )
    assert stacks.run(before, "CREATE") == "CREATE_COMPLETE"
    after = template(
        Table=table(BillingMode="PAY_PER_REQUEST"), Queue=queue(QueueName="two"), Policy=policy_of("Queue"), New=queue()
    )
    change_set = stacks.plan(after)
    changes = stacks.changes(change_set)
    assert {key: (change["Action"], change.get("Replacement")) for key, change in changes.items()} == {
        "Old": ("Remove", None),
        "New": ("Add", None),
        "Table": ("Modify", "False"),
        "Queue": ("Modify", "True"),
        "Policy": ("Modify", "False"),
    }
    assert changes["Old"]["PolicyAction"] == "Delete"
    assert changes["Queue"]["Scope"] == ["Properties"]
    target = {"Attribute": "Properties", "Name": "QueueName", "RequiresRecreation": "Always"}
    detail = {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}
    assert detail in changes["Queue"]["Details"]
    causes = {(one["ChangeSource"], one["CausingEntity"], one["Evaluation"]) for one in changes["Policy"]["Details"]}
    assert causes == {("ResourceReference", "Queue", "Dynamic"), ("ResourceAttribute", "Queue.Arn", "Dynamic")}
    assert "BeforeContext" not in changes["Queue"]


def test_property_values_are_shown_on_request(stacks: Stacks) -> None:
    assert stacks.run(template(Alarm=alarm(Threshold=1, Dimensions={"a": "x"})), "CREATE") == "CREATE_COMPLETE"
    change_set = stacks.plan(template(Alarm=alarm(Threshold=2, Dimensions={"a": "x", "b": "y"})))
    change = stacks.changes(change_set, IncludePropertyValues=True)["Alarm"]
    targets = {detail["Target"]["Path"]: detail["Target"] for detail in change["Details"]}
    assert targets["/Properties/Threshold"]["BeforeValue"] == "1"
    assert targets["/Properties/Threshold"]["AfterValue"] == "2"
    assert targets["/Properties/Threshold"]["AttributeChangeType"] == "Modify"
    assert targets["/Properties/Dimensions/b"]["AttributeChangeType"] == "Add"
    assert "BeforeValue" not in targets["/Properties/Dimensions/b"]
    assert json.loads(change["BeforeContext"])["Properties"]["Threshold"] == 1
    assert json.loads(change["AfterContext"])["Properties"]["Threshold"] == 2


def test_a_parameter_is_named_as_the_cause(stacks: Stacks) -> None:
    document = {
        "Parameters": {"Delay": {"Type": "String", "Default": "1"}},
        **template(Queue=queue(DelaySeconds={"Ref": "Delay"})),
    }
    assert stacks.run(document, "CREATE") == "CREATE_COMPLETE"
    change_set = stacks.plan(document, Parameters=[{"ParameterKey": "Delay", "ParameterValue": "2"}])
    (detail,) = stacks.changes(change_set)["Queue"]["Details"]
    assert (detail["ChangeSource"], detail["CausingEntity"]) == ("ParameterReference", "Delay")


def test_what_refers_to_an_attribute_of_something_modified_is_listed_but_not_touched(stacks: Stacks) -> None:
    assert stacks.run(TWO, "CREATE") == "CREATE_COMPLETE"
    after = template(Table=table(), Queue=queue(DelaySeconds=5), Policy=policy_of("Queue"))
    change_set = stacks.plan(after)
    assert set(stacks.changes(change_set)) == {"Queue", "Policy"}
    assert stacks.run(after) == "UPDATE_COMPLETE"
    assert [entry for entry in stacks.told() if entry[:2] == ("Policy", "UPDATE_IN_PROGRESS")] == []


def test_no_changes_is_a_failed_change_set(stacks: Stacks, cfn: Any) -> None:
    assert stacks.run(TWO, "CREATE") == "CREATE_COMPLETE"
    described = cfn.describe_change_set(ChangeSetName=stacks.plan(TWO))
    assert described["Status"] == "FAILED"
    assert described["StatusReason"] == (
        "The submitted information didn't contain changes. Submit different information to create a change set."
    )
    assert described["ExecutionStatus"] == "UNAVAILABLE"


def test_a_policy_alone_is_no_change(stacks: Stacks, cfn: Any) -> None:
    assert stacks.run(template(Table=table()), "CREATE") == "CREATE_COMPLETE"
    kept = template(Table={**table(), "DeletionPolicy": "Retain"})
    assert cfn.describe_change_set(ChangeSetName=stacks.plan(kept))["Status"] == "FAILED"
    assert set(stacks.changes(stacks.plan({**kept, "Resources": {**kept["Resources"], "Queue": queue()}}))) == {
        "Table",
        "Queue",
    }


def test_outputs_alone_are_an_empty_change_set_that_can_be_executed(aws: FakeAws, stacks: Stacks) -> None:
    assert stacks.run(TWO, "CREATE") == "CREATE_COMPLETE"
    assert stacks.changes(stacks.plan({**TWO, "Outputs": {"Name": {"Value": {"Ref": "Table"}}}})) == {}
    assert stacks.run({**TWO, "Outputs": {"Name": {"Value": {"Ref": "Table"}}}}) == "UPDATE_COMPLETE"
    assert aws.stack("s").outputs == {"Name": "payments"}


def test_changed_stack_tags_touch_what_has_tags(stacks: Stacks) -> None:
    document = template(Queue=queue(Tags=[{"Key": "a", "Value": "b"}]), Table=table())
    tags = [{"Key": "Environment", "Value": "dev"}]
    assert stacks.run(document, "CREATE", Tags=tags) == "CREATE_COMPLETE"
    changes = stacks.changes(stacks.plan(document, Tags=[*tags, {"Key": "New", "Value": "1"}]))
    assert {key: change["Scope"] for key, change in changes.items()} == {"Queue": ["Tags"]}


@pytest.mark.parametrize(
    "status", ["UPDATE_IN_PROGRESS", "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"]
)
def test_a_state_that_allows_no_update_is_refused(aws: FakeAws, cfn: Any, refusal: Refusal, status: str) -> None:
    stack = aws.put_stack("s", status, TWO)
    code, said = refusal(cfn.create_change_set, StackName="s", ChangeSetName="c", TemplateBody=json.dumps(TWO))
    assert (code, said) == ("ValidationError", f"Stack:{stack.stack_id} is in {status} state and can not be updated.")


def test_names_that_are_taken_or_missing_are_refused(aws: FakeAws, cfn: Any, refusal: Refusal) -> None:
    request = {"StackName": "s", "ChangeSetName": "c", "TemplateBody": json.dumps(TWO)}
    assert refusal(cfn.create_change_set, **request) == ("ValidationError", "Stack [s] does not exist")
    cfn.create_change_set(**request, ChangeSetType="CREATE", ClientToken="t")
    assert cfn.create_change_set(**request, ChangeSetType="CREATE", ClientToken="t")["Id"]
    code, said = refusal(cfn.create_change_set, **request, ChangeSetType="CREATE")
    assert (code, said) == ("AlreadyExistsException", "ChangeSet [c] already exists")
    aws.put_stack("t", template=TWO)
    code, said = refusal(cfn.create_change_set, **{**request, "StackName": "t"}, ChangeSetType="CREATE")
    assert (code, said) == (
        "ValidationError",
        "Stack [t] already exists and cannot be created again with the changeSet [c].",
    )
    assert refusal(cfn.describe_change_set, ChangeSetName="d", StackName="s")[0] == "ChangeSetNotFound"
    assert refusal(cfn.describe_change_set, ChangeSetName="d")[0] == "ValidationError"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "At least one Resources member"),
        (template(Policy=policy_of("Nothing")), "Unresolved resource dependencies [Nothing]"),
        (template(Role={"Type": "AWS::IAM::Role", "Properties": {}}), "Requires capabilities : [CAPABILITY_IAM]"),
        (
            template(Role={"Type": "AWS::IAM::Role", "Properties": {"RoleName": "x"}}),
            "Requires capabilities : [CAPABILITY_NAMED_IAM]",
        ),
        ({**template(Q=queue()), "Parameters": {"P": {"Type": "String"}}}, "Parameters: [P] must have values"),
        (template(A=policy_of("B"), B={**queue(), "DependsOn": "A"}), "Circular dependency"),
        (template(Q=queue(Text="x" * 52_000)), "length less than or equal to 51200"),
    ],
)
def test_a_bad_template_is_refused_at_once(cfn: Any, refusal: Refusal, document: Json, said: str) -> None:
    request = {"StackName": "s", "ChangeSetName": "c", "ChangeSetType": "CREATE"}
    assert said in refusal(cfn.create_change_set, **request, TemplateBody=json.dumps(document))[1]
    assert "does not exist" in refusal(cfn.describe_stacks, StackName="s")[1]


def test_executing_one_change_set_deletes_the_others(aws: FakeAws, stacks: Stacks, cfn: Any, refusal: Refusal) -> None:
    assert stacks.run(TWO, "CREATE") == "CREATE_COMPLETE"
    changed = template(Table=table(BillingMode="PAY_PER_REQUEST"))
    one, other = stacks.plan(changed), stacks.plan(template(Queue=queue()))
    assert len(cfn.list_change_sets(StackName="s")["Summaries"]) == 2
    cfn.execute_change_set(ChangeSetName=one, ClientRequestToken="t")
    cfn.execute_change_set(ChangeSetName=one, ClientRequestToken="t")  # a retry
    assert refusal(cfn.execute_change_set, ChangeSetName=other)[0] == "ChangeSetNotFound"
    code, said = refusal(cfn.execute_change_set, ChangeSetName=one)
    assert code == "InvalidChangeSetStatus"
    assert "execution status of [EXECUTE_IN_PROGRESS]" in said
    assert refusal(cfn.delete_change_set, ChangeSetName=one)[0] == "InvalidChangeSetStatus"
    assert cfn.list_change_sets(StackName="s")["Summaries"] == []
    aws.skip(3600)
    assert aws.stack("s").states.count("UPDATE_IN_PROGRESS") == 1


def test_a_refused_request_does_not_use_its_token_up(stacks: Stacks, cfn: Any, refusal: Refusal) -> None:
    assert stacks.run(TWO, "CREATE") == "CREATE_COMPLETE"
    request = {"StackName": "s", "ClientRequestToken": "t"}
    cfn.update_termination_protection(StackName="s", EnableTerminationProtection=True)
    assert refusal(cfn.delete_stack, **request)[0] == "ValidationError"
    cfn.update_termination_protection(StackName="s", EnableTerminationProtection=False)
    cfn.delete_stack(**request)
    assert stacks.status == "DELETE_IN_PROGRESS"


def test_a_token_of_another_operation_is_refused(stacks: Stacks, cfn: Any, refusal: Refusal) -> None:
    cfn.execute_change_set(ChangeSetName=stacks.plan(TWO, "CREATE"), ClientRequestToken="t")
    assert refusal(cfn.delete_stack, StackName="s", ClientRequestToken="t")[0] == "TokenAlreadyExistsException"


def test_a_change_set_of_before_an_update_is_obsolete(aws: FakeAws, stacks: Stacks, cfn: Any, refusal: Refusal) -> None:
    assert stacks.run(TWO, "CREATE") == "CREATE_COMPLETE"
    stale = stacks.plan(template(Table=table()))
    cfn.update_stack(StackName="s", TemplateBody=json.dumps(template(Queue=queue())))
    aws.skip(3600)
    assert stacks.status == "UPDATE_COMPLETE"
    assert "execution status of [OBSOLETE]" in refusal(cfn.execute_change_set, ChangeSetName=stale)[1]
    code, said = refusal(cfn.update_stack, StackName="s", TemplateBody=json.dumps(template(Queue=queue())))
    assert (code, said) == ("ValidationError", "No updates are to be performed.")


def test_deleting_a_change_set_leaves_the_stack_in_review(stacks: Stacks, cfn: Any) -> None:
    change_set = stacks.plan(TWO, "CREATE")
    cfn.delete_change_set(ChangeSetName=change_set)
    cfn.delete_change_set(ChangeSetName=change_set)  # what isn't there is deleted as well
    assert stacks.status == "REVIEW_IN_PROGRESS"
    cfn.delete_stack(StackName="s")
    assert stacks.status == "DELETE_COMPLETE"


def test_a_validation_before_the_deployment_refuses_a_taken_name(
    aws: FakeAws, stacks: Stacks, cfn: Any, refusal: Refusal
) -> None:
    aws.leave_behind("AWS::DynamoDB::Table", "payments", {"TableName": "payments"})
    change_set = stacks.plan(TWO, "CREATE")
    described = cfn.describe_change_set(ChangeSetName=change_set)
    assert described["Status"] == "FAILED"
    assert "[AWS::EarlyValidation::ResourceExistenceCheck]" in described["StatusReason"]
    (event,) = cfn.describe_events(ChangeSetName=change_set, Filters={"FailedEvents": True})["OperationEvents"]
    assert event["EventType"] == "VALIDATION_ERROR"
    assert event["ValidationName"] == "NAME_CONFLICT_VALIDATION"
    assert event["ValidationPath"] == "/Resources/Table/Properties/TableName"
    assert event["ValidationStatusReason"] == (
        "Resource of type 'AWS::DynamoDB::Table' with identifier 'payments' already exists."
    )
    assert refusal(cfn.describe_events, ChangeSetName="c1")[0] == "ValidationError"
    assert all(kind != "VALIDATION_ERROR" for _, kind, _ in stacks.told())


def test_a_test_scripts_what_the_validation_finds(aws: FakeAws, stacks: Stacks, cfn: Any) -> None:
    aws.scenario.refuse_validation(Problem("Queue", "Unsupported property [Delay]", path="/Resources/Queue/Properties"))
    change_set = stacks.plan(TWO, "CREATE")
    described = cfn.describe_change_set(ChangeSetName=change_set)
    assert "[AWS::EarlyValidation::PropertyValidation]" in described["StatusReason"]
    (event,) = cfn.describe_events(StackName="s", Filters={"FailedEvents": True})["OperationEvents"]
    assert (event["ResourceType"], event["ValidationFailureMode"]) == ("AWS::SQS::Queue", "FAIL")


def test_existing_resources_are_imported_where_they_are_kept(aws: FakeAws, stacks: Stacks, cfn: Any) -> None:
    aws.leave_behind("AWS::DynamoDB::Table", "payments", {"TableName": "payments"})
    unsafe = cfn.describe_change_set(ChangeSetName=stacks.plan(TWO, "CREATE", ImportExistingResources=True))
    assert "must have the DeletionPolicy attribute set to 'Retain'" in unsafe["StatusReason"]
    assert unsafe["StatusReason"].endswith("The affected resources are Table ({TableName=payments})")
    kept = template(Table={**table(), "DeletionPolicy": "RetainExceptOnCreate"}, Queue=queue())
    change_set = stacks.plan(kept, "CREATE", ImportExistingResources=True)
    assert {key: change["Action"] for key, change in stacks.changes(change_set).items()} == {
        "Table": "Import",
        "Queue": "Add",
    }
    cfn.execute_change_set(ChangeSetName=change_set)
    aws.skip(3600)
    assert stacks.status == "CREATE_COMPLETE"
    assert ("Table", "IMPORT_COMPLETE", "Resource import completed.") in stacks.told()


def test_a_stack_is_deleted_in_reverse_order_and_keeps_what_its_policy_keeps(
    aws: FakeAws, stacks: Stacks, cfn: Any
) -> None:
    document = template(Table={**table(), "DeletionPolicy": "Retain"}, Queue=queue(), Policy=policy_of("Queue"))
    assert stacks.run(document, "CREATE") == "CREATE_COMPLETE"
    cfn.delete_stack(StackName="s")
    aws.skip(3600)
    assert stacks.status == "DELETE_COMPLETE"
    told = stacks.told()
    assert ("Table", "DELETE_SKIPPED", "") in told
    assert told.index(("Policy", "DELETE_COMPLETE", "")) < told.index(("Queue", "DELETE_IN_PROGRESS", ""))
    assert aws.standing("AWS::DynamoDB::Table", "payments")
    cfn.delete_stack(StackName="s")  # of what is gone: nothing


def test_a_protected_stack_is_not_deleted(stacks: Stacks, cfn: Any, refusal: Refusal) -> None:
    assert stacks.run(TWO, "CREATE") == "CREATE_COMPLETE"
    cfn.update_termination_protection(StackName="s", EnableTerminationProtection=True)
    assert cfn.describe_stacks(StackName="s")["Stacks"][0]["EnableTerminationProtection"] is True
    said = "Stack [s] cannot be deleted while TerminationProtection is enabled"
    assert refusal(cfn.delete_stack, StackName="s") == ("ValidationError", said)


def test_a_deleted_name_can_be_used_again(stacks: Stacks, cfn: Any, refusal: Refusal) -> None:
    assert stacks.run(TWO, "CREATE") == "CREATE_COMPLETE"
    gone = cfn.describe_stacks(StackName="s")["Stacks"][0]["StackId"]
    cfn.delete_stack(StackName="s")
    stacks.aws.skip(3600)
    assert refusal(cfn.describe_stacks, StackName="s") == ("ValidationError", "Stack with id s does not exist")
    assert cfn.describe_stacks(StackName=gone)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"
    assert stacks.run(TWO, "CREATE") == "CREATE_COMPLETE"
    assert cfn.describe_stacks(StackName="s")["Stacks"][0]["StackId"] != gone


def test_the_bootstrap_way_of_making_a_stack(aws: FakeAws, cfn: Any, refusal: Refusal) -> None:
    request = {"StackName": "b", "TemplateBody": json.dumps(TWO), "ClientRequestToken": "t"}
    made = cfn.create_stack(**request)["StackId"]
    assert cfn.create_stack(**request)["StackId"] == made  # a retry
    assert refusal(cfn.create_stack, **{**request, "ClientRequestToken": "u"})[0] == "AlreadyExistsException"
    aws.skip(3600)
    assert aws.stack("b").states == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]


def test_an_illegal_transition_fails_the_test(aws: FakeAws) -> None:
    stack = aws.put_stack("s", "ROLLBACK_COMPLETE", TWO)
    with pytest.raises(FakeProblem, match="ROLLBACK_COMPLETE -> UPDATE_IN_PROGRESS"):
        aws.engine.set_stack(stack, "UPDATE_IN_PROGRESS")


def test_what_the_fake_lacks_fails_the_test_that_asks_for_it(refusal: Refusal) -> None:
    import boto3

    fake = FakeAws(speed=0)
    client = boto3.Session("a", "b", region_name="us-east-1").client("cloudformation", endpoint_url=fake.url)
    assert "ListExports is not in the fake" in refusal(client.list_exports)[1]
    client.close()
    with pytest.raises(FakeProblem, match="ListExports"):
        fake.close()


@pytest.mark.parametrize("status", sorted(set(states.STACK) - {""}))
def test_a_stack_can_stand_in_any_state(aws: FakeAws, cfn: Any, status: str) -> None:
    stack = aws.put_stack("s", status, TWO)
    described = cfn.describe_stacks(StackName=stack.stack_id)["Stacks"][0]
    assert described["StackStatus"] == status
    assert cfn.describe_stack_events(StackName=stack.stack_id)["StackEvents"][0]["ResourceStatus"] == status
    aws.skip(60)
    assert not aws.stack("s").in_progress


def test_an_operation_put_in_progress_ends_as_a_real_one(aws: FakeAws) -> None:
    document = {**TWO, "Outputs": {"Name": {"Value": {"Ref": "Table"}}}}
    stack = aws.put_stack("s", "CREATE_IN_PROGRESS", document, lasts=30)
    assert stack.outputs == {}
    aws.skip(31)
    assert aws.stack("s").status == "CREATE_COMPLETE"
    assert stack.outputs == {"Name": "payments"}


def test_every_state_of_the_model_is_in_the_table() -> None:
    from tests.fakes.cloudformation.wire import service

    assert set(states.STACK) - {""} == set(service("cloudformation").shape_for("StackStatus").enum)
    reached = {after for entry in states.STACK.values() for after in entry}
    assert reached == set(states.STACK) - {""}


@pytest.mark.parametrize("name", sorted(TYPES))
def test_the_types_are_those_of_the_schemas(name: str) -> None:
    folder = Path(cfnlint.__file__).parent / "data" / "schemas"
    digest = json.loads((folder / "providers" / "us-east-1.json").read_text())[name]
    schema = json.loads((folder / "resources" / f"{digest}.json").read_text())

    def listed(key: str) -> set[str]:
        return {path.removeprefix("/properties/").split("/")[0] for path in schema.get(key, [])}

    assert set(TYPES[name].create_only) == listed("createOnlyProperties")
    assert set(TYPES[name].conditional) == listed("conditionalCreateOnlyProperties")
    assert TYPES[name].importable == (listed("primaryIdentifier") == {TYPES[name].name})
    assert not TYPES[name].primary or listed("primaryIdentifier") == {TYPES[name].primary}
    assert not TYPES[name].name or TYPES[name].name in TYPES[name].create_only
