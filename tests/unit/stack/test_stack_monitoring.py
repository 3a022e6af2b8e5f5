"""Alarms and dashboard: what the one on call sees."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


def alarms(built: Any) -> dict[str, dict[str, Any]]:
    suffix = f"-{built.environment.name}"
    return {a["AlarmName"].removesuffix(suffix): a for a in built.of_type("AWS::CloudWatch::Alarm").values()}


def metrics(alarm: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Namespace, metric and statistic of each series."""
    if "MetricName" in alarm:
        statistic = alarm.get("Statistic") or alarm["ExtendedStatistic"]
        return {(alarm["Namespace"], alarm["MetricName"], statistic)}
    series = [query["MetricStat"] for query in alarm["Metrics"] if "MetricStat" in query]
    return {(s["Metric"]["Namespace"], s["Metric"]["MetricName"], s["Stat"]) for s in series}


@pytest.mark.parametrize("name", ["dev", "prod", "local"])
def test_every_alarm_tells_the_topic_when_it_comes_and_goes(name: str, stack: Any) -> None:
    topic = [{"Ref": "AlarmTopic"}]
    for part, alarm in alarms(stack(name)).items():
        assert alarm["AlarmActions"] == topic, part
        assert alarm["OKActions"] == topic, part
        assert len(alarm["AlarmDescription"]) > 20, part
        assert alarm["TreatMissingData"] in {"breaching", "notBreaching"}, part


