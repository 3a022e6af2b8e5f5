"""What AWS refuses of a plan before there is a change set, and what a user reads of it."""

import pytest
from botocore.exceptions import ClientError

from paycli.deployment.failure import refused_request
from paycli.environment import Environment
from paycli.errors import PaycliError

DEPLOY = "paycli deploy --env dev"
POLICY = "`paycli config deployer-policy --env dev`"
USER = "User: arn:aws:iam::111111111111:user/ci is not authorized to perform"


def told(said: str, code: str = "ValidationError", operation: str = "CreateChangeSet") -> PaycliError:
    error = ClientError({"Error": {"Code": code, "Message": said}}, operation)
    found = refused_request(error, Environment(name="dev"), DEPLOY)
    assert found.message.endswith("\nNothing was changed.")
    assert said in found.message
    assert "--debug" not in found.hint
    return found


@pytest.mark.parametrize(
    ("said", "code", "message", "hint"),
    [
        (  # https://github.com/aws/aws-sam-cli/issues/7473, https://github.com/aws/copilot-cli/issues/5675
            "S3 error: Access Denied\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/",
            "ValidationError",
            "CloudFormation may not read the template from the artifact bucket",
            f"s3:GetObject on the bucket's objects to whoever deploys; {POLICY}",
        ),
        (  # https://github.com/hashicorp/terraform-provider-aws/issues/22834
            "Role arn:aws:iam::111111111111:role/paycli is invalid or cannot be assumed",
            "ValidationError",
            "CloudFormation can't work as `cloudformation_role`",
            "`paycli config deployer-policy --env dev --for trust` prints one), and whoever deploys needs iam:PassRole",
        ),
        (  # https://github.com/aws-amplify/amplify-cli/issues/2467
            "Limit for stack has been exceeded",
            "LimitExceededException",
            "The account has as many stacks as it may have",
            "`aws cloudformation describe-stacks`",
        ),
        (  # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html has the limit
            "Template may not exceed 1000000 bytes in size.",
            "ValidationError",
            "The template is too large for CloudFormation",
            "fewer or shorter `tags`",
        ),
        (  # https://github.com/envato/stack_master/issues/138
            "Requires capabilities : [CAPABILITY_NAMED_IAM]",
            "InsufficientCapabilitiesException",
            "The template has something that paycli never lets CloudFormation make",
            "paycli/stack/",
        ),
    ],
)
def test_a_refusal_is_told_in_plain_words_with_the_next_command(said: str, code: str, message: str, hint: str) -> None:
    found = told(said, code)
    assert found.message.startswith(message)
    assert hint in found.hint
    assert found.hint.endswith(f"Then: {DEPLOY}")


@pytest.mark.parametrize("operation", ["CreateChangeSet", "DescribeChangeSet", "PutObject"])
def test_what_is_denied_says_which_right_is_missing_and_what_prints_all(operation: str) -> None:
    found = told(f"{USER}: x:{operation} on resource: y", "AccessDenied", operation)
    assert found.code == "access_denied"
    assert found.hint == (
        f"Allow x:{operation} on y in a policy of arn:aws:iam::111111111111:user/ci. "
        f"{POLICY} prints all that a deploy needs. Then: {DEPLOY}"
    )
    found = told("Access Denied", "AccessDenied", operation)
    assert found.hint == (
        f"The caller needs the right for {operation}. {POLICY} prints all that a deploy needs. Then: {DEPLOY}"
    )


def test_what_nobody_knows_stands_in_aws_s_words() -> None:
    found = told("Parameters: [X] do not exist in the template")
    assert found.hint == f"Mend what AWS names. Then: {DEPLOY}"


def test_what_has_an_advice_of_its_own_keeps_it() -> None:
    assert told("slow down", "Throttling").hint == "Wait a minute and run it again."
