"""The code package: the same bytes from the same sources, and nothing else in it."""

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paycli.deployment.package import digest_of, package
from paycli.handlers_source import handlers_root


def tree(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return folder


def names(content: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(content)).namelist()


def test_it_holds_the_handlers_as_lambda_imports_them() -> None:
    code = package(handlers_root())
    assert {"handlers/__init__.py", "handlers/validation.py", "handlers/payments/contract.py"} <= set(
        names(code.content)
    )
    assert all(name.endswith(".py") for name in names(code.content))
    assert len(code.content) < 20 * 1024
    assert code.key == f"code/{code.digest}.zip"


SOURCES = st.dictionaries(
    st.from_regex(r"[a-z]{1,8}\.py", fullmatch=True), st.text(max_size=50), min_size=1, max_size=4
)


@given(SOURCES, SOURCES)
def test_the_digest_is_that_of_names_and_contents(
    tmp_path_factory: pytest.TempPathFactory, one: dict[str, str], other: dict[str, str]
) -> None:
    first = package(tree(tmp_path_factory.mktemp("a"), one))
    second = package(tree(tmp_path_factory.mktemp("b"), other))
    again = package(tree(tmp_path_factory.mktemp("c"), dict(reversed(one.items()))))
    assert first == again
    assert (first.digest == second.digest) == (one == other)
    assert digest_of(first.content) == first.digest


def test_caches_and_other_files_stay_out(tmp_path: Path) -> None:
    root = tree(tmp_path, {"a.py": "", "b.txt": "", "__pycache__/a.cpython-311.pyc": "", ".env": "SECRET=1"})
    assert names(package(root).content) == ["handlers/a.py"]
