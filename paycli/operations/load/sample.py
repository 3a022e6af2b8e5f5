"""One request of a load test with its answer and its times: what a worker reports, and what the ledger keeps."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from http import HTTPStatus
from typing import Any

from paycli.operations.load.traffic import Request
from paycli.operations.reconciliation import Exchange

GOOD = "as expected"
THROTTLED = "throttled"
_UNLIKE = "answers another request"


@dataclass(frozen=True)
class Sample:
    """An exchange of one `kind`; `due` is the arrival, in seconds from the start.

    `latency` is the seconds from the arrival, not from the sending, to the answer: a load test that sends late hides
    nothing. `late` is how much of it was the load test's own. `code` is the problem's, or what else went wrong.
    """

    kind: str
    due: float
    latency: float
    late: float
    code: str
    exchange: Exchange

    @property
    def outcome(self) -> str:
        """Return GOOD, THROTTLED, or the kind of the error."""
        status = self.exchange.status
        if status is None:
            return self.code or "no answer"
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return THROTTLED
        refused = self.kind == "invalid"
        if status == (HTTPStatus.BAD_REQUEST if refused else HTTPStatus.OK) and (refused or not self.code):
            return GOOD
        return f"{status} {self.code}".rstrip()

    def row(self) -> list[Any]:
        """Return it as a JSON array."""
        return [self.kind, self.due, self.latency, self.late, self.code, *astuple(self.exchange)]


def from_row(row: list[Any]) -> Sample:
    """Return what `Sample.row` gave."""
    kind, due, latency, late, code, *exchange = row
    return Sample(kind, due, latency, late, code, Exchange(*exchange))


def exchange_of(
    request: Request, status: int | None, headers: Mapping[str, str], said: Mapping[str, Any]
) -> tuple[str, Exchange]:
    """Return the code of an answer, empty where all is well, and the exchange; `headers` have lower-case names."""
    told = {name: str(said.get(name, "")) for name in ("transaction_id", "processed_at", "request_id", "created_at")}
    code = str(said.get("code", ""))
    validate = request.operation == "validate"
    if status == HTTPStatus.OK and _differs(request, said):
        code = _UNLIKE
    exchange = Exchange(
        request.operation,
        request.payment,
        request.customer,
        status,
        told["transaction_id"] if validate else request.transaction_id,
        told["processed_at"],
        told["request_id"],
        amount_minor=request.minor,
        currency="USD" if request.minor else "",
        created_at=told["created_at"],
        # The functions mark their answers as not to be sniffed; API Gateway's own have no mark.
        by_gateway=status is not None and "x-content-type-options" not in headers,
    )
    return code, exchange


def _differs(request: Request, said: Mapping[str, Any]) -> bool:
    """Whether a 200 speaks of something else than what was sent."""
    if request.operation == "process":
        return said.get("transaction_id") != request.transaction_id
    return (said.get("customer_id"), said.get("amount_minor")) != (request.customer, request.minor)
