"""A function is invoked by what it was made for, and by nothing else."""

import re
from collections.abc import Iterator

from cfnlint.rules import RuleMatch

from paycli.audit.policies import PSEUDO, every_caller
from paycli.audit.routes import Route, routes
from paycli.audit.rule import AuditRule, finding
from paycli.audit.template import Node, Resource, Stack

_INVOKE = {"lambda:invokefunction", "lambda:invokefunctionurl"}


class InvocableByAnyone(AuditRule):
    """A function can be invoked by anybody, or by a service for anybody."""

    id = "E9561"
    shortdesc = "A function can be invoked by anybody, or by a service for anybody"
    description = 'A Lambda permission is for Principal "*", for a service without a source, or for more than invoking.'
    why = "Any API, topic or bucket of any account can then run payment code, past authorization and throttle."
    requirement = "AWS Security Hub Lambda.1; PCI DSS 7.2.5; AWS Well-Architected SEC03-BP07"
    mend = "Name one principal, Action lambda:InvokeFunction, and the SourceArn that may call."
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html"
    tags = ("resources", "lambda")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each permission that is too wide in who or what."""
        for permission in stack.resources("AWS::Lambda::Permission"):
            for action in permission.get("Action"):
                if not action.absent and (action.text or "").lower() not in _INVOKE:
                    yield finding(action, f"{action.text} is more than invoking")
            organization = all(not node.absent for node in permission.get("PrincipalOrgID"))
            for principal in permission.get("Principal"):
                if principal.text == "*" and not organization:
                    yield finding(principal, "Everybody may invoke the function")
                elif ".amazonaws." in (principal.text or "") or (principal.text or "").endswith("${AWS::URLSuffix}"):
                    yield from _sourceless(permission, principal)


class PermissionWiderThanRoute(AuditRule):
    """A permission covers routes that don't exist."""

    id = "E9562"
    shortdesc = "A Lambda permission is wider than its route"
    description = "The source ARN of an API has a wildcard for the API, its stage, method or path that no route needs."
    why = "A stage or route that is added later, tested or forgotten, invokes the function without a review."
    requirement = "PCI DSS 7.2.5; AWS Well-Architected SEC03-BP02"
    mend = "Write stage, method and path into SourceArn: .../${Api}/v1/POST/validate."
    source_url = "https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html"
    tags = ("resources", "lambda", "apigateway")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each source ARN with a wildcard that no route needs."""
        declared = routes(stack)
        for permission in stack.resources("AWS::Lambda::Permission"):
            for source in permission.get("SourceArn"):
                match = re.search(":execute-api:(?:[^:]*:[^:]*:)?(.+)$", PSEUDO.sub("", source.text or ""))
                wide = _too_wide(match[1].split("/"), declared) if match else []
                if wide:
                    yield finding(source, f"The permission covers every {' and '.join(wide)}")


def _sourceless(permission: Resource, principal: Node) -> Iterator[RuleMatch]:
    """Yield a finding where a service may call for anybody. An API's account alone isn't its route.

    An API's id is one account's, so that its ARN need not say which.
    """
    pins = ["SourceArn"]
    if not (principal.text or "").startswith("apigateway."):
        # https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
        pins += ["SourceAccount", "EventSourceToken", "PrincipalOrgID"]
    if not any(all(map(_pins, permission.get(pin))) for pin in pins):
        yield finding(principal, f"{principal.text} may invoke the function for anybody: no {pins[0]}")


def _pins(node: Node) -> bool:
    text = node.text or ""
    return not node.absent and (":execute-api:" in text or not every_caller(text))


def _too_wide(parts: list[str], declared: list[Route]) -> list[str]:
    """Return which parts of API/STAGE/METHOD/PATH are wildcards that no route of the template asks for."""
    api = ["API"] if re.search("[*?]", parts[0]) else []
    if len(parts) > 2 and parts[1] == "authorizers":
        return api
    stage, method = (parts[index] if index < len(parts) else "*" for index in (1, 2))
    path = tuple(part for part in parts[3:] if part) if len(parts) > 3 else ("*",)
    same = [route for route in declared if route.needs(path)]
    wide = [*api, "stage"] if "*" in stage else api
    if "*" in method and not any(route.method == "ANY" for route in same):
        wide.append("method")
    if any("*" in part for part in path) and not same:
        wide.append("path")
    return wide
