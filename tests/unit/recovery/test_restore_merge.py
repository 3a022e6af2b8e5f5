"""Comparing and merging, held against a model: two dicts, and what must come of each payment."""

import stat
import threading
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from paycli.aws import Aws
from paycli.errors import UsageError
from paycli.operations.restore import checkpoint, reading
from paycli.operations.restore import validated as validated_ids
from paycli.operations.restore.comparison import Comparison, Pair, compare
from paycli.operations.restore.items import DIFFERENCES, KINDS, is_processed
from paycli.operations.restore.merging import Merge, survey
from paycli.operations.restore.outcomes import Orders, Refusals
from paycli.progress import Event, Step
from tests.fakes.tables import Item, Table, Tables
from tests.unit.recovery.payments import FATES, NOW, POINT, expired, processed, validated, without
from tests.unit.smoke.smoke_stack import AwsError, aws_of

RESTORED, LIVE = "transactions-test-restore-20261123T093000Z", "transactions-test"
PAIR = Pair(RESTORED, LIVE, POINT, about=10)


class _Current:
    """What the one client of these tests asks: making a client takes longer than a test."""

    def __init__(self) -> None:
        self.tables = Tables()

    @property
    def operations(self) -> Mapping[str, Any]:
        return self.tables.operations


CURRENT = _Current()


@cache
def aws() -> Aws:
    return aws_of(CURRENT)  # type: ignore[arg-type]


def tables(restored: Mapping[str, Item], live: Mapping[str, Item]) -> Tables:
    CURRENT.tables = Tables(Table(RESTORED, dict(restored)), Table(LIVE, dict(live)))
    return CURRENT.tables


def dynamodb() -> Any:
    return aws().client("dynamodb")


def quiet(_event: Event) -> None:
    """Hear nothing."""


def of_fates(fates: Mapping[str, str]) -> Tables:
    """Both tables; `fates` says what became of each payment."""
    made = {name: (FATES[fate].restored(name), FATES[fate].live(name)) for name, fate in fates.items()}
    return tables(
        {name: restored for name, (restored, _) in made.items() if restored},
        {name: live for name, (_, live) in made.items() if live},
    )


def expected(fates: Mapping[str, str], told: str) -> dict[str, Item]:
    """The live table after a merge that was told `told`."""
    found = {}
    for name, fate in fates.items():
        side = getattr(FATES[fate], told)
        item = getattr(FATES[fate], side)(name)
        if item:
            found[name] = item
    return found


PAYMENTS = st.dictionaries(
    st.from_regex(r"txn_[0-9a-f]{3}", fullmatch=True), st.sampled_from(sorted(FATES)), max_size=12
)
TOLD = {
    "merge": Orders(),
    "overwriting": Orders(overwrite=100),
    "with_expired": Orders(expired=True),
    "both": Orders(expired=True, overwrite=100),
}


def a_comparison(**options: Any) -> Comparison:
    return compare(dynamodb(), PAIR, quiet, **options)


@pytest.mark.parametrize("fate", FATES)
def test_each_fate_is_told_from_the_others(fate: str) -> None:
    of_fates({"txn_1": fate})
    found = a_comparison()
    assert {kind: number for kind, number in found.counts.items() if number} == {FATES[fate].kind: 1}
    assert found.different == (FATES[fate].kind in DIFFERENCES)
    assert [shown.transaction_id for shown in found.sample] == ["txn_1"] * found.different
    assert "nobody-reads" not in repr(found)


@given(PAYMENTS, st.integers(1, 3), st.integers(2, 4))
@settings(max_examples=40, deadline=None)
def test_a_comparison_counts_every_payment_once(fates: dict[str, str], segments: int, page: int) -> None:
    of_fates(fates).page_size = page
    found = a_comparison(segments=segments, sample=2)
    kinds = Counter(FATES[fate].kind for fate in fates.values())
    assert found.counts == {kind: kinds[kind] for kind in KINDS}
    by_kind = {
        kind: sorted(name for name, fate in fates.items() if FATES[fate].kind == kind)[:2] for kind in DIFFERENCES
    }
    assert [shown.transaction_id for shown in found.sample] == [name for kind in DIFFERENCES for name in by_kind[kind]]


