"""Following an operation to its end, and saying why it failed."""

from collections.abc import Callable
from typing import Any

import pytest

from paycli.deployment.failure import demand, first_failure
from paycli.deployment.follow import Finished, follow, last_event
from paycli.errors import PaycliError
from paycli.progress import ResourceEvent
from tests.scripted import STACK_ID, Scripted

Make = Callable[..., dict[str, Any]]


def followed(scripted: Scripted, **options: Any) -> Finished:
    cloudformation = scripted.aws.client("cloudformation")
    defaults: dict[str, Any] = {"after": "event-0", "total": 2, "report": scripted.reported.append}
    return follow(cloudformation, STACK_ID, **{**defaults, **options})


def test_only_what_is_new_is_reported_and_counted(scripted: Scripted, event: Make) -> None:
    old = event(0, "CREATE_COMPLETE")
    first = [old, event(1, "UPDATE_IN_PROGRESS"), event(2, "UPDATE_IN_PROGRESS", "Table")]
    scripted.events(old)
    assert last_event(scripted.aws.client("cloudformation"), STACK_ID) == "event-0"
    scripted.events(*first)
    scripted.events(*first)
    scripted.events(*first, event(3, "UPDATE_COMPLETE", "Table"), event(4, "UPDATE_COMPLETE"))
    finished = followed(scripted)
    assert finished.status == "UPDATE_COMPLETE"
    reported = [entry for entry in scripted.reported if isinstance(entry, ResourceEvent)]
    assert [entry.logical_id for entry in reported] == ["payment-api-dev", "Table", "Table", "payment-api-dev"]
    assert [(entry.done, entry.total) for entry in reported] == [(0, 2), (0, 2), (1, 2), (1, 2)]
    assert finished.events == tuple(reported)


def test_a_cleanup_is_not_the_end(scripted: Scripted, event: Make) -> None:
    cleanup = event(1, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    scripted.events(cleanup)
    scripted.events(cleanup, event(2, "UPDATE_COMPLETE"))
    assert followed(scripted).status == "UPDATE_COMPLETE"


def test_a_deadline_ends_the_following_and_not_the_operation(scripted: Scripted) -> None:
    with pytest.raises(PaycliError, match="CloudFormation goes on") as caught:
        followed(scripted, deadline_seconds=0.0)
    assert "payment-api-dev" in caught.value.message


def test_the_cause_is_the_first_that_failed_by_itself(scripted: Scripted, event: Make) -> None:
    scripted.events(
        event(1, "CREATE_FAILED", "Queue", "Resource creation cancelled"),
        event(2, "CREATE_FAILED", "Table", "Table already exists"),
        event(3, "CREATE_FAILED", "Topic", "Another"),
        event(4, "ROLLBACK_COMPLETE"),
    )
    finished = followed(scripted)
    cause = first_failure(finished.events)
    assert cause is not None
    assert cause.logical_id == "Table"
    with pytest.raises(PaycliError) as caught:
        demand(finished, "CREATE_COMPLETE", "payment-api-dev", "dev")
    assert caught.value.message.startswith("Table (AWS::DynamoDB::Table): Table already exists\n")
    assert "ROLLBACK_COMPLETE" in caught.value.message
    assert "paycli teardown --env dev" in caught.value.hint


def test_an_end_without_a_cause_says_so(scripted: Scripted, event: Make) -> None:
    scripted.events(event(1, "UPDATE_FAILED"))
    with pytest.raises(PaycliError, match="gives no reason"):
        demand(followed(scripted), "UPDATE_COMPLETE", "payment-api-dev", "dev")


def test_what_was_wanted_passes() -> None:
    demand(Finished("DELETE_COMPLETE", ()), "DELETE_COMPLETE", "payment-api-dev", "dev")
