"""What CloudFormation does with the deployer's rights, by resource type: create, read, update, delete, tag.

The actions are those that the schema of each type declares for its handlers, less what serves properties that this
stack doesn't have. https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from paycli.stack.bootstrap import BOOTSTRAP_STACK

_REFERENCE = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_"


@dataclass(frozen=True)
class Subject:
    """What an action is done to. {name} in an ARN stands for the name of each resource of `type` in the template.

    `why` explains an ARN that names no resource of the stack.
    """

    sid: str
    arns: tuple[str, ...]
    type: str = ""
    named_by: str = ""
    why: str = ""


@dataclass(frozen=True)
class Right:
    """Actions of one service on a subject.

    `tagged` demands the environment's tag: in the request that makes something, or on what is there.
    `via` are the services through which a key is used, `for_service` is whose service-linked role is made, and
    `condition` is any other.
    """

    subject: Subject
    service: str
    names: str
    tagged: Literal["", "request", "resource"] = ""
    via: tuple[str, ...] = ()
    for_service: str = ""
    condition: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def sid(self) -> str:
        """What the statement is called: the subject, and what the condition demands of it."""
        demanded = {"": "", "request": "Tagging", "resource": "Tagged"}[self.tagged]
        return f"{self.subject.sid}{demanded}{''.join(service.title() for service in self.via)}"

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions with their service's prefix."""
        return tuple(f"{self.service}:{name}" for name in self.names.split())


def _no_level(sid: str, page: str) -> Subject:
    return Subject(sid, ("*",), why=f"AWS has no resource level for these actions: {_REFERENCE}{page}.html")


