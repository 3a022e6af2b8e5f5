"""`paycli restore` as a user sees it, on tables in memory."""

import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paycli.operations.restore import checkpoint, cleanup, restoring, settings
from paycli.operations.restore.tables import own_tags
from tests.fakes.tables import ARN, KEY, Item, Table, Tables, live_table
from tests.unit.recovery.conftest import Run
from tests.unit.recovery.payments import POINT, processed, validated
from tests.unit.smoke.smoke_stack import AwsError

LIVE = "transactions-test"
NAME = re.compile(r"transactions-test-restore-\d{8}T\d{6}Z")


def restored(tables: Tables, stamp: str = "20261123T093000Z", env: str = "test", **more: object) -> Table:
    """A complete restored table, with one payment."""
    from paycli.environment import Environment

    name = f"transactions-{env}-restore-{stamp}"
    tags = own_tags(Environment(name=env), "restore", POINT)
    table = live_table(name, tags=tags, items={"txn_1": validated("txn_1")}, **more)
    tables.tables[name] = table
    return table


def interrupt(_params: object) -> dict[str, object]:
    raise KeyboardInterrupt


def test_without_an_action_it_shows_what_can_be_restored(tables: Tables, run: Run) -> None:
    ran = run("restore")
    assert ran.status == 0
    assert f"{LIVE} can be restored to any second from {tables.earliest:%Y-%m-%d %H:%M:%S} to " in ran.out
    assert "No restored table is there." in ran.out
    restored(tables, "20261101T000000Z")
    tables.tables["transactions-test-restore-20261102T000000Z"] = Table(
        "transactions-test-restore-20261102T000000Z", status="CREATING", looks=9
    )
    for other in ("transactions-test-restore-20261302T000000Z", "transactions-test-1-restore-20261102T000000Z", "xxx"):
        tables.tables[other] = Table(other)
    ran = run("restore")
    lines = [line.split() for line in ran.out.splitlines()[2:]]
    assert [(line[0], line[1], line[-1]) for line in lines] == [
        ("transactions-test-restore-20261102T000000Z", "CREATING", "--finish"),
        ("transactions-test-restore-20261101T000000Z", "ACTIVE", "yes"),
    ]
    listed = run("restore", "--json").data["tables"]
    assert [(table["owned"], table["point"]) for table in listed] == [(False, None), (True, POINT.isoformat())]
    assert listed[0]["made_at"] == "2026-11-02T00:00:00+00:00"


def test_a_table_is_restored_beside_with_all_its_settings(tables: Tables, run: Run) -> None:
    live = tables.tables[LIVE]
    live.items["txn_1"] = validated("txn_1")
    live.protected = True
    ran = run("restore", "--to", "15m")
    assert ran.status == 0, ran.err
    found = NAME.search(ran.out)
    assert found
    table = tables.tables[found[0]]
    assert (table.status, table.key, table.expiry, table.protected) == ("ACTIVE", KEY, "ENABLED", True)
    assert table.recovery == live.recovery
    point = table.summary["RestoreDateTime"]
    assert abs(datetime.now(UTC) - timedelta(minutes=15) - point) < timedelta(seconds=30)
    assert table.tags == {
        "Project": "payment-api",
        "Team": "payments",
        "ManagedBy": "paycli",
        "Environment": "test",
        "paycli:restored-from": LIVE,
        "paycli:restored-to": point.isoformat(),
        "paycli:purpose": "restore",
    }
    assert live.items == {"txn_1": validated("txn_1")}
    assert "Next: paycli restore --env test --compare" in ran.out
    assert "Switching on its point-in-time recovery" in ran.err
    assert "Encrypting" not in ran.err  # it never was under another key


def test_a_plain_table_is_restored_to_a_plain_one(tables: Tables, run: Run) -> None:
    live = tables.tables[LIVE]
    live.key, live.expiry, live.recovery = None, "DISABLED", {"PointInTimeRecoveryEnabled": True}
    ran = run("restore", "--to", "latest", "--json")
    assert ran.status == 0
    table = tables.tables[ran.data["table"]]
    assert (table.key, table.expiry, table.protected) == (None, "DISABLED", False)
    assert table.recovery == {"PointInTimeRecoveryEnabled": True}
    assert ran.data["point"] == tables.latest.isoformat()


