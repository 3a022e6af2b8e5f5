"""The warning of a runtime's end."""

import json
from datetime import date
from pathlib import Path
from typing import get_args

import cfnlint
import pytest

from paycli.environment import Environment
from paycli.runtimes import DEPRECATIONS, warning


@pytest.mark.parametrize(
    ("runtime", "today", "words"),
    [
        ("python3.11", date(2026, 12, 31), None),
        ("python3.11", date(2027, 1, 1), "deprecates python3.11 on 2027-06-30"),
        ("python3.11", date(2027, 6, 30), "has deprecated python3.11 on 2027-06-30"),
        ("python3.14", date(2026, 11, 22), None),
    ],
)
def test_half_a_year_s_notice(runtime: str, today: date, words: str | None) -> None:
    said = warning(runtime, today)
    assert said is None if words is None else words in str(said)
    assert said is None or 'runtime = "python3.14"' in said


def test_every_runtime_that_can_be_chosen_has_its_date_and_it_is_the_one_that_cfn_lint_knows() -> None:
    assert set(get_args(Environment.model_fields["runtime"].annotation)) == set(DEPRECATIONS)
    data = Path(cfnlint.__file__).parent / "data" / "AdditionalSpecs" / "LmbdRuntimeLifecycle.json"
    lifecycle = json.loads(data.read_text())
    assert {name: lifecycle[name]["deprecated"] for name in DEPRECATIONS} == {
        name: str(day) for name, day in DEPRECATIONS.items()
    }
