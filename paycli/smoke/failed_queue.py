"""A refused payment arrives in the failed-transactions queue.

Where the queue may not be received from, the function's own log line and the queue's count are the witnesses.
"""

import time
from typing import TYPE_CHECKING, Any

from paycli.smoke.payment_api import describe, document
from paycli.smoke.queue import parsed
from paycli.smoke.result import CheckFailed, NotYet

if TYPE_CHECKING:
    from paycli.smoke.session import Session

_SKEW = 300  # seconds that this machine's clock may be ahead of CloudWatch's


def check_failed_queue(session: "Session") -> str:
    """The refused payment arrives in the failed-transactions queue."""
    answer = session.rejection()
    request = document(answer).get("request_id")
    if not isinstance(request, str):
        raise CheckFailed("a request_id in the refusal", describe(answer))
    if not session.queue.keeps_messages:
        session.patience.until(lambda: _collect(session, request))
    if request in session.queue.removed:
        return "its message was received and removed"
    session.patience.until(lambda: _witness(session, request))
    kept = session.queue.keeps_messages
    return f"sent, says the function's log, and counted; its message stays in the queue: {kept}"


def _collect(session: "Session", request: str) -> None:
    session.queue.take(session.ledger)
    if request not in session.queue.removed and not session.queue.keeps_messages:
        raise NotYet(
            f"the refused payment (request_id {request}) in the failed-transactions queue",
            "no such message",
            "The validation function's log line of this request_id says why: queue_error.",
        )


def _witness(session: "Session", request: str) -> None:
    """Raise unless the function logged that it sent the message, and the queue holds more than before.

    The log line is this request's own, but silent about success; the count is the queue's own, but
    anybody's message raises it. Together they stand in for seeing the message.
    """
    line = _log_line(session, request)
    if line is None:
        raise NotYet(f"the validation function's log line of request_id {request}", "no such line yet")
    if line.get("FailureMessagesLost"):
        raise CheckFailed(
            "the refused payment sent to the failed-transactions queue",
            f"the function could not send it: {line.get('queue_error', 'no time was left')}",
        )
    count = session.queue.waiting()
    if count <= session.queue.before:
        raise NotYet(
            f"more than {session.queue.before} messages in the failed-transactions queue",
            str(count),
            "The counts are approximate: messages that somebody removes meanwhile look the same.",
        )


def _log_line(session: "Session", request: str) -> dict[str, Any] | None:
    """Return the line that the validation function wrote about a request, None while there is none."""
    function = session.functions()[0]
    group = function.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function['FunctionName']}"
    pages = (
        session.target.aws.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=group, startTime=int((time.time() - _SKEW) * 1000), filterPattern=f'"{request}"')
    )
    for page in pages:
        for event in page["events"]:
            line = parsed(event["message"])
            if isinstance(line, dict) and line.get("request_id") == request:
                return line
    return None
