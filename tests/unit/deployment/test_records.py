"""Records of deploys: which version to go back to, and how a deploy ended that nobody saw end."""

import dataclasses
import io
import itertools
from datetime import datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from hypothesis import given
from hypothesis import strategies as st

from paycli.deployment import artifacts, records, rollback
from paycli.deployment.records import Record, Version
from paycli.deployment.stacks import Stack
from paycli.errors import PaycliError
from tests.fakes.cloudformation import states
from tests.scripted import STACK_ID, Scripted

STACK = Stack("payment-api-dev", STACK_ID, "UPDATE_COMPLETE", {}, {}, False, {})
RESULTS = ["in_progress", "succeeded", "failed", "cancelled"]


def record(number: int, version: str = "a", result: str = "succeeded", rollback_of: int | None = None) -> Record:
    return Record.model_validate(
        {
            "number": number,
            "environment": "dev",
            "stack_id": STACK_ID,
            "change_set_id": f"change-set-{number}",
            "version": Version(template_sha256=version, code_key="code/x.zip", paycli="1", commit=""),
            "deployer": "arn:aws:iam::111111111111:user/ada",
            "started_at": "2026-01-01T00:00:00Z",
            "result": result,
            "changes": 1,
            "rollback_of": rollback_of,
        }
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Record]:
    """Draw what deploys and rollbacks have left, newest first; the oldest may be forgotten."""
    history: list[Record] = []
    for number in range(1, draw(st.integers(0, 12)) + 1):
        result = draw(st.sampled_from(["succeeded", *RESULTS]))
        before = [each for each in history if each.result == "succeeded"]
        again = draw(st.sampled_from([None, *before]))
        version = again.version.template_sha256 if again else draw(st.sampled_from("abcd"))
        one = record(number, version, result, again.number if again else None)
        history.insert(0, one.model_copy(update={"smoke_test": draw(st.sampled_from(["", "passed", "failed"]))}))
    return history[: draw(st.integers(0, 12))]


def origin(history: list[Record], each: Record) -> int:
    """Return the number of the deploy that a record repeats, or its own."""
    by_number = {one.number: one for one in history}
    while each.rollback_of in by_number:
        each = by_number[each.rollback_of]
    return each.rollback_of or each.number


@given(histories())
def test_rollbacks_go_further_back_each_time_until_there_is_nothing_older(history: list[Record]) -> None:
    left: list[int] = []
    while True:
        running = records.current(history, STACK)
        older = [each for each in history if running and each.number < origin(history, running)]
        try:
            found = rollback.version_before(history, STACK)
        except PaycliError as error:
            assert error.code == "no_such_deploy"
            assert not any(
                each.result == "succeeded" and running and each.version.identity != running.version.identity
                for each in older
            )
            return
        assert running
        assert found in older
        assert found.result == "succeeded"
        assert found.version.identity != running.version.identity
        others = [each for each in older if each.version.identity != running.version.identity]
        passing = [each for each in others if each.result == "succeeded" and each.smoke_test != "failed"]
        assert not passing or found == passing[0]
        left.append(found.number)
        assert left == sorted(set(left), reverse=True)
        number = history[0].number + 1
        history = [record(number, found.version.template_sha256, "succeeded", found.number), *history]


@given(histories(), st.sampled_from([None, *filter(None, states.STACK)]), st.integers(0, 13))
def test_who_was_killed_is_told_by_the_stack(history: list[Record], status: str | None, executed: int) -> None:
    change_set = f"change-set-{executed}"
    stack = dataclasses.replace(STACK, status=status, change_set_id=change_set) if status else None
    told = records.settled(history, stack)
    assert [each.number for each in told] == [each.number for each in history]
    assert records.settled(told, stack) == told
    for before, after in zip(history, told, strict=True):
        if before.result != "in_progress" or (stack and stack.in_progress):
            assert after == before
        elif before.number == executed and status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            assert (after.result, after.cause) == ("succeeded", "")
        else:
            assert (after.result, after.cause) == ("failed", "paycli didn't see its end")
        assert after.result == "in_progress" or before.result != "in_progress" or after.finished_at


