"""GET /health answers how the system fares; the scheduled run alerts when that changes."""

import contextlib
import json
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from handlers.payments import aws
from handlers.payments.http import Answer, Call, serve
from handlers.payments.observability import Record
from handlers.payments.transactions import timestamp

ROUTE = ("GET", "/health")
CACHE_SECONDS = 60

# By severity; the position is the value of the metric HealthState.
STATES = ("healthy", "degraded", "unknown", "critical")

PERIOD = 60  # seconds, as in all windows here
RATE_WINDOW = 300  # for rates and latencies
LAST_WINDOW = 900  # for gauges, as queues report late; the newest value counts
STALE = 110  # the run before is not on record


class _Series:
    """The values of MetricDataResults by time; partial results are left out."""

    def __init__(self, results: list[dict[str, Any]], now: datetime) -> None:
        self._since = now - timedelta(seconds=RATE_WINDOW)
        self.points: dict[str, list[tuple[datetime, float]]] = {
            result["Id"]: sorted(zip(result["Timestamps"], result["Values"], strict=True))
            for result in results
            if result["StatusCode"] == "Complete"
        }

    def recent(self, *names: str) -> list[float]:
        return [value for name in names for time, value in self.points[name] if time >= self._since]

    def percent(self, parts: list[str], *whole: str) -> float | None:
        """Return the share of the parts in the whole; None without traffic."""
        part, total = sum(self.recent(*parts)), sum(self.recent(*whole))
        return 100 * min(part / total, 1) if total else None

    def last(self, name: str) -> float | None:
        return self.points[name][-1][1] if self.points[name] else None


class _Check(NamedTuple):
    """A line of the report."""

    name: str
    metric: str
    value: Callable[[_Series], float | None]
    window: int = RATE_WINDOW


# API Gateway's of the payment routes: our own 503s, polled, would keep it critical for ever.
CHECKS = (
    _Check(
        "api_5xx_percent",
        "5XXError / Count of /validate and /process",
        lambda series: series.percent(["validate_faults", "process_faults"], "validate_requests", "process_requests"),
    ),
    _Check(
        "api_latency_p99_ms",
        "Latency p99, highest minute",
        lambda series: max(series.recent("validate_latency", "process_latency"), default=None),
    ),
    _Check(
        "validation_errors_percent",
        "(Errors + Faults) / Invocations",
        lambda series: series.percent(["validation_errors", "validation_faults"], "validation_invocations"),
    ),
    _Check(
        "processing_errors_percent",
        "(Errors + Faults) / Invocations",
        lambda series: series.percent(["processing_errors", "processing_faults"], "processing_invocations"),
    ),
    _Check(
        "table_throttles",
        "ReadThrottleEvents + WriteThrottleEvents",
        lambda series: sum(series.recent("table_reads", "table_writes")),
    ),
    _Check(
        "queue_oldest_seconds",
        "ApproximateAgeOfOldestMessage",
        lambda series: series.last("queue_oldest"),
        LAST_WINDOW,
    ),
    _Check(
        "dead_letter_depth",
        "ApproximateNumberOfMessagesVisible",
        lambda series: series.last("dead_letters"),
        LAST_WINDOW,
    ),
)


# Id, namespace, metric, statistic, dimensions; a name in capitals is an environment variable.
_SERIES = """
validate_requests AWS/ApiGateway Count Sum ApiName=API_NAME Stage=API_STAGE Method=POST Resource=/validate
validate_faults AWS/ApiGateway 5XXError Sum ApiName=API_NAME Stage=API_STAGE Method=POST Resource=/validate
process_requests AWS/ApiGateway Count Sum ApiName=API_NAME Stage=API_STAGE Method=POST Resource=/process
process_faults AWS/ApiGateway 5XXError Sum ApiName=API_NAME Stage=API_STAGE Method=POST Resource=/process
validate_latency AWS/ApiGateway Latency p99 ApiName=API_NAME Stage=API_STAGE Method=POST Resource=/validate
process_latency AWS/ApiGateway Latency p99 ApiName=API_NAME Stage=API_STAGE Method=POST Resource=/process
validation_invocations AWS/Lambda Invocations Sum FunctionName=VALIDATION_FUNCTION
validation_errors AWS/Lambda Errors Sum FunctionName=VALIDATION_FUNCTION
validation_faults METRIC_NAMESPACE Faults Sum FunctionName=VALIDATION_FUNCTION
processing_invocations AWS/Lambda Invocations Sum FunctionName=PROCESSING_FUNCTION
processing_errors AWS/Lambda Errors Sum FunctionName=PROCESSING_FUNCTION
processing_faults METRIC_NAMESPACE Faults Sum FunctionName=PROCESSING_FUNCTION
table_reads AWS/DynamoDB ReadThrottleEvents Sum TableName=TABLE_NAME
table_writes AWS/DynamoDB WriteThrottleEvents Sum TableName=TABLE_NAME
queue_oldest AWS/SQS ApproximateAgeOfOldestMessage Maximum QueueName=QUEUE_NAME
dead_letters AWS/SQS ApproximateNumberOfMessagesVisible Maximum QueueName=DEAD_LETTER_QUEUE_NAME
last_state METRIC_NAMESPACE HealthState Maximum Environment=ENVIRONMENT
"""


