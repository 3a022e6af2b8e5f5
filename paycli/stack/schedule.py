"""The rule that runs the health monitor every minute."""

from typing import TYPE_CHECKING

from troposphere import Template
from troposphere.awslambda import EventInvokeConfig, Permission
from troposphere.events import RetryPolicy, Rule, Target

from paycli.stack.functions import Functions

if TYPE_CHECKING:
    from paycli.environment import Environment

# Seconds. An older run says nothing that the next one doesn't say better, and a backlog of them would be
# worked off at once after an outage.
MAXIMUM_AGE = 180


def add_schedule(template: Template, environment: "Environment", functions: Functions) -> Rule:
    """Add the rule, its right to call the function, and the limits of a late run."""
    function = functions.health_monitor
    rule = template.add_resource(
        Rule(
            "HealthSchedule",
            Name=environment.named("health-schedule"),
            Description="Runs the health monitor.",
            ScheduleExpression="rate(1 minute)",
            State="ENABLED",
            Targets=[
                Target(
                    Id="health-monitor",
                    Arn=function.get_att("Arn"),
                    RetryPolicy=RetryPolicy(MaximumEventAgeInSeconds=MAXIMUM_AGE, MaximumRetryAttempts=1),
                )
            ],
        )
    )
    template.add_resource(
        Permission(
            "HealthSchedulePermission",
            Action="lambda:InvokeFunction",
            FunctionName=function.ref(),
            Principal="events.amazonaws.com",
            SourceArn=rule.get_att("Arn"),
        )
    )
    template.add_resource(
        EventInvokeConfig(
            "HealthScheduleRetries",
            FunctionName=function.ref(),
            Qualifier="$LATEST",
            MaximumEventAgeInSeconds=MAXIMUM_AGE,
            MaximumRetryAttempts=1,
        )
    )
    return rule
