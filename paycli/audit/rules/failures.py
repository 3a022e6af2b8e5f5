"""What fails isn't lost."""

from collections.abc import Iterator

from cfnlint.rules import RuleMatch

from paycli.audit.failures import asynchronous_targets, receives_dead_letters
from paycli.audit.rule import AuditRule, finding
from paycli.audit.template import Node, Resource, Stack

_FOUR_DAYS = 4 * 24 * 3600.0  # seconds; what SQS takes where nothing is said


class QueueWithoutRedrive(AuditRule):
    """A message that can't be worked off comes back until it is dropped."""

    id = "W9631"
    shortdesc = "A queue has no dead-letter queue"
    description = "A queue that isn't itself a dead-letter queue has no RedrivePolicy."
    why = "A message that always fails blocks or slows the others, and is dropped unseen when its time is over."
    requirement = "AWS Well-Architected REL05-BP03, REL06-BP01"
    mend = "Set RedrivePolicy with deadLetterTargetArn and maxReceiveCount."
    source_url = (
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html"
    )
    tags = ("resources", "sqs")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each queue without one."""
        for queue in stack.resources("AWS::SQS::Queue"):
            if not receives_dead_letters(stack, queue):
                for node in queue.get("RedrivePolicy", "deadLetterTargetArn"):
                    if node.absent:
                        yield finding(node, f"{queue.name} has no dead-letter queue")


class DeadLettersExpireFirst(AuditRule):
    """The dead letter is dropped sooner than the letter."""

    id = "W9632"
    shortdesc = "A dead-letter queue forgets sooner than its source"
    description = "A dead-letter queue's MessageRetentionPeriod is shorter than that of a queue that feeds it."
    why = "A message keeps the time at which it was first sent, so that it can be dropped as soon as it arrives."
    requirement = "AWS Well-Architected REL09-BP01"
    mend = "Set the dead-letter queue's MessageRetentionPeriod to 1209600, the most that SQS knows."
    source_url = (
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html"
    )
    tags = ("resources", "sqs")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each dead-letter queue that forgets too soon."""
        for source in stack.resources("AWS::SQS::Queue"):
            for target in source.get("RedrivePolicy", "deadLetterTargetArn"):
                for queue in stack.resources("AWS::SQS::Queue"):
                    if target.identifies(queue) and any(
                        kept < sent for kept in _retentions(queue) for sent in _retentions(source)
                    ):
                        yield finding(queue, f"{queue.name} forgets sooner than {source.name}, which feeds it")


class AsyncWithoutDestination(AuditRule):
    """An event that fails is gone."""

    id = "W9633"
    shortdesc = "An asynchronous run that fails leaves no trace"
    description = (
        "A function that a rule, topic, schedule or bucket invokes has neither dead-letter queue nor OnFailure."
    )
    why = "Lambda drops the event after two retries; nobody knows what should have happened."
    requirement = "AWS Well-Architected REL05-BP03, REL06-BP01"
    mend = "Set DeadLetterConfig, or an EventInvokeConfig with OnFailure."
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"
    tags = ("resources", "lambda")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each such function."""
        targets = asynchronous_targets(stack)
        for function in stack.resources("AWS::Lambda::Function"):
            if any(node.identifies(function) for node in targets) and not _keeps_failures(stack, function):
                yield finding(function, f"What {function.name} fails to do asynchronously leaves no trace")


class StreamWithoutDestination(AuditRule):
    """A record that fails holds up the stream, and is then gone."""

    id = "W9634"
    shortdesc = "A stream's record that fails leaves no trace"
    description = "An event source mapping of a DynamoDB or Kinesis stream has no OnFailure destination."
    why = "Lambda repeats the batch until it expires: the shard stands still, and then its records are dropped."
    requirement = "AWS Well-Architected REL05-BP03, REL06-BP01"
    mend = "Set DestinationConfig.OnFailure, with BisectBatchOnFunctionError and MaximumRetryAttempts."
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-create-eventsource.html"
    tags = ("resources", "lambda", "dynamodb")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each mapping of a stream without it."""
        for mapping in stack.resources("AWS::Lambda::EventSourceMapping"):
            if any(_is_stream(stack, node) for node in mapping.get("EventSourceArn")):
                for node in mapping.get("DestinationConfig", "OnFailure", "Destination"):
                    if node.absent:
                        yield finding(node, f"{mapping.name} drops what fails: no OnFailure")


def _retentions(queue: Resource) -> list[float]:
    """Return what the retention can be, in seconds; nothing where only a deployment knows."""
    numbers = [_FOUR_DAYS if node.absent else node.number for node in queue.get("MessageRetentionPeriod")]
    return [number for number in numbers if number is not None]


def _keeps_failures(stack: Stack, function: Resource) -> bool:
    places = [
        function.get("DeadLetterConfig", "TargetArn"),
        *(
            config.get("DestinationConfig", "OnFailure", "Destination")
            for config in stack.resources("AWS::Lambda::EventInvokeConfig")
            if any(node.identifies(function) for node in config.get("FunctionName"))
        ),
    ]
    return any(all(not node.absent for node in place) for place in places)


def _is_stream(stack: Stack, node: Node) -> bool:
    text = node.text or ""
    named = text.endswith(".StreamArn}") or ":kinesis:" in text or "/stream/" in text
    return named or any(node.identifies(stream) for stream in stack.resources("AWS::Kinesis::Stream"))
