"""What a run leaves in the table and in the queue: read, held against the answers, and removed, and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from paycli.errors import DetachedError, PaycliError
from paycli.operations.load import recorded, run, stored
from paycli.operations.load.drive import Driver, Ending, NotStarted
from paycli.operations.load.ledger import Ledger
from paycli.operations.load.plan import MIX, Plan
from paycli.operations.load.recorded import Recorder, Records
from paycli.operations.load.run import Findings, Options, Target
from paycli.operations.load.sample import Sample
from paycli.operations.reconciliation import Discrepancy, Exchange
from tests.unit.smoke.smoke_stack import AwsError, Stack, aws_of, outputs

OWN, OTHER = "paycli-load-0123abcd-", "paycli-load-ffffffff-0-1"
OUTPUTS = outputs("http://127.0.0.1:9/")


class Clock:
    """The time as the recorder sees it: it passes by looks and pauses, so it looks as often on a busy machine."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 0.5
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "time", Clock())
    monkeypatch.setattr(run, "_PATIENCE", {"embedded": 3.0, "aws": 3.0})


class LoadStack(Stack):
    """The stack, with the operations that only a load test needs."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.operations |= {"Scan": self._scan, "DeleteMessageBatch": self._delete_batch}

    def hold(self, transaction: str, customer: str, **more: str) -> None:
        self.items[transaction] = {
            "transaction_id": {"S": transaction},
            "status": {"S": "validated"},
            "customer_id": {"S": customer},
            "amount_minor": {"N": "100"},
            **{name: {"S": value} for name, value in more.items()},
        }

    def record(self, request: str, kind: str = "rejected", **more: Any) -> None:
        self.put_message(json.dumps({"request_id": request, "kind": kind, **more}))

    def _scan(self, params: dict[str, Any]) -> dict[str, Any]:
        """Give every item in the first segment, two a page."""
        assert params["FilterExpression"] == "begins_with(#customer_id, :own)"
        if params["Segment"]:
            return {"Items": []}
        prefix = params["ExpressionAttributeValues"][":own"]["S"]
        own = [item for _, item in sorted(self.items.items()) if item["customer_id"]["S"].startswith(prefix)]
        after = params.get("ExclusiveStartKey", {"transaction_id": {"S": ""}})["transaction_id"]["S"]
        left = [item for item in own if item["transaction_id"]["S"] > after]
        more = {"LastEvaluatedKey": {"transaction_id": left[1]["transaction_id"]}} if len(left) > 2 else {}
        return {"Items": left[:2], **more}

    def _delete_batch(self, params: dict[str, Any]) -> dict[str, Any]:
        handles = {entry["ReceiptHandle"] for entry in params["Entries"]}
        self.messages = [message for message in self.messages if message["ReceiptHandle"] not in handles]
        return {"Successful": [], "Failed": []}


@pytest.fixture
def stack() -> LoadStack:
    return LoadStack()


def seen_by(_count: int) -> None:
    """Look at nothing."""


def test_the_runs_own_payments_are_read_with_plain_values(stack: LoadStack) -> None:
    for number in range(5):
        stack.hold(f"txn_{number}", f"{OWN}0-{number}")
    stack.hold("txn_9", OTHER)
    counts: list[int] = []
    items = stored.items_of(aws_of(stack), "transactions-test", OWN, counts.append)
    assert sorted(items) == [f"txn_{number}" for number in range(5)]
    assert items["txn_0"]["amount_minor"] == 100
    assert items["txn_0"]["customer_id"] == f"{OWN}0-0"
    assert counts[-1] == 5


def test_only_the_runs_own_payments_are_removed(stack: LoadStack) -> None:
    stack.hold("txn_1", f"{OWN}0-1")
    stack.hold("txn_9", OTHER)
    assert stored.remove(aws_of(stack), "transactions-test", OWN, ["txn_1", "txn_9", "txn_gone"]) == []
    assert list(stack.items) == ["txn_9"]


def test_what_could_not_be_removed_is_said_and_not_all_of_it(stack: LoadStack) -> None:
    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise AwsError("AccessDeniedException", "not authorized")

    stack.operations["DeleteItem"] = refuse
    problems = stored.remove(aws_of(stack), "transactions-test", OWN, [f"txn_{number}" for number in range(5)])
    assert len(problems) == 4
    assert problems[0].startswith("the payment txn_0 stays in transactions-test: ")
    assert problems[-1] == "and 2 more"


def refused(request: str, **more: Any) -> Exchange:
    return Exchange("validate", request, f"{OWN}0-1", 400, request_id=request, **more)


UNHEARD = Exchange("validate", "p", f"{OWN}0-2", None)


def read(stack: LoadStack, *exchanges: Exchange, before: Any = None, keep: bool = False) -> Records:
    """Look at the queue, let `before` happen, and read what these exchanges have left."""
    retained = stack.environment.retain_data
    recorder = Recorder(aws_of(stack), OUTPUTS, OWN, retained=retained, patience=3.0)
    if before:
        before()
    return recorder.read(exchanges, keep=keep)


def test_the_runs_messages_are_read_and_removed(stack: LoadStack) -> None:
    def sent() -> None:
        for number in range(12):
            stack.record(f"r-{number}")
        stack.record("r-0")  # SQS may deliver one twice

    found = read(stack, *(refused(f"r-{number}") for number in range(12)), before=sent)
    assert (found.expected, found.recorded, found.lost, found.kept) == (12, 12, 0, "")
    assert found.messages is not None
    assert len(found.messages) == 13
    assert stack.messages == []


def test_messages_of_answers_that_were_lost_are_the_runs_own(stack: LoadStack) -> None:
    done = Exchange("validate", "p", f"{OWN}0-3", 200, "txn_3")

    def sent() -> None:
        stack.record("unheard", "error", payment={"customer_id": f"{OWN}0-2"})
        stack.record("unheard-too", "error", transaction_id="txn_3")

    found = read(stack, UNHEARD, done, before=sent)
    assert (found.expected, found.recorded) == (0, 2)
    assert stack.messages == []


def test_a_message_that_was_counted_as_lost_is_known_by_the_log(stack: LoadStack) -> None:
    lost = {"request_id": "r-1", "FailureMessagesLost": 1}
    stack.log += [json.dumps(lost), json.dumps({**lost, "request_id": "somebody's"}), "no JSON FailureMessagesLost"]
    found = read(stack, refused("r-1"), refused("r-2"))
    assert (found.expected, found.recorded, found.lost) == (2, 0, 1)


@pytest.mark.parametrize("theirs", ["no JSON", "[]", "{}", '{"request_id": "x", "kind": "error", "payment": null}'])
def test_a_real_failure_is_handed_back_and_ends_the_receiving(stack: LoadStack, theirs: str) -> None:
    def sent() -> None:
        stack.put_message(theirs)
        stack.record("r-1")

    found = read(stack, refused("r-1"), before=sent)
    assert found.messages is None
    assert found.kept == "a failure of somebody else's arrived meanwhile"
    (message,) = stack.messages
    assert (message["Body"], message["hidden"], message["received"]) == (theirs, False, 1)
    assert found.discrepancies() == []


@pytest.mark.parametrize(
    ("settings", "keep", "why"),
    [
        ({"retain_data": True}, False, "retain_data is on"),
        ({}, True, "it was asked for (--keep)"),
    ],
)
def test_where_nothing_may_be_received_the_count_is_the_witness(settings: dict[str, Any], keep: bool, why: str) -> None:
    stack = LoadStack(**settings)
    found = read(stack, refused("r-1"), refused("r-2"), before=lambda: stack.record("r-1"), keep=keep)
    assert (found.grown, found.lost, found.kept) == (1, 0, why)
    assert found.discrepancies() == [
        Discrepancy("fewer_recorded_than_failed", "1 more messages, 0 counted as lost, 2 expected")
    ]
    stack.record("r-2")
    assert stack.receives == 0
    enough = read(stack, refused("r-3"), before=lambda: stack.record("r-3"), keep=keep)
    assert (enough.grown, enough.discrepancies()) == (1, [])


# A whole run, with the load played by the test.

PLAN = Plan("0123abcd", rate=1.0, duration=1.0, mix=MIX, seed=7, in_flight=8)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What the load does in place of sending: each entry is a sample, or an exception that it ends with."""
    script: list[Any] = []

    def drive(self: Driver, workers: int, address: object, ledger: Ledger, measurements: Any, faults: object) -> Ending:
        for step in script:
            if isinstance(step, BaseException):
                raise step
            for sample in ledger.add([step.row()]):
                measurements.add(sample)
        return Ending(interrupted=False, lost=0)

    monkeypatch.setattr(Driver, "drive", drive)
    yield script


