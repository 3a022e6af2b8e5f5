"""What the checks of one run share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paycli.api_client import ApiClient
from paycli.errors import PaycliError
from paycli.smoke import readiness
from paycli.smoke.ledger import Ledger
from paycli.smoke.patience import Once, Patience
from paycli.smoke.payment_api import PaymentApi
from paycli.smoke.queue import FailedQueue
from paycli.smoke.result import CheckFailed, NotYet

if TYPE_CHECKING:
    from paycli.api_client import Answer
    from paycli.aws import Aws
    from paycli.environment import Environment

_NEEDED = (
    "APIEndpoint",
    "TransactionsTableName",
    "AlarmTopicArn",
    "DashboardName",
    "RestApiId",
    "StageName",
    "FailedTransactionsQueueUrl",
    "ValidationFunctionName",
    "ProcessingFunctionName",
    "HealthMonitorFunctionName",
)

_SETTLING = 5.0  # seconds in which AWS's count forgets what was just deleted

# A healthy API answers in well under a second; a run that is interrupted waits for it this long.
_TIMEOUT = 10.0  # seconds


@dataclass(frozen=True)
class Target:
    """A deployed stack.

    `outputs` are the stack's, with an APIEndpoint that can be called from here; `code_sha256` is the
    package's digest as Lambda's CodeSha256 writes it (base64), None where it isn't known.
    """

    aws: "Aws"
    environment: "Environment"
    outputs: Mapping[str, str]
    code_sha256: str | None = None


class Session:
    """One run: its target, its deadline, its traces, and what checks find out for each other."""

    def __init__(self, target: Target, patience: Patience) -> None:
        """Raise PaycliError where the stack lacks an output that the checks need."""
        missing = [name for name in _NEEDED if not target.outputs.get(name)]
        if missing:
            raise PaycliError(
                f"The stack {target.environment.stack_name} has no output {', '.join(missing)}.",
                hint=f"Bring it up to date: `paycli deploy --env {target.environment.name}`.",
                code="outputs_missing",
            )
        self.target = target
        self.patience = patience
        self.ledger = Ledger()
        self.client = ApiClient(target.aws, target.outputs["APIEndpoint"], timeout=_TIMEOUT)
        self.signed = target.environment.authorization == "iam"
        self.api = PaymentApi(self.client, signed=self.signed, patience=patience, ledger=self.ledger)
        self.queue = FailedQueue(
            target.aws.client("sqs"),
            target.outputs["FailedTransactionsQueueUrl"],
            retained=target.environment.retain_data,
        )
        aws, outputs = target.aws, target.outputs
        names = [outputs[output] for output in readiness.FUNCTIONS]
        self.table = Once(
            lambda: readiness.table_active(patience, aws.client("dynamodb"), outputs["TransactionsTableName"])
        )
        self.functions = Once(lambda: readiness.functions_settled(patience, aws.client("lambda"), names))
        self.health = Once(lambda: readiness.api_answers(patience, self.api, signed=self.signed))
        self.queue_before = Once(self.queue.look)
        self.rejection = Once(self._reject)

    def wait_until_ready(self) -> None:
        """Return when the stack can take payments; raise CheckFailed where it can't by the deadline.

        Whoever sends a payment calls this first: it also counts the failures that are there without it.
        """
        self.functions()
        self.table()
        self.health()
        self.queue_before()

    def _reject(self) -> "Answer":
        """Send the run's one bad payment and return the answer, whose status is 400.

        Two checks look at it, so that a queue which keeps its messages gets one and not two.
        """
        self.wait_until_ready()
        self._look_again()
        return self.api.expect(
            400,
            "POST",
            "validate",
            {"amount": 10.001, "currency": "USD", "customer_id": self.ledger.customer},
        )

    def _look_again(self) -> None:
        """On AWS, give the count a moment to forget what an earlier run has just removed."""
        if self.target.environment.target == "embedded" or self.target.environment.retain_data:
            return

        def attempt() -> None:
            if self.queue.look():
                raise NotYet("an empty queue", f"{self.queue.before} messages")

        try:
            self.patience.until(attempt, within=_SETTLING)
        except CheckFailed:
            return  # it holds failures: keeps_messages says so, and the check sees its own another way