def _queries(names: Mapping[str, str]) -> list[dict[str, Any]]:
    """The MetricDataQueries; `names` are the environment variables."""
    found = []
    for series in _SERIES.strip().splitlines():
        id_, namespace, metric, statistic, *pairs = series.split()
        dimensions = (pair.split("=") for pair in pairs)
        of = {
            "Namespace": names.get(namespace, namespace),
            "MetricName": metric,
            "Dimensions": [{"Name": name, "Value": names.get(value, value)} for name, value in dimensions],
        }
        period = 1 if id_ == "last_state" else PERIOD  # by the second: two runs may share a minute
        found.append({"Id": id_, "MetricStat": {"Metric": of, "Period": period, "Stat": statistic}})
    return found


def _report(series: _Series | None, thresholds: dict[str, list[float]], now: datetime) -> dict[str, Any]:
    """The body of GET /health; without series everything is unknown."""
    checks = [_result(check, series, *thresholds[check.name]) for check in CHECKS]
    return {
        "status": max((check["state"] for check in checks), key=STATES.index),
        "checked_at": timestamp(now.timestamp()),
        "checks": checks,
    }


def _result(check: _Check, series: _Series | None, degraded: float, critical: float) -> dict[str, Any]:
    value = None
    state = "unknown"
    if series:
        with contextlib.suppress(KeyError):  # one of its metrics was not answered
            value = check.value(series)
            reached = -1 if value is None else value  # None: no traffic, nothing in the queue
            state = "critical" if reached >= critical else "degraded" if reached >= degraded else "healthy"
    return {
        "name": check.name,
        "metric": check.metric,
        "value": None if value is None else round(value, 3),
        "threshold": {"degraded": degraded, "critical": critical},
        "window_seconds": check.window,
        "state": state,
    }


class Monitor:
    """What an execution environment keeps."""

    def __init__(
        self, names: Mapping[str, str], cloudwatch: Any, sns: Any, clock: Callable[[], float] = time.time
    ) -> None:
        self._queries = _queries(names)
        self._thresholds = json.loads(names["HEALTH_THRESHOLDS"])  # of each check: degraded, critical
        self._api, self._topic = names["API_NAME"], names["TOPIC_ARN"]
        self._cloudwatch, self._sns, self._clock = cloudwatch, sns, clock
        self._report: dict[str, Any] = {}
        self._fresh_until = 0.0
        self._recorded = (datetime.fromtimestamp(0, UTC), 0.0)  # when, and the state

    def respond(self, event: object, context: object) -> dict[str, Any] | None:
        """Answer; API Gateway's events have no source."""
        if isinstance(event, dict) and event.get("source") == "aws.events" and "httpMethod" not in event:
            self._run(context)
            return None
        return serve(Call(event, context, ROUTE), self._answer)

    def _answer(self, call: Call) -> Answer:
        """Answer from the cache: callers can neither alert nor cost more calls."""
        if self._clock() >= self._fresh_until:
            self._look(call.record)
        state = call.record.fields["outcome"] = self._report["status"]
        return self._report, 503 if state == "critical" else 200, False

    def _run(self, context: object) -> None:
        """Alert on a change. A failure is raised: Lambda tries again, then keeps the dead letter."""
        record = Record("scheduled", getattr(context, "aws_request_id", ""))
        try:
            self._alert_on_change(record)
        except Exception as error:
            record.failed(error)
            raise
        finally:
            record.write()

    def _alert_on_change(self, record: Record) -> None:
        """Compare with the last state, of memory or metric (which lags). An alert may come twice."""
        series = self._look(record)
        read = series.points.get("last_state", [])[-1:] if series else []
        at, value = max([self._recorded, *read])
        before = STATES[int(value)] if self._clock() - at.timestamp() < STALE else "unknown"
        state = self._report["status"]
        record.fields.update(outcome=state, previous=before)
        if state != before:
            subject = f"{self._api} is {state}, was {before}"
            self._sns.publish(TopicArn=self._topic, Subject=subject, Message=json.dumps(self._report, indent=2))
            record.fields["alerted"] = True
        value = STATES.index(state)
        self._recorded = (datetime.fromtimestamp(self._clock(), UTC), value)
        record.metric("HealthState", value, resolution=1)

    def _look(self, record: Record) -> _Series | None:
        """Make the report, in one call; None if CloudWatch fails."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        minute = now.replace(second=0, microsecond=0)
        series = None
        try:
            reply = self._cloudwatch.get_metric_data(
                MetricDataQueries=self._queries,
                StartTime=minute - timedelta(seconds=LAST_WINDOW),
                EndTime=minute + timedelta(seconds=PERIOD),
            )
            series = _Series(reply["MetricDataResults"], now)
        except Exception as error:  # noqa: BLE001 - unknown, never down
            record.error(error)
        self._report = _report(series, self._thresholds, now)
        self._fresh_until = now.timestamp() + CACHE_SECONDS
        return series


_cloudwatch, _sns = (aws.client(name, attempts=2, read_timeout=2) for name in ("cloudwatch", "sns"))
_monitor = Monitor(os.environ, _cloudwatch, _sns)
aws.end_init(_cloudwatch)


def handler(event: object, context: object) -> dict[str, Any] | None:
    """Answer Lambda."""
    return _monitor.respond(event, context)
