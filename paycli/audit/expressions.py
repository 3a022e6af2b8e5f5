"""Metric math: the metrics that an expression names.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html#metric-math-syntax
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from paycli.audit.template import Node, Resource, Stack

# What names no metric: a text in quotes, and a variable that Fn::Sub fills in.
_OTHER = re.compile(r"'[^']*'|\"[^\"]*\"|\$\{[^}]*\}")
# An id starts with a small letter; the functions of metric math stand before a parenthesis.
_ID = re.compile(r"\b[a-z][A-Za-z0-9_]*\b(?!\s*\()")
# A query of Metrics Insights is no metric math.
_QUERY = re.compile(r"\s*SELECT\b", re.IGNORECASE)


@dataclass(frozen=True)
class Math:
    """The queries of an alarm or of one widget of a dashboard: their expressions, and the ids that these may name."""

    owner: Resource
    expressions: list[Node]
    ids: list[Node]

    def undefined(self) -> Iterator[tuple[Node, str]]:
        """Yield each expression with each id in it that none of the queries has."""
        defined = {node.text for node in self.ids if not node.absent}
        if any(text is None or "${" in text for text in defined):
            return
        for expression in self.expressions:
            for name in sorted(_named(expression.text or "") - defined):
                yield expression, name


def all_math(stack: Stack) -> Iterator[Math]:
    """Yield what the alarms and the dashboards of a template compute."""
    for alarm in stack.resources("AWS::CloudWatch::Alarm"):
        yield _math(alarm, alarm.listed("Metrics"), "Expression", "Id")
    for dashboard in stack.resources("AWS::CloudWatch::Dashboard"):
        for widget in dashboard.listed("DashboardBody", "widgets"):
            # A metric is a list, with its options last: the list's mappings are all of them.
            options = [item for node in widget.get("properties", "metrics") for item in node.items() if item.keys]
            yield _math(dashboard, options, "expression", "id")


def _math(owner: Resource, queries: list[Node], expression: str, name: str) -> Math:
    return Math(
        owner,
        [node for query in queries for node in query.get(expression) if not node.absent],
        [node for query in queries for node in query.get(name)],
    )


def _named(expression: str) -> set[str]:
    return set() if _QUERY.match(expression) else set(_ID.findall(_OTHER.sub(" ", expression)))
