"""docs/security.md names tests and audit rules: each must be there, or the page promises what nothing shows."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


@pytest.mark.parametrize(("path", "name"), NAMED, ids=lambda part: str(part).rpartition("/")[2])
def test_each_test_that_the_page_names_is_there(path: str, name: str) -> None:
    assert f"def {name}(" in (ROOT / path).read_text()


def test_the_page_names_many() -> None:
    assert len(NAMED) > 30


def test_each_rule_that_the_page_names_is_one() -> None:
    named = set(re.findall(r"`([EW]9[0-9]{3})`", PAGE))
    there = set(re.findall(r"^\| \[([EW]9[0-9]{3})\]", (ROOT / "docs" / "audit-rules.md").read_text(), re.MULTILINE))
    assert len(named) > 20
    assert named <= there
