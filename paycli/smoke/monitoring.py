"""Whether somebody would be told: topic, alarms, dashboard."""

import json
from typing import TYPE_CHECKING, Any

from paycli.smoke.result import CheckFailed

if TYPE_CHECKING:
    from paycli.smoke.session import Session

# The alarms that a stack must have; it may have more.
REQUIRED = ("api-latency", "dynamodb-throttle", "validation-errors", "processing-errors")
_A_CALL = 100  # names that DescribeAlarms takes


def check_topic(session: "Session") -> str:
    """The topic exists."""
    sns = session.target.aws.client("sns")
    arn = session.target.outputs["AlarmTopicArn"]
    try:
        attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    except sns.exceptions.NotFoundException:
        raise CheckFailed(f"the topic {arn}", "no such topic") from None
    confirmed, pending = (int(attributes.get(f"Subscriptions{state}", 0)) for state in ("Confirmed", "Pending"))
    return f"{confirmed} confirmed and {pending} unconfirmed subscriptions"


def check_dashboard(session: "Session") -> str:
    """The dashboard exists and can be drawn."""
    cloudwatch = session.target.aws.client("cloudwatch")
    name = session.target.outputs["DashboardName"]
    try:
        body = cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]
    except cloudwatch.exceptions.ResourceNotFound:
        raise CheckFailed(f"the dashboard {name}", "no such dashboard") from None
    try:
        widgets = json.loads(body).get("widgets")
    except (ValueError, AttributeError):
        raise CheckFailed(f"the dashboard {name} as a JSON object", f"{len(body)} other characters") from None
    if not isinstance(widgets, list) or not widgets:
        raise CheckFailed(f"widgets on the dashboard {name}", "none")
    return f"{len(widgets)} widgets"


def check_alarms(session: "Session") -> str:
    """The required alarms exist, and every alarm of the stack publishes to the topic."""
    required = {session.target.environment.named(part) for part in REQUIRED}
    names = sorted(required | _declared(session))
    alarms = _described(session.target.aws.client("cloudwatch"), names)
    if missing := [name for name in names if name not in alarms]:
        raise CheckFailed(f"{len(names)} alarms", f"no alarm {', '.join(missing)}")
    topic = session.target.outputs["AlarmTopicArn"]
    silent = [name for name in names if not _publishes(alarms[name], topic)]
    if silent:
        raise CheckFailed(f"every alarm with its actions on, publishing to {topic}", f"silent: {', '.join(silent)}")
    return f"{len(names)} alarms publish to the topic"


def _declared(session: "Session") -> set[str]:
    """Return the alarms that the stack itself says it has.

    Found through the stack and not by their topic, which would overlook just those that don't publish.
    """
    pages = (
        session.target.aws.client("cloudformation")
        .get_paginator("list_stack_resources")
        .paginate(StackName=session.target.environment.stack_name)
    )
    return {
        resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::CloudWatch::Alarm" and "PhysicalResourceId" in resource
    }


def _described(cloudwatch: Any, names: list[str]) -> dict[str, dict[str, Any]]:
    """Return what CloudWatch knows of these alarms, by name."""
    calls = [names[first : first + _A_CALL] for first in range(0, len(names), _A_CALL)]
    return {
        alarm["AlarmName"]: alarm
        for some in calls
        for alarm in cloudwatch.describe_alarms(AlarmNames=some, MaxRecords=_A_CALL)["MetricAlarms"]
    }


def _publishes(alarm: dict[str, Any], topic: str) -> bool:
    return bool(alarm.get("ActionsEnabled")) and topic in alarm.get("AlarmActions", [])
