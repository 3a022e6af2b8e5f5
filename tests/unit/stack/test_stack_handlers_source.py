"""Where the handlers lie, and their contract loaded by its path."""

import sys
from pathlib import Path

import pytest

import paycli
from paycli.errors import ConfigurationError, PaycliError
from paycli.handlers_source import demand_own, handlers_root, load_contract

ROOT = Path(__file__).parents[3]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of paycli in an empty folder."""
    package = tmp_path / "paycli"
    package.mkdir()
    monkeypatch.setattr(paycli, "__file__", str(package / "__init__.py"))
    return tmp_path


def put_handlers(root: Path, text: str = "REQUEST_MODELS = {}\n") -> Path:
    (root / "payments").mkdir(parents=True)
    (root / "payments" / "contract.py").write_text(text, encoding="utf-8")
    return root


def test_in_a_checkout_they_are_the_checkouts() -> None:
    assert handlers_root() == ROOT / "handlers"


def test_the_checkout_comes_before_the_wheels_copy(elsewhere: Path) -> None:
    put_handlers(elsewhere / "paycli" / "_payload" / "handlers")
    assert handlers_root() == elsewhere / "paycli" / "_payload" / "handlers"
    put_handlers(elsewhere / "handlers")
    assert handlers_root() == elsewhere / "handlers"


def test_without_any_the_message_says_what_to_do(elsewhere: Path) -> None:
    with pytest.raises(PaycliError) as caught:
        handlers_root()
    assert caught.value.code == "handlers_missing"
    assert "Install" in caught.value.hint


def test_another_checkouts_handlers_are_refused(elsewhere: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    put_handlers(elsewhere / "handlers")
    demand_own(elsewhere)
    other = tmp_path_factory.mktemp("other")
    demand_own(other)  # a project that uses paycli, and has no handlers
    put_handlers(other / "handlers")
    demand_own(other)  # of its own, and no checkout of paycli
    (other / "paycli").mkdir()
    (other / "paycli" / "__init__.py").touch()
    with pytest.raises(ConfigurationError, match=f"would take those of {elsewhere}") as caught:
        demand_own(other)
    assert "make .venv" in caught.value.hint


def test_the_contract_is_loaded_alone(elsewhere: Path) -> None:
    text = (
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from typing import NamedTuple\n"
        "@dataclass\nclass A:\n    x: int = 1\n"
        "class B(NamedTuple):\n    y: int\n"
        "REQUEST_MODELS = {'validate': {'x': A().x, 'y': B(2).y}}\n"
    )
    root = put_handlers(elsewhere / "handlers", text)
    (root / "__init__.py").write_text("raise RuntimeError('the package was imported')\n", encoding="utf-8")
    before = set(sys.modules)
    module = load_contract()
    assert module.REQUEST_MODELS == {"validate": {"x": 1, "y": 2}}
    assert module.__file__ == str(root / "payments" / "contract.py")
    assert set(sys.modules) == before
    assert not list(root.rglob("*.pyc"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A = 1\ndef broken(:\n", ":2 can't be loaded: SyntaxError: invalid syntax"),
        ("A = 1\nB = 2\nraise RuntimeError('boom')\n", ":3 can't be loaded: RuntimeError: boom"),
        ("A = 1\nB = A.c\n", ":2 can't be loaded: AttributeError: 'int' object has no attribute 'c'"),
    ],
)
def test_a_contract_that_is_broken_is_named_with_its_line(elsewhere: Path, text: str, said: str) -> None:
    root = put_handlers(elsewhere / "handlers", text)
    with pytest.raises(PaycliError) as caught:
        load_contract()
    assert f"{root / 'payments' / 'contract.py'}{said}" in caught.value.message
    assert "paycli_handlers_contract" not in sys.modules
