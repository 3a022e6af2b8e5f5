"""The modules as Lambda loads them: settings, connections, the garbage collector, size, and imports."""

from __future__ import annotations

import ast
import gc
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.unit.handlers.payment_fakes import Api, client, lambda_environment

HANDLERS = Path(__file__).parents[3] / "handlers"
SOURCES = sorted(HANDLERS.rglob("*.py"))
NAMES = ("validation", "processing", "health_monitor")


def load(name: str, **environment: str) -> dict[str, object]:
    """Import a handler in a process of its own; return what is true afterwards."""
    program = f"""
import gc, json, sys
module = __import__("handlers.{name}", fromlist=["handler"])
print(json.dumps({{
    "callable": callable(module.handler), "collecting": gc.isenabled(), "frozen": gc.get_freeze_count(),
    "modules": sorted({{name.partition(".")[0] for name in sys.modules}}),
}}))"""
    with lambda_environment(**environment):
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=HANDLERS.parent, env=dict(os.environ), capture_output=True, check=False
        )
    assert done.returncode == 0, done.stderr.decode()
    loaded: dict[str, object] = json.loads(done.stdout)
    return loaded


@pytest.mark.parametrize("name", NAMES)
def test_init_leaves_a_collector_that_spares_what_init_made(name: str) -> None:
    Api()
    loaded = load(name)
    assert loaded["callable"] is True
    assert loaded["collecting"] is True
    assert int(str(loaded["frozen"])) > 10_000


@pytest.mark.parametrize("name", NAMES)
def test_init_opens_one_connection_by_a_call_without_effect(name: str) -> None:
    api = Api()
    load(name)
    assert api.calls() == [".GET"]


@pytest.mark.parametrize("name", NAMES)
def test_init_succeeds_although_nobody_answers(name: str) -> None:
    Api()
    assert load(name, AWS_ENDPOINT_URL="http://127.0.0.1:9")["callable"] is True


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_loaded_that_the_runtime_does_not_have(name: str) -> None:
    Api()
    loaded = load(name)["modules"]
    assert isinstance(loaded, list)
    assert not {"boto3", "paycli", "pydantic", "click", "troposphere"} & set(loaded)


def test_imports_name_only_the_standard_library_botocore_and_this_package() -> None:
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            imported = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                imported = [node.module or ""]
            for name in imported:
                assert name.partition(".")[0] in {*sys.stdlib_module_names, "botocore", "handlers"}, (source, name)


def test_the_package_is_small() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for source in SOURCES:
            archive.write(source, source.relative_to(HANDLERS.parent))
    assert len(buffer.getvalue()) <= 20 * 1024


def test_no_test_is_left_without_a_collector() -> None:
    client("dynamodb")
    assert gc.isenabled()
