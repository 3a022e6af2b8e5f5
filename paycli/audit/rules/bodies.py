"""What callers send must not be written down: bodies, credentials, values they got wrong."""

import re
from collections.abc import Iterator

from cfnlint.rules import RuleMatch

from paycli.audit.rule import AuditRule, finding
from paycli.audit.template import Node, Resource, Stack, certain

# Access logs are documented for $context variables alone; of those, these hold what a caller sent.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
_SENT_BY_CALLER = re.compile(
    r"\$input\b[\w.]*|\$request\.[\w.-]+|\$method\.request[\w.-]*"
    r"|\$context\.(requestOverride|responseOverride|error\.validationErrorString|identity\.apiKey(?!Id))[\w.-]*"
)


class BodiesInExecutionLog(AuditRule):
    """Data tracing is on."""

    id = "E9511"
    shortdesc = "API Gateway writes whole requests and responses to its log"
    description = "DataTraceEnabled is true in a stage's or a deployment's settings."
    why = "Card and customer data of every payment stands in a log that many can read, for as long as it is kept."
    requirement = "PCI DSS 3.3.1, 3.5.1; AWS Well-Architected SEC07-BP02"
    mend = "Set DataTraceEnabled to false; LoggingLevel ERROR says enough."
    source_url = "https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html"
    tags = ("resources", "apigateway", "logs")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each setting that traces data."""
        for settings in _method_settings(stack):
            for node in settings.get("DataTraceEnabled"):
                if node.truth is True:
                    yield finding(node, "Data tracing writes whole requests and responses to the log")


class CallerDataInAccessLog(AuditRule):
    """The access log's format quotes the caller."""

    id = "E9512"
    shortdesc = "The access log quotes bodies, headers or keys of callers"
    description = "An access log format has a variable that holds what the caller sent."
    why = "An access log is read by many tools; a credential or a card number in it has leaked."
    requirement = "PCI DSS 3.3.1, 8.3.2; AWS Well-Architected SEC07-BP02"
    mend = "Log ids, times, statuses and the caller's identity; leave out what the caller sent."
    source_url = (
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html"
    )
    tags = ("resources", "apigateway", "logs")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each format that quotes the caller."""
        for node in _access_log_formats(stack):
            quoted = _SENT_BY_CALLER.search(node.text or "")
            if quoted:
                yield finding(node, f"The access log holds {quoted[0]}, which is what the caller sent")


class EventsInFunctionLog(AuditRule):
    """Powertools logs each event."""

    id = "E9513"
    shortdesc = "A function logs every event it receives"
    description = "POWERTOOLS_LOGGER_LOG_EVENT is true in a function's environment."
    why = "The event of a proxy integration is the whole request, with body and headers."
    requirement = "PCI DSS 3.3.1, 3.5.1; AWS Well-Architected SEC07-BP02"
    mend = "Remove the variable, and log chosen fields."
    source_url = "https://docs.aws.amazon.com/powertools/python/latest/core/logger/"
    tags = ("resources", "lambda", "logs")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each variable that switches it on."""
        for function in stack.resources("AWS::Lambda::Function"):
            for node in function.get("Environment", "Variables", "POWERTOOLS_LOGGER_LOG_EVENT"):
                if node.truth is True:
                    yield finding(node, "The function logs every event, with body and headers")


class ErrorsQuoteCaller(AuditRule):
    """A gateway response quotes the value that didn't fit."""

    id = "W9514"
    shortdesc = "The gateway's error quotes what the caller sent"
    description = "A GatewayResponse has $context.error.validationErrorString."
    why = "The text quotes values, and a value can be a card number: callers and proxies log error bodies."
    requirement = "PCI DSS 3.4.1; AWS Well-Architected SEC07-BP02"
    mend = "Answer with a fixed text and $context.requestId."
    source_url = (
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html"
    )
    tags = ("resources", "apigateway")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each template or header that quotes."""
        for response in stack.resources("AWS::ApiGateway::GatewayResponse"):
            for part in ("ResponseTemplates", "ResponseParameters"):
                for block in response.get(part):
                    for name in block.keys:
                        for node in block.get(name):
                            if "validationErrorString" in (node.text or ""):
                                yield finding(node, "The error quotes the value that the caller sent")


class CredentialsInFirewallLog(AuditRule):
    """The web ACL's log has the header Authorization in clear."""

    id = "W9515"
    shortdesc = "The firewall's log holds the header Authorization"
    description = "Neither a WAF LoggingConfiguration redacts the header authorization, nor its web ACL protects it."
    why = "WAF logs every header; a signature or bearer token in the log can be replayed while it is valid."
    requirement = "PCI DSS 8.3.2; AWS Well-Architected SEC07-BP02"
    mend = "Protect the header in the web ACL's DataProtectionConfig, or add it to RedactedFields."
    source_url = "https://docs.aws.amazon.com/waf/latest/developerguide/data-protection-masking.html"
    tags = ("resources", "wafv2", "logs")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each log that holds it."""
        for logging in stack.resources("AWS::WAFv2::LoggingConfiguration"):
            redacted = [
                name for field in logging.listed("RedactedFields") for name in field.get("SingleHeader", "Name")
            ]
            hidden = [*redacted, *_protected_headers(stack, logging)]
            if not certain(name for name in hidden if (name.text or "").lower() == "authorization"):
                yield finding(logging, "The log of the web ACL holds the header Authorization in clear")


def _protected_headers(stack: Stack, logging: Resource) -> Iterator[Node]:
    """Yield the headers that the logged web ACL shows nobody."""
    for web_acl in stack.resources("AWS::WAFv2::WebACL"):
        if any(node.identifies(web_acl) for node in logging.get("ResourceArn")):
            for protection in web_acl.listed("DataProtectionConfig", "DataProtections"):
                for field in protection.get("Field"):
                    if all(node.text == "SINGLE_HEADER" for node in field.get("FieldType")):
                        yield from (name for names in field.get("FieldKeys") for name in names.items())


def _method_settings(stack: Stack) -> Iterator[Node]:
    for stage in stack.resources("AWS::ApiGateway::Stage"):
        yield from stage.listed("MethodSettings")
    for deployment in stack.resources("AWS::ApiGateway::Deployment"):
        yield from deployment.get("StageDescription")
        yield from deployment.listed("StageDescription", "MethodSettings")
    for stage in stack.resources("AWS::ApiGatewayV2::Stage"):
        yield from stage.get("DefaultRouteSettings")
        for routes in stage.get("RouteSettings"):
            for route in routes.keys:
                yield from routes.get(route)


def _access_log_formats(stack: Stack) -> Iterator[Node]:
    for stage in stack.resources("AWS::ApiGateway::Stage"):
        yield from stage.get("AccessLogSetting", "Format")
    for deployment in stack.resources("AWS::ApiGateway::Deployment"):
        yield from deployment.get("StageDescription", "AccessLogSetting", "Format")
    for stage in stack.resources("AWS::ApiGatewayV2::Stage"):
        yield from stage.get("AccessLogSettings", "Format")
