"""What paycli calls itself, in the name of whoever runs it: deploy, rollback, status, teardown; and, apart, smoke-test.

GetCallerIdentity needs no right. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

from paycli.deployment.rights.resources import (
    ALARMS,
    BUCKET,
    DASHBOARDS,
    FUNCTIONS,
    GATEWAY_ACCOUNT,
    KEYS,
    LOGS,
    STAGES,
    TABLES,
    TOPICS,
    VAULTS,
    Right,
    Subject,
)
from paycli.stack.bootstrap import BOOTSTRAP_STACK
from paycli.stack.names import DEPLOYS_NAMESPACE

_STACK = Subject("Stack", ("arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/*",))
_CHANGES = Subject("ChangeSets", _STACK.arns)
_BOOTSTRAP = Subject(
    "BootstrapStack", (f"arn:{{partition}}:cloudformation:{{region}}:{{account}}:stack/{BOOTSTRAP_STACK}/*",)
)
ARTIFACTS = Subject(
    "Artifacts", tuple(f"{arn}/{folder}/*" for arn in BUCKET.arns for folder in ("code", "templates")), why=BUCKET.why
)
_LOOKS = Subject("Looks", tuple(f"{arn}/looks/*" for arn in BUCKET.arns), why=BUCKET.why)
_RECORDS = Subject("Records", tuple(f"{arn}/deployments/{{environment}}/*" for arn in BUCKET.arns), why=BUCKET.why)
# What of the artifacts another environment still needs is told by its records.
_ALL_RECORDS = Subject("AllRecords", tuple(f"{arn}/deployments/*" for arn in BUCKET.arns), why=BUCKET.why)
_FAILED_QUEUE = Subject("FailedQueue", ("arn:{partition}:sqs:{region}:{account}:failed-transactions-{environment}",))
_OTHER_QUEUES = Subject(
    "OtherQueues",
    tuple(
        f"arn:{{partition}}:sqs:{{region}}:{{account}}:{name}-{{environment}}"
        for name in ("failed-transactions-dlq", "function-failures")
    ),
)
_METRICS = Subject(
    "Metrics",
    ("*",),
    why="It knows no resources:"
    " https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html",
)
_MARKS = Subject(
    "Marks",
    ("*",),
    why="It knows no resources, but a namespace, which holds the marks of deploys alone:"
    " https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html",
)
_VALIDATION_LOGS = Subject(
    "ValidationLogs",
    ("arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/payment-validation-{environment}:*",),
    why="The end stands for the streams of the one log group.",
)


def _routes(sid: str, *routes: str) -> Subject:
    return Subject(
        sid,
        tuple(f"arn:{{partition}}:execute-api:{{region}}:{{account}}:*/v1/{route}" for route in routes),
        why="The id of an API is AWS's choice:"
        " https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigateway.html",
    )


_OF_DEPLOYS = {"StringEquals": {"cloudwatch:namespace": DEPLOYS_NAMESPACE}}
# A key that CloudFormation has imported could be tagged as this environment's own, and then be managed.
NO_KEY_IMPORTED = {"ForAllValues:StringNotEquals": {"cloudformation:ImportResourceTypes": ["AWS::KMS::Key"]}}

CALLS: tuple[Right, ...] = (
    Right(_CHANGES, "cloudformation", "CreateChangeSet", condition=NO_KEY_IMPORTED),
    Right(
        _STACK,
        "cloudformation",
        "CancelUpdateStack ContinueUpdateRollback DeleteChangeSet DeleteStack DescribeChangeSet DescribeEvents"
        " DescribeStackEvents DescribeStacks ExecuteChangeSet GetStackPolicy GetTemplate ListChangeSets"
        " ListStackResources RollbackStack SetStackPolicy TagResource UntagResource UpdateTerminationProtection",
    ),
    Right(_BOOTSTRAP, "cloudformation", "DescribeStacks"),
    # Without ListBucket a package that isn't there yet is 403 in place of 404.
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    Right(BUCKET, "s3", "ListBucket"),
    Right(ARTIFACTS, "s3", "DeleteObject GetObject PutObject"),
    Right(_LOOKS, "s3", "DeleteObject GetObject PutObject"),
    Right(_RECORDS, "s3", "DeleteObject PutObject"),
    Right(_MARKS, "cloudwatch", "PutMetricData", condition=_OF_DEPLOYS),
    Right(_ALL_RECORDS, "s3", "GetObject"),
    # Status: what the alarms and the API say, what waits in the queues, and for how long.
    Right(_routes("Health", "GET/health"), "execute-api", "Invoke"),
    Right(ALARMS, "cloudwatch", "DescribeAlarms"),
    Right(_METRICS, "cloudwatch", "GetMetricData GetMetricStatistics"),
    Right(_FAILED_QUEUE, "sqs", "GetQueueAttributes"),
    Right(_OTHER_QUEUES, "sqs", "GetQueueAttributes"),
    # A teardown waits until the table is gone, and looks for log groups that were written again.
    Right(TABLES, "dynamodb", "DescribeContinuousBackups DescribeTable"),
    Right(LOGS, "logs", "DescribeLogGroups"),
)

# The smoke test pays, reads and removes its own payments, and so could read and remove others', which no condition of
# IAM tells apart: an item's key is random. Who deploys gets these rights apart, and only where it also checks.
SMOKE_CALLS: tuple[Right, ...] = (
    Right(_STACK, "cloudformation", "DescribeStacks"),
    Right(_routes("Api", "GET/health", "POST/process", "POST/validate"), "execute-api", "Invoke"),
    Right(STAGES, "apigateway", "GET"),
    Right(FUNCTIONS, "lambda", "GetFunctionConfiguration"),
    Right(TABLES, "dynamodb", "DeleteItem DescribeContinuousBackups DescribeTable GetItem"),
    Right(KEYS, "kms", "Decrypt", via=("dynamodb",)),
    Right(_FAILED_QUEUE, "sqs", "GetQueueAttributes"),
    Right(TOPICS, "sns", "GetTopicAttributes"),
    Right(ALARMS, "cloudwatch", "DescribeAlarms"),
    Right(DASHBOARDS, "cloudwatch", "GetDashboard"),
    Right(BUCKET, "s3", "ListBucket"),
    Right(ARTIFACTS, "s3", "GetObject"),
)
# Where the failed queue's messages are kept, the smoke test looks for its own in the log; elsewhere it receives them.
KEPT_MESSAGES_CALLS: tuple[Right, ...] = (Right(_VALIDATION_LOGS, "logs", "FilterLogEvents"),)
RECEIVED_MESSAGES_CALLS: tuple[Right, ...] = (
    *KEPT_MESSAGES_CALLS,  # somebody else's failure may stand in the queue
    Right(_FAILED_QUEUE, "sqs", "ChangeMessageVisibility DeleteMessage ReceiveMessage"),
    Right(KEYS, "kms", "Decrypt", via=("sqs",)),
)

# Where data is kept, a deploy that makes the stack looks for what an earlier one has kept.
KEPT_CALLS: tuple[Right, ...] = (
    Right(_FAILED_QUEUE, "sqs", "GetQueueUrl"),
    Right(_OTHER_QUEUES, "sqs", "GetQueueUrl"),
    Right(KEYS, "kms", "DescribeKey ListResourceTags"),
)

# What that deploy needs besides to import what it has found, the key as well: a policy of its own, for the one deploy.
KEPT_TYPES = ("AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::Logs::LogGroup", "AWS::SQS::Queue")
IMPORT_CALLS: tuple[Right, ...] = (
    Right(
        _CHANGES,
        "cloudformation",
        "CreateChangeSet",
        condition={"ForAllValues:StringEquals": {"cloudformation:ImportResourceTypes": list(KEPT_TYPES)}},
    ),
)

# A teardown empties a vault that goes with its stack; what is kept, nobody deletes who deploys.
_RECOVERY_POINTS = Subject(
    "RecoveryPoints",
    (
        "arn:{partition}:backup:{region}:{account}:recovery-point:*",
        "arn:{partition}:dynamodb:{region}:{account}:table/transactions-{environment}/backup/*",
    ),
    VAULTS.type,
    VAULTS.named_by,
    "The id of a recovery point is AWS's choice:"
    " https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbackup.html",
)
VAULT_CALLS: tuple[Right, ...] = (
    Right(VAULTS, "backup", "ListRecoveryPointsByBackupVault"),
    Right(_RECOVERY_POINTS, "backup", "DeleteRecoveryPoint"),
)

# The first deploy of an account and region, and `paycli bootstrap`: what makes and updates the bootstrap stack, and
# takes away what a failed create has left.
BOOTSTRAP_CALLS: tuple[Right, ...] = (
    Right(
        _BOOTSTRAP,
        "cloudformation",
        "ContinueUpdateRollback CreateStack DeleteStack DescribeStackEvents DescribeStacks GetTemplate"
        " ListStackResources RollbackStack TagResource UpdateStack",
    ),
    Right(BUCKET, "s3", "ListBucket"),
    Right(GATEWAY_ACCOUNT, "apigateway", "GET"),
)
