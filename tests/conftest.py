"""What all tests share: a project folder of their own, and nothing of the caller's AWS."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# No test is timed: a busy machine is no mistake.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


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
