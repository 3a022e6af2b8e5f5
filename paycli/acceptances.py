"""`[[audit.accept]]` of paycli.toml: the findings that the project lives with, and for which environments.

Strict as the settings are: an acceptance that isn't understood would silence nothing, or too much.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from paycli.environment import AcceptedRisk
from paycli.errors import ConfigurationError, unknown
from paycli.wrong_values import in_words

# A risk, and the environments that it is accepted for; none: for all.
Acceptance = tuple[tuple[str, ...], AcceptedRisk]

_HEADER = re.compile(r"\s*\[\[\s*audit\s*\.\s*accept\s*\]\]")
_HINT = "An acceptance has rule, resource, reason, owner and until (a date without quotes: 2027-11-30); docs/audit.md."


def parse(table: Mapping[str, Any], file: str, environments: Iterable[str]) -> list[Acceptance]:
    """Return the acceptances in a file's table `audit`; `environments` are the names that an acceptance may say.

    Raises ConfigurationError: it names the file, the entry, the field, and the nearest right one.
    """
    for key in table:
        if key != "accept":
            raise unknown(f"{file}: audit.{key}", key, ["accept"])
    entries = table.get("accept", [])
    if not isinstance(entries, list):
        raise _refused(f"{file}: audit.accept: must be a list of tables; write [[audit.accept]]")
    return list(_parsed(entries, file, list(environments)))


def lines(text: str) -> list[int]:
    """Return the line, counted from 1, at which each `[[audit.accept]]` of a file starts.

    What stands before a header is TOML by itself; a line of a text that only looks like one is none.
    """
    rows = text.splitlines()
    return [number for number, row in enumerate(rows, 1) if _HEADER.match(row) and _whole(rows[: number - 1])]


def _whole(rows: list[str]) -> bool:
    try:
        tomllib.loads("\n".join(rows))
    except tomllib.TOMLDecodeError:
        return False
    return True


def _parsed(entries: list[Any], file: str, environments: list[str]) -> Iterator[Acceptance]:
    for number, entry in enumerate(entries, 1):
        where = f"{file}: audit.accept[{number}]"
        if not isinstance(entry, dict):
            raise _refused(f"{where}: must be a table; write [[audit.accept]]")
        where += f" ({entry['rule']})" if isinstance(entry.get("rule"), str) else ""
        fields = {name: value for name, value in entry.items() if name != "env"}
        try:
            yield _environments(entry, where, environments), AcceptedRisk.model_validate(fields)
        except ValidationError as error:
            raise _bad_field(error, where) from None


def _environments(entry: Mapping[str, Any], where: str, known: list[str]) -> tuple[str, ...]:
    if "env" not in entry:
        return ()
    names = [entry["env"]] if isinstance(entry["env"], str) else entry["env"]
    if not names or not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _refused(f"{where}: env: must be the name of an environment, or a list of names")
    for name in names:
        if name not in known:
            raise unknown(f"{where}: env: {name!r}", name, known)
    return tuple(names)


def _bad_field(error: ValidationError, where: str) -> ConfigurationError:
    problem = error.errors(include_url=False)[0]
    field = str(problem["loc"][0]) if problem["loc"] else "rule"
    if problem["type"] == "extra_forbidden":
        return unknown(f"{where}: {field}", field, [*AcceptedRisk.model_fields, "env"])
    if problem["type"] == "missing":
        return _refused(f"{where}: {field}: is missing")
    return _refused(f"{where}: {field}: {in_words(problem)}")


def _refused(message: str) -> ConfigurationError:
    return ConfigurationError(message, hint=_HINT, code="config_value")
