"""What the commands, and people, want to know of a deployed stack."""

from troposphere import Output, Sub, Template
from troposphere.apigateway import RestApi, Stage
from troposphere.backup import BackupVault
from troposphere.cloudwatch import Dashboard
from troposphere.dynamodb import Table
from troposphere.kms import Key
from troposphere.sns import Topic

from paycli.stack.functions import Functions
from paycli.stack.queues import Queues


def add_outputs(
    template: Template,
    api: RestApi,
    stage: Stage,
    key: Key,
    table: Table,
    queues: Queues,
    topic: Topic,
    functions: Functions,
    dashboard: Dashboard,
    vault: BackupVault | None,
) -> None:
    """Add the outputs; `vault` is None where no backup is made."""
    endpoint = Sub(f"https://${{{api.title}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/${{{stage.title}}}/")
    outputs = [
        ("APIEndpoint", "Address of the API; a route's name is appended.", endpoint),
        ("TransactionsTableName", "Table of payments.", table.ref()),
        ("AlarmTopicArn", "Topic to which every alarm publishes.", topic.ref()),
        ("DashboardName", "CloudWatch dashboard.", dashboard.ref()),
        ("RestApiId", "Id of the REST API.", api.ref()),
        ("StageName", "Stage of the REST API.", stage.ref()),
        ("FailedTransactionsQueueUrl", "Queue of refused and failed payments.", queues.failed.ref()),
        (
            "FailedTransactionsDeadLetterQueueUrl",
            "Queue of what was received too often from the failed-transactions queue.",
            queues.failed_dead_letter.ref(),
        ),
        ("ValidationFunctionName", "Function behind POST /validate.", functions.validation.ref()),
        ("ProcessingFunctionName", "Function behind POST /process.", functions.processing.ref()),
        (
            "HealthMonitorFunctionName",
            "Function behind GET /health and the schedule.",
            functions.health_monitor.ref(),
        ),
        ("KeyArn", "Customer-managed key of the stack.", key.get_att("Arn")),
    ]
    if vault is not None:
        outputs.append(("BackupVaultName", "Vault of the table's daily backups.", vault.ref()))
    for name, description, value in outputs:
        template.add_output(Output(name, Description=description, Value=value))
