"""The command line's manners: exit statuses, where text goes, and what is loaded for it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from paycli import cli
from paycli.cli import run
from paycli.errors import PaycliError
from tests.command_line import CommandLine

HEAVY = ("boto3", "botocore", "troposphere", "cfnlint", "pydantic", "rich", "yaml")


def loaded_by(*arguments: str) -> set[str]:
    script = f"import sys; from paycli.cli import run; run({list(arguments)!r}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["-h"]])
def test_help_and_version_load_nothing_heavy(arguments: list[str]) -> None:
    assert not loaded_by(*arguments) & set(HEAVY)


def test_render_loads_no_boto3_and_no_linter(project: Path) -> None:
    assert not loaded_by("render") & {"boto3", "botocore", "cfnlint", "rich"}
    assert not loaded_by("render", "--format", "json") & {"yaml"}


@pytest.mark.parametrize(
    "asks",
    ["import troposphere as t; t.Template().to_yaml()", "import cfn_flip.yaml_dumper", "from cfn_flip import to_yaml"],
)
def test_who_writes_yaml_with_troposphere_still_can(asks: str) -> None:
    script = f"import sys, paycli.stack; print('yaml' in sys.modules); {asks}; print('yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_a_short_command_never_searches_what_it_has_imported_for_garbage(project: Path) -> None:
    script = (
        "import gc, os, sys; sys.argv = ['paycli', 'render']\n"
        "def searches(): return sum(generation['collections'] for generation in gc.get_stats())\n"
        "before = searches()\n"
        "os._exit = lambda status: print(searches() - before, file=sys.stderr)\n"
        "from paycli.cli import main; main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stderr) < 40  # of a hundred; the others are those before main()


def test_it_leaves_at_once_when_all_is_written_unless_a_thread_still_works(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = (
        "import atexit, sys, threading; sys.argv = ['paycli', 'render']\n"
        "def work(): threading.main_thread().join(); print('saved', file=sys.stderr)\n"
        "atexit.register(print, 'taken apart', file=sys.stderr)\n"
        "{}\n"
        "from paycli.cli import main; main()\n"
    )

    def left(first: str) -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "-c", script.format(first)], capture_output=True, text=True, timeout=20, check=True
        )
        return done.stdout, done.stderr

    assert run(["render"]) == 0
    template = capsys.readouterr().out
    assert left("") == (template, "")
    assert left("threading.Thread(target=work).start()") == (template, "saved\ntaken apart\n")


def test_an_interrupt_while_it_loads_is_no_traceback() -> None:
    script = (
        "import sys\n"
        "class Interrupt:\n"
        "    def find_spec(name, path, target=None):\n"
        "        if name == 'click': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt)\n"
        "from paycli.__main__ import main; main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Error: Interrupted.\n")


def test_help_teaches_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], *([name, "--help"] for name in cli.COMMANDS)):
        assert run(arguments) == 0
        shown = capsys.readouterr().out
        assert "Example: " in shown
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("paycli ")


def test_choices_of_a_missing_argument_stand_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["call"]) == 2
    assert capsys.readouterr().err.startswith(
        "Error: Missing argument 'METHOD'. Choose from: get, head, options, post, put, patch, delete\nHint:"
    )


def test_an_option_before_the_command_is_told_where_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--env", "local", "status"]) == 2
    assert "behind the command: paycli status --env local" in capsys.readouterr().err


def test_every_command_takes_the_same_options() -> None:
    context = click.Context(cli.paycli)
    for name in cli.paycli.list_commands(context):
        command = cli.paycli.get_command(context, name)
        assert command is not None
        leaves = command.commands.values() if isinstance(command, click.Group) else [command]
        for leaf in leaves:
            options = {option for parameter in leaf.params for option in parameter.opts}
            assert {"--json", "--debug"} <= options, leaf.name
            assert "--env" in options or name in {"local", "completion"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rendr"], "Did you mean 'render'?"),
        (["xyzzy"], "No such command"),
        (["render", "--nope"], "`paycli render --help` shows how."),
        (["render", "--all", "--output", "x"], "--all"),
        (["deploy", "--env", "local", "--smoke-test", "extra"], "unexpected extra argument"),
        (["deploy", "--env", "local", "--dry-run", "--smoke-test"], "Leave --smoke-test out"),
        (["outputs", "--env", "local", "--key", "x", "--format", "env"], "Leave --format out"),
    ],
)
def test_wrong_usage_is_2_with_a_hint(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert words in shown.err
    assert shown.out == ""
    assert not (project / ".paycli").exists()


@pytest.mark.parametrize("command", ["outputs", "smoke-test", "status"])
def test_what_never_was_deployed_starts_no_embedded_aws(
    project: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert run([command, "--env", "local"]) == 1
    assert "paycli deploy --env local" in capsys.readouterr().err
    assert not (project / ".paycli").exists()


def test_the_last_env_counts_also_in_the_document_of_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["render", "--env", "dev", "--env", "No Where", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["environment"] == "No Where"


def test_what_standard_output_cannot_encode_hides_nothing(tmp_path: Path) -> None:
    root = tmp_path / "\N{LATIN SMALL LETTER U WITH DIAERESIS}"
    root.mkdir()
    (root / "paycli.toml").touch()
    ran = CommandLine(root, {"PYTHONIOENCODING": "ascii"}).run("render", "--all")
    assert ran.status == 0, ran.err
    assert "\\xfc/templates/dev.yaml" in ran.out


def test_the_help_of_the_smoke_test_names_its_checks() -> None:
    from paycli import smoke

    command = cli.paycli.get_command(click.Context(cli.paycli), "smoke-test")
    assert command is not None
    assert ", ".join(smoke.names()) in " ".join(str(command.help).split())


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "Commands:" in capsys.readouterr().err


def document_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"schema", "command", "environment", "status", "data", "errors"}
    return dict(document)


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["config", "--env", "Bad", "--json"], "Bad"),
        (["config", "--env=Bad", "--json"], "Bad"),
    ],
)
def test_an_error_is_a_document_too(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], environment: str
) -> None:
    assert run(arguments) == 3
    document = document_of(capsys)
    assert (document["command"], document["environment"]) == ("config", environment)
    assert document["status"] == "configuration"
    assert document["errors"][0]["code"] == "bad_environment_name"
    assert document["errors"][0]["hint"]


def test_the_variable_names_the_environment(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAYCLI_ENV", "prod")
    assert run(["config", "--json"]) == 0
    assert document_of(capsys)["environment"] == "prod"
    monkeypatch.setenv("PAYCLI_ENV", "NO")
    assert run(["config", "--json"]) == 3
    assert document_of(capsys)["environment"] == "NO"


def test_a_usage_error_is_a_document_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["render", "--nope", "--json"]) == 2
    assert document_of(capsys)["errors"][0]["code"] == "usage"


def fails_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def broken() -> None:
        raise error

    command = click.Command(
        "render", callback=broken, params=[click.Option(["--debug"], is_flag=True, expose_value=False)]
    )
    monkeypatch.setattr("paycli.commands.render.command", command)


def test_an_unknown_error_has_no_traceback_but_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fails_with(monkeypatch, ValueError("surprise"))
    assert run(["render"]) == 1
    shown = capsys.readouterr().err
    assert "ValueError: surprise" in shown
    assert "--debug" in shown
    assert "Traceback" not in shown


def test_an_unknown_error_is_explained_where_boto3_is_not_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fails_with(monkeypatch, ValueError("surprise"))
    monkeypatch.delitem(sys.modules, "botocore", raising=False)
    assert run(["render"]) == 1
    assert "surprise" in capsys.readouterr().err


def test_an_error_of_aws_is_translated(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from botocore.exceptions import NoCredentialsError

    fails_with(monkeypatch, NoCredentialsError())
    assert run(["render"]) == 3
    assert "No AWS credentials" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["failures", "discard", "--nope"], "failures discard"),
        (["config", "--nope"], "config"),
        (["status", "nope"], "status"),
        (["nope"], None),
    ],
)
def test_an_error_is_of_the_command_that_was_called(
    capsys: pytest.CaptureFixture[str], arguments: list[str], name: str | None
) -> None:
    assert run([*arguments, "--json"]) == 2
    assert document_of(capsys)["command"] == name


def test_an_error_of_the_operating_system_is_one_message(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / ".paycli").touch()  # a file, where a folder belongs
    assert run(["local", "start", "--json"]) == 1
    document = document_of(capsys)
    assert (document["command"], document["environment"]) == ("local start", "local")
    assert document["errors"][0]["code"] == "os_error"


@pytest.mark.parametrize(
    "redirection", [">&-", "2>&-", "<&-", ">/dev/full", "--json >/dev/full", "--json >/dev/full 2>/dev/full"]
)
def test_closed_or_full_streams_are_no_traceback(project: Path, redirection: str) -> None:
    command = f"{sys.executable} -m paycli config --env Bad {redirection}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "again"),
    [
        (["deploy", "--env", "dev", "--yes"], "paycli deploy --env dev --yes"),
        (["deploy", "--env", "dev", "--execute", "plan.json"], "paycli deploy --env dev"),
        (["deploy", "--env", "dev", "--execute=plan.json"], "paycli deploy --env dev"),
    ],
)
def test_what_goes_on_without_paycli_is_followed_by_a_command_that_can(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], again: str
) -> None:
    error = PaycliError("The credentials have expired.", hint="It goes on: the same command follows it again.")

    def fails(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(cli.paycli, "main", fails)
    assert run(arguments) == 1
    assert capsys.readouterr().err.endswith(f"the same command follows it again. Then: {again}\n")


def test_a_full_disk_is_an_error(project: Path) -> None:
    command = f"{sys.executable} -m paycli render >/dev/full"
    full = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert full.returncode == 1
    assert "Error: The operating system refuses" in full.stderr


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    fails_with(monkeypatch, ValueError("surprise"))
    with pytest.raises(ValueError, match="surprise"):
        run(["render", "--debug"])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_is_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    fails_with(monkeypatch, error)
    assert run(["render"]) == 130
    assert "Interrupted" in capsys.readouterr().err


def test_sigterm_ends_it_like_an_interrupt(project: Path) -> None:
    script = (
        "import os, signal, sys, time, paycli.commands.render as r, click\n"
        "def wait(): os.kill(os.getpid(), signal.SIGTERM); time.sleep(30)\n"
        "r.command = click.Command('render', callback=wait)\n"
        "sys.argv = ['paycli', 'render']\n"
        "from paycli.cli import main; main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20)
    assert done.returncode == 130
    assert "Interrupted" in done.stderr
