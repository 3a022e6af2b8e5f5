"""What is stored, kept or protected in one template and not in another."""

import re
from collections.abc import Iterable, Iterator

from paycli.audit.changes import DATA as AREA
from paycli.audit.changes import NARROWER, NEUTRAL, WIDER, Change
from paycli.audit.inventory import UNREADABLE, Store

_DAYS = re.compile(r"\b([\d.]+|inf)(?= days)")


def data_changes(before: Iterable[Store], after: Iterable[Store]) -> Iterator[Change]:
    """Give what differs, by store."""
    old = {store.logical_id: store for store in before}
    new = {store.logical_id: store for store in after}
    for logical_id, store in new.items():
        if logical_id in old:
            yield from _store_changes(old[logical_id], store)
        else:
            yield Change(NEUTRAL, AREA, f"{store.kind} {store.name} is new; {store.holds}; {store.encryption}")
    for logical_id, store in old.items():
        if logical_id not in new:
            fate = "it stays, out of the stack" if store.kept else "it would be deleted with what it holds"
            yield Change(WIDER, AREA, f"{store.kind} {store.name} is gone: {fate}")


def _store_changes(old: Store, new: Store) -> Iterator[Change]:
    name = new.name
    if old.name != new.name:
        yield Change(WIDER, AREA, f"{new.kind} {old.name} is now {new.name}: a new one, without the old one's data")
    if old.kept != new.kept:
        would = "would stay when the stack is deleted" if new.kept else "would now be deleted with the stack"
        yield Change(NARROWER if new.kept else WIDER, AREA, f"{name} {would}")
    elif old.on_delete != new.on_delete and old.protected == new.protected:
        yield Change(
            _readability(old, new), AREA, f"{name} when the stack is deleted: {new.on_delete}; before: {old.on_delete}"
        )
    if old.protected != new.protected:
        said = "is now protected from deletion" if new.protected else "is no longer protected from deletion"
        yield Change(NARROWER if new.protected else WIDER, AREA, f"{name} {said}")
    if old.encryption != new.encryption:
        yield _encryption(old, new)
    if old.backup != new.backup:
        yield Change(_backup(old, new), AREA, f"{name} has another backup: {new.backup}; before: {old.backup}")
    if old.retention != new.retention:
        direction = _by_days(old.retention, new.retention)
        yield Change(direction, AREA, f"{name} keeps {new.retention}; before: {old.retention}")


def _readability(old: Store, new: Store) -> str:
    lost, found = UNREADABLE in new.on_delete, UNREADABLE in old.on_delete
    if lost != found:
        return WIDER if lost else NARROWER
    # What AWS does beyond deleting comes last: a backup that it keeps, days in which one can think again.
    return NARROWER if new.on_delete.startswith(old.on_delete) else _by_days(old.on_delete, new.on_delete)


def _backup(old: Store, new: Store) -> str:
    if old.backed_up != new.backed_up:
        return NARROWER if new.backed_up else WIDER
    was, now = set(old.backup.split("; ")), set(new.backup.split("; "))
    return NARROWER if was < now else _by_days(old.backup, new.backup)


def _by_days(old: str, new: str) -> str:
    """Return which way two texts go that differ in days alone; fewer are weaker, and what else differs may be."""
    was, now = (text.replace("for good", "inf days") for text in (old, new))
    if _DAYS.sub("", was) != _DAYS.sub("", now):
        return WIDER
    pairs = zip(_DAYS.findall(was), _DAYS.findall(now), strict=True)
    return NARROWER if all(float(then) <= float(later) for then, later in pairs) else WIDER


def _strength(encryption: str) -> int:
    """Return how much of a key is the customer's: none, AWS's, the customer's, the customer's and changing."""
    if encryption in {"none", "does not rotate"}:
        return 0
    if "customer-managed" in encryption:
        return 4 if encryption.endswith(", rotating") else 3
    return 3 if encryption.startswith("key ") else 2 if encryption.startswith("AWS-managed") else 1


def _encryption(old: Store, new: Store) -> Change:
    direction = NARROWER if _strength(new.encryption) > _strength(old.encryption) else WIDER
    return Change(direction, AREA, f"{new.name} is encrypted otherwise: {new.encryption}; before: {old.encryption}")
