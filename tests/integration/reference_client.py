"""A client written for the open API: it knows the outputs file, plain HTTP and boto3, and nothing of paycli."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import boto3


def post(url: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Send JSON, unsigned, and return status and answer."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status, json.load(answer)


def main() -> None:
    """Validate, look into the table, process, look again; then topic, dashboard and alarms."""
    outputs = json.loads(Path("cfn-outputs/flat-outputs.json").read_text())
    endpoint, table_name = outputs["APIEndpoint"], outputs["TransactionsTableName"]
    status, validated = post(f"{endpoint}validate", {"amount": 100.5, "currency": "USD", "customer_id": "customer-1"})
    assert (status, validated["status"]) == (200, "validated"), validated
    table = boto3.resource("dynamodb").Table(table_name)
    key = {"transaction_id": validated["transaction_id"]}
    item = table.get_item(Key=key)["Item"]
    assert (item["status"], item["customer_id"]) == ("validated", "customer-1"), item
    status, processed = post(f"{endpoint}process", key)
    assert (status, processed["status"]) == (200, "processed"), processed
    assert table.get_item(Key=key)["Item"]["processed_at"] == processed["processed_at"]
    boto3.client("sns").get_topic_attributes(TopicArn=outputs["AlarmTopicArn"])
    boto3.client("cloudwatch").get_dashboard(DashboardName=outputs["DashboardName"])
    suffix = table_name.removeprefix("transactions-")
    named = [f"api-latency-{suffix}", f"dynamodb-throttle-{suffix}"]
    alarms = boto3.client("cloudwatch").describe_alarms(AlarmNames=named)["MetricAlarms"]
    assert len(alarms) == len(named), alarms
    table.delete_item(Key=key)
    print("passed")  # noqa: T201 - what the test looks for


main()
