"""The failed-transactions queue as a run may touch it: it never receives where real failures may wait.

A receive counts towards a message's dead-lettering.
"""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paycli.smoke.ledger import Ledger

# A message is visible, received by somebody, or delayed.
_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_BATCH = 10  # what one receive may return at most
_HIDDEN = 10  # seconds; what an interrupted run received is back after that
_LONG_POLL = 1  # seconds; more than 0 asks all of SQS's servers


class FailedQueue:
    """The queue, and whether this run may receive from it. Used by one thread at a time."""

    def __init__(self, sqs: Any, url: str, *, retained: bool) -> None:
        self._sqs = sqs
        self._url = url
        self._retained = retained
        self.keeps_messages = "nobody has looked at it yet"  # why nothing is received; empty: it may be
        self.before = 0
        self.removed: set[str] = set()  # request ids of this run's messages that are gone again

    def waiting(self) -> int:
        """Return how many messages the queue holds, approximately."""
        counts = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=list(_COUNTS))
        return sum(int(counts["Attributes"][name]) for name in _COUNTS)

    def look(self) -> int:
        """Count what is there before this run sends anything, and decide whether it may receive."""
        self.before = self.waiting()
        if self._retained:
            self.keeps_messages = "retain_data is on"
        elif self.before:
            self.keeps_messages = f"it already held {self.before}, which may be real failures"
        else:
            self.keeps_messages = ""
        return self.before

    def take(self, ledger: "Ledger") -> None:
        """Receive once: remove this run's messages and hand every other back at once.

        A message of somebody else ends the receiving for good: each run may count against it only once.
        """
        received = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=_BATCH,
            VisibilityTimeout=_HIDDEN,
            WaitTimeSeconds=_LONG_POLL,
        ).get("Messages", [])
        bodies = [(message["ReceiptHandle"], parsed(message["Body"])) for message in received]
        for handle, body in bodies:
            if not ledger.owns(body):
                self.keeps_messages = "a failure of somebody else's arrived meanwhile"
                self._sqs.change_message_visibility(QueueUrl=self._url, ReceiptHandle=handle, VisibilityTimeout=0)
        for handle, body in bodies:
            if ledger.owns(body):
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=handle)
                self.removed.add(str(body.get("request_id")))


def parsed(text: str) -> Any:
    """Return what a JSON text says; None where it isn't JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return None
