"""The REST API: its routes, who may call them, and which function answers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from troposphere import Sub, Template
from troposphere.apigateway import EndpointConfiguration, Integration, Method, Resource, RestApi, Stage
from troposphere.awslambda import Function, Permission

from paycli.stack.api_errors import add_gateway_responses
from paycli.stack.api_models import Validation, add_validation
from paycli.stack.api_policy import resource_policy
from paycli.stack.api_stage import add_stage
from paycli.stack.functions import Functions
from paycli.stack.logs import Logs
from paycli.stack.names import STAGE_NAME
from paycli.stack.policies import arn

if TYPE_CHECKING:
    from paycli.environment import Environment


@dataclass(frozen=True)
class Route:
    """One way into the API. `title` starts its logical IDs; its path is `/` and the title in lower case."""

    title: str
    method: str
    function: Function

    @property
    def part(self) -> str:
        """The path without its slash."""
        return self.title.lower()


def add_rest_api(template: Template, environment: "Environment") -> RestApi:
    """Add the API itself.

    The key policy needs its id, since API Gateway names the execution log after it.
    The default security policy still takes TLS 1.0. STRICT refuses a caller whose host name doesn't fit.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies.html
    """
    api = RestApi(
        "RestApi",
        Name=environment.named("payment-api"),
        Description=f"Payment API, environment {environment.name}.",
        EndpointConfiguration=EndpointConfiguration(Types=["REGIONAL"]),
        SecurityPolicy="SecurityPolicy_TLS13_1_2_2021_06",
        EndpointAccessMode="STRICT",
    )
    callers = resource_policy(environment)
    if callers is not None:
        api.Policy = callers
    return template.add_resource(api)


def add_api(template: Template, environment: "Environment", api: RestApi, functions: Functions, logs: Logs) -> Stage:
    """Add everything behind the API's address: routes, validation, errors, deployment and stage."""
    validation = add_validation(template, api)
    routes = (
        Route("Validate", "POST", functions.validation),
        Route("Process", "POST", functions.processing),
        Route("Health", "GET", functions.health_monitor),
    )
    snapshot = [api, validation.validator, *validation.models.values()]
    for route in routes:
        snapshot += _add_route(template, environment, api, route, validation)
    snapshot += add_gateway_responses(template, environment, api)
    return add_stage(template, environment, api, snapshot, logs)


def _add_route(
    template: Template, environment: "Environment", api: RestApi, route: Route, validation: Validation
) -> list[Resource | Method]:
    resource = template.add_resource(
        Resource(
            f"{route.title}Resource",
            RestApiId=api.ref(),
            ParentId=api.get_att("RootResourceId"),
            PathPart=route.part,
        )
    )
    method = Method(
        f"{route.title}Method",
        RestApiId=api.ref(),
        ResourceId=resource.ref(),
        HttpMethod=route.method,
        OperationName=route.title,
        AuthorizationType="AWS_IAM" if environment.authorization == "iam" else "NONE",
        Integration=Integration(
            Type="AWS_PROXY",
            IntegrationHttpMethod="POST",
            Uri=Sub(
                "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
                f"${{{route.function.title}.Arn}}/invocations"
            ),
        ),
    )
    model = validation.models.get(route.part)
    if model is not None:
        method.RequestValidatorId = validation.validator.ref()
        # Whatever content type the caller names, the body must fit: without $default, an unknown one slips by.
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html
        method.RequestModels = {"$default": model.ref()}
    template.add_resource(method)
    template.add_resource(
        Permission(
            f"{route.title}Permission",
            Action="lambda:InvokeFunction",
            FunctionName=route.function.ref(),
            Principal="apigateway.amazonaws.com",
            SourceArn=arn("execute-api", f"${{{api.title}}}/{STAGE_NAME}/{route.method}/{route.part}"),
        )
    )
    return [resource, method]