FUNCTIONS = Subject(
    "Functions",
    ("arn:{partition}:lambda:{region}:{account}:function:{name}",),
    "AWS::Lambda::Function",
    "FunctionName",
)
TABLES = Subject(
    "Tables",
    ("arn:{partition}:dynamodb:{region}:{account}:table/{name}",),
    "AWS::DynamoDB::Table",
    "TableName",
)
_QUEUES = Subject("Queues", ("arn:{partition}:sqs:{region}:{account}:{name}",), "AWS::SQS::Queue", "QueueName")
TOPICS = Subject("Topics", ("arn:{partition}:sns:{region}:{account}:{name}",), "AWS::SNS::Topic", "TopicName")
_SUBSCRIPTIONS = _no_level("Subscriptions", "amazonsns")
_LOG_GROUPS = Subject(
    "LogGroups",
    # With and without the streams: which of the two an action means, differs from action to action.
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    (
        "arn:{partition}:logs:{region}:{account}:log-group:{name}",
        "arn:{partition}:logs:{region}:{account}:log-group:{name}:*",
    ),
    "AWS::Logs::LogGroup",
    "LogGroupName",
)
LOGS = _no_level("LogsOfTheAccount", "amazoncloudwatchlogs")
ALARMS = Subject(
    "Alarms",
    ("arn:{partition}:cloudwatch:{region}:{account}:alarm:*-{environment}",),
    why="Every alarm's name ends in the environment's; one pattern is shorter than a dozen names.",
)
_ALL_ALARMS = Subject(
    "AllAlarms",
    ("*",),
    why="A narrower right doesn't show composite alarms:"
    " https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html",
)
DASHBOARDS = Subject(
    "Dashboards",
    ("arn:{partition}:cloudwatch::{account}:dashboard/{name}",),
    "AWS::CloudWatch::Dashboard",
    "DashboardName",
)
_RULES = Subject("Rules", ("arn:{partition}:events:{region}:{account}:rule/{name}",), "AWS::Events::Rule", "Name")
_POLICIES = Subject(
    "Policies",
    ("arn:{partition}:iam::{account}:policy/{name}",),
    "AWS::IAM::ManagedPolicy",
    "ManagedPolicyName",
)
ROLES = Subject("Roles", ("arn:{partition}:iam::{account}:role/{name}",), "AWS::IAM::Role", "RoleName")
# A tag may take five minutes until it counts, so what is done with a key in its first minutes demands none:
# https://docs.aws.amazon.com/kms/latest/developerguide/tag-authorization.html
_NEW_KEYS = Subject(
    "NewKeys", ("*",), why=f"A key that is being made has no ARN yet: {_REFERENCE}awskeymanagementservice.html"
)
KEYS = Subject(
    "Keys",
    ("arn:{partition}:kms:{region}:{account}:key/*",),
    why=f"The id of a key is AWS's choice: {_REFERENCE}awskeymanagementservice.html",
)
_ALIASES = Subject(
    "Aliases", ("arn:{partition}:kms:{region}:{account}:alias/payments-{environment}",), why="The key's own alias."
)
_LIST_KEYS = _no_level("ListAliases", "awskeymanagementservice")
_KEY_STORES = ("dynamodb", "lambda", "sns", "sqs")
# The id of an API is AWS's choice, but what belongs to a tagged API counts as tagged:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-tagging-supported-resources.html
_NEW_APIS = Subject(
    "NewApis", ("arn:{partition}:apigateway:{region}::/restapis",), why="Where an API is made, it has no id yet."
)
_APIS = Subject(
    "Apis",
    ("arn:{partition}:apigateway:{region}::/restapis/*",),
    why=f"The id of an API is AWS's choice, and its tag is demanded: {_REFERENCE}amazonapigatewaymanagement.html",
)
_VALIDATORS = Subject(
    "ApiValidators",
    (
        "arn:{partition}:apigateway:{region}::/restapis/*/requestvalidators",
        "arn:{partition}:apigateway:{region}::/restapis/*/requestvalidators/*",
    ),
    why="AWS doesn't name validators among what inherits the tag of an API.",
)
_API_TAGS = Subject(
    "ApiTags",
    ("arn:{partition}:apigateway:{region}::/tags/*",),
    why=f"The path of a tag holds the whole ARN of what it is on: {_REFERENCE}amazonapigatewaymanagement.html",
)
STAGES = Subject(
    "Stages",
    ("arn:{partition}:apigateway:{region}::/restapis/*/stages/v1",),
    why=f"The id of an API is AWS's choice: {_REFERENCE}amazonapigatewaymanagement.html",
)
_WEB_ACLS = Subject(
    "WebAcls",
    ("arn:{partition}:wafv2:{region}:{account}:regional/webacl/{name}/*",),
    "AWS::WAFv2::WebACL",
    "Name",
)
_MANAGED_RULES = Subject(
    "ManagedRules",
    ("arn:{partition}:wafv2:{region}:{account}:regional/managedruleset/*/*",),
    why=f"A web ACL is made with the rule sets that it names: {_REFERENCE}awswafv2.html",
)
VAULTS = Subject(
    "Vaults",
    ("arn:{partition}:backup:{region}:{account}:backup-vault:{name}",),
    "AWS::Backup::BackupVault",
    "BackupVaultName",
    "A vault's name ends in the id of the API, which is AWS's choice.",
)
_PLANS = Subject(
    "BackupPlans",
    ("arn:{partition}:backup:{region}:{account}:backup-plan:*",),
    why=f"The id of a plan is AWS's choice: {_REFERENCE}awsbackup.html",
)
_MOUNT = _no_level("BackupStorage", "awsbackupstorage")
BUCKET = Subject(
    "ArtifactBucket",
    (f"arn:{{partition}}:s3:::{BOOTSTRAP_STACK}-artifactbucket-*",),
    why="CloudFormation makes up the end of the bucket's name.",
)
GATEWAY_ACCOUNT = Subject(
    "GatewayAccount", ("arn:{partition}:apigateway:{region}::/account",), why="One an account and region."
)


def _linked_role(service: str) -> Right:
    """Return the right to make a service's own role, which it makes when an account first needs it."""
    subject = Subject(
        f"LinkedRoleOf{service.partition('.')[0].title()}",
        (f"arn:{{partition}}:iam::{{account}}:role/aws-service-role/{service}/*",),
        why=f"The name is the service's choice: {_REFERENCE}awsidentityandaccessmanagementiam.html",
    )
    return Right(subject, "iam", "CreateServiceLinkedRole", for_service=service)


_API_PARTS = (Right(_APIS, "apigateway", "DELETE GET PATCH POST PUT", tagged="resource"),)

