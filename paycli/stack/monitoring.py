"""The alarms: `watches` lists every one. To add an alarm, add a Watch there.

Metrics and dimensions:
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from troposphere import Ref, Template
from troposphere.cloudwatch import Alarm, Metric, MetricDataQuery, MetricDimension, MetricStat
from troposphere.sns import Topic

from paycli.stack.names import METRIC_NAMESPACE, STAGE_NAME

if TYPE_CHECKING:
    from paycli.environment import Environment

FIVE_MINUTES = 300
ONE_MINUTE = 60


@dataclass(frozen=True)
class Series:
    """One metric of one thing, as CloudWatch keeps it."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str | Ref]
    statistic: str


@dataclass(frozen=True)
class Watch:
    """One alarm: in every period the series, or the expression over them, is compared with the threshold."""

    title: str
    part: str
    description: str
    series: Mapping[str, Series]  # by the name that the expression uses
    threshold: float
    expression: str | None = None  # None: the one series itself
    comparison: Literal["GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold"] = (
        "GreaterThanOrEqualToThreshold"
    )
    missing: Literal["breaching", "notBreaching"] = "notBreaching"  # no traffic is healthy
    period: int = FIVE_MINUTES  # seconds
    periods: int = 1


def add_alarms(template: Template, environment: "Environment", topic: Topic) -> list[Alarm]:
    """Add every alarm; each tells the topic when it comes and when it goes."""
    return [template.add_resource(_alarm(environment, topic, watch)) for watch in watches(environment)]


def watches(environment: "Environment") -> list[Watch]:
    """Return every alarm of the stack."""
    limits = environment.alarms
    # Of the payment routes: GET /health answers 503 by itself, and reads CloudWatch.
    validate, process = (
        {
            "ApiName": environment.named("payment-api"),
            "Stage": STAGE_NAME,
            "Method": "POST",
            "Resource": path,
        }
        for path in ("/validate", "/process")
    )
    table = {"TableName": environment.named("transactions")}
    failed = {"QueueName": environment.named("failed-transactions")}
    dead_letters = {"QueueName": environment.named("failed-transactions-dlq")}
    failures = {"QueueName": environment.named("function-failures")}
    validation, processing, health_monitor = (
        {"FunctionName": environment.named(part)}
        for part in ("payment-validation", "payment-processing", "health-monitor")
    )
    return [
        Watch(
            "ApiLatencyAlarm",
            "api-latency",
            f"1 of 100 requests takes longer than {limits.latency_p99_ms} ms, from end to end.",
            {
                "validate": Series("AWS/ApiGateway", "Latency", validate, "p99"),
                "process": Series("AWS/ApiGateway", "Latency", process, "p99"),
            },
            limits.latency_p99_ms,
            expression="MAX([FILL(validate, 0), FILL(process, 0)])",
            comparison="GreaterThanThreshold",
        ),
        Watch(
            "ApiErrorsAlarm",
            "api-5xx",
            f"At least {limits.api_5xx_percent} % of the answers are 5xx.",
            {
                "faults": Series("AWS/ApiGateway", "5XXError", validate, "Sum"),
                "more_faults": Series("AWS/ApiGateway", "5XXError", process, "Sum"),
                "requests": Series("AWS/ApiGateway", "Count", validate, "Sum"),
                "more_requests": Series("AWS/ApiGateway", "Count", process, "Sum"),
            },
            limits.api_5xx_percent,
            expression="100 * (FILL(faults, 0) + FILL(more_faults, 0)) / (FILL(requests, 0) + FILL(more_requests, 0))",
        ),
        _errors("ValidationErrorsAlarm", "validation-errors", "validate", validation, limits.errors),
        _errors("ProcessingErrorsAlarm", "processing-errors", "process", processing, limits.errors),
        Watch(
            "LambdaThrottlesAlarm",
            "lambda-throttles",
            "Lambda refused to start a function: its reserved concurrency or the account's limit is used up.",
            {
                "validation": Series("AWS/Lambda", "Throttles", validation, "Sum"),
                "processing": Series("AWS/Lambda", "Throttles", processing, "Sum"),
                "health": Series("AWS/Lambda", "Throttles", health_monitor, "Sum"),
            },
            limits.throttles,
            expression="FILL(validation, 0) + FILL(processing, 0) + FILL(health, 0)",
        ),
        Watch(
            "DynamoDBThrottleAlarm",
            "dynamodb-throttle",
            "The table throttles reads or writes.",
            # ThrottledRequests has no data without the dimension Operation.
            {
                "reads": Series("AWS/DynamoDB", "ReadThrottleEvents", table, "Sum"),
                "writes": Series("AWS/DynamoDB", "WriteThrottleEvents", table, "Sum"),
            },
            limits.throttles,
            expression="FILL(reads, 0) + FILL(writes, 0)",
        ),
        Watch(
            "FailedTransactionsAgeAlarm",
            "failed-transactions-age",
            f"A refused or failed payment has waited for {limits.failed_queue_age_hours} h. "
            "SQS drops it after 14 days: look at it and replay it.",
            {"age": Series("AWS/SQS", "ApproximateAgeOfOldestMessage", failed, "Maximum")},
            limits.failed_queue_age_hours * 3600,
        ),
        Watch(
            "FailedTransactionsDeadLetterAlarm",
            "failed-transactions-dlq-depth",
            "A failed payment was received five times and not replayed. SQS drops it 14 days after it was sent.",
            {"depth": Series("AWS/SQS", "ApproximateNumberOfMessagesVisible", dead_letters, "Maximum")},
            1,
        ),
        Watch(
            "FunctionFailuresAlarm",
            "function-failures-depth",
            "A scheduled run of the health monitor failed, and so did its retry. Its event is in the queue.",
            {"depth": Series("AWS/SQS", "ApproximateNumberOfMessagesVisible", failures, "Maximum")},
            1,
        ),
        Watch(
            "HealthMonitorSilenceAlarm",
            "health-monitor-silence",
            f"The health monitor has said nothing for {limits.health_silence_minutes} minutes: nobody would be "
            "told of a bad state. It says 0 healthy, 1 degraded, 2 unknown, 3 critical.",
            {"runs": Series(METRIC_NAMESPACE, "HealthState", {"Environment": environment.name}, "SampleCount")},
            1,
            comparison="LessThanThreshold",
            missing="breaching",
            period=ONE_MINUTE,
            periods=limits.health_silence_minutes,
        ),
        *([_failed_backup()] if environment.backup else []),
    ]


