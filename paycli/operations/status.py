"""How a deployed stack fares: everything is read side by side, and nothing is changed."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from paycli.aws import Aws, check_caller
from paycli.deployment import outputs, stacks
from paycli.errors import not_deployed
from paycli.operations.alarm_state import Alarms, read_alarms
from paycli.operations.api_health import Health, read_health
from paycli.operations.queue_depth import QUEUES, Queue, read_depth
from paycli.operations.readings import Unread, begin, outcome
from paycli.operations.restore.tables import live_name
from paycli.operations.serving import Serving, read_serving
from paycli.operations.stack_state import History, StackState, last_deploy, read_history, stack_state
from paycli.operations.table_state import TableState, of_stack, read_table
from paycli.operations.traffic import Traffic, read_traffic

if TYPE_CHECKING:
    from paycli.environment import Environment

DEADLINE_SECONDS = 15.0


@dataclass(frozen=True)
class Status:
    """What was found; None and empty where the stack has no such part, or hides it by being Unread itself."""

    at: datetime
    place: str
    stack: StackState | Unread
    history: History | Unread
    last_deploy: str | Unread | None
    serving: Serving | Unread | None  # where the last deploy has failed and was undone
    alarms: Alarms | Unread
    table: TableState | Unread
    payments: Traffic | Unread
    queues: tuple[Queue, ...]
    health: Health | Unread | None
    endpoint: str | None


def gather(aws: Aws, environment: "Environment", *, deadline_seconds: float = DEADLINE_SECONDS) -> Status:
    """Read it all: 11 calls of AWS in two rounds, one more for each queue that isn't empty, and GET /health.

    After an update that was undone, some more tell what serves.

    A part that can't be read, or not by the deadline, is Unread. Raises PaycliError where there is no stack, and
    where the credentials can't be used or belong to another account.
    """
    deadline = time.monotonic() + deadline_seconds
    name = environment.stack_name
    cloudformation, cloudwatch = aws.client("cloudformation"), aws.client("cloudwatch")
    dynamodb, sqs = aws.client("dynamodb"), aws.client("sqs")
    describing = begin(partial(stacks.describe, cloudformation, name))
    history = begin(partial(read_history, cloudformation, environment))
    alarms = begin(partial(read_alarms, cloudwatch, environment))
    table = begin(partial(read_table, dynamodb, live_name(environment)))
    payments = begin(partial(read_traffic, cloudwatch, environment))
    caller = check_caller(aws, environment)

    described = outcome(describing, deadline)
    if described is None:
        raise not_deployed(name, environment.name)
    if isinstance(described, Unread):
        return Status(
            at=datetime.now(UTC),
            place=caller.place,
            stack=described,
            history=outcome(history, deadline),
            last_deploy=None,
            serving=None,
            alarms=outcome(alarms, deadline),
            table=outcome(table, deadline),
            payments=outcome(payments, deadline),
            queues=(),
            health=None,
            endpoint=None,
        )

    stack = stacks.parsed(described)
    if stack.status == "REVIEW_IN_PROGRESS":  # a first deploy that nobody has confirmed yet
        raise not_deployed(name, environment.name)
    state = stack_state(described, stack)
    flat = outputs.resolved(aws, stack) if stack.outputs else {}
    deploy = begin(partial(last_deploy, cloudformation, state))
    serving = begin(partial(read_serving, aws, environment, stack, caller.account))
    depths = {queue: begin(partial(read_depth, sqs, cloudwatch, url)) for queue, url in _urls(environment, flat)}
    endpoint = flat.get("APIEndpoint")
    health = begin(partial(read_health, aws, endpoint, signed=environment.authorization == "iam"))
    return Status(
        at=datetime.now(UTC),
        place=caller.place,
        stack=state,
        history=outcome(history, deadline),
        last_deploy=outcome(deploy, deadline),
        serving=outcome(serving, deadline),
        alarms=outcome(alarms, deadline),
        table=of_stack(outcome(table, deadline), state.state),
        payments=outcome(payments, deadline),
        queues=tuple(Queue(queue, outcome(depth, deadline)) for queue, depth in depths.items()),
        health=outcome(health, deadline),
        endpoint=endpoint,
    )


def _urls(environment: "Environment", flat: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Give the name and the URL of each queue: not all are outputs, but they differ in the name alone."""
    beside = flat.get("FailedTransactionsQueueUrl", "").rpartition("/")[0]
    for part in QUEUES if beside else ():
        name = environment.named(part)
        yield name, f"{beside}/{name}"
