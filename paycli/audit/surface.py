"""What can be called from outside: each route, who may call it, and what stands before its function."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from paycli.audit.model import Properties, Resource, Template, listed, mapping, mappings, references
from paycli.audit.possible import possible
from paycli.audit.readable import Names
from paycli.audit.restrictions import allowed_origins

# What a REST API has that names no policy.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies.html
DEFAULT_TLS = "TLS_1_0"
ACCOUNT_LIMIT = "the account's limit"
NOT_VALIDATED = "none"
API_KEY = ", API key"


@dataclass(frozen=True)
class Api:
    """One API as a caller meets it."""

    logical_id: str
    name: str
    endpoint: str  # REGIONAL, EDGE, PRIVATE
    tls: str
    default_address: bool  # whether execute-api's own address answers
    access_log: bool
    body_logged: bool


@dataclass(frozen=True)
class Route:
    """One way in. `origins` are the addresses or networks that may call, empty for all; `rate` is requests/s."""

    api: str
    stage: str
    method: str
    path: str
    authorization: str
    open: bool  # whether an unauthenticated caller gets through
    by_iam: bool
    validation: str
    schemas: tuple[str, ...]  # of the bodies that are let through, as JSON
    rate: float | None
    burst: float | None
    waf: tuple[str, ...]
    origins: tuple[str, ...]
    function: str
    logical_id: str

    @property
    def title(self) -> str:
        """The route as people call it."""
        return f"{self.method} {self.path}"

    @property
    def throttle(self) -> str:
        """How many requests a second pass, and how many at once."""
        if self.rate is None:
            return ACCOUNT_LIMIT
        return f"{self.rate:g}/s, burst {self.burst:g}" if self.burst is not None else f"{self.rate:g}/s"


@dataclass(frozen=True)
class Surface:
    """All that can be called. `unread` says where more routes may stand."""

    apis: tuple[Api, ...]
    routes: tuple[Route, ...]
    unread: tuple[str, ...]


def surface(template: Template, names: Names) -> Surface:
    """Return what can be called of a template."""
    apis = list(template.of_type("AWS::ApiGateway::RestApi"))
    return Surface(
        tuple(_api(template, names, api) for api in apis),
        (*_routes(template, names), *_function_urls(template, names)),
        tuple(f"the OpenAPI body of {names.of(api)}" for api in apis if _imported(api)),
    )


def _imported(api: Resource) -> bool:
    return "Body" in api.properties or "BodyS3Location" in api.properties


def _api(template: Template, names: Names, api: Resource) -> Api:
    said = api.properties
    endpoints = names.texts(mapping(said.get("EndpointConfiguration")).get("Types"))
    stages = _stages(template, api)
    return Api(
        logical_id=api.logical_id,
        name=names.of(api),
        endpoint=", ".join(endpoints) or "EDGE",
        tls=names.text(said.get("SecurityPolicy")) or DEFAULT_TLS,
        default_address=not names.flag(said.get("DisableExecuteApiEndpoint")),
        access_log=bool(stages) and all("AccessLogSetting" in stage.properties for stage in stages),
        body_logged=any(
            names.flag(setting.get("DataTraceEnabled")) for stage in stages for setting in _settings(stage)
        ),
    )


def _stages(template: Template, api: Resource) -> list[Resource]:
    return [
        stage
        for stage in template.of_type("AWS::ApiGateway::Stage")
        if template.called(stage.properties.get("RestApiId")) is api
    ]


def _settings(stage: Resource) -> list[Properties]:
    return mappings(stage.properties.get("MethodSettings"))


def _routes(template: Template, names: Names) -> Iterator[Route]:
    for method in template.of_type("AWS::ApiGateway::Method"):
        api = template.called(method.properties.get("RestApiId"))
        stages: list[Resource | None] = [*(_stages(template, api) if api else [])]
        for stage in stages or [None]:
            yield _route(template, names, api, stage, method)


def _route(template: Template, names: Names, api: Resource | None, stage: Resource | None, method: Resource) -> Route:
    said = method.properties
    api_name = names.of(api) if api else names.text(said.get("RestApiId"))
    kinds = [kind or "NONE" for kind in possible(template, names, said.get("AuthorizationType"))]
    anyone = any(kind == "NONE" or kind.startswith("<") for kind in kinds)  # <...> may become anything
    path = _path(template, names, said.get("ResourceId"))
    verb = names.text(said.get("HttpMethod"))
    stage_name = names.of(stage) if stage else ""
    validation, schemas = _validation(template, names, said)
    rate, burst = _throttle(names, stage, verb, path)
    return Route(
        api=api_name,
        stage=stage_name,
        method=verb,
        path=path,
        authorization=_authorization(template, names, kinds, said),
        open=anyone,
        by_iam=kinds == ["AWS_IAM"],
        validation=validation,
        schemas=schemas,
        rate=rate,
        burst=burst,
        waf=_waf(template, names, stage),
        origins=allowed_origins(names, api, f"{api_name}/{stage_name}/{verb}{path}", unsigned=anyone),
        function=_behind(template, names, mapping(said.get("Integration")).get("Uri")),
        logical_id=method.logical_id,
    )


def _path(template: Template, names: Names, resource_id: Any, depth: int = 0) -> str:
    """Return the path of an API resource, from its parents; the root is `/`."""
    resource = template.called(resource_id)
    if resource is None or resource.type != "AWS::ApiGateway::Resource" or depth > len(template.resources):
        return "/"
    parent = _path(template, names, resource.properties.get("ParentId"), depth + 1)
    return f"{parent.rstrip('/')}/{names.text(resource.properties.get('PathPart'))}"


def _authorization(template: Template, names: Names, kinds: list[str], said: Properties) -> str:
    words = {"NONE": "none", "AWS_IAM": "IAM (SigV4)"}
    authorizer = template.called(said.get("AuthorizerId"))
    parts = [words.get(kind) or (f"{kind} {names.of(authorizer)}" if authorizer else kind) for kind in kinds]
    text = " or ".join(parts)
    return text + API_KEY if names.flag(said.get("ApiKeyRequired")) else text


def _validation(template: Template, names: Names, said: Properties) -> tuple[str, tuple[str, ...]]:
    """Return what is checked before the function, in words, and the schemas."""
    validator = template.called(said.get("RequestValidatorId"))
    models = mapping(said.get("RequestModels"))
    checks = validator.properties if validator else {}
    parts, schemas = [], []
    if names.flag(checks.get("ValidateRequestBody")) and models:
        for content_type, model in sorted(models.items()):
            where = "any content type" if content_type == "$default" else f"{content_type} alone"
            parts.append(f"{names.text(model)}, {where}")
            body = template.called(model)
            schema = body.properties.get("Schema") if body else names.text(model)
            schemas.append(json.dumps(schema, sort_keys=True))
    if names.flag(checks.get("ValidateRequestParameters")):
        parts.append("parameters")
    return "; ".join(parts) or NOT_VALIDATED, tuple(schemas)


def _throttle(names: Names, stage: Resource | None, verb: str, path: str) -> tuple[float | None, float | None]:
    """Return the stage's limits for a route: those of the most specific setting that has any.

    A slash within a path is written ~1.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigateway-stage-methodsetting.html
    """
    by_place = {
        (names.text(setting.get("ResourcePath")), names.text(setting.get("HttpMethod"))): setting
        for setting in (_settings(stage) if stage else [])
    }
    # The path's first slash is often written as it is.
    own = (f"/{path.replace('/', '~1')}", f"/{path.removeprefix('/').replace('/', '~1')}", path)
    anywhere = (("/*", verb), ("/*", "*"), ("*", "*"))
    for place in (*((form, verb) for form in own), *((form, "*") for form in own), *anywhere):
        setting = by_place.get(place, {})
        rate = names.number(setting.get("ThrottlingRateLimit"))
        if rate is not None and rate >= 0:
            return rate, names.number(setting.get("ThrottlingBurstLimit"))
    return None, None


def _waf(template: Template, names: Names, stage: Resource | None) -> tuple[str, ...]:
    """Return the web ACLs before a stage, each with what it does."""
    shown = []
    for association in template.of_type("AWS::WAFv2::WebACLAssociation", "AWS::WAFRegional::WebACLAssociation"):
        if stage and _is_before(template, names, association.properties.get("ResourceArn"), stage):
            arn = association.properties.get("WebACLArn", association.properties.get("WebACLId"))
            acl = template.called(arn)
            shown.append(_acl(names, acl) if acl else names.text(arn))
    return tuple(shown)


def _is_before(template: Template, names: Names, arn: Any, stage: Resource) -> bool:
    """Whether an ARN is a stage's: it refers to it, or to its API and ends in the stage's name."""
    named = set(references(arn))
    api = template.called(stage.properties.get("RestApiId"))
    by_name = api is not None and api.logical_id in named and names.text(arn).endswith(f"/stages/{names.of(stage)}")
    return stage.logical_id in named or by_name


def _acl(names: Names, acl: Resource) -> str:
    default = ", ".join(sorted(mapping(acl.properties.get("DefaultAction")))).lower()
    return f"{names.of(acl)} ({len(listed(acl.properties.get('Rules')))} rules, else {default})"


def _behind(template: Template, names: Names, uri: Any) -> str:
    """Return what a route calls: the function in its integration's URI, else the URI itself."""
    functions = [name for name in references(uri) if name in template.resources]
    return ", ".join(names.of(template.resources[name]) for name in functions) or names.text(uri) or "nothing"


def _function_urls(template: Template, names: Names) -> Iterator[Route]:
    for url in template.of_type("AWS::Lambda::Url"):
        kind = names.text(url.properties.get("AuthType"))
        function = names.text(url.properties.get("TargetFunctionArn"))
        yield Route(
            api="function URL",
            stage="",
            method="ANY",
            path=f"URL of {function}",
            authorization={"NONE": "none", "AWS_IAM": "IAM (SigV4)"}.get(kind, kind),
            open=kind == "NONE",
            by_iam=kind == "AWS_IAM",
            validation=NOT_VALIDATED,
            schemas=(),
            rate=None,
            burst=None,
            waf=(),
            origins=(),
            function=function,
            logical_id=url.logical_id,
        )
