"""The rules as a set: whole, documented, loadable by plain cfn-lint, quick, and not to be broken by a template."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.rules import Rules
from cfnlint.template import Template
from hypothesis import given, settings
from hypothesis import strategies as st

from paycli.audit.catalog import markdown
from paycli.audit.rule import AuditRule
from paycli.audit.rules import RULES
from paycli.environment import Environment, presets
from paycli.stack import build
from paycli.stack.bootstrap import build_bootstrap
from paycli.stack.rendering import as_dict
from paycli.stack.yaml_rendering import to_yaml
from tests.unit.audit.audited import ROOT, audit

MODULES = ROOT / "paycli" / "audit" / "rules"


def test_every_rule_has_an_id_of_its_own_in_the_range_for_users() -> None:
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids) >= 40
    assert all(len(name) == 5 and name[0] in "EW" and 9500 <= int(name[1:]) <= 9699 for name in ids), ids


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.id))
def test_every_rule_says_what_why_who_and_how(rule: type[AuditRule]) -> None:
    for attribute in ("shortdesc", "description", "why", "requirement", "mend"):
        text = getattr(rule, attribute)
        assert text, attribute
        assert "\n" not in text, attribute
    for control in rule.requirement.split("; "):
        assert re.fullmatch(r"PCI DSS [0-9., ]+|AWS Security Hub [\w., ]+|AWS Well-Architected [A-Z0-9-, ]+", control)
    assert rule.source_url.startswith("https://docs.aws.amazon.com/")
    assert rule.tags
    assert rule().severity == {"E": "error", "W": "warning"}[rule.id[0]]
    assert rule.findings is not AuditRule.findings


def test_every_class_of_the_modules_is_in_the_list() -> None:
    classes = {
        node.name
        for path in MODULES.glob("[a-z]*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
    }
    assert {rule.__name__ for rule in RULES} == classes


def test_a_bare_rule_finds_nothing() -> None:
    assert AuditRule().match(Template("template", {"Resources": {}}, ["eu-west-1"])) == []


def test_the_page_of_rules_is_up_to_date() -> None:
    page = (ROOT / "docs" / "audit-rules.md").read_text()
    written = subprocess.run(
        [sys.executable, "-m", "paycli.audit.catalog"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    assert page == written == markdown(), "python -m paycli.audit.catalog > docs/audit-rules.md"
    assert all(page.count(f"| [{rule.id}](") == 1 for rule in RULES)


def test_cfn_lint_loads_them_as_a_module_and_as_a_folder() -> None:
    ids = {rule.id for rule in RULES}
    assert set(Rules.create_from_module("paycli.audit.rules")) == ids
    assert set(Rules.create_from_directory(str(MODULES))) == ids


def test_they_need_cfn_lint_and_the_standard_library_alone() -> None:
    script = (
        "import sys, json, paycli.audit.rules; print(json.dumps([m for m in sys.modules if m.startswith('paycli')]))"
    )
    loaded = json.loads(
        subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, cwd=ROOT).stdout
    )
    assert set(loaded) - {"paycli", "paycli.audit"} == {name for name in loaded if name.startswith("paycli.audit.")}
    for name in loaded:
        path = ROOT.joinpath(*name.split("."))
        source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.ImportFrom | ast.Import):
                names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
                roots = {str(module).partition(".")[0] for module in names}
                assert roots <= {"cfnlint", "paycli", *sys.stdlib_module_names}, (name, names)


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={**environment, "PATH": path})


def test_pre_commit_and_make_lint_run_the_same_command_which_passes_what_is_committed(tmp_path: Path) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    (entry,) = [hook["entry"] for hook in hooks if hook["id"] == "cfn-lint"]
    command = entry.removeprefix("env PYTHONPATH=. ")
    assert f"\t$(BIN)/{command}\n" in (ROOT / "Makefile").read_text()
    bare = tmp_path / "prod.yaml"
    committed = (ROOT / "templates" / "prod.yaml").read_text()
    bare.write_text(committed.replace("ignore_checks:", "unheard_of:"))  # without what is accepted by name
    done = run([*shlex.split(entry), str(bare)])
    assert (done.returncode, done.stderr) == (4, "")
    assert done.stdout.startswith("W9595 Nobody has subscribed to AlarmTopic")
    assert "templates/" not in done.stdout


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({}, {"W9595"}),
        ({"alarms": {"email": "on-call@example.com"}}, set()),
        ({"alarms": {"email": "on-call@example.com"}, "authorization": "none"}, {"E9611"}),
        ({"alarms": {"email": "on-call@example.com"}, "log_retention_days": 30}, {"W9584"}),
        ({"alarms": {"email": "on-call@example.com"}, "allowed_principals": ["111122223333"]}, {"E9554"}),
        ({"alarms": {"email": "on-call@example.com"}, "retain_data": False}, {"E9521", "E9522", "E9523"}),
    ],
)
def test_what_a_setting_of_production_costs(changes: dict[str, Any], rules: set[str]) -> None:
    environment = Environment(name="prod", **{**presets()["prod"], **changes})
    assert {found.rule for found in audit(to_yaml(build(environment)))} == rules


def test_the_bootstrap_stack_is_clean() -> None:
    assert audit(to_yaml(build_bootstrap(retain=True, tls_only=True, log_role=True))) == []


def test_they_are_quick() -> None:
    cfn = Template("template", as_dict(build(Environment(name="prod", **presets()["prod"]))), ["eu-west-1"])
    rules = [rule() for rule in RULES]
    times = []
    for _ in range(3):
        start = time.process_time()
        for rule in rules:
            rule.match(cfn)
        times.append(time.process_time() - start)
    assert min(times) < 0.3


IF = "Fn::If"
JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, "", "*", "{", "${A}", 0, -1.5, 10**400, True),
        *([], {}, [[]], [None], {"a": None}, {"": ""}, {5: 5}, '{"Statement": 5}', {"Statement": [5]}),
        *({"Ref": 5}, {"Ref": "Key"}, {"Ref": "AWS::NoValue"}),
        *({"Fn::GetAtt": []}, {"Fn::Sub": []}, {"Fn::Join": ["", 5]}),
        *({IF: ["A", {IF: []}, None]}, {IF: ["A", [], "x"]}, {IF: 5}),
    ]
)
PRODUCTION = as_dict(build(Environment(name="prod", **presets()["prod"])))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return (
        [path, *(place for key, member in members for place in places(member, (*path, key)))]
        if path
        else [place for key, member in members for place in places(member, (key,))]
    )


@given(st.lists(st.tuples(st.sampled_from(places(PRODUCTION)), JUNK), min_size=1, max_size=8))
@settings(max_examples=20, deadline=None)
def test_no_template_breaks_a_rule(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    template = json.loads(json.dumps(PRODUCTION))
    for path, value in changes:
        here = template
        try:
            for key in path[:-1]:
                here = here[key]
            here[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # another change has taken the place away
    cfn = Template("template", template, ["eu-west-1"])
    for rule in RULES:
        for found in rule().match(cfn):
            assert found.message
            assert found.path