def test_settings_that_aws_lost_or_refuses_for_a_while_are_set_again(tables: Tables, run: Run) -> None:
    name = "transactions-test-restore-20261123T093000Z"
    tables.tables[name] = Table(
        name, status="CREATING", looks=1, unavailable=2, summary={"RestoreDateTime": POINT, "RestoreInProgress": True}
    )
    ran = run("restore", "--finish")
    assert ran.status == 0, ran.err
    assert tables.tables[name].key == KEY
    assert tables.tables[name].recovery
    assert "Encrypting it with the stack's key" in ran.err
    assert tables.tables[name].tags["paycli:restored-to"] == POINT.isoformat()
    before = dict(vars(tables.tables[name]))
    assert run("restore", "--finish", "--table", name, "--json").data["point"] == POINT.isoformat()
    assert vars(tables.tables[name]) == before


def test_settings_that_are_never_done_end_with_a_deadline(
    tables: Tables, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "transactions-test-restore-20261123T093000Z"
    tables.tables[name] = Table(name, key=KEY, unavailable=10**9)
    monkeypatch.setattr(settings, "DEADLINE_SECONDS", 0.01)
    ran = run("restore", "--finish")
    assert ran.status == 1
    assert "has no continuous backups yet" in ran.err


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("1m", "later than what can be restored"),
        ("40d", "earlier than what can be restored"),
        ("2999-01-01T00:00:00Z", "is yet to come"),
        ("2026-11-23T09:30:00", "doesn't say its zone"),
        ("yesterday", "is no time"),
    ],
)
def test_a_time_that_cannot_be_restored_is_refused(tables: Tables, run: Run, to: str, words: str) -> None:
    ran = run("restore", "--to", to)
    assert ran.status == 2
    assert words in ran.err
    assert list(tables.tables) == [LIVE]


def test_without_recovery_there_is_nothing_to_restore_from(tables: Tables, run: Run) -> None:
    tables.tables[LIVE].recovery = {}
    ran = run("restore", "--to", "15m")
    assert ran.status == 1
    assert "has no point-in-time recovery" in ran.err


@pytest.mark.parametrize("arguments", [["--to", "15m"], ["--compare"], ["--finish"], []])
def test_where_the_live_table_is_gone_the_way_out_is_named(tables: Tables, run: Run, arguments: list[str]) -> None:
    restored(tables)
    del tables.tables[LIVE]
    ran = run("restore", *arguments)
    assert ran.status == 1
    assert f"There is no table {LIVE}" in ran.err
    assert "--deleted" in ran.err


def test_a_table_that_goes_between_two_calls_is_gone_too(tables: Tables, run: Run) -> None:
    backups = tables.operations["DescribeContinuousBackups"]

    def then_gone(params: dict[str, object]) -> dict[str, object]:
        answer = backups(params)
        del tables.tables[LIVE]
        return answer

    tables.operations["DescribeContinuousBackups"] = then_gone
    assert "There is no table" in run("restore", "--to", "15m").err


def test_an_interrupted_restore_says_how_to_go_on_and_does(tables: Tables, run: Run) -> None:
    describe = tables.operations["DescribeTable"]
    looks = 0

    def second_look(params: dict[str, object]) -> dict[str, object]:
        nonlocal looks
        looks += params["TableName"] != LIVE
        return interrupt(params) if looks == 2 else describe(params)

    tables.operations["DescribeTable"] = second_look
    ran = run("restore", "--to", "15m")
    assert ran.status == 130
    found = re.search(r"paycli (restore --env test --finish --table \S+)", ran.err)
    assert found
    assert "AWS goes on restoring" in ran.err
    name = found[1].split()[-1]
    assert run("restore", "--compare").status == 1  # not yet
    assert "isn't complete" in run("restore", "--compare").err
    assert run("restore", "--finish", "--table", name).status == 0
    assert run("restore", "--compare").status == 0


def test_interrupted_as_aws_is_told_to_restore_the_message_names_the_table(tables: Tables, run: Run) -> None:
    restore = tables.operations["RestoreTableToPointInTime"]

    def unheard(params: dict[str, object]) -> dict[str, object]:
        restore(params)
        raise KeyboardInterrupt

    tables.operations["RestoreTableToPointInTime"] = unheard
    ran = run("restore", "--to", "15m")
    (name,) = set(tables.tables) - {LIVE}
    assert (ran.status, f"--finish --table {name}" in ran.err) == (130, True)


