"""What each function may do: exactly the calls that its handler makes, on exactly those resources."""

from typing import Any

from troposphere import AccountId
from troposphere.dynamodb import Table
from troposphere.kms import Key
from troposphere.logs import LogGroup
from troposphere.sns import Topic
from troposphere.sqs import Queue

from paycli.stack.policies import Statement, allow, policy, via

# AWS has no resource level for these actions.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
EVERYTHING = "*"


def for_validation(table: Table, queue: Queue, key: Key) -> list[Statement]:
    """Return what payment-validation may do beside what every function may."""
    return [
        allow("StorePayment", ["dynamodb:PutItem"], table.get_att("Arn")),
        allow("ReportFailure", ["sqs:SendMessage"], queue.get_att("Arn")),
        *_key_use(key, decrypt=("dynamodb", "lambda", "sqs"), encrypt=("sqs",)),
    ]


def for_processing(table: Table, queue: Queue, key: Key) -> list[Statement]:
    """Return what payment-processing may do beside what every function may."""
    return [
        allow("ProcessPayment", ["dynamodb:UpdateItem"], table.get_att("Arn")),
        allow("ReportFailure", ["sqs:SendMessage"], queue.get_att("Arn")),
        *_key_use(key, decrypt=("dynamodb", "lambda", "sqs"), encrypt=("sqs",)),
    ]


def for_health_monitor(topic: Topic, key: Key) -> list[Statement]:
    """Return what health-monitor may do beside what every function may."""
    return [
        allow("ReadMetrics", ["cloudwatch:GetMetricData"], EVERYTHING),
        allow("Alert", ["sns:Publish"], topic.ref()),
        *_key_use(key, decrypt=("lambda", "sns", "sqs"), encrypt=("sns", "sqs")),
    ]


def for_every_function(logs: LogGroup, failures: Queue) -> list[Statement]:
    """Return what the Lambda service does with the role of any function: logs, traces, its dead-letter queue."""
    return [
        # The ARN of a log group ends in ":*", which stands for its streams.
        allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], logs.get_att("Arn")),
        allow("WriteTraces", ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], EVERYTHING),
        # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq
        allow("KeepFailedRuns", ["sqs:SendMessage"], failures.get_att("Arn")),
    ]


def _key_use(key: Key, *, decrypt: tuple[str, ...], encrypt: tuple[str, ...]) -> list[Statement]:
    """Return the use of the key that the services make of it in the function's name.

    - dynamodb: Decrypt of the table's key, on every access.
      https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html
    - sqs, sns: GenerateDataKey and Decrypt, to send or publish.
      https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
      https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    - lambda: Decrypt of the environment, when an instance starts.
      https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
    """
    return [
        allow("DecryptThroughServices", ["kms:Decrypt"], key.get_att("Arn"), condition=via(*decrypt)),
        allow("EncryptThroughServices", ["kms:GenerateDataKey"], key.get_att("Arn"), condition=via(*encrypt)),
    ]


def service_trust(service: str) -> dict[str, Any]:
    """Return the trust policy: only this service, and only for resources of this account.

    Both services name the account when they assume a role. So write it github.com/aws/agent-toolkit-for-aws
    (lambda-trust-policy.json) and github.com/nationalarchives/terraform-aws-immutable-aws-backup.
    """
    return policy(
        {
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": AccountId}},
        }
    )
