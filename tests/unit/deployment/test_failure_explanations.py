"""The frequent reasons of CloudFormation, as AWS words them, and what paycli makes of each."""

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paycli.cli import COMMANDS
from paycli.deployment.failure import reason
from paycli.deployment.failure.explanations import Explanation, explain
from paycli.deployment.failure.rules import RULES
from paycli.stack.bootstrap import BOOTSTRAP_STACK
from paycli.stack.retention import DATA_TYPES

REASONS = tomllib.loads((Path(__file__).parent / "failure_texts.toml").read_text())["reason"]
STACK = "AWS::CloudFormation::Stack"
CONCURRENCY = next(entry["text"] for entry in REASONS if entry["kind"] == "reserved_concurrency")


def meant(text: str, resource_type: str = "AWS::Lambda::Function", status: str = "CREATE_FAILED") -> Explanation:
    found = explain(text, resource_type, "Thing", status=status)
    assert found is not None, text
    return found


@pytest.mark.parametrize("entry", REASONS, ids=lambda entry: entry["text"][:40])
def test_a_frequent_reason_is_explained_with_a_hint(entry: dict[str, str]) -> None:
    found = meant(entry["text"], entry["type"], entry.get("status", "CREATE_FAILED"))
    assert found.kind == entry["kind"]
    assert entry["hint"] in found.hint
    assert found.text
    assert "{" not in found.text + found.hint.replace("${", "")


def test_every_rule_has_a_text_that_it_explains() -> None:
    assert {rule.kind for rule in RULES} <= {entry["kind"] for entry in REASONS}


@pytest.mark.parametrize("minimum", ["10", "50", "100"])
def test_the_concurrency_that_must_stay_is_aws_s_own_number(minimum: str) -> None:
    assert f"keeps {minimum} concurrent" in meant(CONCURRENCY.replace("[10]", f"[{minimum}]")).text


def test_what_only_aws_can_read_is_named_with_the_call_that_reads_it() -> None:
    reason = "You are not authorized to perform this operation. Encoded authorization failure message: abc-DEF_1 (x)"
    explained = explain(reason, "AWS::EC2::VPCEndpoint", "Endpoint")
    assert explained
    assert explained.summary == "a permission is missing"
    decode = "aws sts decode-authorization-message --query DecodedMessage --output text"
    assert explained.hint.endswith(f"{decode} --encoded-message abc-DEF_1")


def test_a_missing_permission_is_named_in_the_first_words() -> None:
    said = "User: x is not authorized to perform: dynamodb:CreateTable on resource: y"
    assert meant(said).summary == "the permission dynamodb:CreateTable is missing"


@pytest.mark.parametrize(
    ("text", "resource_type"),
    [
        ("Alarm names must be unique", "AWS::CloudWatch::Alarm"),
        ("ApiLatencyAlarm is wrong", "AWS::CloudFormation::Stack"),
        ("Export of Alarms to alarm the operators", "AWS::CloudFormation::Stack"),
        ("User Initiated", "AWS::DynamoDB::Table"),
        ("Invalid parameter: Email address", "AWS::SNS::Topic"),
        ("AWS::CloudWatch::Alarm with metric math is not supported", "AWS::CloudWatch::Alarm"),
        ("Invalid policy document. Please check the policy syntax and ensure that Principals are valid.", "Custom::X"),
        ("", "AWS::SNS::Topic"),
    ],
)
def test_what_only_looks_alike_is_not_explained(text: str, resource_type: str) -> None:
    assert explain(text, resource_type, "Thing") is None


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        (
            "User: x is not authorized to perform: s3:CreateBucket on resource: y",
            "Allow s3:CreateBucket on y in a policy of x. `paycli config deployer-policy --for bootstrap` prints what",
        ),
        ("The security token included in the request is expired", "Log in again."),
        ("The security token included in the request is invalid", "Use a role's credentials"),
    ],
)
def test_the_bootstrap_stack_is_made_without_a_role(said: str, hint: str) -> None:
    explained = explain(said, "AWS::S3::Bucket", "ArtifactBucket", stack=BOOTSTRAP_STACK)
    assert explained
    assert "with the caller's rights, without `cloudformation_role`. No payment stack is touched." in explained.text
    assert explained.hint.startswith(hint)
    assert "cloudformation_role" not in explained.hint
    other = explain(said, "AWS::S3::Bucket", "ArtifactBucket", stack="payment-api-dev")
    assert other
    assert "touched" not in other.text


