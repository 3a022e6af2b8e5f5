"""The one place where the local stack differs from the one on AWS, and what a local success doesn't prove."""

from typing import TYPE_CHECKING

from troposphere import AWSObject, Template
from troposphere.cloudwatch import Alarm

from paycli.stack.policies import DENY_PLAIN_HTTP, policy

if TYPE_CHECKING:
    from paycli.environment import Environment

# Measured with MiniStack 1.5.33. The first four are what this module does; the rest is accepted there and
# then dropped, or not enforced.
OMISSIONS = (
    "There is no web ACL before the API, and no daily backup of the table: waf and backup are left out.",
    "Everything is served over plain HTTP: policies don't refuse it, and the API's minimum TLS version is moot.",
    "An alarm on a sum of metrics watches the first of them alone: errors without faults, reads without writes.",
    "The alarm api-latency watches the average in place of the 99th percentile.",
    "Alarms are evaluated only when a metric is put, whatever its dimensions; API, table and queues emit none.",
    "CloudFormation doesn't switch on the table's point-in-time recovery and expiry: paycli does, after it.",
    "A restored table holds the items of now, whatever the point in time: nothing that was lost comes back.",
    "Nothing is encrypted with the key, so neither its policy nor anybody's right to use it is tried.",
    "The default key (test) is bound by no policy, allowed_ips neither; keys that the embedded AWS issues are.",
    "Request models are not applied: a body that the gateway would refuse reaches the function.",
    "Lambda permissions, deletion protection of the table and stack policies are not enforced.",
    "The functions have no dead-letter queue, and the scheduled run no limit of retries.",
    "Access log, execution log and traces are not written, nor why a function crashed while it was loaded.",
    "A queue that a stack has kept is made anew by the next one, without its messages; a kept key is not taken up.",
    "Functions run on this machine's processor and Python, whatever architecture and runtime are set.",
)


def hostable(environment: "Environment") -> "Environment":
    """Return the settings without what the embedded AWS can't host.

    It refuses the association and the log of a web ACL, and the selection of a backup.
    """
    return environment.model_copy(update={"waf": False, "backup": False})


def fit_to_embedded(template: Template) -> None:
    """Take out what the embedded AWS can't host. Everything else is the same template.

    - It serves plain HTTP only: a statement that denies plain HTTP would shut everybody out.
    - It refuses an alarm on metric math: such an alarm watches the first of its metrics alone.
    """
    for name, resource in list(template.resources.items()):
        if "PolicyDocument" in resource.properties:
            _allow_plain_http(template, name, resource)
        elif isinstance(resource, Alarm) and "Metrics" in resource.properties:
            template.resources[name] = _on_first_metric(resource)


def _allow_plain_http(template: Template, name: str, resource: AWSObject) -> None:
    """Drop the deny statement, and the whole policy where nothing else is in it."""
    kept = [statement for statement in resource.PolicyDocument["Statement"] if statement.get("Sid") != DENY_PLAIN_HTTP]
    if kept:
        resource.PolicyDocument = policy(*kept)
    else:
        del template.resources[name]


def _on_first_metric(alarm: Alarm) -> Alarm:
    """Return the alarm with its first metric in the place of the expression."""
    first = next(query.MetricStat for query in alarm.Metrics if "MetricStat" in query.properties)
    settings = {name: value for name, value in alarm.properties.items() if name != "Metrics"}
    return Alarm(
        alarm.title,
        **settings,
        Namespace=first.Metric.Namespace,
        MetricName=first.Metric.MetricName,
        Dimensions=first.Metric.Dimensions,
        **{"ExtendedStatistic" if first.Stat.startswith("p") else "Statistic": first.Stat},
        Period=first.Period,
    )
