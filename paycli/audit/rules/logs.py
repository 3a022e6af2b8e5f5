"""What happened can be read back, for long enough, by those who may."""

from collections.abc import Iterator

from cfnlint.rules import RuleMatch

from paycli.audit.production import in_production
from paycli.audit.rule import AuditRule, finding
from paycli.audit.template import Node, Stack

_A_YEAR = 365  # days


class FunctionLogUndeclared(AuditRule):
    """Lambda makes the log group itself."""

    id = "E9581"
    shortdesc = "A function's log group isn't declared"
    description = "No log group of the template is the one that a function writes to."
    why = "Lambda then makes the group itself: without key, kept for ever, and left over when the stack is gone."
    requirement = "PCI DSS 10.3.2, 10.5.1; AWS Security Hub CloudWatch.16; AWS Well-Architected SEC04-BP01"
    mend = "Declare an AWS::Logs::LogGroup, and name it in the function's LoggingConfig."
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html"
    tags = ("resources", "lambda", "logs")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each function whose group isn't there."""
        groups = list(stack.resources("AWS::Logs::LogGroup"))
        for function in stack.resources("AWS::Lambda::Function"):
            implied = {f"/aws/lambda/{name}" for name in (f"${{{function.name}}}", *function.names)}
            for node in function.get("LoggingConfig", "LogGroup"):
                if node.absent:
                    declared = any(implied & set(group.names) for group in groups if group.exists_with(function))
                else:
                    declared = not _literal(node) or any(node.identifies(group) for group in groups)
                if not declared:
                    yield finding(node, f"The log group of {function.name} isn't declared")


class ExecutionLogUndeclared(AuditRule):
    """API Gateway makes the log group itself."""

    id = "E9582"
    shortdesc = "A stage's execution log isn't declared"
    description = "A stage logs its execution, and no log group has the name that API Gateway gives that log."
    why = "API Gateway then makes the group itself: without key, kept for ever, and left over when the stack is gone."
    requirement = "PCI DSS 10.3.2, 10.5.1; AWS Security Hub CloudWatch.16; AWS Well-Architected SEC04-BP01"
    mend = "Declare a log group API-Gateway-Execution-Logs_${Api}/STAGE, and let the stage depend on it."
    source_url = "https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html"
    tags = ("resources", "apigateway", "logs")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each level at which a stage logs to an undeclared group."""
        declared = {name for group in stack.resources("AWS::Logs::LogGroup") for name in group.names}
        for stage in stack.resources("AWS::ApiGateway::Stage"):
            groups = {
                f"API-Gateway-Execution-Logs_{api.text}/{name}"
                for api in stage.get("RestApiId")
                for name in stage.names
            }
            for setting in stage.listed("MethodSettings"):
                for level in setting.get("LoggingLevel"):
                    if level.text in {"ERROR", "INFO"} and not groups <= declared:
                        yield finding(level, f"The log group {min(groups - declared)} isn't declared")


class LogsKeptForEver(AuditRule):
    """No retention is set."""

    id = "W9583"
    shortdesc = "Logs are kept for ever"
    description = "A log group has no RetentionInDays."
    why = "Personal data stays longer than anybody needs it, and its storage is billed for ever."
    requirement = "PCI DSS 3.2.1; AWS Well-Architected SEC07-BP04"
    mend = "Set RetentionInDays."
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html"
    tags = ("resources", "logs")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each group without a retention."""
        for group in stack.resources("AWS::Logs::LogGroup"):
            for node in group.get("RetentionInDays"):
                if node.absent:
                    yield finding(node, f"{group.name} is kept for ever")


class LogsForgottenEarly(AuditRule):
    """Production's logs are gone before a year is over."""

    id = "W9584"
    shortdesc = "Production's logs are kept for less than a year"
    description = "A log group of production has a RetentionInDays under 365."
    why = "A fraud is often found months later; without the logs nobody can say what was paid and who saw it."
    requirement = "PCI DSS 10.5.1; AWS Security Hub CloudWatch.16"
    mend = "Set RetentionInDays to 365 or more (log_retention_days in paycli.toml)."
    source_url = "https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-16"
    tags = ("resources", "logs", "production")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each retention that is too short."""
        for group in stack.resources("AWS::Logs::LogGroup") if in_production(stack) else ():
            for node in group.get("RetentionInDays"):
                if node.number is not None and node.number < _A_YEAR:
                    yield finding(node, f"{group.name} forgets after {node.text} days")


class LogsUnencrypted(AuditRule):
    """No key of the customer's protects the logs."""

    id = "W9585"
    shortdesc = "Logs aren't encrypted with a key of yours"
    description = "A log group has no KmsKeyId."
    why = "Whoever may read logs in the account reads these too; a key of yours is a second lock, and a trail of use."
    requirement = "PCI DSS 10.3.1, 3.5.1; AWS Well-Architected SEC08-BP02"
    mend = "Set KmsKeyId."
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"
    tags = ("resources", "logs", "kms")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each group without a key."""
        for group in stack.resources("AWS::Logs::LogGroup"):
            for node in group.get("KmsKeyId"):
                if node.absent:
                    yield finding(node, f"{group.name} isn't encrypted with a key of yours")


class NoAccessLog(AuditRule):
    """Nobody can say who called."""

    id = "W9586"
    shortdesc = "A stage has no access log"
    description = "A stage of a REST, HTTP or WebSocket API has no destination for its access log."
    why = "Who called what, when and from where can't be told after an incident."
    requirement = "PCI DSS 10.2.1; AWS Security Hub APIGateway.9; AWS Well-Architected SEC04-BP01"
    mend = "Set AccessLogSetting with DestinationArn and Format."
    source_url = "https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html"
    tags = ("resources", "apigateway", "logs")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each stage without it."""
        for resource_type, setting in (
            ("AWS::ApiGateway::Stage", "AccessLogSetting"),
            ("AWS::ApiGatewayV2::Stage", "AccessLogSettings"),
        ):
            for stage in stack.resources(resource_type):
                for node in stage.get(setting, "DestinationArn"):
                    if node.absent:
                        yield finding(node, f"{stage.name} has no access log")


def _literal(node: Node) -> bool:
    """Whether a text says all by itself, without what only a deployment knows."""
    return node.text is not None and "${" not in node.text
