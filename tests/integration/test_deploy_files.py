"""Files of the project that can't be written or read: what was done on AWS is told all the same."""

import json

import pytest

from tests.fakes.project import FakeProject
from tests.integration.conftest import Within
from tests.integration.deploys import STACK, UPDATED, error_of, recorded, records, slower_alarm, version

DEPLOY = ("deploy", "--env", "dev", "--yes")
ROLLBACK = ("rollback", "--env", "dev", "--yes")
FILE = "cfn-outputs/flat-outputs.json"


@pytest.fixture
def unwritable(cloud: FakeProject) -> FakeProject:
    """A project whose folder for the outputs can't be made."""
    (cloud.root / "cfn-outputs").write_text("in the way")
    return cloud


@pytest.mark.parametrize("command", [DEPLOY, ROLLBACK])
def test_outputs_that_cannot_be_written_are_a_failure_of_their_own(
    unwritable: FakeProject, within: Within, command: tuple[str, ...]
) -> None:
    stack = unwritable.deployed(other=slower_alarm)
    recorded(unwritable, 1, version(unwritable, 98))
    recorded(unwritable, 2, version(unwritable, 99))
    ran = within(*command)
    assert ran.status == 1
    assert f"The deploy succeeded, but {unwritable.root / FILE} can't be written: File exists." in error_of(ran)
    assert "as deploy 3." in ran.out
    assert f"APIEndpoint                           {stack.outputs['APIEndpoint']}\n" in ran.out
    assert stack.states[-3:] == UPDATED
    assert records(unwritable)[-1].result == "succeeded"


def test_programs_get_outputs_that_cannot_be_written(unwritable: FakeProject, within: Within) -> None:
    stack = unwritable.deployed()
    document = within(*DEPLOY, "--json").document
    assert document["status"] == "failed"
    assert document["data"]["outputs"] == stack.outputs
    assert document["data"]["outputs_file"] is None
    (error,) = document["errors"]
    assert error["code"] == "outputs_unwritable"
    assert error["message"].startswith("The stack has it all already, but ")


def test_a_smoke_test_does_not_hide_that_and_is_not_blamed_for_it(
    unwritable: FakeProject, within: Within, monkeypatch: pytest.MonkeyPatch
) -> None:
    unwritable.deployed(other=slower_alarm)
    recorded(unwritable, 1, version(unwritable, 99))
    monkeypatch.setattr("paycli.smoke.run", lambda *_arguments, **_options: [])
    ran = within(*DEPLOY, "--smoke-test", "--rollback-on-failure")
    assert ran.status == 1
    assert "The deploy succeeded, but " in error_of(ran)
    assert "0 of 0 checks passed" in ran.out
    assert "olled back" not in ran.out
    assert [record.rollback_of for record in records(unwritable)] == [None, None]


def test_outputs_are_shown_where_they_cannot_be_written(unwritable: FakeProject, within: Within) -> None:
    stack = unwritable.deployed()
    ran = within("outputs", "--env", "dev", "--key", "APIEndpoint")
    assert (ran.status, ran.out) == (1, f"{stack.outputs['APIEndpoint']}\n")
    assert f"{unwritable.root / FILE} can't be written: File exists" in ran.err
    assert within("outputs", "--env", "dev", "--json").document["data"]["outputs"] == stack.outputs


@pytest.mark.parametrize("content", ["no JSON", "[]"])
def test_an_outputs_file_that_says_nothing_stops_no_teardown(cloud: FakeProject, within: Within, content: str) -> None:
    cloud.deployed()
    path = cloud.root / FILE
    path.parent.mkdir()
    path.write_text(content)
    ran = within("teardown", "--env", "dev", "--yes", "--artifacts", "--json")
    assert ran.status == 0, ran.err
    assert ran.document["data"]["artifacts_removed"] == 0
    assert (f"{path} stays" in ran.err) is (content == "no JSON")
    assert path.read_text() == content
    assert cloud.aws.stack(STACK).status == "DELETE_COMPLETE"


def test_without_a_memory_of_what_has_passed_it_is_linted_again(
    cloud: FakeProject, within: Within, monkeypatch: pytest.MonkeyPatch
) -> None:
    linted: list[str] = []

    def lint(template: str, **_options: object) -> list[str]:
        linted.append(template)
        return []

    monkeypatch.setattr("cfnlint.api.lint", lint)
    memory = cloud.root / ".paycli"
    memory.rename(cloud.root / "away")
    memory.write_text("in the way")
    cloud.deployed(other=slower_alarm)
    changed = within("diff", "--env", "dev")
    assert changed.status == 4, changed.err
    assert f"{memory / 'lint'} can't be written (File exists): the next command lints again." in changed.err
    assert within(*DEPLOY).status == 0
    assert len(linted) == 2
    assert json.loads((cloud.root / FILE).read_text())["APIEndpoint"]


@pytest.mark.parametrize("name", ["/proc/plan.json", "/dev/null", "paycli.toml/plan.json"])
def test_a_plan_that_cannot_be_written_is_refused_before_the_work(
    cloud: FakeProject, within: Within, name: str
) -> None:
    cloud.deployed(other=slower_alarm)
    ran = within("deploy", "--env", "dev", "--plan", name)
    assert ran.status == 1
    assert error_of(ran).startswith(f"Error: {name} can't be written: ")
    assert cloud.aws.calls == []


def test_a_plan_that_cannot_be_written_any_more_leaves_no_change_set(
    cloud: FakeProject, within: Within, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = cloud.deployed(other=slower_alarm)
    monkeypatch.setattr("paycli.deployment.planfile.check_writable", lambda _path: None)  # it could, then
    ran = within("deploy", "--env", "dev", "--plan", "paycli.toml/plan.json")
    assert ran.status == 1
    assert error_of(ran).startswith("Error: paycli.toml/plan.json can't be written: File exists.")
    assert stack.change_sets == {}


def test_a_plan_is_written_where_a_link_leads(cloud: FakeProject, within: Within) -> None:
    cloud.deployed(other=slower_alarm)
    link = cloud.root / "plan.json"
    link.symlink_to(cloud.root / "plans" / "real.json")
    assert within("deploy", "--env", "dev", "--plan", "plan.json").status == 0
    assert link.is_symlink()
    assert json.loads(link.read_text())["environment"] == "dev"
