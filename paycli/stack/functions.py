"""The three functions, each with its own role and policy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from troposphere import Template, awslambda
from troposphere.awslambda import Code, DeadLetterConfig, Function, LoggingConfig, TracingConfig
from troposphere.dynamodb import Table
from troposphere.iam import ManagedPolicy, Role
from troposphere.kms import Key
from troposphere.logs import LogGroup
from troposphere.sns import Topic
from troposphere.sqs import Queue

from paycli.stack.health import health_thresholds
from paycli.stack.logs import Logs
from paycli.stack.names import METRIC_NAMESPACE, STAGE_NAME
from paycli.stack.parameters import Parameters
from paycli.stack.permissions import (
    for_every_function,
    for_health_monitor,
    for_processing,
    for_validation,
    service_trust,
)
from paycli.stack.policies import Statement, policy
from paycli.stack.queues import Queues

if TYPE_CHECKING:
    from paycli.environment import Concurrency, Environment

# Seconds. API Gateway gives up after 29: the caller shall get the function's answer, not the gateway's.
# Three attempts at the table with their time-outs, TLS and pauses may take 15, the queue 8 more.
TIMEOUT = 25


@dataclass(frozen=True)
class Functions:
    """The three functions."""

    validation: Function
    processing: Function
    health_monitor: Function


def add_functions(
    template: Template,
    environment: "Environment",
    parameters: Parameters,
    key: Key,
    logs: Logs,
    table: Table,
    queues: Queues,
    topic: Topic,
) -> Functions:
    """Add the functions with their roles."""
    maker = _Maker(template, environment, parameters, key, queues.function_failures)
    payment_variables = {"TABLE_NAME": table.ref(), "QUEUE_URL": queues.failed.ref()}
    reserved = environment.reserved_concurrency
    return Functions(
        validation=maker.add(
            "Validation",
            "payment-validation",
            "Validates a payment and stores it.",
            logs.validation,
            reserved.validation,
            {**payment_variables, "PAYMENT_TTL_SECONDS": str(environment.payment_ttl_hours * 3600)},
            for_validation(table, queues.failed, key),
        ),
        processing=maker.add(
            "Processing",
            "payment-processing",
            "Processes a validated payment, once.",
            logs.processing,
            reserved.processing,
            payment_variables,
            for_processing(table, queues.failed, key),
        ),
        health_monitor=maker.add(
            "HealthMonitor",
            "health-monitor",
            "Judges the metrics of the stack, for GET /health and every minute for the alarm topic.",
            logs.health_monitor,
            reserved.health_monitor,
            {
                "API_NAME": environment.named("payment-api"),
                "API_STAGE": STAGE_NAME,
                "VALIDATION_FUNCTION": environment.named("payment-validation"),
                "PROCESSING_FUNCTION": environment.named("payment-processing"),
                "TABLE_NAME": table.ref(),
                "QUEUE_NAME": queues.failed.get_att("QueueName"),
                "DEAD_LETTER_QUEUE_NAME": queues.failed_dead_letter.get_att("QueueName"),
                "TOPIC_ARN": topic.ref(),
                "HEALTH_THRESHOLDS": health_thresholds(environment.alarms),
            },
            for_health_monitor(topic, key),
        ),
    )


@dataclass(frozen=True)
class _Maker:
    """Makes functions that differ in what `add` is told."""

    template: Template
    environment: "Environment"
    parameters: Parameters
    key: Key
    failures: Queue

    def add(
        self,
        title: str,
        part: str,
        description: str,
        logs: LogGroup,
        reserved: "Concurrency",
        variables: Mapping[str, Any],
        statements: list[Statement],
    ) -> Function:
        """Add a function, its policy and its role. The handler is the module named like the title."""
        name = self.environment.named(part)
        # The role names the policy and not the reverse: Lambda refuses a function whose role can't yet write
        # to its dead-letter queue, and so CloudFormation makes the policy first.
        rights = self.template.add_resource(
            ManagedPolicy(
                f"{title}Policy",
                Description=f"What {name} may do.",
                PolicyDocument=policy(*statements, *for_every_function(logs, self.failures)),
            )
        )
        role = self.template.add_resource(
            Role(
                f"{title}Role",
                Description=f"Role of {name}.",
                AssumeRolePolicyDocument=service_trust("lambda"),
                ManagedPolicyArns=[rights.ref()],
            )
        )
        function = Function(
            f"{title}Function",
            FunctionName=name,
            Description=description,
            Handler=f"handlers.{_module(title)}.handler",
            Runtime=self.environment.runtime,
            Architectures=["arm64"],
            MemorySize=self.environment.memory_mb,
            Timeout=TIMEOUT,
            Role=role.get_att("Arn"),
            Code=Code(S3Bucket=self.parameters.artifact_bucket.ref(), S3Key=self.parameters.code_key.ref()),
            Environment=awslambda.Environment(
                Variables={"ENVIRONMENT": self.environment.name, "METRIC_NAMESPACE": METRIC_NAMESPACE, **variables}
            ),
            KmsKeyArn=self.key.get_att("Arn"),
            LoggingConfig=LoggingConfig(LogGroup=logs.ref()),
            TracingConfig=TracingConfig(Mode="Active"),
            DeadLetterConfig=DeadLetterConfig(TargetArn=self.failures.get_att("Arn")),
        )
        if reserved != "none":
            function.ReservedConcurrentExecutions = reserved
        return self.template.add_resource(function)


def _module(title: str) -> str:
    """Return HealthMonitor as health_monitor."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in title).removeprefix("_")