def _failed_backup() -> Watch:
    """Return the alarm on a daily backup that came to nothing.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/cloudwatch.html
    """
    vault = {"BackupVaultName": Ref("BackupVault")}
    return Watch(
        "BackupFailuresAlarm",
        "backup-failures",
        "A daily backup of the table failed, or didn't start in time: `aws backup list-backup-jobs` says why.",
        {
            "failed": Series("AWS/Backup", "NumberOfBackupJobsFailed", vault, "Sum"),
            "expired": Series("AWS/Backup", "NumberOfBackupJobsExpired", vault, "Sum"),
        },
        1,
        expression="FILL(failed, 0) + FILL(expired, 0)",
    )


def _errors(title: str, part: str, verb: str, function: Mapping[str, str], threshold: int) -> Watch:
    """Return the alarm on a payment function: a handled 500 is no error to Lambda, so it counts its faults."""
    return Watch(
        title,
        part,
        f"Requests to {verb} a payment failed here {threshold} times in 5 minutes: crashes, time-outs or "
        "answers with 5xx.",
        {
            "errors": Series("AWS/Lambda", "Errors", function, "Sum"),
            "faults": Series(METRIC_NAMESPACE, "Faults", function, "Sum"),
        },
        threshold,
        expression="FILL(errors, 0) + FILL(faults, 0)",
    )


def _alarm(environment: "Environment", topic: Topic, watch: Watch) -> Alarm:
    alarm = Alarm(
        watch.title,
        AlarmName=environment.named(watch.part),
        AlarmDescription=f"{watch.description} What to do: {environment.alarms.runbook}#{watch.part}",
        ComparisonOperator=watch.comparison,
        Threshold=watch.threshold,
        EvaluationPeriods=watch.periods,
        TreatMissingData=watch.missing,
        AlarmActions=[topic.ref()],
        OKActions=[topic.ref()],
    )
    if watch.expression is None:
        (series,) = watch.series.values()
        percentile = series.statistic.startswith("p")
        alarm.Namespace = series.namespace
        alarm.MetricName = series.metric
        alarm.Dimensions = _dimensions(series)
        setattr(alarm, "ExtendedStatistic" if percentile else "Statistic", series.statistic)
        alarm.Period = watch.period
    else:
        alarm.Metrics = [
            MetricDataQuery(Id="total", Expression=watch.expression, ReturnData=True),
            *(_query(name, series, watch.period) for name, series in watch.series.items()),
        ]
    return alarm


def _query(name: str, series: Series, period: int) -> MetricDataQuery:
    return MetricDataQuery(
        Id=name,
        MetricStat=MetricStat(
            Metric=Metric(Namespace=series.namespace, MetricName=series.metric, Dimensions=_dimensions(series)),
            Period=period,
            Stat=series.statistic,
        ),
        ReturnData=False,
    )


def _dimensions(series: Series) -> list[MetricDimension]:
    return [MetricDimension(Name=name, Value=value) for name, value in series.dimensions.items()]
