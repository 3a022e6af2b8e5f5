"""What the alarms of a template watch, and what they watch that isn't there."""

from collections.abc import Iterator
from dataclasses import dataclass

from paycli.audit.metrics import no_data
from paycli.audit.routes import routes
from paycli.audit.template import Node, Resource, Stack


@dataclass(frozen=True)
class _Named:
    """What a dimension's value must be: the name of a resource of these types, or such a reference to one."""

    types: tuple[str, ...]
    references: tuple[str, ...]
    has_name: bool = True  # whether the template can give it the name


# A Ref to an API of API Gateway is its id and to a queue its URL: no metric has those for a name.
_DIMENSIONS = {
    ("AWS/ApiGateway", "ApiName"): _Named(("AWS::ApiGateway::RestApi",), ()),
    ("AWS/ApiGateway", "ApiId"): _Named(("AWS::ApiGatewayV2::Api",), ("{}", "{}.ApiId"), has_name=False),
    ("AWS/ApiGateway", "Stage"): _Named(("AWS::ApiGateway::Stage", "AWS::ApiGatewayV2::Stage"), ("{}",)),
    ("AWS/Lambda", "FunctionName"): _Named(("AWS::Lambda::Function",), ("{}",)),
    ("AWS/DynamoDB", "TableName"): _Named(("AWS::DynamoDB::Table",), ("{}",)),
    ("AWS/SQS", "QueueName"): _Named(("AWS::SQS::Queue",), ("{}.QueueName",)),
    ("AWS/SNS", "TopicName"): _Named(("AWS::SNS::Topic",), ("{}.TopicName",)),
}

# What makes API Gateway count by route.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
_SWITCHES = (
    ("AWS::ApiGateway::Stage", "MethodSettings", "MetricsEnabled"),
    ("AWS::ApiGatewayV2::Stage", "DefaultRouteSettings", "DetailedMetricsEnabled"),
)


@dataclass(frozen=True)
class Series:
    """One metric that an alarm watches."""

    alarm: Resource
    namespace: Node
    metric: Node
    dimensions: list[Node]

    @property
    def values(self) -> list[tuple[str, Node]]:
        """Each dimension's name with each value that it can have."""
        return [
            (name.text or "", value)
            for dimension in self.dimensions
            for name in dimension.get("Name")
            for value in dimension.get("Value")
        ]


def all_series(stack: Stack) -> Iterator[Series]:
    """Yield each metric of each alarm, alone or as a part of an expression."""
    for alarm in stack.resources("AWS::CloudWatch::Alarm"):
        metrics = [node for query in alarm.listed("Metrics") for node in query.get("MetricStat", "Metric")]
        for metric in (*alarm.get(), *metrics):
            dimensions = [item for node in metric.get("Dimensions") for item in node.items()]
            for namespace in metric.get("Namespace"):
                for name in metric.get("MetricName"):
                    if not namespace.absent and not name.absent:
                        yield Series(alarm, namespace, name, dimensions)


def problems(stack: Stack, series: Series) -> Iterator[tuple[Node, str]]:
    """Yield why a metric has no data, each with the part of the alarm that is wrong."""
    for name, value in series.values:
        problem = _names_nothing(stack, series, name, value)
        if problem:
            yield value, problem
    problem = _wrong_dimensions(series) or _no_route(stack, series)
    if problem:
        yield series.metric, problem


def _wrong_dimensions(series: Series) -> str | None:
    namespace, metric = series.namespace.text, series.metric.text
    if namespace is None or metric is None or "${" in metric:
        return None
    if any(dimension.conditional or dimension.unknown for dimension in series.dimensions):
        return None
    return no_data(namespace, metric, {name for name, _ in series.values})


def _no_route(stack: Stack, series: Series) -> str | None:
    """Say why a single route of an API has no data: it doesn't exist, or nobody has API Gateway count by route."""
    values = {name: value.text or "${}" for name, value in series.values}
    if series.namespace.text != "AWS/ApiGateway" or "Resource" not in values:
        return None
    method, path = values.get("Method", "${}"), values["Resource"]
    declared = {(route.method, f"/{'/'.join(route.path)}") for route in routes(stack)}
    if declared and "${" not in method + path and not declared & {(method, path), ("ANY", path)}:
        return f"{method} {path} is no route of this template"
    if not _counted_by_route(stack):
        return "API Gateway counts by route only where MetricsEnabled (HTTP: DetailedMetricsEnabled) is true"
    return None


def _counted_by_route(stack: Stack) -> bool:
    """Whether a stage of the template may have metrics by route, or its stages are elsewhere."""
    switches = [
        node
        for resource_type, settings, switch in _SWITCHES
        for stage in stack.resources(resource_type)
        for setting in stage.listed(settings) or [stage.here]  # without settings the switch is missing
        for node in setting.get(switch)
    ]
    return not switches or any(node.truth is True or node.unknown for node in switches)


def _names_nothing(stack: Stack, series: Series, dimension: str, value: Node) -> str | None:
    """Say why a dimension's value names nothing of this template, or return None where it may."""
    named = _DIMENSIONS.get((series.namespace.text or "", dimension))
    text = value.text
    declared = list(stack.resources(*named.types)) if named else []
    if named is None or text is None or text in _names(named, declared):
        return None
    reference = text.removeprefix("${").partition(".")[0].removesuffix("}") if text.startswith("${") else None
    if not named.has_name and any(text in resource.names for resource in stack.all_resources.values()):
        return f"{dimension} {text} is a name and no id"
    if reference in stack.all_resources:
        return f"{dimension} {text} is no name of an {named.types[0]}"
    if "${" in text or not declared or not named.has_name or not all(resource.names for resource in declared):
        return None
    return f"{dimension} {text} names no {named.types[0]} of this template"


def _names(named: _Named, declared: list[Resource]) -> set[str]:
    references = {f"${{{form.format(resource.name)}}}" for resource in declared for form in named.references}
    return references | {name for resource in declared for name in resource.names}
