"""What went wrong past the template: alarms, credentials, and AWS itself."""

from paycli.deployment.failure.rule import OF_BOOTSTRAP, STACK, rule

# What is wrong with the caller's credentials, in a stack that a role could make and in one that none makes.
_EXPIRED = r"security token included in the request is expired|ExpiredToken"
_EXPIRED_SUMMARY = "the credentials expired while it was deployed"
_INVALID = r"security token included in the request is invalid|InvalidClientTokenId"
_INVALID_SUMMARY = "IAM doesn't take the caller's credentials"

BEYOND = (
    # CloudFormation documents no text for these two: the words of
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-rollback-triggers.html are looked for.
    rule(
        "alarm_missing",
        r"rollback trigger (?:\S*:)?(?P<alarm>[\w.-]+) (?:does not exist|is missing|(?:was|could) not (?:be )?found)",
        "the alarm {alarm} is missing",
        "CloudFormation watches it during an update, and takes everything back where it isn't there. Somebody has "
        "deleted it past CloudFormation, and an update alone doesn't make it again.",
        "Put an alarm of that name in its place, whatever it watches: aws cloudwatch put-metric-alarm --alarm-name "
        "{alarm} --namespace AWS/ApiGateway --metric-name 5XXError --statistic Sum --period 60 --evaluation-periods 1 "
        "--threshold 1 --comparison-operator GreaterThanThreshold. A deploy with --revert-drift then makes it what the "
        "template says.",
        STACK,
        refusals=False,
    ),
    rule(
        "alarm",
        r"rollback trigger|(?:is in|(?:in)?to) (?:the )?(?-i:ALARM)\b",
        "an alarm went off",
        "CloudFormation watched alarms while it deployed, and takes everything back when one goes off.",
        "Look at the alarm's history and the functions' logs in CloudWatch first.",
        STACK,
        refusals=False,
    ),
    # What can't be helped.
    rule(
        "credentials_expired",
        _EXPIRED,
        _EXPIRED_SUMMARY,
        OF_BOOTSTRAP,
        "Log in again.",
        bootstrap=True,
    ),
    rule(
        "credentials_expired",
        _EXPIRED,
        _EXPIRED_SUMMARY,
        "CloudFormation works with the caller's credentials as long as they last, unless `cloudformation_role` is set.",
        "Log in again; with cloudformation_role it can't happen.",
    ),
    rule(
        "credentials_invalid",
        _INVALID,
        _INVALID_SUMMARY,
        OF_BOOTSTRAP,
        "Use a role's credentials: IAM refuses those of a session (GetSessionToken) that were made without MFA.",
        bootstrap=True,
    ),
    rule(
        # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
        "credentials_invalid",
        _INVALID,
        _INVALID_SUMMARY,
        "It refuses session credentials (GetSessionToken) that were made without MFA.",
        "Deploy with a role's credentials, or set cloudformation_role.",
    ),
    rule(
        "not_stabilized",
        r"HandlerErrorCode: NotStabilized|exceeded attempts to wait|did not stabilize"
        r"|Resource timed out waiting for completion",
        "it wasn't ready in time",
        "AWS took the request, and the resource didn't reach its final state.",
        "Look at the resource in the console.",
    ),
    rule(
        "aws_silent",
        r'returned message: "null".*HandlerErrorCode: GeneralServiceException',
        "AWS gives no details",
        "The service failed, and CloudFormation passes on no word of it.",
        "A second try may succeed; CloudTrail has the call that failed.",
    ),
    rule(
        "not_found",
        r"HandlerErrorCode: NotFound",
        "something that it needs isn't there",
        "Somebody has deleted it past CloudFormation, or it is some seconds old and not known everywhere.",
        "If a second try fails too: `paycli drift --env {env}` shows what is gone.",
    ),
    rule(
        "aws_internal",
        r"HandlerErrorCode: (?:InternalFailure|ServiceInternalError|NetworkFailure|HandlerInternalFailure)"
        r"|internal ?failure",
        "AWS had an error of its own",
        "It isn't the template's fault.",
        "https://health.aws.amazon.com/health/status says how AWS is.",
    ),
)
