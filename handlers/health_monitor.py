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


class Series:
    """The values of MetricDataResults by time; partial results are left out."""

    def __init__(self, results: list[dict[str, Any]], now: datetime) -> None:
        self._since = now - timedelta(seconds=RATE_WINDOW)
        self.points: dict[str, list[tuple[datetime, float]]] = {
            result["Id"]: sorted(zip(result["Timestamps"], result["Values"], strict=True))
            for result in results
            if result["StatusCode"] == "Complete"
        }

    def recent(self, name: str) -> list[float]:
        """Return the values in the window of rates."""
        return [value for time, value in self.points[name] if time >= self._since]

    def percent(self, parts: list[str], whole: str, without: str = "") -> float | None:
        """Return the share of the parts in `whole`, both less `without`; None without traffic."""
        less = sum(self.recent(without)) if without else 0
        part = sum(sum(self.recent(name)) for name in parts) - less
        total = sum(self.recent(whole)) - less
        return 100 * min(max(part, 0) / total, 1) if total > 0 else None

    def last(self, name: str) -> float | None:
        """Return the newest value."""
        return self.points[name][-1][1] if self.points[name] else None

    def last_state(self) -> tuple[datetime, str] | None:
        """Return the last recorded state and its minute."""
        points = self.points.get("last_state")
        return (points[-1][0], dict(enumerate(STATES)).get(int(points[-1][1]), "unknown")) if points else None


class Check(NamedTuple):
    """A line of the report; at its thresholds it is degraded, critical."""

    name: str
    metric: str
    value: Callable[[Series], float | None]
    thresholds: tuple[float, float]
    window: int = RATE_WINDOW


# Our own 503s for "critical" are left out (own_answers): polled, they alone would keep it critical for ever.
CHECKS = (
    Check(
        "api_5xx_percent",
        "5XXError / Count",
        lambda series: series.percent(["api_faults"], "api_requests", without="own_answers"),
        (1, 5),
    ),
    Check(
        "api_latency_p99_ms",
        "Latency p99, highest minute",
        lambda series: max(series.recent("api_latency"), default=None),
        (1000, 3000),
    ),
    Check(
        "validation_errors_percent",
        "(Errors + Faults) / Invocations",
        lambda series: series.percent(["validation_errors", "validation_faults"], "validation_invocations"),
        (1, 5),
    ),
    Check(
        "processing_errors_percent",
        "(Errors + Faults) / Invocations",
        lambda series: series.percent(["processing_errors", "processing_faults"], "processing_invocations"),
        (1, 5),
    ),
    Check(
        "table_throttles",
        "ReadThrottleEvents + WriteThrottleEvents",
        lambda series: sum(series.recent("table_reads") + series.recent("table_writes")),
        (1, 100),
    ),
    Check(
        "queue_oldest_seconds",
        "ApproximateAgeOfOldestMessage",
        lambda series: series.last("queue_oldest"),
        (86_400, 259_200),
        LAST_WINDOW,
    ),
    Check(
        "dead_letter_depth",
        "ApproximateNumberOfMessagesVisible",
        lambda series: series.last("dead_letters"),
        (1, 100),
        LAST_WINDOW,
    ),
)


# Id, namespace, metric, statistic, dimension, and the environment variable of its value.
_SERIES = """
api_requests AWS/ApiGateway Count Sum ApiName API_NAME
api_faults AWS/ApiGateway 5XXError Sum ApiName API_NAME
api_latency AWS/ApiGateway Latency p99 ApiName API_NAME
own_answers METRIC_NAMESPACE HealthCriticalAnswers Sum Environment ENVIRONMENT
validation_invocations AWS/Lambda Invocations Sum FunctionName VALIDATION_FUNCTION
validation_errors AWS/Lambda Errors Sum FunctionName VALIDATION_FUNCTION
validation_faults METRIC_NAMESPACE Faults Sum FunctionName VALIDATION_FUNCTION
processing_invocations AWS/Lambda Invocations Sum FunctionName PROCESSING_FUNCTION
processing_errors AWS/Lambda Errors Sum FunctionName PROCESSING_FUNCTION
processing_faults METRIC_NAMESPACE Faults Sum FunctionName PROCESSING_FUNCTION
table_reads AWS/DynamoDB ReadThrottleEvents Sum TableName TABLE_NAME
table_writes AWS/DynamoDB WriteThrottleEvents Sum TableName TABLE_NAME
queue_oldest AWS/SQS ApproximateAgeOfOldestMessage Maximum QueueName QUEUE_NAME
dead_letters AWS/SQS ApproximateNumberOfMessagesVisible Maximum QueueName DEAD_LETTER_QUEUE_NAME
last_state METRIC_NAMESPACE HealthState Maximum Environment ENVIRONMENT
"""


