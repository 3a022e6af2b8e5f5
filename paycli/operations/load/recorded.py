"""What a run left in the failed-transactions queue: each failure is there, or was counted as lost."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from paycli.operations.reconciliation import Discrepancy, Exchange, expected_records
from paycli.smoke.queue import FailedQueue, parsed

if TYPE_CHECKING:
    from paycli.aws import Aws

_BATCH = 10  # what one receive may return at most
_HIDDEN = 60  # seconds; what an interrupted run received is back after that
_LONG_POLL = 1  # seconds; more than 0 asks all of SQS's servers
_PAUSE = 1.0  # seconds
_SKEW = 300  # seconds that this machine's clock may be ahead of CloudWatch's
_LOST = "FailureMessagesLost"


@dataclass(frozen=True)
class Records:
    """What the queue says. `messages` is None where it may not be received from, and `kept` says why not.

    `grown` is then by how much its count has grown; `expected` is the number of messages that must be there, `lost`
    how many of them the functions counted as lost.
    """

    expected: int
    lost: int
    messages: list[dict[str, Any]] | None
    grown: int = 0
    kept: str = ""

    @property
    def recorded(self) -> int:
        """How many messages there are, as far as that is known."""
        return self.grown if self.messages is None else len(_ids(self.messages))

    def discrepancies(self) -> list[Discrepancy]:
        """Return the one that the queue's count tells where nothing may be received."""
        if self.messages is not None or self.grown + self.lost >= self.expected:
            return []
        said = f"{self.grown} more messages, {self.lost} counted as lost, {self.expected} expected"
        return [Discrepancy("fewer_recorded_than_failed", said)]


@dataclass
class Recorder:
    """The queue before and after the load; `patience` is how many seconds a message or a count may take to show."""

    aws: "Aws"
    outputs: Mapping[str, str]
    prefix: str
    retained: bool
    patience: float
    began: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        """Look at the queue before anything is sent: only one that is empty may be received from."""
        self._sqs = self.aws.client("sqs")
        self._url = self.outputs["FailedTransactionsQueueUrl"]
        self._queue = FailedQueue(self._sqs, self._url, retained=self.retained)
        self._queue.look()

    def read(self, exchanges: Iterable[Exchange], *, keep: bool) -> Records:
        """Return what the exchanges have left, and remove it; with `keep`, and where real failures may be, only count.

        A message of somebody else ends the receiving for good: a receive counts towards its dead-lettering.
        """
        sent = list(exchanges)
        expected = expected_records(sent)
        if keep and not self._queue.keeps_messages:
            self._queue.keeps_messages = "it was asked for (--keep)"
        ids = {request for request, _ in expected} | {each.transaction_id for each in sent if each.acknowledged}
        uncertain = any(each.status is None or each.by_gateway for each in sent)
        messages = self._drain(ids, expected, uncertain=uncertain)
        recorded = _ids(messages)
        if not self._queue.keeps_messages:
            lost = self._lost(expected - recorded) if expected - recorded else 0
            return Records(len(expected), lost, messages)
        grown = self._grown(len(expected) - len(recorded)) + len(recorded)
        lost = self._lost(expected) if grown < len(expected) else 0
        return Records(len(expected), lost, None, grown, self._queue.keeps_messages)

    def _drain(self, ids: set[str], expected: set[tuple[str, str]], *, uncertain: bool) -> list[dict[str, Any]]:
        """Receive and remove the run's messages until all are there, or none has come for `patience` seconds."""
        messages: list[dict[str, Any]] = []
        missing = set(expected)
        ends = time.monotonic() + self.patience
        while not self._queue.keeps_messages and (missing or uncertain or self._queue.waiting()):
            own = self._take(ids)
            messages += own
            missing -= _ids(own)
            if own:
                ends = time.monotonic() + self.patience
            elif time.monotonic() > ends:
                break
        return messages

    def _take(self, ids: set[str]) -> list[dict[str, Any]]:
        received = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=_BATCH,
            VisibilityTimeout=_HIDDEN,
            WaitTimeSeconds=_LONG_POLL,
        ).get("Messages", [])
        own: list[dict[str, Any]] = []
        entries: list[dict[str, str]] = []
        for message in received:
            body = parsed(message["Body"])
            if self._owns(body, ids):
                own.append(body)
                entries.append({"Id": str(len(entries)), "ReceiptHandle": message["ReceiptHandle"]})
            else:
                self._queue.keeps_messages = "a failure of somebody else's arrived meanwhile"
                self._sqs.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
                )
        if entries:
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
        return own

    def _owns(self, body: Any, ids: set[str]) -> bool:
        if not isinstance(body, dict) or not {"request_id", "kind"} <= body.keys():
            return False
        customer = (body.get("payment") or {}).get("customer_id", "")
        return str(customer).startswith(self.prefix) or bool({body["request_id"], body.get("transaction_id")} & ids)

    def _grown(self, expected: int) -> int:
        """Return by how much the queue has grown, once that is enough or the patience is over: counts are late."""
        ends = time.monotonic() + self.patience
        while (grown := self._queue.waiting() - self._queue.before) < expected and time.monotonic() < ends:
            time.sleep(_PAUSE)
        return grown

    def _lost(self, missing: set[tuple[str, str]]) -> int:
        """Return how many of the missing messages the functions logged as lost: log lines are late, too."""
        requests = {request for request, _ in missing}
        ends = time.monotonic() + self.patience
        while (count := len(self._logged_as_lost() & requests)) < len(missing) and time.monotonic() < ends:
            time.sleep(_PAUSE)
        return count

    def _logged_as_lost(self) -> set[str]:
        lost: set[str] = set()
        logs, functions = self.aws.client("logs"), self.aws.client("lambda")
        for output in ("ValidationFunctionName", "ProcessingFunctionName"):
            function = functions.get_function_configuration(FunctionName=self.outputs[output])
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=function.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{self.outputs[output]}",
                startTime=int((self.began - _SKEW) * 1000),
                filterPattern=f'"{_LOST}"',
            )
            lines = [parsed(event["message"]) for page in pages for event in page["events"]]
            lost |= {str(line.get("request_id")) for line in lines if isinstance(line, dict) and line.get(_LOST)}
        return lost


def _ids(messages: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return what tells messages apart: SQS may deliver one twice."""
    return {(str(message["request_id"]), str(message["kind"])) for message in messages}
