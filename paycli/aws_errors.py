"""AWS's errors in words: what an error of boto3 means to the user, and what to do about it."""

import re
from dataclasses import dataclass
from typing import Any

from paycli.errors import ConfigurationError, PaycliError
from paycli.text import redacted


@dataclass(frozen=True)
class Denial:
    """What IAM says of a refused call: who may not do what on which resource, and which policy decides it."""

    who: str  # an ARN, or empty where AWS doesn't say
    action: str  # lambda:CreateFunction, or CreateLogGroup where the service leaves out its prefix
    resource: str  # mostly an ARN, or empty
    policy: str  # the kind of the policy that decides, in AWS's words, or empty
    explicit: bool  # whether that policy denies it, rather than lacking a statement that allows it
    encoded: str = ""  # what only DecodeAuthorizationMessage reads, or empty
    because: str = ""  # AWS's reason where it is another one than a policy without such a statement

    @property
    def hint(self) -> str:
        """Who has to allow what, and where."""
        if not self.action:
            return f"AWS says which right is missing: {_DECODE} {self.encoded}"
        what = f"{self.action} on {self.resource}" if self.resource else self.action
        if self.because:
            return f"A right alone doesn't help: AWS refuses {what} because {self.because}."
        article = "an" if self.policy.startswith("identity") else "a"
        if self.explicit:
            policy = self.policy or "policy"
            return f"A statement of {article} {policy} denies {what}: whoever keeps that policy has to change it."
        if self.policy not in {"", "identity-based policy"}:
            return f"No {self.policy} allows {what}, and the caller's own policies can't make up for it."
        trust = " The role's trust policy must allow it too." if self.action == "sts:AssumeRole" else ""
        return f"Allow {what} in a policy of {self.who or 'whoever deploys'}.{trust}"


# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
_DENIAL = re.compile(
    r"(?:User: (?P<who>\S+) )?(?:is not authorized to perform:?|doesn't have permission to call)"
    r" (?P<action>[\w-]+(?::[\w*]+)?)"
    r"(?: on (?:the )?resource: \"?(?P<resource>.+?)(?=\"? because |\"? with an explicit| \(|[\"\n]|$)\"?)?"
    r"(?: because no (?P<lacking>[\w -]+?) allows"
    r"| because (?P<because>[^(\"\n]+?)(?=\.? \(|[\"\n]|\.?$)"
    r"|(?P<explicit> with an explicit deny)(?: in an? (?P<denying>[\w -]+(?:policy|boundary)))?)?"
)


# https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
_ENCODED = re.compile(r"Encoded authorization failure message: ([\w-]+)")
_DECODE = "aws sts decode-authorization-message --query DecodedMessage --output text --encoded-message"


def denial(message: str) -> Denial | None:
    """Read a refusal of IAM, or return None where the message is none."""
    found, encoded = _DENIAL.search(message), _ENCODED.search(message)
    if found is None:
        return Denial("", "", "", "", explicit=False, encoded=encoded[1]) if encoded else None
    said = {name: text or "" for name, text in found.groupdict().items()}
    policy = said["denying"] or said["lacking"]
    explicit = bool(said["explicit"])
    return Denial(said["who"], said["action"], said["resource"], policy, explicit, because=said["because"])


@dataclass(frozen=True)
class _Meaning:
    """What errors of these names (classes of botocore, or codes of an answer) mean to the user."""

    names: frozenset[str]
    kind: type[PaycliError]
    code: str
    words: str
    hint: str


_SIGNATURE = {"SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"}
_LOGIN = "Run `aws sso login`, `aws login` or `aws configure`, or choose a profile with AWS_PROFILE."
# https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
_CLOCK = "Set this machine's clock (NTP): AWS refuses what is more than a few minutes off."
_NETWORK = "Check the network, the region and AWS_ENDPOINT_URL; for the embedded AWS: `paycli local status`."


