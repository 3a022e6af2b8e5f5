"""The generated template of production with one thing changed: the rule speaks, of the right resource and line."""

import re
from pathlib import Path

import pytest

from paycli.audit.rules import RULES
from tests.unit.audit.audited import ROOT, audit

PRODUCTION = (ROOT / "templates" / "prod.yaml").read_text()


def changed(resource: str, old: str, new: str) -> str:
    """Return the template with the first such text of one resource replaced."""
    match = re.search(rf"^  {resource}:\n(    .*\n)+", PRODUCTION, re.MULTILINE)
    assert match
    block = match[0]
    assert old in block
    block = block.replace(old, new, 1)
    return PRODUCTION[: match.start()] + block + PRODUCTION[match.end() :]


# rule, changed resource, old text, new text, where it speaks (resource, start of the line).
CASES = [
    # Bodies
    ("E9511", "Stage", "DataTraceEnabled: false", "DataTraceEnabled: true", "Stage", "DataTraceEnabled: true"),
    ("E9511", "Stage", "DataTraceEnabled: false", "DataTraceEnabled: 'true'", "Stage", "DataTraceEnabled: 'true'"),
    ("E9512", "Stage", "$context.protocol", "$context.requestOverride.header.Authorization", "Stage", "Format:"),
    ("E9512", "Stage", "$context.protocol", "$context.identity.apiKey", "Stage", "Format:"),
    ("E9512", "Stage", "$context.protocol", "$input.body", "Stage", "Format:"),
    (
        "E9513",
        "ValidationFunction",
        "          ENVIRONMENT: prod\n",
        "          POWERTOOLS_LOGGER_LOG_EVENT: 'true'\n",
        "ValidationFunction",
        "POWERTOOLS_LOGGER_LOG_EVENT:",
    ),
    (
        "W9514",
        "BadRequestBodyResponse",
        "$context.requestId",
        "$context.error.validationErrorString",
        "BadRequestBodyResponse",
        "application/json:",
    ),
    # Data
    ("E9521", "TransactionsTable", "RetainExceptOnCreate", "Delete", "TransactionsTable", "DeletionPolicy: Delete"),
    ("E9521", "Key", "    DeletionPolicy: RetainExceptOnCreate\n", "", "Key", "Key:"),
    ("E9521", "ValidationLogs", "RetainExceptOnCreate", "Snapshot", "ValidationLogs", "DeletionPolicy: Snapshot"),
    (
        "E9522",
        "FailedTransactionsQueue",
        "UpdateReplacePolicy: Retain",
        "UpdateReplacePolicy: RetainExceptOnCreate",
        "FailedTransactionsQueue",
        "UpdateReplacePolicy:",
    ),
    (
        "E9523",
        "TransactionsTable",
        "DeletionProtectionEnabled: !Ref DeletionProtection",
        "DeletionProtectionEnabled: 'false'",
        "TransactionsTable",
        "DeletionProtectionEnabled:",
    ),
    (
        "E9523",
        "TransactionsTable",
        "      DeletionProtectionEnabled: !Ref DeletionProtection\n",
        "",
        "TransactionsTable",
        "TransactionsTable:",
    ),
    (
        "W9524",
        "TransactionsTable",
        "PointInTimeRecoveryEnabled: true",
        "PointInTimeRecoveryEnabled: false",
        "TransactionsTable",
        "PointInTimeRecoveryEnabled: false",
    ),
    # Validation
    (
        "E9531",
        "ProcessMethod",
        "      RequestValidatorId: !Ref BodyValidator\n",
        "",
        "ProcessMethod",
        "ProcessMethod:",
    ),
    (
        "E9531",
        "ProcessMethod",
        "      RequestModels:\n        $default: !Ref ProcessModel\n",
        "",
        "ProcessMethod",
        "ProcessMethod:",
    ),
    ("E9531", "ProcessMethod", "!Ref ProcessModel", "Empty", "ProcessMethod", "$default: Empty"),
    ("W9532", "ProcessMethod", "$default:", "application/json:", "ProcessMethod", "RequestModels:"),
    # Transport
    (
        "E9541",
        "FailedTransactionsQueuePolicy",
        "aws:SecureTransport: 'false'",
        "aws:SecureTransport: 'true'",
        "FailedTransactionsQueue",
        "FailedTransactionsQueue:",
    ),
    (
        "E9541",
        "FailedTransactionsQueuePolicy",
        "Action: sqs:*",
        "Action: sqs:SendMessage",
        "FailedTransactionsQueue",
        "FailedTransactionsQueue:",
    ),
    (
        "E9541",
        "FunctionFailuresQueuePolicy",
        "Principal: '*'",
        "Principal: {AWS: !Ref AWS::AccountId}",
        "FunctionFailuresQueue",
        "FunctionFailuresQueue:",
    ),
    (
        "E9541",
        "FunctionFailuresQueuePolicy",
        "- !Ref FunctionFailuresQueue",
        "- !Ref FailedTransactionsQueue",
        "FunctionFailuresQueue",
        "FunctionFailuresQueue:",
    ),
    ("E9541", "AlarmTopicPolicy", "Action: sns:Publish", "Action: sns:Subscribe", "AlarmTopic", "AlarmTopic:"),
    ("W9542", "RestApi", "SecurityPolicy_TLS13_1_2_2021_06", "TLS_1_0", "RestApi", "SecurityPolicy: TLS_1_0"),
    ("W9542", "RestApi", "      SecurityPolicy: SecurityPolicy_TLS13_1_2_2021_06\n", "", "RestApi", "RestApi:"),
    # Principals
    (
        "E9551",
        "AlarmTopicPolicy",
        """          Condition:
            StringEquals:
              aws:SourceAccount: !Ref AWS::AccountId
            ArnLike:
              aws:SourceArn: !Sub arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*-prod
""",
        "",
        "AlarmTopicPolicy",
        "Service: cloudwatch.amazonaws.com",
    ),
    (
        "E9551",
        "Key",
        "kms:EncryptionContext:aws:logs:arn:",
        "kms:ViaService:",
        "Key",
        "Service: !Sub logs.${AWS::Region}.${AWS::URLSuffix}",
    ),
    (
        "W9552",
        "ValidationRole",
        """          Condition:
            StringEquals:
              aws:SourceAccount: !Ref AWS::AccountId
""",
        "",
        "ValidationRole",
        "Service: lambda.amazonaws.com",
    ),
    (
        "W9552",
        "ValidationRole",
        "StringEquals:",
        "StringEqualsIfExists:",
        "ValidationRole",
        "Service: lambda.amazonaws.com",
    ),
    (
        "E9553",
        "FailedTransactionsQueuePolicy",
        "        Statement:\n",
        "        Statement:\n        - {Effect: Allow, Principal: '*', Action: sqs:SendMessage, Resource: '*'}\n",
        "FailedTransactionsQueuePolicy",
        "- {Effect: Allow",
    ),
    (
        "E9554",
        "Key",
        "AWS: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:root",
        "AWS: '111122223333'",
        "Key",
        "AWS: '111122223333'",
    ),
    # What is not read
    ("W9641", "Stage", "Type: AWS::ApiGateway::Stage", "Type: Custom::Stage", "Stage", "Stage:"),
    # Invocation
    (
        "E9561",
        "HealthSchedulePermission",
        "      SourceArn: !GetAtt HealthSchedule.Arn\n",
        "",
        "HealthSchedulePermission",
        "Principal: events.amazonaws.com",
    ),
    (
        "E9561",
        "HealthSchedulePermission",
        "Principal: events.amazonaws.com",
        "Principal: '*'",
        "HealthSchedulePermission",
        "Principal: '*'",
    ),
    ("E9562", "ValidatePermission", "/v1/POST/validate", "/*/POST/validate", "ValidatePermission", "SourceArn:"),
    ("E9562", "ValidatePermission", "/v1/POST/validate", "/v1/*/validate", "ValidatePermission", "SourceArn:"),
    ("E9562", "ValidatePermission", "/v1/POST/validate", "/v1/POST/*", "ValidatePermission", "SourceArn:"),
    ("E9562", "ValidatePermission", "/v1/POST/validate", "/*", "ValidatePermission", "SourceArn:"),
    # Secrets
    (
        "E9571",
        "ValidationFunction",
        "METRIC_NAMESPACE: PaymentAPI",
        "METRIC_NAMESPACE: AKIAQX4T7ZMN2WPLKJHG",
        "ValidationFunction",
        "METRIC_NAMESPACE:",
    ),
    (
        "E9571",
        "ValidationFunction",
        "Description: Validates a payment and stores it.",
        "Description: postgres://app:hunter2@ledger.example/payments",
        "ValidationFunction",
        "Description:",
    ),
    (
        "E9572",
        "ProcessingFunction",
        "METRIC_NAMESPACE: PaymentAPI",
        "PSP_API_KEY: live-4f1d90",
        "ProcessingFunction",
        "PSP_API_KEY:",
    ),
    (
        "W9573",
        "ProcessingFunction",
        "METRIC_NAMESPACE: PaymentAPI",
        "PSP_KEY: '{{resolve:secretsmanager:psp:SecretString:key}}'",
        "ProcessingFunction",
        "PSP_KEY:",
    ),
    # Logs
    (
        "E9581",
        "ValidationFunction",
        "LogGroup: !Ref ValidationLogs",
        "LogGroup: /aws/lambda/somewhere-else",
        "ValidationFunction",
        "LogGroup: /aws/lambda/somewhere-else",
    ),
    ("E9582", "ExecutionLogs", "${RestApi}/v1", "${RestApi}/v2", "Stage", "LoggingLevel: ERROR"),
    ("W9583", "AccessLogs", "      RetentionInDays: 400\n", "", "AccessLogs", "AccessLogs:"),
    ("W9584", "AccessLogs", "RetentionInDays: 400", "RetentionInDays: '90'", "AccessLogs", "RetentionInDays: '90'"),
    ("W9585", "AccessLogs", "      KmsKeyId: !GetAtt Key.Arn\n", "", "AccessLogs", "AccessLogs:"),
    ("W9586", "Stage", "DestinationArn: !GetAtt AccessLogs.Arn", "DestinationArn: !Ref AWS::NoValue", "Stage", "Desti"),
    # Alarms
    (
        "E9591",
        "DynamoDBThrottleAlarm",
        "MetricName: ReadThrottleEvents",
        "MetricName: ThrottledRequests",
        "DynamoDBThrottleAlarm",
        "MetricName: ThrottledRequests",
    ),
    (
        "E9591",
        "ApiLatencyAlarm",
        "Name: ApiName",
        "Name: ApiId",
        "ApiLatencyAlarm",
        "Value: payment-api-prod",
    ),
    (
        "E9591",
        "ApiLatencyAlarm",
        "Value: payment-api-prod",
        "Value: !Ref RestApi",
        "ApiLatencyAlarm",
        "Value: !Ref RestApi",
    ),
    (
        "E9591",
        "ApiErrorsAlarm",
        "MetricName: 5XXError",
        "MetricName: 5xx",
        "ApiErrorsAlarm",
        "MetricName: 5xx",
    ),
    (
        "E9591",
        "ApiErrorsAlarm",
        "MetricName: 5XXError",
        "MetricName: ServerErrors",
        "ApiErrorsAlarm",
        "MetricName: ServerErrors",
    ),
    (
        "E9591",
        "FailedTransactionsAgeAlarm",
        "Value: failed-transactions-prod",
        "Value: !Ref FailedTransactionsQueue",
        "FailedTransactionsAgeAlarm",
        "Value: !Ref FailedTransactionsQueue",
    ),
    (
        "E9591",
        "FailedTransactionsAgeAlarm",
        "      Dimensions:\n      - Name: QueueName\n        Value: failed-transactions-prod\n",
        "",
        "FailedTransactionsAgeAlarm",
        "MetricName:",
    ),
    ("E9591", "ApiLatencyAlarm", "Value: /validate", "Value: /validated", "ApiLatencyAlarm", "MetricName: Latency"),
    ("E9591", "Stage", "MetricsEnabled: true", "MetricsEnabled: false", "ApiLatencyAlarm", "MetricName: Latency"),
    (
        "W9592",
        "ApiLatencyAlarm",
        "      TreatMissingData: notBreaching\n",
        "",
        "ApiLatencyAlarm",
        "ApiLatencyAlarm:",
    ),
    (
        "E9593",
        "ApiLatencyAlarm",
        "      AlarmActions:\n      - !Ref AlarmTopic\n",
        "",
        "ApiLatencyAlarm",
        "ApiLatencyAlarm:",
    ),
    (
        "E9593",
        "ApiLatencyAlarm",
        "AlarmActions:\n      - !Ref AlarmTopic\n",
        "AlarmActions: []\n",
        "ApiLatencyAlarm",
        "AlarmActions: []",
    ),
    (
        "E9593",
        "ApiLatencyAlarm",
        "      Threshold: 1000\n",
        "      Threshold: 1000\n      ActionsEnabled: false\n",
        "ApiLatencyAlarm",
        "ActionsEnabled: false",
    ),
    (
        "E9594",
        "FailedTransactionsDeadLetterAlarm",
        "ApproximateNumberOfMessagesVisible",
        "NumberOfMessagesSent",
        "FailedTransactionsDeadLetterQueue",
        "FailedTransactionsDeadLetterQueue:",
    ),
    ("E9596", "Key", "Service: cloudwatch.amazonaws.com", "Service: sns.amazonaws.com", "Key", "Key:"),
    (
        "E9596",
        "AlarmTopicPolicy",
        "Service: cloudwatch.amazonaws.com",
        "Service: events.amazonaws.com",
        "AlarmTopic",
        "AlarmTopic:",
    ),
    # Identity
    ("E9601", "ValidationPolicy", "- dynamodb:PutItem", "- dynamodb:*", "ValidationPolicy", "- dynamodb:*"),
    (
        "E9601",
        "ValidationPolicy",
        "Action:\n          - dynamodb:PutItem",
        "Action: '*'",
        "ValidationPolicy",
        "Action: '*'",
    ),
    (
        "E9602",
        "ValidationPolicy",
        "Resource: !GetAtt TransactionsTable.Arn",
        "Resource: '*'",
        "ValidationPolicy",
        "Resource: '*'",
    ),
    ("E9601", "ValidationPolicy", "- dynamodb:PutItem", "- !Select [0, ['dynamodb:*']]", "ValidationPolicy", "- !Sel"),
    (
        "E9602",
        "ValidationPolicy",
        "Resource: !GetAtt TransactionsTable.Arn",
        "Resource: !Select [1, !Split ['|', 'a|*']]",
        "ValidationPolicy",
        "Resource: !Select",
    ),
    ("E9611", "HealthMethod", "AWS_IAM", "!Select [0, [NONE]]", "HealthMethod", "AuthorizationType: !Select"),
    ("E9602", "HealthMonitorPolicy", "cloudwatch:GetMetricData", "sqs:ReceiveMessage", "HealthMonitorPolicy", "Res"),
    (
        "E9603",
        "ValidationPolicy",
        "Action:\n          - dynamodb:PutItem",
        "NotAction: iam:*",
        "ValidationPolicy",
        "NotA",
    ),
    (
        "W9604",
        "ValidationRole",
        "- !Ref ValidationPolicy",
        "- !Sub arn:${AWS::Partition}:iam::aws:policy/AmazonDynamoDBFullAccess",
        "ValidationRole",
        "- !Sub arn",
    ),
    # Access
    ("E9611", "HealthMethod", "AWS_IAM", "NONE", "HealthMethod", "AuthorizationType: NONE"),
    ("W9612", "Stage", "        ThrottlingRateLimit: 1000\n", "", "Stage", "Stage:"),
    ("W9612", "Stage", "ResourcePath: /*", "ResourcePath: /validate", "Stage", "Stage:"),
    # Encryption
    ("E9621", "TransactionsTable", "SSEEnabled: true", "SSEEnabled: false", "TransactionsTable", "SSEEnabled: false"),
    (
        "E9621",
        "TransactionsTable",
        "        KMSMasterKeyId: !GetAtt Key.Arn\n",
        "",
        "TransactionsTable",
        "SSESpecification:",
    ),
    (
        "E9621",
        "FailedTransactionsQueue",
        "      KmsMasterKeyId: !GetAtt Key.Arn\n",
        "",
        "FailedTransactionsQueue",
        "FailedTransactionsQueue:",
    ),
    ("E9621", "AlarmTopic", "      KmsMasterKeyId: !GetAtt Key.Arn\n", "", "AlarmTopic", "AlarmTopic:"),
    (
        "W9622",
        "ProcessingFunction",
        "      KmsKeyArn: !GetAtt Key.Arn\n",
        "",
        "ProcessingFunction",
        "ProcessingFunction:",
    ),
    ("E9623", "Key", "EnableKeyRotation: true", "EnableKeyRotation: false", "Key", "EnableKeyRotation: false"),
    # Failures
    (
        "W9631",
        "FailedTransactionsQueue",
        (
            "      RedrivePolicy:\n        deadLetterTargetArn: !GetAtt FailedTransactionsDeadLetterQueue.Arn\n"
            "        maxReceiveCount: 5\n"
        ),
        "",
        "FailedTransactionsQueue",
        "FailedTransactionsQueue:",
    ),
    (
        "W9632",
        "FailedTransactionsDeadLetterQueue",
        "MessageRetentionPeriod: 1209600",
        "MessageRetentionPeriod: '86400'",
        "FailedTransactionsDeadLetterQueue",
        "FailedTransactionsDeadLetterQueue:",
    ),
    (
        "W9633",
        "HealthMonitorFunction",
        "      DeadLetterConfig:\n        TargetArn: !GetAtt FunctionFailuresQueue.Arn\n",
        "",
        "HealthMonitorFunction",
        "HealthMonitorFunction:",
    ),
    (
        "W9605",
        "ValidationPolicy",
        "- dynamodb:PutItem\n",
        "- dynamodb:PutItem\n          - dynamodb:Scan\n",
        "ValidationPolicy",
        "- dynamodb:Scan",
    ),
    (
        "W9613",
        "HealthMethod",
        "AuthorizationType: AWS_IAM",
        "AuthorizationType: !Ref CodeKey",
        "HealthMethod",
        "AuthorizationType: !Ref CodeKey",
    ),
    (
        "E9621",
        "FailedTransactionsQueue",
        "KmsMasterKeyId: !GetAtt Key.Arn",
        "KmsMasterKeyId: alias/aws/sqs",
        "FailedTransactionsQueue",
        "KmsMasterKeyId: alias/aws/sqs",
    ),
    # Destinations
    (
        "E9671",
        "WebAclLogging",
        "${AWS::Region}:${AWS::AccountId}:log-group",
        "${AWS::Region}:999988887777:log-group",
        "WebAclLogging",
        "- !Sub arn",
    ),
    (
        "W9672",
        "WebAclLogging",
        "${AWS::Region}:${AWS::AccountId}:log-group",
        "us-east-1:${AWS::AccountId}:log-group",
        "WebAclLogging",
        "- !Sub arn",
    ),
    # Keys
    ("W9624", "Key", "- kms:CancelKeyDeletion", "- kms:Decrypt", "Key", "- kms:Decrypt"),
    ("W9624", "Key", "kms:ViaService:", "aws:PrincipalTag/x:", "Key", "- kms:Decrypt"),
    ("W9625", "Key", "- kms:CancelKeyDeletion", "- kms:CreateGrant", "Key", "- kms:CreateGrant"),
    ("W9625", "Key", "kms:GrantIsForAWSResource: 'true'", "aws:SecureTransport: 'true'", "Key", "- kms:CreateGrant"),
    # Firewall
    ("W9651", "WebAclAssociation", "/stages/${Stage}", "/stages/v2", "Stage", "Stage:"),
    ("W9653", "WebAcl", "          None: {}\n", "          Count: {}\n", "WebAcl", "Count: {}"),
    (
        "W9653",
        "WebAcl",
        "- Name: NoUserAgent_HEADER",
        "- Name: SizeRestrictions_QUERYSTRING",
        "WebAcl",
        "Count: {}",
    ),
    (
        "W9653",
        "WebAcl",
        "          Block:\n            CustomResponse:\n",
        "          Count:\n            CustomRequestHandling:\n",
        "WebAcl",
        "Count:",
    ),
    # Watching
    (
        "W9597",
        "ProcessingErrorsAlarm",
        "MetricName: Errors",
        "MetricName: Throttles",
        "ProcessingFunction",
        "ProcessingFunction:",
    ),
    ("W9635", "HealthSchedule", "State: ENABLED", "State: DISABLED", "HealthSchedule", "State: DISABLED"),
    (
        "E9599",
        "ApiErrorsAlarm",
        "FILL(more_faults, 0)",
        "FILL(more_fault, 0)",
        "ApiErrorsAlarm",
        "Expression:",
    ),
    (
        "E9599",
        "Dashboard",
        '"metrics":[["AWS/ApiGateway","Count"',
        '"metrics":[[{"expression":"m1 * 2"}],["AWS/ApiGateway","Count"',
        "Dashboard",
        "DashboardBody:",
    ),
]


