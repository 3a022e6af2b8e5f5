"""A body is checked before it costs anything, and before a parser sees it."""

from collections.abc import Iterator

from cfnlint.rules import RuleMatch

from paycli.audit.rule import AuditRule, finding
from paycli.audit.template import Node, Resource, Stack

_WITH_BODY = {"POST", "PUT", "PATCH", "ANY"}


class BodyNotValidated(AuditRule):
    """A route takes any body."""

    id = "E9531"
    shortdesc = "A route takes any body"
    description = (
        "A POST, PUT, PATCH or ANY method has no request model, or no validator that checks bodies against it."
    )
    why = "Malformed and hostile bodies reach the payment code, and every one of them costs an invocation."
    requirement = "PCI DSS 6.2.4"
    mend = "Give the method RequestModels and a RequestValidator with ValidateRequestBody true."
    source_url = (
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html"
    )
    tags = ("resources", "apigateway")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each method that lets any body through."""
        for method in _methods_with_body(stack):
            for models in method.get("RequestModels"):
                yield from _empty_models(stack, models)
            for validator in method.get("RequestValidatorId"):
                if validator.absent:
                    yield finding(validator, "No validator checks the body")
                elif not _checks_bodies(stack, validator):
                    yield finding(validator, "The validator doesn't check bodies: ValidateRequestBody isn't true")


class ValidationByContentType(AuditRule):
    """Another content type gets round the model."""

    id = "W9532"
    shortdesc = "An unknown content type gets round the validation"
    description = "RequestModels has no $default, so that a body of another content type isn't checked."
    why = "A caller skips the model by sending Content-Type: text/plain; a proxy integration passes the body on."
    requirement = "PCI DSS 6.2.4"
    mend = "Name the model under $default."
    source_url = (
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html"
    )
    tags = ("resources", "apigateway")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each method whose models are for some content types alone."""
        for method in _methods_with_body(stack):
            for models in method.get("RequestModels"):
                if models.mapping and "$default" not in models.mapping:
                    yield finding(models, f"Only {', '.join(sorted(models.keys))} is validated; add $default")


def _methods_with_body(stack: Stack) -> Iterator[Resource]:
    for method in stack.resources("AWS::ApiGateway::Method"):
        has_body = any(node.text in _WITH_BODY for node in method.get("HttpMethod"))
        if has_body and any(node.text != "MOCK" for node in method.get("Integration", "Type")):
            yield method


def _empty_models(stack: Stack, models: Node) -> Iterator[RuleMatch]:
    """Yield what is wrong with one value of RequestModels; API Gateway itself brings a model Empty."""
    if not models.unknown and not models.mapping:
        yield finding(models, "No model says what the body must be")
    for content_type in models.keys:
        for model in models.get(content_type):
            if model.text == "Empty" or any(
                model.identifies(declared) and any(schema.mapping == {} for schema in declared.get("Schema"))
                for declared in stack.resources("AWS::ApiGateway::Model")
            ):
                yield finding(model, f"The model for {content_type} accepts everything")


def _checks_bodies(stack: Stack, validator: Node) -> bool:
    """Whether a validator of this template checks bodies; one from elsewhere can't be known."""
    settings = [
        node
        for declared in stack.resources("AWS::ApiGateway::RequestValidator")
        if validator.identifies(declared)
        for node in declared.get("ValidateRequestBody")
    ]
    return all(node.truth is True or node.unknown for node in settings)