@pytest.mark.parametrize("where", ["", " in a service control policy: arn:aws:organizations::1:policy/o-1/p-1"])
def test_what_is_denied_is_not_called_missing(where: str) -> None:
    said = f"User: x is not authorized to perform: kms:CreateKey on resource: * with an explicit deny{where}"
    assert meant(said, "AWS::KMS::Key").summary == "kms:CreateKey is denied"
    assert meant(f"Access Denied with an explicit deny{where}").summary == "a policy denies it"


def test_what_a_right_alone_does_not_help_is_not_called_missing() -> None:
    said = "User: x is not authorized to perform: s3:PutObject on resource: y because the bucket wants another key"
    found = meant(said, "AWS::S3::Bucket")
    assert found.summary == "AWS refuses s3:PutObject"
    assert found.hint.startswith("A right alone doesn't help: ")


@pytest.mark.parametrize("resource_type", sorted(DATA_TYPES))
def test_what_may_hold_data_is_looked_at_before_anything_is_deleted(resource_type: str) -> None:
    said = f"Resource of type '{resource_type}' with identifier 'transactions-dev' already exists."
    explained = explain(said, resource_type, "Table", name="transactions-dev")
    assert explained
    assert re.match(r"It may hold [\w ]+: look first \(aws [\w -]+ transactions-dev\)\. ", explained.hint)
    assert "elete" not in explained.hint
    takes_over = "With retain_data, a deploy that makes the stack takes it over" in explained.hint
    assert takes_over == (resource_type != "AWS::Backup::BackupVault")


def test_a_command_names_the_resource_and_runs_nothing_else() -> None:
    said = "Cannot delete entity, must detach all policies first."
    for name, quoted in (("payment-validation-dev", "payment-validation-dev"), ("a; rm x", "'a; rm x'")):
        explained = explain(said, "AWS::IAM::Role", "Role", name=name)
        assert explained
        assert explained.hint.startswith(f"`aws iam list-attached-role-policies --role-name {quoted}` names them")


def test_an_alarm_that_is_gone_is_not_one_that_went_off() -> None:
    gone = meant("Rollback trigger arn:aws:cloudwatch:r:1:alarm:api-5xx-prod does not exist. ", STACK)
    assert gone.summary == "the alarm api-5xx-prod is missing"
    assert "--revert-drift" in gone.hint


def test_no_alarm_goes_off_before_anything_began() -> None:
    reason = "Template error: Rollback trigger ApiLatencyAlarm is in ALARM state"
    assert meant(reason, STACK).kind == "template_invalid"
    for text in ("Rollback trigger a:b is in ALARM state", "Rollback trigger a:b does not exist"):
        assert explain(text, STACK, "payment-api-prod", status="REFUSED") is None


def test_a_hint_names_only_commands_that_there_are() -> None:
    hints = " ".join(rule.hint + rule.text for rule in RULES)
    assert set(re.findall(r"paycli ([a-z][a-z-]*)", hints)) <= set(COMMANDS)


@given(st.text(), st.sampled_from(["AWS::CloudFormation::Stack", "AWS::Lambda::Function"]), st.text())
def test_any_words_of_aws_can_be_read(text: str, resource_type: str, logical_id: str) -> None:
    explain(text, resource_type, logical_id)
    assert reason.said(text)[:1] == text.strip()[:1] or reason.said(text) == text
    assert "/" not in reason.named_property(text) or "/" in text


@given(st.from_regex(r"[a-z{}%s]{1,8}-[0-9]{1,3}", fullmatch=True))
def test_a_name_of_aws_s_is_text_and_no_format(name: str) -> None:
    assert name in meant(f"x already exists in stack arn:aws:cloudformation:r:1:stack/{name}/1").text


