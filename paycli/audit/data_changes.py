"""What is stored, kept or protected in one template and not in another."""

from collections.abc import Iterable, Iterator

from paycli.audit.changes import NARROWER, NEUTRAL, WIDER, Change
from paycli.audit.inventory import UNREADABLE, Store

AREA = "data"


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
        direction = NEUTRAL if old.backed_up == new.backed_up else NARROWER if new.backed_up else WIDER
        yield Change(direction, AREA, f"{name} has another backup: {new.backup}; before: {old.backup}")
    if old.retention != new.retention:
        yield Change(NEUTRAL, AREA, f"{name} keeps {new.retention}; before: {old.retention}")


def _readability(old: Store, new: Store) -> str:
    lost, found = UNREADABLE in new.on_delete, UNREADABLE in old.on_delete
    return NEUTRAL if lost == found else WIDER if lost else NARROWER


def _encryption(old: Store, new: Store) -> Change:
    direction = NEUTRAL
    if bool(old.customer_key) != bool(new.customer_key):
        direction = NARROWER if new.customer_key else WIDER
    elif "not rotat" in new.encryption or new.encryption == "none":
        direction = WIDER
    return Change(direction, AREA, f"{new.name} is encrypted otherwise: {new.encryption}; before: {old.encryption}")