@pytest.mark.parametrize(
    ("rule", "resource", "old", "new", "where", "line"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES]
)
def test_one_change_is_found(rule: str, resource: str, old: str, new: str, where: str, line: str) -> None:
    found = audit(changed(resource, old, new))
    assert {finding.rule for finding in found} == {rule}
    assert any(finding.resource == where and finding.line.startswith(line) for finding in found), found


@pytest.mark.parametrize(
    ("rule", "resource", "line", "old", "new"),
    [
        (
            "E9574",
            "PspToken",
            "PspToken: {Type: String}",
            "\nParameters:\n",
            "\nParameters:\n  PspToken: {Type: String}\n",
        ),
        (
            "E9575",
            "Psp",
            "Psp: {Value",
            "\nOutputs:\n",
            "\nOutputs:\n  Psp: {Value: '{{resolve:secretsmanager:psp}}'}\n",
        ),
        (
            "W9515",
            "WafLogs",
            "WafLogs:",
            "\nResources:\n",
            "\nResources:\n  WafLogs:\n    Type: AWS::WAFv2::LoggingConfiguration\n    Properties: {ResourceArn: a}\n",
        ),
        (
            "E9543",
            "Pager",
            "Protocol: http",
            "\nResources:\n",
            (
                "\nResources:\n  Pager:\n    Type: AWS::SNS::Subscription\n    Properties:\n"
                "      Protocol: http\n      Endpoint: http://pager.example\n      TopicArn: !Ref AlarmTopic\n"
            ),
        ),
        (
            "E9671",
            "Tap",
            "DestinationArn: !Sub",
            "\nResources:\n",
            (
                "\nResources:\n  Tap:\n    Type: AWS::Logs::SubscriptionFilter\n    Properties:\n"
                "      FilterPattern: ''\n      LogGroupName: !Ref AccessLogs\n"
                "      DestinationArn: !Sub arn:aws:logs:${AWS::Region}:999988887777:destination:tap\n"
            ),
        ),
        (
            "W9634",
            "Mapping",
            "Mapping:",
            "\nResources:\n",
            (
                "\nResources:\n  Mapping:\n    Type: AWS::Lambda::EventSourceMapping\n"
                "    Properties: {EventSourceArn: !GetAtt TransactionsTable.StreamArn}\n"
            ),
        ),
    ],
)
def test_one_addition_is_found(rule: str, resource: str, line: str, old: str, new: str) -> None:
    assert PRODUCTION.count(old) == 1
    found = audit(PRODUCTION.replace(old, new))
    assert [(finding.rule, finding.resource) for finding in found] == [(rule, resource)]
    assert found[0].line.startswith(line)


