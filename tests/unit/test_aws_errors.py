"""What an error of boto3 means to the user, and what to do about it."""

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from paycli.aws_errors import Denial, denial, explain, in_short, words
from paycli.errors import ExitStatus, PaycliError

CONFIGURATION, FAILED = ExitStatus.CONFIGURATION, ExitStatus.FAILED


def answered(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateStack")


def explained(error: Exception) -> PaycliError:
    said = explain(error)
    assert said is not None
    return said


@pytest.mark.parametrize(
    ("error", "code", "status", "hint"),
    [
        (answered("ExpiredToken"), "credentials_expired", CONFIGURATION, "aws sso login"),
        (answered("ExpiredTokenException"), "credentials_expired", CONFIGURATION, "aws sso login"),
        (answered("InvalidClientTokenId"), "credentials_invalid", CONFIGURATION, "region that the account"),
        (answered("UnrecognizedClientException"), "credentials_invalid", CONFIGURATION, "AWS_PROFILE"),
        (answered("SignatureDoesNotMatch"), "credentials_invalid", CONFIGURATION, "aws configure"),
        (answered("RequestTimeTooSkewed"), "clock_skew", CONFIGURATION, "clock"),
        (answered("RequestExpired"), "clock_skew", CONFIGURATION, "clock"),
        # https://github.com/EngineerBetter/control-tower/issues/51
        (
            answered(
                "SignatureDoesNotMatch", "Signature expired: 20191029T154623Z is now earlier than 20191029T163344Z"
            ),
            "clock_skew",
            CONFIGURATION,
            "clock",
        ),
        (answered("InvalidSignatureException", "Signature not yet current: x"), "clock_skew", CONFIGURATION, "clock"),
        (answered("AccessDenied"), "access_denied", FAILED, "the right for CreateStack"),
        (answered("Throttling"), "throttled", FAILED, "Wait a minute"),
        (answered("TooManyRequestsException"), "throttled", FAILED, "Wait a minute"),
        (answered("ValidationError"), "aws_error", FAILED, "--debug"),
        (exceptions.NoCredentialsError(), "credentials_missing", CONFIGURATION, "aws configure"),
        (
            exceptions.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
            "credentials_missing",
            CONFIGURATION,
            "aws configure",
        ),
        (
            exceptions.MetadataRetrievalError(error_msg="x"),
            "credentials_missing",
            CONFIGURATION,
            "aws sso login",
        ),
        (exceptions.SSOTokenLoadError(error_msg="gone"), "credentials_expired", CONFIGURATION, "aws sso login"),
        (exceptions.UnauthorizedSSOTokenError(), "credentials_expired", CONFIGURATION, "aws sso login"),
        (exceptions.LoginRefreshRequired(), "credentials_expired", CONFIGURATION, "aws login"),
        (
            exceptions.TokenRetrievalError(provider="sso", error_msg="x"),
            "credentials_expired",
            CONFIGURATION,
            "aws sso login",
        ),
        (exceptions.RefreshWithMFAUnsupportedError(), "credentials_expired", CONFIGURATION, "MFA"),
        (exceptions.NoRegionError(), "region_missing", CONFIGURATION, "AWS_REGION"),
        (exceptions.UnknownEndpointError(service_name="s", region_name="r"), "aws_config", CONFIGURATION, "region"),
        (
            exceptions.EndpointProviderError(msg="Invalid Configuration: Missing Region"),
            "aws_config",
            CONFIGURATION,
            "region",
        ),
        (exceptions.ProfileNotFound(profile="x"), "profile_missing", CONFIGURATION, "list-profiles"),
        (exceptions.ConfigParseError(path="x"), "aws_config", CONFIGURATION, "configuration files"),
        (
            exceptions.InfiniteLoopConfigError(source_profile="x", visited_profiles=["x"]),
            "aws_config",
            CONFIGURATION,
            "files",
        ),
        (exceptions.EndpointConnectionError(endpoint_url="http://x"), "unreachable", FAILED, "AWS_ENDPOINT_URL"),
        (exceptions.ReadTimeoutError(endpoint_url="http://x"), "unreachable", FAILED, "network"),
        (exceptions.ProxyConnectionError(proxy_url="http://x"), "unreachable", FAILED, "HTTPS_PROXY"),
        (exceptions.SSLError(endpoint_url="https://x", error="x"), "unreachable", FAILED, "AWS_CA_BUNDLE"),
        (exceptions.ParamValidationError(report="x"), "aws_error", FAILED, "--debug"),
    ],
)
def test_an_error_of_aws_becomes_a_message_with_a_hint(
    error: Exception, code: str, status: ExitStatus, hint: str
) -> None:
    said = explained(error)
    assert (said.code, said.status) == (code, status)
    assert hint in said.hint


def test_an_error_of_botocore_keeps_its_own_words() -> None:
    said = explained(exceptions.EndpointConnectionError(endpoint_url="https://cloudformation.nowhere-1.amazonaws.com"))
    assert "cloudformation.nowhere-1.amazonaws.com" in said.message


def test_an_answer_keeps_aws_s_own_words() -> None:
    said = explained(answered("ValidationError", "Stack is sad"))
    assert "CreateStack: Stack is sad (ValidationError)" in said.message


def test_an_answer_without_words_still_has_its_code() -> None:
    assert "Unknown" in explained(ClientError({}, "CreateStack")).message


@pytest.mark.parametrize("error", [{"Code": "X"}, {"Code": "X", "Message": None}, {"Code": "X", "Message": ""}])
def test_an_answer_that_says_nothing_has_empty_words(error: dict[str, str]) -> None:
    assert words(ClientError({"Error": error}, "UpdateStack")) == ""


def test_what_is_not_aws_s_is_left_alone() -> None:
    assert explain(ValueError("x")) is None


USER = "arn:aws:iam::111111111111:user/x"
ROLE = "arn:aws:sts::111111111111:assumed-role/deployer/ci"
FUNCTION = "arn:aws:lambda:us-east-1:111111111111:function:payment-processing-dev"
REFUSED = f"User: {ROLE} is not authorized to perform: lambda:CreateFunction on resource: {FUNCTION}"


BLOCKED = "because public policies are blocked by the BlockPublicPolicy block public access setting"


@pytest.mark.parametrize(
    ("message", "meant", "hint"),
    [
        (
            f"{REFUSED} because no identity-based policy allows the lambda:CreateFunction action",
            Denial(ROLE, "lambda:CreateFunction", FUNCTION, "identity-based policy", explicit=False),
            f"Allow lambda:CreateFunction on {FUNCTION} in a policy of {ROLE}.",
        ),
        (
            f"{REFUSED} because no permissions boundary allows the lambda:CreateFunction action",
            Denial(ROLE, "lambda:CreateFunction", FUNCTION, "permissions boundary", explicit=False),
            "No permissions boundary allows lambda:CreateFunction",
        ),
        (
            f"{REFUSED} with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/p-1",
            Denial(ROLE, "lambda:CreateFunction", FUNCTION, "service control policy", explicit=True),
            "A statement of a service control policy denies",
        ),
        (
            f"{REFUSED} with an explicit deny in an identity-based policy",
            Denial(ROLE, "lambda:CreateFunction", FUNCTION, "identity-based policy", explicit=True),
            "A statement of an identity-based policy denies",
        ),
        (
            f"{REFUSED} with an explicit deny",
            Denial(ROLE, "lambda:CreateFunction", FUNCTION, "", explicit=True),
            f"A statement of a policy denies lambda:CreateFunction on {FUNCTION}",
        ),
        (
            f"{REFUSED} (Service: Lambda, Status Code: 403, Request ID: 1)",
            Denial(ROLE, "lambda:CreateFunction", FUNCTION, "", explicit=False),
            f"Allow lambda:CreateFunction on {FUNCTION}",
        ),
        (
            f"User: {USER} is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::2:role/r",
            Denial(USER, "sts:AssumeRole", "arn:aws:iam::2:role/r", "", explicit=False),
            "trust policy must allow it too",
        ),
        # https://github.com/awslabs/aws-well-architected-labs/pull/747
        (
            "User with accountId: 254377943029 is not authorized to perform CreateLogGroup with Tags",
            Denial("", "CreateLogGroup", "", "", explicit=False),
            "Allow CreateLogGroup in a policy of whoever deploys.",
        ),
        (
            f"{USER} is not authorized to perform: iam:GetRole on resource: role r because no session policy allows x",
            Denial("", "iam:GetRole", "role r", "session policy", explicit=False),
            "No session policy allows iam:GetRole on role r",
        ),
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
        (
            f'{USER} is not authorized to perform: s3:PutBucketPolicy on resource: "arn:aws:s3:::b" {BLOCKED}.',
            Denial(
                "",
                "s3:PutBucketPolicy",
                "arn:aws:s3:::b",
                "",
                explicit=False,
                because="public policies are blocked by the BlockPublicPolicy block public access setting",
            ),
            "A right alone doesn't help: AWS refuses s3:PutBucketPolicy on arn:aws:s3:::b because public policies are",
        ),
        (
            "AccessDenied. User doesn't have permission to call iam:GetRole",
            Denial("", "iam:GetRole", "", "", explicit=False),
            "Allow iam:GetRole",
        ),
    ],
)
def test_a_refusal_names_the_action_the_resource_and_the_policy(message: str, meant: Denial, hint: str) -> None:
    found = denial(message)
    assert found == meant
    assert hint in found.hint
    said = explained(answered("AccessDenied", message))
    assert said.hint == found.hint
    assert message in said.message


def test_a_line_says_what_an_error_means() -> None:
    assert in_short(answered("Throttling")) == "AWS asks for fewer calls. CreateStack: no (Throttling)"
    assert in_short(ValueError("x")) == "x"


@given(st.text())
def test_any_words_of_aws_can_be_read(text: str) -> None:
    assert text in explained(answered("AccessDenied", text)).message
    assert explained(answered(text, text)).hint
