"""What AWS refuses of a plan before there is a change set: why, in plain words, and what to run next."""

import re
from dataclasses import dataclass
from typing import Any

from paycli.aws_errors import denial, explained, words
from paycli.errors import PaycliError

_UNCHANGED = "Nothing was changed."


@dataclass(frozen=True)
class _Refusal:
    """A refusal that AWS words so; `hint` may name {policy}, the command that prints who needs which rights."""

    pattern: re.Pattern[str]
    code: str
    message: str
    hint: str


_REFUSALS = (
    _Refusal(  # https://github.com/aws/aws-sam-cli/issues/7473
        re.compile(r"S3 error: Access Denied"),
        "access_denied",
        "CloudFormation may not read the template from the artifact bucket",
        "It reads with the rights of whoever deploys: allow s3:GetObject on the bucket's objects; `{policy}` prints "
        "all that a deploy needs.",
    ),
    _Refusal(
        re.compile(r"Role \S+ is invalid or cannot be assumed"),
        "role_unusable",
        "CloudFormation can't work as `cloudformation_role`",
        "The role's trust policy has to name cloudformation.amazonaws.com (`{policy} --for trust` prints one), and "
        "whoever deploys needs iam:PassRole on it (`{policy}`). A new role takes some seconds until it is known.",
    ),
    _Refusal(  # https://github.com/aws-amplify/amplify-cli/issues/2467
        re.compile(r"Limit for stack has been exceeded"),
        "stack_quota",
        "The account has as many stacks as it may have",
        "Delete stacks that nobody needs (`aws cloudformation describe-stacks` lists them), or ask for more in the "
        "Service Quotas console.",
    ),
    _Refusal(  # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
        re.compile(r"Template may not exceed \d+ bytes in size"),
        "template_too_large",
        "The template is too large for CloudFormation",
        "Use fewer or shorter `tags` in paycli.toml: each stands on every resource.",
    ),
    _Refusal(  # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
        re.compile(r"Requires capabilities : \["),
        "capability_missing",
        "The template has something that paycli never lets CloudFormation make: an IAM resource with a name of its own",
        "Take the name out: the template's builders are in paycli/stack/.",
    ),
)


def refused(error: Any, environment: str, command: str) -> PaycliError:
    """Return the error of a plan for which AWS refuses a request (a ClientError); `command` makes the plan."""
    policy = f"paycli config deployer-policy --env {environment}"
    said = words(error)
    for refusal in _REFUSALS:
        if refusal.pattern.search(said):
            return PaycliError(
                f"{refusal.message}. AWS says: {said}\n{_UNCHANGED}",
                hint=f"{refusal.hint.format(policy=policy)} Then: {command}",
                code=refusal.code,
            )
    known = explained(error)
    known.message = f"{known.message}\n{_UNCHANGED}"
    if known.code == "access_denied":
        missing = denial(said)
        first = f"{missing.hint} " if missing else f"The caller needs the right for {error.operation_name}. "
        known.hint = f"{first}`{policy}` prints all that a deploy needs. Then: {command}"
    elif known.code == "aws_error":  # nobody knows it: AWS's words are all there is
        known.hint = f"Mend what AWS names. Then: {command}"
    return known
