"""Recovering and rehearsing, killed or interrupted at a spread of their requests, and begun again.

paycli is a process of its own, on tables that take their time over HTTP. Whatever ends it and where: begun again, or
gone on with as its message says, it comes to the same as if nothing had happened.
"""

import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from paycli import cli
from tests.command_line import CommandLine, Ran
from tests.fakes import hasty
from tests.fakes.tables import Item, Table, Tables, live_table
from tests.fakes.tables_over_http import TablesOverHttp
from tests.unit.recovery.payments import FATES, NOW, POINT, processed, validated

LIVE = "transactions-test"
ITEMS = {f"txn_{number}": validated(f"txn_{number}") for number in range(6)}
SETTINGS = '[env.test]\nregion = "us-east-1"\n'


@dataclass(frozen=True)
class Ending:
    """What ends paycli while a request is under way, and whether AWS gets that request all the same."""

    signal: signal.Signals
    arrives: bool = True

    @property
    def speaks(self) -> bool:
        """Whether paycli can still say something."""
        return self.signal is not signal.SIGKILL


ENDINGS = {
    "killed": Ending(signal.SIGKILL),
    "killed before it arrives": Ending(signal.SIGKILL, arrives=False),
    "ctrl-c": Ending(signal.SIGINT),
    "terminated": Ending(signal.SIGTERM),
}
endings = pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)


@dataclass(frozen=True)
class Desk:
    """A project on the tables of a test."""

    root: Path
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def run(self, tables: Tables, *arguments: str) -> Ran:
        """Run a command undisturbed, in this process: that saves its start."""
        return self.counted(tables, *arguments)[0]

    def counted(self, tables: Tables, *arguments: str) -> tuple[Ran, int]:
        """As `run`, with the number of requests."""
        with TablesOverHttp(tables) as served, self.monkeypatch.context() as patched:
            for name, value in served.environ.items():
                patched.setenv(name, value)
            for module, name in hasty.PAUSES:
                patched.setattr(module, name, hasty.SHORT)
            patched.chdir(self.root)
            self.capsys.readouterr()
            status = cli.run([*arguments, "--env", "test"])
            shown = self.capsys.readouterr()
        return Ran(status, shown.out, shown.err), len(served.asked)

    def ended(self, tables: Tables, ending: Ending, request: int, *arguments: str) -> Ran:
        """Run a command in a process that the ending meets at a request."""
        with TablesOverHttp(tables, gate=request, refused=not ending.arrives) as served:
            line = CommandLine(self.root, served.environ, hasty.PROGRAM)
            moments = ((served.is_held, ending.signal), (lambda: True, served.release))
            ran = line.run(*arguments, "--env", "test", moments=moments)
        assert ran.status == (130 if ending.speaks else -signal.SIGKILL), (ran, request, served.asked, served.is_held())
        return ran


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    (tmp_path / "paycli.toml").write_text(SETTINGS)
    return Desk(tmp_path, capsys, monkeypatch)


