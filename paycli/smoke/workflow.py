"""One payment all the way: validated, stored, processed, and processed again without effect."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from paycli.smoke.payment_api import describe, document
from paycli.smoke.result import CheckFailed

if TYPE_CHECKING:
    from paycli.api_client import Answer
    from paycli.smoke.session import Session

# An item as DynamoDB's client gives it: {"status": {"S": "validated"}, ...}
Item = dict[str, dict[str, Any]]

# What /process changes of an item (docs/api.md, handlers/payments/transactions.py); the rest is what is to be paid.
_PROCESSING = frozenset({"status", "processed_at", "processed_by", "expires_at"})


def check_workflow(session: "Session") -> str:
    """validate -> the item -> process -> the item, otherwise as it was -> process again: nothing changes."""
    session.wait_until_ready()
    customer = session.ledger.customer
    # The key makes it safe to ask again after a lost answer: no second item.
    answer = session.api.expect(
        200,
        "POST",
        "validate",
        {"amount": "1.23", "currency": "USD", "customer_id": customer, "description": "paycli smoke-test"},
        key=f"{customer}-workflow",
    )
    transaction = _said(answer, "status", "validated")["transaction_id"]
    if not isinstance(transaction, str):
        raise CheckFailed("a transaction_id in the answer to /validate", describe(answer))
    validated = _item(session, transaction)
    _holds(validated, "status", "validated")
    _holds(validated, "customer_id", customer)
    _holds(validated, "amount_minor", "123")
    _holds(validated, "currency", "USD")

    processed_at = _process(session, transaction)
    item = _item(session, transaction)
    _holds(item, "status", "processed")
    _holds(item, "processed_at", processed_at)
    _unchanged(validated, item, "the payment as it was validated after processing", but=_PROCESSING)

    again = _process(session, transaction)
    if again != processed_at:
        raise CheckFailed(f"processed_at {processed_at} when processed again", again)
    _unchanged(item, _item(session, transaction), "the same item after processing again")
    return "validated, processed, and processed again without effect"


def _process(session: "Session", transaction: str) -> str:
    """Process the payment and return its `processed_at`."""
    answer = session.api.expect(200, "POST", "process", {"transaction_id": transaction})
    _said(answer, "status", "processed")
    said = _said(answer, "transaction_id", transaction)
    if not isinstance(said.get("processed_at"), str):
        raise CheckFailed("processed_at in the answer to /process", describe(answer))
    return str(said["processed_at"])


def _said(answer: "Answer", key: str, value: str) -> dict[str, Any]:
    """Return the answer's document, which must say `value` for `key`."""
    said = document(answer)
    if said.get(key) != value:
        raise CheckFailed(f"{key} {value} in the answer", describe(answer))
    return {"transaction_id": None, **said}


def _item(session: "Session", transaction: str) -> Item:
    name = session.target.outputs["TransactionsTableName"]
    found: Item | None = (
        session.target.aws.client("dynamodb")
        .get_item(TableName=name, Key={"transaction_id": {"S": transaction}}, ConsistentRead=True)
        .get("Item")
    )
    if found is None:
        raise CheckFailed(f"the payment {transaction} in the table {name}", "no such item")
    return found


def _holds(item: Item, attribute: str, value: str) -> None:
    (found,) = item.get(attribute, {"S": None}).values()
    if found != value:
        raise CheckFailed(f"{attribute} {value} in the table", str(found))


def _unchanged(before: Item, after: Item, expected: str, *, but: Collection[str] = ()) -> None:
    """Compare whole items, without the attributes `but`; only the names of those that differ are shown."""
    changed = [name for name in sorted({*before, *after} - {*but}) if before.get(name) != after.get(name)]
    if changed:
        raise CheckFailed(expected, f"changed: {', '.join(changed)}")