@pytest.mark.parametrize("code", ["TableAlreadyExistsException", "TableInUseException"])
@pytest.mark.parametrize("command", [["restore", "--to", "15m"], ["drill", "restore"]])
def test_two_restores_in_one_second_are_told_apart(tables: Tables, run: Run, command: list[str], code: str) -> None:
    restore = tables.operations["RestoreTableToPointInTime"]

    def the_second(params: dict[str, object]) -> dict[str, object]:
        restore(params)
        raise AwsError(code, "it is there")

    tables.operations["RestoreTableToPointInTime"] = the_second
    ran = run(*command)
    (name,) = set(tables.tables) - {LIVE}  # the other's, which a drill doesn't delete
    assert (ran.status, f"Error: {name} is there already: " in ran.err, "--debug" in ran.err) == (1, True, False)
    assert "Run the command again" in ran.err


@pytest.mark.parametrize(("ends", "words"), [("INACCESSIBLE_ENCRYPTION_CREDENTIALS", "INACCESS"), ("gone", "gone")])
def test_a_restore_that_fails_says_so(
    tables: Tables, run: Run, monkeypatch: pytest.MonkeyPatch, ends: str, words: str
) -> None:
    monkeypatch.setattr(restoring, "_APPEAR_SECONDS", 0.0)
    tables.ends_as = ends
    ran = run("restore", "--to", "15m")
    assert ran.status == 1
    assert "failed: the table is" in ran.err
    assert words in ran.err


def test_a_long_restore_is_reported_and_ends_with_a_deadline(
    tables: Tables, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "_TELL_SECONDS", 0.0)
    monkeypatch.setattr(restoring, "DEADLINE_SECONDS", 0.05)
    tables.restoring = 10**9
    ran = run("restore", "--to", "15m")
    assert ran.status == 1
    assert re.search(r"Restoring transactions-test-restore-\S+: 0 min; 20 to 60 are usual", ran.err)
    assert "AWS goes on" in ran.err


