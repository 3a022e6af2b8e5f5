"""paycli.toml -> an Environment, remembering where each value came from.

Layers, each stronger than the one before: the defaults of the settings, the preset, `[defaults]`,
then `[env.NAME]` of every environment that NAME extends, and its own. `[[audit.accept]]` is no setting: it says
which findings of the audit the project lives with.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from paycli import acceptances
from paycli.environment import AcceptedRisk, Environment, is_name, presets
from paycli.errors import ConfigurationError, nearest_name, unknown
from paycli.wrong_values import in_words

FILE_NAME = "paycli.toml"
_TABLES = ["defaults", "env", "audit"]
# The table's own name is the environment's; accepted risks stand in [[audit.accept]].
_NO_SETTINGS = {"name", "accepted_risks"}


@dataclass(frozen=True)
class Configuration:
    """An Environment and, for each dotted setting (`alarms.errors`), the layer that said it."""

    environment: Environment
    sources: Mapping[str, str]


@dataclass(frozen=True)
class _Layer:
    source: str
    settings: dict[str, Any]

    def dotted(self) -> list[str]:
        """Return the settings that it says."""
        return [key for key, _ in leaves(self.settings)]


def project_root(start: Path | None = None) -> Path:
    """Return the nearest folder upwards that has a paycli.toml, a .paycli or a .git; else the start."""
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in (FILE_NAME, ".paycli", ".git")):
            return folder
    return start


def load(name: str, root: Path, named_by: str = "default") -> Configuration:
    """Resolve the environment `name`, which `named_by` chose, of the project at `root`.

    Raises ConfigurationError: it names the file, the field and the nearest right one.
    """
    document = _read(root / FILE_NAME)
    _check_name(name, document)
    chain = _chain(name, document)
    layers = list(_layers(chain, document))
    merged: dict[str, Any] = {"name": name, "accepted_risks": _accepted_risks(document, chain)}
    sources = {dotted: "default" for dotted, _ in leaves(Environment(name=name).model_dump())}
    for layer in layers:
        _merge(merged, layer.settings)
        sources.update(dict.fromkeys(layer.dotted(), layer.source))
    sources["name"] = named_by
    try:
        return Configuration(Environment.model_validate(merged), sources)
    except ValidationError as error:
        raise _bad_setting(error, layers) from None


def known_names(root: Path) -> list[str]:
    """Return the presets and the environments that paycli.toml defines."""
    return sorted({*presets(), *_read(root / FILE_NAME).get("env", {})})


def accepted_lines(root: Path) -> dict[AcceptedRisk, int]:
    """Return the line of paycli.toml at which each accepted risk stands, where it is an [[audit.accept]]."""
    path = root / FILE_NAME
    document = _read(path)
    entries = acceptances.parse(document.get("audit", {}), FILE_NAME, [*document.get("env", {}), *presets()])
    numbers = acceptances.lines(path.read_text(encoding="utf-8-sig")) if entries else []
    if len(numbers) != len(entries):  # written as an inline list
        return {}
    return {risk: number for (_, risk), number in reversed(list(zip(entries, numbers, strict=True)))}


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path}: can't be read: {error}",
            hint="It must be a readable file in UTF-8.",
            code="config_unreadable",
        ) from None
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        line = re.search(r"at line (\d+)", str(error))
        where = f"{path}:{line[1] if line else text.count(chr(10)) + 1}"
        raise ConfigurationError(
            f"{where}: not valid TOML: {error}",
            hint="https://toml.io shows the syntax.",
            code="config_syntax",
        ) from None
    _check_tables(path, document)
    return document


def _check_tables(path: Path, document: dict[str, Any]) -> None:
    for key, value in document.items():
        if key not in _TABLES:
            raise unknown(f"{path}: {key}", key, _TABLES)
        if not isinstance(value, dict):
            raise _not_a_table(path, key)
    settings_of = {"defaults": document.get("defaults", {})}
    settings_of.update({f"env.{name}": settings for name, settings in document.get("env", {}).items()})
    for table, settings in settings_of.items():
        if not isinstance(settings, dict):
            raise _not_a_table(path, table)
        for field in _NO_SETTINGS & settings.keys():
            raise unknown(f"{path}: {table}.{field}", field, _settings_of(Environment))
    for name, settings in document.get("env", {}).items():
        if not is_name(name):
            raise ConfigurationError(
                f"{path}: env.{name}: not a name for an environment",
                hint=_NAME_HINT,
                code="bad_environment_name",
            )
        nearest = _meant(name, presets())
        if nearest and "extends" not in settings:
            raise ConfigurationError(
                f"{path}: env.{name}: is {nearest!r} meant? As a name of its own it would get dev's settings.",
                hint=f"Write [env.{nearest}]; or say what {name!r} starts from, as with extends = {nearest!r}.",
                code="unknown_environment",
            )


_NAME_HINT = "Lower-case letters, digits and hyphens, a letter first, 20 at most; not dlq-…, a queue's name."


def _not_a_table(path: Path, key: str) -> ConfigurationError:
    return ConfigurationError(f"{path}: {key}: must be a table", hint=f"Write [{key}].", code="config_type")


def _check_name(name: str, document: Mapping[str, Any]) -> None:
    known = sorted({*presets(), *document.get("env", {})})
    if name in known:
        return
    nearest = nearest_name(name.lower(), known)
    if not is_name(name):
        hint = f"Did you mean {nearest!r}? {_NAME_HINT}" if nearest else _NAME_HINT
        raise ConfigurationError(f"{name!r} is not a name for an environment.", hint=hint, code="bad_environment_name")
    if _meant(name, known):
        raise ConfigurationError(
            f"There is no environment {name!r}.",
            hint=f"Did you mean {nearest!r}? To have one of that name, add [env.{name}] to {FILE_NAME}, with extends.",
            code="unknown_environment",
        )


def _meant(name: str, known: Iterable[str]) -> str | None:
    """Return the known name of which `name` is a slip, if it is one.

    prdo, prodd, local2: each would be a second stack, with dev's settings and on AWS. dev-2 is meant.
    """
    nearest = nearest_name(name, known)
    return None if nearest in {None, name} or name.startswith(f"{nearest}-") else nearest


def _chain(name: str, document: Mapping[str, Any]) -> list[str]:
    """Return the environment and what it extends, the farthest last."""
    tables: dict[str, dict[str, Any]] = document.get("env", {})
    chain = [name]
    while chain[-1] in tables and "extends" in tables[chain[-1]]:
        parent = tables[chain[-1]]["extends"]
        if parent in chain:
            raise ConfigurationError(
                f"{FILE_NAME}: env.{chain[-1]}.extends: {' -> '.join([*chain, parent])} never ends",
                hint=f"Extend a preset: {', '.join(presets())}.",
                code="config_value",
            )
        if not isinstance(parent, str) or (parent not in tables and parent not in presets()):
            raise unknown(f"{FILE_NAME}: env.{chain[-1]}.extends: {parent!r}", str(parent), [*tables, *presets()])
        chain.append(parent)
    return chain


def _preset(chain: list[str]) -> str:
    return chain[-1] if chain[-1] in presets() else "dev"


def _layers(chain: list[str], document: Mapping[str, Any]) -> Iterator[_Layer]:
    tables: dict[str, dict[str, Any]] = document.get("env", {})
    yield _Layer(f"preset {_preset(chain)}", presets()[_preset(chain)])
    yield _Layer(f"{FILE_NAME} [defaults]", document.get("defaults", {}))
    for link in reversed(chain):
        settings = {key: value for key, value in tables.get(link, {}).items() if key != "extends"}
        yield _Layer(f"{FILE_NAME} [env.{link}]", settings)


def _accepted_risks(document: Mapping[str, Any], chain: list[str]) -> tuple[AcceptedRisk, ...]:
    """Return the risks accepted for an environment, for one that it extends, or for its preset."""
    known = [*document.get("env", {}), *presets()]
    own = {*chain, _preset(chain)}
    accepted = acceptances.parse(document.get("audit", {}), FILE_NAME, known)
    return tuple(risk for environments, risk in accepted if not environments or own & set(environments))


def _merge(into: dict[str, Any], settings: Mapping[str, Any]) -> None:
    """Lay one layer over another; tables merge key by key."""
    for key, value in settings.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            into[key] = {**into[key], **value}
        else:
            into[key] = value


def leaves(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give each setting that is no table by its dotted name."""
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _bad_setting(error: ValidationError, layers: list[_Layer]) -> ConfigurationError:
    problems = error.errors(include_url=False)
    # The path may go on into the branches of a union; a setting is at most `table.key`.
    path = [str(part) for part in problems[0]["loc"]]
    path = path[:2] if path[0] == "tags" or table_model(path[0]) else path[:1]
    dotted = ".".join(path)
    where = f"{FILE_NAME}: {_table_of(dotted, layers)}.{dotted}"
    if problems[0]["type"] == "extra_forbidden":
        model = table_model(path[0]) if len(path) > 1 else Environment
        return unknown(where, path[-1], [*_settings_of(model), *(["extends"] if model is Environment else [])])
    said = [in_words(problem) for problem in problems if [str(part) for part in problem["loc"][: len(path)]] == path]
    message = " or ".join(dict.fromkeys(said))
    return ConfigurationError(
        f"{where}: {message}", hint="`paycli config --describe` explains every setting.", code="config_value"
    )


def _settings_of(model: Any) -> list[str]:
    """Return what may be set."""
    return [field for field in model.model_fields if field not in _NO_SETTINGS]


def table_model(field: str) -> Any:
    """Return the model of a setting that is a table of its own (`alarms`), else None."""
    annotation = Environment.model_fields[field].annotation if field in Environment.model_fields else None
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _table_of(dotted: str, layers: list[_Layer]) -> str:
    """Return the table that said a setting: `defaults` or `env.NAME`."""
    saying = (layer for layer in reversed(layers) if any(f"{key}.".startswith(f"{dotted}.") for key in layer.dotted()))
    return next(saying).source.removeprefix(f"{FILE_NAME} ").strip("[]")
