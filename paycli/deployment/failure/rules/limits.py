"""What reads like a limit, and the limits of an account."""

from paycli.deployment.failure.rule import rule

LIMITS = (
    # What reads like a quota or a wrong value, and is another thing.
    rule(
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
        "log_delivery",
        r"Unable to deliver logs to the configured destination|Insufficient permissions to enable logging",
        "AWS may not write its log",
        "That takes a log resource policy, which AWS makes by the rights of whoever deploys. An account has room for "
        "10 of them.",
        "Allow logs:PutResourcePolicy, logs:DescribeResourcePolicies and logs:DescribeLogGroups to whoever deploys, or "
        "to cloudformation_role. If they are allowed, see whether all 10 policies are taken: aws logs "
        "describe-resource-policies",
    ),
    rule(
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-switching-capacity-modes.html
        "billing_mode",
        r"Update to \w+ mode are limited to once in|(?:decreases|increases|updates) are limited",
        "it has been changed so a short while ago",
        "DynamoDB allows some changes of a table only so many times a day. AWS says when the next one can be made, or "
        "it is 24 hours after the last.",
        "Wait until then.",
    ),
    rule(
        "log_policy_full",
        r"Policy document length breaking Cloudwatch Logs Constraints|Resource policy size exceeded",
        "the account's log resource policy is full",
        "AWS adds to it each log group that it writes to, and takes none out again; it may have 5120 characters.",
        "Take out what names log groups that are gone: aws logs describe-resource-policies shows it, aws logs "
        "put-resource-policy writes it.",
    ),
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
    rule(
        "tables_busy",
        r"can be created, updated, or deleted simultaneously|Too many operations for a given subscriber",
        "too many tables are being changed at once",
        "DynamoDB works on so many tables of an account at a time, and no more.",
        "Wait until the changes to other tables have ended.",
    ),
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    rule(
        "policy_too_large",
        r"Cannot exceed quota for PolicySize",
        "its policy has grown too large",
        "AWS raises this limit for nobody.",
        "Let the policy name less, or split it: the policies are built in paycli/stack/.",
    ),
    rule(
        "policy_too_large",
        r"final policy size \(\d+\) is bigger than the limit",
        "the function's own policy has grown too large",
        "It holds who may call the function, statements that were added past CloudFormation too; AWS raises this limit "
        "for nobody.",
        "`aws lambda get-policy --function-name FUNCTION` shows the statements, `aws lambda remove-permission "
        "--function-name FUNCTION --statement-id ID` takes one away.",
    ),
    # Limits of the account.
    # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    rule(
        "code_storage",
        r"Code storage limit exceeded",
        "Lambda has no room left for code",
        "All functions of the account in this region share it, with every version that was published.",
        "Delete functions or versions of functions that nobody needs (`aws lambda get-account-settings` shows what is "
        "used), or ask for more in the Service Quotas console.",
    ),
    rule(
        # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
        "memory_limit",
        r"'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to (?P<most>\d+)",
        "a function may not have that much memory",
        "In this account Lambda gives a function {most} MB at most. A new account has to do with 3008 MB.",
        "Lower `memory_mb` in paycli.toml to {most} or less, or ask AWS support for more.",
    ),
    rule(
        "reserved_concurrency",
        r"UnreservedConcurrentExecution below its minimum value of \[(?P<minimum>\d+)\]",
        "the account has too little concurrency left to reserve",
        "Lambda keeps {minimum} concurrent executions of the account for functions without a reservation. A new "
        "account may have no more than that, so nothing can be reserved: `aws lambda get-account-settings` shows it.",
        'Lower [reserved_concurrency] in paycli.toml, or set "none", or have the quota "Concurrent executions" raised.',
    ),
    rule(
        "throttled",
        r"rate exceeded|HandlerErrorCode: Throttling|ThrottlingException|too ?many ?requests|SlowDown",
        "AWS got too many calls at once",
        "The account's calls to that service are limited, and other work may use them too.",
        "Wait a minute.",
    ),
    rule(
        "quota",
        r"HandlerErrorCode: ServiceLimitExceeded|Limits?Exceeded|cannot exceed quota|quota\S* .{0,40}exceeded"
        r"|exceed\S* .{0,40}(?:quota|limit)|limit exceeded|maximum number of .{0,60}(?:reached|exceeded)",
        "a quota is used up",
        "AWS limits how much of it an account, or a resource, may have.",
        "Ask for more in the Service Quotas console, or make room elsewhere.",
    ),
)