def test_a_network_that_is_away_is_waited_for_and_a_refusal_is_not(
    tables: Tables, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.throttled["DescribeTable"] = 0
    describe, looks = tables.operations["DescribeTable"], 0

    def away_once(params: dict[str, object]) -> dict[str, object]:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise AwsError("ThrottlingException")
        return describe(params)

    tables.operations["DescribeTable"] = away_once
    assert run("restore", "--to", "15m").status == 0
    looks = 2
    monkeypatch.setattr(restoring, "_SILENCE_SECONDS", -1.0)
    tables.tables = {LIVE: tables.tables[LIVE]}
    looks = 1
    assert "ThrottlingException" in run("restore", "--to", "15m").err


def test_a_comparison_shows_counts_and_a_sample_and_ends_with_4(tables: Tables, run: Run) -> None:
    table = restored(tables)
    ran = run("restore", "--compare")
    assert ran.status == 4
    assert re.search(r"^ *1 +missing +not in the live table", ran.out, re.M)
    assert re.search(r"^missing +txn_1 +validated +- *$", ran.out, re.M)
    assert "nobody-reads" not in ran.out
    tables.tables[LIVE].items["txn_1"] = validated("txn_1")
    same = run("restore", "--compare", "--table", table.name)
    assert same.status == 0
    assert "Transaction" not in same.out


def test_a_long_list_of_differences_is_a_sample(tables: Tables, run: Run) -> None:
    restored(tables).items.update({f"txn_{number}": validated(f"txn_{number}") for number in range(9)})
    ran = run("restore", "--compare", "--sample", "2")
    assert "7 more differ" in ran.out
    data = run("restore", "--compare", "--sample", "2", "--json").data
    assert data["counts"]["missing"] == data["different"] == 9
    assert [shown["transaction_id"] for shown in data["sample"]] == ["txn_0", "txn_1"]
    assert set(data["sample"][0]) == {"kind", "transaction_id", "restored_status", "live_status", "attributes"}


def test_names_of_attributes_from_elsewhere_do_not_steer_the_terminal(tables: Tables, run: Run) -> None:
    restored(tables)
    tables.tables[LIVE].items["txn_1"] = {**validated("txn_1"), "\x1b[2Jx": {"S": "y"}}
    assert "\x1b" not in run("restore", "--compare").out


def test_restore_and_compare_in_one_go(tables: Tables, run: Run) -> None:
    tables.restored_items = {"txn_1": validated("txn_1")}
    ran = run("restore", "--to", "15m", "--compare", "--json")
    assert ran.status == 4
    assert NAME.fullmatch(ran.data["table"])
    assert ran.data["counts"]["missing"] == 1


def test_a_merge_asks_with_the_numbers_and_copies(tables: Tables, run: Run, asked: Callable[[str], None]) -> None:
    restored(tables).items["txn_2"] = processed(validated("txn_2"))
    asked("n")
    ran = run("restore", "--merge")
    assert ran.status == 1
    assert "Copy 2 payments back (1 processed, 1 validated) in transactions-test, the embedded AWS" in ran.err
    assert "overwrite" not in ran.err
    assert tables.tables[LIVE].items == {}
    asked("y")
    ran = run("restore", "--merge")
    assert ran.status == 0, ran.err
    assert re.search(r"^ +2 copied back$", ran.out, re.M)
    assert "1 of the copied payments are validated" in ran.out
    assert set(tables.tables[LIVE].items) == {"txn_1", "txn_2"}
    again = run("restore", "--merge")
    assert again.status == 0
    assert "[y/N]" not in again.err
    assert re.search(r"^ +2 as they were$", again.out, re.M)


def test_where_data_is_kept_the_name_is_typed(tables: Tables, run: Run, asked: Callable[[str], None]) -> None:
    tables.tables["transactions-kept"] = live_table("transactions-kept")
    table = restored(tables, env="kept")
    for action in ("--merge", "--cleanup"):
        asked("y")
        ran = run("restore", action, env="kept")
        assert ran.status == 1
        assert "Type the environment's name to confirm" in ran.err
    assert tables.tables["transactions-kept"].items == {}
    asked("kept")
    assert run("restore", "--merge", env="kept").status == 0
    assert run("restore", "--cleanup", env="kept").status == 0
    assert table.name not in tables.tables


def test_in_ci_a_merge_needs_yes(tables: Tables, run: Run) -> None:
    restored(tables)
    ran = run("restore", "--merge")
    assert ran.status == 2
    assert "Add --yes" in ran.err
    ran = run("restore", "--merge", "--overwrite")
    assert ran.status == 2
    assert "their number with --count" in ran.err
    ran = run("restore", "--merge", "--yes", "--json")
    assert (ran.status, ran.data["counts"]["copied"]) == (0, 1)


def corrupted(tables: Tables, number: int) -> None:
    table = restored(tables)
    for each in range(number):
        name = f"txn_{each}"
        table.items[name] = validated(name)
        tables.tables[LIVE].items[name] = validated(name, amount_minor={"N": "1"})


def interrupted_at(tables: Tables, write: int) -> None:
    """Interrupt before the next writes but so many."""
    writes = 0

    def before(_item: Item) -> None:
        nonlocal writes
        writes += 1
        if writes >= write:
            raise KeyboardInterrupt

    tables.before_put = before


def test_a_merge_that_is_interrupted_again_and_again_counts_each_payment_once(
    tables: Tables, run: Run, project: Path
) -> None:
    table = restored(tables)
    table.items = {f"txn_{number}": validated(f"txn_{number}") for number in range(9)}
    table.items |= {f"txn_p{number}": processed(validated(f"txn_p{number}")) for number in range(3)}
    tables.tables[LIVE].items = {"txn_1": validated("txn_1"), "txn_2": processed(validated("txn_2"))}
    merge = ("restore", "--merge", "--yes", "--segments", "1")
    for write in (2, 3, 1, 4):
        interrupted_at(tables, write)
        ran = run(*merge)
        assert (ran.status, "The same command again goes on" in ran.err) == (130, True)
    tables.before_put = lambda _item: None
    ran = run(*merge, "--json")
    counts = ran.data["counts"]
    assert (counts["copied"], counts["copied_validated"], counts["same"], counts["moved_on"]) == (10, 7, 1, 1)
    assert not checkpoint.path_of(project, table.name).exists()
    ids = Path(ran.data["validated"]["ids"])
    assert ran.data["validated"]["count"] == 7
    assert sorted(ids.read_text().split()) == [f"txn_{number}" for number in (0, 3, 4, 5, 6, 7, 8)]
    assert stat.S_IMODE(ids.stat().st_mode) == 0o600


def test_how_many_are_validated_is_said_also_where_the_end_of_the_merge_was_never_seen(
    tables: Tables, run: Run, asked: Callable[[str], None]
) -> None:
    restored(tables).items = {f"txn_{number}": validated(f"txn_{number}") for number in range(3)}
    assert run("restore", "--merge", "--transaction", "txn_1", "--yes").status == 0
    interrupted_at(tables, 2)
    assert run("restore", "--merge", "--yes", "--segments", "1").status == 130
    tables.before_put = lambda _item: None
    assert run("restore", "--merge", "--yes", "--segments", "2").status == 0  # another merge: it begins anew
    asked("y")
    ran = run("restore", "--merge")
    assert "Nothing is left to be written." in ran.out
    assert "3 of the copied payments are validated" in ran.out
    ids = Path(ran.out.rsplit(" ", 1)[1].strip())
    assert sorted(set(ids.read_text().split())) == ["txn_0", "txn_1", "txn_2"]
    assert run("restore", "--cleanup", "--yes").status == 0
    assert not ids.exists()


def test_an_interrupted_merge_of_a_number_goes_on_with_what_is_left_of_it(tables: Tables, run: Run) -> None:
    corrupted(tables, 5)
    live = tables.tables[LIVE].items
    command = ("restore", "--merge", "--overwrite", "--segments", "1", "--count")

    def at_the_fourth(item: Item) -> None:
        if item["transaction_id"]["S"] == "txn_3":
            raise KeyboardInterrupt

    tables.before_put = at_the_fourth
    assert run(*command, "5").status == 130
    ran = run(*command, "4")
    assert (ran.status, "2 payments would be overwritten or mended, not 4" in ran.err) == (1, True)
    live["txn_0"] = validated("txn_0", amount_minor={"N": "2"})
    ran = run(*command, "5")
    assert "3 payments would be overwritten or mended, not 5" in ran.err  # more than is left of it
    live["txn_0"] = validated("txn_0")
    tables.before_put = lambda _item: None
    assert run(*command, "5").status == 0
    assert all(item["amount_minor"] == {"N": "1000"} for item in live.values())


def test_what_is_overwritten_is_named_or_counted(tables: Tables, run: Run, asked: Callable[[str], None]) -> None:
    corrupted(tables, 3)
    live = tables.tables[LIVE].items
    ran = run("restore", "--merge", "--overwrite", "--yes")
    assert ran.status == 2
    assert "--count" in ran.err
    assert run("restore", "--merge", "--overwrite", "--transaction", "txn_0", "--yes").status == 0
    assert [live[f"txn_{n}"]["amount_minor"]["N"] for n in range(3)] == ["1000", "1", "1"]
    ran = run("restore", "--merge", "--overwrite", "--count", "3")
    assert ran.status == 1
    assert "2 payments would be overwritten or mended, not 3" in ran.err
    asked("n")
    ran = run("restore", "--merge", "--overwrite")
    assert "Copy 0 payments back (0 processed, 0 validated) and overwrite 2 in transactions-test" in ran.err
    assert live["txn_1"]["amount_minor"] == {"N": "1"}
    ran = run("restore", "--merge", "--overwrite", "--count", "2", "--json")
    assert (ran.status, ran.data["counts"]["overwritten"]) == (0, 2)
    assert live["txn_1"]["amount_minor"] == {"N": "1000"}


def misprocessed(tables: Tables, *names: str) -> None:
    table = restored(tables)
    table.items = {name: validated(name) for name in names}
    tables.tables[LIVE].items |= {name: processed(validated(name, amount_minor={"N": "1"})) for name in names}


def test_what_was_processed_with_another_amount_is_mended_by_name_or_number(
    tables: Tables, run: Run, asked: Callable[[str], None]
) -> None:
    misprocessed(tables, "txn_1", "txn_2", "txn_3")
    compared = run("restore", "--compare")
    assert (compared.status, bool(re.search(r"^ *3 +misprocessed ", compared.out, re.M))) == (4, True)
    ran = run("restore", "--merge", "--overwrite", "--transaction", "txn_1", "--yes")
    assert ran.status == 0, ran.err
    assert re.search(r"^ +1 mended: their attributes are the restored ones', their processing stays$", ran.out, re.M)
    live = tables.tables[LIVE].items
    assert (live["txn_1"], live["txn_2"]["amount_minor"]) == (processed(validated("txn_1")), {"N": "1"})
    asked("n")
    assert "validated) and mend 2 in transactions-test" in run("restore", "--merge", "--overwrite").err
    ran = run("restore", "--merge", "--overwrite", "--count", "2", "--json")
    assert (ran.status, ran.data["counts"]["mended"], ran.data["counts"]["moved_on"]) == (0, 2, 1)
    assert live == {name: processed(validated(name)) for name in live}
    assert run("restore", "--compare").status == 0


def unsound(tables: Tables, number: int) -> None:
    table = restored(tables)
    table.items = {f"txn_{each}": validated(f"txn_{each}") for each in range(number)}
    for name in table.items:
        tables.tables[LIVE].items[name] = {**processed(validated(name)), "status": {"S": "validated"}}


def test_a_named_payment_that_is_refused_is_said_by_id_and_fails(tables: Tables, run: Run) -> None:
    unsound(tables, 1)
    ran = run("restore", "--merge", "--overwrite", "--transaction", "txn_0", "--yes")
    assert ran.status == 1
    assert "Of the named payments 1 stay as they are: txn_0." in ran.err
    row = (
        r"^txn_0 +validated +validated +expires_at, processed_at, processed_by +whether it was processed can't be told"
    )
    assert re.search(row, ran.out, re.M)
    ran = run("restore", "--merge", "--overwrite", "--transaction", "txn_0", "--yes", "--json")
    assert [(each["transaction_id"], each["reason"]) for each in ran.data["refused"]] == [("txn_0", "unsound")]
    ran = run("restore", "--merge", "--transaction", "txn_0", "--yes")
    assert (ran.status, "stay as they are" in ran.out) == (0, True)  # it was asked to copy what is missing


def test_refused_ones_are_told_from_those_that_moved_on(tables: Tables, run: Run, asked: Callable[[str], None]) -> None:
    unsound(tables, 3)
    for name in ("txn_8", "txn_9"):
        tables.tables[LIVE].items[name] = processed(validated(name))
    restored_items = next(table for name, table in tables.tables.items() if name != LIVE).items
    restored_items |= {name: validated(name) for name in ("txn_8", "txn_9")}
    asked("y")
    ran = run("restore", "--merge", "--overwrite", "--sample", "2")
    assert ran.status == 0
    assert re.search(r"^ +2 moved on: ", ran.out, re.M)
    assert re.search(r"^ +3 refused: ", ran.out, re.M)
    assert ("txn_1 " in ran.out, "txn_2 " in ran.out) == (True, False)
    assert "1 more are refused" in ran.out
    restored_items["txn_7"] = validated("txn_7")
    assert "txn_0 " in run("restore", "--merge", "--overwrite").out


def test_named_payments_are_asked_for(tables: Tables, run: Run, asked: Callable[[str], None]) -> None:
    restored(tables)
    asked("n")
    ran = run("restore", "--merge", "--transaction", "txn_1")
    assert "Copy back 1 payments in transactions-test" in ran.err
    ran = run("restore", "--merge", "--overwrite", "--transaction", "txn_1")
    assert "Copy back or overwrite 1 payments in transactions-test" in ran.err
    assert tables.tables[LIVE].items == {}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "15m", "--merge"], "One action at a time: --to or --merge"),
        (["--compare", "--cleanup"], "One action at a time"),
        (["--compare", "--overwrite"], "belong to --merge"),
        (["--include-expired"], "belong to --merge"),
        (["--merge", "--count", "2"], "--count is for --overwrite"),
        (["--merge", "--overwrite", "--count", "2", "--transaction", "x"], "--count is for --overwrite"),
    ],
)
def test_options_that_do_not_go_together(tables: Tables, run: Run, arguments: list[str], words: str) -> None:
    ran = run("restore", *arguments)
    assert ran.status == 2
    assert words in ran.err
    assert not tables.asked


