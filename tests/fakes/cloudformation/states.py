"""The legal transitions. Sources: SPEC.md, "Stack states"."""

from collections import deque
from collections.abc import Mapping

from tests.fakes.cloudformation.errors import FakeProblem

# Where several ways lead to a state of rest, the usual one is named first.
STACK: Mapping[str, tuple[str, ...]] = {
    "": ("REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS"),
    "REVIEW_IN_PROGRESS": ("CREATE_IN_PROGRESS", "IMPORT_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"),
    "CREATE_IN_PROGRESS": ("CREATE_COMPLETE", "ROLLBACK_IN_PROGRESS", "CREATE_FAILED", "DELETE_IN_PROGRESS"),
    "CREATE_COMPLETE": ("UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"),
    "CREATE_FAILED": ("UPDATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"),
    "ROLLBACK_IN_PROGRESS": ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_IN_PROGRESS"),
    "ROLLBACK_COMPLETE": ("DELETE_IN_PROGRESS",),
    "ROLLBACK_FAILED": ("DELETE_IN_PROGRESS",),
    "UPDATE_IN_PROGRESS": ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_FAILED"),
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": ("UPDATE_COMPLETE",),
    "UPDATE_COMPLETE": ("UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"),
    "UPDATE_FAILED": ("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"),
    "UPDATE_ROLLBACK_IN_PROGRESS": ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"),
    "UPDATE_ROLLBACK_FAILED": ("UPDATE_ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"),
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": ("UPDATE_ROLLBACK_COMPLETE",),
    "UPDATE_ROLLBACK_COMPLETE": ("UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"),
    "IMPORT_IN_PROGRESS": ("IMPORT_COMPLETE", "IMPORT_ROLLBACK_IN_PROGRESS"),
    "IMPORT_COMPLETE": ("UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"),
    "IMPORT_ROLLBACK_IN_PROGRESS": ("IMPORT_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_FAILED", "ROLLBACK_COMPLETE"),
    "IMPORT_ROLLBACK_COMPLETE": ("UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"),
    "IMPORT_ROLLBACK_FAILED": ("DELETE_IN_PROGRESS",),
    "DELETE_IN_PROGRESS": ("DELETE_COMPLETE", "DELETE_FAILED"),
    "DELETE_FAILED": ("DELETE_IN_PROGRESS",),
    "DELETE_COMPLETE": (),
}

_REST = ("UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_SKIPPED")
RESOURCE: Mapping[str, tuple[str, ...]] = {
    "": ("CREATE_IN_PROGRESS", "IMPORT_IN_PROGRESS", "CREATE_FAILED"),
    "CREATE_IN_PROGRESS": ("CREATE_IN_PROGRESS", "CREATE_COMPLETE", "CREATE_FAILED"),
    "CREATE_COMPLETE": (*_REST, "UPDATE_FAILED"),
    "CREATE_FAILED": ("CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE", "DELETE_SKIPPED"),
    "IMPORT_IN_PROGRESS": ("IMPORT_COMPLETE", "IMPORT_FAILED"),
    "IMPORT_COMPLETE": (*_REST, "UPDATE_FAILED", "IMPORT_ROLLBACK_IN_PROGRESS"),
    "IMPORT_FAILED": ("IMPORT_IN_PROGRESS", "DELETE_SKIPPED", "IMPORT_ROLLBACK_IN_PROGRESS"),
    "IMPORT_ROLLBACK_IN_PROGRESS": ("IMPORT_ROLLBACK_COMPLETE",),
    "IMPORT_ROLLBACK_COMPLETE": (),
    "UPDATE_IN_PROGRESS": ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "UPDATE_FAILED"),
    "UPDATE_COMPLETE": (*_REST, "UPDATE_FAILED"),
    "UPDATE_FAILED": (*_REST, "UPDATE_COMPLETE"),
    "DELETE_IN_PROGRESS": ("DELETE_COMPLETE", "DELETE_FAILED"),
    "DELETE_FAILED": ("DELETE_IN_PROGRESS", "DELETE_SKIPPED", "UPDATE_IN_PROGRESS"),
    "DELETE_SKIPPED": ("CREATE_IN_PROGRESS", "IMPORT_IN_PROGRESS"),
    "DELETE_COMPLETE": ("CREATE_IN_PROGRESS", "IMPORT_IN_PROGRESS"),
}

# The states from which a change set or UpdateStack may begin.
UPDATABLE = frozenset(before for before, after in STACK.items() if "UPDATE_IN_PROGRESS" in after)


def check(table: Mapping[str, tuple[str, ...]], what: str, before: str, after: str) -> None:
    """Raise FakeProblem where the table doesn't allow the transition."""
    if after not in table[before]:
        raise FakeProblem(f"{what}: {before or 'nothing'} -> {after} is no transition of CloudFormation")


def path(start: str, goal: str) -> list[str]:
    """Return the shortest legal way of a stack from one state to another, without the start."""
    ways: deque[list[str]] = deque([[start]])
    seen = {start}
    while ways:
        way = ways.popleft()
        if way[-1] == goal:
            return way[1:]
        for after in STACK[way[-1]]:
            if after not in seen:
                seen.add(after)
                ways.append([*way, after])
    raise FakeProblem(f"no way leads from {start or 'nothing'} to {goal}")
