"""The house: imports run one way, and nothing goes in a circle."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Each room, and the rooms it may lean on. A room that isn't named here may not be leaned on.
ROOMS = {
    "errors": set(),
    "environment": {"errors"},
    "wrong_values": set(),
    "acceptances": {"environment", "errors", "wrong_values"},
    "configuration": {"acceptances", "environment", "errors", "wrong_values"},
    "progress": set(),
    "aws": {"environment", "errors", "foreign_answers", "hastening", "text"},
    "aws_errors": {"errors", "foreign_answers", "text"},
    "foreign_answers": set(),
    "hastening": set(),
    "api_client": {"aws", "errors"},
    "handlers_source": {"errors"},
    "interruption": set(),
    "stack": {"environment", "handlers_source", "errors"},
    "emulator": {"embedded_state", "errors", "files"},
    "embedded_state": {"errors"},
    "embedded_process": {"embedded_state", "files"},
    "deployment": {
        "interruption",
        "files",
        "stack",
        "runtimes",
        "environment",
        "aws",
        "aws_errors",
        "handlers_source",
        "progress",
        "errors",
    },
    "smoke": {"stack", "environment", "aws", "aws_errors", "api_client", "errors"},
    "text": set(),
    "files": set(),
    "runtimes": set(),
    "durations": {"errors"},
    "operations": {
        "interruption",
        "deployment",
        "smoke",
        "stack",
        "environment",
        "aws",
        "aws_errors",
        "api_client",
        "progress",
        "errors",
        "files",
    },
    "audit": {"stack", "environment", "table", "errors", "text"},
    "table": set(),
    "console": {"errors", "table", "text"},
    "display": {"console", "progress", "text"},
    "views": {"deployment", "operations", "smoke", "table", "text"},
    "commands": {
        "audit",
        "console",
        "display",
        "durations",
        "views",
        "text",
        "configuration",
        "environment",
        "aws",
        "aws_errors",
        "api_client",
        "embedded_state",
        "emulator",
        "handlers_source",
        "deployment",
        "smoke",
        "operations",
        "stack",
        "errors",
        "files",
    },
    "cli": {"commands", "console", "aws_errors", "errors", "text"},
    "__main__": {"cli"},
}


def imported(path: Path) -> set[str]:
    """Return the absolute names that a file imports, for type-checking as well."""
    names: set[str] = set()
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) + 1 - node.level] if node.level else ()
            base = ".".join([*parents, *([node.module] if node.module else [])])
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def rooms_of(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if parts[0] == "paycli" and len(parts) > 1 else None


SOURCES = sorted((ROOT / "paycli").rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    here = path.relative_to(ROOT / "paycli").parts[0].removesuffix(".py")
    if here in {"__init__", "_payload"}:
        return
    leaned_on = {room for name in imported(path) if (room := rooms_of(name)) and room in ROOMS and room != here}
    assert leaned_on <= ROOMS[here]


@pytest.mark.parametrize("path", sorted((ROOT / "handlers").rglob("*.py")), ids=lambda path: path.name)
def test_handlers_lean_on_the_runtime_alone(path: Path) -> None:
    allowed = {"handlers", "botocore", "boto3", *sys.stdlib_module_names}
    assert {name.split(".")[0] for name in imported(path)} <= allowed


def test_nothing_goes_in_a_circle() -> None:
    paths = {module_name(path): path for folder in ("paycli", "handlers") for path in (ROOT / folder).rglob("*.py")}
    graph: dict[str, set[str]] = {}
    for module, path in paths.items():
        names = imported(path)
        leaned_on = {name if name in paths else name.rpartition(".")[0] for name in names}
        graph[module] = (leaned_on & paths.keys()) - {module}
    assert list(TopologicalSorter(graph).static_order())
