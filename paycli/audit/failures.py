"""Where a template says that what fails is kept."""

from collections.abc import Iterator

from paycli.audit.template import Node, Resource, Stack

# The list and the element's member, or the members, that name the queue.
_DEAD_LETTERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "AWS::Events::Rule": (("Targets",), ("DeadLetterConfig", "Arn")),
    "AWS::Lambda::EventInvokeConfig": ((), ("DestinationConfig", "OnFailure", "Destination")),
    "AWS::Lambda::EventSourceMapping": ((), ("DestinationConfig", "OnFailure", "Destination")),
    "AWS::Lambda::Function": ((), ("DeadLetterConfig", "TargetArn")),
    "AWS::SNS::Subscription": ((), ("RedrivePolicy", "deadLetterTargetArn")),
    "AWS::SQS::Queue": ((), ("RedrivePolicy", "deadLetterTargetArn")),
    "AWS::Scheduler::Schedule": ((), ("Target", "DeadLetterConfig", "Arn")),
}

# The same of what is invoked asynchronously.
_INVOKED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "AWS::Events::Rule": (("Targets",), ("Arn",)),
    "AWS::S3::Bucket": (("NotificationConfiguration", "LambdaConfigurations"), ("Function",)),
    "AWS::SNS::Subscription": ((), ("Endpoint",)),
    "AWS::Scheduler::Schedule": ((), ("Target", "Arn")),
}


def dead_letter_targets(stack: Stack) -> list[Node]:
    """Return what is named as the place for dead letters."""
    return _named(stack, _DEAD_LETTERS)


def receives_dead_letters(stack: Stack, queue: Resource) -> bool:
    """Whether a queue is named as the place for dead letters."""
    return any(node.identifies(queue) for node in dead_letter_targets(stack))


def asynchronous_targets(stack: Stack) -> list[Node]:
    """Return what is invoked by events whose sender doesn't wait."""
    return _named(stack, _INVOKED)


def _named(stack: Stack, places: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]) -> list[Node]:
    def nodes() -> Iterator[Node]:
        for resource_type, (lists, keys) in places.items():
            for resource in stack.resources(resource_type):
                for element in resource.listed(*lists):
                    yield from element.get(*keys)

    return [node for node in nodes() if not node.absent]
