"""`paycli audit`, as people and CI call it."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from paycli.audit.findings import Finding, Linter
from paycli.audit.model import Template
from paycli.cli import run

ROOT = Path(__file__).parents[3]
# A type that no rule has anything to say of.
CLEAN = "Resources:\n  Handle:\n    Type: AWS::CloudFormation::WaitConditionHandle\n"
SOON = str(datetime.now(UTC).date() + timedelta(days=30))
WRONG = CLEAN + "    Properties:\n      Nonsense: 1\n"


class Remembering:
    """cfn-lint as the command loads it, but loaded once for all tests, and asked once about each template."""

    def __init__(self, region: str | None, folders: Sequence[Path]) -> None:
        self._linter = Linter(region, folders)
        self._known: dict[tuple[str, str], tuple[Finding, ...]] = {}

    def findings(self, template: Template, file: str) -> tuple[Finding, ...]:
        asked = file, repr(template.decoded)
        if asked not in self._known:
            self._known[asked] = self._linter.findings(template, file)
        return self._known[asked]


@pytest.fixture(scope="module")
def linters() -> Callable[..., Remembering]:
    return cache(Remembering)


@pytest.fixture(autouse=True)
def _linted_once(linters: Callable[..., Remembering], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paycli.audit.findings.Linter", lambda region, folders: linters(region, tuple(folders)))


@pytest.fixture
def wrong(project: Path) -> Path:
    path = project / "wrong.yaml"
    path.write_text(WRONG)
    return path


def output(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def accept(project: Path, rule: str, resource: str, until: str = SOON) -> None:
    said = f'rule = "{rule}"\nresource = "{resource}"\nreason = "r"\nowner = "o"\nuntil = {until}\n'
    with (project / "paycli.toml").open("a") as file:
        file.write(f"[[audit.accept]]\n{said}")


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_project_passes_its_own_audit(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert run(["audit", "--env", name]) == 0, capsys.readouterr().out
    shown = capsys.readouterr().out
    assert shown.startswith(f"templates/{name}.yaml ({name}): no findings; ")
    assert "CKV_AWS_117" in shown


def test_a_finding_fails_with_one_message_and_the_place(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", str(wrong)]) == 1
    shown = capsys.readouterr()
    assert "error  E3002 Handle, wrong.yaml:5: " in shown.out
    assert "1 finding of severity warning or worse that nobody has accepted." in shown.err
    assert "[[audit.accept]]" in shown.err
    assert run(["audit", str(wrong), "--fail-on", "never"]) == 0


def test_an_accepted_finding_does_not_fail(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accept(wrong.parent, "E3002", "Handle")
    assert run(["audit", "wrong.yaml", "--format", "json"]) == 0
    assert output(capsys)["findings"][0]["accepted"]["owner"] == "o"


def test_an_expired_acceptance_fails_and_so_does_one_without_effect(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accept(project, "CKV_AWS_1", "Key", until="2020-01-01")
    accept(project, "CKV_AWS_1", "Kee")
    assert run(["audit", "--format", "json"]) == 1
    places = {finding["rule"]: (finding["file"], finding["line"]) for finding in output(capsys)["findings"]}
    assert places["E9901"] == ("paycli.toml", 1)
    assert places["W9903"] == ("paycli.toml", 7)


def test_a_risk_cannot_be_accepted_for_ever(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accept(project, "CKV_AWS_1", "Key", until="2999-01-01")
    assert run(["audit", "--json"]) == 3
    (error,) = output(capsys)["errors"]
    assert error["message"].startswith("paycli.toml:1: audit.accept (CKV_AWS_1): until: 2999-01-01 is more than 400")


def test_an_error_cannot_be_accepted_everywhere(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accept(wrong.parent, "E3002", "*")
    assert run(["audit", "wrong.yaml", "--json"]) == 3
    assert "an error (E3002) is accepted for resources by name alone" in output(capsys)["errors"][0]["message"]


def test_json_is_the_report_and_the_option_json_holds_it(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "wrong.yaml", "--format", "json"]) == 1
    report = output(capsys)
    assert (report["template"], report["environment"], report["schema"]) == ("wrong.yaml", "dev", 1)
    assert run(["audit", "wrong.yaml", "--json"]) == 1
    document = output(capsys)
    assert (document["command"], document["status"]) == ("audit", "failed")
    assert document["errors"][0]["code"] == "findings"
    assert document["data"] == report


@pytest.mark.parametrize("form", ["json", "sarif", "markdown"])
def test_a_format_that_json_would_hide_is_refused(project: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--json", "--format", form]) == 2
    assert "--output" in output(capsys)["errors"][0]["hint"]


@pytest.mark.parametrize(
    ("form", "start"),
    [("text", "wrong.yaml (dev): "), ("json", "{\n"), ("sarif", '{\n  "$schema"'), ("markdown", "**wrong.yaml ")],
)
def test_a_report_goes_to_a_file_whole_and_says_where(
    wrong: Path, form: str, start: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["audit", "wrong.yaml", "--format", form]
    assert run([*arguments, "--output", "out/report"]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("wrong.yaml (dev): 1 finding")
    assert shown[1:] == ["Wrote out/report"]
    text = (wrong.parent / "out" / "report").read_text()
    assert text.startswith(start)
    assert run(arguments) == 1
    assert capsys.readouterr().out == text
    assert run([*arguments, "--output", "out/report", "--json"]) == 1
    assert output(capsys)["data"]["written"] == "out/report"


def test_a_report_that_cannot_be_written_is_one_message(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "wrong.yaml", "--output", "wrong.yaml/report"]) == 1
    assert "can't be written" in capsys.readouterr().err


def test_a_file_outside_the_project_is_called_by_its_whole_path(
    project: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path_factory.mktemp("elsewhere") / "t.yaml"
    path.write_text(CLEAN)
    assert run(["audit", str(path)]) == 0
    assert capsys.readouterr().out.startswith(f"{path} (dev): no findings")


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"no: template"])
def test_a_file_that_is_no_template_is_one_message(
    project: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if content:
        (project / "t.yaml").write_bytes(content)
    assert run(["audit", "t.yaml", "--json"]) == 2
    assert output(capsys)["errors"][0]["code"] == "template_unreadable"


@pytest.mark.parametrize(
    ("metadata", "environment", "said"),
    [
        ("{Environment: dev, RetainData: false}", "prod", "audited for prod, and says of itself that it is of dev."),
        ("{Environment: prod, RetainData: true}", "dev", "audited for dev, and says of itself that it is of prod."),
        ("{RetainData: false}", "prod", "prod keeps its data, and nothing in the file says that it is production."),
        ("{RetainData: true}", "prod", ""),
        ("{Environment: prod, RetainData: true}", "prod", ""),
        ("{Environment: dev, RetainData: false}", "dev", ""),
        ("nonsense", "dev", ""),
    ],
)
def test_a_file_of_another_environment_is_an_error(
    project: Path, metadata: str, environment: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "t.yaml").write_text(f"Metadata:\n  Paycli: {metadata}\n{CLEAN}")
    assert run(["audit", "t.yaml", "--env", environment, "--format", "json"]) == (1 if said else 0)
    found = [(finding["rule"], finding["severity"], finding["message"]) for finding in output(capsys)["findings"]]
    assert [(rule, severity) for rule, severity, _ in found] == ([("E9904", "error")] if said else [])
    assert all(said in message for _, _, message in found)


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@bank.example", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose templates are committed, with the tag `then`."""
    root = tmp_path_factory.mktemp("committed")
    (root / "paycli.toml").touch()
    git(root, "init", "--quiet")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(root)
        assert run(["render", "--all"]) == 0
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "then")
    git(root, "tag", "then")
    return root


