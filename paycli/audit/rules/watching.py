"""What answers callers is watched, and what watches is switched on."""

from collections.abc import Iterator

from cfnlint.rules import RuleMatch

from paycli.audit.expressions import all_math
from paycli.audit.production import in_production
from paycli.audit.rule import AuditRule, finding
from paycli.audit.series import all_series
from paycli.audit.template import Node, Resource, Stack

# A stage, the property that names its API, and by which dimension which metrics count the API's own failures.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
_FAULTS = (
    ("AWS::ApiGateway::Stage", "RestApiId", "ApiName", {"5XXError"}),
    ("AWS::ApiGatewayV2::Stage", "ApiId", "ApiId", {"5xx", "ExecutionError", "IntegrationError"}),
)
_APIS = ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")
_READING = {"GET", "HEAD", "OPTIONS"}
_OFF = {
    "AWS::Events::Rule": "DISABLED",
    "AWS::Scheduler::Schedule": "DISABLED",
    "AWS::Pipes::Pipe": "STOPPED",
}


class FunctionErrorsUnwatched(AuditRule):
    """Payments fail, and nobody is told."""

    id = "W9597"
    shortdesc = "Nobody is told when a function behind a route fails"
    description = (
        "A function that a route other than GET, or a function URL, calls has no alarm on AWS/Lambda Errors by its "
        "FunctionName."
    )
    why = "It crashes or times out with every payment, and the first to say so is a customer."
    requirement = "PCI DSS 10.7.2; AWS Well-Architected REL06-BP01, OPS08-BP04"
    mend = "Add an alarm on AWS/Lambda Errors of the function, alone or as a part of an expression."
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"
    tags = ("resources", "lambda", "cloudwatch", "alarms")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each such function."""
        called = list(_called_by_routes(stack))
        watched = [
            value
            for series in all_series(stack)
            if (series.namespace.text, series.metric.text) == ("AWS/Lambda", "Errors")
            for name, value in series.values
            if name == "FunctionName"
        ]
        for function in stack.resources("AWS::Lambda::Function"):
            if _named_in(called, stack, function) and not any(_may_mean(node, function) for node in watched):
                yield finding(function, f"No alarm watches the errors of {function.name}, which a route calls")


class ApiErrorsUnwatched(AuditRule):
    """The API fails before a function could say so."""

    id = "W9598"
    shortdesc = "Nobody is told when production's API answers 5xx"
    description = "A stage of production has no alarm on its API's 5XXError (HTTP API: 5xx, WebSocket: ExecutionError)."
    why = "A missing permission, a throttled function or a wrong integration fails each payment, and no function runs."
    requirement = "PCI DSS 10.7.2; AWS Well-Architected REL06-BP01, OPS08-BP04"
    mend = "Add an alarm on AWS/ApiGateway 5XXError with ApiName and Stage."
    source_url = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html"
    tags = ("resources", "apigateway", "cloudwatch", "alarms", "production")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each stage that nobody watches."""
        for resource_type, api, dimension, metrics in _FAULTS if in_production(stack) else ():
            watched = [
                series.values
                for series in all_series(stack)
                if series.namespace.text == "AWS/ApiGateway" and series.metric.text in metrics
            ]
            for stage in stack.resources(resource_type):
                if not any(_is_of(stack, values, stage, api, dimension) for values in watched):
                    yield finding(stage, f"No alarm watches the 5xx answers of {stage.name}")


class ScheduleOff(AuditRule):
    """What should run doesn't."""

    id = "W9635"
    shortdesc = "A rule or schedule is switched off"
    description = "An EventBridge rule or schedule is DISABLED, or a pipe STOPPED."
    why = "What it should run (a health check, a reconciliation) never runs, and the template looks as if it did."
    requirement = "PCI DSS 10.7.2; AWS Well-Architected OPS08-BP04"
    mend = "Set State ENABLED (a pipe: RUNNING), or remove it."
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html"
    tags = ("resources", "events")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each that is off."""
        for resource_type, off in _OFF.items():
            for rule in stack.resources(resource_type):
                for node in rule.get("DesiredState" if off == "STOPPED" else "State"):
                    if node.text == off:
                        yield finding(node, f"{rule.name} is switched off: {off}")


class UndefinedMetric(AuditRule):
    """A sum with an unknown in it."""

    id = "E9599"
    shortdesc = "An expression names a metric that isn't there"
    description = "Metric math of an alarm or of a dashboard's widget names an id that none of its metrics has."
    why = "CloudWatch refuses the alarm in the middle of a deployment; a graph stays empty just when it is needed."
    requirement = "AWS Well-Architected OPS08-BP04"
    mend = "Name an Id of the same alarm or widget."
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html"
    tags = ("resources", "cloudwatch", "alarms")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each expression with each unknown id."""
        for math in all_math(stack):
            for expression, name in math.undefined():
                yield finding(expression, f"{math.owner.name} computes with {name}, which is none of its metrics")


def _called_by_routes(stack: Stack) -> Iterator[Node]:
    """Yield what is called by callers who change something, each as an ARN or name of a function."""
    for method in stack.resources("AWS::ApiGateway::Method"):
        if not all(node.text in _READING for node in method.get("HttpMethod")):
            yield from method.get("Integration", "Uri")
    for route in stack.resources("AWS::ApiGatewayV2::Route"):
        if not all((node.text or "").partition(" ")[0] in _READING for node in route.get("RouteKey")):
            for integration in stack.resources("AWS::ApiGatewayV2::Integration"):
                if any(node.identifies(integration) for node in route.get("Target")):
                    yield from integration.get("IntegrationUri")
    for url in stack.resources("AWS::Lambda::Url"):
        yield from url.get("TargetFunctionArn")


def _named_in(called: list[Node], stack: Stack, function: Resource) -> bool:
    """Whether a function is called, by itself or by an alias or version of it."""
    others = stack.resources("AWS::Lambda::Alias", "AWS::Lambda::Version")
    names = [function, *(other for other in others if any(n.identifies(function) for n in other.get("FunctionName")))]
    texts = [(node.text or "").removesuffix("/invocations") for node in called]
    return any(name.is_called(text) for text in texts for name in names)


def _may_mean(value: Node, resource: Resource) -> bool:
    """Whether a dimension's value is a resource's name, or one that only a deployment knows."""
    return value.identifies(resource) or (value.unknown and value.text is None)


def _is_of(stack: Stack, values: list[tuple[str, Node]], stage: Resource, key: str, dimension: str) -> bool:
    """Whether an alarm's metric is of a stage's API, and of this stage where it says one."""
    apis = [api for api in stack.resources(*_APIS) if any(node.identifies(api) for node in stage.get(key))]
    of_api = [value for name, value in values if name == dimension]
    of_stage = [value for name, value in values if name == "Stage"]
    meant = any(_may_mean(value, api) for value in of_api for api in apis) or (bool(of_api) and not apis)
    return meant and (not of_stage or any(_may_mean(value, stage) for value in of_stage))
