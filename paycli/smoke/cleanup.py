"""Removing what a run has left in the table and in the queue, and nothing else."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from paycli.aws_errors import explain
from paycli.smoke.ledger import CUSTOMER_PREFIX
from paycli.smoke.patience import Patience
from paycli.smoke.result import CheckFailed, NotYet

if TYPE_CHECKING:
    from paycli.smoke.session import Session

# How long a message may take to arrive that no check has waited for.
_PATIENCE = 3.0  # seconds


def clean_up(session: "Session") -> list[str]:
    """Remove the run's payments and messages; return, in words, what could not be removed."""
    problems = [_forget_payment(session, transaction) for transaction in sorted(session.ledger.transactions)]
    problems.append(_forget_messages(session))
    return [problem for problem in problems if problem]


def staying(session: "Session") -> str:
    """Return, in words, which messages the run leaves besides the refused payment's, of which its check tells.

    A request that failed and was asked again has left one; a processing's doesn't even tell that it is a test's.
    """
    queue, ledger = session.queue, session.ledger
    ids = sorted(ledger.failures - queue.removed)
    if not queue.keeps_messages or not (ids or ledger.unanswered):
        return ""
    said = [f"that of {name}" for name in ids]
    said += ["perhaps one of a request that got no answer"] if ledger.unanswered else []
    environment = session.target.environment.name
    discard = f"paycli failures discard {' '.join(ids) or '--of-tests'} --env {environment}"
    reason = f"requests failed at first, whose messages may stay in the queue ({queue.keeps_messages})"
    return f"{reason}: {', '.join(said)}; {discard}"


def _forget_payment(session: "Session", transaction: str) -> str:
    """Delete one item, if its customer is a smoke test's; return what prevented it, empty if nothing."""
    dynamodb = session.target.aws.client("dynamodb")
    table = session.target.outputs["TransactionsTableName"]
    try:
        dynamodb.delete_item(
            TableName=table,
            Key={"transaction_id": {"S": transaction}},
            ConditionExpression="begins_with(customer_id, :own)",
            ExpressionAttributeValues={":own": {"S": CUSTOMER_PREFIX}},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return ""  # it isn't there, or it isn't a smoke test's
    except (BotoCoreError, ClientError) as error:
        return f"the payment {transaction} stays in {table}: {explain(error)}"
    return ""


def _forget_messages(session: "Session") -> str:
    """Remove the messages that no check has removed; return what prevented it, empty if nothing.

    Where the queue must not be received from, they stay: the checks say so.
    """
    queue, ledger = session.queue, session.ledger

    def attempt() -> None:
        if queue.keeps_messages or not (ledger.requests - queue.removed or ledger.unanswered):
            return
        queue.take(ledger)
        ledger.unanswered = False  # what it may have sent has had the time of an HTTP request to arrive
        if ledger.requests - queue.removed:
            raise NotYet("the messages of this run gone", "not yet received")

    try:
        Patience(_PATIENCE).until(attempt)
    except CheckFailed:
        return ""  # not every failed request reaches the queue; whether it must is a check's question
    except (BotoCoreError, ClientError) as error:
        return f"messages may stay in the failed-transactions queue: {explain(error)}"
    return ""