@pytest.mark.parametrize("action", ["--compare", "--merge", "--cleanup", "--finish"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        (LIVE, "is the stack's own table"),
        ("transactions-prod", "is no restored table"),
        ("transactions-prod-restore-20261123T093000Z", "is no restored table"),
        ("transactions-test-drill-20261123T093000Z", "is no restored table"),
    ],
)
def test_no_other_table_is_worked_on(tables: Tables, run: Run, action: str, name: str, words: str) -> None:
    tables.tables.setdefault(name, Table(name))
    ran = run("restore", action, "--yes", "--table", name)
    assert ran.status == 2
    assert words in ran.err
    assert tables.tables[name].status == "ACTIVE"


@pytest.mark.parametrize("arguments", [["--compare"], ["--cleanup", "--yes"]])
def test_without_a_restored_table_the_way_to_one_is_named(tables: Tables, run: Run, arguments: list[str]) -> None:
    ran = run("restore", *arguments)
    assert ran.status == 1
    assert "--to 15m" in ran.err


def test_a_restored_table_that_was_named_and_is_gone_can_be_compared_no_more_and_is_cleaned_up(
    tables: Tables, run: Run
) -> None:
    name = "transactions-test-restore-20261123T093000Z"
    ran = run("restore", "--compare", "--table", name)
    assert (ran.status, f"There is no table {name}" in ran.err) == (1, True)
    ran = run("restore", "--cleanup", "--yes", "--table", name)
    assert (ran.status, ran.out) == (0, f"There is no table {name}. Nothing is left to delete.\n")