# By the class's name, the most specific first: botocore is heavy and isn't imported for its classes.
_RAISED = (
    _Meaning(
        frozenset({"UnauthorizedSSOTokenError", "SSOError", "TokenRetrievalError", "NoAuthTokenError", "LoginError"}),
        ConfigurationError,
        "credentials_expired",
        "The login has expired",
        _LOGIN,
    ),
    _Meaning(
        frozenset({"NoRegionError"}),
        ConfigurationError,
        "region_missing",
        "No AWS region is set",
        'Set AWS_REGION, or `region = "eu-west-1"` in paycli.toml.',
    ),
    _Meaning(
        frozenset({"ProfileNotFound"}),
        ConfigurationError,
        "profile_missing",
        "The AWS profile is missing",
        "`aws configure list-profiles` lists them.",
    ),
    _Meaning(
        frozenset(
            {
                "ConfigParseError",
                "ConfigNotFound",
                "InvalidChecksumConfigError",
                "InvalidConfigError",
                "InvalidDefaultsMode",
                "InvalidEndpointConfigurationError",
                "InvalidIMDSEndpointError",
                "InvalidIMDSEndpointModeError",
                "InvalidMaxRetryAttemptsError",
                "InvalidProxiesConfigError",
                "InvalidRegionError",
                "InvalidRetryConfigurationError",
                "InvalidRetryModeError",
                "InvalidS3AddressingStyleError",
                "InvalidS3UsEast1RegionalEndpointConfigError",
                "InvalidSTSRegionalEndpointsConfigError",
            }
        ),
        ConfigurationError,
        "aws_config",
        "The AWS configuration is wrong",
        "Mend the AWS configuration files, the AWS_... variables, or the region.",
    ),
    _Meaning(
        frozenset({"UnknownRegionError", "BaseEndpointResolverError", "EndpointProviderError"}),
        ConfigurationError,
        "aws_config",
        "AWS has no endpoint for it",
        "Check the region (AWS_REGION, or `region` in paycli.toml): a service may be missing there.",
    ),
    _Meaning(
        frozenset({"RefreshWithMFAUnsupportedError"}),
        ConfigurationError,
        "credentials_expired",
        "The credentials need a new MFA code",
        "Get new session credentials first: botocore asks for an MFA code only once.",
    ),
    _Meaning(
        frozenset(
            {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "MetadataRetrievalError"}
        ),
        ConfigurationError,
        "credentials_missing",
        "No AWS credentials",
        _LOGIN,
    ),
    _Meaning(
        frozenset({"SSLError"}),
        PaycliError,
        "unreachable",
        "The TLS connection to AWS can't be trusted",
        "Behind a proxy that opens TLS, AWS_CA_BUNDLE has to name its certificate. " + _CLOCK,
    ),
    _Meaning(
        frozenset({"ProxyConnectionError"}),
        PaycliError,
        "unreachable",
        "The proxy can't be reached",
        "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.",
    ),
    _Meaning(
        # The second is botocore's, for what its parsers can't read.
        frozenset({"ForeignAnswerError", "ResponseParserError"}),
        PaycliError,
        "foreign_answer",
        "What answers isn't AWS",
        "A proxy or a network's login page in between? Check HTTPS_PROXY, NO_PROXY and AWS_ENDPOINT_URL.",
    ),
    _Meaning(
        frozenset({"HTTPClientError", "ConnectionError"}), PaycliError, "unreachable", "AWS can't be reached", _NETWORK
    ),
)
_ANSWERED = (
    _Meaning(
        frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}),
        ConfigurationError,
        "credentials_expired",
        "The credentials have expired",
        _LOGIN,
    ),
    _Meaning(
        frozenset({"RequestTimeTooSkewed", "RequestInTheFuture", "RequestExpired"}),
        ConfigurationError,
        "clock_skew",
        "AWS finds the request too old or too early",
        _CLOCK,
    ),
    _Meaning(
        frozenset(_SIGNATURE),
        ConfigurationError,
        "credentials_invalid",
        "The secret key doesn't fit the access key",
        _LOGIN,
    ),
    _Meaning(
        frozenset(
            {
                "AuthFailure",
                "InvalidAccessKeyId",
                "InvalidClientTokenId",
                "InvalidToken",
                "MissingAuthenticationToken",
                "MissingAuthenticationTokenException",
                "OptInRequired",
                "UnrecognizedClientException",
            }
        ),
        ConfigurationError,
        "credentials_invalid",
        "AWS doesn't know the credentials",
        _LOGIN + " A region that the account hasn't enabled knows none either.",
    ),
    _Meaning(
        # An execution deletes the stack's other change sets.
        frozenset({"ChangeSetNotFound"}),
        PaycliError,
        "plan_outdated",
        "The plan is gone: another deploy of the same stack came first",
        "Run the command again: it waits for the other one, and plans what is left to do.",
    ),
    _Meaning(
        frozenset({"NoSuchBucket"}),  # paycli uses no other bucket
        PaycliError,
        "artifact_bucket_gone",
        "The artifact bucket is gone, deleted past CloudFormation, and the records of all deploys with it",
        "Its stack can't make it again, and nothing else is lost with that: "
        "`aws cloudformation delete-stack --stack-name paycli-bootstrap` in this account and region, then "
        "`paycli bootstrap` or a deploy, which make both anew. What is deployed goes on meanwhile.",
    ),
    _Meaning(
        # As botocore's own retries name them: botocore/retries/standard.py.
        frozenset(
            {
                "BandwidthLimitExceeded",
                "ProvisionedThroughputExceededException",
                "RequestLimitExceeded",
                "RequestThrottled",
                "RequestThrottledException",
                "SlowDown",
                "ThrottledException",
                "Throttling",
                "ThrottlingException",
                "TooManyRequestsException",
            }
        ),
        PaycliError,
        "throttled",
        "AWS asks for fewer calls",
        "Wait a minute and run it again.",
    ),
)
_DENIED = {"AccessDenied", "AccessDeniedException", "ForbiddenException", "UnauthorizedOperation", "403"}


