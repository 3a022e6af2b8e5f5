"""What all tests share: a project folder of their own, and nothing of the caller's AWS."""

import functools
import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.loaders import JSONFileLoader
from hypothesis import settings

# No test is timed: a busy machine is no mistake.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_finish() -> None:
    """Search rarely for garbage, and never what is loaded by now: that took a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(autouse=True, scope="session")
def _models_of_aws_are_read_once() -> Iterator[None]:
    """Each session of boto3 would parse a megabyte of JSON for each of its clients; nobody changes what is parsed."""
    read = functools.lru_cache(100)(JSONFileLoader().load_file)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(JSONFileLoader, "load_file", staticmethod(read))
        yield


@pytest.fixture(autouse=True)
def _no_aws_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what would point a test at an account: it must fail without, not deploy."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "PAYCLI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, and the current folder."""
    (tmp_path / "paycli.toml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path
