"""Rehearsals on the embedded AWS: they pass, prove what can be proven there, and leave nothing."""

import json

from tests.integration.conftest import LocalProject


def remains(project: LocalProject) -> list[str]:
    """Everything that a drill makes."""
    aws = project.aws()
    tables = aws.client("dynamodb").list_tables()["TableNames"]
    queues = aws.client("sqs").list_queues().get("QueueUrls", [])
    topic = project.outputs()["AlarmTopicArn"]
    subscriptions = aws.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    alarms = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    drilled = [alarm["AlarmName"] for alarm in alarms if "DRILL" in alarm.get("StateReason", "")]
    made = [name for name in [*tables, *queues] if "-drill-" in name]
    return [*made, *drilled, *(each["Endpoint"] for each in subscriptions)]


def test_a_restore_is_rehearsed_and_leaves_no_trace(shared: LocalProject) -> None:
    payment = json.dumps({"amount": "10.00", "currency": "USD", "customer_id": "customer-drill"})
    assert shared.run("call", "POST", "/validate", "--env", "local", "--data", payment).status == 0
    ran = shared.run("drill", "restore", "--env", "local", "--format", "markdown", "--output", "drill.md", "--json")
    assert ran.status == 0, ran.err
    data = ran.document["data"]
    assert data["result"] == "passed"
    assert "no recovery point and no recovery time can be" in data["notes"][0]
    assert "| Result | PASSED |" in (shared.root / "drill.md").read_text()
    assert "customer-drill" not in (shared.root / "drill.md").read_text()
    assert remains(shared) == []


def test_each_alarm_is_heard_through_topic_and_queue(shared: LocalProject) -> None:
    ran = shared.run("drill", "alarms", "--env", "local", "--json")
    assert ran.status == 0, ran.err
    results = {finding["name"]: finding["result"] for finding in ran.document["data"]["findings"]}
    heard = [name for name, result in results.items() if name.endswith("-local") and result == "passed"]
    firing = [name for name, result in results.items() if result == "unproven"]  # by another test
    assert len(heard) + len(firing) == 10
    assert heard
    assert "not provable here" in ran.document["data"]["notes"][0]
    assert remains(shared) == []


def test_readiness_says_what_is_not_here(shared: LocalProject) -> None:
    ran = shared.run("drill", "readiness", "--env", "local")
    assert "Point-in-time recovery" in ran.out
    assert "Everything is in one region." in ran.out
    assert ran.status == 0, ran.err


def test_nothing_is_left_to_clean_up(shared: LocalProject) -> None:
    ran = shared.run("drill", "cleanup", "--env", "local")
    assert (ran.status, ran.out) == (0, "Nothing of a drill is left.\n")
