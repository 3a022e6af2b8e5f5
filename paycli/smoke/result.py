"""What a check says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CheckResult:
    """The outcome of a check; `expected` and `found` are empty where it passed."""

    name: str
    title: str
    passed: bool
    duration_seconds: float
    expected: str = ""
    found: str = ""
    detail: str = ""


class CheckFailed(Exception):  # noqa: N818 - an outcome, not an error of the program
    """The stack isn't what it should be; the words are for a developer and hold no secrets."""

    def __init__(self, expected: str, found: str, detail: str = "") -> None:
        super().__init__(f"expected {expected}; found {found}")
        self.expected = expected
        self.found = found
        self.detail = detail


class NotYet(CheckFailed):
    """It isn't so now, but a stack that has just been deployed may still get there."""


class Interrupted(Exception):  # noqa: N818
    """The run is being stopped: a check that waits gives up without an outcome."""
