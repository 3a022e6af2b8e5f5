"""What became of a payment between the restored table and the live one. Pure; items are as DynamoDB's API has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

Item = Mapping[str, Mapping[str, Any]]

# same: equal in both              moved_on: the live one is a later state of it, as the API makes it
# missing: not in the live table   expired: neither, but it expired unprocessed, and DynamoDB removes those
# changed: differs otherwise       newer: came after the point in time
# misprocessed: processed since, but not as it was validated     unsound: whether it was processed can't be told
# extra: not in the restored table, though it is older than the point in time
Kind = Literal["same", "moved_on", "missing", "expired", "changed", "misprocessed", "unsound", "newer", "extra"]
DIFFERENCES: tuple[Kind, ...] = ("missing", "changed", "misprocessed", "unsound", "extra")
KINDS: tuple[Kind, ...] = ("same", "moved_on", "newer", "expired", *DIFFERENCES)

# What /process writes, and what /validate writes anew for a key whose payment has expired
# (handlers/payments/transactions.py).
_OF_PROCESSING = {"status", "expires_at", "processed_at", "processed_by"}
_OF_NEW_START = {"created_at", "expires_at", "request_id"}
_PROCESSING = {"status", "processed_at", "processed_by"}
# How far a function's clock and DynamoDB's may be apart.
_CLOCKS = timedelta(seconds=5)


@dataclass(frozen=True)
class Difference:
    """One payment that differs: ids, states and names of attributes, and never what stands in them."""

    kind: Kind
    transaction_id: str
    restored_status: str  # validated, processed, other; empty where there is no item
    live_status: str
    attributes: tuple[str, ...]  # names of those that differ


def text(item: Item, name: str) -> str:
    """Return an attribute of type S, else nothing: an item may be corrupted."""
    value = item.get(name, {}).get("S", "")
    return value if isinstance(value, str) else ""


def status(item: Item | None) -> str:
    """Return validated, processed or, whatever a corrupted item says, other."""
    if item is None:
        return ""
    found = text(item, "status")
    return found if found in {"validated", "processed"} else "other"


def is_processed(item: Item) -> bool:
    """Whether money may have moved for it: a corrupted item keeps the marks of it."""
    return text(item, "status") == "processed" or "processed_at" in item or "processed_by" in item


def has_expired(item: Item, now: float) -> bool:
    """Whether it was never processed and may not be any more; `now` is in seconds since the epoch."""
    if is_processed(item):
        return False
    try:
        return float(item["expires_at"]["N"]) <= now
    except (KeyError, ValueError):
        return False


def kind(restored: Item | None, live: Item | None, *, now: float, point: datetime) -> Kind:
    """Return what became of a payment; `point` is the point in time that was restored."""
    if live is None:
        assert restored is not None  # noqa: S101 - it was found in one of the two
        return "expired" if has_expired(restored, now) else "missing"
    if restored is None:
        return "newer" if _is_after(live, point) else "extra"
    if restored == live:
        return "same"
    if _moved_on(restored, live):
        return "moved_on"
    if not is_processed(live) or status(restored) == "processed":
        return "changed"
    return "misprocessed" if mended(restored, live) else "unsound"


def _is_after(live: Item, point: datetime) -> bool:
    created = _created(live)
    return created is not None and created > point - _CLOCKS


def _created(item: Item) -> datetime | None:
    try:
        found = datetime.fromisoformat(text(item, "created_at"))
    except ValueError:
        return None
    return found if found.utcoffset() is not None else None


def _moved_on(restored: Item, live: Item) -> bool:
    """Whether the API itself makes the one item of the other: by a new start after it expired, by processing it."""
    if text(restored, "status") != "validated":
        return False
    may_differ = _OF_NEW_START if _is_new_start(restored, live) else set[str]()
    if text(live, "status") == "processed":
        if not {"processed_at", "processed_by"} <= live.keys() or "expires_at" in live:
            return False
        may_differ = may_differ | _OF_PROCESSING
    return set(differing(restored, live)) <= may_differ


def mended(restored: Item, live: Item) -> Item | None:
    """Return what processing the restored payment would have made: its attributes, and the live one's processing.

    None where the live one's processing isn't whole, or is all that differs.
    """
    if (status(restored), status(live)) != ("validated", "processed"):
        return None
    of_live = _PROCESSING | (_OF_NEW_START - {"expires_at"} if _is_new_start(restored, live) else set())
    made = {name: value for name, value in restored.items() if name not in of_live | {"expires_at"}}
    made |= {name: value for name, value in live.items() if name in of_live}
    return made if made != live else None


def _is_new_start(restored: Item, live: Item) -> bool:
    created = _created(live)
    return created is not None and has_expired(restored, created.timestamp())


def differing(one: Item, other: Item) -> list[str]:
    """Return the names of the attributes that differ."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def difference(kind: Kind, restored: Item | None, live: Item | None) -> Difference:
    """Return what may be shown of a payment that differs."""
    found = restored if restored is not None else live
    assert found is not None  # noqa: S101 - as above
    both = restored is not None and live is not None
    return Difference(
        kind,
        text(found, "transaction_id"),
        status(restored),
        status(live),
        tuple(differing(restored, live)) if both and restored and live else (),
    )
