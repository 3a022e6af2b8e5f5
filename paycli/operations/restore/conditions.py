"""What makes a write conditional: the item is still as it was read. Pure; parts of requests to DynamoDB."""

from typing import Any

from paycli.operations.restore.items import Item, differing


def still_is(live: Item, wanted: Item) -> dict[str, Any]:
    """Return the condition of a write that the item is what was compared, attribute by attribute.

    What `wanted` would add, it must still not have. Whatever the API does to an item changes one that it has: status,
    or created_at.
    """
    clauses: list[str] = []
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    for number, name in enumerate(sorted(live.keys() | wanted.keys())):
        names[f"#a{number}"] = name
        if name in live:
            values[f":a{number}"] = live[name]
            clauses.append(f"#a{number} = :a{number}")
        else:
            clauses.append(f"attribute_not_exists(#a{number})")
    return {
        "ConditionExpression": " AND ".join(clauses),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def mending(live: Item, wanted: Item) -> dict[str, Any]:
    """Return the parts of an UpdateItem that makes `wanted` of `live` and touches nothing that is the same in both."""
    request = still_is(live, wanted)
    put, removed = [], []
    for number, name in enumerate(differing(live, wanted)):
        request["ExpressionAttributeNames"][f"#b{number}"] = name
        if name in wanted:
            request["ExpressionAttributeValues"][f":b{number}"] = wanted[name]
            put.append(f"#b{number} = :b{number}")
        else:
            removed.append(f"#b{number}")
    actions = [f"{verb} {', '.join(what)}" for verb, what in (("SET", put), ("REMOVE", removed)) if what]
    return {**request, "UpdateExpression": " ".join(actions)}