RIGHTS: dict[str, tuple[Right, ...]] = {
    "AWS::ApiGateway::Account": (Right(GATEWAY_ACCOUNT, "apigateway", "GET PATCH"),),
    "AWS::ApiGateway::Deployment": _API_PARTS,
    "AWS::ApiGateway::GatewayResponse": _API_PARTS,
    "AWS::ApiGateway::Method": _API_PARTS,
    "AWS::ApiGateway::Model": _API_PARTS,
    "AWS::ApiGateway::RequestValidator": (Right(_VALIDATORS, "apigateway", "DELETE GET PATCH POST"),),
    "AWS::ApiGateway::Resource": _API_PARTS,
    "AWS::ApiGateway::RestApi": (
        Right(_NEW_APIS, "apigateway", "POST UpdateRestApiPolicy", tagged="request"),
        *_API_PARTS,
        Right(_APIS, "apigateway", "UpdateRestApiPolicy", tagged="resource"),
        Right(_API_TAGS, "apigateway", "DELETE GET PUT"),
    ),
    "AWS::ApiGateway::Stage": (*_API_PARTS, Right(_API_TAGS, "apigateway", "DELETE GET PUT")),
    "AWS::Backup::BackupPlan": (
        Right(
            _PLANS,
            "backup",
            "CreateBackupPlan DeleteBackupPlan GetBackupPlan ListTags TagResource UntagResource UpdateBackupPlan",
        ),
    ),
    "AWS::Backup::BackupSelection": (
        Right(_PLANS, "backup", "CreateBackupSelection DeleteBackupSelection GetBackupSelection"),
        _linked_role("backup.amazonaws.com"),
    ),
    "AWS::Backup::BackupVault": (
        Right(
            VAULTS,
            "backup",
            # A lock is put on, and not taken off: who deploys must not be who can delete the backups.
            "CreateBackupVault DeleteBackupVault DescribeBackupVault GetBackupVaultAccessPolicy"
            " GetBackupVaultNotifications ListTags PutBackupVaultLockConfiguration TagResource UntagResource",
        ),
        Right(_MOUNT, "backup-storage", "MountCapsule"),
        Right(KEYS, "kms", "CreateGrant Decrypt DescribeKey GenerateDataKey RetireGrant", via=("backup",)),
    ),
    "AWS::CloudWatch::Alarm": (
        Right(
            ALARMS,
            "cloudwatch",
            "DeleteAlarms DescribeAlarms ListTagsForResource PutMetricAlarm TagResource UntagResource",
        ),
    ),
    "AWS::CloudWatch::CompositeAlarm": (
        Right(ALARMS, "cloudwatch", "DeleteAlarms ListTagsForResource PutCompositeAlarm TagResource UntagResource"),
        Right(_ALL_ALARMS, "cloudwatch", "DescribeAlarms"),
    ),
    "AWS::CloudWatch::Dashboard": (
        Right(
            DASHBOARDS,
            "cloudwatch",
            "DeleteDashboards GetDashboard ListTagsForResource PutDashboard TagResource UntagResource",
        ),
    ),
    "AWS::DynamoDB::Table": (
        Right(
            TABLES,
            "dynamodb",
            "CreateTable DeleteTable DescribeContinuousBackups DescribeContributorInsights"
            " DescribeKinesisStreamingDestination DescribeTable DescribeTimeToLive GetResourcePolicy"
            " ListTagsOfResource TagResource UntagResource UpdateContinuousBackups UpdateTable UpdateTimeToLive",
        ),
        Right(KEYS, "kms", "CreateGrant Decrypt DescribeKey Encrypt GenerateDataKey", via=_KEY_STORES),
    ),
    "AWS::Events::Rule": (
        Right(
            _RULES,
            "events",
            "DeleteRule DescribeRule ListTagsForResource ListTargetsByRule PutRule PutTargets RemoveTargets"
            " TagResource UntagResource",
        ),
    ),
    "AWS::IAM::ManagedPolicy": (
        Right(
            _POLICIES,
            "iam",
            "CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion GetPolicy GetPolicyVersion"
            " ListEntitiesForPolicy ListPolicyVersions",
        ),
    ),
    # What a role is made with, is bound further: `roles.py`.
    "AWS::IAM::Role": (
        Right(
            ROLES,
            "iam",
            "DeleteRole GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies TagRole UntagRole"
            " UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription",
        ),
    ),
    "AWS::KMS::Alias": (
        Right(_ALIASES, "kms", "CreateAlias DeleteAlias UpdateAlias"),
        Right(KEYS, "kms", "CreateAlias"),
        Right(KEYS, "kms", "DeleteAlias UpdateAlias", tagged="resource"),
        Right(_LIST_KEYS, "kms", "ListAliases"),
    ),
    "AWS::KMS::Key": (
        Right(_NEW_KEYS, "kms", "CreateKey", tagged="request"),
        Right(KEYS, "kms", "PutKeyPolicy TagResource", tagged="request"),
        Right(KEYS, "kms", "DescribeKey EnableKeyRotation GetKeyPolicy GetKeyRotationStatus ListResourceTags"),
        Right(
            KEYS,
            "kms",
            "DisableKey DisableKeyRotation EnableKey PutKeyPolicy ScheduleKeyDeletion TagResource UntagResource"
            " UpdateKeyDescription",
            tagged="resource",
        ),
    ),
    "AWS::Lambda::EventInvokeConfig": (
        Right(
            FUNCTIONS,
            "lambda",
            "DeleteFunctionEventInvokeConfig GetFunctionEventInvokeConfig PutFunctionEventInvokeConfig"
            " UpdateFunctionEventInvokeConfig",
        ),
    ),
    "AWS::Lambda::Function": (
        Right(
            FUNCTIONS,
            "lambda",
            "CreateFunction DeleteFunction DeleteFunctionConcurrency GetFunction GetFunctionCodeSigningConfig"
            " GetFunctionRecursionConfig GetFunctionScalingConfig GetRuntimeManagementConfig PutFunctionConcurrency"
            " TagResource UntagResource UpdateFunctionCode UpdateFunctionConfiguration",
        ),
        Right(KEYS, "kms", "CreateGrant Decrypt DescribeKey Encrypt GenerateDataKey", via=_KEY_STORES),
    ),
    "AWS::Lambda::Permission": (Right(FUNCTIONS, "lambda", "AddPermission GetPolicy RemovePermission"),),
    "AWS::Logs::LogGroup": (
        Right(
            _LOG_GROUPS,
            "logs",
            "AssociateKmsKey CreateLogGroup DeleteLogGroup DeleteRetentionPolicy DisassociateKmsKey"
            " GetDataProtectionPolicy ListTagsForResource PutRetentionPolicy TagResource UntagResource",
        ),
        Right(LOGS, "logs", "DescribeIndexPolicies DescribeLogGroups DescribeResourcePolicies"),
    ),
    "AWS::Logs::ResourcePolicy": (
        Right(LOGS, "logs", "DeleteResourcePolicy DescribeResourcePolicies PutResourcePolicy"),
    ),
    "AWS::S3::Bucket": (
        Right(
            BUCKET,
            "s3",
            "CreateBucket DeleteBucket GetBucketOwnershipControls GetBucketPublicAccessBlock GetBucketTagging"
            " GetBucketVersioning GetEncryptionConfiguration GetLifecycleConfiguration ListBucket ListTagsForResource"
            " PutBucketOwnershipControls PutBucketPublicAccessBlock PutBucketTagging PutBucketVersioning"
            " PutEncryptionConfiguration PutLifecycleConfiguration TagResource UntagResource",
        ),
    ),
    "AWS::S3::BucketPolicy": (Right(BUCKET, "s3", "DeleteBucketPolicy GetBucketPolicy PutBucketPolicy"),),
    "AWS::SNS::Subscription": (
        Right(TOPICS, "sns", "Subscribe"),
        Right(_SUBSCRIPTIONS, "sns", "GetSubscriptionAttributes SetSubscriptionAttributes Unsubscribe"),
    ),
    "AWS::SNS::Topic": (
        Right(
            TOPICS,
            "sns",
            "CreateTopic DeleteTopic GetDataProtectionPolicy GetTopicAttributes ListSubscriptionsByTopic"
            " ListTagsForResource SetTopicAttributes TagResource UntagResource",
        ),
    ),
    "AWS::SNS::TopicPolicy": (Right(TOPICS, "sns", "GetTopicAttributes SetTopicAttributes"),),
    "AWS::SQS::Queue": (
        Right(
            _QUEUES,
            "sqs",
            "CreateQueue DeleteQueue GetQueueAttributes GetQueueUrl ListQueueTags SetQueueAttributes TagQueue"
            " UntagQueue",
        ),
    ),
    "AWS::SQS::QueuePolicy": (Right(_QUEUES, "sqs", "GetQueueAttributes SetQueueAttributes"),),
    "AWS::WAFv2::LoggingConfiguration": (
        Right(_WEB_ACLS, "wafv2", "DeleteLoggingConfiguration GetLoggingConfiguration PutLoggingConfiguration"),
        Right(
            LOGS,
            "logs",
            "CreateLogDelivery DeleteLogDelivery DescribeLogGroups DescribeResourcePolicies PutResourcePolicy",
        ),
        _linked_role("wafv2.amazonaws.com"),
    ),
    "AWS::WAFv2::WebACL": (
        Right(
            _WEB_ACLS,
            "wafv2",
            "CreateWebACL DeleteWebACL GetWebACL ListTagsForResource TagResource UntagResource UpdateWebACL",
        ),
        Right(_MANAGED_RULES, "wafv2", "CreateWebACL UpdateWebACL"),
    ),
    "AWS::WAFv2::WebACLAssociation": (
        Right(_WEB_ACLS, "wafv2", "AssociateWebACL GetWebACL GetWebACLForResource"),
        Right(STAGES, "wafv2", "AssociateWebACL DisassociateWebACL GetWebACLForResource"),
        Right(STAGES, "apigateway", "SetWebACL"),
    ),
}
