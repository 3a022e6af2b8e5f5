"""The dashboard. The first screen answers, in order: is something wrong, are payments flowing, how fast, what fails
and why, what waits, is the table throttled, and was it after a deploy. Below it are the parts, one by one.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from troposphere import Sub, Template
from troposphere.cloudwatch import Alarm, Dashboard

from paycli.stack.firewall import RATE, RULE_GROUPS
from paycli.stack.logs import log_group_names
from paycli.stack.names import DEPLOYS_METRIC, DEPLOYS_NAMESPACE, METRIC_NAMESPACE, STAGE_NAME

if TYPE_CHECKING:
    from paycli.environment import Environment

Widget = dict[str, Any]
Line = list[Any]  # namespace, metric, dimension, value, ..., options

COLUMNS = 24  # of the dashboard's grid


def add_dashboard(template: Template, environment: "Environment", alarms: Sequence[Alarm]) -> Dashboard:
    """Add the dashboard."""
    widgets = [
        _alarm_states(alarms),
        *_payments(environment),
        _causes(environment),
        *_what_waits(environment),
        *_parts(environment),
        *_firewall(environment),
    ]
    return template.add_resource(
        Dashboard("Dashboard", DashboardName=environment.named("payment-dashboard"), DashboardBody=Sub(_body(widgets)))
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


def _payments(environment: "Environment") -> list[Widget]:
    """Return how the payments fare, each deploy beside them."""
    api = _api(environment)
    ours = ("Environment", environment.name)
    outcomes = [f"Payments{outcome}" for outcome in ("Validated", "Processed", "Replayed", "Rejected")]
    deploy: Line = [
        DEPLOYS_NAMESPACE,
        DEPLOYS_METRIC,
        *ours,
        {"label": "deploy", "stat": "Maximum", "yAxis": "right"},  # a dot, as high as its number on record
    ]
    return [
        _graph(
            "Are payments flowing?",
            "Sum",
            [
                *_lines(METRIC_NAMESPACE, outcomes, ours),
                *([METRIC_NAMESPACE, "Faults", "FunctionName", name] for name in _functions(environment)[:2]),
                deploy,
            ],
            width=8,
        ),
        _graph(
            "How fast? API latency, ms",
            "p99",
            [
                *(["AWS/ApiGateway", "Latency", *api, {"stat": stat, "label": stat}] for stat in ("p50", "p90", "p99")),
                ["AWS/ApiGateway", "IntegrationLatency", *api, {"label": "p99 in the function"}],
                deploy,
            ],
            width=8,
        ),
        _graph(
            "What fails? API errors",
            "Sum",
            [*_lines("AWS/ApiGateway", ["4XXError", "5XXError"], api), deploy],
            width=8,
        ),
    ]


def _causes(environment: "Environment") -> Widget:
    """Return the table of what was refused or failed, by what the payment functions have logged.

    `code` is what the caller was told; the cause is AWS's error, else the exception, else "rejected". Each look at the
    dashboard, and each refresh, scans these logs for its time: USD 0.005 a GB.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
    """
    names = log_group_names(environment)
    query = [
        *(f"SOURCE '{names[logs]}'" for logs in ("ValidationLogs", "ProcessingLogs")),
        "filter ispresent(code)",
        "fields coalesce(aws_code, error, outcome) as cause",
        "stats count(*) as requests by operation, code, cause",
        "sort requests desc",
    ]
    return {
        "type": "log",
        "width": 12,
        "properties": {
            "title": "Why? Refused and failed requests",
            "region": "${AWS::Region}",
            "view": "table",
            "query": " | ".join(query),
        },
    }


def _what_waits(environment: "Environment") -> list[Widget]:
    """Return what holds payments up: the queues and the table's limits."""
    failed = environment.named("failed-transactions")
    queues = {
        failed: "failed",
        environment.named("failed-transactions-dlq"): "dead letters",
        environment.named("function-failures"): "function failures",
    }
    waiting = "ApproximateNumberOfMessagesVisible"
    table = _table(environment)
    return [
        _graph(
            "What waits in the queues?",
            "Maximum",
            [
                *(["AWS/SQS", waiting, "QueueName", name, {"label": label}] for name, label in queues.items()),
                [
                    *("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", failed),
                    {"label": "age of the oldest failed, s", "yAxis": "right"},
                ],
            ],
        ),
        _graph(
            "Is the table throttled?",
            "Sum",
            [
                *_lines("AWS/DynamoDB", ["ReadThrottleEvents", "WriteThrottleEvents"], table),
                *_of_operations("SystemErrors", table),
            ],
        ),
    ]