@given(PAYMENTS, st.sampled_from(sorted(TOLD)), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_after_a_merge_the_live_table_is_what_it_must_be(fates: dict[str, str], told: str, segments: int) -> None:
    fake, refusals = of_fates(fates), Refusals(9)
    foretold = survey(dynamodb(), PAIR, TOLD[told], quiet, refusals, segments=segments)
    with TemporaryDirectory() as root:
        counts = Merge(dynamodb(), PAIR, TOLD[told], quiet, Path(root)).all(segments=segments)
        assert not checkpoint.path_of(Path(root), RESTORED).exists()
    assert fake.tables[LIVE].items == expected(fates, told)
    assert counts == foretold
    again = survey(dynamodb(), PAIR, TOLD[told], quiet, Refusals(0))
    assert again["copied"] == again["overwritten"] == again["mended"] == 0
    assert len(refusals.sampled()) == min(9, foretold["refused"])
    assert sum(counts.values()) - counts["copied_validated"] == len(fake.tables[RESTORED].items)
    assert counts["moved_on"] == sum(FATES[fate].kind == "moved_on" for fate in fates.values())


class Killed(KeyboardInterrupt):
    """The user's Ctrl-C, at a write."""


@given(
    PAYMENTS,
    st.sampled_from(sorted(TOLD)),
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=4),
    st.booleans(),
)
@example({"a": "processed by nobody, with another amount", "b": "an attribute less"}, "both", 1, [(2, False)], False)
@settings(max_examples=100, deadline=None)
def test_interrupted_or_killed_at_any_write_and_run_again_comes_to_the_same(
    fates: dict[str, str], told: str, segments: int, ends: list[tuple[int, bool]], lose_the_checkpoint: bool
) -> None:
    fake = of_fates(fates)
    copied: set[str] = set()
    with TemporaryDirectory() as folder:
        root = Path(folder)
        path = checkpoint.path_of(root, RESTORED)
        ended = all(end(fake, root, told, segments, at, killed=killed) for at, killed in ends)
        if ended and lose_the_checkpoint:
            path.unlink(missing_ok=True)
        fake.before_put = lambda _item: None
        counts = Merge(dynamodb(), PAIR, TOLD[told], quiet, root).all(segments=segments)
        noted = validated_ids.path_of(root, RESTORED)
        copied = set(noted.read_text().split()) if noted.exists() else set()
        assert validated_ids.count(noted) == len(copied)
    assert fake.tables[LIVE].items == expected(fates, told)
    assert copied == {
        name
        for name, fate in fates.items()
        if FATES[fate].live(name) is None and not is_processed(expected(fates, told).get(name, PROCESSED))
    }
    assert sum(counts.values()) - counts["copied_validated"] == len(fake.tables[RESTORED].items)
    if ended and not (ends and lose_the_checkpoint):
        wanted = [fate for fate in fates.values() if getattr(FATES[fate], told) != "live"]
        assert counts["copied"] + counts["overwritten"] + counts["mended"] == len(wanted)
        assert counts["copied_validated"] == len(copied)


@pytest.mark.parametrize("killed", [False, True])
def test_what_was_written_of_a_page_counts_once_however_the_merge_ended(tmp_path: Path, killed: bool) -> None:
    fates = {"txn_1": "lost", "txn_2": "another amount", "txn_3": "processed with another amount", "txn_4": "lost"}
    fake = of_fates(fates)
    fake.page_size = 5
    for at in (2, 2, 2):
        assert end(fake, tmp_path, "overwriting", 1, at, killed=killed)
    fake.before_put = lambda _item: None
    counts = Merge(dynamodb(), PAIR, TOLD["overwriting"], quiet, tmp_path).all(segments=1)
    assert {name: number for name, number in counts.items() if number} == {
        "copied": 2,
        "copied_validated": 2,
        "overwritten": 1,
        "mended": 1,
    }


PROCESSED = processed(validated("none"))


