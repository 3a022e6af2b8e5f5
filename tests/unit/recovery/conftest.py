"""The command line on tables in memory."""

from collections.abc import Callable
from pathlib import Path

import pytest

from paycli import cli, console
from paycli.commands.common import Project
from tests.command_line import Ran
from tests.fakes import hasty
from tests.fakes.tables import Tables, live_table
from tests.unit.smoke.smoke_stack import aws_of

SETTINGS = """
[env.test]
region = "us-east-1"

[env.kept]
region = "us-east-1"
retain_data = true

[env.local]
"""


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in hasty.PAUSES:
        monkeypatch.setattr(module, name, hasty.SHORT)


@pytest.fixture
def tables(project: Path, monkeypatch: pytest.MonkeyPatch) -> Tables:
    """The tables of the account on which the commands of this test work."""
    (project / "paycli.toml").write_text(SETTINGS)
    made = Tables(live_table())
    aws = aws_of(made)  # type: ignore[arg-type]
    monkeypatch.setattr(Project, "connect_to_deployed", lambda _: aws)
    return made


@pytest.fixture
def run(tables: Tables, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `paycli ARGUMENTS --env test`."""

    def ran(*arguments: str, env: str = "test") -> Ran:
        capsys.readouterr()
        status = cli.run([*arguments, "--env", env])
        shown = capsys.readouterr()
        return Ran(status, shown.out, shown.err)

    return ran


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Answer what paycli asks at the terminal."""

    def answers(answer: str) -> None:
        monkeypatch.setattr(console, "can_ask", lambda: True)
        monkeypatch.setattr("sys.stdin.readline", lambda: f"{answer}\n", raising=False)

    return answers