def test_every_rule_speaks_of_a_changed_template() -> None:
    source = Path(__file__).read_text()
    assert [rule.id for rule in RULES if f'"{rule.id}"' not in source and rule.id != "W9595"] == []


@pytest.mark.parametrize(
    ("dropped", "rule", "resource"),
    [
        ("FailedTransactionsQueuePolicy", "E9541", "FailedTransactionsQueue"),
        ("WebAclAssociation", "W9651", "Stage"),
        ("WebAclLogging", "W9654", "WebAcl"),
        ("ValidationErrorsAlarm", "W9597", "ValidationFunction"),
        ("ApiErrorsAlarm", "W9598", "Stage"),
    ],
)
def test_a_dropped_resource_is_missed(dropped: str, rule: str, resource: str) -> None:
    match = re.search(rf"^  {dropped}:\n(    .*\n)+", PRODUCTION, re.MULTILINE)
    assert match
    found = audit(PRODUCTION.replace(match[0], ""))
    assert (rule, resource, f"{resource}:") in [finding.place for finding in found]


def test_a_topic_with_the_key_of_aws_is_silent_and_told_twice() -> None:
    found = audit(changed("AlarmTopic", "KmsMasterKeyId: !GetAtt Key.Arn", "KmsMasterKeyId: alias/aws/sns"))
    line = "KmsMasterKeyId: alias/aws/sns"
    assert {finding.place for finding in found} == {("E9596", "AlarmTopic", line), ("E9621", "AlarmTopic", line)}


def test_a_web_acl_without_a_rule_blocks_nothing() -> None:
    rules = re.search(r"^      Rules:\n(      [- ] .*\n)+", PRODUCTION, re.MULTILINE)
    assert rules
    found = audit(PRODUCTION.replace(rules[0], ""))
    assert [finding.place for finding in found] == [("W9652", "WebAcl", "WebAcl:")]


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_committed_templates_are_clean(name: str) -> None:
    found = audit((ROOT / "templates" / f"{name}.yaml").read_text())
    assert found == []
