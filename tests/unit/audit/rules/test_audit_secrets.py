"""No secret stands in a template; the ones here are made up."""

from typing import Any

import pytest

from tests.unit.audit.audited import NOTHING, audit, either, ref, resource, said, sub

SECRETS = [
    "AKIAQX4T7ZMN2WPLKJHG",
    "key=ASIAQX4T7ZMN2WPLKJHG;",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----",
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "a1B2_" * 12,
    "xoxb-123456789012-abcdef",
    "sk_live_" + "4eC39HqLyjWDarjt",
    "AIza" + "Sy0123456789abcdefghijklmnopqrstuvw",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
    "postgres://app:hunter2@ledger.example/payments",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("spell", [lambda text: text, sub, lambda text: either("none", [text])])
def test_a_secret_anywhere_in_the_template(secret: str, spell: Any) -> None:
    assert said("E9571", {"Thing": resource("Custom::Thing", Deep=[{"Value": spell(secret)}])}) == ["Thing"]


def test_a_finding_never_repeats_the_secret() -> None:
    text = '{"Resources": {"F": {"Type": "X", "Properties": {"A": "AKIAQX4T7ZMN2WPLKJHG"}}}}'
    (found,) = [finding for finding in audit(text) if finding.rule == "E9571"]
    assert "AKIA" not in found.message


@pytest.mark.parametrize("section", ["Parameters", "Metadata", "Outputs", "Mappings"])
def test_a_secret_outside_of_the_resources(section: str) -> None:
    body = {"Thing": {"Default": "AKIAQX4T7ZMN2WPLKJHG", "Type": "String", "Value": "x"}}
    assert said("E9571", {"Thing": resource("X")}, **{section: body}) == ["Thing"]


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "AKIAQX4T7ZMN2WPLKJHGX",
        "https://${User}:${Password}@example.com",
        "https://example.com:443/@x",
        "ghp_short",
        "-----BEGIN CERTIFICATE-----",
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:psp-AbCdEf",
    ],
)
def test_what_only_looks_like_a_secret(text: str) -> None:
    assert said("E9571", {"Thing": resource("X", Value=text)}) == []


def function(**variables: Any) -> dict[str, Any]:
    return {"F": resource("AWS::Lambda::Function", Environment={"Variables": variables})}


@pytest.mark.parametrize(
    "name",
    [
        "PASSWORD",
        "DB_PASSWORD",
        "DBPassword",
        "dbPasswd",
        "PASSPHRASE",
        "API_KEY",
        "pspApiKey",
        "APIKEY",
        "WEBHOOK_SECRET",
        "Token",
        "AUTH-TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "SIGNING_KEY",
        "CONNECTION_STRING",
        "CREDENTIALS",
    ],
)
def test_a_variable_that_is_named_like_a_secret(name: str) -> None:
    assert said("E9572", function(**{name: "hunter2"})) == ["F"]


@pytest.mark.parametrize(
    "name", ["SECRET_ARN", "TOKEN_TTL_SECONDS", "PASSWORD_MIN_LENGTH", "KEY", "TABLE_KEY", "BROKEN", "TOKENIZER"]
)
def test_a_name_that_only_speaks_of_a_secret(name: str) -> None:
    assert said("E9572", function(**{name: "hunter2"})) == []


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("hunter2", ["F"]),
        (either("hunter2", NOTHING), ["F"]),
        (either("one", "two"), ["F", "F"]),
        (sub("fixed"), ["F"]),
        (ref("Chosen"), ["F"]),
        ("", []),
        (NOTHING, []),
        ("true", []),
        (ref("Given"), []),
        (sub("${Given}"), []),
        ("{{resolve:secretsmanager:psp}}", []),
        ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:psp", []),
        ("/payments/psp/token", []),
        ("https://auth.example.com/token", []),
        ({"Fn::ImportValue": "x"}, []),
    ],
)
def test_the_value_of_a_variable_that_is_named_like_a_secret(value: Any, found: list[str]) -> None:
    parameters = {"Chosen": {"Type": "String", "Default": "hunter2"}, "Given": {"Type": "String"}}
    assert said("E9572", function(PSP_TOKEN=value), Parameters=parameters) == found


