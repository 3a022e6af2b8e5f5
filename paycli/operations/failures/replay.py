"""Sending failed requests again, as they were: with their own idempotency key, and by whom the key belongs to.

A message is deleted only after the API has answered for good, and after that answer is in the report. So at every
moment it is in a queue, or in the report with its answer; and a request that was sent and not answered is sent again
later, which the API knows by its key (validate) or by its payment (process).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

from paycli.api_client import Answer
from paycli.errors import PaycliError
from paycli.operations.failures.advice import Left, Replay, advise
from paycli.operations.failures.listing import chosen
from paycli.operations.failures.message import Message
from paycli.operations.failures.queue import Look, looking, read_facts
from paycli.operations.failures.report import Report

Send = Callable[[Replay], Answer]
Told = Callable[["Outcome"], None]

# Seconds after which a message comes back that a killed run has held: nothing is sent so late that it may be back.
_HIDDEN = 600
_LONGEST = 30  # seconds that a request may take; API Gateway gives up after 29
_FAILURES = 3  # in a row: then the API is still down, and each further try would leave one more message in the queue
_DONE = {"validate": "validated", "process": "processed"}
# A processing of a payment that isn't there: if it was lost, it may be restored, and is to be processed then.
_MISSING = ("payment_not_found", 404)
# What only the functions, or the request models that are made from their contract, say of a request; docs/api.md.
_REFUSALS = {
    "invalid_request": 400,
    "card_data_refused": 400,
    "payment_expired": 409,
    "body_too_large": 413,
    "idempotency_key_reused": 422,
}

Verdict = Literal["done", "refused", "missing", "later", "wrong"]


@dataclass(frozen=True)
class Outcome:
    """What became of one message: it is gone where it is done or refused, else it is in the queue as before."""

    message: Message
    verdict: Verdict | Literal["left"]
    said: str  # what the API answered, or why it wasn't asked
    status: int | None = None  # of the answer


@dataclass(frozen=True)
class Replayed:
    """What a run has done; `stopped` says why it ended early, `unknown` which names nothing was called by."""

    outcomes: tuple[Outcome, ...]
    stopped: PaycliError | None
    unknown: tuple[str, ...]
    complete: bool
    hidden: int  # messages that somebody holds
    troubles: tuple[str, ...]


@dataclass(frozen=True)
class Replayer:
    """How messages are replayed: by whom, how a request is sent, where answers are kept.

    `confirm` gets the messages that are about to be sent, and raises where they shall not be; `told` gets each outcome.
    With `give_up_missing` a payment that isn't in the table is one that won't come back.
    """

    principal: str
    send: Send
    report: Report
    confirm: Callable[[list[Message]], None]
    told: Told
    internal_errors: bool = False
    give_up_missing: bool = False
    clock: Callable[[], float] = time.monotonic

    def run(self, sqs: Any, url: str, names: Sequence[str], limit: int) -> Replayed:
        """Replay what can be replayed: the messages that are called so, all without names; up to `limit` are looked at.

        The messages that a failing API adds meanwhile are not among them.
        """
        queue = read_facts(sqs, url)
        deadline = self.clock() + _HIDDEN - _LONGEST
        with looking(sqs, queue, seconds=_HIDDEN) as look:
            found, unknown = chosen(look.messages(limit), names)
            plans = [
                (message, advise(message, self.principal, internal_errors=self.internal_errors))
                for message in sorted(found, key=lambda message: message.at)
            ]
            if sent := [message for message, plan in plans if isinstance(plan, Replay)]:
                self.confirm(sent)
            outcomes, stopped = self._all(look, plans, deadline)
        return Replayed(tuple(outcomes), stopped, tuple(unknown), look.complete, look.hidden, tuple(look.troubles))

    def _all(
        self, look: Look, plans: list[tuple[Message, Replay | Left]], deadline: float
    ) -> tuple[list[Outcome], PaycliError | None]:
        outcomes: list[Outcome] = []
        failures = 0
        for message, plan in plans:
            if isinstance(plan, Left):
                outcome = Outcome(message, "left", plan.why)
            elif self.clock() > deadline:
                return outcomes, _late()
            else:
                outcome = self._replay(look, message, plan)
                failures = failures + 1 if outcome.verdict == "later" else 0
            outcomes.append(outcome)
            self.told(outcome)
            if stopped := _stop(outcome, failures):
                return outcomes, stopped
        return outcomes, None

    def _replay(self, look: Look, message: Message, request: Replay) -> Outcome:
        try:
            answer = self.send(request)
        except PaycliError as error:
            if error.code != "unreachable":
                raise
            return Outcome(message, "later", error.message)
        verdict, said = judge(answer, request, message)
        if verdict == "missing" and self.give_up_missing:
            verdict = "refused"
        if verdict in ("done", "refused"):
            told = {"status": answer.status, "body": _body(answer)}
            self.report.write(look.queue, message, action="replayed", principal=self.principal, answer=told)
            look.delete(message)
        return Outcome(message, verdict, said, answer.status)


def judge(answer: Answer, request: Replay, message: Message) -> tuple[Verdict, str]:
    """Say what an answer means for its message: only one for good takes it from the queue."""
    body = _body(answer)
    said = body if isinstance(body, dict) else {}
    if answer.status == HTTPStatus.OK and said.get("status") == _DONE[request.operation]:
        ours = message.text("transaction_id")
        if ours and said.get("transaction_id") != ours:
            return "wrong", f"the API speaks of another payment: {said.get('transaction_id')} in place of {ours}"
        again = " (it had been done before)" if "idempotent-replayed" in answer.headers else ""
        return "done", f"{_DONE[request.operation]}{again}"
    code = said.get("code")
    if (code, answer.status) == _MISSING:
        return "missing", f"{code}: the payment isn't in the table"
    if isinstance(code, str) and _REFUSALS.get(code) == answer.status:
        return "refused", code
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "later", str(code or answer.status)
    return "wrong", f"the answer {answer.status} is none of the payment API's: {code or 'it has no code'}"


def _stop(outcome: Outcome, failures: int) -> PaycliError | None:
    """Return why nothing more is to be sent after this outcome, if so."""
    if outcome.verdict == "wrong":
        rights = "Has this caller the right execute-api:Invoke on this API? " if outcome.status in (401, 403) else ""
        return PaycliError(
            f"Stopped at {outcome.message.name}: {outcome.said}.",
            hint=f"{rights}Its message is in the queue; nothing else was sent.",
            code="unexpected_answer",
        )
    if failures == _FAILURES:
        return PaycliError(
            f"Stopped: the API failed {_FAILURES} times in a row, the last time with {outcome.said}.",
            hint="The messages are in the queue. See `paycli status`, and replay them when the API is well.",
            code="api_failing",
        )
    return None


def _late() -> PaycliError:
    return PaycliError(
        f"Stopped after {_HIDDEN - _LONGEST} s, while nobody else could receive the messages.",
        hint="Run it again: it takes up what is left.",
        code="time_over",
    )


def _body(answer: Answer) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return answer.body.decode(errors="replace")
