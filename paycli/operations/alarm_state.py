"""In which state the stack's alarms are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from paycli.stack.monitoring import watches

if TYPE_CHECKING:
    from paycli.environment import Environment

_LONGEST_ANSWER = 100  # alarms; what one DescribeAlarms takes and answers


@dataclass(frozen=True)
class Firing:
    """An alarm in the state ALARM."""

    name: str
    since: datetime
    description: str  # what it watches
    reason: str  # CloudWatch's own, with the values


@dataclass(frozen=True)
class Alarms:
    """The alarms by state; a new `firing` one comes first, the others are names."""

    firing: tuple[Firing, ...]
    no_data: tuple[str, ...]  # INSUFFICIENT_DATA
    ok: tuple[str, ...]
    missing: tuple[str, ...]  # the stack should have them
    muted: tuple[str, ...]  # whatever their state, they tell nobody: their actions are off


def read_alarms(cloudwatch: Any, environment: "Environment") -> Alarms:
    """Ask for every alarm that the environment's stack has (one call)."""
    names = [environment.named(watch.part) for watch in watches(environment)]
    found = cloudwatch.describe_alarms(AlarmNames=names, MaxRecords=_LONGEST_ANSWER)["MetricAlarms"]
    firing = [_firing(alarm) for alarm in found if alarm["StateValue"] == "ALARM"]
    return Alarms(
        firing=tuple(sorted(firing, key=lambda alarm: alarm.since, reverse=True)),
        no_data=_names(found, "INSUFFICIENT_DATA"),
        ok=_names(found, "OK"),
        missing=tuple(sorted(set(names) - {alarm["AlarmName"] for alarm in found})),
        muted=tuple(sorted(alarm["AlarmName"] for alarm in found if not alarm.get("ActionsEnabled"))),
    )


def _firing(alarm: Mapping[str, Any]) -> Firing:
    # StateUpdatedTimestamp also moves when only the reason changes.
    since = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
    return Firing(alarm["AlarmName"], since, alarm.get("AlarmDescription", ""), alarm.get("StateReason", ""))


def _names(found: list[Mapping[str, Any]], state: str) -> tuple[str, ...]:
    return tuple(sorted(alarm["AlarmName"] for alarm in found if alarm["StateValue"] == state))
