"""What an earlier stack has kept: where it is looked for, and what the import's template says of it."""

import json
from typing import Any

import pytest

from paycli.deployment import readoption
from paycli.deployment.readoption import Kept
from paycli.environment import Environment, presets
from paycli.stack import build
from paycli.stack.rendering import as_dict
from tests.scripted import Scripted

PROD = Environment(name="prod", **presets()["prod"])
TEMPLATE = as_dict(build(PROD))
ALONE = {"Resources": {name: TEMPLATE["Resources"][name] for name in ("Key", "TransactionsTable")}}
TABLE = Kept("TransactionsTable", "AWS::DynamoDB::Table", ("TableName", "transactions-prod"))
ARN = "arn:aws:kms:us-east-1:000000000000:key/1234"


@pytest.mark.parametrize(
    "environment", [Environment(name="dev"), Environment(name="kept", target="embedded", retain_data=True)]
)
def test_where_nothing_is_kept_or_imported_nobody_is_asked(scripted: Scripted, environment: Environment) -> None:
    assert readoption.find(scripted.aws, environment, as_dict(build(environment))) == ()


def table_with(scripted: Scripted, **encryption: str) -> None:
    described = {"TableName": "transactions-prod", **({"SSEDescription": encryption} if encryption else {})}
    scripted.answers("dynamodb", "describe_table", {"Table": described})


def test_a_table_with_a_key_of_aws_s_own_is_taken_up_without_it(scripted: Scripted) -> None:
    table_with(scripted, KMSMasterKeyArn=ARN)
    scripted.answers("kms", "describe_key", {"KeyMetadata": {"KeyId": "1234", "KeyManager": "AWS"}})
    assert readoption.find(scripted.aws, PROD, ALONE) == (TABLE,)


def test_a_table_without_a_key_is_taken_up_without_one(scripted: Scripted) -> None:
    table_with(scripted)
    assert readoption.find(scripted.aws, PROD, ALONE) == (TABLE,)


def test_a_name_that_begins_alike_is_another_log_group(scripted: Scripted) -> None:
    logs = {"Resources": {"ValidationLogs": TEMPLATE["Resources"]["ValidationLogs"]}}
    longer = [{"logGroupName": "/aws/lambda/payment-validation-prod-2"}]
    scripted.answers("logs", "describe_log_groups", {"logGroups": longer})
    assert readoption.find(scripted.aws, PROD, logs) == ()


def imported(*kept: Kept) -> dict[str, Any]:
    resources: dict[str, Any] = json.loads(readoption.body(TEMPLATE, kept))["Resources"]
    return resources


def test_the_import_says_of_each_resource_what_refers_to_nothing_else() -> None:
    whole = TEMPLATE["Resources"]["TransactionsTable"]["Properties"]
    table = imported(TABLE)["TransactionsTable"]["Properties"]
    assert whole.keys() - table.keys() == {"SSESpecification", "DeletionProtectionEnabled"}
    with_key = imported(TABLE, Kept("Key", "AWS::KMS::Key", ("KeyId", "1234")))
    assert whole.keys() - with_key["TransactionsTable"]["Properties"].keys() == {"DeletionProtectionEnabled"}
    key = TEMPLATE["Resources"]["Key"]["Properties"]
    assert key.keys() - with_key["Key"]["Properties"].keys() == {"KeyPolicy"}  # it names the API's execution log


def test_a_reference_within_a_text_counts() -> None:
    template = {
        **TEMPLATE,
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "q-${Other.Name}-${!x}"}}}
        },
    }
    document = json.loads(readoption.body(template, [Kept("Queue", "AWS::SQS::Queue", ("QueueUrl", "u"))]))
    assert document["Resources"]["Queue"]["Properties"] == {}
