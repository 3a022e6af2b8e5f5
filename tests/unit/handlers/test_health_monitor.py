"""GET /health and the scheduled run, over a CloudWatch that says what a test wants."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from tests.unit.handlers.payment_fakes import ENVIRONMENT, Api, Context, client, event, function, invoke

NOW = 1_800_000_030.0  # half past a minute
MINUTE = 1_800_000_000
SCHEDULED = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
TOPIC = "arn:aws:sns:eu-central-1:111122223333:payment-alarms-test"
STATES = ("healthy", "degraded", "unknown", "critical")

Points = dict[str, list[tuple[int, float]]]  # by series: seconds before MINUTE, value


class World:
    """A monitor with stubbed clients and a clock."""

    def __init__(self, **thresholds: tuple[float, float]) -> None:
        self.module = function("health_monitor")
        self.cloudwatch, self.sns = client("cloudwatch", 1), client("sns", 1)
        self.metrics, self.topic = Stubber(self.cloudwatch), Stubber(self.sns)
        self.metrics.activate()
        self.topic.activate()
        self.now = NOW
        self.names = ENVIRONMENT | {
            "HEALTH_THRESHOLDS": json.dumps(json.loads(ENVIRONMENT["HEALTH_THRESHOLDS"]) | thresholds)
        }
        self.monitor = self.start()

    def __enter__(self) -> World:
        return self

    def __exit__(self, *error: object) -> None:
        if not any(error):
            self.metrics.assert_no_pending_responses()
            self.topic.assert_no_pending_responses()
        self.metrics.deactivate()
        self.topic.deactivate()

    def start(self) -> Any:
        """Start another execution environment."""
        return self.module.Monitor(self.names, self.cloudwatch, self.sns, lambda: self.now)

    def measure(self, points: Points | None = None, status: dict[str, str] | None = None) -> None:
        """Let the next GetMetricData answer this, and nothing about all other series."""
        minute = self.now - self.now % 60
        results = [
            {
                "Id": query["Id"],
                "StatusCode": (status or {}).get(query["Id"], "Complete"),
                "Timestamps": [
                    datetime.fromtimestamp(minute - ago, UTC) for ago, _ in (points or {}).get(query["Id"], [])
                ],
                "Values": [value for _, value in (points or {}).get(query["Id"], [])],
            }
            for query in self.module._queries(self.names)
        ]
        parameters = {
            "MetricDataQueries": self.module._queries(self.names),
            "StartTime": datetime.fromtimestamp(minute - 900, UTC),
            "EndTime": datetime.fromtimestamp(minute + 60, UTC),
        }
        self.metrics.add_response("get_metric_data", {"MetricDataResults": results}, parameters)

    def get(self) -> tuple[int, dict[str, Any], dict[str, Any]]:
        answer, log = invoke(lambda: self.monitor.respond(event("/health"), Context()))
        return answer["statusCode"], json.loads(answer["body"]), log

    def run(self) -> dict[str, Any]:
        return invoke(lambda: self.monitor.respond(SCHEDULED, Context()))[1]

    def expect_alert(self, subject: str) -> None:
        self.topic.add_response("publish", {"MessageId": "1"}, {"TopicArn": TOPIC, "Subject": subject, "Message": ANY})


STEADY: Points = {"last_state": [(0, 0)]}


def checks(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in body["checks"]}


CRITICAL: Points = {"dead_letters": [(0, 500)]}


def test_no_traffic_is_healthy() -> None:
    with World() as world:
        world.measure()
        status, body, log = world.get()
    assert (status, body["status"], body["checked_at"]) == (200, "healthy", "2027-01-15T08:00:30.000Z")
    assert {check["state"] for check in body["checks"]} == {"healthy"}
    assert (log["outcome"], log["operation"], "_aws" in log) == ("healthy", "health", False)


def test_every_check_shows_its_metric_value_threshold_and_window() -> None:
    with World() as world:
        world.measure({"process_latency": [(60, 120.5), (0, 80)]})
        body = world.get()[1]
    assert checks(body).keys() == {
        "api_5xx_percent",
        "api_latency_p99_ms",
        "validation_errors_percent",
        "processing_errors_percent",
        "table_throttles",
        "queue_oldest_seconds",
        "dead_letter_depth",
    }
    assert checks(body)["api_latency_p99_ms"] == {
        "name": "api_latency_p99_ms",
        "metric": "Latency p99, highest minute",
        "value": 120.5,
        "threshold": {"degraded": 1000, "critical": 3000},
        "window_seconds": 300,
        "state": "healthy",
    }


@pytest.mark.parametrize(
    ("check", "points", "value", "state"),
    [
        ("api_5xx_percent", {"process_requests": [(60, 900), (0, 100)], "process_faults": [(0, 9)]}, 0.9, "healthy"),
        ("api_5xx_percent", {"process_requests": [(60, 900), (0, 100)], "process_faults": [(0, 10)]}, 1, "degraded"),
        ("api_5xx_percent", {"process_requests": [(0, 100)], "process_faults": [(0, 5)]}, 5, "critical"),
        ("api_5xx_percent", {"process_requests": [(0, 100)]}, 0, "healthy"),
        (
            "api_5xx_percent",
            {
                "validate_requests": [(0, 150)],
                "process_requests": [(0, 50)],
                "validate_faults": [(0, 1)],
                "process_faults": [(0, 1)],
            },
            1,
            "degraded",
        ),
        ("api_5xx_percent", {"process_requests": [(600, 9)], "process_faults": [(600, 9)]}, None, "healthy"),
        ("api_latency_p99_ms", {"process_latency": [(0, 999)]}, 999, "healthy"),
        ("api_latency_p99_ms", {"process_latency": [(240, 1000), (0, 5)]}, 1000, "degraded"),
        ("api_latency_p99_ms", {"process_latency": [(0, 3000)]}, 3000, "critical"),
        ("api_latency_p99_ms", {"process_latency": [(360, 3000)]}, None, "healthy"),
        (
            "validation_errors_percent",
            {"validation_invocations": [(0, 200)], "validation_errors": [(0, 1)], "validation_faults": [(0, 1)]},
            1,
            "degraded",
        ),
        (
            "processing_errors_percent",
            {"processing_invocations": [(0, 10)], "processing_errors": [(0, 9)], "processing_faults": [(0, 9)]},
            100,
            "critical",
        ),
        ("processing_errors_percent", {"processing_faults": [(0, 1)]}, None, "healthy"),
        ("table_throttles", {"table_reads": [(0, 1)]}, 1, "degraded"),
        ("table_throttles", {"table_reads": [(60, 50)], "table_writes": [(0, 50)]}, 100, "critical"),
        ("queue_oldest_seconds", {"queue_oldest": [(0, 86_399)]}, 86_399, "healthy"),
        ("queue_oldest_seconds", {"queue_oldest": [(0, 5), (600, 10**6)]}, 5, "healthy"),
        ("queue_oldest_seconds", {"queue_oldest": [(600, 259_200)]}, 259_200, "critical"),
        ("dead_letter_depth", {"dead_letters": [(0, 1)]}, 1, "degraded"),
        ("dead_letter_depth", {"dead_letters": [(0, 100)]}, 100, "critical"),
    ],
)
def test_each_check(check: str, points: Points, value: float | None, state: str) -> None:
    with World() as world:
        world.measure(points)
        status, body, _ = world.get()
    result = checks(body)[check]
    assert (result["value"], result["state"]) == (value, state)
    assert body["status"] == state
    assert status == (503 if state == "critical" else 200)


def test_the_worst_check_decides() -> None:
    with World() as world:
        world.measure({"table_reads": [(0, 1.0)], **CRITICAL})
        assert world.get()[1]["status"] == "critical"


def test_thresholds_come_from_the_environment_and_the_rest_from_here() -> None:
    with World(api_latency_p99_ms=(500, 2000)) as world:
        world.measure({"process_latency": [(0, 500)], "table_reads": [(0, 1)]})
        found = checks(world.get()[1])
    assert found["api_latency_p99_ms"]["state"] == "degraded"
    assert found["api_latency_p99_ms"]["threshold"] == {"degraded": 500, "critical": 2000}
    assert found["table_throttles"]["threshold"] == {"degraded": 1, "critical": 100}


def test_the_metrics_are_those_of_this_stack() -> None:
    found = {
        (
            each["Metric"]["Namespace"],
            each["Metric"]["MetricName"],
            *each["Metric"]["Dimensions"][0].values(),
            each["Stat"],
        )
        for each in (query["MetricStat"] for query in function("health_monitor")._queries(ENVIRONMENT))
    }
    assert {
        ("AWS/ApiGateway", "5XXError", "ApiName", "payment-api-test", "Sum"),
        ("AWS/ApiGateway", "Latency", "ApiName", "payment-api-test", "p99"),
        ("AWS/Lambda", "Errors", "FunctionName", "payment-validation-test", "Sum"),
        ("PaymentAPI", "Faults", "FunctionName", "payment-processing-test", "Sum"),
        ("AWS/DynamoDB", "WriteThrottleEvents", "TableName", "transactions-test", "Sum"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", "failed-transactions-test", "Maximum"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "failed-transactions-dlq-test", "Maximum"),
        ("PaymentAPI", "HealthState", "Environment", "test", "Maximum"),
    } <= found


def test_the_share_of_5xx_leaves_the_answers_of_health_itself_out() -> None:
    queries = {query["Id"]: query["MetricStat"] for query in function("health_monitor")._queries(ENVIRONMENT)}
    for name, metric in (("faults", "5XXError"), ("requests", "Count"), ("latency", "Latency")):
        for route in ("validate", "process"):
            watched = queries[f"{route}_{name}"]["Metric"]
            named = {each["Name"]: each["Value"] for each in watched["Dimensions"]}
            assert watched["MetricName"] == metric
            assert named == {"ApiName": "payment-api-test", "Stage": "v1", "Method": "POST", "Resource": f"/{route}"}
    assert {queries[name]["Stat"] for name in ("table_reads", "table_writes")} == {"Sum"}


def test_two_runs_in_one_minute_are_told_apart() -> None:
    """Of two states in one minute, the greater would hide the later: the metric is kept and read by the second."""
    queries = {query["Id"]: query["MetricStat"] for query in function("health_monitor")._queries(ENVIRONMENT)}
    assert queries["last_state"]["Period"] == 1
    with World() as world:
        world.measure({"last_state": [(40, 3), (10, 0)]})
        log = world.run()
    assert log["previous"] == "healthy"
    assert log["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["StorageResolution"] == 1


def test_answers_are_cached_for_a_minute() -> None:
    with World() as world:
        world.measure()
        first = world.get()[1]
        world.now += 59
        assert world.get()[1] == first  # a second call would find no answer
        world.now += 1
        world.measure(CRITICAL)
        assert world.get()[0] == 503


def test_critical_says_when_to_ask_again() -> None:
    with World() as world:
        world.measure(CRITICAL)
        answer, _ = invoke(lambda: world.monitor.respond(event("/health"), Context()))
    assert int(answer["headers"]["Retry-After"]) >= 1


@pytest.mark.parametrize("code", ["InternalServiceFault", "Throttling", "AccessDenied"])
def test_a_failing_cloudwatch_is_unknown_and_never_down(code: str) -> None:
    with World() as world:
        world.metrics.add_client_error("get_metric_data", code, "secret-detail", 500)
        status, body, log = world.get()
    assert (status, body["status"]) == (200, "unknown")
    assert {(check["value"], check["state"]) for check in body["checks"]} == {(None, "unknown")}
    assert (log["outcome"], log["aws_code"], "Faults" in log) == ("unknown", code, False)
    assert "secret-detail" not in str(log) + str(body)


def test_an_unreachable_cloudwatch_is_unknown() -> None:
    Api()
    module = function("health_monitor")
    unreachable = client("cloudwatch", 1, 0.2, "http://127.0.0.1:9")
    monitor = module.Monitor(ENVIRONMENT, unreachable, None)
    answer, _ = invoke(lambda: monitor.respond(event("/health"), Context()))
    assert (answer["statusCode"], json.loads(answer["body"])["status"]) == (200, "unknown")


def test_a_part_that_cloudwatch_did_not_answer_is_unknown() -> None:
    with World() as world:
        world.measure({"process_latency": [(0, 1)], "table_reads": [(0, 1)]}, {"process_latency": "PartialData"})
        status, body, _ = world.get()
    assert (status, body["status"]) == (200, "unknown")
    assert checks(body)["api_latency_p99_ms"]["state"] == "unknown"
    assert checks(body)["table_throttles"]["state"] == "degraded"


def test_get_alerts_nobody_and_records_no_state() -> None:
    with World() as world:
        world.measure(CRITICAL)
        log = world.get()[2]  # publishing would find no answer, and be a 500
    assert "HealthState" not in log


@pytest.mark.parametrize(("state", "points"), [("degraded", {"table_reads": [(0, 1)]}), ("critical", CRITICAL)])
def test_the_scheduled_run_alerts_on_a_change_and_once(state: str, points: Points) -> None:
    with World() as world:
        world.measure(STEADY)
        assert world.run()["HealthState"] == 0
        world.expect_alert(f"payment-api-test is {state}, was healthy")
        world.measure(points)
        log = world.run()
        assert (log["HealthState"], log["previous"], log["alerted"]) == (STATES.index(state), "healthy", True)
        assert log["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Environment"]]
        world.measure(points)
        assert "alerted" not in world.run()
        world.expect_alert(f"payment-api-test is healthy, was {state}")
        world.measure()
        assert world.run()["alerted"] is True


@pytest.mark.parametrize(("state", "points"), [("healthy", {}), ("critical", CRITICAL)])
def test_the_first_run_of_all_says_how_it_stands(state: str, points: Points) -> None:
    with World() as world:
        world.expect_alert(f"payment-api-test is {state}, was unknown")
        world.measure(points)
        assert world.run()["alerted"] is True


def test_what_a_run_that_is_not_on_record_yet_has_alerted_is_told_again() -> None:
    """Its metric lags: healthy, then critical by another environment, then healthy here must not go unsaid."""
    with World() as world:
        world.expect_alert("payment-api-test is healthy, was unknown")
        world.measure({"last_state": [(90, 0)]})
        world.run()


def test_another_execution_environment_reads_the_last_state_from_its_metric() -> None:
    with World() as world:
        world.measure(CRITICAL | {"last_state": [(120, 0), (60, 3)]})
        assert world.run()["previous"] == "critical"
        world.monitor = world.start()
        world.expect_alert("payment-api-test is healthy, was critical")
        world.measure({"last_state": [(60, 3), (120, 0)]})
        world.run()


def test_the_newer_of_memory_and_metric_is_the_last_state() -> None:
    with World() as world:
        world.expect_alert("payment-api-test is critical, was healthy")
        world.measure(CRITICAL | STEADY)
        world.run()
        world.now += 60
        world.measure(CRITICAL | {"last_state": [(120, 0)]})  # the metric lags behind: no second alert
        assert world.run()["previous"] == "critical"
        world.now += 600
        world.measure({"last_state": [(60, 0)]})  # others ran meanwhile, and said so
        assert "alerted" not in world.run()


def test_a_failed_alert_is_raised_and_made_up_for() -> None:
    with World() as world:
        world.measure(CRITICAL | STEADY)
        world.topic.add_client_error("publish", "InternalError", "secret-detail", 500)
        lines: list[dict[str, Any]] = []

        def failing_run() -> None:
            with pytest.raises(world.sns.exceptions.ClientError):
                world.monitor.respond(SCHEDULED, Context())

        lines.append(invoke(failing_run)[1])
        assert (lines[0]["outcome"], lines[0]["Faults"], "HealthState" in lines[0]) == ("error", 1, False)
        assert "secret-detail" not in str(lines)
        world.expect_alert("payment-api-test is critical, was healthy")
        world.measure(CRITICAL | STEADY)
        assert world.run()["alerted"] is True


def test_an_alert_shows_the_report() -> None:
    with World() as world:
        world.measure(CRITICAL)
        sent: list[dict[str, Any]] = []

        class Topic:
            def publish(self, **message: Any) -> None:
                sent.append(message)

        world.monitor = world.module.Monitor(world.names, world.cloudwatch, Topic(), lambda: world.now)
        world.run()
    (message,) = sent
    assert len(message["Subject"]) <= 100
    assert checks(json.loads(message["Message"]))["dead_letter_depth"]["state"] == "critical"


def test_a_cloudwatch_outage_alerts_once() -> None:
    with World() as world:
        world.measure(STEADY)
        world.run()
        for expected in (True, False):
            if expected:
                world.expect_alert("payment-api-test is unknown, was healthy")
            world.metrics.add_client_error("get_metric_data", "InternalServiceFault")
            assert ("alerted" in world.run()) == expected


@pytest.mark.parametrize(
    ("change", "status"),
    [({"httpMethod": "POST"}, 405), ({"resource": "/validate"}, 404), ({"source": "aws.events"}, 200)],
)
def test_only_get_health_is_answered(change: dict[str, Any], status: int) -> None:
    with World() as world:
        if status == 200:
            world.measure()
        answer, _ = invoke(lambda: world.monitor.respond(event("/health") | change, Context()))
    assert answer["statusCode"] == status


@pytest.mark.parametrize("sent", [None, [], {}, {"source": "other"}])
def test_events_of_others_are_answered_as_requests(sent: Any) -> None:
    with World() as world:
        answer, _ = invoke(lambda: world.monitor.respond(sent, Context()))
    assert answer["statusCode"] == 405


def test_the_handler_answers_as_lambda_calls_it() -> None:
    Api()  # its CloudWatch speaks another protocol: unknown, and still an answer
    answer, log = invoke(lambda: function("health_monitor").handler(event("/health"), Context()))
    assert (answer["statusCode"], json.loads(answer["body"])["status"], log["outcome"]) == (200, "unknown", "unknown")
