"""Short answers to what a security engineer asks first, from the facts of a report."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from paycli.audit.accepted import Acceptance
from paycli.audit.access import BY_IAM, WHOLE_POLICY, Grant
from paycli.audit.conditions import in_words
from paycli.audit.inventory import Store
from paycli.audit.report import Facts, Report
from paycli.audit.restrictions import covers
from paycli.text import one_line


@dataclass(frozen=True)
class Answer:
    """A question, and what the template says to it."""

    question: str
    sentences: tuple[str, ...]


def answers(report: Report) -> tuple[Answer, ...]:
    """Answer who reads a payment, what a stack's end leaves, what is open to all, what is accepted until when."""
    return (
        Answer("Who can read a payment?", tuple(_readers(report.facts))),
        Answer("What happens to the data when the stack is deleted?", tuple(_after_delete(report.facts.data))),
        Answer("What can an unauthenticated caller reach?", tuple(_open(report.facts))),
        Answer("What was accepted, until when?", tuple(_accepted(report.acceptances))),
    )


# What gives back what a store holds, whatever the caller knows of it. An item that is written can be returned as
# well (ReturnValues), but only by its whole key.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
_READS = {
    "table": (
        *("dynamodb:BatchGetItem", "dynamodb:ExportTableToPointInTime", "dynamodb:GetItem", "dynamodb:GetRecords"),
        *("dynamodb:PartiQLSelect", "dynamodb:Query", "dynamodb:RestoreTableFromBackup", "dynamodb:Scan"),
        *("dynamodb:RestoreTableToPointInTime", "dynamodb:StartAwsBackupJob"),
    ),
    "queue": ("sqs:ReceiveMessage", "sqs:StartMessageMoveTask"),
    "backup vault": ("backup:StartCopyJob", "backup:StartRestoreJob"),
}
_RETURNS = (
    "dynamodb:DeleteItem",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
)


def _readers(facts: Facts) -> Iterator[str]:
    stores = [store for store in facts.data if store.payments]
    if not stores:
        yield "No store of the template is known to hold payments."
        return
    unread = []
    for store in stores:
        reading = _holders(facts.access, store, _READS[store.kind])
        if reading:
            yield f"{store.name}: {'; '.join(reading)}."
        else:
            unread.append(store.name)
    unseen = list(_by_unseen_policies(facts.access))
    if facts.unread_users:
        unseen.append(f"Incomplete: not read, but refers to them: {one_line(', '.join(facts.unread_users))}.")
    if unread and unseen:
        yield f"No policy that stands in the template lets its principals read {', '.join(unread)}."
    elif unread:
        yield f"Nobody of the template's own principals reads {', '.join(unread)}."
    yield from unseen
    for store in stores:
        returned = _holders(facts.access, store, _RETURNS)
        if returned:
            yield f"Who writes an item of {store.name} can get that one back, by its id: {'; '.join(returned)}."
    yield _beyond(facts, stores)


def _by_unseen_policies(grants: Iterable[Grant]) -> Iterator[str]:
    """Say of each holder of a managed policy from elsewhere that it may read, for all that is known."""
    for grant in grants:
        for action in grant.actions:
            if action.startswith(WHOLE_POLICY):
                name = action.removeprefix(WHOLE_POLICY)
                yield f"{grant.principal} may read, by policy {name}, which this report does not read."


def _holders(grants: Iterable[Grant], store: Store, actions: Sequence[str]) -> list[str]:
    """Return who is allowed one of the actions on a store, each with what it is allowed."""
    found: dict[str, list[str]] = {}
    for grant in grants:
        if grant.effect == "Allow" and any(_is_about(resource, store) for resource in grant.resources):
            held = [
                given for given in grant.actions if any(covers(given.lower(), action.lower()) for action in actions)
            ]
            if held:
                where = in_words(grant.conditions)
                found.setdefault(grant.principal, []).append(", ".join(held) + (f" where {where}" if where else ""))
    return [f"{principal} ({'; '.join(held)})" for principal, held in found.items()]


def _is_about(resource: str, store: Store) -> bool:
    forms = [store.name, f"dynamodb:table/{store.name}", f"sqs:{store.name}"]
    if store.kind == "backup vault":  # what is read is a recovery point, and its ARN doesn't name the vault
        forms.append("backup:recovery-point:")
    return any(covers(resource, form) for form in forms)


def _beyond(facts: Facts, stores: Sequence[Store]) -> str:
    """Say who else may read: whom the account's own IAM policies let, as far as the keys allow it."""
    outside = "Beyond the template: whom policies of this account let read these stores"
    keys = {store.customer_key for store in stores}
    if None in keys:
        return f"{outside}; not all of them have a key of their own."
    ways = [
        f"where {in_words(grant.conditions)}" if grant.conditions else "in every way"
        for grant in facts.access
        if grant.principal == BY_IAM and grant.effect == "Allow"
        if keys & set(grant.resources) and any(covers(action, "kms:Decrypt") for action in grant.actions)
    ]
    if not ways:
        return "Beyond the template: nobody, as the key's policy lets nobody else decrypt."
    return f"{outside} and use the key; it lets them decrypt {', or '.join(ways)}."


def _after_delete(stores: Sequence[Store]) -> Iterator[str]:
    if not stores:
        yield "The template has no store."
    fates: dict[str, list[str]] = {}
    for store in stores:
        # A key's name is an alias, which has a fate of its own.
        fates.setdefault(store.on_delete, []).append(f"key {store.logical_id}" if store.kind == "key" else store.name)
    for fate, names in sorted(fates.items()):
        yield f"{fate[0].upper()}{fate[1:]}: {', '.join(names)}."


def _open(facts: Facts) -> Iterator[str]:
    reached = [route for route in facts.surface.routes if route.open]
    for route in reached:
        origin = f" from {', '.join(route.origins)} only" if route.origins else ""
        yield f"{route.title}{origin}: {route.function} answers."
    if facts.surface.routes and not reached:
        yield "No route: each asks who calls before its function runs, and the gateway itself answers 403."
    for grant in facts.access:
        if grant.kind == "everyone" and grant.effect == "Allow":
            where = in_words(grant.conditions)
            yield f"{', '.join(grant.actions)} on {', '.join(grant.resources)}{f' where {where}' if where else ''}."
    if not facts.surface.routes:
        yield "The template has no route."


def _accepted(acceptances: Sequence[Acceptance]) -> Iterator[str]:
    for entry in sorted(acceptances, key=lambda entry: (entry.risk.until, entry.risk.rule)):
        risk = entry.risk
        state = "until" if entry.in_force else "EXPIRED on"
        yield f"{risk.rule} on {', '.join(risk.resource)} {state} {risk.until}, by {risk.owner}."
    if not acceptances:
        yield "Nothing."