@pytest.mark.parametrize(("changed", "result"), [(0, "succeeded"), (1, "succeeded"), (-1, "failed"), (None, "failed")])
def test_the_embedded_aws_tells_by_the_time_whose_deploy_was_the_last(changed: int | None, result: str) -> None:
    begun = record(1, result="in_progress")
    at = datetime.fromisoformat(begun.started_at)
    changed_at = None if changed is None else at + timedelta(seconds=changed)
    (told,) = records.settled([begun], dataclasses.replace(STACK, changed_at=changed_at))
    assert told.result == result


def bucket(scripted: Scripted) -> artifacts.Bucket:
    return artifacts.bucket_of(scripted.aws, "bucket-1", "1" * 12)


def test_a_number_that_is_just_being_written_is_tried_again(scripted: Scripted) -> None:
    scripted.answers("s3", "list_objects_v2", {})
    scripted.fails("s3", "put_object", "ConditionalRequestConflict")
    scripted.answers("s3", "put_object", {})
    assert (
        records.begin(bucket(scripted), record(0, result="in_progress"), lambda: None, scripted.reported.append).number
        == 1
    )


@pytest.mark.parametrize(("there", "number"), [(1, 1), (7, 2)])
def test_a_number_that_is_taken_is_ours_where_it_holds_our_record(scripted: Scripted, there: int, number: int) -> None:
    begun = record(0, result="in_progress")
    content = begun.model_copy(update={"number": there}).model_dump_json().encode()
    scripted.answers("s3", "list_objects_v2", {})
    scripted.fails("s3", "put_object", "PreconditionFailed")
    scripted.answers("s3", "get_object", {"Body": StreamingBody(io.BytesIO(content), len(content))})
    if number == 2:
        scripted.answers("s3", "put_object", {})
    assert records.begin(bucket(scripted), begun, lambda: None, scripted.reported.append).number == number


def test_a_bucket_that_refuses_is_the_error(scripted: Scripted) -> None:
    scripted.answers("s3", "list_objects_v2", {})
    scripted.fails("s3", "put_object", "AccessDenied")
    with pytest.raises(ClientError, match="AccessDenied"):
        records.begin(bucket(scripted), record(0), lambda: None, scripted.reported.append)


def test_the_newest_that_succeeded_is_what_runs() -> None:
    history = [record(number, result=result) for number, result in zip(itertools.count(4, -1), RESULTS, strict=False)]
    assert records.current(history, STACK) == history[1]
    assert records.current([], STACK) is None


def test_a_bucket_that_refuses_a_record_does_not_say_that_there_is_none(scripted: Scripted) -> None:
    scripted.fails("s3", "get_object", "AccessDenied")
    with pytest.raises(ClientError, match="AccessDenied"):
        records.numbered(bucket(scripted), "dev", 5)


def test_a_record_that_is_removed_while_records_are_listed_stops_nothing(scripted: Scripted) -> None:
    scripted.answers("s3", "list_objects_v2", {"Contents": [{"Key": "deployments/dev/000001.json"}]})
    scripted.fails("s3", "get_object", "NoSuchKey")
    assert records.recent(bucket(scripted), "dev", scripted.reported.append) == records.Shelf([], [1], 1)


def test_a_record_that_may_not_be_read_is_no_damaged_one(scripted: Scripted) -> None:
    scripted.answers("s3", "list_objects_v2", {"Contents": [{"Key": "deployments/dev/000001.json"}]})
    scripted.fails("s3", "get_object", "AccessDenied")
    with pytest.raises(ClientError, match="AccessDenied"):
        records.recent(bucket(scripted), "dev", scripted.reported.append)