def end(fake: Tables, root: Path, told: str, segments: int, at: int, *, killed: bool) -> bool:
    """End a merge at a write, if there is such a one; killed, it leaves its files as they are at that moment."""
    writes, left = 0, ""
    path = checkpoint.path_of(root, RESTORED)

    def before(_item: Item) -> None:
        nonlocal writes, left
        writes += 1
        if writes == at:
            left = path.read_text()
        if writes >= at:
            raise Killed

    fake.before_put = before
    try:
        Merge(dynamodb(), PAIR, TOLD[told], quiet, root).all(segments=segments)
    except Killed:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "nobody-reads" not in path.read_text()
        if killed:
            path.write_text(left)
        return True
    return False


@given(PAYMENTS, st.sampled_from(sorted(TOLD)), st.data())
@settings(max_examples=60, deadline=None)
def test_a_payment_that_comes_meanwhile_is_never_overwritten(
    fates: dict[str, str], told: str, data: st.DataObject
) -> None:
    fake = of_fates(fates)
    racing = set(data.draw(st.lists(st.sampled_from(sorted(fates)), unique=True)) if fates else [])
    came: dict[str, Item] = {}

    def race(item: Item) -> None:
        name = item["transaction_id"]["S"]
        if name in racing - came.keys():
            live = fake.tables[LIVE].items.get(name)
            came[name] = processed(live or validated(name), NOW)
            fake.tables[LIVE].items[name] = came[name]

    fake.before_put = race
    with TemporaryDirectory() as root:
        Merge(dynamodb(), PAIR, TOLD[told], quiet, Path(root)).all(segments=2)
    assert fake.tables[LIVE].items == {**expected(fates, told), **came}


@given(st.sampled_from(sorted(FATES)), st.sampled_from(sorted(FATES)), st.sampled_from(sorted(TOLD)))
@settings(max_examples=300, deadline=None)
def test_no_merge_takes_a_payment_from_processed_to_validated(of: str, to: str, told: str) -> None:
    restored, live = FATES[of].restored("txn_1"), FATES[to].live("txn_1")
    if restored is None or live is None:
        return
    fake = tables({"txn_1": restored}, {"txn_1": live})
    with TemporaryDirectory() as root:
        Merge(dynamodb(), PAIR, TOLD[told], quiet, Path(root)).named(["txn_1"])
    after = fake.tables[LIVE].items["txn_1"]
    if is_processed(live) and restored.get("status") != {"S": "processed"}:
        assert {name: after.get(name) for name in PROCESSING} == {name: live.get(name) for name in PROCESSING}
    elif live.get("status") == {"S": "processed"}:
        assert after["status"] == {"S": "processed"}


PROCESSING = ("status", "processed_at", "processed_by")


def test_a_processed_payment_gets_its_fields_back_and_stays_processed_as_it_was(tmp_path: Path) -> None:
    whole = processed(validated("txn_1"))
    wrong = {**whole, "amount_minor": {"N": "1"}, "customer_id": {"S": "x"}, "metadata": {"M": {}}, "oops": {"S": "x"}}
    fake = tables({"txn_1": validated("txn_1")}, {"txn_1": wrong})
    counts = Merge(dynamodb(), PAIR, Orders(overwrite=1), quiet, tmp_path).named(["txn_1"])
    assert fake.tables[LIVE].items["txn_1"] == whole
    assert (counts["mended"], counts["overwritten"], counts["refused"]) == (1, 0, 0)
    assert fake.asked["PutItem"] == 0
    assert a_comparison().counts["moved_on"] == 1


def test_a_mending_whose_reply_was_lost_counts_as_done(tmp_path: Path) -> None:
    fake = of_fates({"txn_1": "processed with another amount"})

    def first_try_arrives(item: Item) -> None:
        fake.tables[LIVE].items["txn_1"] = dict(item)

    fake.before_put = first_try_arrives
    assert Merge(dynamodb(), PAIR, Orders(overwrite=1), quiet, tmp_path).named(["txn_1"])["mended"] == 1


