"""From the dead-letter queue back to the queue.

SQS moves the messages itself where it has StartMessageMoveTask; elsewhere (the embedded AWS) each one is sent and then
deleted. Either way a message is new in the queue afterwards: another id, and its receives count from 0.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from paycli.errors import DetachedError, PaycliError
from paycli.operations.failures.queue import Facts, looking, read_facts
from paycli.progress import Report, Step

_PAUSE = 1.0  # seconds
_HIDDEN = 120  # seconds
_ALL = 1_000_000  # messages; none is held for longer than its own move takes
# What a service says that doesn't know the call.
_MISSING = {"InvalidAction", "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"}

Sleep = Callable[[float], None]


@dataclass(frozen=True)
class Redriven:
    """How many messages were moved, and whether by SQS itself."""

    moved: int
    by_sqs: bool
    troubles: tuple[str, ...] = ()


def redrive(sqs: Any, source: str, destination: str, report: Report, *, sleep: Sleep = time.sleep) -> Redriven:
    """Move all messages from the queue at the URL `source` to the one at `destination`.

    Raises PaycliError where SQS couldn't move them all, and DetachedError where somebody interrupts: SQS goes on.
    """
    dead, alive = read_facts(sqs, source), read_facts(sqs, destination)
    try:
        newest = _newest(sqs, dead)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _MISSING:
            raise
        return _by_hand(sqs, dead, alive)
    try:
        if newest.get("Status") != "RUNNING":
            earlier = newest.get("StartedTimestamp", 0)
            sqs.start_message_move_task(SourceArn=dead.arn, DestinationArn=alive.arn)
            newest = _started(sqs, dead, earlier, sleep)
        return _followed(sqs, dead, newest, report, sleep)
    except KeyboardInterrupt:
        raise DetachedError(
            f"Interrupted: SQS goes on with moving messages from {dead.name}, if it has begun.",
            hint="Run it again: it follows the move that runs, or begins another one. No message gets lost.",
            code="interrupted",
        ) from None


def _newest(sqs: Any, dead: Facts) -> Mapping[str, Any]:
    """Return the newest move from a dead-letter queue, empty where there was none."""
    moves: list[dict[str, Any]] = sqs.list_message_move_tasks(SourceArn=dead.arn, MaxResults=10).get("Results", [])
    return max(moves, key=lambda move: move.get("StartedTimestamp", 0), default={})


def _started(sqs: Any, dead: Facts, earlier: int, sleep: Sleep) -> Mapping[str, Any]:
    """Wait until the move that was just started is listed: an older one that is done says nothing of it."""
    while (move := _newest(sqs, dead)).get("StartedTimestamp", 0) <= earlier:
        sleep(_PAUSE)
    return move


def _followed(sqs: Any, dead: Facts, move: Mapping[str, Any], report: Report, sleep: Sleep) -> Redriven:
    told = ""
    while move["Status"] in ("RUNNING", "CANCELLING"):
        moved, total = move.get("ApproximateNumberOfMessagesMoved", 0), move.get("ApproximateNumberOfMessagesToMove")
        said = f"SQS moves messages from {dead.name}: {moved} of {'?' if total is None else total}"
        if said != told:
            report(Step(said))
            told = said
        sleep(_PAUSE)
        move = _newest(sqs, dead)
    moved = move.get("ApproximateNumberOfMessagesMoved", 0)
    if move["Status"] == "COMPLETED":
        return Redriven(moved, by_sqs=True)
    reason = move.get("FailureReason") or "somebody has cancelled it"
    raise PaycliError(
        f"SQS has moved {moved} messages from {dead.name} and then stopped ({move['Status']}): {reason}",
        hint="The others are still there. docs/failures-queue.md lists the rights that a redrive needs.",
        code="redrive_failed",
    )


def _by_hand(sqs: Any, dead: Facts, alive: Facts) -> Redriven:
    """Send each message and delete it then; interrupted between, it is in both queues, which `request_id` tells."""
    moved = 0
    with looking(sqs, dead, seconds=_HIDDEN) as look:
        for message in look.messages(_ALL):
            look.move(message, alive.url)
            moved += 1
    hidden = [f"{look.hidden} more are hidden: somebody holds them. Run it again later."] if look.hidden else []
    return Redriven(moved, by_sqs=False, troubles=(*look.troubles, *hidden))
