"""What a deploy would change: shown, kept for a second step, guarded, and never left behind."""

import json
import os
import signal
import subprocess
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from paycli import __version__
from paycli.deployment.package import package
from paycli.handlers_source import handlers_root
from tests.fakes.cloudformation.model import Json, Stack
from tests.fakes.project import FakeProject
from tests.integration.conftest import Within
from tests.integration.deploys import (
    ALARM,
    CREATED,
    LONG,
    PROD,
    STACK,
    TABLE,
    UPDATED,
    error_of,
    records,
    slower_alarm,
    untouched,
    with_old_group,
)

MADE = ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]


def gone(cloud: FakeProject) -> bool:
    """Whether the stack that a plan has made is gone again."""
    stack = cloud.aws.find(STACK)
    return stack is None or stack.status == "DELETE_COMPLETE"


def nothing_lies(cloud: FakeProject) -> bool:
    return not any(cloud.aws.objects.values())


# diff


def test_a_diff_of_what_is_not_there_leaves_nothing(cloud: FakeProject, within: Within) -> None:
    ran = within("diff", "--env", "dev")
    assert ran.status == 4, ran.err
    assert "Add " in ran.out
    assert "TransactionsTable" in ran.out
    assert "Code none -> " in ran.out
    assert gone(cloud)
    assert cloud.aws.find("paycli-bootstrap") is None
    assert nothing_lies(cloud)


