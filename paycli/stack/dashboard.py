"""The dashboard: alarm states first, then the way of a payment through the stack.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from troposphere import Sub, Template
from troposphere.cloudwatch import Alarm, Dashboard

from paycli.stack.firewall import RATE, RULE_GROUPS
from paycli.stack.names import METRIC_NAMESPACE, STAGE_NAME

if TYPE_CHECKING:
    from paycli.environment import Environment

Widget = dict[str, Any]
Line = list[Any]  # namespace, metric, dimension, value, ..., options

COLUMNS = 24  # of the dashboard's grid


def add_dashboard(template: Template, environment: "Environment", alarms: Sequence[Alarm]) -> Dashboard:
    """Add the dashboard."""
    return template.add_resource(
        Dashboard(
            "Dashboard",
            DashboardName=environment.named("payment-dashboard"),
            DashboardBody=Sub(_body([_alarm_states(alarms), *_graphs(environment), *_firewall(environment)])),
        )
    )


def _body(widgets: Sequence[Widget]) -> str:
    """Return the widgets as JSON text, one a line, so that a change of one is one line of a diff."""
    lines = ",\n".join(json.dumps(widget, separators=(",", ":")) for widget in widgets)
    return f'{{"widgets":[\n{lines}\n]}}\n'


def _alarm_states(alarms: Sequence[Alarm]) -> Widget:
    arns = [f"${{{alarm.title}.Arn}}" for alarm in alarms]
    return {
        "type": "alarm",
        "width": COLUMNS,
        "height": 3,
        "properties": {"title": "Alarms", "alarms": arns},
    }


def _graphs(environment: "Environment") -> list[Widget]:
    api = ("ApiName", environment.named("payment-api"), "Stage", STAGE_NAME)
    functions = [environment.named(part) for part in ("payment-validation", "payment-processing", "health-monitor")]
    table = ("TableName", environment.named("transactions"))
    queues = [
        environment.named(part) for part in ("failed-transactions", "failed-transactions-dlq", "function-failures")
    ]
    ours = ("Environment", environment.name)
    payment_functions = functions[:2]
    return [
        _graph("Requests", "Sum", 8, _lines("AWS/ApiGateway", ["Count"], api)),
        _graph("API errors", "Sum", 8, _lines("AWS/ApiGateway", ["4XXError", "5XXError"], api)),
        _graph(
            "API latency, ms",
            "p99",
            8,
            [
                *(["AWS/ApiGateway", "Latency", *api, {"stat": stat, "label": stat}] for stat in ("p50", "p90", "p99")),
                ["AWS/ApiGateway", "IntegrationLatency", *api, {"label": "p99 in the function"}],
            ],
        ),
        _graph(
            "Payments",
            "Sum",
            12,
            _lines(
                METRIC_NAMESPACE,
                ["PaymentsValidated", "PaymentsProcessed", "PaymentsReplayed", "PaymentsRejected"],
                ours,
            ),
        ),
        _graph(
            "Health: 0 healthy, 1 degraded, 2 unknown, 3 critical",
            "Maximum",
            12,
            _lines(METRIC_NAMESPACE, ["HealthState"], ours),
        ),
        _graph("Function runs", "Sum", 6, _of_functions("Invocations", functions)),
        _graph(
            "Function errors and faults",
            "Sum",
            6,
            [
                *_of_functions("Errors", functions),
                *([METRIC_NAMESPACE, "Faults", "FunctionName", name] for name in payment_functions),
            ],
        ),
        _graph("Function duration p99, ms", "p99", 6, _of_functions("Duration", functions)),
        _graph(
            "Function concurrency and throttles",
            "Maximum",
            6,
            [
                *_of_functions("ConcurrentExecutions", functions),
                *([*line, {"stat": "Sum"}] for line in _of_functions("Throttles", functions)),
            ],
        ),
        _graph(
            "Table: consumed units",
            "Sum",
            6,
            _lines("AWS/DynamoDB", ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"], table),
        ),
        _graph("Table latency p99, ms", "p99", 6, _of_operations("SuccessfulRequestLatency", table)),
        _graph(
            "Table throttles and errors",
            "Sum",
            6,
            [
                *_lines("AWS/DynamoDB", ["ReadThrottleEvents", "WriteThrottleEvents"], table),
                *_of_operations("SystemErrors", table),
            ],
        ),
        _graph(
            "Queues: waiting messages; age of the oldest, s (right)",
            "Maximum",
            6,
            [
                *(["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name] for name in queues),
                ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queues[0], {"yAxis": "right"}],
            ],
        ),
    ]


def _firewall(environment: "Environment") -> list[Widget]:
    """Return the graph of what the web ACL blocks, where there is one.

    https://docs.aws.amazon.com/waf/latest/developerguide/waf-metrics.html
    """
    if not environment.waf:
        return []
    web_acl = ("Region", "${AWS::Region}", "WebACL", environment.named("payment-api"))
    lines = [["AWS/WAFV2", "BlockedRequests", *web_acl, "Rule", rule] for rule in (RATE, *RULE_GROUPS)]
    return [_graph("Requests that the firewall blocked, by rule", "Sum", COLUMNS, lines)]


def _lines(namespace: str, metrics: Sequence[str], dimensions: Sequence[str]) -> list[Line]:
    return [[namespace, metric, *dimensions] for metric in metrics]


def _of_functions(metric: str, functions: Sequence[str]) -> list[Line]:
    return [["AWS/Lambda", metric, "FunctionName", name] for name in functions]


def _of_operations(metric: str, table: Sequence[str]) -> list[Line]:
    return [["AWS/DynamoDB", metric, *table, "Operation", name] for name in ("PutItem", "UpdateItem")]


def _graph(title: str, stat: str, width: int, lines: Sequence[Line]) -> Widget:
    """Return a graph of one-minute values; a line's options may name another statistic than `stat`.

    It has no position: CloudWatch puts it where the widgets before it leave room; it is 6 rows high, the default.
    """
    return {
        "type": "metric",
        "width": width,
        "properties": {
            "title": title,
            "region": "${AWS::Region}",
            "stat": stat,
            "period": 60,
            "metrics": _abbreviated(lines),
        },
    }


def _abbreviated(lines: Sequence[Line]) -> list[Line]:
    """Write "." for what the line above says in the same place, as CloudWatch does."""
    above: Line = []
    shorter = []
    for line in lines:
        same = [*(was == now for was, now in zip(above, line, strict=False)), *[False] * len(line)]
        shorter.append(
            ["." if repeated and isinstance(part, str) else part for repeated, part in zip(same, line, strict=False)]
        )
        above = line
    return shorter
