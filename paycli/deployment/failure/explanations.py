"""The frequent reasons in plain words, each with what to do about it.

The table's patterns come from texts of CloudFormation and its services, as users have reported them: the tests
have each text and where it stands. The first pattern that fits wins, so the narrow ones come first.
"""

import re
import shlex
from dataclasses import dataclass, replace

from paycli.aws_errors import denial

_STACK = "AWS::CloudFormation::Stack"
_BOOTSTRAP = "paycli-bootstrap"  # BOOTSTRAP_STACK of stack/bootstrap.py, which loads troposphere


@dataclass(frozen=True)
class Explanation:
    """What a reason means: `kind` is stable, for programs; `summary` ends the sentence "X could not be created:"."""

    kind: str
    summary: str
    text: str
    hint: str


@dataclass(frozen=True)
class _Rule:
    kind: str
    pattern: re.Pattern[str]
    summary: str  # it, `text` and `hint` may name groups of the pattern, {logical_id} and {name}
    text: str
    hint: str
    resource_type: str = ""  # of this type only; any, where it is empty
    refusals: bool = True  # whether it may be said of what was refused before anything began
    bootstrap: bool = False  # of the bootstrap stack only, which is made without cloudformation_role

    def fits(self, resource_type: str, *, refused: bool, bootstrap: bool) -> bool:
        """Whether it may be said at all of such a failure, whatever the reason says."""
        of_type = self.resource_type in {"", resource_type}
        return of_type and (self.refusals or not refused) and (bootstrap or not self.bootstrap)


def explain(
    reason: str, resource_type: str, logical_id: str, *, name: str = "", stack: str = "", refused: bool = False
) -> Explanation | None:
    """Return what the reason means, or None where it is none of the frequent ones.

    `name` is the resource's own, as far as it is known, `stack` the name of its stack; `refused` says that it was
    refused before anything began.
    """
    bootstrap = stack == _BOOTSTRAP
    for rule in _RULES:
        fits = rule.fits(resource_type, refused=refused, bootstrap=bootstrap)
        if found := rule.pattern.search(reason) if fits else None:
            words = {"logical_id": logical_id, "name": shlex.quote(name or "NAME"), **found.groupdict()}
            said = (part.format(**words) for part in (rule.summary, rule.text, rule.hint))
            return Explanation(rule.kind, *said)
    denied = _denied(reason)
    return replace(denied, text=_OF_BOOTSTRAP, hint=f"{denied.hint} {_NEEDS}") if denied and bootstrap else denied


_OF_BOOTSTRAP = (
    "This stack is made with the caller's rights, without `cloudformation_role`. No payment stack is touched."
)
_NEEDS = "`paycli config deployer-policy --for bootstrap` prints what it needs."


def _denied(reason: str) -> Explanation | None:
    refused = denial(reason)
    if refused is None and not re.search(r"HandlerErrorCode: AccessDenied|Access ?Denied", reason):
        return None
    text = "CloudFormation works with the rights of `cloudformation_role`, where it is set, else with the caller's."
    if refused is None:
        hint = "CloudTrail names the call that was refused, and the policy that decided it."
        summary = "a policy denies it" if "explicit deny" in reason else "a permission is missing"
        return Explanation("access_denied", summary, text, hint)
    if refused.explicit:
        return Explanation("access_denied", f"{refused.action} is denied", text, refused.hint)
    which = f"the permission {refused.action}" if refused.action else "a permission"
    return Explanation("access_denied", f"{which} is missing", text, refused.hint)


def _rule(kind: str, pattern: str, summary: str, text: str, hint: str, resource_type: str = "", **more: bool) -> _Rule:
    return _Rule(kind, re.compile(pattern, re.IGNORECASE), summary, text, hint, resource_type, **more)


_MAY_DESCRIBE = (
    "Allow cloudformation:DescribeEvents to whoever deploys (`paycli config deployer-policy` prints all that a deploy "
    "needs):"
)

# A name that is taken: by what somebody made, or by what an earlier stack has kept.
_TAKEN = r"already exists|HandlerErrorCode: AlreadyExists|BucketAlreadyOwnedByYou"
_TAKEN_SUMMARY = "a resource of this name already exists"
_TAKEN_TEXT = "It doesn't belong to this stack: it was made by hand, or kept when an earlier stack was deleted."
_TAKES_OVER = "With retain_data, a deploy that makes the stack takes it over with all it holds. Else"


