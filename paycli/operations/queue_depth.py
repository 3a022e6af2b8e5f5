"""How much waits in the stack's queues. Nothing is received: a receive counts towards a message's dead-lettering."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from paycli.operations.readings import Unread, read

QUEUES = ("failed-transactions", "failed-transactions-dlq", "function-failures")
_PERIOD = 60  # seconds
_WINDOW = timedelta(minutes=15)  # SQS reports late


@dataclass(frozen=True)
class Depth:
    """A queue's messages, counted approximately."""

    waiting: int
    in_flight: int  # received by somebody, and hidden meanwhile
    oldest_seconds: float | Unread | None  # None where nothing waits, or CloudWatch hasn't heard of it yet


@dataclass(frozen=True)
class Queue:
    """One queue, by its name."""

    name: str
    depth: Depth | Unread


def read_depth(sqs: Any, cloudwatch: Any, url: str) -> Depth:
    """Count the messages (one call), and ask for the age of the oldest where there are any (another one)."""
    counts = sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    waiting = int(counts["ApproximateNumberOfMessages"])
    oldest = read(lambda: _oldest(cloudwatch, url.rpartition("/")[2])) if waiting else None
    return Depth(waiting, int(counts["ApproximateNumberOfMessagesNotVisible"]), oldest)


def _oldest(cloudwatch: Any, name: str) -> float | None:
    now = datetime.now(UTC)
    points = cloudwatch.get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": name}],
        StartTime=now - _WINDOW,
        EndTime=now,
        Period=_PERIOD,
        Statistics=["Maximum"],
    )["Datapoints"]
    newest = max(points, key=lambda point: point["Timestamp"], default=None)
    return newest["Maximum"] if newest else None
