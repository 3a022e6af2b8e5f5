"""A run's payments in the table: read for the reconciliation, and removed."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from paycli.aws_errors import explain

if TYPE_CHECKING:
    from paycli.aws import Aws

# What the reconciliation compares; a whole item is three times as large.
_READ = ("transaction_id", "status", "customer_id", "processed_at", "amount_minor", "currency", "created_at")
_EXPIRES = "expires_at"
_SEGMENTS = 4  # scanned side by side
_DELETERS = 8  # fewer than the ten connections that a client keeps
_SHOWN = 3


def items_of(aws: "Aws", table: str, prefix: str, seen: Callable[[int], None]) -> dict[str, dict[str, Any]]:
    """Return the items whose customer begins with `prefix`, by transaction_id; `seen` hears how many there are so far.

    This reads the whole table: DynamoDB has no index by customer, and bills each 8 KB that it passes.
    """
    items: dict[str, dict[str, Any]] = {}
    with ThreadPoolExecutor(_SEGMENTS) as pool:
        client = aws.client("dynamodb")
        for page in pool.map(lambda segment: _segment(client, table, prefix, segment), range(_SEGMENTS)):
            items.update(page)
            seen(len(items))
    return items


def _segment(client: Any, table: str, prefix: str, segment: int) -> dict[str, dict[str, Any]]:
    names = {f"#{name}": name for name in (*_READ, _EXPIRES)}
    pages = client.get_paginator("scan").paginate(
        TableName=table,
        ConsistentRead=True,
        Segment=segment,
        TotalSegments=_SEGMENTS,
        ProjectionExpression=", ".join(names),
        FilterExpression="begins_with(#customer_id, :own)",
        ExpressionAttributeNames=names,
        ExpressionAttributeValues={":own": {"S": prefix}},
    )
    return {item["transaction_id"]: item for page in pages for item in map(_plain, page["Items"])}


def _plain(item: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return an item with plain values; boto3's TypeDeserializer takes five times as long."""
    return {name: int(value["N"]) if "N" in value else value.get("S") for name, value in item.items()}


def remove(aws: "Aws", table: str, prefix: str, transactions: Iterable[str]) -> list[str]:
    """Delete these payments where their customer begins with `prefix`; return, in words, what prevented it."""
    client = aws.client("dynamodb")
    with ThreadPoolExecutor(_DELETERS) as pool:
        found = pool.map(lambda transaction: _remove(client, table, prefix, transaction), transactions)
        problems = [problem for problem in found if problem]
    return list(_told(problems))


def _told(problems: list[str]) -> Iterator[str]:
    yield from problems[:_SHOWN]
    if len(problems) > _SHOWN:
        yield f"and {len(problems) - _SHOWN} more"


def _remove(client: Any, table: str, prefix: str, transaction: str) -> str:
    try:
        client.delete_item(
            TableName=table,
            Key={"transaction_id": {"S": transaction}},
            ConditionExpression="begins_with(customer_id, :own)",
            ExpressionAttributeValues={":own": {"S": prefix}},
        )
    except client.exceptions.ConditionalCheckFailedException:
        return ""  # it is gone, or somebody else's
    except (BotoCoreError, ClientError) as error:
        return f"the payment {transaction} stays in {table}: {explain(error)}"
    return ""
