"""Who may do what: every policy's every statement, by a name that people know."""

import json
from typing import Any

import pytest

from paycli.audit.access import Grant
from paycli.audit.conditions import Condition, in_words
from paycli.audit.report import facts
from paycli.audit.wording import grant_row
from tests.unit.audit.templates import facts_of, payments, read_document, resource


def allow(**said: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", **said}]}


def rows(resources: dict[str, Any]) -> list[tuple[str, ...]]:
    return [grant_row(grant) for grant in facts_of(resources).access]


READ = allow(Action="s3:GetObject", Resource={"Fn::Sub": "${Bucket.Arn}/*"})
FUNCTION = resource("Lambda::Function", FunctionName="worker", Role={"Fn::GetAtt": ["Role", "Arn"]})


def test_the_projects_functions_hold_what_their_handlers_call() -> None:
    found = {grant_row(grant) for grant in facts(read_document(payments())).access}
    via = "where kms:ViaService is"
    assert {
        ("callers that IAM lets in", "execute-api:Invoke", "POST /validate, POST /process, GET /health"),
        ("payment-validation-prod", "dynamodb:PutItem", "transactions-prod"),
        ("payment-processing-prod", "dynamodb:UpdateItem", "transactions-prod"),
        ("payment-processing-prod", "sqs:SendMessage", "failed-transactions-prod, function-failures-prod"),
        ("health-monitor-prod", "kms:GenerateDataKey", f"alias/payments-prod {via} sns or sqs"),
        (
            "apigateway.amazonaws.com",
            "lambda:InvokeFunction",
            "health-monitor-prod where aws:SourceArn is like payment-api-prod/v1/GET/health",
        ),
        (
            "events.amazonaws.com",
            "lambda:InvokeFunction",
            "health-monitor-prod where aws:SourceArn is like health-schedule-prod",
        ),
        (
            "this account through IAM",
            "kms:CreateGrant",
            f"alias/payments-prod where kms:GrantIsForAWSResource is true and {via[6:]} dynamodb or lambda",
        ),
        ("everyone", "DENY sns:Publish", "payment-alarms-prod where aws:SecureTransport is false"),
    } <= found
    assert not any("Fn::" in cell or "${" in cell for row in found for cell in row)


@pytest.mark.parametrize(
    "attached",
    [
        {"Role": resource("IAM::Role", Policies=[{"PolicyName": "p", "PolicyDocument": READ}])},
        {
            "Role": resource("IAM::Role", ManagedPolicyArns=[{"Ref": "Policy"}]),
            "Policy": resource("IAM::ManagedPolicy", PolicyDocument=READ),
        },
        {
            "Role": resource("IAM::Role"),
            "Policy": resource("IAM::ManagedPolicy", PolicyDocument=READ, Roles=[{"Ref": "Role"}]),
        },
        {
            "Role": resource("IAM::Role"),
            "Policy": resource("IAM::Policy", PolicyDocument=READ, Roles=[{"Ref": "Role"}]),
        },
        {
            "Role": resource("IAM::Role"),
            "Policy": resource("IAM::RolePolicy", PolicyDocument=READ, RoleName={"Ref": "Role"}),
        },
    ],
)
def test_however_a_policy_is_attached_its_function_has_it(attached: dict[str, Any]) -> None:
    found = rows({**attached, "Worker": FUNCTION, "Bucket": resource("S3::Bucket", BucketName="files")})
    assert ("worker", "s3:GetObject", "files/*") in found
    assert len(found) == 1


def test_who_is_no_function_is_named_by_its_identity() -> None:
    found = rows(
        {
            "Admin": resource(
                "IAM::User", UserName="admin", Policies=[{"PolicyDocument": allow(Action="*", Resource="*")}]
            ),
            "Loose": resource("IAM::ManagedPolicy", PolicyDocument=allow(Action="a:B", Resource="*")),
            "Foreign": resource("IAM::Policy", PolicyDocument=allow(Action="a:C", Resource="*"), Roles=["elsewhere"]),
        }
    )
    assert found == [
        ("user admin", "*", "*"),
        ("elsewhere, outside this template", "a:C", "*"),
        ("whoever gets the policy Loose", "a:B", "*"),
    ]


def test_what_stands_in_a_policy_of_aws_is_said_to_stand_there() -> None:
    arn = {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess"}
    found = rows({"Role": resource("IAM::Role", ManagedPolicyArns=[arn]), "Worker": FUNCTION})
    assert found == [("worker", "all of the policy AdministratorAccess", "*")]


@pytest.mark.parametrize("boundary", ["arn:aws:iam::123456789012:policy/limit", {"Ref": "Limit"}])
def test_a_boundary_allows_nothing_and_is_told(boundary: Any) -> None:
    found = rows(
        {
            "Role": resource("IAM::Role", RoleName="r", PermissionsBoundary=boundary),
            **({"Limit": resource("IAM::ManagedPolicy", PolicyDocument=READ)} if isinstance(boundary, dict) else {}),
        }
    )
    named = "Limit" if isinstance(boundary, dict) else boundary
    assert found == [("role r", f"BOUND the policy {named}", "*")]


def test_the_opposite_of_a_list_is_said_as_such() -> None:
    found = rows(
        {
            "Role": resource(
                "IAM::Role",
                RoleName="r",
                Policies=[{"PolicyDocument": allow(NotAction=["iam:*", "sts:*"], NotResource="x")}],
            ),
            "Queue": resource("SQS::Queue"),
            "Policy": resource(
                "SQS::QueuePolicy",
                Queues=[{"Ref": "Queue"}],
                PolicyDocument=allow(NotPrincipal={"AWS": "arn:aws:iam::1:root"}, Action="sqs:*", Resource="*"),
            ),
        }
    )
    assert found == [
        ("role r", "all but iam:*, sts:*", "all but x"),
        ("everyone but arn:aws:iam::1:root", "sqs:*", "Queue"),
    ]


@pytest.mark.parametrize(
    ("principal", "named"),
    [
        ("*", "everyone"),
        ({"AWS": "*"}, "everyone"),
        ({"Service": "sns.amazonaws.com"}, "sns.amazonaws.com"),
        ({"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}, "this account through IAM"),
        ({"AWS": "arn:aws:iam::123456789012:root"}, "arn:aws:iam::123456789012:root"),
        ({"Federated": "accounts.google.com"}, "accounts.google.com"),
    ],
)
def test_a_principal_is_named(principal: Any, named: str) -> None:
    policy = allow(Principal=principal, Action="secretsmanager:GetSecretValue", Resource="*")
    said = {
        "Secret": resource("SecretsManager::ResourcePolicy", SecretId="s", ResourcePolicy={"PolicyDocument": policy})
    }
    assert rows(said) == [(named, "secretsmanager:GetSecretValue", "s")]


@pytest.mark.parametrize("principal", [None, "nobody", ["*"]])
def test_a_statement_that_names_nobody_grants_nothing(principal: Any) -> None:
    policy = allow(Principal=principal, Action="sqs:*", Resource="*")
    assert rows({"Policy": resource("SQS::QueuePolicy", Queues=[], PolicyDocument=policy)}) == []


def test_a_policy_as_text_and_one_of_the_api_are_read() -> None:
    found = rows(
        {
            "Logs": resource(
                "Logs::ResourcePolicy",
                PolicyDocument=json.dumps(allow(Principal="*", Action="logs:*", Resource="x")),
            ),
            "Api": resource(
                "ApiGateway::RestApi",
                Name="api",
                Policy=allow(Principal="*", Action="execute-api:Invoke", Resource="execute-api:/v1/*"),
            ),
        }
    )
    assert found == [("everyone", "logs:*", "x"), ("everyone", "execute-api:Invoke", "api/v1/*")]


def test_a_permission_says_on_which_conditions() -> None:
    function = resource("Lambda::Function", FunctionName="worker")
    permission = resource(
        "Lambda::Permission",
        Action="lambda:InvokeFunctionUrl",
        FunctionName={"Ref": "Worker"},
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    layer = resource(
        "Lambda::LayerVersionPermission",
        Action="lambda:GetLayerVersion",
        LayerVersionArn="layer",
        Principal="123456789012",
    )
    assert rows({"Worker": function, "Open": permission, "Layer": layer}) == [
        ("everyone", "lambda:InvokeFunctionUrl", "worker where lambda:FunctionUrlAuthType is NONE"),
        ("123456789012", "lambda:GetLayerVersion", "layer"),
    ]


def test_who_gets_the_messages_of_a_topic_is_access_too() -> None:
    topic = resource("SNS::Topic", TopicName="t", Subscription=[{"Protocol": "sqs", "Endpoint": "q"}])
    email = resource("SNS::Subscription", TopicArn={"Ref": "Topic"}, Protocol="email", Endpoint="on-call@bank.example")
    assert rows({"Topic": topic, "Mail": email}) == [
        ("email on-call@bank.example", "sns:Receive", "t"),
        ("sqs q", "sns:Receive", "t"),
    ]


def test_a_grant_says_where_it_stands() -> None:
    found = {grant.principal: grant for grant in facts(read_document(payments())).access if grant.kind == "function"}
    assert isinstance(found["payment-validation-prod"], Grant)
    assert found["payment-validation-prod"].sources == ("ValidationPolicy",)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition("StringEquals", "aws:SourceAccount", ("this account",)), "aws:SourceAccount is this account"),
        (
            Condition("NotIpAddress", "aws:SourceIp", ("1.0.0.0/8", "2.0.0.0/8")),
            "aws:SourceIp is not in 1.0.0.0/8 nor 2.0.0.0/8",
        ),
        (Condition("BoolIfExists", "aws:SecureTransport", ("false",)), "aws:SecureTransport is false or missing"),
        (Condition("ForAnyValue:StringLike", "k", ("a", "b")), "k ForAnyValue:StringLike a or b"),
    ],
)
def test_a_condition_reads_as_a_sentence(condition: Condition, words: str) -> None:
    assert in_words([condition]) == words
