"""What paycli calls itself, in the name of whoever runs it: deploy, rollback, smoke-test, status, teardown.

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

_STACK = Subject("Stack", ("arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/*",))
_CHANGES = Subject("ChangeSets", _STACK.arns)
_BOOTSTRAP = Subject(
    "BootstrapStack", (f"arn:{{partition}}:cloudformation:{{region}}:{{account}}:stack/{BOOTSTRAP_STACK}/*",)
)
ARTIFACTS = Subject(
    "Artifacts", tuple(f"{arn}/{folder}/*" for arn in BUCKET.arns for folder in ("code", "templates")), why=BUCKET.why
)
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
_VALIDATION_LOGS = Subject(
    "ValidationLogs",
    ("arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/payment-validation-{environment}:*",),
    why="The end stands for the streams of the one log group.",
)
_API = Subject(
    "Api",
    tuple(
        f"arn:{{partition}}:execute-api:{{region}}:{{account}}:*/v1/{route}"
        for route in ("GET/health", "POST/process", "POST/validate")
    ),
    why="The id of an API is AWS's choice:"
    " https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigateway.html",
)
# A key that CloudFormation has imported could be tagged as this environment's own, and then be managed.
NO_KEY_IMPORTED = {"ForAllValues:StringNotEquals": {"cloudformation:ImportResourceTypes": ["AWS::KMS::Key"]}}

CALLS: tuple[Right, ...] = (
    Right(_CHANGES, "cloudformation", "CreateChangeSet", condition=NO_KEY_IMPORTED),
    Right(
        _STACK,
        "cloudformation",
        "CancelUpdateStack ContinueUpdateRollback DeleteChangeSet DeleteStack DescribeChangeSet DescribeEvents"
        " DescribeStackEvents DescribeStacks ExecuteChangeSet GetTemplate ListChangeSets ListStackResources"
        " RollbackStack SetStackPolicy TagResource UntagResource UpdateTerminationProtection",
    ),
    Right(_BOOTSTRAP, "cloudformation", "DescribeStacks"),
    # Without ListBucket a package that isn't there yet is 403 in place of 404.
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    Right(BUCKET, "s3", "ListBucket"),
    Right(ARTIFACTS, "s3", "DeleteObject GetObject PutObject"),
    Right(_RECORDS, "s3", "DeleteObject PutObject"),
    Right(_ALL_RECORDS, "s3", "GetObject"),
    # The smoke test: what it asks, the payments and messages of its own that it removes, and their decryption.
    Right(_API, "execute-api", "Invoke"),
    Right(STAGES, "apigateway", "GET"),
    Right(FUNCTIONS, "lambda", "GetFunctionConfiguration"),
    Right(TABLES, "dynamodb", "DeleteItem DescribeContinuousBackups DescribeTable GetItem"),
    Right(_FAILED_QUEUE, "sqs", "ChangeMessageVisibility DeleteMessage GetQueueAttributes ReceiveMessage"),
    Right(KEYS, "kms", "Decrypt", via=("dynamodb", "sqs")),
    Right(TOPICS, "sns", "GetTopicAttributes"),
    Right(ALARMS, "cloudwatch", "DescribeAlarms"),
    Right(DASHBOARDS, "cloudwatch", "GetDashboard"),
    Right(_VALIDATION_LOGS, "logs", "FilterLogEvents"),
    # Status: what waits in the other queues, and for how long.
    Right(_OTHER_QUEUES, "sqs", "GetQueueAttributes"),
    Right(_METRICS, "cloudwatch", "GetMetricStatistics"),
    # A teardown looks for log groups that were written again.
    Right(LOGS, "logs", "DescribeLogGroups"),
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

# The first deploy of an account and region: it makes the bootstrap stack.
BOOTSTRAP_CALLS: tuple[Right, ...] = (
    Right(_BOOTSTRAP, "cloudformation", "CreateStack DescribeStackEvents DescribeStacks TagResource"),
    Right(GATEWAY_ACCOUNT, "apigateway", "GET"),
)
