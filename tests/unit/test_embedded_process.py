"""The sign that the process of the embedded AWS leaves where it hasn't saved all it had."""

import logging
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from paycli import embedded_process


def test_the_sign_stands_while_it_serves_and_goes_when_all_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def serve() -> None:
        logging.getLogger("persistence").warning("a warning is no loss")
        seen.append((tmp_path / "unsaved").exists())

    seen: list[bool] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GATEWAY_PORT", "4566")
    monkeypatch.setitem(sys.modules, "ministack.app", SimpleNamespace(main=serve))
    embedded_process.main()
    assert seen == [True]
    assert not (tmp_path / "unsaved").exists()


def test_the_sign_stays_where_something_could_not_be_saved(tmp_path: Path) -> None:
    embedded_process.run(lambda: logging.getLogger("persistence").error("No space left"), tmp_path / "unsaved")
    assert (tmp_path / "unsaved").exists()


def test_the_sign_stays_where_it_ends_by_a_mistake(tmp_path: Path) -> None:
    def fail() -> None:
        raise SystemExit(1)

    with pytest.raises(SystemExit):
        embedded_process.run(fail, tmp_path / "unsaved")
    assert (tmp_path / "unsaved").exists()
