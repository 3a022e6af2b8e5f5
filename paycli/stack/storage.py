"""The table of payments."""

from typing import TYPE_CHECKING

from troposphere import Template
from troposphere.dynamodb import (
    AttributeDefinition,
    KeySchema,
    PointInTimeRecoverySpecification,
    SSESpecification,
    Table,
    TimeToLiveSpecification,
)
from troposphere.kms import Key

from paycli.stack.parameters import Parameters
from paycli.stack.retention import data_policies

if TYPE_CHECKING:
    from paycli.environment import Environment


def add_table(template: Template, environment: "Environment", key: Key, parameters: Parameters) -> Table:
    """Add the table: on demand, so that nobody has to guess a capacity for a day of many payments."""
    table = Table(
        "TransactionsTable",
        **data_policies(environment),
        TableName=environment.named("transactions"),
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[AttributeDefinition(AttributeName="transaction_id", AttributeType="S")],
        KeySchema=[KeySchema(AttributeName="transaction_id", KeyType="HASH")],
        PointInTimeRecoverySpecification=PointInTimeRecoverySpecification(PointInTimeRecoveryEnabled=True),
        SSESpecification=SSESpecification(SSEEnabled=True, SSEType="KMS", KMSMasterKeyId=key.get_att("Arn")),
        # Only payments that were never processed have the attribute.
        TimeToLiveSpecification=TimeToLiveSpecification(AttributeName="expires_at", Enabled=True),
    )
    if parameters.deletion_protection is not None:
        table.DeletionProtectionEnabled = parameters.deletion_protection.ref()
    return template.add_resource(table)
