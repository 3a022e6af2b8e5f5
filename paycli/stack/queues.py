"""The queues: what failed, what couldn't even be replayed, and asynchronous runs that came to nothing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from troposphere import Template
from troposphere.kms import Key
from troposphere.sqs import Queue, QueuePolicy, RedrivePolicy

from paycli.stack.policies import arn, deny_plain_http, policy
from paycli.stack.retention import data_policies

if TYPE_CHECKING:
    from paycli.environment import Environment

FOURTEEN_DAYS = 14 * 24 * 3600  # seconds; the longest that SQS keeps a message
MAX_RECEIVES = 5


@dataclass(frozen=True)
class Queues:
    """The three queues."""

    failed: Queue
    failed_dead_letter: Queue
    function_failures: Queue


def add_queues(template: Template, environment: "Environment", key: Key) -> Queues:
    """Add the queues.

    `function-failures` is where Lambda puts the event of an asynchronous run (the scheduled health check) that
    failed for good. It isn't failed-transactions-dlq: that one holds payments, people redrive it into
    failed-transactions, and its redrive-allow policy names that queue as the only source.
    """
    dead_letter = _add_queue(
        template,
        environment,
        key,
        "FailedTransactionsDeadLetterQueue",
        "failed-transactions-dlq",
        RedriveAllowPolicy={
            "redrivePermission": "byQueue",
            "sourceQueueArns": [arn("sqs", environment.named("failed-transactions"))],
        },
    )
    failed = _add_queue(
        template,
        environment,
        key,
        "FailedTransactionsQueue",
        "failed-transactions",
        RedrivePolicy=RedrivePolicy(deadLetterTargetArn=dead_letter.get_att("Arn"), maxReceiveCount=MAX_RECEIVES),
        RedriveAllowPolicy={"redrivePermission": "denyAll"},
    )
    function_failures = _add_queue(
        template,
        environment,
        key,
        "FunctionFailuresQueue",
        "function-failures",
        RedriveAllowPolicy={"redrivePermission": "denyAll"},
    )
    return Queues(failed, dead_letter, function_failures)


def _add_queue(
    template: Template, environment: "Environment", key: Key, title: str, part: str, **settings: Any
) -> Queue:
    queue = template.add_resource(
        Queue(
            title,
            **data_policies(environment),
            QueueName=environment.named(part),
            MessageRetentionPeriod=FOURTEEN_DAYS,
            KmsMasterKeyId=key.get_att("Arn"),
            **settings,
        )
    )
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html
    template.add_resource(
        QueuePolicy(
            f"{title}Policy",
            Queues=[queue.ref()],
            PolicyDocument=policy(deny_plain_http("sqs:*", queue.get_att("Arn"))),
        )
    )
    return queue