def test_a_table_that_goes_while_they_are_listed_is_not_listed(tables: Tables, run: Run) -> None:
    name = restored(tables).name
    listed = tables.operations["ListTables"]

    def then_gone(params: dict[str, object]) -> dict[str, object]:
        answer = listed(params)
        tables.tables.pop(name, None)
        return answer

    tables.page_size = 9
    tables.operations["ListTables"] = then_gone
    assert run("restore", "--json").data["tables"] == []


def test_a_table_that_goes_while_it_is_looked_at_is_not_listed(tables: Tables, run: Run) -> None:
    name = restored(tables).name
    describe = tables.operations["DescribeTable"]

    def then_gone(params: dict[str, object]) -> dict[str, object]:
        answer = describe(params)
        tables.tables.pop(name, None)
        return answer

    tables.operations["DescribeTable"] = then_gone
    ran = run("restore", "--json")
    assert (ran.status, ran.data["tables"]) == (0, [])


def test_cleanup_lifts_the_protection_and_deletes(tables: Tables, run: Run, project: Path) -> None:
    older, newest = restored(tables, "20261101T000000Z"), restored(tables, protected=True)
    path = checkpoint.path_of(project, newest.name)
    checkpoint.save(path, checkpoint.Progress({}))
    path.with_name(f".{path.name}.01234567.new").touch()  # of a merge that was killed as it wrote
    ran = run("restore", "--cleanup", "--yes")
    assert ran.status == 0, ran.err
    assert f"{newest.name} is deleted." in ran.out
    assert "system backup" in ran.out
    assert set(tables.tables) == {LIVE, older.name}
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    "tags", [{}, {"paycli:purpose": "drill"}, {"Environment": "prod"}, {"paycli:restored-from": "transactions-prod"}]
)
def test_a_table_without_the_tags_of_this_environment_stays(tables: Tables, run: Run, tags: dict[str, str]) -> None:
    table = restored(tables)
    table.tags = {**table.tags, **tags} if tags else {}
    ran = run("restore", "--cleanup", "--yes")
    assert ran.status == 1
    assert "lacks the tags" in ran.err
    assert table.name in tables.tables


