"""What somebody may do in one template and not in another."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from paycli.audit.access import BOUND, CALLER, Grant
from paycli.audit.changes import ACCESS as AREA
from paycli.audit.changes import NARROWER, WIDER, Change
from paycli.audit.conditions import Condition, direction, in_words
from paycli.audit.restrictions import covers

# How a gained and a lost right are told.
_WORDS = {
    "Allow": ("may now also", "may no longer"),
    "Deny": ("is now denied", "is no longer denied"),
    BOUND: ("is now bounded by", "is no longer bounded by"),
}


@dataclass(frozen=True)
class _Right:
    """One action on one resource: what a grant consists of."""

    principal: str
    effect: str
    action: str
    resource: str
    conditions: frozenset[Condition]


def access_changes(before: Iterable[Grant], after: Iterable[Grant]) -> Iterator[Change]:
    """Give what is allowed or denied in one of the two alone; a right that a wider one holds is none of its own.

    Who calls the routes is left to the surface.
    """
    old, new = _rights(before), _rights(after)
    gained = [right for right in new if not _held(right, old)]
    lost = [right for right in old if not _held(right, new)]
    renewed = [
        (was, now)
        for was in old
        for now in new
        if _place(was) == _place(now) and was not in new and now not in old and (was in lost or now in gained)
    ]
    yield from _conditions_changed(renewed)
    changed = {right for pair in renewed for right in pair}
    yield from _told([right for right in gained if right not in changed], gained=True)
    yield from _told([right for right in lost if right not in changed], gained=False)


def _rights(grants: Iterable[Grant]) -> list[_Right]:
    rights = {
        _Right(grant.principal, grant.effect, action, resource, frozenset(grant.conditions)): None
        for grant in grants
        if grant.kind != CALLER
        for action in grant.actions
        for resource in grant.resources
    }
    return list(rights)


def _held(right: _Right, rights: Sequence[_Right]) -> bool:
    """Whether one of the rights is this one or holds it: by a wider action or resource, or fewer conditions."""
    return any(
        right.principal == other.principal
        and right.effect == other.effect
        and covers(other.action.lower(), right.action.lower())
        and covers(other.resource, right.resource)
        and other.conditions <= right.conditions
        for other in rights
    )


def _place(right: _Right) -> tuple[str, str, str, str]:
    """Return a right without its conditions."""
    return right.principal, right.effect, right.action, right.resource


def _told(rights: Iterable[_Right], *, gained: bool) -> Iterator[Change]:
    by_holder: dict[tuple[str, str, frozenset[Condition], str], list[str]] = {}
    for right in rights:
        by_holder.setdefault((right.principal, right.effect, right.conditions, right.resource), []).append(right.action)
    by_actions: dict[tuple[str, str, frozenset[Condition], tuple[str, ...]], list[str]] = {}
    for (principal, effect, conditions, resource), actions in by_holder.items():
        by_actions.setdefault((principal, effect, conditions, tuple(actions)), []).append(resource)
    for (principal, effect, conditions, named), resources in by_actions.items():
        now, no_longer = _WORDS.get(effect, _WORDS["Deny"])
        what = f"{principal} {now if gained else no_longer} {', '.join(named)} on {', '.join(resources)}"
        wider = gained is (effect == "Allow")
        yield Change(WIDER if wider else NARROWER, AREA, what + _where(conditions))


def _where(conditions: Iterable[Condition]) -> str:
    said = in_words(conditions)
    return f" where {said}" if said else ""


def _conditions_changed(pairs: Iterable[tuple[_Right, _Right]]) -> Iterator[Change]:
    told: dict[tuple[str, str, str, frozenset[Condition], frozenset[Condition]], list[str]] = {}
    for was, now in pairs:
        key = (now.principal, now.effect, now.resource, was.conditions, now.conditions)
        told.setdefault(key, []).append(now.action)
    for (principal, effect, resource, was_conditions, now_conditions), actions in told.items():
        verb = "may" if effect == "Allow" else "is denied"
        way = direction(was_conditions, now_conditions)
        narrower = way == (NARROWER if effect == "Allow" else WIDER)
        yield Change(
            NARROWER if narrower else WIDER,  # what can't be told may be wider
            AREA,
            f"{principal} {verb} {', '.join(actions)} on {resource} on other conditions:"
            f" {in_words(now_conditions) or 'always'}; before: {in_words(was_conditions) or 'always'}",
        )
