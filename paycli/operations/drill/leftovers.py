"""What an interrupted rehearsal has left: scratch tables, temporary queues with their subscriptions, states of alarms.

Each tells by its name and its tags whose it is; an alarm by the reason of its state.
"""

from typing import TYPE_CHECKING, Any

from paycli.operations.drill import alarm_states, inbox
from paycli.operations.restore import cleanup, tables
from paycli.progress import Report

if TYPE_CHECKING:
    from paycli.aws import Aws
    from paycli.environment import Environment


def remove_tables(dynamodb: Any, environment: "Environment", report: Report) -> list[str]:
    """Delete the scratch tables of the environment's drills; return in words what can't go yet."""
    found = tables.find(dynamodb, environment, "drill")
    said = (remove_table(dynamodb, environment, table.name, report) for table in found)
    return [words for words in said if words]


def remove_table(dynamodb: Any, environment: "Environment", name: str, report: Report) -> str:
    """Delete a scratch table; return in words why it can't go, or nothing where it is gone."""
    table = tables.look(dynamodb, environment, "drill", name)
    if table is None:
        return ""
    if table.status == "CREATING":
        return f"{name} is still being restored, and AWS deletes no table before it is made"
    restored_from = table.source.rpartition("table/")[2]
    if not table.owned and restored_from != tables.live_name(environment):
        return f"{name} doesn't say that it was restored from {tables.live_name(environment)}"
    cleanup.delete(dynamodb, table, report)
    return ""


def remove_inboxes(aws: "Aws", environment: "Environment", topic_arn: str) -> None:
    """Put alarms back, and remove temporary subscriptions and queues."""
    alarm_states.put_back(aws.client("cloudwatch"), environment)
    inbox.remove_all(aws, environment, topic_arn)
