"""The conditions of a policy's statement: in words, and which of two are met more often."""

from collections.abc import Iterable
from dataclasses import dataclass

from paycli.audit.changes import NARROWER, NEUTRAL, WIDER

_POSITIVE = ("Equals", "Like", "IpAddress")


@dataclass(frozen=True)
class Condition:
    """One condition of a statement: `StringEquals`, `aws:SourceAccount`, its values."""

    operator: str
    key: str
    values: tuple[str, ...]


def direction(was: Iterable[Condition], now: Iterable[Condition]) -> str:
    """Return whether the second conditions are met more often than the first; NEUTRAL where that can't be told."""
    old = {(condition.operator, condition.key): frozenset(condition.values) for condition in was}
    new = {(condition.operator, condition.key): frozenset(condition.values) for condition in now}
    ways = {_way(key[0], old.get(key), new.get(key)) for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    return ways.pop() if len(ways) == 1 else NEUTRAL


def _way(operator: str, was: frozenset[str] | None, now: frozenset[str] | None) -> str:
    if was is None or now is None:
        return NARROWER if was is None else WIDER
    positive = any(word in operator for word in _POSITIVE)
    if not positive or (not was < now and not now < was):
        return NEUTRAL
    more = was < now
    return WIDER if more is ("Not" not in operator) else NARROWER


_WORDS = {
    "Bool": "is",
    "StringEquals": "is",
    "ArnEquals": "is",
    "StringLike": "is like",
    "ArnLike": "is like",
    "IpAddress": "is in",
    "StringNotEquals": "is not",
    "ArnNotEquals": "is not",
    "StringNotLike": "is not like",
    "ArnNotLike": "is not like",
    "NotIpAddress": "is not in",
}


def in_words(conditions: Iterable[Condition]) -> str:
    """Return conditions as one sentence's end: `aws:SecureTransport is false and …`; empty for none."""
    ordered = sorted(conditions, key=lambda condition: (condition.key, condition.operator))
    return " and ".join(_in_words(condition) for condition in ordered)


def _in_words(condition: Condition) -> str:
    # With Not, every one of the values must fail.
    values = (value.removesuffix(".amazonaws.com") for value in condition.values)
    joined = (" nor " if "Not" in condition.operator else " or ").join(values)
    operator = condition.operator.removesuffix("IfExists")
    missing = " or missing" if operator != condition.operator else ""
    return f"{condition.key} {_WORDS.get(operator, operator)} {joined}{missing}"
