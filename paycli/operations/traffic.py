"""What became of the payments of the last minutes, as the functions counted them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from paycli.stack.names import METRIC_NAMESPACE

if TYPE_CHECKING:
    from paycli.environment import Environment

MINUTES = 15
_PERIOD = 60  # seconds
_BY_ENVIRONMENT = (
    "PaymentsValidated",
    "PaymentsProcessed",
    "PaymentsReplayed",
    "PaymentsRejected",
    "FailureMessagesLost",
)
_FUNCTIONS = ("payment-validation", "payment-processing")


@dataclass(frozen=True)
class Traffic:
    """Counts of `MINUTES`; a metric lags by a minute or two. `seen` is False where none of them has a value."""

    seen: bool
    validated: int
    processed: int
    replayed: int
    rejected: int
    failed: int  # answered 5xx
    failures_lost: int  # failed or rejected, and could not be put into the failed-transactions queue


def read_traffic(cloudwatch: Any, environment: "Environment") -> Traffic:
    """Ask for the functions' own metrics (one call)."""
    now = datetime.now(UTC)
    queries = [
        *(_query(metric, metric, "Environment", environment.name) for metric in _BY_ENVIRONMENT),
        *(_query("Faults", part, "FunctionName", environment.named(part)) for part in _FUNCTIONS),
    ]
    found = cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=now - timedelta(minutes=MINUTES), EndTime=now
    )["MetricDataResults"]
    sums = {result["Label"]: round(sum(result["Values"])) for result in found}
    validated, processed, replayed, rejected, lost = (sums.get(metric, 0) for metric in _BY_ENVIRONMENT)
    return Traffic(
        seen=any(result["Values"] for result in found),
        validated=validated,
        processed=processed,
        replayed=replayed,
        rejected=rejected,
        failed=sum(sums.get(part, 0) for part in _FUNCTIONS),
        failures_lost=lost,
    )


def _query(metric: str, label: str, dimension: str, value: str) -> dict[str, Any]:
    dimensions = [{"Name": dimension, "Value": value}]
    what = {"Namespace": METRIC_NAMESPACE, "MetricName": metric, "Dimensions": dimensions}
    identity = "".join(letter for letter in label.lower() if letter.isalpha())  # a letter first, no hyphens
    return {"Id": identity, "Label": label, "MetricStat": {"Metric": what, "Period": _PERIOD, "Stat": "Sum"}}