def test_environments_of_other_services() -> None:
    pairs = [{"Name": "DB_PASSWORD", "Value": "hunter2"}, {"Name": "STAGE", "Value": "v1"}]
    stored = [{"Name": "DB_PASSWORD", "Value": "/db/password-of", "Type": "PARAMETER_STORE"}]
    resources = {
        "Stage": resource("AWS::ApiGateway::Stage", Variables={"apiKey": "hunter2"}),
        "Task": resource("AWS::ECS::TaskDefinition", ContainerDefinitions=[{"Environment": pairs}]),
        "Build": resource("AWS::CodeBuild::Project", Environment={"EnvironmentVariables": pairs}),
        "Stored": resource("AWS::CodeBuild::Project", Environment={"EnvironmentVariables": stored}),
        "Plain": resource(
            "AWS::CodeBuild::Project", Environment={"EnvironmentVariables": [{**pairs[0], "Type": "PLAINTEXT"}]}
        ),
    }
    assert said("E9572", resources) == ["Stage", "Task", "Build", "Plain"]


HIDDEN = {"Hidden": {"Type": "String", "NoEcho": True}, "Shown": {"Type": "String"}}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("{{resolve:secretsmanager:psp:SecretString:key}}", ["F"]),
        (sub("{{resolve:secretsmanager:${AWS::StackName}}}"), ["F"]),
        ("{{resolve:ssm-secure:psp:1}}", ["F"]),
        (ref("Hidden"), ["F"]),
        (sub("x-${Hidden}"), ["F"]),
        (either(ref("Hidden"), "none"), ["F"]),
        ("{{resolve:ssm:table-name}}", []),
        (ref("Shown"), []),
        (ref("Secret"), []),
    ],
)
def test_a_secret_that_a_deployment_resolves_into_an_environment(value: Any, found: list[str]) -> None:
    assert said("W9573", function(PSP=value), Parameters=HIDDEN) == found


def test_a_hidden_parameter_with_a_default_is_still_one() -> None:
    parameters = {"Hidden": {"Type": "String", "NoEcho": "true", "Default": "hunter2"}}
    assert said("W9573", function(PSP=ref("Hidden")), Parameters=parameters) == ["F"]


def test_a_dynamic_reference_elsewhere_is_how_it_should_be() -> None:
    database = resource("AWS::RDS::DBInstance", MasterUserPassword="{{resolve:secretsmanager:db}}")
    resources = {"Database": database, "F": resource("AWS::Lambda::Function")}
    for rule in ("E9571", "E9572", "W9573"):
        assert said(rule, resources) == []


@pytest.mark.parametrize(
    ("name", "parameter", "found"),
    [
        ("DbPassword", {}, 1),
        ("DbPassword", {"NoEcho": False}, 1),
        ("DbPassword", {"NoEcho": True}, 0),
        ("DbPassword", {"NoEcho": "true"}, 0),
        ("DbPassword", {"NoEcho": True, "Default": "hunter2"}, 1),
        ("DbPassword", {"Default": "hunter2"}, 2),
        ("DbPassword", {"NoEcho": True, "Default": ""}, 0),
        ("DbPassword", {"NoEcho": True, "Default": "{{resolve:ssm-secure:db:1}}"}, 0),
        ("RotateSecret", {"AllowedValues": ["true", "false"]}, 0),
        ("Harmless", {"NoEcho": True, "Default": "hunter2"}, 1),
        ("CodeKey", {}, 0),
        ("SecretArn", {}, 0),
    ],
)
def test_a_parameter_for_a_secret(name: str, parameter: dict[str, Any], found: int) -> None:
    text = said("E9574", {"Q": resource("AWS::SQS::Queue")}, Parameters={name: {"Type": "String", **parameter}})
    assert text == [name] * found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("{{resolve:secretsmanager:psp}}", ["Out"]),
        (ref("Hidden"), ["Out"]),
        (sub("x${Hidden}"), ["Out"]),
        (ref("Shown"), []),
        ("plain", []),
    ],
)
def test_an_output_that_shows_a_secret(value: Any, found: list[str]) -> None:
    assert (
        said("E9575", {"Q": resource("AWS::SQS::Queue")}, Parameters=HIDDEN, Outputs={"Out": {"Value": value}}) == found
    )
