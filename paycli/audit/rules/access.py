"""Who may call, and how often."""

from collections.abc import Iterator
from dataclasses import replace

from cfnlint.rules import RuleMatch

from paycli.audit.choices import choices
from paycli.audit.policies import Statement, statements
from paycli.audit.rule import AuditRule, finding
from paycli.audit.template import Node, Resource, Stack

_UNTHROTTLED = "{} lets a single caller use up the account: no throttle for every route"


class OpenRoute(AuditRule):
    """A route that anybody can call."""

    id = "E9611"
    shortdesc = "A route can be called by anybody"
    description = (
        "A method, route or function URL has no authorization, or a parameter or mapping can take it away, and no "
        "resource policy says who may call. An API key identifies a usage plan, and authenticates nobody."
    )
    why = "Anybody on the internet can create payments, or ask how the system is; a health route is one to attack."
    requirement = "PCI DSS 7.3.3; AWS Security Hub APIGateway.8; AWS Well-Architected SEC03-BP07"
    mend = 'Set AuthorizationType AWS_IAM or an authorizer (authorization = "iam" in paycli.toml).'
    source_url = "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-to-api.html"
    tags = ("resources", "apigateway", "lambda")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each open route."""
        for node in _authorizations(stack):
            if node.absent or "NONE" in choices(node):
                yield finding(node, f"Anybody can call {_owner(node)}: {_how(node)}")


class MaybeOpenRoute(AuditRule):
    """A route of which nobody can say whether it is open."""

    id = "W9613"
    shortdesc = "A deployment can open a route"
    description = (
        "The authorization of a method, route or function URL is a parameter without AllowedValues, an import or "
        "another value that only a deployment knows."
    )
    why = "A review of the template proves nothing: one argument of a deployment, NONE, opens the route to everybody."
    requirement = "PCI DSS 7.3.3; AWS Security Hub APIGateway.8; AWS Well-Architected SEC03-BP07"
    mend = "Write the authorization into the template, or give its parameter AllowedValues without NONE."
    source_url = "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-to-api.html"
    tags = ("resources", "apigateway", "lambda")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each authorization that can be anything; E9611 says where it can be none."""
        for node in _authorizations(stack):
            possible = list(choices(node))
            if None in possible and "NONE" not in possible:
                yield finding(node, f"A deployment can open {_owner(node)}: its authorization can be anything")


class NoThrottle(AuditRule):
    """One caller can use up everything."""

    id = "W9612"
    shortdesc = "A stage has no throttle of its own"
    description = (
        "A stage has no rate and burst limit for every path and method, and no usage plan with one; or a route's own "
        "settings have a limit of -1, which is none."
    )
    why = "One caller, or one bug, uses up the account's limit and the budget, and every other API answers 429."
    requirement = "AWS Well-Architected REL05-BP02"
    mend = "Set ThrottlingRateLimit and ThrottlingBurstLimit for ResourcePath /* and HttpMethod *."
    source_url = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html"
    tags = ("resources", "apigateway")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each stage without limits."""
        for stage in stack.resources("AWS::ApiGateway::Stage"):
            if not any(map(_limits_everything, stage.listed("MethodSettings"))) and not _in_usage_plan(stack, stage):
                yield finding(stage, _UNTHROTTLED.format(stage.name))
            for settings in stage.listed("MethodSettings"):
                if not _everywhere(settings):
                    yield from _taken_off(settings)
        for stage in stack.resources("AWS::ApiGatewayV2::Stage"):
            if not all(map(_limits, stage.get("DefaultRouteSettings"))):
                yield finding(stage, _UNTHROTTLED.format(stage.name))


def _authorizations(stack: Stack) -> Iterator[Node]:
    """Yield the authorization of each route, unless its API's policy says who may call.

    A browser sends OPTIONS without credentials, and it does nothing.
    """
    for method in stack.resources("AWS::ApiGateway::Method"):
        if not all(node.text == "OPTIONS" for node in method.get("HttpMethod")) and not _restricted(stack, method):
            yield from method.get("AuthorizationType")
    for route in stack.resources("AWS::ApiGatewayV2::Route"):
        if not any((node.text or "").startswith("OPTIONS ") for node in route.get("RouteKey")):
            yield from route.get("AuthorizationType")
    for url in stack.resources("AWS::Lambda::Url"):
        yield from url.get("AuthType")
    for api in stack.resources("AWS::ApiGatewayV2::Api"):
        # With a target API Gateway makes a route $default by itself, without authorization.
        yield from (replace(target, value=None) for target in api.get("Target") if not target.absent)


def _how(node: Node) -> str:
    fixed = node.absent or (node.value == "NONE" and node.parameter is None)
    return "no authorization" if fixed else "its authorization can be NONE when it is deployed"


def _owner(node: Node) -> str:
    """Return the logical ID of the resource that a node is of."""
    return str(node.path[1])


def _restricted(stack: Stack, method: Resource) -> bool:
    """Whether the API's own policy says which callers are meant."""
    apis = [
        api
        for api in stack.resources("AWS::ApiGateway::RestApi")
        if any(node.identifies(api) for node in method.get("RestApiId"))
    ]
    return any(_says_who(list(statements(api))) for api in apis)


def _says_who(policy: list[Statement]) -> bool:
    """Whether a policy allows some callers alone, or denies to all but some what it allows."""
    allowing = [statement for statement in policy if statement.allows]
    if not allowing:
        return any(statement.denies_all_but_some for statement in policy)
    return all(
        statement.narrowed or not _for_everybody(statement) or any(other.shuts(statement) for other in policy)
        for statement in allowing
    )


def _for_everybody(statement: Statement) -> bool:
    return bool(statement.for_everybody or statement.listed("NotPrincipal"))


def _limits(settings: Node) -> bool:
    """Whether settings have both limits; a negative one is none."""
    return all(
        node.unknown or (node.number is not None and node.number >= 0)
        for limit in ("ThrottlingRateLimit", "ThrottlingBurstLimit")
        for node in settings.get(limit)
    )


def _limits_everything(settings: Node) -> bool:
    return _everywhere(settings) and _limits(settings)


def _everywhere(settings: Node) -> bool:
    return all(
        node.text == everything
        for key, everything in (("ResourcePath", "/*"), ("HttpMethod", "*"))
        for node in settings.get(key)
    )


def _taken_off(settings: Node) -> Iterator[RuleMatch]:
    for limit in ("ThrottlingRateLimit", "ThrottlingBurstLimit"):
        for node in settings.get(limit):
            if node.number is not None and node.number < 0:
                yield finding(node, f"{settings.get('ResourcePath')[0].text} has no throttle: {limit} is {node.text}")


def _in_usage_plan(stack: Stack, stage: Resource) -> bool:
    return any(
        node.identifies(stage)
        for plan in stack.resources("AWS::ApiGateway::UsagePlan")
        if all(node.number is not None for limit in ("RateLimit", "BurstLimit") for node in plan.get("Throttle", limit))
        for api_stage in plan.listed("ApiStages")
        for node in api_stage.get("Stage")
    )