def _queries(names: Mapping[str, str]) -> list[dict[str, Any]]:
    """The MetricDataQueries of the one call; `names` are the environment variables."""
    found = []
    for series in _SERIES.strip().splitlines():
        id_, namespace, metric, statistic, dimension, variable = series.split()
        of = {
            "Namespace": names.get(namespace, namespace),
            "MetricName": metric,
            "Dimensions": [{"Name": dimension, "Value": names[variable]}],
        }
        found.append({"Id": id_, "MetricStat": {"Metric": of, "Period": PERIOD, "Stat": statistic}})
    return found


def _report(series: Series | None, thresholds: dict[str, tuple[float, float]], now: datetime) -> dict[str, Any]:
    """The body of GET /health; without series everything is unknown."""
    checks = [_result(check, series, *thresholds.get(check.name, check.thresholds)) for check in CHECKS]
    return {
        "status": max((check["state"] for check in checks), key=STATES.index),
        "checked_at": timestamp(now.timestamp()),
        "checks": checks,
    }


def _result(check: Check, series: Series | None, degraded: float, critical: float) -> dict[str, Any]:
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
    """The monitor of an execution environment."""

    def __init__(
        self, names: Mapping[str, str], cloudwatch: Any, sns: Any, clock: Callable[[], float] = time.time
    ) -> None:
        self._queries = _queries(names)
        self._thresholds = json.loads(names.get("HEALTH_THRESHOLDS") or "{}")
        self._api, self._topic = names["API_NAME"], names["TOPIC_ARN"]
        self._cloudwatch, self._sns, self._clock = cloudwatch, sns, clock
        self._report: dict[str, Any] = {}
        self._fresh_until = 0.0
        self._recorded: tuple[datetime, str] | None = None  # the last recorded state, and when

    def respond(self, event: object, context: object) -> dict[str, Any]:
        """Answer one event: API Gateway's never has a source."""
        if isinstance(event, dict) and event.get("source") == "aws.events" and "httpMethod" not in event:
            return self._run(context)
        return serve(Call(event, context, ROUTE), self._answer)

    def _answer(self, call: Call) -> Answer:
        """Answer from the cache: callers can neither alert nor cost more calls."""
        if self._clock() >= self._fresh_until:
            self._look(call.record)
        state = call.record.fields["outcome"] = self._report["status"]
        if state == "critical":
            call.record.metric("HealthCriticalAnswers", 1)
        return self._report, 503 if state == "critical" else 200, False

    def _run(self, context: object) -> dict[str, Any]:
        """Alert on a change. A failure is raised, for Lambda to try again and then keep the dead letter."""
        record = Record("scheduled", getattr(context, "aws_request_id", ""))
        try:
            self._alert_on_change(record)
        except Exception as error:
            record.failed(error)
            raise
        finally:
            record.write()
        return {"status": self._report["status"]}

    def _alert_on_change(self, record: Record) -> None:
        """Compare with the last state, in memory or in its metric, which lags; without one only bad news is news.

        Recorded after the alert, which may come twice; two runs in a minute may hide a change.
        """
        series = self._look(record)
        known = [each for each in (self._recorded, series and series.last_state()) if each]
        before = max(known)[1] if known else "healthy"
        state = self._report["status"]
        record.fields.update(outcome=state, previous=before)
        if state != before:
            subject = f"{self._api} is {state}, was {before}"
            self._sns.publish(TopicArn=self._topic, Subject=subject, Message=json.dumps(self._report, indent=2))
            record.fields["alerted"] = True
        self._recorded = (datetime.fromtimestamp(self._clock(), UTC), state)
        record.metric("HealthState", STATES.index(state))

    def _look(self, record: Record) -> Series | None:
        """Read all metrics in one call, into the report; None if CloudWatch fails."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        minute = now.replace(second=0, microsecond=0)
        series = None
        try:
            reply = self._cloudwatch.get_metric_data(
                MetricDataQueries=self._queries,
                StartTime=minute - timedelta(seconds=LAST_WINDOW),
                EndTime=minute + timedelta(seconds=PERIOD),
            )
            series = Series(reply["MetricDataResults"], now)
        except Exception as error:  # noqa: BLE001 - unknown, never down
            record.error(error)
        self._report = _report(series, self._thresholds, now)
        self._fresh_until = now.timestamp() + CACHE_SECONDS
        return series


_cloudwatch, _sns = (aws.client(name, attempts=2, read_timeout=2) for name in ("cloudwatch", "sns"))
_monitor = Monitor(os.environ, _cloudwatch, _sns)
aws.end_init(_cloudwatch)


def handler(event: object, context: object) -> dict[str, Any]:
    """Answer Lambda."""
    return _monitor.respond(event, context)