def test_a_diff_of_what_is_deployed_leaves_nothing(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(other=slower_alarm)
    ran = within("diff", "--env", "dev")
    assert ran.status == 4, ran.err
    assert "EvaluationPeriods: 99 -> 1" in ran.out
    assert "Code" not in ran.out.replace("CodeKey", "")
    assert untouched(stack, MADE)
    assert nothing_lies(cloud)
    data = within("diff", "--env", "dev", "--json").document
    assert data["status"] == "different"
    assert [change["logical_id"] for change in data["data"]["changes"]] == [ALARM, "Dashboard"]
    stack.now.template["Resources"][ALARM]["Properties"]["EvaluationPeriods"] = 1
    stack.resources[ALARM].properties["EvaluationPeriods"] = 1
    same = within("diff", "--env", "dev")
    assert (same.status, "No changes" in same.out) == (0, True)
    cloud.aws.alter(STACK, ALARM, EvaluationPeriods=50)
    assert within("diff", "--env", "dev").status == 0
    drifted = within("diff", "--env", "dev", "--revert-drift")
    assert drifted.status == 4
    assert "EvaluationPeriods: 50 -> 1 (drifted)" in drifted.out
    assert untouched(stack, MADE)


@pytest.mark.parametrize("arguments", [["diff"], ["deploy", "--dry-run"]])
def test_a_look_at_a_large_stack_leaves_no_template_either(
    cloud: FakeProject, within: Within, arguments: list[str]
) -> None:
    cloud.linted("prod")
    stack = cloud.deployed("prod", other=slower_alarm)
    bucket = cloud.aws.stack("paycli-bootstrap").outputs["ArtifactBucket"]
    before, states = dict(cloud.aws.objects.get(bucket, {})), list(stack.states)
    ran = within(*arguments, "--env", "prod")
    assert ran.status in {0, 4}, ran.err
    assert "EvaluationPeriods: 99 -> 1" in ran.out + ran.err
    (request,) = [call.parameters for call in cloud.aws.calls if call.operation == "CreateChangeSet"]
    assert "TemplateURL" in request
    assert dict(cloud.aws.objects[bucket]) == before
    assert untouched(stack, states)


def test_a_diff_names_the_handlers_that_change(cloud: FakeProject, within: Within) -> None:
    deployed = BytesIO()
    with zipfile.ZipFile(BytesIO(package(handlers_root()).content)) as here, zipfile.ZipFile(deployed, "w") as there:
        for name in here.namelist()[1:]:
            there.writestr(name, here.read(name) if "validation" not in name else b"")
        there.writestr("handlers/old.py", b"")
    stack = cloud.deployed(code="code/0123456789abcdef.zip")
    bucket = stack.now.parameters["ArtifactBucket"]
    ran = within("diff", "--env", "dev")
    assert ran.status == 4
    assert "  + handlers/validation.py" in ran.out  # a package that is gone counts as empty
    cloud.aws.lay(bucket, "code/0123456789abcdef.zip", deployed.getvalue())
    ran = within("diff", "--env", "dev")
    assert "Code 0123456789ab -> " in ran.out
    assert [line for line in ran.out.splitlines() if line.startswith("  ") and "handlers/" in line] == [
        "  + handlers/__init__.py",
        "  ~ handlers/validation.py",
        "  - handlers/old.py",
    ]


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("moment", ["no reply yet", "not computed yet"])
def test_an_interrupted_diff_leaves_nothing(cloud: FakeProject, *, there: bool, moment: str) -> None:
    stack = cloud.deployed(other=slower_alarm) if there else None
    if moment == "no reply yet":
        cloud.aws.faults.delay("CreateChangeSet", 3.0, after_effect=True)
    else:
        cloud.aws.scenario.compute_seconds = LONG

    def made() -> bool:
        found = cloud.aws.find(STACK)
        return found is not None and bool(found.change_sets) and (moment == "no reply yet" or computing())

    computing = cloud.aws.asked("DescribeChangeSet")
    ran = cloud.run("diff", "--env", "dev", moments=[(made, signal.SIGINT)])
    assert ran.status == 130
    assert untouched(stack, MADE) if stack else gone(cloud)


def test_a_dry_run_leaves_nothing(cloud: FakeProject, within: Within) -> None:
    ran = within("deploy", "--env", "dev", "--dry-run")
    assert ran.status == 0, ran.err
    assert "Nothing was deployed" in ran.out
    assert gone(cloud)
    stack = cloud.deployed()
    assert "No changes" in within("deploy", "--env", "dev", "--dry-run").out
    assert untouched(stack, MADE)


def test_only_outputs_are_a_change_too(cloud: FakeProject, within: Within) -> None:
    def with_output(template: Json) -> None:
        template["Outputs"]["Old"] = {"Value": "x"}

    stack = cloud.deployed(other=with_output)
    ran = within("deploy", "--env", "dev", "--yes")
    assert ran.status == 0, ran.err
    assert "only its outputs, parameters or tags" in ran.err
    assert "Old" not in stack.outputs


# What the change set says of itself

OF_DEV = f"paycli {__version__}%s, by arn:aws:iam::111111111111:user/dev"


def described(cloud: FakeProject, within: Within) -> str:
    """Return the description of the change set that a plan keeps."""
    assert within("deploy", "--env", "dev", "--plan", "plan.json").status == 0
    made = list(cloud.aws.stack(STACK).change_sets.values())[-1]
    description, seal = str(made.request["Description"]).split(", plan ")
    assert len(seal) == 32
    return description


def committed(root: Path) -> str:
    """Make the project a checkout, and return its commit."""
    git = ("git", "-c", "user.name=ada", "-c", "user.email=ada@example.com")
    for command in (("init", "--quiet"), ("add", "paycli.toml"), ("commit", "--quiet", "--message", "first")):
        subprocess.run([*git, *command], cwd=root, check=True)
    said = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=root, check=True, capture_output=True, text=True)
    return said.stdout.strip()