def test_what_stays_of_the_named_ones_is_told_with_the_reason(tmp_path: Path) -> None:
    fake = of_fates(
        {
            "txn_1": "marks of processing",
            "txn_2": "expired and corrupted",
            "txn_3": "processed with another amount",
            "txn_4": "lost",
            "txn_5": "processed since",
        }
    )

    def race(item: Item) -> None:
        name = item["transaction_id"]["S"]
        fake.tables[LIVE].items[name] = processed(validated(name), NOW)

    fake.before_put = race
    merge = Merge(dynamodb(), PAIR, Orders(overwrite=5), quiet, tmp_path)
    counts = merge.named([f"txn_{number}" for number in range(1, 6)])
    assert (counts["refused"], counts["kept"], counts["moved_on"]) == (2, 2, 1)
    assert [(each.transaction_id, each.reason, each.live_status) for each in merge.refusals.sampled()] == [
        ("txn_1", "unsound", "validated"),
        ("txn_2", "expired", "validated"),
        ("txn_3", "meanwhile", "processed"),
        ("txn_4", "meanwhile", ""),
    ]
    assert "nobody-reads" not in repr(merge.refusals.sampled())


@pytest.mark.parametrize("size", [0, 2])
def test_of_many_refusals_the_first_by_id_are_shown(size: int) -> None:
    of_fates({f"txn_{number}": "marks of processing" for number in range(5)})
    refusals = Refusals(size)
    assert survey(dynamodb(), PAIR, Orders(overwrite=1), quiet, refusals)["refused"] == 5
    assert [each.transaction_id for each in refusals.sampled()] == ["txn_0", "txn_1"][:size]


def test_no_more_is_overwritten_than_was_confirmed(tmp_path: Path) -> None:
    of_fates({f"txn_{number}": "another amount" for number in range(5)})
    counts = Merge(dynamodb(), PAIR, Orders(overwrite=3), quiet, tmp_path).all(segments=2)
    assert (counts["overwritten"], counts["kept"]) == (3, 2)


def test_validated_ones_are_counted_apart_since_they_may_have_been_processed(tmp_path: Path) -> None:
    of_fates({"txn_1": "lost", "txn_2": "lost, processed", "txn_3": "lost"})
    counts = Merge(dynamodb(), PAIR, Orders(), quiet, tmp_path).all()
    assert (counts["copied"], counts["copied_validated"]) == (3, 2)


def test_only_named_payments_are_touched(tmp_path: Path) -> None:
    fake = of_fates({"txn_1": "lost", "txn_2": "lost", "txn_3": "another amount", "txn_4": "processed since"})
    asked = ["txn_1", "txn_3", "txn_4"]
    counts = Merge(dynamodb(), PAIR, Orders(overwrite=3), quiet, tmp_path).named(asked)
    assert (counts["copied"], counts["overwritten"], counts["moved_on"]) == (1, 1, 1)
    live = fake.tables[LIVE].items
    assert "txn_2" not in live
    assert live["txn_3"] == validated("txn_3")
    assert live["txn_4"]["status"] == {"S": "processed"}


def test_an_unknown_name_stops_it_before_anything_is_written(tmp_path: Path) -> None:
    fake = of_fates({"txn_1": "lost"})
    with pytest.raises(UsageError, match=r"Not in .*: txn_9\.$"):
        Merge(dynamodb(), PAIR, Orders(), quiet, tmp_path).named(["txn_1", "txn_9"])
    assert fake.tables[LIVE].items == {}


def test_a_write_whose_reply_was_lost_counts_as_done(tmp_path: Path) -> None:
    fake = of_fates({"txn_1": "lost"})

    def first_try_arrives(item: Item) -> None:
        fake.tables[LIVE].items[item["transaction_id"]["S"]] = dict(item)

    fake.before_put = first_try_arrives
    assert Merge(dynamodb(), PAIR, Orders(), quiet, tmp_path).all()["copied"] == 1


def test_what_aws_throttles_is_waited_out_and_said_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reading, "_FIRST_PAUSE", 0.001)
    fake = of_fates({f"txn_{number}": "lost" for number in range(4)})
    fake.throttled.update({"PutItem": 2, "Scan": 1})
    fake.stalled = 2
    said: list[Event] = []
    assert Merge(dynamodb(), PAIR, Orders(), said.append, tmp_path).all(segments=1)["copied"] == 4
    assert [event.text.split(";")[0] for event in said if isinstance(event, Step)] == [
        "AWS throttles or is out of reach"
    ] * 2