def taken(number: int) -> Sample:
    customer = f"{OWN}0-{number}"
    return Sample("new", 0.1, 0.1, 0, "", Exchange("validate", customer, customer, 200, f"txn_{number}"))


def performed(stack: LoadStack, root: Path, *, keep: bool = False) -> Findings:
    target = Target(aws_of(stack), stack.environment, OUTPUTS)
    return run.run(target, PLAN, Options(keep=keep), root, lambda _event: None)


def test_a_clean_run_leaves_nothing(stack: LoadStack, played: list[Any], tmp_path: Path) -> None:
    played += [taken(1), taken(2)]
    for number in (1, 2):
        stack.hold(f"txn_{number}", f"{OWN}0-{number}")
    found = performed(stack, tmp_path)
    assert (found.payments, found.discrepancies, found.untidy, found.ledger) == (2, [], [], None)
    assert stack.items == {}
    assert list((tmp_path / ".paycli" / "load").iterdir()) == []


def test_a_payment_that_is_missing_is_found_and_the_ledger_is_kept(
    stack: LoadStack, played: list[Any], tmp_path: Path
) -> None:
    played += [taken(1), taken(2)]
    stack.hold("txn_1", f"{OWN}0-1")
    stack.hold("txn_7", f"{OWN}0-7")
    found = performed(stack, tmp_path)
    assert {(each.kind, each.about) for each in found.discrepancies} == {
        ("acknowledged_but_missing", "txn_2"),
        ("stored_unasked", "txn_7"),
    }
    assert found.ledger
    assert found.ledger.exists()
    assert stack.items == {}