def test_a_cleanup_that_was_interrupted_as_the_protection_was_lifted_goes_on(tables: Tables, run: Run) -> None:
    restored(tables, status="UPDATING", looks=3)
    assert run("restore", "--cleanup", "--yes").status == 0
    assert set(tables.tables) == {LIVE}


@pytest.mark.parametrize("looks", [3, 0])
def test_a_delete_that_came_through_unheard_is_waited_for(tables: Tables, run: Run, looks: int) -> None:
    table = restored(tables)
    delete = tables.operations["DeleteTable"]

    def begun(params: dict[str, object]) -> dict[str, object]:
        delete(params)
        table.looks = looks
        return delete(params) if looks else tables.operations["DescribeTable"](params)

    tables.operations["DeleteTable"] = begun
    assert run("restore", "--cleanup", "--yes").status == 0
    assert set(tables.tables) == {LIVE}


def test_a_delete_that_is_refused_is_an_error(tables: Tables, run: Run) -> None:
    restored(tables)

    def refuse(_params: dict[str, object]) -> dict[str, object]:
        raise AwsError("ResourceInUseException", "a backup of it is being made")

    tables.operations["DeleteTable"] = refuse
    ran = run("restore", "--cleanup", "--yes")
    assert (ran.status, "a backup of it is being made" in ran.err) == (1, True)


def test_cleanup_waits_for_no_restore(tables: Tables, run: Run) -> None:
    restored(tables, status="CREATING", looks=9)
    ran = run("restore", "--cleanup", "--yes")
    assert ran.status == 1
    assert "still being restored" in ran.err


