"""The stack as a whole: what it's called, that it is the same every time, that CloudFormation will take it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cfnlint.config import ConfigMixIn
from cfnlint.decode import decode_str
from cfnlint.runner import Runner
from hypothesis import given, settings
from hypothesis import strategies as st

from paycli.environment import NAME_PATTERN, Alarms, Environment, presets
from paycli.stack import build
from paycli.stack.bootstrap import build_bootstrap
from paycli.stack.rendering import to_json
from paycli.stack.yaml_rendering import to_yaml

ROOT = Path(__file__).parents[3]

PHYSICAL_NAMES = {
    ("AWS::ApiGateway::RestApi", "Name"): {"payment-api"},
    ("AWS::Lambda::Function", "FunctionName"): {"payment-validation", "payment-processing", "health-monitor"},
    ("AWS::DynamoDB::Table", "TableName"): {"transactions"},
    ("AWS::SQS::Queue", "QueueName"): {"failed-transactions", "failed-transactions-dlq", "function-failures"},
    ("AWS::SNS::Topic", "TopicName"): {"payment-alarms"},
    ("AWS::CloudWatch::Dashboard", "DashboardName"): {"payment-dashboard"},
    ("AWS::Events::Rule", "Name"): {"health-schedule"},
    ("AWS::KMS::Alias", "AliasName"): {"alias/payments"},
    ("AWS::CloudWatch::Alarm", "AlarmName"): {
        "api-latency",
        "api-5xx",
        "validation-errors",
        "processing-errors",
        "lambda-throttles",
        "dynamodb-throttle",
        "failed-transactions-age",
        "failed-transactions-dlq-depth",
        "function-failures-depth",
        "health-monitor-silence",
    },
}
# Of these there is one only where a setting asks for it.
OPTIONAL_NAMES = {
    ("AWS::WAFv2::WebACL", "Name"): {"payment-api"},
    ("AWS::CloudWatch::Alarm", "AlarmName"): {"backup-failures"},
}

environments = st.builds(
    Environment,
    name=st.from_regex(NAME_PATTERN, fullmatch=True),
    target=st.sampled_from(["aws", "embedded"]),
    authorization=st.sampled_from(["iam", "none"]),
    retain_data=st.booleans(),
    waf=st.booleans(),
    backup=st.booleans(),
    memory_mb=st.integers(128, 10_240),
    payment_ttl_hours=st.integers(1, 24 * 90),
    tags=st.dictionaries(
        st.from_regex(r"[a-zA-Zé][a-z0-9 +=._:/@-]{1,20}", fullmatch=True), st.just("ä/b"), max_size=3
    ),
)


@given(environments)
@settings(max_examples=12, deadline=None)
def test_every_physical_name_ends_in_the_environment_and_nothing_else_is_named(environment: Environment) -> None:
    resources = json.loads(to_json(build(environment)))["Resources"].values()
    for resource_type, name in {**PHYSICAL_NAMES, **OPTIONAL_NAMES}:
        found = {resource["Properties"][name] for resource in resources if resource["Type"] == resource_type}
        always, sometimes = (
            {environment.named(part) for part in table.get((resource_type, name), set())}
            for table in (PHYSICAL_NAMES, OPTIONAL_NAMES)
        )
        assert always <= found <= always | sometimes


@given(environments)
@settings(max_examples=4, deadline=None)
def test_the_same_settings_give_the_same_bytes(environment: Environment) -> None:
    assert to_json(build(environment)) == to_json(build(environment))
    assert to_yaml(build(environment)) == to_yaml(build(environment))


def test_another_process_gives_the_same_bytes(dev: Any) -> None:
    code = (
        "from paycli.environment import *; from paycli.stack import build; "
        "from paycli.stack.yaml_rendering import to_yaml; "
        "print(to_yaml(build(Environment(name='dev', **presets()['dev']))), end='')"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONUTF8": "1"},
        ).stdout
        for seed in ("1", "2")
    }
    assert texts == {to_yaml(build(dev.environment))}


@pytest.mark.parametrize(("name", "limit"), [("local", 51_200), ("dev", 51_200), ("prod", 1_000_000)])
def test_cloudformation_takes_it_inline_or_from_the_bucket(name: str, limit: int) -> None:
    text = to_json(build(Environment(name=name, **presets()[name])))
    assert len(text.encode()) < limit
    assert len(json.loads(text)["Resources"]) < 500


LINTED = {
    "dev": lambda: build(Environment(name="dev", **presets()["dev"])),
    "prod": lambda: build(Environment(name="prod", **presets()["prod"])),
    "open": lambda: build(
        Environment(
            name="pr-123",
            authorization="none",
            allowed_ips=["203.0.113.7", "2001:db8::/32"],
            tags={"Team": "päy"},
            alarms=Alarms(email="oncall@bank.example"),
        )
    ),
    "shared": lambda: build(
        Environment(name="shared", allowed_ips=["203.0.113.0/24"], allowed_principals=["111122223333"], backup=True)
    ),
    "bootstrap": lambda: build_bootstrap(retain=True, tls_only=True, log_role=True),
}


@pytest.fixture(scope="module")
def linter() -> Runner:
    return Runner(ConfigMixIn(include_checks=["I"]))


@pytest.mark.parametrize("name", LINTED)
def test_cfn_lint_has_nothing_to_say(name: str, linter: Runner) -> None:
    template, matches = decode_str(to_yaml(LINTED[name]()))
    matches += linter.validate_template(template)
    assert [f"{match.rule.id} {match.message} (line {match.linenumber})" for match in matches] == []


@pytest.mark.parametrize("name", ["dev", "prod", "local"])
def test_what_takes_tags_has_them(name: str, stack: Any) -> None:
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    built = stack(name, tags={"Team": "payments"})
    expected = {"Team": "payments", "Project": "payment-api", "Environment": name, "ManagedBy": "paycli"}
    for logical_id, resource in built.template["Resources"].items():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource["Type"]).schema
        if "Tags" in schema["properties"]:
            tags = {tag["Key"]: tag["Value"] for tag in resource["Properties"]["Tags"]}
            assert tags == expected, logical_id


def test_parameters_say_what_they_are(dev: Any, prod: Any) -> None:
    assert set(dev.template["Parameters"]) == {"ArtifactBucket", "CodeKey"}
    assert set(prod.template["Parameters"]) == {"ArtifactBucket", "CodeKey", "DeletionProtection"}
    for parameter in prod.template["Parameters"].values():
        assert parameter["Description"]
    for name in ("ArtifactBucket", "CodeKey"):
        assert "Default" not in prod.template["Parameters"][name]
    assert prod.template["Parameters"]["DeletionProtection"]["Default"] == "true"


def test_outputs_are_what_people_and_commands_look_for(dev: Any) -> None:
    outputs = dev.template["Outputs"]
    assert set(outputs) == {
        "APIEndpoint",
        "TransactionsTableName",
        "AlarmTopicArn",
        "DashboardName",
        "RestApiId",
        "StageName",
        "FailedTransactionsQueueUrl",
        "FailedTransactionsDeadLetterQueueUrl",
        "ValidationFunctionName",
        "ProcessingFunctionName",
        "HealthMonitorFunctionName",
        "KeyArn",
    }
    assert all(output["Description"] for output in outputs.values())
    endpoint = outputs["APIEndpoint"]["Value"]["Fn::Sub"]
    assert endpoint == "https://${RestApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}/"


def test_dev_and_prod_differ_only_in_what_their_settings_say(stack: Any) -> None:
    as_prod = stack("same", **presets()["prod"])
    assert stack("same", **presets()["prod"]).template == as_prod.template
    extras = {"waf": True, "backup": True}
    as_dev = stack("same", **{**presets()["dev"], **extras})
    assert names(as_dev) == names(as_prod)
    plain = stack("same", **{**presets()["prod"], "waf": False, "backup": False})
    assert names(stack("same", **presets()["dev"])) == names(plain)


def names(built: Any) -> set[str]:
    """The logical IDs; a deployment's is a hash of the API."""
    return {name for name in built.template["Resources"] if not name.startswith("Deployment")}


def test_the_reviewer_reads_which_environment_it_is(dev: Any) -> None:
    assert "dev" in dev.template["Description"]
