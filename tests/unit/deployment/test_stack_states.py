"""Bringing a stack to rest: what is done only by permission, and what is said where it isn't.

What a deploy makes of each state is in tests/integration/test_deploy_states.py.
"""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from paycli.deployment import stacks
from paycli.deployment.states import FAILED_CREATES, Policy, Target, bring_to_rest, of_environment, who_works
from paycli.environment import Environment
from paycli.errors import PaycliError
from tests.fakes.cloudformation import FakeAws
from tests.fakes.cloudformation.model import Json
from tests.scripted import Scripted

ROLE = "arn:aws:iam::111111111111:role/r"
DEV = Environment(name="dev", cloudformation_role=ROLE)
NAME = DEV.stack_name
DEAD = [*sorted(FAILED_CREATES), "DELETE_FAILED"]
STUCK = ["UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED"]
TOPIC: Json = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
TABLE: Json = {"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "t-dev"}}}}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    """A fake on which paycli's pauses are the only time that passes."""
    with FakeAws(speed=0) as fake:
        time = SimpleNamespace(monotonic=fake.clock.now, sleep=fake.skip)
        for module in ("follow", "stacks"):
            monkeypatch.setattr(f"paycli.deployment.{module}.time", time)
        yield fake


def client(aws: FakeAws) -> Any:
    keys = {"aws_access_key_id": "AKIAFAKE", "aws_secret_access_key": "fake"}
    return boto3.client("cloudformation", "us-east-1", endpoint_url=aws.url, **keys)


def stands(aws: FakeAws, status: str, template: Json = TOPIC, **more: Any) -> None:
    aws.put_stack(NAME, status, template, tags={"ManagedBy": "paycli"}, **more)


def at_rest(
    aws: FakeAws, environment: Environment = DEV, *, wait: bool = True, answer: bool | None = True
) -> str | None:
    """Bring the stack to rest; `answer` is the user's to every question, None where nobody may be asked."""
    policy = Policy(wait, None if answer is None else (lambda _action: answer))
    stack = bring_to_rest(client(aws), of_environment(environment), policy, lambda _event: None)
    return stack.status if stack else None


@pytest.mark.parametrize(
    ("status", "answer"), [*itertools.product([*DEAD, *STUCK], [False, None]), ("IMPORT_ROLLBACK_FAILED", True)]
)
def test_without_a_yes_nothing_is_changed(aws: FakeAws, status: str, *, answer: bool | None) -> None:
    stands(aws, status)
    before = list(aws.stack(NAME).states)
    with pytest.raises(PaycliError, match=f"{status}: CloudFormation can't update it") as caught:
        at_rest(aws, answer=answer)
    hints = {
        False: "Nothing was changed. To be asked again: paycli deploy --env dev",
        None: "`paycli deploy --env dev` offers the way out",
        True: "CloudFormation console",
    }
    assert hints[answer] in caught.value.hint
    assert aws.stack(NAME).states == before


def test_a_state_that_nobody_knows_is_left_alone(scripted: Scripted) -> None:
    scripted.stands("SOMETHING_NEW")
    policy = Policy(wait=True, ask=lambda _action: True)
    with pytest.raises(PaycliError, match="is SOMETHING_NEW") as caught:
        bring_to_rest(scripted.aws.client("cloudformation"), of_environment(DEV), policy, scripted.reported.append)
    assert caught.value.hint == "Look at its events in the CloudFormation console, and mend what they name."


def test_who_declines_for_the_bootstrap_stack_is_asked_again_by_its_own_command(aws: FakeAws) -> None:
    aws.put_stack("paycli-bootstrap", "UPDATE_ROLLBACK_FAILED", TOPIC, tags={"ManagedBy": "paycli"})
    policy = Policy(wait=True, ask=lambda _action: False)
    with pytest.raises(PaycliError) as caught:
        bring_to_rest(client(aws), Target("paycli-bootstrap", DEV), policy, lambda _event: None)
    assert caught.value.hint.endswith("paycli bootstrap --env dev")


@pytest.mark.parametrize("status", ["CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED"])
def test_what_holds_data_is_never_removed_on_the_way(aws: FakeAws, status: str) -> None:
    stands(aws, status, TABLE)
    with pytest.raises(PaycliError, match=status) as caught:
        at_rest(aws)
    assert "Table (t-dev)" in caught.value.hint
    assert "paycli teardown --env dev" in caught.value.hint
    assert "DeleteStack" not in aws.operations()


@pytest.mark.parametrize(
    ("status", "operation", "after"),
    [
        ("ROLLBACK_FAILED", "DeleteStack", None),
        ("UPDATE_FAILED", "RollbackStack", "UPDATE_ROLLBACK_COMPLETE"),
        ("UPDATE_ROLLBACK_FAILED", "ContinueUpdateRollback", "UPDATE_ROLLBACK_COMPLETE"),
    ],
)
@pytest.mark.parametrize("role", [ROLE, None])
def test_a_repair_is_done_once_with_the_environment_s_role(
    aws: FakeAws, status: str, operation: str, after: str | None, role: str | None
) -> None:
    stands(aws, status)
    assert at_rest(aws, DEV.model_copy(update={"cloudformation_role": role})) == after
    (request,) = [call.parameters for call in aws.calls if call.operation == operation]
    assert request.get("RoleARN") == role
    assert request["ClientRequestToken"]


def test_a_delete_that_fails_again_says_why(aws: FakeAws) -> None:
    stands(aws, "ROLLBACK_FAILED")
    aws.scenario.fail("Topic", on="delete", reason="it is in use")
    with pytest.raises(PaycliError, match="it is in use"):
        at_rest(aws)


def test_a_rollback_that_fails_again_says_why(aws: FakeAws) -> None:
    stands(aws, "UPDATE_ROLLBACK_FAILED", failed={"Topic": "gone"})
    aws.scenario.fail("Topic", on="rollback", reason="throttled for good")
    with pytest.raises(PaycliError, match="throttled for good"):
        at_rest(aws)


def test_who_works_is_said_as_far_as_it_is_known(aws: FakeAws) -> None:
    stands(aws, "UPDATE_IN_PROGRESS", lasts=1e6)
    cloudformation = client(aws)
    stack = stacks.find(cloudformation, NAME)
    assert stack is not None
    since = f"since {stack.changed_at:%H:%M:%S} UTC"
    assert who_works(cloudformation, stack) == since
    gone = replace(stack, change_set_id="arn:aws:cloudformation:us-east-1:111111111111:changeSet/gone/1")
    assert who_works(cloudformation, gone) == since
    assert who_works(cloudformation, replace(stack, changed_at=None)) == "since some time"
    with pytest.raises(PaycliError, match=f"UPDATE_IN_PROGRESS, {since}: something else works on it") as caught:
        at_rest(aws, wait=False)
    assert caught.value.code == "in_progress"


def test_a_plan_without_a_description_is_called_by_its_name(aws: FakeAws) -> None:
    stands(aws, "CREATE_COMPLETE")
    cloudformation = client(aws)
    body = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, "Other": {"Type": "AWS::SNS::Topic"}}}'
    made = cloudformation.create_change_set(StackName=NAME, ChangeSetName="by-hand", TemplateBody=body)
    stack = stacks.find(cloudformation, NAME)
    assert stack is not None
    assert who_works(cloudformation, replace(stack, change_set_id=made["Id"])).endswith(" UTC (by-hand)")


def test_what_never_shows_is_not_waited_for_for_ever(aws: FakeAws) -> None:
    """The stack that a wait ends for may be in somebody else's hands by then."""
    stands(aws, "UPDATE_IN_PROGRESS", lasts=1e6)
    began = aws.clock.now()
    stack = stacks.shown(client(aws), aws.stack(NAME).stack_id, "UPDATE_COMPLETE")
    assert stack is not None
    assert stack.status == "UPDATE_IN_PROGRESS"
    assert 15 < aws.clock.now() - began < 16.1
    assert stacks.shown(client(aws), "payment-api-gone", "DELETE_COMPLETE") is None
