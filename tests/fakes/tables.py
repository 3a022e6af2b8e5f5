"""DynamoDB's tables in memory, for clients of tests.unit.smoke.smoke_stack.aws_of: what restores and merges call.

A restore takes `restoring` looks, at whichever table, until the new one is ACTIVE; pages hold `page_size` items.
`before_put` sees what a PutItem or UpdateItem makes before its condition is tried, so a test can race or interrupt it;
`throttled` are operations that fail so many times first.
"""

import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.unit.smoke.smoke_stack import AwsError, Operation

Item = dict[str, Any]
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
OPERATIONS = (
    "list_tables",
    "describe_table",
    "describe_time_to_live",
    "describe_continuous_backups",
    "list_tags_of_resource",
    "tag_resource",
    "update_table",
    "update_continuous_backups",
    "update_time_to_live",
    "delete_table",
    "restore_table_to_point_in_time",
    "restore_table_from_backup",
    "list_backups",
    "describe_backup",
    "scan",
    "batch_get_item",
    "put_item",
    "update_item",
)
ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/"


@dataclass
class Table:
    name: str
    items: dict[str, Item] = field(default_factory=dict)
    status: str = "ACTIVE"
    key: str | None = None
    expiry: str = "DISABLED"
    recovery: dict[str, Any] = field(default_factory=dict)
    protected: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    looks: int = 0  # until it is ACTIVE, or gone
    unavailable: int = 0  # so often its recovery can't be switched on yet
    table_id: str = field(default_factory=lambda: str(uuid4()))

    def described(self) -> dict[str, Any]:
        encryption = {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": self.key} if self.key else {}
        return {
            "TableName": self.name,
            "TableArn": ARN + self.name,
            "TableId": self.table_id,
            "TableStatus": self.status,
            "ItemCount": len(self.items),
            "DeletionProtectionEnabled": self.protected,
            **({"SSEDescription": encryption} if encryption else {}),
            **({"RestoreSummary": self.summary} if self.summary else {}),
        }


def live_table(name: str = "transactions-test", **changes: Any) -> Table:
    """The stack's own table, with all its settings."""
    settings: dict[str, Any] = {
        "key": KEY,
        "expiry": "ENABLED",
        "recovery": {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 35},
        "tags": {"Project": "payment-api", "Environment": "test", "Team": "payments", "aws:cloudformation:x": "y"},
    }
    return Table(name, **{**settings, **changes})


class Tables:
    """An account's tables. `latest` is the newest second that can be restored."""

    def __init__(self, *tables: Table) -> None:
        self.tables = {table.name: table for table in tables}
        self.lock = threading.RLock()
        self.page_size = 2
        self.restoring = 2
        self.latest = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
        self.earliest = self.latest - timedelta(days=35)
        self.backups: list[dict[str, Any]] = []
        self.throttled: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.stalled = 0  # so many BatchGetItems process none of their keys
        self.before_put: Callable[[Item], None] = lambda item: None
        self.ends_as = "ACTIVE"
        self.restored_items: Mapping[str, Item] | None = None  # None: what the source has now
        self.operations: dict[str, Operation] = {
            name.title().replace("_", ""): self._counted(name.title().replace("_", ""), getattr(self, name))
            for name in OPERATIONS
        }
        self.operations["GetCallerIdentity"] = lambda _: {
            "Account": "123456789012",
            "Arn": "arn:aws:iam::123456789012:user/ann",
        }

    def _counted(self, name: str, operation: Operation) -> Operation:
        def run(params: dict[str, Any]) -> dict[str, Any]:
            with self.lock:
                self.asked[name] += 1
                if self.throttled[name]:
                    self.throttled[name] -= 1
                    raise AwsError("ThrottlingException", "slow down")
            return operation(params)

        return run

    def _table(self, name: str, code: str = "ResourceNotFoundException") -> Table:
        table = self.tables.get(name.removeprefix(ARN))
        if table is None:
            raise AwsError(code, f"Requested resource not found: {name}")
        return table

    # What tables are.

    def list_tables(self, params: dict[str, Any]) -> dict[str, Any]:
        names = sorted(self.tables)
        start = names.index(params["ExclusiveStartTableName"]) + 1 if "ExclusiveStartTableName" in params else 0
        page = names[start : start + self.page_size]
        return {"TableNames": page, **({"LastEvaluatedTableName": page[-1]} if page[-1:] != names[-1:] else {})}

    def describe_table(self, params: dict[str, Any]) -> dict[str, Any]:
        for each in list(self.tables.values()):
            self._age(each)
        table = self._table(params["TableName"])
        return {"Table": table.described()}

    def _age(self, table: Table) -> None:
        if table.looks:
            table.looks -= 1
        elif table.status == "DELETING" or (table.status in {"CREATING", "UPDATING"} and self.ends_as == "gone"):
            del self.tables[table.name]
        elif table.status in {"CREATING", "UPDATING"}:
            table.status = self.ends_as

    def describe_time_to_live(self, params: dict[str, Any]) -> dict[str, Any]:
        table = self._table(params["TableName"])
        named = {"AttributeName": "expires_at"} if table.expiry == "ENABLED" else {}
        return {"TimeToLiveDescription": {"TimeToLiveStatus": table.expiry, **named}}

    def describe_continuous_backups(self, params: dict[str, Any]) -> dict[str, Any]:
        table = self._table(params["TableName"], "TableNotFoundException")
        enabled = {
            "PointInTimeRecoveryStatus": "ENABLED",
            "EarliestRestorableDateTime": self.earliest,
            "LatestRestorableDateTime": self.latest,
            **({"RecoveryPeriodInDays": 35} if "RecoveryPeriodInDays" in table.recovery else {}),
        }
        recovery = enabled if table.recovery else {"PointInTimeRecoveryStatus": "DISABLED"}
        return {
            "ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": recovery,
            }
        }

    def list_tags_of_resource(self, params: dict[str, Any]) -> dict[str, Any]:
        tags = self._table(params["ResourceArn"]).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def tag_resource(self, params: dict[str, Any]) -> dict[str, Any]:
        self._usable(params["ResourceArn"]).tags |= {tag["Key"]: tag["Value"] for tag in params["Tags"]}
        return {}

    def _usable(self, name: str) -> Table:
        table = self._table(name)
        if table.status != "ACTIVE":
            raise AwsError("ResourceInUseException", f"{name} is {table.status}")
        return table

    def update_table(self, params: dict[str, Any]) -> dict[str, Any]:
        table = self._usable(params["TableName"])
        if "DeletionProtectionEnabled" in params:
            table.protected = params["DeletionProtectionEnabled"]
        if "SSESpecification" in params:
            table.key = params["SSESpecification"]["KMSMasterKeyId"]
        table.status, table.looks = "UPDATING", 1
        return {"TableDescription": table.described()}

    def update_continuous_backups(self, params: dict[str, Any]) -> dict[str, Any]:
        table = self._usable(params["TableName"])
        if table.unavailable:
            table.unavailable -= 1
            raise AwsError("ContinuousBackupsUnavailableException", "not yet")
        table.recovery = params["PointInTimeRecoverySpecification"]
        return {}

    def update_time_to_live(self, params: dict[str, Any]) -> dict[str, Any]:
        self._usable(params["TableName"]).expiry = "ENABLED"
        return {"TimeToLiveSpecification": params["TimeToLiveSpecification"]}

    def delete_table(self, params: dict[str, Any]) -> dict[str, Any]:
        table = self._usable(params["TableName"])
        if table.protected:
            raise AwsError("ValidationException", "Resource cannot be deleted as it is protected against deletion.")
        table.status, table.looks = "DELETING", 1
        return {"TableDescription": table.described()}

    # Backups.

    def restore_table_to_point_in_time(self, params: dict[str, Any]) -> dict[str, Any]:
        source = self._table(params["SourceTableName"], "TableNotFoundException")
        point = params.get("RestoreDateTime") or self.latest
        assert bool(params.get("UseLatestRestorableTime")) is ("RestoreDateTime" not in params)
        if not self.earliest <= point <= self.latest:
            raise AwsError("InvalidRestoreTimeException", "outside")
        summary = {"SourceTableArn": ARN + source.name, "RestoreDateTime": point, "RestoreInProgress": True}
        return self._restore(params, source.items, summary)

    def restore_table_from_backup(self, params: dict[str, Any]) -> dict[str, Any]:
        (backup,) = (backup for backup in self.backups if backup["BackupArn"] == params["BackupArn"])
        summary = {
            "SourceBackupArn": backup["BackupArn"],
            "RestoreDateTime": backup["BackupCreationDateTime"],
            "RestoreInProgress": True,
        }
        return self._restore(params, {}, summary)

    def _restore(self, params: dict[str, Any], items: Mapping[str, Item], summary: dict[str, Any]) -> dict[str, Any]:
        name = params["TargetTableName"]
        if name in self.tables:
            raise AwsError("TableAlreadyExistsException", f"Table already exists: {name}")
        found = items if self.restored_items is None else self.restored_items
        made = Table(name, dict(found), "CREATING", looks=self.restoring, summary=summary)
        made.key = params.get("SSESpecificationOverride", {}).get("KMSMasterKeyId")
        self.tables[name] = made
        return {"TableDescription": made.described()}

    def list_backups(self, params: dict[str, Any]) -> dict[str, Any]:
        assert params["BackupType"] == "SYSTEM"
        return {"BackupSummaries": self.backups}

    def describe_backup(self, params: dict[str, Any]) -> dict[str, Any]:
        encryption = {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": KEY}
        return {"BackupDescription": {"SourceTableFeatureDetails": {"SSEDescription": encryption}}}

    # Items.

    def scan(self, params: dict[str, Any]) -> dict[str, Any]:
        assert params["ConsistentRead"] is True
        with self.lock:
            table = self._table(params["TableName"])
            keys = sorted(k for k in table.items if sum(k.encode()) % params["TotalSegments"] == params["Segment"])
            after = params.get("ExclusiveStartKey", {}).get("transaction_id", {}).get("S", "")
            left = [key for key in keys if key > after]
            page = left[: self.page_size]
            more = {"LastEvaluatedKey": {"transaction_id": {"S": page[-1]}}} if len(left) > len(page) else {}
            return {"Items": [projected(table.items[key], params) for key in page], **more}

    def batch_get_item(self, params: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            ((name, request),) = params["RequestItems"].items()
            assert request["ConsistentRead"] is True
            table = self._table(name)
            most = 0 if self.stalled else self.page_size - 1
            self.stalled -= bool(self.stalled)
            done, left = request["Keys"][:most], request["Keys"][most:]
            ids = [key["transaction_id"]["S"] for key in done]
            found = [projected(table.items[each], request) for each in ids if each in table.items]
            rest = {"UnprocessedKeys": {name: {"Keys": left}}} if left else {}
            return {"Responses": {name: found}, **rest}

    def put_item(self, params: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            table = self._table(params["TableName"])
            self._write(table, params["Item"], params)
            return {}

    def update_item(self, params: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            table = self._table(params["TableName"])
            there = table.items.get(params["Key"]["transaction_id"]["S"], params["Key"])
            self._write(table, updated(there, params), params)
            return {}

    def _write(self, table: Table, item: Item, params: dict[str, Any]) -> None:
        self.before_put(item)
        there = table.items.get(item["transaction_id"]["S"], {})
        if not holds(params["ConditionExpression"], there, params):
            more = {"Item": dict(there)} if there else {}
            raise AwsError("ConditionalCheckFailedException", "The conditional request failed", **more)
        table.items[item["transaction_id"]["S"]] = dict(item)


def projected(item: Item, request: Mapping[str, Any]) -> Item:
    """The attributes that a request asks for."""
    if "ProjectionExpression" not in request:
        return dict(item)
    wanted = {request["ExpressionAttributeNames"][name] for name in request["ProjectionExpression"].split(", ")}
    return {name: value for name, value in item.items() if name in wanted}


def holds(condition: str, item: Item, params: Mapping[str, Any]) -> bool:
    """Whether a condition of equalities and attribute_not_exists, joined by AND, holds."""
    names = params.get("ExpressionAttributeNames", {})
    values = params.get("ExpressionAttributeValues", {})
    for clause in condition.split(" AND "):
        absent = re.fullmatch(r"attribute_not_exists\((\S+)\)", clause)
        if absent:
            if names.get(absent[1], absent[1]) in item:
                return False
            continue
        name, _, value = clause.partition(" = ")
        if item.get(names[name]) != values[value]:
            return False
    return True


def updated(item: Item, params: Mapping[str, Any]) -> Item:
    """The item after an update of SET and REMOVE."""
    names, values = params["ExpressionAttributeNames"], params["ExpressionAttributeValues"]
    made = dict(item)
    for verb, actions in re.findall(r"(SET|REMOVE) (.*?)(?= REMOVE |$)", params["UpdateExpression"]):
        for action in actions.split(", "):
            name, _, value = action.partition(" = ")
            if verb == "SET":
                made[names[name]] = values[value]
            else:
                del made[names[name]]
    return made
