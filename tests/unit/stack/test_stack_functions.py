"""The functions, what they are told, and the schedule."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paycli.environment import Alarms
from paycli.stack.health import health_thresholds

HANDLERS = {
    "ValidationFunction": "handlers.validation.handler",
    "ProcessingFunction": "handlers.processing.handler",
    "HealthMonitorFunction": "handlers.health_monitor.handler",
}


def test_each_function_is_what_the_settings_say(stack: Any) -> None:
    built = stack(
        runtime="python3.13",
        memory_mb=256,
        reserved_concurrency={"validation": 7, "processing": "none", "health_monitor": 1},
    )
    for name, handler in HANDLERS.items():
        function = built[name]
        assert function["Handler"] == handler
        assert function["Runtime"] == "python3.13"
        assert function["MemorySize"] == 256
        assert function["Architectures"] == ["arm64"]
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert function["DeadLetterConfig"] == {"TargetArn": {"Fn::GetAtt": ["FunctionFailuresQueue", "Arn"]}}
        assert function["Code"] == {"S3Bucket": {"Ref": "ArtifactBucket"}, "S3Key": {"Ref": "CodeKey"}}
        assert function["Timeout"] < 29
    assert built["ValidationFunction"]["ReservedConcurrentExecutions"] == 7
    assert "ReservedConcurrentExecutions" not in built["ProcessingFunction"]
    assert built["HealthMonitorFunction"]["ReservedConcurrentExecutions"] == 1


def test_each_function_writes_to_its_own_declared_log_group(dev: Any) -> None:
    for name in HANDLERS:
        group = dev[name]["LoggingConfig"]["LogGroup"]["Ref"]
        assert dev[group]["LogGroupName"] == f"/aws/lambda/{dev[name]['FunctionName']}"
        assert dev[group]["RetentionInDays"] == 30


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("ValidationFunction", {"TABLE_NAME", "QUEUE_URL", "PAYMENT_TTL_SECONDS"}),
        ("ProcessingFunction", {"TABLE_NAME", "QUEUE_URL"}),
        (
            "HealthMonitorFunction",
            {
                "API_NAME",
                "API_STAGE",
                "VALIDATION_FUNCTION",
                "PROCESSING_FUNCTION",
                "TABLE_NAME",
                "QUEUE_NAME",
                "DEAD_LETTER_QUEUE_NAME",
                "TOPIC_ARN",
                "HEALTH_THRESHOLDS",
            },
        ),
    ],
)
def test_a_handler_finds_its_variables(stack: Any, name: str, own: set[str]) -> None:
    built = stack(payment_ttl_hours=2)
    variables = built[name]["Environment"]["Variables"]
    assert set(variables) == own | {"ENVIRONMENT", "METRIC_NAMESPACE"}
    assert variables["ENVIRONMENT"] == "dev"
    assert variables["METRIC_NAMESPACE"] == "PaymentAPI"
    assert variables.get("PAYMENT_TTL_SECONDS", "7200") == "7200"


@given(
    st.builds(
        Alarms,
        latency_p99_ms=st.integers(1, 10**6),
        api_5xx_percent=st.floats(0.01, 100),
        throttles=st.integers(1, 10**6),
        failed_queue_age_hours=st.integers(1, 300),
    )
)
def test_degraded_begins_where_the_alarm_does_and_before_critical(alarms: Alarms) -> None:
    thresholds = json.loads(health_thresholds(alarms))
    assert set(thresholds) == {
        "api_5xx_percent",
        "api_latency_p99_ms",
        "validation_errors_percent",
        "processing_errors_percent",
        "table_throttles",
        "queue_oldest_seconds",
        "dead_letter_depth",
    }
    assert all(degraded <= critical for degraded, critical in thresholds.values())
    assert thresholds["api_latency_p99_ms"][0] == alarms.latency_p99_ms
    assert thresholds["api_5xx_percent"][0] == alarms.api_5xx_percent
    assert thresholds["api_5xx_percent"][1] <= 100
    assert thresholds["table_throttles"][0] == alarms.throttles
    assert thresholds["queue_oldest_seconds"][0] == alarms.failed_queue_age_hours * 3600
    assert thresholds["queue_oldest_seconds"][1] < 14 * 24 * 3600


def test_the_health_monitor_runs_every_minute_and_late_runs_do_not_pile_up(dev: Any) -> None:
    rule = dev["HealthSchedule"]
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert rule["State"] == "ENABLED"
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": ["HealthMonitorFunction", "Arn"]}
    limits = dev["HealthScheduleRetries"]
    assert limits["MaximumEventAgeInSeconds"] <= 300
    assert limits["MaximumRetryAttempts"] <= 1
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == limits["MaximumEventAgeInSeconds"]
