"""Completion: the shells' scripts, and what they are answered."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from paycli import cli
from paycli.cli import run
from tests.unit.test_cli import HEAVY

PRESETS = ["dev", "local", "prod"]


def completed(*words: str) -> list[str]:
    """Return what a shell is offered for the last word."""
    shell = BashComplete(cli.paycli, {}, "paycli", "_PAYCLI_COMPLETE")
    return [item.value for item in shell.get_completions(list(words[:-1]), words[-1])]


@pytest.mark.parametrize(
    ("shell", "words"),
    [
        ("bash", "complete -o nosort -F _paycli_completion paycli"),
        ("zsh", "#compdef paycli\n"),
        ("fish", "complete --no-files --command paycli"),
    ],
)
def test_each_shell_gets_its_script(capsys: pytest.CaptureFixture[str], shell: str, words: str) -> None:
    assert run(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert words in script
    assert f"_PAYCLI_COMPLETE={shell}_complete" in script
    assert run(["completion", shell, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"] == {"shell": shell, "script": script}


def test_another_shell_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "tcsh"]) == 2
    assert "bash" in capsys.readouterr().err


def test_its_help_says_where_the_script_goes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "paycli completion bash > ~/.local/share/bash-completion/completions/paycli\n" in shown
    assert "paycli completion zsh > ~/.zfunc/_paycli" in shown
    assert "paycli completion fish > ~/.config/fish/completions/paycli.fish\n" in shown


def test_commands_and_options_are_offered() -> None:
    assert completed("") == list(cli.COMMANDS)
    assert completed("d") == ["deploy", "diff", "drift", "drill"]
    assert completed("config", "deployer-policy", "--for", "b") == ["bootstrap", "boundary"]
    assert completed("deploy", "--smoke") == ["--smoke-test"]
    assert "--help" in completed("-")


def test_environments_are_offered(project: Path) -> None:
    assert completed("deploy", "--env", "") == PRESETS
    (project / "paycli.toml").write_text("[env.pr-7]\n\n[env.prod]\nretain_data = true\n")
    assert completed("config", "deployer-policy", "--env", "pr") == ["pr-7", "prod"]


@pytest.mark.parametrize("settings", ["no TOML", "env = 5\n", "[env]\nprod = 5\n", "\0"])
def test_a_broken_project_still_offers_the_presets(
    project: Path, capsys: pytest.CaptureFixture[str], settings: str
) -> None:
    (project / "paycli.toml").write_text(settings)
    assert completed("status", "--env", "") == PRESETS
    assert capsys.readouterr() == ("", "")


def test_a_folder_that_is_gone_still_offers_the_presets(project: Path) -> None:
    folder = project / "folder"
    folder.mkdir()
    os.chdir(folder)  # the fixture goes back
    folder.rmdir()
    assert completed("status", "--env", "") == PRESETS


def test_a_command_s_name_is_completed_without_importing_any() -> None:
    script = "import sys\nfrom paycli.cli import run\nrun(sys.argv[1:])\nprint(*sys.modules, file=sys.stderr)\n"
    words = {"_PAYCLI_COMPLETE": "bash_complete", "COMP_WORDS": "paycli d", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **words}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "plain,deploy\nplain,diff\nplain,drift\nplain,drill\n"
    modules = done.stderr.split()
    assert not set(modules) & set(HEAVY)
    assert [name for name in modules if name.startswith("paycli.commands")] == []


def test_bash_completes_with_it(project: Path) -> None:
    (project / "paycli.toml").write_text("[env.pr-7]\n")
    typed = (
        'eval "$(paycli completion bash)"; COMP_WORDS=(paycli deploy --env pr); COMP_CWORD=3; '
        '_paycli_completion paycli; echo "${COMPREPLY[@]}"'
    )
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "--norc", "-c", typed], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "pr-7 prod\n"
