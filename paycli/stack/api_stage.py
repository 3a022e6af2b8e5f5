"""The stage `v1` and the deployment that it serves: throttling, logs, traces."""

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from troposphere import AWSObject, Template
from troposphere.apigateway import AccessLogSetting, Deployment, GatewayResponse, Method, MethodSetting, RestApi, Stage

from paycli.stack.logs import Logs
from paycli.stack.names import STAGE_NAME

if TYPE_CHECKING:
    from paycli.environment import Environment, Throttle

# Requests to /health a second, and at once. Its function has few instances of its own, and the scheduled run, which
# tells of a bad state, needs one of them: callers must not take them all.
HEALTH_RATE = 10
HEALTH_BURST = 20

# Who called what, when, from where, and how long each part took. No header, no query string, no body: those
# could carry card data.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
ACCESS_LOG = {
    "request_id": "$context.requestId",
    "extended_request_id": "$context.extendedRequestId",
    "integration_request_id": "$context.integration.requestId",
    "trace_id": "$context.xrayTraceId",
    "time_ms": "$context.requestTimeEpoch",
    "api_id": "$context.apiId",
    "stage": "$context.stage",
    "method": "$context.httpMethod",
    "path": "$context.resourcePath",
    "protocol": "$context.protocol",
    "tls_version": "$context.tlsVersion",
    "source_ip": "$context.identity.sourceIp",
    "caller_account": "$context.identity.accountId",
    "caller_arn": "$context.identity.userArn",
    "status": "$context.status",
    "error_type": "$context.error.responseType",
    "response_bytes": "$context.responseLength",
    "latency_ms": "$context.responseLatency",
    "integration_latency_ms": "$context.integration.latency",
    "integration_status": "$context.integration.integrationStatus",
    "function_status": "$context.integration.status",
}


def add_stage(
    template: Template, environment: "Environment", api: RestApi, snapshot: Sequence[AWSObject], logs: Logs
) -> Stage:
    """Add the deployment of all that `snapshot` holds, and the stage that serves it."""
    deployment = _add_deployment(template, api, snapshot)
    return template.add_resource(
        Stage(
            "Stage",
            # API Gateway would otherwise make this group itself, without retention and key.
            DependsOn=[logs.execution.title],
            RestApiId=api.ref(),
            DeploymentId=deployment.ref(),
            StageName=STAGE_NAME,
            Description=f"Payment API, environment {environment.name}.",
            TracingEnabled=True,
            AccessLogSetting=AccessLogSetting(
                DestinationArn=logs.access.get_att("Arn"), Format=json.dumps(ACCESS_LOG, separators=(",", ":"))
            ),
            MethodSettings=[
                MethodSetting(
                    ResourcePath="/*",
                    HttpMethod="*",
                    ThrottlingRateLimit=environment.throttle.rate,
                    ThrottlingBurstLimit=environment.throttle.burst,
                    LoggingLevel="ERROR",
                    # Would write whole bodies to the log.
                    DataTraceEnabled=False,
                    MetricsEnabled=True,
                ),
                _health_setting(environment.throttle),
            ],
        )
    )


def _health_setting(throttle: "Throttle") -> MethodSetting:
    """Return what holds for GET /health in the place of what holds for all: no alarm needs metrics by this route."""
    return MethodSetting(
        ResourcePath="/~1health",  # ~1 is a slash within the path
        HttpMethod="GET",
        ThrottlingRateLimit=min(HEALTH_RATE, throttle.rate),
        ThrottlingBurstLimit=min(HEALTH_BURST, throttle.burst),
        LoggingLevel="ERROR",
        DataTraceEnabled=False,
        MetricsEnabled=False,
    )


def _add_deployment(template: Template, api: RestApi, snapshot: Sequence[AWSObject]) -> Deployment:
    """Add the deployment, whose logical ID is a hash of what it is made of.

    A deployment never changes: what was changed in the API is served only after a new one was made, and
    CloudFormation makes one only under a new logical ID.
    """
    content = json.dumps([[part.title, part.to_dict()] for part in snapshot], sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()[:12]
    return template.add_resource(
        Deployment(
            f"Deployment{digest}",
            DependsOn=[part.title for part in snapshot if isinstance(part, Method | GatewayResponse)],
            RestApiId=api.ref(),
            Description=f"Snapshot {digest} of routes, models and errors.",
        )
    )
