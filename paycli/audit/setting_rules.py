"""What each setting of a resource is about, and how to judge a change of it.

Where a type or a setting isn't listed, the change is told all the same, and counts as wider: what can't be told may
be weaker. `told` marks what the facts of access, surface and data say already.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from paycli.audit import judges
from paycli.audit.changes import ACCESS, CODE, DATA, MONITORING, SURFACE
from paycli.audit.differences import Path
from paycli.audit.judges import Judge


@dataclass(frozen=True)
class SettingRule:
    """How a setting is judged; `said` are words for what it does, between the resource and the values."""

    area: str
    judge: Judge
    said: str = ""

    @property
    def told(self) -> bool:
        """Whether the facts tell a change of it."""
        return self.judge is judges.silent


def _data(judge: Judge = judges.unknown) -> SettingRule:
    return SettingRule(DATA, judge)


def _surface(judge: Judge = judges.unknown) -> SettingRule:
    return SettingRule(SURFACE, judge)


def _access(judge: Judge = judges.unknown) -> SettingRule:
    return SettingRule(ACCESS, judge)


def _watch(judge: Judge = judges.unknown) -> SettingRule:
    return SettingRule(MONITORING, judge)


def _code(judge: Judge = judges.unknown, said: str = "runs other code") -> SettingRule:
    return SettingRule(CODE, judge, said)


_TOLD = SettingRule(ACCESS, judges.silent)

# Environment variables by which other code than the function's own runs in it, or its libraries trust others.
# https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
# https://docs.python.org/3/using/cmdline.html#environment-variables
_LOADERS = frozenset(
    {
        *("AWS_LAMBDA_EXEC_WRAPPER", "BASH_ENV", "CLASSPATH", "DOTNET_STARTUP_HOOKS", "JAVA_TOOL_OPTIONS"),
        *("LD_AUDIT", "LD_LIBRARY_PATH", "LD_PRELOAD", "NODE_OPTIONS", "NODE_PATH", "PATH", "PERL5OPT", "PERL5LIB"),
        *("PYTHONHOME", "PYTHONINSPECT", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONUSERBASE", "RUBYLIB", "RUBYOPT"),
        *("_HANDLER", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "SSL_CERT_FILE", "AWS_CA_BUNDLE"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "REQUESTS_CA_BUNDLE"),
    }
)
_LOADER = _code(judges.absent, "has a variable that decides which code runs")

_STREAMS = "gives its changes to readers of a stream"

# By type, then by the names of the path, without the elements of lists; the longest that fits counts.
_RULES: Mapping[str, Mapping[str, SettingRule]] = {
    "AWS::ApiGateway::RestApi": {
        "": _surface(),
        "Description": _surface(judges.silent),
        "Name": _surface(judges.neither),
        "EndpointConfiguration.Types": _TOLD,
        "SecurityPolicy": _TOLD,
        "DisableExecuteApiEndpoint": _TOLD,
        "Policy": _TOLD,
        "EndpointAccessMode": _surface(judges.ranked("BASIC", "STRICT", without="BASIC")),
    },
    "AWS::ApiGateway::Method": {
        "": _surface(),
        "ApiKeyRequired": _TOLD,
        "AuthorizationType": _TOLD,
        "AuthorizerId": _TOLD,
        "HttpMethod": _TOLD,
        "ResourceId": _TOLD,
        "RequestModels": _TOLD,
        "RequestParameters": _surface(judges.ON),
        "RequestValidatorId": _TOLD,
        "OperationName": _surface(judges.neither),
        "Integration": _code(said="answers in another way"),
        "Integration.Credentials": _access(),
        "Integration.TimeoutInMillis": _surface(judges.neither),
        "Integration.Type": _code(said="is integrated in another way"),
    },
    "AWS::ApiGateway::Resource": {"": _surface(), "PathPart": _TOLD},
    "AWS::ApiGateway::RequestValidator": {
        "": _surface(),
        "Name": _surface(judges.neither),
        "ValidateRequestBody": _surface(judges.ON),
        "ValidateRequestParameters": _surface(judges.ON),
    },
    "AWS::ApiGateway::Model": {
        "": _surface(),
        "Description": _surface(judges.silent),
        "Name": _surface(judges.neither),
        "Schema": _surface(judges.schema),
    },
    "AWS::ApiGateway::GatewayResponse": {
        "": _surface(),
        "ResponseTemplates": _surface(judges.revealed),
        "ResponseParameters.gatewayresponse.header.Content-Type": _surface(judges.neither),
        "ResponseParameters.gatewayresponse.header.Retry-After": _surface(judges.neither),
        "StatusCode": _surface(judges.neither),
    },
    "AWS::ApiGateway::Stage": {
        "": _surface(),
        "AccessLogSetting": _watch(),
        "AccessLogSetting.Format": _watch(judges.fields),
        "CacheClusterEnabled": _data(judges.OFF),
        "CacheClusterSize": _data(judges.neither),
        "ClientCertificateId": _surface(judges.present),
        "DeploymentId": _code(),
        "Description": _surface(judges.silent),
        "MethodSettings": _surface(),
        "MethodSettings.CacheDataEncrypted": _data(judges.ON),
        "MethodSettings.CachingEnabled": _data(judges.OFF),
        "MethodSettings.DataTraceEnabled": _data(judges.OFF),
        "MethodSettings.LoggingLevel": _watch(judges.ranked("OFF", "ERROR", "INFO", without="OFF")),
        "MethodSettings.MetricsEnabled": _watch(judges.ON),
        "MethodSettings.ThrottlingBurstLimit": _TOLD,
        "MethodSettings.ThrottlingRateLimit": _TOLD,
        "TracingEnabled": _watch(judges.ON),
        "Variables": SettingRule(CODE, judges.unknown, "has other stage variables"),
    },
    "AWS::ApiGateway::Deployment": {"": _surface(), "Description": _surface(judges.silent)},
    "AWS::WAFv2::WebACL": {
        "": _surface(),
        "DataProtectionConfig": _data(),
        "DataProtectionConfig.DataProtections": _data(judges.present),
        "DefaultAction": _surface(judges.action),
        "Description": _surface(judges.silent),
        "Name": _surface(judges.neither),
        "Rules": _surface(judges.new_rule),
        "Rules.Action": _surface(judges.action),
        "Rules.OverrideAction": _surface(judges.action),
        "Rules.Statement.ManagedRuleGroupStatement.ExcludedRules": _surface(judges.absent),
        "Rules.Statement.ManagedRuleGroupStatement.RuleActionOverrides": _surface(judges.override),
        "Rules.Statement.ManagedRuleGroupStatement.RuleActionOverrides.ActionToUse": _surface(judges.action),
        "Rules.Statement.RateBasedStatement.EvaluationWindowSec": _surface(judges.least(300)),
        "Rules.Statement.RateBasedStatement.Limit": _surface(judges.most()),
        "Rules.VisibilityConfig": _watch(judges.ON),
        "Rules.VisibilityConfig.MetricName": _watch(),
        "VisibilityConfig": _watch(judges.ON),
        "VisibilityConfig.MetricName": _watch(),
    },
    "AWS::WAFv2::LoggingConfiguration": {"": _watch(), "RedactedFields": _data(judges.present)},
    "AWS::Lambda::Function": {
        "": _code(said=""),
        "Architectures": _code(judges.neither, ""),
        "Code": _code(judges.parameters),
        "CodeSigningConfigArn": _code(judges.present, "checks signatures of code in another way"),
        "DeadLetterConfig.TargetArn": _watch(judges.present),
        "Description": _code(judges.silent),
        "Environment": _code(said="has other variables"),
        **{f"Environment.Variables.{name}": _LOADER for name in _LOADERS},
        "EphemeralStorage": _code(judges.neither, ""),
        "FileSystemConfigs": _code(),
        "FunctionName": _code(judges.neither, ""),
        "Handler": _code(),
        "ImageConfig": _code(),
        "KmsKeyArn": _data(judges.present),
        "Layers": _code(judges.absent),
        "LoggingConfig": _watch(),
        "MemorySize": _code(judges.neither, ""),
        "PackageType": _code(),
        "ReservedConcurrentExecutions": _surface(),
        "Role": _TOLD,
        "Runtime": _code(said="runs otherwise"),
        "Timeout": _code(judges.neither, ""),
        "TracingConfig.Mode": _watch(judges.ranked("PassThrough", "Active", without="PassThrough")),
        "VpcConfig": _surface(),
    },
    "AWS::Lambda::EventInvokeConfig": {
        "": _watch(),
        "DestinationConfig": _data(),
        "MaximumEventAgeInSeconds": _watch(judges.least(21600)),
        "MaximumRetryAttempts": _watch(judges.least(2)),
    },
    "AWS::Lambda::Permission": {"": _access(), **dict.fromkeys(("Action", "FunctionName", "Principal"), _TOLD)}
    | dict.fromkeys(("SourceArn", "SourceAccount", "PrincipalOrgID", "EventSourceToken", "FunctionUrlAuthType"), _TOLD),
    "AWS::Lambda::Url": {"": _surface(), "AuthType": _TOLD, "TargetFunctionArn": _TOLD},
    "AWS::DynamoDB::Table": {
        "": _data(),
        "BillingMode": _data(judges.neither),
        "ProvisionedThroughput": _data(judges.neither),
        "DeletionProtectionEnabled": _TOLD,
        "KinesisStreamSpecification.StreamArn": SettingRule(DATA, judges.absent, _STREAMS),
        "PointInTimeRecoverySpecification": _TOLD,
        "ResourcePolicy": _TOLD,
        "SSESpecification": _TOLD,
        "SSESpecification.SSEType": _data(),
        "StreamSpecification.StreamViewType": SettingRule(DATA, judges.absent, _STREAMS),
        "TableName": _TOLD,
        "TimeToLiveSpecification": _TOLD,
    },
    "AWS::SQS::Queue": {
        "": _data(),
        "KmsDataKeyReusePeriodSeconds": _data(judges.neither),
        "KmsMasterKeyId": _TOLD,
        "MessageRetentionPeriod": _TOLD,
        "QueueName": _TOLD,
        "RedriveAllowPolicy": _access(),
        "RedriveAllowPolicy.redrivePermission": _access(
            judges.ranked("allowAll", "byQueue", "denyAll", without="allowAll")
        ),
        "RedriveAllowPolicy.sourceQueueArns": _access(),
        "RedrivePolicy.deadLetterTargetArn": _watch(judges.present),
        "RedrivePolicy.maxReceiveCount": _watch(judges.most()),
        "SqsManagedSseEnabled": _TOLD,
        "VisibilityTimeout": _data(judges.neither),
    },
    "AWS::SNS::Topic": {
        "": _data(),
        "DataProtectionPolicy": _data(judges.present),
        "DisplayName": _data(judges.neither),
        "KmsMasterKeyId": _TOLD,
        "Subscription": SettingRule(MONITORING, judges.kept, "tells others than before"),
        "TopicName": _TOLD,
    },
    "AWS::SNS::Subscription": {"": _watch(), "Endpoint": _TOLD, "Protocol": _TOLD, "TopicArn": _TOLD},
    "AWS::Logs::LogGroup": {
        "": _watch(),
        "DataProtectionPolicy": _data(judges.present),
        "KmsKeyId": _TOLD,
        "LogGroupName": _TOLD,
        "RetentionInDays": _TOLD,
    },
    "AWS::S3::Bucket": {
        "": _data(),
        "BucketEncryption": _TOLD,
        "BucketName": _TOLD,
        "LifecycleConfiguration": _data(),
        "LoggingConfiguration.DestinationBucketName": _watch(judges.present),
        "PublicAccessBlockConfiguration": _access(judges.ON),
        "ReplicationConfiguration": SettingRule(DATA, judges.absent, "copies what it holds"),
        "VersioningConfiguration": _TOLD,
    },
    "AWS::Backup::BackupVault": {
        "": _data(),
        "AccessPolicy": _TOLD,
        "BackupVaultName": _TOLD,
        "EncryptionKeyArn": _TOLD,
        "LockConfiguration": _TOLD,
        "LockConfiguration.ChangeableForDays": _data(),
        "LockConfiguration.MaxRetentionDays": _data(),
        "Notifications": _watch(),
    },
    "AWS::Backup::BackupPlan": {
        "": _data(),
        "BackupPlan.BackupPlanName": _data(judges.neither),
        "BackupPlan.BackupPlanRule": _data(judges.present),
        "BackupPlan.BackupPlanRule.CompletionWindowMinutes": _data(judges.neither),
        "BackupPlan.BackupPlanRule.CopyActions": SettingRule(DATA, judges.absent, "copies backups elsewhere"),
        "BackupPlan.BackupPlanRule.EnableContinuousBackup": _data(judges.ON),
        "BackupPlan.BackupPlanRule.Lifecycle.DeleteAfterDays": _TOLD,
        "BackupPlan.BackupPlanRule.ScheduleExpression": _TOLD,
        "BackupPlan.BackupPlanRule.StartWindowMinutes": _data(judges.neither),
        "BackupPlan.BackupPlanRule.TargetBackupVault": _TOLD,
    },
    "AWS::Backup::BackupSelection": {
        "": _data(),
        "BackupSelection.IamRoleArn": _access(),
        "BackupSelection.SelectionName": _data(judges.neither),
    },
    "AWS::KMS::Key": {
        "": _data(),
        "Description": _data(judges.silent),
        "EnableKeyRotation": _TOLD,
        "Enabled": _data(judges.ON_BY_DEFAULT),
        "KeyPolicy": _TOLD,
        "KeyPolicy.Version": _access(),
        "PendingWindowInDays": _data(judges.least(30)),
        "RotationPeriodInDays": _data(judges.most(365)),
    },
    "AWS::IAM::Role": {
        "": _access(),
        "AssumeRolePolicyDocument": _TOLD,
        "AssumeRolePolicyDocument.Version": _access(),
        "Description": _access(judges.silent),
        "ManagedPolicyArns": _TOLD,
        "MaxSessionDuration": _access(judges.most(3600)),
        "PermissionsBoundary": _TOLD,
        "Policies": _TOLD,
        "RoleName": _access(judges.neither),
    },
    **{
        f"AWS::IAM::{kind}": {
            "": _access(),
            "Description": _access(judges.silent),
            "PolicyDocument.Version": _access(),
            **dict.fromkeys(("PolicyDocument", "Roles", "Users", "Groups", "RoleName", "UserName", "GroupName"), _TOLD),
        }
        for kind in ("ManagedPolicy", "Policy", "RolePolicy", "UserPolicy", "GroupPolicy")
    },
    **{
        policy: {"": _access(), "PolicyDocument": _TOLD, "PolicyDocument.Version": _access()}
        for policy in ("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::S3::BucketPolicy")
    },
    "AWS::Events::Rule": {
        "": _watch(),
        "Description": _watch(judges.silent),
        "Name": _watch(judges.neither),
        "State": _watch(judges.ranked("DISABLED", "ENABLED", without="ENABLED")),
        "Targets": SettingRule(DATA, judges.unknown, "sends events to others than before"),
        "Targets.DeadLetterConfig.Arn": _watch(judges.present),
        "Targets.RetryPolicy.MaximumEventAgeInSeconds": _watch(judges.least(86400)),
        "Targets.RetryPolicy.MaximumRetryAttempts": _watch(judges.least(185)),
    },
    "AWS::CloudWatch::Alarm": {
        "": _watch(),
        "ActionsEnabled": _watch(judges.ON_BY_DEFAULT),
        "AlarmActions": _watch(judges.more),
        "AlarmDescription": _watch(judges.silent),
        "DatapointsToAlarm": _watch(judges.most()),
        "EvaluationPeriods": _watch(judges.most()),
        "InsufficientDataActions": _watch(judges.more),
        "OKActions": _watch(judges.more),
        "Threshold": _watch(judges.threshold),
        "TreatMissingData": _watch(judges.ranked("ignore", "notBreaching", "missing", "breaching", without="missing")),
    },
    "AWS::CloudWatch::CompositeAlarm": {
        "": _watch(),
        "ActionsEnabled": _watch(judges.ON_BY_DEFAULT),
        "AlarmActions": _watch(judges.more),
        "AlarmDescription": _watch(judges.silent),
    },
    "AWS::CloudWatch::Dashboard": {"": _watch(judges.neither)},
}
# Of any type: they say something to people.
_TAGS = frozenset({"BackupPlanTags", "BackupVaultTags", "Tags"})
_UNSAID = SettingRule(ACCESS, judges.silent)
# How these go is only known of the setting itself, not of what stands below it.
_EXACT = (judges.absent, judges.kept, judges.new_rule, judges.override, judges.present)

_SERVICES = {
    "ApiGateway": SURFACE,
    "ApiGatewayV2": SURFACE,
    "CloudFormation": CODE,
    "CloudWatch": MONITORING,
    "CloudTrail": MONITORING,
    "Events": MONITORING,
    "IAM": ACCESS,
    "Lambda": CODE,
    "Logs": MONITORING,
    "Scheduler": MONITORING,
    "WAFv2": SURFACE,
    "XRay": MONITORING,
}


def area_of(resource_type: str) -> str:
    """Return what resources of a type are about, where nothing else is said."""
    rules = _RULES.get(resource_type)
    if rules:
        return rules[""].area
    service = resource_type.split("::")[1] if resource_type.startswith("AWS::") else "CloudFormation"
    return _SERVICES.get(service, DATA)


def rule_for(resource_type: str, path: Path) -> SettingRule:
    """Return the rule of the nearest setting at or above a path."""
    names = [name for name in path if not name.startswith("[")]
    rules = _RULES.get(resource_type, {})
    if names and names[0] in _TAGS:
        return _UNSAID
    for end in range(len(names), -1, -1):
        rule = rules.get(".".join(names[:end]))
        if rule:
            return replace(rule, judge=judges.unknown) if end < len(names) and rule.judge in _EXACT else rule
    return SettingRule(area_of(resource_type), judges.unknown)
