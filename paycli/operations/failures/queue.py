"""Receiving from the queues without using messages up.

SQS has no way to look without receiving. Each receive hides a message for a while and is counted; a message that is
received once more than its queue's maxReceiveCount goes to the dead-letter queue instead. So:

- One look receives each message once: what was received stays hidden until the look ends, and is then shown again.
- A message with one receive left, or none, is put back as a new one as soon as it comes, sent first and deleted then:
  its count begins anew. A dead-letter queue and its redrive would do the same to it (new id, new age), after an alarm.
- Whatever ends paycli, what it holds comes back by itself when the visibility timeout ends, and has receives left: what
  was put back at the end of a look only, a killed look would leave for the next one to move.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from paycli.aws_errors import explain
from paycli.operations.failures.message import Message, parsed, received

BATCH = 10  # what one call takes or returns at most
_LONG_POLL = 1  # seconds; more than 0 asks all of SQS's servers
_EMPTY_POLLS = 3  # in a row, while the count says that there is more


@dataclass(frozen=True)
class Facts:
    """What GetQueueAttributes says; the counts are approximate."""

    url: str
    arn: str
    waiting: int
    in_flight: int  # received by somebody, and hidden meanwhile
    max_receives: int | None  # None where nothing is dead-lettered

    @property
    def name(self) -> str:
        """The queue's name."""
        return self.url.rpartition("/")[2]


def read_facts(sqs: Any, url: str) -> Facts:
    """Ask about a queue (one call, which receives nothing)."""
    names = ["QueueArn", "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "RedrivePolicy"]
    said = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    policy = parsed(said.get("RedrivePolicy", "{}"))
    most = policy.get("maxReceiveCount")  # a number or its text, as it was set
    return Facts(
        url=url,
        arn=said["QueueArn"],
        waiting=int(said["ApproximateNumberOfMessages"]),
        in_flight=int(said["ApproximateNumberOfMessagesNotVisible"]),
        max_receives=int(most) if most else None,
    )


@dataclass
class Look:
    """What one look holds. Each message is received once; `troubles` say what could not be given back."""

    sqs: Any
    queue: Facts
    seconds: int  # for which a message stays hidden where nobody gives it back
    held: dict[str, Message] = field(default_factory=dict)
    seen: int = 0
    complete: bool = False  # whether the queue had nothing more to show
    renewed: int = 0  # messages that were put back as new ones
    troubles: list[str] = field(default_factory=list)

    @property
    def hidden(self) -> int:
        """How many somebody held before the look, and holds still, as far as the counts tell."""
        held, waiting = self.queue.in_flight, self.queue.waiting
        return max(0, min(held, waiting + held - self.seen)) if self.complete else held

    @property
    def missing(self) -> int:
        """How many were counted as waiting and didn't come: moved by this look, taken meanwhile, or counted wrongly."""
        return max(0, self.queue.waiting - self.seen) if self.complete else 0

    def messages(self, limit: int) -> Iterator[Message]:
        """Receive until nothing more comes, or `limit` messages were seen; hold each until it is deleted or given back.

        A single empty answer proves little where the count says that there is more.
        """
        empty = 0
        while self.seen < limit:
            batch = self._receive(min(BATCH, limit - self.seen))
            empty = 0 if batch else empty + 1
            if empty and (self.seen >= self.queue.waiting or empty == _EMPTY_POLLS):
                self.complete = True
                return
            for message in batch:
                again = message.message_id in self.held
                self.held[message.message_id] = message  # SQS takes the newest handle only
                if not again and not self._renewed_at_once(message):
                    self.seen += 1
                    yield message

    def _renewed_at_once(self, message: Message) -> bool:
        """Put a message back as a new one where it has hardly a receive left; the new one comes in this look, too.

        What may not be put back is seen as it is, and tried again at the end.
        """
        most = self.queue.max_receives
        if most is None or message.receives < max(most - 1, 2):  # from the 2nd receive on: else it would never end
            return False
        try:
            self.move(message, self.queue.url)
        except (BotoCoreError, ClientError):
            self.held[message.message_id] = message
            return False
        self.renewed += 1
        return True

    def _receive(self, count: int) -> list[Message]:
        answer = self.sqs.receive_message(
            QueueUrl=self.queue.url,
            MaxNumberOfMessages=count,
            VisibilityTimeout=self.seconds,
            WaitTimeSeconds=_LONG_POLL,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            MessageAttributeNames=["All"],
        )
        return [received(raw) for raw in answer.get("Messages", [])]

    def delete(self, message: Message) -> None:
        """Delete a message that is held; it is held no more, even where that fails: SQS may have deleted it."""
        handle = self.held.pop(message.message_id).handle
        self.sqs.delete_message(QueueUrl=self.queue.url, ReceiptHandle=handle)

    def move(self, message: Message, url: str) -> None:
        """Send a held message to the queue at `url`, and delete it here: interrupted between, it is in both."""
        self.sqs.send_message(QueueUrl=url, MessageBody=message.body, MessageAttributes=dict(message.attributes))
        self.delete(message)

    def give_back(self) -> None:
        """Show all that is held again; what can't be shown now shows itself when its time is over."""
        most = self.queue.max_receives
        spent = [message for message in self.held.values() if most is not None and message.receives >= most]
        for message in spent:
            try:
                self.move(message, self.queue.url)
                self.renewed += 1
            except (BotoCoreError, ClientError) as error:
                self.troubles.append(
                    f"{message.name} has had its {most} receives, and its count can't be set back: {explain(error)} "
                    "The next receive moves it to the dead-letter queue."
                )
        for batch in batched(self.held.values()):
            entries = [
                {"Id": str(number), "ReceiptHandle": message.handle, "VisibilityTimeout": 0}
                for number, message in enumerate(batch)
            ]
            try:
                answer = self.sqs.change_message_visibility_batch(QueueUrl=self.queue.url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                hidden, why = len(batch), str(explain(error))
            else:
                failed = answer.get("Failed", [])
                hidden, why = len(failed), "; ".join(sorted({each["Code"] for each in failed}))
            if hidden:
                self.troubles.append(f"{hidden} messages stay hidden for up to {self.seconds} s: {why}")
        self.held.clear()


@contextmanager
def looking(sqs: Any, queue: Facts, *, seconds: int) -> Iterator[Look]:
    """Look into a queue; what is still held at the end is given back, whatever ended it."""
    look = Look(sqs, queue, seconds)
    try:
        yield look
    finally:
        look.give_back()


def batched(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Divide messages into batches that one call takes."""
    remaining = iter(messages)
    while batch := list(itertools.islice(remaining, BATCH)):
        yield batch
