"""Scripted answers of AWS, without waiting."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.scripted import Scripted, raw_event


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    script = Scripted()
    yield script
    script.all_was_asked()


@pytest.fixture
def event() -> Callable[..., dict[str, Any]]:
    return raw_event
