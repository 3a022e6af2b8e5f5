"""What AWS refuses of the settings and of the template, and who else refuses it."""

from paycli.deployment.failure.rule import rule

SETTINGS = (
    # Settings that AWS refuses.
    rule(
        "runtime_unsupported",
        r"runtime parameter of (?P<runtime>[\w.]+) is no longer supported",
        "Lambda no longer takes its runtime",
        "AWS has ended the support of {runtime}.",
        "Set `runtime` in paycli.toml: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
    ),
    rule(
        "email_invalid",
        r"Invalid parameter: (?:Email address|Endpoint|invalid endpoint)",
        "the e-mail address is refused",
        "SNS takes one address, without a name.",
        "Correct `email` under [alarms] in paycli.toml.",
        "AWS::SNS::Subscription",
    ),
    rule(
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-create-attach.html
        "principal_invalid",
        r"Invalid policy document\. Please check the policy syntax and ensure that Principals are valid",
        "API Gateway refuses its resource policy",
        "A principal of it is gone, misspelt, or only some seconds old.",
        "Look through `allowed_principals` in paycli.toml: each must be there. For a new one a second try mostly "
        "succeeds.",
        "AWS::ApiGateway::RestApi",
    ),
    rule(
        "queue_policy_invalid",
        r"Invalid value for the parameter Policy\b",
        "SQS refuses the queue's policy",
        "SQS says no more. Mostly a principal or an account that the policy names isn't there, or is some seconds old.",
        "If a second try fails too, look at the policy: it is built in paycli/stack/queues.py.",
    ),
    rule(  # https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html
        "firewall_invalid",
        r"Error reason: .*, field: LOG_DESTINATION",
        "AWS WAF refuses the place of its log",
        "AWS WAF takes a log group only by a name that begins with aws-waf-logs-, and by an ARN without :* at its end.",
        "The firewall is built in paycli/stack/firewall.py.",
    ),
    rule(  # https://docs.aws.amazon.com/waf/latest/APIReference/API_WAFInvalidParameterException.html
        "firewall_invalid",
        r"Error reason: .*, field: (?P<field>\w+), parameter: (?P<parameter>[^\s()]*)",
        "AWS WAF refuses one of its values",
        "It is about {field}, which it got as {parameter}.",
        "The firewall is built in paycli/stack/firewall.py.",
    ),
    # What the template says.
    rule(
        "property_invalid",
        r"validation error(?:s)? detected: Value|expected type: \w+, found: \w+|dashboard body is invalid"
        r"|(?:properties|model|template|property) validation fail|unsupported propert|extraneous key|required key"
        r"|required property|failed validation constraint|value of property|valid enum value",
        "one of its properties is wrong",
        "The value isn't what the resource type's schema allows.",
        "The template's builders are in paycli/stack/.",
    ),
    rule(
        "type_unknown",
        r"Unrecognized resource types?: \[(?P<types>[^\]]*)\]",
        "this region doesn't know all of its resource types",
        "CloudFormation here has no {types}.",
        "Switch off in paycli.toml what needs it; else deploy to another `region`, as a stack of its own.",
    ),
    rule(
        "template_invalid",
        r"template (?:format|validation )?error|\[Error\] /|unresolved resource dependencies|circular dependency"
        r"|transform \S+ failed",
        "the template is wrong",
        "CloudFormation can't work with it as it is.",
        "The template's builders are in paycli/stack/.",
    ),
    rule(
        "hook",
        r"following hook\(s\)(?:/validation)? failed: \[(?P<hook>[^\]]+)\]",
        "a CloudFormation hook refuses it",
        "Whoever keeps the account has it check every change: {hook}.",
        "Meet the hook's rule, or ask those who keep it.",
    ),
    rule(  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
        "public_policy",
        r"by the BlockPublicPolicy",
        "its policy would make it public",
        "The account, or the bucket, blocks public access, and S3 takes such a policy for public.",
        "Let the policy name who may come in: it is built in paycli/stack/.",
    ),
)