def spread(requests: int, number: int, ending: Ending) -> Iterator[int]:
    """Choose a request of each part of a run: the same ones each time."""
    random = Random(f"{ending}/{number}")
    bounds = [requests * part // number for part in range(number + 1)]
    for first, after in pairwise(bounds):
        yield random.randrange(first, after) + 1


def a_live_table() -> Tables:
    """The stack's table with all settings; restores take some looks."""
    tables = Tables(live_table(items=dict(ITEMS), protected=True))
    tables.restoring = 4
    return tables


def beside(tables: Tables, purpose: str) -> list[Table]:
    """The tables that were restored for a purpose."""
    return [table for name, table in tables.tables.items() if f"-{purpose}-" in name]


def named(ran: Ran, command: str) -> list[str]:
    """The arguments of the command that a message names, without its --env."""
    found = re.search(rf"paycli ({command}.*)", ran.err)
    assert found, ran.err
    return found[1].replace(" --env test", "").split()


CLEANUP = ("restore", "--cleanup", "--yes")
RESTORE = ("restore", "--to", POINT.isoformat())


@endings
def test_a_restore_comes_to_a_table_with_all_its_settings(desk: Desk, ending: Ending) -> None:
    _, requests = desk.counted(a_live_table(), *RESTORE)
    for request in spread(requests, 3, ending):
        tables = a_live_table()
        ended = desk.ended(tables, ending, request, *RESTORE)
        begun = bool(beside(tables, "restore"))
        if begun and ending.speaks:
            again = named(ended, "restore --env test --finish --table")
        else:
            again = ["restore", "--finish"] if begun else [*RESTORE]
        assert desk.run(tables, *again).status == 0
        (made,) = beside(tables, "restore")
        live = tables.tables[LIVE]
        assert live.items == made.items == ITEMS
        assert (made.status, made.key, made.expiry, made.protected) == ("ACTIVE", live.key, live.expiry, True)
        assert made.recovery == live.recovery
        assert made.tags.items() >= {key: tag for key, tag in live.tags.items() if not key.startswith("aws:")}.items()
        assert made.tags["paycli:restored-to"] == POINT.isoformat()


FATED = {name.replace(" ", "-"): fate for name, fate in FATES.items()}
RESTORED = {name: item for name, fate in FATED.items() if (item := fate.restored(name))}
OVERWRITTEN = [
    name
    for name, fate in FATED.items()
    if fate.overwriting == "mended" or (fate.kind, fate.overwriting) == ("changed", "restored")
]


def damaged(desk: Desk) -> Tables:
    """A live table to which everything has happened since the point in time, and one of that time beside it."""
    tables = a_live_table()
    tables.restored_items = RESTORED
    assert desk.run(tables, *RESTORE).status == 0
    tables.tables[LIVE].items = {name: item for name, fate in FATED.items() if (item := fate.live(name))}
    return tables


def after_merging(told: str) -> dict[str, Item]:
    sides = {name: getattr(fate, getattr(fate, told))(name) for name, fate in FATED.items()}
    return {name: item for name, item in sides.items() if item}


def work_on(items: dict[str, Item]) -> dict[str, Item]:
    """What the API makes of the table meanwhile: a new payment, and what has come back may be processed."""
    new = {"new-meanwhile": validated("new-meanwhile", at=NOW)}
    back = next((name for name in ("lost", "another-amount") if items.get(name) == RESTORED[name]), None)
    done = new if back is None else {**new, back: processed(items[back], NOW)}
    items |= done
    return done


@endings
@pytest.mark.parametrize("told", ["merge", "overwriting"])
def test_a_merge_loses_nothing_and_undoes_nothing(desk: Desk, ending: Ending, told: str) -> None:
    overwriting = ["--overwrite", "--count", str(len(OVERWRITTEN))] if told == "overwriting" else []
    merge = ["restore", "--merge", "--yes", *overwriting]
    undisturbed = damaged(desk)
    _, requests = desk.counted(undisturbed, *merge)
    assert undisturbed.tables[LIVE].items == after_merging(told)
    assert desk.run(undisturbed, *CLEANUP).status == 0
    for request in spread(requests, 2, ending):
        tables = damaged(desk)
        ended = desk.ended(tables, ending, request, *merge)
        meanwhile = work_on(tables.tables[LIVE].items)
        again = desk.run(tables, *merge, "--json")
        assert again.status == 0, (ended.err, again.err)
        counts = again.data["counts"]
        assert sum(counts.values()) - counts["copied_validated"] == len(RESTORED)
        assert tables.tables[LIVE].items == {**after_merging(told), **meanwhile}
        assert beside(tables, "restore")[0].items == RESTORED
        assert desk.run(tables, *CLEANUP).status == 0
        assert list((desk.root / ".paycli" / "restore").iterdir()) == []


def restored(desk: Desk) -> Tables:
    tables = a_live_table()
    assert desk.run(tables, *RESTORE).status == 0
    return tables


@endings
def test_a_cleanup_leaves_no_table(desk: Desk, ending: Ending) -> None:
    _, requests = desk.counted(restored(desk), *CLEANUP)
    for request in spread(requests, 3, ending):
        tables = restored(desk)
        ended = desk.ended(tables, ending, request, *CLEANUP)
        if "--cleanup" in ended.err:
            assert desk.run(tables, *named(ended, "restore --env test --cleanup --table"), "--yes").status == 0
        else:
            again = desk.run(tables, *CLEANUP)
            assert again.status == 0 or "There is no restored table" in again.err
        assert beside(tables, "restore") == []
        assert tables.tables[LIVE].items == ITEMS


def wait_for_the_next_second() -> None:
    now = int(time.time())
    while int(time.time()) == now:
        time.sleep(0.01)


DRILL = ("drill", "restore")


@endings
def test_a_drill_leaves_no_table(desk: Desk, ending: Ending) -> None:
    _, requests = desk.counted(a_live_table(), *DRILL)
    for request in spread(requests, 3, ending):
        tables = a_live_table()
        ended = desk.ended(tables, ending, request, *DRILL)
        if beside(tables, "drill"):
            if ending.speaks:
                named(ended, "drill cleanup --env test")
            wait_for_the_next_second()  # a table is called by the second
        assert desk.run(tables, *DRILL).status == 0
        assert beside(tables, "drill") == []
        assert tables.tables[LIVE].items == ITEMS
