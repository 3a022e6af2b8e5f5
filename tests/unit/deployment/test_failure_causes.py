"""Finding what failed by itself, among all that CloudFormation says of an operation."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from paycli.deployment.failure.causes import causes, find
from paycli.deployment.failure.refusals import refusals
from paycli.deployment.follow import resource_event
from paycli.progress import ResourceEvent
from tests.scripted import STACK_ID, Scripted, raw_event

STACK = "payment-api-dev"


def event(second: int, status: str, logical_id: str = "", reason: str = "") -> ResourceEvent:
    """Return an event of a resource, or of the stack itself."""
    return resource_event(raw_event(second, status, logical_id, reason))


def names(events: Iterable[ResourceEvent]) -> list[str]:
    return [cause.logical_id for cause in find(events)]


BEGUN = event(0, "UPDATE_IN_PROGRESS", reason="User Initiated")
ROLLS_BACK = event(
    4, "UPDATE_ROLLBACK_IN_PROGRESS", reason="The following resource(s) failed to update: [Table, Key]. "
)
FAILED = [
    BEGUN,
    event(1, "UPDATE_FAILED", "Queue", "Resource update cancelled"),
    event(2, "UPDATE_FAILED", "Table", "Table already exists"),
    event(3, "UPDATE_FAILED", "Key", "Limit exceeded"),
    event(3, "UPDATE_FAILED", "Topic", "Resource update cancelled"),
    ROLLS_BACK,
    event(5, "UPDATE_FAILED", "Queue", "Access denied"),
    event(6, "UPDATE_ROLLBACK_FAILED", reason="The following resource(s) failed to update: [Queue]. "),
]


def test_every_real_failure_is_found_in_order_and_those_of_the_rollback_apart() -> None:
    found = find(FAILED)
    assert [(cause.logical_id, cause.rollback) for cause in found] == [
        ("Table", False),
        ("Key", False),
        ("Queue", True),
    ]


@given(st.permutations(FAILED))
def test_the_order_in_which_events_come_makes_no_difference(shuffled: list[ResourceEvent]) -> None:
    assert find(shuffled) == find(FAILED)


FOLLOWERS = st.sampled_from(
    [
        "Resource creation cancelled",
        "Resource update cancelled",
        "The following resource(s) failed to create: [Table].",
        "The following resource(s) failed to update: [Table]. Rollback requested by user.",
    ]
)
EVENTS = st.builds(
    event,
    st.integers(0, 59),
    st.sampled_from(["CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED", "CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"]),
    st.sampled_from(["", "Table", "Queue", "Key"]),
    FOLLOWERS,
)


@given(st.lists(EVENTS), st.data())
def test_what_follows_never_wins(followers: list[ResourceEvent], data: st.DataObject) -> None:
    assert find(followers) == []
    real = event(data.draw(st.integers(0, 59)), "CREATE_FAILED", "Real", "Something new")
    position = data.draw(st.integers(0, len(followers)))
    assert names([*followers[:position], real, *followers[position:]]) == ["Real"]


@given(st.text(min_size=1).filter(lambda text: not text.isspace()))
def test_a_reason_that_nobody_knows_is_kept_in_full(text: str) -> None:
    (found,) = find([BEGUN, event(1, "UPDATE_FAILED", "Table", f"It: {text}")])
    assert found.reason == f"It: {text}"


def test_a_failure_without_a_reason_comes_after_those_that_have_one() -> None:
    events = [BEGUN, event(1, "UPDATE_FAILED", "Silent"), event(2, "UPDATE_FAILED", "Table", "Table already exists")]
    assert names(events) == ["Table", "Silent"]


def test_the_same_failure_twice_is_one() -> None:
    again = event(3, "UPDATE_FAILED", "Table", "Table already exists")
    assert names([BEGUN, again, replace(again, at=again.at + timedelta(seconds=1))]) == ["Table"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "An alarm went into ALARM"),
        ("UPDATE_FAILED", "Export a cannot be deleted as it is in use by b"),
        ("ROLLBACK_IN_PROGRESS", "Stack creation time exceeded the specified timeout. Rollback requested by user."),
    ],
)
def test_what_the_stack_itself_fails_of_is_a_cause(status: str, reason: str) -> None:
    (found,) = find(
        [BEGUN, event(1, "UPDATE_FAILED", "Table", "Resource update cancelled"), event(2, status, "", reason)]
    )
    assert found.of_stack
    assert (found.logical_id, found.reason, found.rollback) == (STACK, reason, False)


CONTINUED = event(7, "UPDATE_ROLLBACK_IN_PROGRESS", reason="User Initiated")


def test_a_rollback_that_somebody_began_afterwards_is_no_cancelled_update() -> None:
    stuck = event(8, "UPDATE_FAILED", "Queue", "Still denied")
    assert names([*FAILED, CONTINUED, stuck]) == ["Table", "Key", "Queue"]
    assert names([CONTINUED, stuck]) == ["Queue"]


def test_of_a_rollback_that_was_begun_anew_the_newest_attempt_counts() -> None:
    stuck = [event(8, "UPDATE_FAILED", "Topic", "Another thing"), event(9, "UPDATE_ROLLBACK_FAILED")]
    assert [cause.reason for cause in find([*FAILED, CONTINUED, *stuck]) if cause.rollback] == ["Another thing"]
    assert not any(cause.rollback for cause in find([*FAILED, CONTINUED, event(8, "UPDATE_ROLLBACK_COMPLETE")]))


def test_a_nested_stack_fails_like_any_resource() -> None:
    nested = replace(
        event(1, "UPDATE_FAILED", "Nested", "Embedded stack x was not successfully updated"),
        resource_type="AWS::CloudFormation::Stack",
    )
    (found,) = find([BEGUN, nested])
    assert not found.of_stack


# As AWS answered on 2026-09-30: github.com/radkawar/stackd, function_resource_policy_validation.json
POINTER = "Validation failed with 1 error(s). Call DescribeEvents to retrieve the full list of issues."
ROLLBACK_POINTER = "Validation failure detected. See the operation's FAILED event for details."
VALIDATED = [
    raw_event(1, "CREATE_IN_PROGRESS", "", "User Initiated"),
    raw_event(3, "CREATE_FAILED", "", POINTER),
    raw_event(4, "ROLLBACK_IN_PROGRESS", "", ROLLBACK_POINTER),
    raw_event(5, "ROLLBACK_COMPLETE"),
]


EXISTS = "Resource of type 'AWS::DynamoDB::Table' with identifier 'transactions-dev' already exists."


def refusal(second: int, **more: Any) -> dict[str, Any]:
    entry = {
        "EventId": f"refusal-{second}",
        "StackId": STACK_ID,
        "OperationType": "CREATE_STACK",
        "EventType": "VALIDATION_ERROR",
        "LogicalResourceId": "Table",
        "PhysicalResourceId": "",
        "ResourceType": "AWS::DynamoDB::Table",
        "Timestamp": datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC),
        "ValidationFailureMode": "FAIL",
        "ValidationName": "NAME_CONFLICT_VALIDATION",
        "ValidationStatus": "FAILED",
        "ValidationStatusReason": EXISTS,
        "ValidationPath": "/Resources/Table/Properties/TableName",
    }
    return {key: value for key, value in {**entry, **more}.items() if value is not None}


def describes(scripted: Scripted, *pages: list[dict[str, Any]]) -> None:
    """Script DescribeEvents, newest first."""
    for number, page in enumerate(pages, start=1):
        more = {"NextToken": f"page-{number}"} if number < len(pages) else {}
        scripted.answers("cloudformation", "describe_events", {"OperationEvents": page, **more})


def asked(scripted: Scripted) -> list[Any]:
    return causes(scripted.aws.client("cloudformation"), STACK_ID)


def test_a_validation_names_the_resource_that_the_stack_s_events_keep_to_themselves(scripted: Scripted) -> None:
    scripted.events(*VALIDATED)
    provisioning = {"EventId": "p", "Timestamp": VALIDATED[1]["Timestamp"], "ResourceStatusReason": POINTER}
    describes(scripted, [provisioning, refusal(2)])
    (found,) = asked(scripted)
    assert (found.logical_id, found.name, found.property_path) == ("Table", "transactions-dev", "TableName")
    assert (found.status, found.check) == ("REFUSED", "NAME_CONFLICT_VALIDATION")


def test_only_what_belongs_to_this_operation_counts(scripted: Scripted) -> None:
    scripted.events(*VALIDATED)
    later = refusal(9, LogicalResourceId="Later")
    change_set = refusal(2, LogicalResourceId="Planned", OperationType="CREATE_CHANGESET")
    describes(scripted, [later, change_set], [refusal(2), refusal(0, LogicalResourceId="Earlier")])
    assert [cause.logical_id for cause in asked(scripted)] == ["Table"]


def test_every_page_of_an_operation_is_read(scripted: Scripted) -> None:
    scripted.events(*VALIDATED)
    describes(scripted, [refusal(3, LogicalResourceId="Second")], [refusal(2, LogicalResourceId="First")])
    assert [cause.logical_id for cause in asked(scripted)] == ["First", "Second"]


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidAction", "Throttling"])
def test_without_the_details_the_pointer_to_them_is_shown(scripted: Scripted, code: str) -> None:
    scripted.events(*VALIDATED)
    scripted.fails("cloudformation", "describe_events", code)
    (found,) = asked(scripted)
    assert found.reason == POINTER
    assert found.explanation.kind == "validation"


def test_a_network_that_fails_loses_no_cause(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted.events(raw_event(1, "UPDATE_IN_PROGRESS"), raw_event(2, "UPDATE_FAILED", "Table", "Table already exists"))

    def breaks(**_: object) -> None:
        raise ReadTimeoutError(endpoint_url="x")

    monkeypatch.setattr(scripted.aws.client("cloudformation"), "describe_events", breaks)
    assert [cause.logical_id for cause in asked(scripted)] == ["Table"]


def test_a_warning_and_a_check_that_was_left_out_refuse_nothing() -> None:
    entries = [refusal(1, ValidationFailureMode="WARN"), refusal(2, ValidationStatus="SKIPPED"), refusal(3)]
    assert [cause.at.second for cause in refusals(entries, STACK)] == [3]


def test_a_hook_s_own_words_replace_its_bare_name() -> None:
    hook = refusal(
        2,
        EventType="HOOK_INVOCATION_ERROR",
        ValidationName=None,
        ValidationStatusReason=None,
        ValidationFailureMode=None,
        ValidationStatus=None,
        ValidationPath=None,
        HookType="Private::Guard::TestHook",
        HookStatusReason="Template failed validation, the following rule(s) failed: encrypted.",
        HookFailureMode="FAIL",
    )
    named = event(3, "CREATE_FAILED", "Table", "The following hook(s) failed: [Private::Guard::TestHook]")
    (found,) = find([BEGUN, named], refusals([hook], STACK))
    assert found.reason.endswith("encrypted.")
    assert found.check == "Private::Guard::TestHook"
    whole = {key: value for key, value in hook.items() if key not in {"LogicalResourceId", "ResourceType"}}
    (of_stack,) = refusals([whole], STACK)
    assert of_stack.of_stack


def test_the_last_operation_is_read_over_pages_and_no_further(scripted: Scripted) -> None:
    newest = [
        raw_event(9, "UPDATE_ROLLBACK_COMPLETE"),
        raw_event(8, "UPDATE_ROLLBACK_IN_PROGRESS", "", "Rollback requested"),
    ]
    oldest = [
        raw_event(7, "UPDATE_FAILED", "Key", "Limit exceeded"),
        raw_event(6, "UPDATE_IN_PROGRESS", "", "User Initiated"),
        raw_event(5, "UPDATE_FAILED", "Table", "of an earlier deploy"),
    ]
    scripted.answers("cloudformation", "describe_stack_events", {"StackEvents": newest, "NextToken": "more"})
    scripted.answers("cloudformation", "describe_stack_events", {"StackEvents": oldest, "NextToken": "never asked"})
    describes(scripted, [])
    assert [cause.logical_id for cause in asked(scripted)] == ["Key"]


def test_a_stack_whose_last_operation_went_well_has_no_cause(scripted: Scripted) -> None:
    scripted.events(
        raw_event(1, "UPDATE_FAILED", "Table", "old"),
        raw_event(2, "UPDATE_IN_PROGRESS"),
        raw_event(3, "UPDATE_COMPLETE"),
    )
    assert asked(scripted) == []
    scripted.events(raw_event(1, "REVIEW_IN_PROGRESS"))
    assert asked(scripted) == []
