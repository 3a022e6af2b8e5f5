"""What happened to an operation as a whole."""

from paycli.deployment.failure.rule import STACK, rule

_MAY_DESCRIBE = (
    "Allow cloudformation:DescribeEvents to whoever deploys (`paycli config deployer-policy` prints all that a deploy "
    "needs):"
)

OPERATION = (
    # A check before anything is made. Its details went with the change set, so the console has none either.
    rule(
        "validation",
        r"\[AWS::EarlyValidation::ResourceExistenceCheck",
        "something that it would make exists already under its name",
        "It was made by hand, or kept when an earlier stack was deleted, and may hold payments. Only DescribeEvents "
        "says what it is, and gave no answer here.",
        f"{_MAY_DESCRIBE} the next deploy names what is in the way. With retain_data, a deploy that makes the stack "
        "takes over the table, key, queues and log groups that an earlier one has kept.",
    ),
    rule(
        "validation",
        r"\[AWS::EarlyValidation::PropertyValidation",
        "a property of the template is wrong",
        "Its value isn't what the resource type's schema allows. Only DescribeEvents says which one it is, and gave no "
        "answer here.",
        f"{_MAY_DESCRIBE} the next deploy names the property. The template's builders are in paycli/stack/.",
    ),
    rule(
        "validation",
        r"\[AWS::EarlyValidation::|Call DescribeEvents to retrieve|See (?:the )?operation's FAILED event",
        "it didn't pass CloudFormation's validation",
        "CloudFormation checked the template against the account before it made anything; what it found is only in "
        "DescribeEvents, which gave no answer here.",
        f"{_MAY_DESCRIBE} the next deploy says what it found.",
    ),
    rule(
        "cancelled",
        r"^(?:User Initiated|Stack update cancelled\.?)$",
        "somebody cancelled it",
        "The update was cancelled while it ran (CancelUpdateStack).",
        "",
        STACK,
    ),
    rule(
        "timeout",
        r"time exceeded the specified timeout",
        "it took longer than the stack's timeout",
        "CloudFormation gives up after the minutes that the request named.",
        "A second try may succeed.",
        STACK,
    ),
    rule(
        "export_in_use",
        r"export \S+ (?:cannot be (?:deleted|updated) )?as it is in use by (?P<user>[^\s.]+)",
        "another stack uses one of its exports",
        "{user} imports it, and would lose its value.",
        "Take the import out of {user} first.",
    ),
    rule(
        "termination_protection",
        r"TerminationProtection is enabled",
        "termination protection is on",
        "Somebody wants the stack to be deleted by intent only.",
        "If it is to go: paycli teardown --env {env} --disable-termination-protection",
    ),
    # What CloudFormation refuses to begin with.
    rule(
        "busy",
        r"is in \w+_IN_PROGRESS state and can ?not be|cannot be deleted while in status \w+_IN_PROGRESS"
        r"|Change ?set is currently being executed",
        "something else works on the stack",
        "CloudFormation does one thing at a time to a stack.",
        "Wait until that is done: `paycli status --env {env}` says what it is.",
        STACK,
    ),
    rule(  # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
        "busy",
        r"Stack \[[^\]]*\] already exists",
        "somebody else has made the stack meanwhile",
        "There was none when the plan was made.",
        "`paycli status --env {env}` says how it stands.",
        STACK,
    ),
    rule(
        "stack_gone",
        r"Stack (?:\[\S+\]|with id \S+|'\S+') does not exist",
        "the stack isn't there any more",
        "Somebody else has deleted it meanwhile, or made it anew.",
        "`paycli status --env {env}` says how it stands; CloudTrail (DeleteStack) says who it was.",
        STACK,
    ),
    rule(  # https://github.com/aws/aws-sam-cli/issues/7473
        "access_denied",
        r"S3 error: Access Denied|TemplateURL must reference a valid S3 object to which you have access",
        "CloudFormation may not read the template from the artifact bucket",
        "It reads with the rights of whoever deploys.",
        "Allow s3:GetObject on the bucket's objects to whoever deploys; `paycli config deployer-policy --env {env}` "
        "prints all that a deploy needs.",
        STACK,
    ),
    rule(
        "role_unusable",
        r"Role \S+ is invalid or cannot be assumed",
        "CloudFormation can't work as `cloudformation_role`",
        "The role is gone, or its trust policy doesn't let CloudFormation in, or the caller may not pass it.",
        "The role's trust policy has to name cloudformation.amazonaws.com (`paycli config deployer-policy --env {env} "
        "--for trust` prints one), and whoever deploys needs iam:PassRole on it (`paycli config deployer-policy --env "
        "{env}`). A new role takes some seconds until it is known.",
        STACK,
    ),
    rule(  # https://github.com/aws-amplify/amplify-cli/issues/2467
        "stack_quota",
        r"Limit for stack has been exceeded",
        "the account has as many stacks as it may have",
        "Each account and region has a quota of them.",
        "Delete stacks that nobody needs (`aws cloudformation describe-stacks` lists them), or ask for more in the "
        "Service Quotas console.",
        STACK,
    ),
    rule(  # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
        "template_too_large",
        r"Template may not exceed \d+ bytes in size|at 'templateBody' failed to satisfy constraint",
        "the template is too large for CloudFormation",
        "The limit is CloudFormation's own.",
        "Use fewer or shorter `tags` in paycli.toml: each stands on every resource.",
        STACK,
    ),
    rule(  # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
        "capability_missing",
        r"Requires capabilities : \[",
        "the template has something that paycli never lets CloudFormation make: an IAM resource with a name of its own",
        "Whoever may name a role may take another's place.",
        "Take the name out: the template's builders are in paycli/stack/.",
        STACK,
    ),
)