def words(error: Any) -> str:
    """Return what AWS says in an answer that is an error; empty where it says nothing but a code."""
    return str(error.response["Error"].get("Message") or "")


def is_temporary(error: Exception) -> bool:
    """Whether the same call may succeed a little later: AWS throttles or fails, or isn't who answers now."""
    from botocore import exceptions as aws_errors
    from botocore.parsers import ResponseParserError

    from paycli.foreign_answers import ForeignAnswerError

    if isinstance(error, aws_errors.ClientError):
        known = _explain_answer(error)
        return known.code == "throttled" or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500
    away = (aws_errors.HTTPClientError, aws_errors.ConnectionError, ForeignAnswerError, ResponseParserError)
    return isinstance(error, away)


def in_short(error: Exception) -> str:
    """Return what an error means, in one line."""
    known = explain(error)
    return known.message if known else str(error)


def explain(error: Exception) -> PaycliError | None:
    """Return what an error of boto3 means to the user, or None where it is none of boto3's.

    Notes on it (PEP 678) say what it means for the command that met it; they come first in the hint.
    """
    known = _explained(error)
    if known:
        known.message = redacted(known.message)
        known.hint = " ".join([*getattr(error, "__notes__", []), known.hint])
    return known


def explained(error: Exception) -> PaycliError:
    """Return the same of an error that is boto3's, or paycli's own as it is."""
    known = error if isinstance(error, PaycliError) else explain(error)
    assert known  # noqa: S101 - it is one of the two
    return known


def _explained(error: Exception) -> PaycliError | None:
    from botocore import exceptions as aws_errors
    from botocore.parsers import ResponseParserError

    if isinstance(error, aws_errors.ClientError):
        return _explain_answer(error)
    if not isinstance(error, (aws_errors.BotoCoreError, ResponseParserError)):
        return None
    said = str(error)
    if isinstance(error, ResponseParserError):
        said = said.partition("\n")[0].rstrip(":")  # what follows is all that was answered
    classes = {kind.__name__ for kind in type(error).__mro__}
    for meaning in _RAISED:
        if meaning.names & classes:
            return meaning.kind(f"{meaning.words}: {said}", hint=meaning.hint, code=meaning.code)
    return PaycliError(f"boto3: {said}", hint="--debug shows where.", code="aws_error")


def _explain_answer(error: Any) -> PaycliError:
    answer = error.response.get("Error", {})
    code, message = answer.get("Code", "Unknown"), answer.get("Message") or ""
    if code in _SIGNATURE:
        message = message.partition("\n")[0]  # what follows is the request
    said = f"{error.operation_name}: {message or code} ({code})"
    if code in _DENIED:
        refused = denial(message)
        needed = f"The caller needs the right for {error.operation_name}; "
        needed += "`paycli config deployer-policy` prints what a deploy needs; `--for smoke-test`, what that does."
        hint = refused.hint if refused else needed
        return PaycliError(f"AWS refused: {said}", hint=hint, code="access_denied")
    # One code stands for a wrong key and for a wrong clock; only the words differ.
    if "Signature expired" in message or "Signature not yet current" in message:
        code = "RequestTimeTooSkewed"
    for meaning in _ANSWERED:
        if code in meaning.names:
            return meaning.kind(f"{meaning.words}. {said}", hint=meaning.hint, code=meaning.code)
    return PaycliError(f"AWS: {said}", hint="--debug shows where.", code="aws_error")
