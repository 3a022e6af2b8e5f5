"""Where two values of a template differ, whatever the order of keys and however functions are spelled."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from paycli.audit.model import Template, references
from paycli.audit.readable import Names

Path = tuple[str, ...]

# What names an element of a list, the first that it has.
_IDENTITIES = ("Name", "Id", "RuleName", "Sid", "IndexName", "AttributeName", "Key", "Region")
# Of these only the whole says anything: {Block: {}} became {Count: {}}.
_WHOLE = frozenset(
    {
        *("Action", "ActionToUse", "DataProtectionPolicy", "DefaultAction", "LoggingFilter", "OverrideAction"),
        "ReplicationConfiguration",
    }
)
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
# The attribute in an Fn::GetAtt, or in a variable of an Fn::Sub.
_ATTRIBUTE = re.compile(r'(?:"Fn::GetAtt": (?:\["\w+", "|"\w+\.)|\$\{\w+\.)([\w.]+)')
# Letters of a value that is shown.
_SHOWN = 160
_BEFORE = 30  # of these, before the first that differs


@dataclass(frozen=True)
class Difference:
    """One place; `[rate]` in its path is the element of that name. None where nothing stands."""

    path: Path
    old: str | None
    new: str | None


@dataclass(frozen=True)
class Side:
    """One of the two templates."""

    template: Template
    names: Names

    def text(self, value: Any) -> str | None:
        """Return a value as text that is the same for what means the same; None for nothing.

        A parameter's default isn't the same as the value itself: whoever deploys may choose another. Nor is an
        attribute of a resource the same as the resource, but for its ARN.
        """
        if value is None or value == {"Ref": "AWS::NoValue"}:
            return None
        if isinstance(value, list):
            return ", ".join(sorted(self.text(entry) or "" for entry in value))
        if isinstance(value, dict) and not is_function(value):
            if len(value) == 1 and {} in value.values():
                return str(next(iter(value)))
            return "{" + ", ".join(f"{key}: {self.text(value[key])}" for key in sorted(value)) + "}"
        said = self.names.text(value)
        if _NUMBER.fullmatch(said):
            said = str(int(float(said))) if float(said).is_integer() else str(float(said))
        chosen = [name for name in dict.fromkeys(references(value)) if "Default" in self._parameter(name)]
        parts = sorted(set(_ATTRIBUTE.findall(json.dumps(value))) - {"Arn"})
        notes = [("parameter", chosen), ("attribute", parts)]
        return said + "".join(f" ({word} {', '.join(named)})" for word, named in notes if named)

    def _parameter(self, name: str) -> Mapping[str, Any]:
        return self.template.parameters.get(name, {})


def is_function(value: Any) -> bool:
    """Whether a value is an intrinsic function."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::"))


def differences(before: Side, after: Side, old: Any, new: Any, path: Path = ()) -> Iterator[Difference]:
    """Give each place below a path at which two values differ; an element that only one has is one place."""
    said = Difference(path, before.text(old), after.text(new))
    if said.old == said.new:
        return
    old_members, new_members = _members(before, old, path), _members(after, new, path)
    if old_members is None or new_members is None or not (old_members or new_members):
        yield said
        return
    for key in dict.fromkeys((*old_members, *new_members)):
        was, now = old_members.get(key), new_members.get(key)
        if key.startswith("[") and (was is None or now is None):
            yield Difference((*path, key), before.text(was), after.text(now))
        else:
            yield from differences(before, after, was, now, (*path, key))


def _members(side: Side, value: Any, path: Path) -> Mapping[str, Any] | None:
    """Return what a value consists of, None where it is one thing; nothing has no members."""
    if value is None or value == {"Ref": "AWS::NoValue"}:
        return {}
    if isinstance(value, dict) and not is_function(value) and not _WHOLE & set(path[-1:]):
        return value
    if isinstance(value, list) and any(isinstance(entry, dict) and not is_function(entry) for entry in value):
        return _elements(side, value)
    return None


def _elements(side: Side, entries: list[Any]) -> dict[str, Any]:
    """Return the elements of a list by name; those without one by what they say."""
    found: dict[str, Any] = {}
    for entry in entries:
        key = f"[{_identity(side, entry)}]"
        while key in found:
            key += "'"
        found[key] = entry
    return found


def _identity(side: Side, entry: Any) -> str:
    if isinstance(entry, dict):
        if "ResourcePath" in entry:
            return f"{side.text(entry['ResourcePath'])} {side.text(entry.get('HttpMethod'))}"
        named = [entry[key] for key in _IDENTITIES if isinstance(entry.get(key), str | int)]
        if named:
            return str(named[0])
    return side.text(entry) or ""


def shown(old: str | None, new: str | None) -> tuple[str, str]:
    """Return both values short enough to read, from a little before where they differ."""
    start = 0
    if max(len(old or ""), len(new or "")) > _SHOWN and old and new:
        same = next((at for at, pair in enumerate(zip(old, new, strict=False)) if len(set(pair)) > 1), 0)
        start = max(0, (same or min(len(old), len(new))) - _BEFORE)
    return _cut(old, start), _cut(new, start)


def _cut(text: str | None, start: int) -> str:
    if not text:
        return "none" if text is None else "empty"
    part = text[start : start + _SHOWN]
    return ("…" if start else "") + part + ("…" if start + _SHOWN < len(text) else "")
