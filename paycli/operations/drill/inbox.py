"""A temporary queue that is subscribed to the topic of the alarms, to see what a pager would get.

It holds the notifications of alarms and no payments, so SQS's own encryption (SSE-SQS) will do; that needs no right to
the stack's key. SNS itself decrypts what it delivers:
https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html
https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from paycli.aws import Aws
    from paycli.environment import Environment

_PART = "payment-alarms-drill"
_WAIT_SECONDS = 2  # of a long poll
_KEPT_SECONDS = 3600  # a message that nobody reads is gone by itself


@dataclass(frozen=True)
class Inbox:
    """The queue and its subscription."""

    url: str
    subscription_arn: str


def make(aws: "Aws", environment: "Environment", topic_arn: str) -> Inbox:
    """Make the queue, into which this topic alone may send, and subscribe it (two calls)."""
    name = f"{environment.named(_PART)}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    arn = ":".join([*topic_arn.replace(":sns:", ":sqs:", 1).split(":")[:-1], name])
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
            }
        ],
    }
    url = aws.client("sqs").create_queue(
        QueueName=name,
        Attributes={
            "Policy": json.dumps(policy),
            "SqsManagedSseEnabled": "true",
            "MessageRetentionPeriod": str(_KEPT_SECONDS),
        },
        tags={**environment.all_tags, "paycli:purpose": "drill"},
    )["QueueUrl"]
    try:
        subscription = aws.client("sns").subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"RawMessageDelivery": "true"},
            ReturnSubscriptionArn=True,
        )
    except BaseException:
        aws.client("sqs").delete_queue(QueueUrl=url)
        raise
    return Inbox(url, subscription["SubscriptionArn"])


def notifications(aws: "Aws", inbox: Inbox, until: float) -> Iterator[Mapping[str, Any]]:
    """Give each notification of an alarm as CloudWatch wrote it, until a time of time.monotonic()."""
    sqs = aws.client("sqs")
    while time.monotonic() < until:
        received = sqs.receive_message(QueueUrl=inbox.url, MaxNumberOfMessages=10, WaitTimeSeconds=_WAIT_SECONDS)
        for message in received.get("Messages", []):
            sqs.delete_message(QueueUrl=inbox.url, ReceiptHandle=message["ReceiptHandle"])
            try:
                body = json.loads(message["Body"])
            except ValueError:
                continue  # somebody else's publication
            if isinstance(body, dict):
                yield body


def remove(aws: "Aws", inbox: Inbox) -> list[str]:
    """End the subscription and delete the queue, unless they are gone; return in words what has failed."""
    sns, sqs = aws.client("sns"), aws.client("sqs")
    failed = []
    for what, call, request in (
        ("the subscription", sns.unsubscribe, {"SubscriptionArn": inbox.subscription_arn}),
        ("the queue", sqs.delete_queue, {"QueueUrl": inbox.url}),
    ):
        try:
            call(**request)
        except (sns.exceptions.NotFoundException, sqs.exceptions.QueueDoesNotExist):
            continue  # an interrupt came after the call
        except (BotoCoreError, ClientError) as error:
            failed.append(f"{what} {next(iter(request.values()))} is left: {error}")
    return failed


def subscriptions(aws: "Aws", topic_arn: str) -> list[Mapping[str, Any]]:
    """Return who is told by the topic."""
    pages = aws.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
    return [subscription for page in pages for subscription in page["Subscriptions"]]


def is_inbox(name: str, environment: "Environment") -> bool:
    """Whether a queue of this name was made by a drill of this environment."""
    return bool(re.fullmatch(rf"{re.escape(environment.named(_PART))}-[0-9]{{8}}T[0-9]{{6}}Z", name))


def remove_all(aws: "Aws", environment: "Environment", topic_arn: str) -> None:
    """Remove what interrupted drills have left: their subscriptions, then their queues."""
    sns, sqs = aws.client("sns"), aws.client("sqs")
    for subscription in subscriptions(aws, topic_arn):
        if is_inbox(subscription["Endpoint"].rpartition(":")[2], environment):
            sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix=f"{environment.named(_PART)}-")
    for url in [url for page in pages for url in page.get("QueueUrls", [])]:
        if is_inbox(url.rpartition("/")[2], environment):
            sqs.delete_queue(QueueUrl=url)