@pytest.fixture
def repository(committed: Path, project: Path) -> Path:
    """A copy of it, and the current folder."""
    shutil.copytree(committed, project, dirs_exist_ok=True)
    return project


def test_what_changed_since_a_revision_is_told(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    (repository / "paycli.toml").write_text("[env.prod]\nauthorization = 'none'\nretain_data = false\n")
    assert run(["audit", "--env", "prod", "--since", "then", "--fail-on", "never"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"Changes since then:templates/prod.yaml\n\d+ changes wider or weaker: .*\nWider or weaker", shown)
    assert "POST /process can be called by anyone" in shown
    assert "transactions-prod would now be deleted with the stack" in shown


def test_since_itself_nothing_changed_whatever_the_folder(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    (repository / "deep").mkdir()
    monkeypatch.chdir(repository / "deep")
    assert run(["audit", "--env", "prod", "--since", "HEAD", "--json", "--fail-on", "never"]) == 0
    changes = output(capsys)["data"]["changes"]
    assert changes == {"since": "HEAD:templates/prod.yaml", "changes": [], "new_findings": [], "mended_findings": []}


def test_a_file_in_templates_that_is_not_what_is_audited_is_told(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(["audit", "--env", "prod", "--fail-on", "never"]) == 0
    assert capsys.readouterr().err == ""
    template = repository / "templates" / "prod.yaml"
    template.write_text(template.read_text().replace("AWS_IAM", "NONE"))
    assert run(["audit", "--env", "prod", "--fail-on", "never", "--json"]) == 0
    shown = capsys.readouterr()
    assert "To audit the file: paycli audit templates/prod.yaml --env prod" in shown.err
    assert json.loads(shown.out)["data"]["verdict"]["failed"] is False


def test_since_another_file(repository: Path, wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "clean.yaml").write_text(CLEAN)
    capsys.readouterr()
    assert run(["audit", "wrong.yaml", "--since", "clean.yaml", "--format", "json"]) == 1
    changes = output(capsys)["changes"]
    assert changes["since"] == "clean.yaml"
    assert [finding["rule"] for finding in changes["new_findings"]] == ["E3002"]


def test_a_change_that_widens_fails_only_where_that_was_asked_for(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template = repository / "templates" / "prod.yaml"
    weaker = repository / "weaker.yaml"
    weaker.write_text(template.read_text().replace("TracingEnabled: true", "TracingEnabled: false"))
    compared = ["audit", str(weaker), "--env", "prod", "--fail-on", "never", "--since"]
    capsys.readouterr()
    assert run([*compared, "then"]) == 0
    capsys.readouterr()
    assert run([*compared, "then", "--fail-on-wider", "--json"]) == 4
    shown = output(capsys)
    ((code, message),) = [(error["code"], error["message"]) for error in shown["errors"]]
    assert code == "wider"
    assert message == "1 change wider or weaker: 1 in monitoring. Compared with then:templates/prod.yaml."
    assert (shown["data"]["verdict"]["fail_on_wider"], shown["data"]["verdict"]["wider"]) == (True, 1)
    narrower = ["audit", str(template), "--env", "prod", "--fail-on", "never", "--since", "weaker.yaml"]
    assert run([*narrower, "--fail-on-wider"]) == 0


def test_a_finding_fails_before_what_is_wider_and_both_are_told(
    repository: Path, wrong: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "clean.yaml").write_text("Resources:\n  Handle:\n    Type: AWS::CloudFormation::WaitCondition\n")
    capsys.readouterr()
    assert run(["audit", "wrong.yaml", "--since", "clean.yaml", "--fail-on-wider", "--json"]) == 1
    assert [error["code"] for error in output(capsys)["errors"]] == ["findings", "wider"]


def test_what_is_wider_needs_something_to_compare_with(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--fail-on-wider"]) == 2
    assert "--fail-on-wider needs --since." in capsys.readouterr().err


@pytest.mark.parametrize("reference", ["nothing", "--output=x", "HEAD:templates/prod.yaml"])
def test_what_is_no_revision_is_refused(repository: Path, reference: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(path.name for path in repository.iterdir())
    assert run(["audit", f"--since={reference}"]) == 2
    assert "neither a file nor a revision" in capsys.readouterr().err
    assert sorted(path.name for path in repository.iterdir()) == before


def test_without_git_there_is_no_revision(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(project))
    assert run(["audit", "--since", "HEAD"]) == 2
    assert "Git knows no repository here" in capsys.readouterr().err


def test_without_a_repository_there_is_no_revision(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--since", "HEAD"]) == 2
    assert "Git knows no repository here" in capsys.readouterr().err


def test_an_environment_without_a_committed_template_has_no_earlier_one(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", "--env", "pr-1", "--since", "HEAD"]) == 1
    assert "There is no templates/pr-1.yaml at HEAD." in capsys.readouterr().err


def test_a_file_without_an_end_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "/dev/zero"]) == 2
    assert "larger than the 1 MiB that CloudFormation takes" in capsys.readouterr().err


def test_it_asks_aws_nothing_and_loads_no_boto3(project: Path) -> None:
    code = "import sys; from paycli.cli import run; run(['audit', '--fail-on', 'never']); print('boto3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "False", done.stderr
