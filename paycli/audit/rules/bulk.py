"""A function reads the payment that it works on, and not all of them."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from cfnlint.rules import RuleMatch

from paycli.audit.policies import Statement
from paycli.audit.roles import allowed, role_of
from paycli.audit.rule import AuditRule, finding
from paycli.audit.template import Node, Resource, Stack

_TABLES = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
# Each gives many items for one call, or a copy of all of them; an action with a wildcard is E9601's.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
_BULK = frozenset(
    f"dynamodb:{action}"
    for action in (
        "batchgetitem",
        "exporttabletopointintime",
        "getrecords",
        "partiqlselect",
        "query",
        "restoretablefrombackup",
        "restoretabletopointintime",
        "scan",
    )
)


class BulkRead(AuditRule):
    """One function can carry off all payments."""

    id = "W9605"
    shortdesc = "A function may read payments in bulk"
    description = (
        "A Lambda function's role allows Scan, Query, BatchGetItem, PartiQLSelect, GetRecords, an export or a restore "
        "on a table of the template."
    )
    why = "Whoever takes over the function, by its code or by one of its libraries, reads every payment in minutes."
    requirement = "PCI DSS 7.2.5; AWS Well-Architected SEC03-BP02"
    mend = (
        "Allow GetItem by key. Where a function has to list payments, accept this by name, or say dynamodb:LeadingKeys."
    )
    source_url = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html"
    tags = ("resources", "iam", "lambda", "dynamodb")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each such action, once for each place where it stands."""
        roles = {
            role.name: role
            for function in stack.resources("AWS::Lambda::Function")
            for role in role_of(stack, function)
        }
        places: dict[tuple[str | int, ...], RuleMatch] = {}
        for role in roles.values():
            for statement in allowed(stack, role):
                for table in stack.resources(*_TABLES):
                    if _reaches(statement, table) and not _by_key(statement):
                        for action in _bulk_actions(statement):
                            message = f"{role.name} may {action.text} on {table.name}: all that is in it, in few calls"
                            places.setdefault(action.path, finding(action, message))
        yield from places.values()


def _bulk_actions(statement: Statement) -> list[Node]:
    return [node for node in statement.listed("Action") if (node.text or "").lower() in _BULK]


def _reaches(statement: Statement, table: Resource) -> bool:
    return any(_covers(node.text or "", table) for node in statement.listed("Resource"))


def _covers(arn: str, table: Resource) -> bool:
    """Whether an ARN, with its wildcards, is of a table, or of an index or stream of it."""
    itself = arn.partition("/index/")[0].partition("/stream/")[0]
    name = itself.rpartition("/")[2]
    return arn == "*" or table.is_called(itself) or any(fnmatchcase(own, name) for own in table.names)


def _by_key(statement: Statement) -> bool:
    """Whether it allows the items of some keys alone."""
    return any(test.key == "dynamodb:leadingkeys" and "Equals" in test.operator for test in statement.conditions)