def test_throttled_for_too_long_is_an_error_and_the_checkpoint_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(reading, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(reading, "_SILENCE_SECONDS", 0.01)
    fake = of_fates({f"txn_{number}": "lost" for number in range(4)})
    fake.throttled["PutItem"] = 1000
    with pytest.raises(ClientError, match="ThrottlingException"):
        Merge(dynamodb(), PAIR, Orders(), quiet, tmp_path).all()
    assert checkpoint.path_of(tmp_path, RESTORED).exists()
    fake.throttled.clear()
    assert Merge(dynamodb(), PAIR, Orders(), quiet, tmp_path).all()["copied"] == 4


def test_one_refusal_stops_every_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_FIRST_PAUSE", 0.01)
    fake = of_fates({f"txn_{number}": "lost" for number in range(40)})
    denied = threading.Event()

    def refuse(_params: dict[str, Any]) -> dict[str, Any]:
        denied.set()
        raise AwsError("AccessDeniedException", "no")

    def slow(_params: dict[str, Any]) -> dict[str, Any]:
        assert denied.wait(10)
        raise AwsError("ThrottlingException", "slow down")

    fake.operations |= {"BatchGetItem": refuse}
    scan = fake.operations["Scan"]
    fake.operations["Scan"] = lambda params: scan(params) if params["Segment"] == 0 else slow(params)
    with pytest.raises(ClientError, match="AccessDenied"):
        a_comparison(segments=4)


def test_it_goes_on_only_where_the_same_merge_stopped(tmp_path: Path) -> None:
    fake = of_fates({f"txn_{number}": "lost" for number in range(6)})
    path = checkpoint.path_of(tmp_path, RESTORED)
    merge = Merge(dynamodb(), PAIR, Orders(), quiet, tmp_path, {"live_id": "1"})
    merge.all(segments=1)
    done = checkpoint.Progress({"live_id": "1", "live": LIVE, "expired": False, "overwrite": False, "segments": 1})
    done.positions[0] = None
    done.counts["copied"] = 6
    fake.tables[LIVE].items.clear()

    checkpoint.save(path, done)
    assert Merge(dynamodb(), PAIR, Orders(), quiet, tmp_path, {"live_id": "1"}).all(segments=1)["copied"] == 6
    assert fake.tables[LIVE].items == {}  # it was all done

    for others in (
        Merge(dynamodb(), PAIR, Orders(), quiet, tmp_path, {"live_id": "2"}),
        Merge(dynamodb(), PAIR, Orders(expired=True), quiet, tmp_path, {"live_id": "1"}),
    ):
        checkpoint.save(path, done)
        others.all(segments=1)
        assert len(fake.tables[LIVE].items) == 6
        fake.tables[LIVE].items.clear()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema": 3, "of": {}, "at": 99999999999, "positions": {}, "counts": {}}',
        '{"schema": 2, "of": {}, "at": 1, "positions": {}, "counts": {}}',
        '{"schema": 2, "of": {}, "at": null, "positions": {}, "counts": {}}',
        '{"schema": 2, "of": {}, "at": 99999999999, "positions": {"x": null}, "counts": {}}',
        '{"schema": 2, "of": {}, "at": 99999999999, "positions": [], "counts": {}}',
    ],
)
def test_a_broken_or_old_checkpoint_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "checkpoint.json"
    path.write_text(text)
    assert checkpoint.load(path, {}) is None


def test_progress_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_TELL_SECONDS", 0.0)
    of_fates({f"txn_{number}": "lost" for number in range(3)})
    said: list[Event] = []
    compare(dynamodb(), PAIR, said.append, segments=1)
    told = [event.text for event in said if isinstance(event, Step)]
    assert list(dict.fromkeys(told)) == ["Compared: 2 of about 20", "Compared: 3 of about 20"]


def test_of_a_changed_payment_only_the_names_of_attributes_are_told() -> None:
    tables(
        {"txn_1": validated("txn_1"), "txn_2": expired("txn_2")},
        {"txn_1": without(validated("txn_1", amount_minor={"N": "31337"}, extra={"S": "secret"}), "currency")},
    )
    (shown,) = a_comparison().sample
    assert (shown.kind, shown.restored_status, shown.live_status) == ("changed", "validated", "validated")
    assert shown.attributes == ("amount_minor", "currency", "extra")
    assert "31337" not in repr(shown)
    assert "secret" not in repr(shown)