def test_what_is_to_be_kept_is_kept(stack: LoadStack, played: list[Any], tmp_path: Path) -> None:
    played += [taken(1)]
    stack.hold("txn_1", f"{OWN}0-1")
    assert performed(stack, tmp_path, keep=True).ledger
    target = Target(aws_of(stack), stack.environment, OUTPUTS)
    assert list(stack.items) == ["txn_1"]
    assert run.clean_up(target, "0123abcd", tmp_path) == (1, [])
    assert (stack.items, list((tmp_path / ".paycli" / "load").iterdir())) == ({}, [])


def test_the_ledger_stays_where_a_payment_does(stack: LoadStack, played: list[Any], tmp_path: Path) -> None:
    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise AwsError("AccessDeniedException", "not authorized")

    played += [taken(1)]
    stack.hold("txn_1", f"{OWN}0-1")
    stack.operations["DeleteItem"] = refuse
    found = performed(stack, tmp_path)
    assert len(found.untidy) == 1
    target = Target(aws_of(stack), stack.environment, OUTPUTS)
    assert len(run.clean_up(target, "0123abcd", tmp_path)[1]) == 1
    assert found.ledger
    assert found.ledger.exists()


def test_a_second_ctrl_c_says_what_stays_and_how_it_is_removed(
    stack: LoadStack, played: list[Any], tmp_path: Path
) -> None:
    played += [taken(1), KeyboardInterrupt()]
    with pytest.raises(DetachedError) as caught:
        performed(stack, tmp_path)
    assert "Payments of run 0123abcd may stay in transactions-test" in caught.value.message
    assert caught.value.hint == "paycli load-test --env test --clean-up 0123abcd"
    assert Ledger.of(tmp_path, "0123abcd").exists()


@pytest.mark.parametrize("refusal", [PaycliError("It broke.", code="broken"), AwsError("AccessDeniedException")])
def test_whatever_ends_a_run_too_early_says_what_stays(
    stack: LoadStack, played: list[Any], tmp_path: Path, refusal: Exception
) -> None:
    if isinstance(refusal, PaycliError):
        played += [refusal]

    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise refusal

    stack.operations["Scan"] = refuse
    with pytest.raises(PaycliError) as caught:
        performed(stack, tmp_path)
    assert "may stay in transactions-test" in caught.value.message
    assert "--clean-up 0123abcd" in caught.value.hint


def test_a_load_that_never_began_leaves_no_ledger(stack: LoadStack, played: list[Any], tmp_path: Path) -> None:
    played += [NotStarted("no workers")]
    with pytest.raises(NotStarted) as caught:
        performed(stack, tmp_path)
    assert caught.value.message == "no workers"
    assert list((tmp_path / ".paycli" / "load").iterdir()) == []