def test_every_alarm_names_its_section_of_the_runbook(stack: Any) -> None:
    """On GitHub a heading's anchor is its text; the runbook's headings of alarms are the alarms' names."""
    headings = set(re.findall(r"^### ([a-z0-9-]+)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE))
    found = alarms(stack("prod"))
    assert set(found) == headings
    for part, alarm in found.items():
        assert alarm["AlarmDescription"].endswith(f" What to do: docs/operations.md#{part}")
    own = alarms(stack("prod", alarms={"runbook": "https://wiki.example/payments"}))
    assert own["api-5xx"]["AlarmDescription"].endswith(" https://wiki.example/payments#api-5xx")


def test_silence_of_the_monitor_is_bad_and_no_traffic_is_good(dev: Any) -> None:
    missing = {part: alarm["TreatMissingData"] for part, alarm in alarms(dev).items()}
    assert missing.pop("health-monitor-silence") == "breaching"
    assert set(missing.values()) == {"notBreaching"}


def test_alarms_watch_the_metrics_that_have_data(dev: Any) -> None:
    watched = {part: metrics(alarm) for part, alarm in alarms(dev).items()}
    assert watched == {
        "api-latency": {("AWS/ApiGateway", "Latency", "p99")},
        "api-5xx": {("AWS/ApiGateway", "5XXError", "Sum"), ("AWS/ApiGateway", "Count", "Sum")},
        "validation-errors": {("AWS/Lambda", "Errors", "Sum"), ("PaymentAPI", "Faults", "Sum")},
        "processing-errors": {("AWS/Lambda", "Errors", "Sum"), ("PaymentAPI", "Faults", "Sum")},
        "lambda-throttles": {("AWS/Lambda", "Throttles", "Sum")},
        "dynamodb-throttle": {
            ("AWS/DynamoDB", "ReadThrottleEvents", "Sum"),
            ("AWS/DynamoDB", "WriteThrottleEvents", "Sum"),
        },
        "failed-transactions-age": {("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum")},
        "failed-transactions-dlq-depth": {("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum")},
        "function-failures-depth": {("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum")},
        "health-monitor-silence": {("PaymentAPI", "HealthState", "SampleCount")},
    }


def test_a_sum_uses_every_series_once_and_returns_one_value(dev: Any) -> None:
    sums = [alarm["Metrics"] for alarm in alarms(dev).values() if "Metrics" in alarm]
    assert len(sums) == 6
    for queries in sums:
        (total,) = (query for query in queries if query["ReturnData"])
        for query in queries:
            if query is not total:
                assert total["Expression"].count(f"FILL({query['Id']}, 0)") == 1


def test_error_alarms_watch_one_function_each(dev: Any) -> None:
    for part, function in (
        ("validation-errors", "payment-validation-dev"),
        ("processing-errors", "payment-processing-dev"),
    ):
        names = {
            dimension["Value"]
            for query in alarms(dev)[part]["Metrics"]
            for dimension in query.get("MetricStat", {}).get("Metric", {}).get("Dimensions", [])
        }
        assert names == {function}


@pytest.mark.parametrize("part", ["api-latency", "api-5xx"])
def test_the_alarms_on_the_api_leave_health_out(dev: Any, part: str) -> None:
    """GET /health answers 503 of itself, and may be slow because CloudWatch is."""
    watched = [
        query["MetricStat"]["Metric"]["Dimensions"] for query in alarms(dev)[part]["Metrics"] if "MetricStat" in query
    ]
    named = [{dimension["Name"]: dimension["Value"] for dimension in dimensions} for dimensions in watched]
    assert {entry["Resource"] for entry in named} == {"/validate", "/process"}
    assert {(entry["ApiName"], entry["Stage"], entry["Method"]) for entry in named} == {
        ("payment-api-dev", "v1", "POST")
    }


def test_a_queue_alarm_watches_a_queue_of_this_stack(dev: Any) -> None:
    queues = {queue["QueueName"] for queue in dev.of_type("AWS::SQS::Queue").values()}
    watched = {
        dimension["Value"]
        for alarm in alarms(dev).values()
        for dimension in alarm.get("Dimensions", [])
        if dimension["Name"] == "QueueName"
    }
    assert watched == queues


def test_thresholds_are_those_of_the_environment(stack: Any) -> None:
    found = alarms(
        stack(
            alarms={
                "latency_p99_ms": 123,
                "errors": 3,
                "api_5xx_percent": 2.5,
                "throttles": 4,
                "failed_queue_age_hours": 2,
                "health_silence_minutes": 9,
            }
        )
    )
    assert found["api-latency"]["Threshold"] == 123
    assert found["api-5xx"]["Threshold"] == 2.5
    assert found["validation-errors"]["Threshold"] == found["processing-errors"]["Threshold"] == 3
    assert found["dynamodb-throttle"]["Threshold"] == found["lambda-throttles"]["Threshold"] == 4
    assert found["failed-transactions-age"]["Threshold"] == 7200
    assert found["failed-transactions-dlq-depth"]["Threshold"] == 1
    silence = found["health-monitor-silence"]
    assert (silence["Period"], silence["EvaluationPeriods"], silence["Threshold"]) == (60, 9, 1)
    assert silence["ComparisonOperator"] == "LessThanThreshold"


def body(built: Any) -> list[dict[str, Any]]:
    widgets: list[dict[str, Any]] = json.loads(built["Dashboard"]["DashboardBody"]["Fn::Sub"])["widgets"]
    return widgets


def full(lines: list[list[Any]]) -> list[list[Any]]:
    """Read CloudWatch's "." as what the line above says in the same place."""
    above: list[Any] = []
    written = []
    for line in lines:
        above = [above[place] if part == "." else part for place, part in enumerate(line)]
        written.append(above)
    return written


def test_the_dashboard_shows_the_state_of_every_alarm(dev: Any) -> None:
    (states,) = (widget for widget in body(dev) if widget["type"] == "alarm")
    shown = {arn.removeprefix("${").removesuffix(".Arn}") for arn in states["properties"]["alarms"]}
    assert shown == set(dev.of_type("AWS::CloudWatch::Alarm"))


def test_the_dashboard_shows_every_part_of_the_stack(dev: Any) -> None:
    lines = [
        line for widget in body(dev) if widget["type"] == "metric" for line in full(widget["properties"]["metrics"])
    ]
    shown = {(line[0], line[1]) for line in lines}
    for namespace, names in {
        "AWS/ApiGateway": ("Count", "4XXError", "5XXError", "Latency"),
        "AWS/Lambda": ("Invocations", "Errors", "Duration", "ConcurrentExecutions", "Throttles"),
        "AWS/DynamoDB": ("ConsumedWriteCapacityUnits", "ReadThrottleEvents", "SuccessfulRequestLatency"),
        "AWS/SQS": ("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"),
        "PaymentAPI": (
            "PaymentsValidated",
            "PaymentsProcessed",
            "PaymentsRejected",
            "PaymentsReplayed",
            "HealthState",
            "Faults",
        ),
    }.items():
        assert {(namespace, name) for name in names} <= shown
    percentiles = {
        options["stat"] for line in lines if line[1] == "Latency" for options in line if isinstance(options, dict)
    }
    assert percentiles == {"p50", "p90", "p99"}
    named = {part for line in lines for part in line if isinstance(part, str) and part.endswith("-dev")}
    for resource_type, name in (
        ("AWS::Lambda::Function", "FunctionName"),
        ("AWS::SQS::Queue", "QueueName"),
        ("AWS::DynamoDB::Table", "TableName"),
        ("AWS::ApiGateway::RestApi", "Name"),
    ):
        assert {properties[name] for properties in dev.of_type(resource_type).values()} <= named


def test_a_graph_says_its_region_and_title_and_fits_the_grid(dev: Any) -> None:
    for widget in body(dev):
        assert widget["width"] <= 24
        assert widget["properties"]["title"]
        if widget["type"] == "metric":
            assert widget["properties"]["region"] == "${AWS::Region}"
            for line in full(widget["properties"]["metrics"]):
                names = [part for part in line if isinstance(part, str)]
                assert "." not in names
                assert len(names) % 2 == 0