def test_the_change_set_says_who_deploys_which_commit(
    cloud: FakeProject, within: Within, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cloud.deployed(other=slower_alarm)
    assert described(cloud, within) == OF_DEV % ""
    commit = committed(cloud.root)
    assert described(cloud, within) == OF_DEV % f", commit {commit}"
    (cloud.root / "paycli.toml").write_text("# a change of its own\n")
    assert described(cloud, within) == OF_DEV % f", commit {commit}-dirty"
    monkeypatch.setenv("PATH", str(tmp_path_factory.mktemp("without-git")))
    assert described(cloud, within) == OF_DEV % ""


def test_that_git_refuses_the_checkout_is_told(
    cloud: FakeProject, within: Within, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    programs = tmp_path_factory.mktemp("git")
    (programs / "git").write_text("#!/bin/sh\necho 'fatal: detected dubious ownership in repository' >&2; exit 128\n")
    (programs / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    cloud.deployed(other=slower_alarm)
    ran = within("deploy", "--env", "dev", "--dry-run")
    assert ran.status == 0, ran.err
    assert f"git config --global --add safe.directory {cloud.root}" in ran.err


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"])
def test_an_endpoint_that_is_no_url_is_a_mistake_of_the_configuration(
    cloud: FakeProject, within: Within, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "garbage")
    ran = within("diff", "--env", "dev")
    assert ran.status == 3
    assert "An endpoint of AWS is no URL: Invalid endpoint: garbage" in error_of(ran)


# Two steps


def planned(cloud: FakeProject, within: Within) -> tuple[Stack, Path]:
    stack = cloud.deployed(other=slower_alarm)
    ran = within("deploy", "--env", "dev", "--plan", "out/plan.json")
    assert ran.status == 0, ran.err
    assert "paycli deploy --env dev --execute out/plan.json" in ran.out
    assert stack.states == MADE
    return stack, cloud.root / "out" / "plan.json"


def test_a_plan_is_executed_as_it_was_reviewed(cloud: FakeProject, within: Within) -> None:
    stack, path = planned(cloud, within)
    reviewed = list(stack.change_sets)
    cloud.aws.alter(STACK, "Dashboard", DashboardBody="{}")  # whatever else has happened
    ran = within("deploy", "--env", "dev", "--execute", str(path), "--yes")
    assert ran.status == 0, ran.err
    assert "EvaluationPeriods: 99 -> 1" in ran.err
    assert stack.states[-3:] == UPDATED
    assert [stack.change_set_id] == reviewed
    assert [record.result for record in records(cloud)] == ["succeeded"]
    again = within("deploy", "--env", "dev", "--execute", str(path), "--yes")
    assert again.status == 1
    assert "the stack has moved since (it is UPDATE_COMPLETE)" in error_of(again)


def test_a_plan_for_a_new_stack_waits_for_its_execution(cloud: FakeProject, within: Within) -> None:
    ran = within("deploy", "--env", "dev", "--plan", "plan.json")
    assert ran.status == 0, ran.err
    assert cloud.aws.stack(STACK).states == CREATED[:1]
    ran = within("deploy", "--env", "dev", "--execute", "plan.json", "--yes")
    assert ran.status == 0, ran.err
    assert cloud.aws.stack(STACK).states == CREATED


def test_a_plan_that_cannot_be_executed_any_more_says_why(cloud: FakeProject, within: Within) -> None:
    stack, path = planned(cloud, within)
    whole = path.read_text()

    def refused(status: int, said: str, content: str | bytes = whole, env: str = "dev") -> None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        ran = within("deploy", "--env", env, "--execute", str(path), "--yes")
        assert ran.status == status
        assert said in error_of(ran)
        assert "ExecuteChangeSet" not in cloud.aws.operations()

    refused(2, "is no plan of paycli", "{}")
    refused(2, "is no plan of paycli", b"\xff\xfe")
    refused(2, "is no plan of paycli", json.dumps({**json.loads(whole), "changes": [{}]}))
    refused(2, "is no plan of paycli", json.dumps({**json.loads(whole), "stack_id": ""}))
    refused(2, "is no plan of paycli", json.dumps({**json.loads(whole), "change_set_id": "nope"}))
    refused(1, "in another bucket", json.dumps({**json.loads(whole), "bucket": "squatted"}))
    refused(2, "this is prod in account", env="prod")
    refused(2, "is a plan for dev in account 999999999999", whole.replace("111111111111", "999999999999"))
    refused(2, "is a plan for dev in account 111111111111, eu-west-1", whole.replace('"us-east-1"', '"eu-west-1"'))
    refused(1, "not the one that was reviewed", whole.replace('"Dashboard"', '"Another"'))
    refused(1, "not the one that was reviewed", whole.replace('"Modify"', '"Remove"'))
    settings = cloud.root / "paycli.toml"
    before = settings.read_text()
    settings.write_text(f"{before}\n[env.dev]\nretain_data = true\n")
    refused(1, "retain_data has been changed since")
    settings.write_text(before)
    bucket = cloud.aws.stack("paycli-bootstrap").outputs["ArtifactBucket"]
    (key,) = [key for key in cloud.aws.objects[bucket] if key.startswith("templates/")]
    template = cloud.aws.objects[bucket][key]
    cloud.aws.lay(bucket, key, template + b" ")
    refused(1, "is not the template that its name says")
    cloud.aws.take(key)
    refused(1, "its template is no longer in the artifact bucket")
    cloud.aws.lay(bucket, key, template)
    code = json.loads(whole)["version"]["code_key"]
    packed = cloud.aws.objects[bucket][code]
    cloud.aws.lay(bucket, code, b"no zip")
    refused(1, "is not the code that its name says")
    cloud.aws.take(code)
    refused(1, "its code is no longer in the artifact bucket")
    cloud.aws.lay(bucket, code, packed)
    made = next(iter(stack.change_sets.values()))
    made.execution_status = "OBSOLETE"
    refused(1, "its change set is OBSOLETE")
    stack.change_sets.clear()
    refused(1, "its change set is gone")
    stack.updated_at = cloud.aws.clock.now()
    refused(1, "the stack has moved since (it is CREATE_COMPLETE)")
    stack.now.template["Resources"] = {}
    assert within("teardown", "--env", "dev", "--yes").status == 0
    refused(1, "the stack has moved since (it is DELETE_COMPLETE)")


def test_a_plan_that_moves_in_the_last_moment_is_not_executed(cloud: FakeProject, within: Within) -> None:
    stack, path = planned(cloud, within)
    cloud.aws.faults.refuse("ExecuteChangeSet", "ChangeSetNotFound", "ChangeSet [x] does not exist", status=404)
    ran = within("deploy", "--env", "dev", "--execute", str(path), "--yes")
    assert ran.status == 1
    assert "payment-api-dev has moved since the plan was made: ChangeSet [x] does not exist" in error_of(ran)
    assert stack.states == MADE
    assert [record.result for record in records(cloud)] == ["failed"]


def test_where_nothing_would_change_the_plan_does_nothing(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed()
    (cloud.root / "plan.json").write_text("an older plan")
    ran = within("deploy", "--env", "dev", "--plan", "plan.json", "--json")
    assert ran.status == 0
    assert ran.document["data"]["plan"] == "plan.json"
    assert "it does nothing" in within("deploy", "--env", "dev", "--plan", "plan.json").out
    executed = within("deploy", "--env", "dev", "--execute", "plan.json", "--yes")
    assert executed.status == 0, executed.err
    assert "No changes" in executed.out
    assert stack.states == MADE
    stack.updated_at = cloud.aws.clock.now()
    moved = within("deploy", "--env", "dev", "--execute", "plan.json", "--yes")
    assert moved.status == 1
    assert "the stack has moved since" in error_of(moved)


EDITS: dict[str, Callable[[dict[str, Any]], None]] = {
    "code": lambda plan: plan["parameters"].update(CodeKey="code/evil.zip"),
    "commit": lambda plan: plan["version"].update(commit="deadbeef"),
    "tags": lambda plan: plan["tags"].update(A="b"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_plan_that_was_edited_is_not_executed(
    cloud: FakeProject, within: Within, edit: Callable[[dict[str, Any]], None]
) -> None:
    stack, path = planned(cloud, within)
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    ran = within("deploy", "--env", "dev", "--execute", str(path), "--yes")
    assert ran.status == 1
    assert "the file was changed since, or another paycli wrote it" in error_of(ran)
    assert stack.states == MADE


def test_a_plan_keeps_its_tags_whatever_the_settings_say_when_it_is_executed(
    cloud: FakeProject, within: Within
) -> None:
    cloud.linted("prod")
    cloud.bootstrap()
    assert within("deploy", "--env", "prod", "--plan", "plan.json").status == 0
    (cloud.root / "paycli.toml").write_text('[env.prod]\ntags = { Team = "other" }\n')
    ran = within("deploy", "--env", "prod", "--execute", "plan.json", "--yes")
    assert ran.status == 0, ran.err
    stack = cloud.aws.stack(PROD)
    assert "Team" not in stack.now.tags
    updated = {event.logical_id for event in stack.events if event.status == "UPDATE_COMPLETE"} - {PROD}
    assert updated == {TABLE}  # its protection, after the create


def test_a_plan_that_no_file_names_does_not_stay(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(other=slower_alarm)
    (cloud.root / "file").touch()
    ran = within("deploy", "--env", "dev", "--plan", "file/plan.json")
    assert ran.status == 1
    assert untouched(stack, MADE)


def test_a_kept_plan_that_is_not_confirmed_stays(cloud: FakeProject, within: Within) -> None:
    stack, path = planned(cloud, within)
    ran = cloud.on_terminal("deploy", "--env", "dev", "--execute", str(path), typed=[("[y/N]", "n\n")])
    assert ran.status == 1
    assert "Not confirmed" in ran.out
    assert len(stack.change_sets) == 1
    ran = cloud.on_terminal("deploy", "--env", "dev", typed=[("[y/N]", "n\n")])
    assert ran.status == 1
    assert len(stack.change_sets) == 1  # its own is gone


# What would lose data


def renamed_table(template: Json) -> None:
    """Let the stack have a table with another name, which the deploy would replace."""
    template["Resources"]["TransactionsTable"]["Properties"]["TableName"] = "old-name"


def test_replacing_what_holds_data_is_refused(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(other=renamed_table)
    ran = within("deploy", "--env", "dev", "--yes", "--allow-remove", "TransactionsTable")
    assert ran.status == 1
    assert "holds data and would be replaced (because of TableName" in error_of(ran)
    assert untouched(stack, MADE)
    shown = within("diff", "--env", "dev")
    assert shown.status == 4
    assert "A deploy would refuse this: TransactionsTable would be lost." in shown.err


def test_removing_what_holds_data_needs_its_name(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(other=with_old_group)
    ran = within("deploy", "--env", "dev", "--yes", "--allow-remove", "Other")
    assert ran.status == 1
    assert "--allow-remove Other: nothing of that name would be removed." in ran.err
    assert "OldLogs (AWS::Logs::LogGroup) holds data and would be removed" in error_of(ran)
    assert "--allow-remove OldLogs" in error_of(ran)
    assert untouched(stack, MADE)
    ran = within("deploy", "--env", "dev", "--yes", "--allow-remove", "OldLogs")
    assert ran.status == 0, ran.err
    assert cloud.aws.standing("AWS::Logs::LogGroup", "/old") is None


def test_a_new_logical_id_for_what_is_there_is_no_way_to_lose_it(cloud: FakeProject, within: Within) -> None:
    def moved(template: Json) -> None:
        with_old_group(template)
        del template["Resources"]["AccessLogs"]
        template["Resources"]["Stage"]["Properties"].pop("AccessLogSetting")

    stack = cloud.deployed(other=moved)
    ran = within("deploy", "--env", "dev", "--yes", "--allow-remove", "OldLogs")
    assert ran.status == 1
    assert "would be removed while another of its type is added" in error_of(ran)
    assert untouched(stack, MADE)


# The command line


def test_a_plan_that_cannot_be_taken_back_hides_no_answer(cloud: FakeProject) -> None:
    cloud.deployed(other=slower_alarm)
    cloud.aws.faults.deny("DeleteChangeSet")
    ran = cloud.on_terminal("deploy", "--env", "dev", typed=[("[y/N]", "n\n")])
    assert ran.status == 1
    assert "The plan's change set stays on the stack, and is in nobody's way" in " ".join(ran.out.split())
    assert "Not confirmed, and not done." in ran.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--dry-run", "--smoke-test"], "nothing deployed to test"),
        (["--plan", "p", "--smoke-test"], "nothing deployed to test"),
        (["--execute", os.devnull, "--plan", "p"], "executes a plan as it is"),
        (["--execute", os.devnull, "--revert-drift"], "executes a plan as it is"),
        (["--rollback-on-failure"], "is for --smoke-test"),
        (["--dry-run", "--plan", "p"], "--dry-run leaves nothing behind"),
        ([], "asks for a confirmation"),
    ],
)
def test_options_that_do_not_go_together_are_refused(within: Within, arguments: list[str], said: str) -> None:
    ran = within("deploy", "--env", "dev", "--json", *arguments)
    assert ran.status == 2
    assert said in json.loads(ran.out)["errors"][0]["message"]