def test_a_delete_that_takes_long_ends_with_a_deadline_and_may_be_repeated(
    tables: Tables, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = restored(tables, status="DELETING", looks=10**9)
    monkeypatch.setattr(cleanup, "_DEADLINE_SECONDS", 0.0)
    ran = run("restore", "--cleanup", "--yes")
    assert ran.status == 1
    assert "AWS goes on" in ran.err
    table.looks = 1
    monkeypatch.setattr(cleanup, "_DEADLINE_SECONDS", 9.0)
    assert run("restore", "--cleanup", "--yes").status == 0


def backup(at: datetime = POINT, **changes: object) -> dict[str, object]:
    return {
        "TableName": LIVE,
        "BackupArn": f"{ARN}{LIVE}/backup/{at:%s}-{len(changes)}",
        "BackupName": f"{LIVE}$DeletedTableBackup",
        "BackupType": "SYSTEM",
        "BackupStatus": "AVAILABLE",
        "BackupCreationDateTime": at,
        **changes,
    }


def test_a_deleted_table_is_restored_in_its_place(tables: Tables, run: Run, asked: Callable[[str], None]) -> None:
    del tables.tables[LIVE]
    newest = backup()
    tables.backups = [
        backup(POINT - timedelta(days=1)),
        newest,
        backup(POINT + timedelta(days=1), BackupType="USER"),
        backup(POINT + timedelta(days=1), TableName="transactions-prod"),
        backup(POINT + timedelta(days=1), BackupStatus="DELETED"),
    ]
    tables.restored_items = {"txn_1": validated("txn_1")}
    asked("n")
    ran = run("restore", "--deleted")
    assert ran.status == 1
    assert f"Restore {LIVE} in its place, as it was deleted at {POINT:%Y-%m-%d %H:%M:%S} UTC" in ran.err
    asked("y")
    ran = run("restore", "--deleted")
    assert ran.status == 0, ran.err
    table = tables.tables[LIVE]
    assert (table.key, table.expiry, table.status) == (KEY, "ENABLED", "ACTIVE")
    assert table.recovery == {"PointInTimeRecoveryEnabled": True}
    assert table.tags == {"Project": "payment-api", "Environment": "test", "ManagedBy": "paycli"}
    assert table.summary["SourceBackupArn"] == newest["BackupArn"]
    assert "paycli smoke-test --env test" in ran.out


def test_a_deleted_table_that_was_kept_is_protected_again(tables: Tables, run: Run) -> None:
    tables.backups = [backup(TableName="transactions-kept")]
    assert run("restore", "--deleted", "--yes", env="kept").status == 0
    assert tables.tables["transactions-kept"].protected


def test_an_interrupted_restore_in_place_goes_on(tables: Tables, run: Run) -> None:
    del tables.tables[LIVE]
    tables.backups = [backup()]
    tag = tables.operations["TagResource"]
    tables.operations["TagResource"] = interrupt
    ran = run("restore", "--deleted", "--yes")
    assert ran.status == 130
    assert "paycli restore --env test --deleted" in ran.err
    tables.operations["TagResource"] = tag
    assert run("restore", "--deleted", "--yes").status == 0
    assert tables.tables[LIVE].expiry == "ENABLED"


def test_a_table_that_is_there_is_never_restored_over(tables: Tables, run: Run) -> None:
    tables.backups = [backup()]
    ran = run("restore", "--deleted", "--yes")
    assert ran.status == 1
    assert "isn't deleted" in ran.err


def test_without_a_system_backup_there_is_the_vault(tables: Tables, run: Run) -> None:
    del tables.tables[LIVE]
    ran = run("restore", "--deleted", "--yes")
    assert ran.status == 1
    assert "no system backup" in ran.err
    assert "docs/recovery.md" in ran.err


def test_a_table_of_somebody_elses_backup_has_no_key(tables: Tables, run: Run) -> None:
    del tables.tables[LIVE]
    tables.backups = [backup()]
    tables.operations["DescribeBackup"] = lambda _: {"BackupDescription": {}}
    assert run("restore", "--deleted", "--yes").status == 0
    assert tables.tables[LIVE].key is None


def test_the_embedded_aws_restores_what_is_there_now(tables: Tables, run: Run) -> None:
    tables.tables["transactions-local"] = live_table("transactions-local")
    tables.earliest = tables.latest = datetime.now(UTC).replace(microsecond=0)
    tables.operations["RestoreTableToPointInTime"] = lambda p: tables._restore(p, {}, {})
    ran = run("restore", "--to", "3d", env="local")
    assert ran.status == 0, ran.err
    assert "restores the table as it is now" in ran.err
    assert "restores the table as it is now" in run("restore", env="local").out
    ran = run("restore", "--cleanup", "--yes", env="local")
    assert "system backup" not in ran.out


def test_a_broken_time_is_refused_on_the_embedded_aws_too(tables: Tables, run: Run) -> None:
    tables.tables["transactions-local"] = live_table("transactions-local")
    assert run("restore", "--to", "soon", env="local").status == 2
