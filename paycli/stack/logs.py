"""The declared log groups: encrypted, with a retention, and there before the first line is written."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from troposphere import Sub, Template
from troposphere.kms import Key
from troposphere.logs import LogGroup

from paycli.stack.retention import data_policies

if TYPE_CHECKING:
    from paycli.environment import Environment


@dataclass(frozen=True)
class Logs:
    """The log groups, by who writes them."""

    validation: LogGroup
    processing: LogGroup
    health_monitor: LogGroup
    access: LogGroup
    execution: LogGroup
    firewall: LogGroup | None = None  # only where the web ACL is


def log_group_names(environment: "Environment") -> dict[str, str]:
    """Return the name of each log group by its logical ID, as text for Fn::Sub.

    API Gateway fixes the name of the execution log, AWS WAF how that of its log begins:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html
    """
    names = {
        "ValidationLogs": f"/aws/lambda/{environment.named('payment-validation')}",
        "ProcessingLogs": f"/aws/lambda/{environment.named('payment-processing')}",
        "HealthMonitorLogs": f"/aws/lambda/{environment.named('health-monitor')}",
        "AccessLogs": f"/aws/apigateway/{environment.named('payment-api')}/access",
        "ExecutionLogs": "API-Gateway-Execution-Logs_${RestApi}/v1",
    }
    if environment.waf:
        names["FirewallLogs"] = f"aws-waf-logs-{environment.named('payment-api')}"
    return names


def add_log_groups(template: Template, environment: "Environment", key: Key) -> Logs:
    """Add the log groups. An undeclared one would be made by its writer: endless, and without the key."""
    groups = [
        template.add_resource(
            LogGroup(
                title,
                **data_policies(environment),
                LogGroupName=Sub(name) if "${" in name else name,
                RetentionInDays=environment.log_retention_days,
                KmsKeyId=key.get_att("Arn"),
            )
        )
        for title, name in log_group_names(environment).items()
    ]
    return Logs(*groups)
