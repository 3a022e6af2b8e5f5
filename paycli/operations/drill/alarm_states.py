"""Put alarms into ALARM for a rehearsal, and back. The reason of the state says that it is one.

CloudWatch sets a metric alarm to its actual state by itself at the next evaluation; paycli is quicker:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from paycli.stack.monitoring import watches

if TYPE_CHECKING:
    from paycli.environment import Environment

DRILL = "DRILL, no real alarm"
_MOST_AT_ONCE = 100  # alarms; what one DescribeAlarms takes and answers
_LONGEST_REASON = 1000


def described(cloudwatch: Any, environment: "Environment") -> dict[str, Mapping[str, Any] | None]:
    """Return every alarm that the environment should have, by name, None where it is missing (one call)."""
    names = [environment.named(watch.part) for watch in watches(environment)]
    found = cloudwatch.describe_alarms(AlarmNames=names, MaxRecords=_MOST_AT_ONCE)["MetricAlarms"]
    by_name = {alarm["AlarmName"]: alarm for alarm in found}
    return {name: by_name.get(name) for name in names}


def raise_alarm(cloudwatch: Any, alarm: Mapping[str, Any], drill: str, caller: str) -> None:
    """Put an alarm into ALARM; its actions run. What it was before is kept with the state."""
    reason = f"{DRILL}: {drill} rehearses this notification, started by {caller}. Nothing is wrong; it is put back."
    cloudwatch.set_alarm_state(
        AlarmName=alarm["AlarmName"],
        StateValue="ALARM",
        StateReason=reason[:_LONGEST_REASON],
        StateReasonData=json.dumps({"drill": drill, "before": alarm["StateValue"]}),
    )


def put_back(cloudwatch: Any, environment: "Environment") -> list[str]:
    """Put every alarm back that is in ALARM by a drill, this or an earlier one; return their names.

    One that CloudWatch has evaluated since has another reason: it is in its actual state, and is left.
    """
    drilled = [
        alarm
        for alarm in described(cloudwatch, environment).values()
        if alarm and alarm.get("StateReason", "").startswith(DRILL)
    ]
    for alarm in drilled:
        cloudwatch.set_alarm_state(
            AlarmName=alarm["AlarmName"],
            StateValue=_before(alarm),
            StateReason="The drill is over: put back by paycli.",
        )
    return [alarm["AlarmName"] for alarm in drilled]


def _before(alarm: Mapping[str, Any]) -> str:
    try:
        before = json.loads(alarm.get("StateReasonData", ""))["before"]
    except (ValueError, LookupError, TypeError):
        before = ""
    return before if before in {"OK", "INSUFFICIENT_DATA"} else "INSUFFICIENT_DATA"