def _data_taken(resource_type: str, holds: str, look: str, instead: str = _TAKES_OVER) -> _Rule:
    """Return the rule of a type that holds data: what may be in it comes before any advice to delete it."""
    hint = f"It may hold {holds}: look first ({look}). {instead} deploy under another environment name."
    return _rule("already_exists", _TAKEN, _TAKEN_SUMMARY, _TAKEN_TEXT, hint, resource_type)


# What is wrong with the caller's credentials, in a stack that a role could make and in one that none makes.
_EXPIRED = r"security token included in the request is expired|ExpiredToken"
_EXPIRED_SUMMARY = "the credentials expired while it was deployed"
_INVALID = r"security token included in the request is invalid|InvalidClientTokenId"
_INVALID_SUMMARY = "IAM doesn't take the caller's credentials"

_RULES = (
    # What happened to the operation as a whole.
    # A check before anything is made. Its details went with the change set, so the console has none either.
    _rule(
        "validation",
        r"\[AWS::EarlyValidation::ResourceExistenceCheck",
        "something that it would make exists already under its name",
        "It was made by hand, or kept when an earlier stack was deleted, and may hold payments. Only DescribeEvents "
        "says what it is, and gave no answer here.",
        f"{_MAY_DESCRIBE} the next deploy names what is in the way. With retain_data, a deploy that makes the stack "
        "takes over the table, key, queues and log groups that an earlier one has kept.",
    ),
    _rule(
        "validation",
        r"\[AWS::EarlyValidation::PropertyValidation",
        "a property of the template is wrong",
        "Its value isn't what the resource type's schema allows. Only DescribeEvents says which one it is, and gave no "
        "answer here.",
        f"{_MAY_DESCRIBE} the next deploy names the property. The template's builders are in paycli/stack/.",
    ),
    _rule(
        "validation",
        r"\[AWS::EarlyValidation::|Call DescribeEvents to retrieve|See (?:the )?operation's FAILED event",
        "it didn't pass CloudFormation's validation",
        "CloudFormation checked the template against the account before it made anything; what it found is only in "
        "DescribeEvents, which gave no answer here.",
        f"{_MAY_DESCRIBE} the next deploy says what it found.",
    ),
    _rule(
        "cancelled",
        r"^(?:User Initiated|Stack update cancelled\.?)$",
        "somebody cancelled it",
        "The update was cancelled while it ran (CancelUpdateStack).",
        "",
        _STACK,
    ),
    _rule(
        "timeout",
        r"time exceeded the specified timeout",
        "it took longer than the stack's timeout",
        "CloudFormation gives up after the minutes that the request named.",
        "A second try may succeed.",
        _STACK,
    ),
    _rule(
        "export_in_use",
        r"export \S+ (?:cannot be (?:deleted|updated) )?as it is in use by (?P<user>[^\s.]+)",
        "another stack uses one of its exports",
        "{user} imports it, and would lose its value.",
        "Take the import out of {user} first.",
    ),
    _rule(
        "termination_protection",
        r"TerminationProtection is enabled",
        "termination protection is on",
        "Somebody wants the stack to be deleted by intent only.",
        "If it is to go: paycli teardown --disable-termination-protection",
    ),
    # What stands in the way.
    _rule(
        "import_policy",
        r"attempting to import some resources because they already exist",
        "what exists can't be taken over",
        "CloudFormation takes over only what has the deletion policy Retain or RetainExceptOnCreate in the template.",
        "Delete what AWS names, or rename it.",
    ),
    _rule(
        "in_another_stack",
        r"already exists in stack (?P<other>[^\s\"]+)",
        "another stack has it",
        "It belongs to {other}.",
        "Take it out of that stack, or deploy under another environment name.",
    ),
    _rule(
        "name_taken",
        r"BucketAlreadyExists|requested bucket name is not available",
        "the bucket name is taken",
        "Bucket names are shared by all accounts of AWS.",
        "Choose another name.",
    ),
    _rule(
        "queue_deleted_recently",
        r"wait 60 seconds after deleting a queue",
        "a queue of this name was deleted less than a minute ago",
        "SQS keeps the name of a deleted queue for 60 seconds.",
        "Wait a minute.",
    ),
    _rule(
        "being_deleted",
        r"table is being deleted",
        "a table of this name is still being deleted",
        "DynamoDB frees the name when the delete has ended.",
        "Wait a minute.",
    ),
    _rule(
        "in_use",
        r"resource which is still in use: Table is being (?:created|updated)",
        "another operation works on the table",
        "DynamoDB does one thing at a time to a table.",
        "Wait a minute.",
    ),
    _data_taken("AWS::DynamoDB::Table", "payments", "aws dynamodb describe-table --table-name {name}"),
    _data_taken("AWS::SQS::Queue", "failed payments", "aws sqs get-queue-url --queue-name {name}"),
    _data_taken("AWS::Logs::LogGroup", "logs", "aws logs describe-log-streams --log-group-name {name}"),
    _data_taken("AWS::KMS::Key", "the key of payments", "aws kms describe-key --key-id {name}"),
    _data_taken(  # the next stack's vault has another name: none is taken over
        "AWS::Backup::BackupVault",
        "backups of payments",
        "aws backup list-recovery-points-by-backup-vault --backup-vault-name {name}",
        "If they are to stay,",
    ),
    _rule(
        "already_exists",
        _TAKEN,
        _TAKEN_SUMMARY,
        _TAKEN_TEXT,
        "Delete or rename it, or deploy under another environment name.",
    ),
    _rule(
        "fixed_name",
        r"when a custom-named resource requires replacing",
        "it has a fixed name and can't be replaced",
        "The change needs a new resource, and CloudFormation makes no second one of the same name.",
        "Undo the change, or add the resource under a new logical ID and name and move what it holds.",
    ),
    _rule(
        "stack_policy",
        r"action (?:denied|not allowed) by stack policy",
        "the stack policy forbids it",
        "It protects what holds data from being replaced or deleted.",
        "Undo the change; a removal that is meant needs --allow-remove {logical_id}.",
    ),
    _rule(
        "deletion_protection",
        r"protected against deletion",
        "its deletion protection is on",
        "The table can't be deleted before somebody switches that off.",
        "If the payments in it are to go, switch off the table's deletion protection.",
    ),
    _rule(
        "policies_attached",
        r"Cannot delete entity, must detach all policies first",
        "policies are attached to it that the stack doesn't know",
        "Somebody has attached them past CloudFormation, and IAM deletes no role that has any.",
        "aws iam list-attached-role-policies --role-name {name} names them; aws iam detach-role-policy --role-name "
        "{name} --policy-arn ARN takes one away.",
    ),
    _rule(
        # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
        "one_index",
        r"Cannot perform more than one GSI creation or deletion in a single update",
        "DynamoDB makes or deletes one index at a time",
        "The update changes several global secondary indexes of the table.",
        "Change one index and deploy, then the next.",
    ),
    _rule(
        "not_empty",
        r"bucket (?:you tried to delete|'[^']*') is not empty|BucketNotEmpty",
        "the bucket isn't empty",
        "S3 deletes a bucket only when every version of every object is gone.",
        "Empty it, with its old versions, in the S3 console.",
    ),
    # What reads like a quota or a wrong value, and is another thing.
    _rule(
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
    _rule(
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-switching-capacity-modes.html
        "billing_mode",
        r"Update to PayPerRequest mode are limited to once in 1 day",
        "its billing mode has been changed less than a day ago",
        "DynamoDB changes a table to on-demand once in 24 hours.",
        "Wait until that change is 24 hours old.",
    ),
    _rule(
        "log_policy_full",
        r"Policy document length breaking Cloudwatch Logs Constraints",
        "the account's log resource policy is full",
        "AWS adds to it each log group that it writes to, and takes none out again; it may have 5120 characters.",
        "Take out what names log groups that are gone: aws logs describe-resource-policies shows it, aws logs "
        "put-resource-policy writes it.",
    ),
    # Limits of the account.
    _rule(
        # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
        "memory_limit",
        r"'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to (?P<most>\d+)",
        "a function may not have that much memory",
        "In this account Lambda gives a function {most} MB at most. A new account has to do with 3008 MB.",
        "Lower `memory_mb` in paycli.toml to {most} or less, or ask AWS support for more.",
    ),
    _rule(
        "reserved_concurrency",
        r"UnreservedConcurrentExecution below its minimum value of \[(?P<minimum>\d+)\]",
        "the account has too little concurrency left to reserve",
        "Lambda keeps {minimum} concurrent executions of the account for functions without a reservation. A new "
        "account may have no more than that, so nothing can be reserved: `aws lambda get-account-settings` shows it.",
        'Lower [reserved_concurrency] in paycli.toml, or set "none", or have the quota "Concurrent executions" raised.',
    ),
    _rule(
        "throttled",
        r"rate exceeded|HandlerErrorCode: Throttling|ThrottlingException|too ?many ?requests|SlowDown",
        "AWS got too many calls at once",
        "The account's calls to that service are limited, and other work may use them too.",
        "Wait a minute.",
    ),
    _rule(
        "quota",
        r"HandlerErrorCode: ServiceLimitExceeded|Limits?Exceeded|cannot exceed quota|quota\S* .{0,40}exceeded"
        r"|exceed\S* .{0,40}(?:quota|limit)|limit exceeded|maximum number of .{0,60}(?:reached|exceeded)",
        "a quota is used up",
        "AWS limits how much of it an account, or a resource, may have.",
        "Delete what isn't needed, or ask for more in the Service Quotas console.",
    ),
    # What must be prepared.
    _rule(
        "log_role_missing",
        r"CloudWatch Logs role ARN must be set in account settings",
        "API Gateway may not write logs",
        "It needs one role for its logs, set once an account and region. paycli-bootstrap sets it where none is set; "
        "somebody has taken it away.",
        "Set it again in the settings of the API Gateway console: a role with AmazonAPIGatewayPushToCloudWatchLogs.",
    ),
    _rule(
        "log_role_unusable",
        r"role ARN does not have required permissions|could not successfully write to CloudWatch Logs",
        "API Gateway can't use the role for its logs yet",
        "It takes IAM some seconds until every service knows a new role.",
        "A second try mostly succeeds.",
    ),
    _rule(
        "kms_lockout",
        r"new key policy will not allow you to update the key policy",
        "whoever deploys couldn't change the key policy again",
        "KMS refuses a policy under which the caller may not call PutKeyPolicy. The template leaves that to the "
        "account's IAM policies.",
        "Allow kms:PutKeyPolicy to whoever deploys, or to cloudformation_role.",
    ),
    _rule(
        "kms_key_unusable",
        r"KMS key does not exist or is not allowed to be used|KMS key is invalid for CreateGrant|is pending deletion"
        r"|unable to decrypt the environment variables"
        r"|KMS\w*(?:InvalidState|Disabled|NotFound|AccessDenied)\w*Exception",
        "it may not use its KMS key",
        "The key is disabled or about to be deleted, its policy doesn't name the service or the role, or the service "
        "doesn't know a key or role that is some seconds old.",
        "If a second try fails too, look at the key's state and policy in the KMS console.",
    ),
    _rule(
        "role_not_ready",
        r"cannot be assumed by|does not have permissions to call \w+ on|invalid principals? in policy"
        r"|with one or more invalid principals",
        "a role or its rights aren't known everywhere yet",
        "It takes IAM some seconds until every service knows a new role.",
        "If a second try fails too, look at the role's trust policy and rights, and at the organization's policies.",
    ),
    _rule(
        "not_ready",
        r"WAFUnavailableEntity|WAF couldn.t (?:retrieve|perform the operation because your resource doesn.t exist)"
        r"|HandlerErrorCode: ResourceConflict|ConflictException|concurrent ?modification",
        "something it needs is being changed or isn't ready yet",
        "A resource that is some seconds old isn't known everywhere, or another change was at work on it.",
        "A second try mostly succeeds.",
    ),
    _rule(
        "code_missing",
        r"S3 Error Code: NoSuch(?:Key|Bucket)",
        "the code package isn't in the artifact bucket",
        "It was deleted after the upload.",
        "The next deploy uploads it again.",
    ),
    # Settings that AWS refuses.
    _rule(
        "runtime_unsupported",
        r"runtime parameter of (?P<runtime>[\w.]+) is no longer supported",
        "Lambda no longer takes its runtime",
        "AWS has ended the support of {runtime}.",
        "Set `runtime` in paycli.toml: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
    ),
    _rule(
        "email_invalid",
        r"Invalid parameter: (?:Email address|Endpoint|invalid endpoint)",
        "the e-mail address is refused",
        "SNS takes one address, without a name.",
        "Correct `email` under [alarms] in paycli.toml.",
        "AWS::SNS::Subscription",
    ),
    _rule(
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-create-attach.html
        "principal_invalid",
        r"Invalid policy document\. Please check the policy syntax and ensure that Principals are valid",
        "API Gateway refuses its resource policy",
        "A principal of it is gone, misspelt, or only some seconds old.",
        "Look through `allowed_principals` in paycli.toml: each must be there. For a new one a second try mostly "
        "succeeds.",
        "AWS::ApiGateway::RestApi",
    ),
    _rule(
        "queue_policy_invalid",
        r"Invalid value for the parameter Policy\b",
        "SQS refuses the queue's policy",
        "SQS says no more. Mostly a principal or an account that the policy names isn't there, or is some seconds old.",
        "If a second try fails too, look at the policy: it is built in paycli/stack/queues.py.",
    ),
    # What the template says.
    _rule(
        "property_invalid",
        r"(?:properties|model|template|property) validation fail|unsupported propert|extraneous key|required key"
        r"|required property|failed validation constraint|value of property|valid enum value",
        "one of its properties is wrong",
        "The value isn't what the resource type's schema allows.",
        "The template's builders are in paycli/stack/.",
    ),
    _rule(
        "template_invalid",
        r"template (?:format|validation )?error|\[Error\] /|unresolved resource dependencies|circular dependency"
        r"|unrecognized resource types?|transform \S+ failed",
        "the template is wrong",
        "CloudFormation can't work with it as it is.",
        "The template's builders are in paycli/stack/.",
    ),
    _rule(
        "hook",
        r"following hook\(s\)(?:/validation)? failed: \[(?P<hook>[^\]]+)\]",
        "a CloudFormation hook refuses it",
        "Whoever keeps the account has it check every change: {hook}.",
        "Meet the hook's rule, or ask those who keep it.",
    ),
    # CloudFormation documents no text for these two: the words of
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-rollback-triggers.html are looked for.
    _rule(
        "alarm_missing",
        r"rollback trigger (?:\S*:)?(?P<alarm>[\w.-]+) (?:does not exist|is missing|(?:was|could) not (?:be )?found)",
        "the alarm {alarm} is missing",
        "CloudFormation watches it during an update, and takes everything back where it isn't there. Somebody has "
        "deleted it past CloudFormation, and an update alone doesn't make it again.",
        "Put an alarm of that name in its place, whatever it watches: aws cloudwatch put-metric-alarm --alarm-name "
        "{alarm} --namespace AWS/ApiGateway --metric-name 5XXError --statistic Sum --period 60 --evaluation-periods 1 "
        "--threshold 1 --comparison-operator GreaterThanThreshold. A deploy with --revert-drift then makes it what the "
        "template says.",
        _STACK,
        refusals=False,
    ),
    _rule(
        "alarm",
        r"rollback trigger|(?:is in|(?:in)?to) (?:the )?(?-i:ALARM)\b",
        "an alarm went off",
        "CloudFormation watched alarms while it deployed, and takes everything back when one goes off.",
        "Look at the alarm's history and the functions' logs in CloudWatch first.",
        _STACK,
        refusals=False,
    ),
    # What can't be helped.
    _rule(
        "credentials_expired",
        _EXPIRED,
        _EXPIRED_SUMMARY,
        _OF_BOOTSTRAP,
        "Log in again.",
        bootstrap=True,
    ),
    _rule(
        "credentials_expired",
        _EXPIRED,
        _EXPIRED_SUMMARY,
        "CloudFormation works with the caller's credentials as long as they last, unless `cloudformation_role` is set.",
        "Log in again; with cloudformation_role it can't happen.",
    ),
    _rule(
        "credentials_invalid",
        _INVALID,
        _INVALID_SUMMARY,
        _OF_BOOTSTRAP,
        "Use a role's credentials: IAM refuses those of a session (GetSessionToken) that were made without MFA.",
        bootstrap=True,
    ),
    _rule(
        # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
        "credentials_invalid",
        _INVALID,
        _INVALID_SUMMARY,
        "It refuses session credentials (GetSessionToken) that were made without MFA.",
        "Deploy with a role's credentials, or set cloudformation_role.",
    ),
    _rule(
        "not_stabilized",
        r"HandlerErrorCode: NotStabilized|exceeded attempts to wait|did not stabilize",
        "it wasn't ready in time",
        "AWS took the request, and the resource didn't reach its final state.",
        "Look at the resource in the console.",
    ),
    _rule(
        "aws_silent",
        r'returned message: "null".*HandlerErrorCode: GeneralServiceException',
        "AWS gives no details",
        "The service failed, and CloudFormation passes on no word of it.",
        "A second try may succeed; CloudTrail has the call that failed.",
    ),
    _rule(
        "not_found",
        r"HandlerErrorCode: NotFound",
        "it, or something it needs, isn't there",
        "Somebody may have deleted it without CloudFormation.",
        "Make again what AWS names.",
    ),
    _rule(
        "aws_internal",
        r"HandlerErrorCode: (?:InternalFailure|ServiceInternalError|NetworkFailure|HandlerInternalFailure)"
        r"|internal ?failure",
        "AWS had an error of its own",
        "It isn't the template's fault.",
        "https://health.aws.amazon.com/health/status says how AWS is.",
    ),
)