def _parts(environment: "Environment") -> list[Widget]:
    """Return the parts of the stack, one by one."""
    functions = _functions(environment)
    table = _table(environment)
    return [
        _graph("Requests", "Sum", _lines("AWS/ApiGateway", ["Count"], _api(environment))),
        _graph("Table latency p99, ms", "p99", _of_operations("SuccessfulRequestLatency", table)),
        _graph(
            "Table: consumed units",
            "Sum",
            _lines("AWS/DynamoDB", ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"], table),
        ),
        _graph(
            "Health, from 0 healthy to 3 critical",
            "Maximum",
            _lines(METRIC_NAMESPACE, ["HealthState"], ("Environment", environment.name)),
        ),
        _graph("Function runs", "Sum", _of_functions("Invocations", functions)),
        _graph("Function errors: crashes, time-outs", "Sum", _of_functions("Errors", functions)),
        _graph("Function duration p99, ms", "p99", _of_functions("Duration", functions)),
        _graph(
            "Function concurrency and throttles",
            "Maximum",
            [
                *_of_functions("ConcurrentExecutions", functions),
                *([*line, {"stat": "Sum"}] for line in _of_functions("Throttles", functions)),
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
    return [_graph("Requests that the firewall blocked, by rule", "Sum", lines, width=COLUMNS)]


def _api(environment: "Environment") -> tuple[str, ...]:
    return ("ApiName", environment.named("payment-api"), "Stage", STAGE_NAME)


def _table(environment: "Environment") -> tuple[str, ...]:
    return ("TableName", environment.named("transactions"))


def _functions(environment: "Environment") -> list[str]:
    """Return the functions' names, those of the payments first."""
    return [environment.named(part) for part in ("payment-validation", "payment-processing", "health-monitor")]


def _lines(namespace: str, metrics: Sequence[str], dimensions: Sequence[str]) -> list[Line]:
    return [[namespace, metric, *dimensions] for metric in metrics]


def _of_functions(metric: str, functions: Sequence[str]) -> list[Line]:
    return [["AWS/Lambda", metric, "FunctionName", name] for name in functions]


def _of_operations(metric: str, table: Sequence[str]) -> list[Line]:
    return [["AWS/DynamoDB", metric, *table, "Operation", name] for name in ("PutItem", "UpdateItem")]


def _graph(title: str, stat: str, lines: Sequence[Line], *, width: int | None = None) -> Widget:
    """Return a graph of one-minute values; a line's options may name another statistic than `stat`.

    It has no position: CloudWatch puts it where the widgets before it leave room. What is 6, the default, goes unsaid,
    since a template of more than 51,200 bytes can't be sent inline: the height, and most widths.
    """
    return {
        "type": "metric",
        **({"width": width} if width else {}),
        "properties": {
            "title": title,
            "region": "${AWS::Region}",
            "stat": stat,
            "period": 60,
            "metrics": _abbreviated(lines),
        },
    }


def _abbreviated(lines: Sequence[Line]) -> list[Line]:
    """Write "." for what the line above says in the same place, and "..." where that is all but the last.

    A line's options are never abbreviated.
    """
    above: Line = []
    shorter = []
    for line in lines:
        names = [part for part in line if isinstance(part, str)]
        same = [*(was == now for was, now in zip(above, names, strict=False)), *[False] * len(names)][: len(names)]
        short = ["." if repeated else name for repeated, name in zip(same, names, strict=True)]
        if len(above) == len(names) and all(same[:-1]):
            short = ["...", *([] if same[-1] else names[-1:])]
        shorter.append([*short, *line[len(names) :]])
        above = names
    return shorter