def handled(said: str) -> str:
    return (
        f'Resource handler returned message: "{said}" (RequestToken: 31669d06-fa9d, HandlerErrorCode: InvalidRequest)'
    )


REQUEST = "(Service: AmazonApiGateway; Status Code: 400; Error Code: BadRequestException; Request ID: 9; Proxy: null)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (handled("Wrong. (Service: Lambda, Status Code: 400, Request ID: 2cf9) (SDK Attempt Count: 1)"), "Wrong."),
        (handled('It says "no"\nand "never"'), 'It says "no"\nand "never"'),
        # https://github.com/aws-samples/aws-serverless-airline-booking/issues/128
        (f"CloudWatch Logs role ARN must be set {REQUEST}", "CloudWatch Logs role ARN must be set"),
        ('Resource handler returned message: "x" (HandlerErrorCode: NotFound)', "x"),
        ("plain", "plain"),
        (REQUEST, REQUEST),
        (handled("(Service: S3)"), handled("(Service: S3)")),
    ],
)
def test_what_the_service_said_is_unwrapped_but_never_lost(text: str, said: str) -> None:
    assert reason.said(text) == said


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("#/ContainerDefinitions/0: extraneous key [Entrypoint] is not permitted", "ContainerDefinitions.0.Entrypoint"),
        ("#: required key [TableName] not found", "TableName"),
        ("Model validation failed (#/KmsKeyId: failed validation constraint for keyword [pattern])", "KmsKeyId"),
        ("Property validation failure: [The property {/Type} is required]", "Type"),
        ("Property validation failure: [Encountered unsupported properties in {/Code}: [Zip]]", "Code.Zip"),
        ("Encountered unsupported property TemplateBody", "TemplateBody"),
        ("Required property [PolicyName] not found", "PolicyName"),
        ("Value of property Environment must be an object", "Environment"),
        ("Value of property {/Tags} must be of type List", "Tags"),
        ("1 validation error detected: Value 'x' at 'runtime' failed to satisfy constraint", "runtime"),
        ("1 validation error detected: Value at 'policy.name' failed to satisfy constraint", "policy.name"),
        ("Table already exists", ""),
    ],
)
def test_the_property_is_found_where_aws_names_it(text: str, path: str) -> None:
    assert reason.named_property(text) == path


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "Resource of type 'AWS::DynamoDB::Table' with identifier 'transactions-dev' already exists.",
            "transactions-dev",
        ),
        ("Table already exists: transactions-dev", "transactions-dev"),
        ("/aws/lambda/payment-validation-dev already exists", "/aws/lambda/payment-validation-dev"),
        ("Table already exists", ""),
        # https://github.com/aws/aws-cdk-cli/issues/1000, of a log group
        ('with identifier \'{"/properties/LogGroupName":"/aws/lambda/x"}\' already exists.', "/aws/lambda/x"),
        ("Resource of type 'X' with identifier '{}' already exists.", "{}"),
        ("Resource of type 'X' with identifier '7' already exists.", "7"),
        ("Function already exist: payment-validation-dev", "payment-validation-dev"),
        ("Role with name payments-dev already exists.", "payments-dev"),
        ('Resource handler returned message: "payments-dev already exists"', "payments-dev"),
    ],
)
def test_the_name_that_is_taken_is_found_where_aws_says_it(text: str, name: str) -> None:
    assert reason.named_resource(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "Resource creation cancelled",
        "Resource update cancelled",
        "Resource deletion cancelled",
        "Resource creation Cancelled",
        "The following resource(s) failed to create: [Table, Queue]. Rollback requested by user.",
        "The following resource(s) failed to create: [WebServer]. . Rollback requested by user.",
        "The following resource(s) failed to update: [Table]. ",
        "The following resource(s) failed to delete: [Bucket]. ",
        "Rollback requested by user.",
    ],
)
def test_what_follows_is_told_from_what_caused_it(text: str) -> None:
    assert reason.follows(text)


@pytest.mark.parametrize(
    "text", [*(entry["text"] for entry in REASONS), "", "Template error. Rollback requested by user."]
)
def test_a_real_reason_follows_from_nothing(text: str) -> None:
    assert not reason.follows(text)
