"""A project of its own with the embedded AWS, driven as a user drives it: by the command line."""

import io
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from paycli import cli, emulator
from paycli.aws import Aws, connect
from paycli.environment import Environment
from tests import terminal
from tests.command_line import CommandLine, Point, Ran, clean
from tests.fakes.cloudformation import FakeAws
from tests.fakes.project import FakeProject

if TYPE_CHECKING:
    import subprocess

Within = Callable[..., Ran]

LONG_TAGS = ", ".join(f'key-{number} = "{"x" * 200}"' for number in range(20))
SETTINGS = f"""
[env.open]
extends = "local"
authorization = "none"

[env.kept]
extends = "local"
retain_data = true

[env.tagged]
extends = "local"
tags = {{ {LONG_TAGS} }}
"""


@dataclass(frozen=True)
class LocalProject:
    """A folder with a paycli.toml."""

    root: Path

    def run(self, *arguments: str, folder: Path | None = None, **variables: str) -> Ran:
        return CommandLine(folder or self.root, variables).run(*arguments, seconds=120)

    def within(self, *arguments: str, **variables: str) -> Ran:
        """As `run`, in this process: that saves its start, and loads cfn-lint once."""
        out, err = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patched,
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            patched.chdir(self.root)
            for name in os.environ.keys() - clean().keys():
                patched.delenv(name)
            for name, value in variables.items():
                patched.setenv(name, value)
            status = cli.run(list(arguments))
        return Ran(status, out.getvalue(), err.getvalue())

    def begin(self, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
        return CommandLine(self.root, variables).begin(*arguments)

    def on_terminal(self, typed: str, *arguments: str, **variables: str) -> Ran:
        """Run a command on a terminal and type when it asks; what it shows is `out`."""
        script = [(terminal.asked, typed)] if typed else []
        status, shown = terminal.run(self.root, clean(**variables), arguments, script)
        return Ran(status, shown, "")

    def aws(self) -> Aws:
        return connect(Environment(name="local", target="embedded"), emulator.start(self.root).url)

    def outputs(self) -> dict[str, str]:
        flat: dict[str, str] = json.loads((self.root / "cfn-outputs" / "flat-outputs.json").read_text())
        return flat


def _made(root: Path) -> Iterator[LocalProject]:
    (root / "paycli.toml").write_text(SETTINGS)
    project = LocalProject(root)
    yield project
    emulator.stop(root)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[LocalProject]:
    """A project on which nothing is deployed, for one test."""
    yield from _made(tmp_path)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProject]:
    """A project on which `local` and `open` are deployed, for all tests that only use them."""
    for project in _made(tmp_path_factory.mktemp("shared")):
        for name in ("open", "local"):  # the outputs file is that of the last
            deployed = project.within("deploy", "--env", name)
            assert deployed.status == 0, deployed.err
        yield project


@pytest.fixture
def fake_aws() -> Iterator[FakeAws]:
    """An AWS whose time runs four hundred times as fast, on which nothing is deployed."""
    with FakeAws(speed=400) as aws:
        yield aws


@pytest.fixture(scope="session")
def lint_memory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What projects on the fake AWS know of templates that cfn-lint has passed."""
    return tmp_path_factory.mktemp("linted")


@pytest.fixture
def cloud(fake_aws: FakeAws, tmp_path: Path, lint_memory: Path) -> FakeProject:
    """A project on the fake AWS; the template of dev counts as linted."""
    (tmp_path / "paycli.toml").touch()
    project = FakeProject(tmp_path, fake_aws, lint_memory)
    project.linted("dev")
    return project


@pytest.fixture
def within(cloud: FakeProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Within:
    """Run paycli in this process, without its waiting: where neither signals nor a terminal are tried, that saves time.

    Whenever paycli waits, the fake's time is moved on instead; before that, points that are reached have their
    function called, one after the other, as in `FakeProject.run`.
    """
    monkeypatch.chdir(cloud.root)
    for name, value in cloud.aws.environ.items():
        monkeypatch.setenv(name, value)
    really = time.sleep

    def run(*arguments: str, moments: Sequence[tuple[Point, Callable[[], object]]] = ()) -> Ran:
        pending = list(moments)

        def sleep(seconds: float) -> None:
            if threading.current_thread() is not threading.main_thread():
                really(seconds)  # the fake's own
                return
            while pending and pending[0][0]():
                pending.pop(0)[1]()
            cloud.aws.skip(seconds * cloud.aws.clock.speed)

        capsys.readouterr()
        began = time.monotonic()
        with monkeypatch.context() as patched:
            patched.setattr(time, "sleep", sleep)
            status = cli.run(list(arguments))
        shown = capsys.readouterr()
        return Ran(status, shown.out, shown.err, began, time.monotonic())

    return run


def parent_of(process: int | str) -> str | None:
    """Return the parent's id of a process that still works; None where it is gone."""
    try:
        state, parent = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[:2]
    except (OSError, ValueError):
        return None
    return None if state == "Z" else parent
