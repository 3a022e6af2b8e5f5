"""What `--since` says of each setting of the production template that somebody weakens."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paycli.audit.access_changes import access_changes
from paycli.audit.changes import NARROWER, NEUTRAL, WIDER, Change
from paycli.audit.data_changes import data_changes
from paycli.audit.model import Template, read
from paycli.audit.report import facts
from paycli.audit.surface_changes import surface_changes
from paycli.audit.template_changes import template_changes
from tests.unit.audit.templates import Resources, project, read_document, resource, template

ROOT = Path(__file__).parents[3]
Mutation = Callable[[dict[str, Any]], Any]

PROD = project("prod")
PROD_TEMPLATE = read_document(PROD)
PROD_FACTS = facts(PROD_TEMPLATE)
ORIGIN = "gatewayresponse.header.Access-Control-Allow-Origin"
OPEN_TO_ALL = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "x", "Resource": "*"}}
ELSEWHERE = "arn:aws:lambda:us-east-1:999999999999:function:else"


def told(before: Template, after: Template) -> list[Change]:
    """All that the report says of two templates, but for findings."""
    old, new = (PROD_FACTS if of is PROD_TEMPLATE else facts(of) for of in (before, after))
    return [
        *access_changes(old.access, new.access),
        *surface_changes(old.surface, new.surface),
        *data_changes(old.data, new.data),
        *template_changes(before, after),
    ]


def mutated(mutation: Mutation) -> Template:
    document = copy.deepcopy(PROD)
    mutation(document)
    return read_document(document)


def has(changes: list[Change], direction: str, area: str, words: str) -> bool:
    return any((said.direction, said.area) == (direction, area) and words in said.text for said in changes)


def put(name: str, *path: str | int, to: Any) -> Mutation:
    """Set a property; None takes it out, and missing mappings on the way are made."""

    def mutation(document: dict[str, Any]) -> None:
        place: Any = document["Resources"][name]["Properties"]
        for part in path[:-1]:
            place = place.setdefault(part, {}) if isinstance(place, dict) else place[part]
        if to is None:
            del place[path[-1]]
        else:
            place[path[-1]] = to

    return mutation


def body(name: str, attribute: str, to: Any) -> Mutation:
    return lambda document: document["Resources"][name].update({attribute: to})


def new(type_name: str, **properties: Any) -> Mutation:
    return lambda document: document["Resources"].update(New=resource(type_name, **properties))


def gone(name: str) -> Mutation:
    return lambda document: document["Resources"].pop(name)


def deep(name: str, *path: str | int) -> Any:
    place: Any = PROD["Resources"][name]["Properties"]
    for part in path:
        place = place[part]
    return copy.deepcopy(place)


FORMAT = ("Stage", "AccessLogSetting", "Format")
GROUP = ("WebAcl", "Rules", 3, "Statement", "ManagedRuleGroupStatement")
VARIABLES = ("ProcessingFunction", "Environment", "Variables")
RULE = ("BackupPlan", "BackupPlan", "BackupPlanRule", 0)

MONITORING = [
    (gone("ApiErrorsAlarm"), "alarm ApiErrorsAlarm is gone (AlarmActions payment-alarms-prod"),
    (put("ApiErrorsAlarm", "ActionsEnabled", to=False), "ActionsEnabled is now false"),
    (put("ApiErrorsAlarm", "Threshold", to=50), "Threshold is now 50; before: 1"),
    (put("HealthMonitorSilenceAlarm", "Threshold", to=0.5), "Threshold is now 0.5; before: 1"),
    (put("ApiErrorsAlarm", "ComparisonOperator", to="LessThanThreshold"), "is now LessThanThreshold"),
    (put("ApiErrorsAlarm", "EvaluationPeriods", to=9), "EvaluationPeriods is now 9; before: 1"),
    (put("HealthMonitorSilenceAlarm", "TreatMissingData", to="notBreaching"), "is now notBreaching; before: breaching"),
    (put("HealthMonitorSilenceAlarm", "Period", to=3600), "Period is now 3600; before: 60"),
    (put("ApiErrorsAlarm", "AlarmActions", to=[]), "AlarmActions is now empty; before: payment-alarms-prod"),
    (put("ApiErrorsAlarm", "AlarmActions", to=[ELSEWHERE]), "AlarmActions is now arn:aws:lambda"),
    (put("FunctionFailuresAlarm", "MetricName", to="Other"), "MetricName is now Other"),
    (put("HealthSchedule", "State", to="DISABLED"), "rule health-schedule-prod: State is now DISABLED"),
    (gone("HealthSchedule"), "what it started starts no more (Arn health-monitor-prod)"),
    (put("HealthSchedule", "ScheduleExpression", to="rate(1 day)"), "is now rate(1 day); before: rate(1 minute)"),
    (put("ProcessingFunction", "DeadLetterConfig", to=None), "DeadLetterConfig.TargetArn is gone"),
    (put("FailedTransactionsQueue", "RedrivePolicy", to=None), "RedrivePolicy.deadLetterTargetArn is gone"),
    (put("Stage", "AccessLogSetting", to=None), "payment-api-prod no longer has an access log"),
    (put(*FORMAT, to="$context.requestId"), "AccessLogSetting.Format is now "),
    (put("Stage", "TracingEnabled", to=False), "TracingEnabled is now false"),
    (put("ProcessingFunction", "TracingConfig", "Mode", to="PassThrough"), "is now PassThrough; before: Active"),
    (put("Stage", "MethodSettings", 0, "LoggingLevel", to="OFF"), "MethodSettings[/* *].LoggingLevel is now OFF"),
    (gone("WebAclLogging"), "logging configuration WebAclLogging is gone"),
    (gone("Dashboard"), "dashboard Dashboard is gone"),
    (put("HealthScheduleRetries", "MaximumRetryAttempts", to=0), "MaximumRetryAttempts is now 0; before: 1"),
]
CODE = [
    (put("ProcessingFunction", "Code", "S3Key", to="other.zip"), "S3Key is now other.zip; before: <CodeKey>"),
    (put("ProcessingFunction", "Code", to={"ZipFile": "import os"}), "runs other code: Code.ZipFile is now import os"),
    (put("ProcessingFunction", "Code", "ImageUri", to="1.dkr.ecr/x"), "runs other code: Code.ImageUri is now"),
    (put("ProcessingFunction", "Layers", to=["arn:aws:lambda:::layer:x:1"]), "runs other code: Layers is now"),
    (put("ProcessingFunction", "Handler", to="other.handler"), "Handler is now other.handler"),
    (put("ProcessingFunction", "Runtime", to="python3.8"), "runs otherwise: Runtime is now python3.8"),
    (put(*VARIABLES, "AWS_LAMBDA_EXEC_WRAPPER", to="/opt/x"), "has a variable that decides which code runs"),
    (put(*VARIABLES, "PYTHONPATH", to="/tmp"), "has a variable that decides which code runs"),
    (put(*VARIABLES, "QUEUE_URL", to="https://sqs/9/x"), "has other variables: Environment.Variables.QUEUE_URL is now"),
    (put("ProcessMethod", "Integration", "Uri", to="https://else.example"), "POST /process now calls https://else"),
    (put("ProcessMethod", "Integration", "Type", to="HTTP_PROXY"), "Integration.Type is now HTTP_PROXY"),
    (
        put("ProcessMethod", "Integration", "Uri", to={"Fn::Sub": "https://else.example/${ProcessingFunction}"}),
        "Integration.Uri is now https://else.example/payment-processing-prod",
    ),
    (new("Lambda::Function", Code={"ZipFile": "x"}), "function New is new: it runs code"),
    (put("Stage", "Variables", to={"a": "b"}), "stage v1 has other stage variables: Variables.a is now b"),
    (body("WebAclAssociation", "Condition", "Never"), "web ACL association WebAclAssociation: Condition is now Never"),
    (lambda document: document.update(Transform=["Other"]), "rewritten by macros: Transform is now Other"),
    (lambda document: document["Parameters"]["CodeKey"].update(Default="x"), "parameter CodeKey: Default is now x"),
]
DATA = [
    (put("AccessLogs", "RetentionInDays", to=1), "keeps 1 days; before: 400 days"),
    (put("TransactionsTable", "PointInTimeRecoverySpecification", to=None), "has another backup: backup cron"),
    (put(*RULE, "Lifecycle", "DeleteAfterDays", to=1), "kept 1 days in"),
    (put(*RULE, "ScheduleExpression", to="cron(0 3 1 * ? *)"), "backup cron(0 3 1 * ? *)"),
    (
        put(*RULE, "CopyActions", to=[{"DestinationBackupVaultArn": "arn:aws:backup:::backup-vault:x"}]),
        "copies backups elsewhere: BackupPlan.BackupPlanRule[daily].CopyActions[{DestinationBackupVaultArn: backup:",
    ),
    (put("BackupVault", "LockConfiguration", "MinRetentionDays", to=1), "at least 1 days"),
    (put("BackupVault", "LockConfiguration", to=None), "is no longer protected from deletion"),
    (put("TransactionsTable", "TimeToLiveSpecification", "AttributeName", to="x"), "items with x until then"),
    (put("TransactionsTable", "SSESpecification", "SSEEnabled", to=False), "is encrypted otherwise: AWS-owned key"),
    (put("TransactionsTable", "StreamSpecification", to={"StreamViewType": "NEW_IMAGE"}), "to readers of a stream"),
    (body("TransactionsTable", "UpdateReplacePolicy", "Delete"), "UpdateReplacePolicy is now Delete; before: Retain"),
    (put("Key", "PendingWindowInDays", to=7), "PendingWindowInDays is now 7; before: 30"),
    (put("WebAcl", "DataProtectionConfig", to=None), "DataProtectionConfig.DataProtections[{Action: SUBST"),
    (put("ProcessingFunction", "KmsKeyArn", to=None), "KmsKeyArn is gone; before: alias/payments-prod"),
    (
        new("Logs::SubscriptionFilter", LogGroupName={"Ref": "AccessLogs"}, DestinationArn=ELSEWHERE),
        f"(LogGroupName /aws/apigateway/payment-api-prod/access; DestinationArn {ELSEWHERE})",
    ),
    (
        new(
            "Lambda::EventSourceMapping",
            EventSourceArn={"Fn::GetAtt": ["FailedTransactionsQueue", "Arn"]},
            FunctionName=ELSEWHERE,
        ),
        f"(EventSourceArn failed-transactions-prod; FunctionName {ELSEWHERE})",
    ),
    (
        put("HealthSchedule", "Targets", to=[*deep("HealthSchedule", "Targets"), {"Id": "e", "Arn": ELSEWHERE}]),
        f"sends events to others than before: Targets[e] is now {{Arn: {ELSEWHERE}",
    ),
    (new("DynamoDB::GlobalTable", Replicas=[]), "global table New is new"),
    (
        new("Backup::BackupPlan", BackupPlan={"BackupPlanRule": [{"CopyActions": [{"D": ELSEWHERE}]}]}),
        f"backup plan New is new (D {ELSEWHERE})",
    ),
]
SURFACE = [
    (put("WebAcl", "Rules", to=deep("WebAcl", "Rules")[1:]), "web ACL payment-api-prod: Rules[rate] is gone"),
    (put("WebAcl", "Rules", 2, "OverrideAction", to={"Count": {}}), "OverrideAction is now Count; before: None"),
    (put("WebAcl", "Rules", 0, "Action", to={"Count": {}}), "Rules[rate].Action is now Count"),
    (put("WebAcl", "Rules", 0, "Statement", "RateBasedStatement", "Limit", to=9_000_000), "Limit is now 9000000"),
    (
        put(*GROUP, "RuleActionOverrides", to=[*deep(*GROUP, "RuleActionOverrides"), {"Name": "X", "ActionToUse": {}}]),
        "RuleActionOverrides[X] is now",
    ),
    (put(*GROUP, "ScopeDownStatement", to={"GeoMatchStatement": {"CountryCodes": ["US"]}}), "CountryCodes is now US"),
    (put("WebAcl", "Rules", to=[*deep("WebAcl", "Rules"), {"Name": "x", "Action": {"Allow": {}}}]), "Rules[x] is now"),
    (gone("WebAclAssociation"), "POST /process no longer has a web ACL before it"),
    (put("WebAclAssociation", "ResourceArn", to="arn:aws:elsewhere"), "ResourceArn is now arn:aws:elsewhere"),
    (put("BodyValidator", "ValidateRequestParameters", to=False), "ValidateRequestParameters is now false"),
    (put("ProcessModel", "Schema", "additionalProperties", to=True), "Schema.additionalProperties is now true"),
    (put("ValidateModel", "Schema", "required", to=["amount"]), "Schema.required is now amount"),
    (put("ValidateModel", "Schema", "properties", "new", to={"type": "string"}), "Schema.properties.new.type is now"),
    (put("RestApi", "EndpointAccessMode", to="BASIC"), "EndpointAccessMode is now BASIC; before: STRICT"),
    (put("RestApi", "Body", to={"swagger": "2.0"}), "Body.swagger is now 2"),
    (
        put("Default4XxResponse", "ResponseParameters", "gatewayresponse.header.Access-Control-Allow-Origin", to="'*'"),
        "gatewayresponse.header.Access-Control-Allow-Origin is now '*'; before: none",
    ),
    (
        new("ApiGateway::GatewayResponse", ResponseParameters={ORIGIN: "'*'"}),
        "gateway response New is new",
    ),
    (
        put("Default4XxResponse", "ResponseTemplates", "application/json", to="$context.authorizer.x"),
        "is now $context.authorizer.x",
    ),
    (
        new("ApiGateway::Method", HttpMethod="OPTIONS", ResourceId={"Ref": "ProcessResource"}),
        "OPTIONS /process is new: authorization none",
    ),
    (new("ApiGateway::Deployment", RestApiId={"Ref": "RestApi"}, StageName="open"), "deployment New is new"),
]
ACCESS = [
    (
        put("RestApi", "Policy", to=OPEN_TO_ALL),
        "everyone may now also x on payment-api-prod",
    ),
    (
        put("Key", "KeyPolicy", "Statement", 1, "Condition", to=None),
        "on alias/payments-prod on other conditions: always; before: kms:ViaService is dynamodb",
    ),
    (
        put("Key", "KeyPolicy", "Statement", 1, "Principal", to={"AWS": "arn:aws:iam::999999999999:root"}),
        "arn:aws:iam::999999999999:root may now also kms:Decrypt",
    ),
    (put("Key", "KeyPolicy", "Statement", 5, "Action", to=["kms:*"]), "cloudwatch.amazonaws.com may now also kms:*"),
    (put("FailedTransactionsQueuePolicy", "Queues", to=[]), "Queues is now empty; before: failed-transactions-prod"),
    (
        put("FailedTransactionsQueue", "RedriveAllowPolicy", "redrivePermission", to="allowAll"),
        "redrivePermission is now allowAll; before: denyAll",
    ),
    (
        put(
            *("ProcessingPolicy", "PolicyDocument", "Statement", 0, "Resource"),
            to={"Fn::GetAtt": ["TransactionsTable", "StreamArn"]},
        ),
        "Resource is now transactions-prod (attribute StreamArn)",
    ),
]
TABLE = [
    (area, mutation, words)
    for area, rows in (
        ("monitoring", MONITORING),
        ("code", CODE),
        ("data", DATA),
        ("surface", SURFACE),
        ("access", ACCESS),
    )
    for mutation, words in rows
]


@pytest.mark.parametrize(("area", "mutation", "words"), TABLE, ids=[words for _, _, words in TABLE])
def test_what_is_weakened_is_told_as_wider_in_its_area(area: str, mutation: Mutation, words: str) -> None:
    said = told(PROD_TEMPLATE, mutated(mutation))
    assert has(said, WIDER, area, words), said


# Where the way back can be told to be stronger.
REVERSIBLE = [
    put("ApiErrorsAlarm", "ActionsEnabled", to=False),
    put("ApiErrorsAlarm", "Threshold", to=50),
    put("HealthMonitorSilenceAlarm", "Threshold", to=0),
    put("ApiErrorsAlarm", "AlarmActions", to=[]),
    put("HealthMonitorSilenceAlarm", "TreatMissingData", to="notBreaching"),
    put("HealthSchedule", "State", to="DISABLED"),
    put("AccessLogs", "RetentionInDays", to=1),
    put("Stage", "TracingEnabled", to=False),
    put("ProcessingFunction", "Code", "S3Key", to="other.zip"),
    put(*VARIABLES, "LD_PRELOAD", to="/opt/x.so"),
    put("TransactionsTable", "PointInTimeRecoverySpecification", "RecoveryPeriodInDays", to=7),
    put("TransactionsTable", "SSESpecification", "SSEEnabled", to=False),
    put("BackupVault", "LockConfiguration", "MinRetentionDays", to=1),
    put("WebAcl", "Rules", to=deep("WebAcl", "Rules")[1:]),
    put("WebAcl", "Rules", 0, "Action", to={"Count": {}}),
    put("WebAcl", "DefaultAction", to={"Allow": {"CustomRequestHandling": {}}}),
    put(*GROUP, "RuleActionOverrides", to=[*deep(*GROUP, "RuleActionOverrides"), {"Name": "X", "Use": "Count"}]),
    put("ProcessModel", "Schema", "additionalProperties", to=True),
    put("ValidateModel", "Schema", "required", to=["amount"]),
    put(*FORMAT, to="$context.requestId"),
    put("Default4XxResponse", "ResponseTemplates", "application/json", to="$context.requestId$context.authorizer.x"),
    gone("ApiErrorsAlarm"),
    gone("WebAclLogging"),
    put("FailedTransactionsQueue", "RedrivePolicy", to=None),
    new("Lambda::Function", Code={"ZipFile": "x"}),
    new("Logs::SubscriptionFilter", DestinationArn=ELSEWHERE),
    put("TransactionsTable", "StreamSpecification", to={"StreamViewType": "NEW_IMAGE"}),
    body("TransactionsTable", "UpdateReplacePolicy", "Delete"),
]


@pytest.mark.parametrize(
    ("mutation", "area", "words"),
    [
        (new("S3::Bucket", AccessControl="PublicRead"), "data", "bucket New: AccessControl is now PublicRead"),
        (new("S3::Bucket", ReplicationConfiguration={"Role": "x"}), "data", "bucket New copies what it holds"),
        (new("DynamoDB::Table", StreamSpecification={"StreamViewType": "NEW_IMAGE"}), "data", "readers of a stream"),
        (new("IAM::User", LoginProfile={"Password": {"Ref": "Given"}}), "access", "user New: LoginProfile.Password"),
        (new("IAM::User", Groups=["administrators"]), "access", "user New: Groups is now administrators"),
    ],
)
def test_a_new_store_or_user_is_told_with_what_makes_it_wider(mutation: Mutation, area: str, words: str) -> None:
    assert has(told(PROD_TEMPLATE, mutated(mutation)), WIDER, area, words)


@pytest.mark.parametrize(
    "name", ["TransactionsTable", "FailedTransactionsDeadLetterQueue", "AlarmTopic", "AccessLogs", "BackupVault"]
)
def test_a_new_store_like_those_of_production_is_not_wider(name: str) -> None:
    def mutation(document: dict[str, Any]) -> None:
        document["Resources"]["New"] = copy.deepcopy(document["Resources"][name])

    assert {change.direction for change in told(PROD_TEMPLATE, mutated(mutation))} <= {NARROWER, NEUTRAL}


@pytest.mark.parametrize("mutation", REVERSIBLE, ids=range(len(REVERSIBLE)))
def test_what_is_strengthened_again_is_never_wider(mutation: Mutation) -> None:
    said = told(mutated(mutation), PROD_TEMPLATE)
    assert said
    assert {change.direction for change in said} <= {NARROWER, NEUTRAL}


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([name for name in PROD["Resources"] if not name.startswith("Deployment")]))
def test_a_resource_that_goes_is_neither_silent_nor_neutral(name: str) -> None:
    directions = {change.direction for change in told(PROD_TEMPLATE, mutated(gone(name)))}
    assert directions - {NEUTRAL}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        yield from leaves(inner, (*path, key))
    if not isinstance(value, dict | list):
        yield path


# What says something to people alone; the words of an answer that tell nothing of the request; how much a function
# may use; what a template can't mean otherwise.
HARMLESS = {
    *("Tags", "BackupPlanTags", "BackupVaultTags", "Metadata", "DependsOn", "Type", "Description", "AlarmDescription"),
    *("Sid", "$schema", "DisplayName", "OperationName", "DashboardBody", "DashboardName", "BackupPlanName"),
    *("SelectionName", "CustomResponse", "StatusCode", "ResponseTemplates", "MemorySize", "Timeout", "Architectures"),
    *("gatewayresponse.header.Content-Type", "gatewayresponse.header.Retry-After", "BillingMode", "Fn::GetAtt"),
}
SETTINGS = [
    path
    for path in leaves(PROD["Resources"])
    if not HARMLESS & set(path)
    and path[1:] != ("Properties", "Name")
    and path[-2:] != ("AccessLogSetting", "Format")
    and "MessageRetentionPeriod" not in path
    and not path[0].startswith("Deployment")
]


@settings(deadline=None, max_examples=80)
@given(st.sampled_from(SETTINGS))
def test_a_setting_that_says_something_else_is_neither_silent_nor_neutral(path: tuple[Any, ...]) -> None:
    def mutation(document: dict[str, Any]) -> None:
        place: Any = document["Resources"]
        for part in path[:-1]:
            place = place[part]
        old = place[path[-1]]
        place[path[-1]] = (not old) if isinstance(old, bool) else old + 1 if isinstance(old, int) else f"other-{old}"

    directions = {change.direction for change in told(PROD_TEMPLATE, mutated(mutation))}
    assert directions - {NEUTRAL}


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(entry, chance) for entry in value] if isinstance(value, list) else value


@settings(deadline=None, max_examples=10)
@given(st.randoms())
def test_another_order_of_keys_changes_nothing(chance: random.Random) -> None:
    assert told(PROD_TEMPLATE, read_document(shuffled(PROD, chance))) == []


def test_yaml_and_json_of_the_same_say_that_nothing_changed() -> None:
    text = (ROOT / "templates" / "prod.yaml").read_text()
    assert told(read(text, "yaml"), PROD_TEMPLATE) == []
    assert told(PROD_TEMPLATE, read(json.dumps(PROD, indent=3), "json")) == []


@pytest.mark.parametrize(
    "mutation",
    [
        put("ProcessingFunction", "Timeout", to="25"),
        put("TransactionsTable", "KeySchema", to=deep("TransactionsTable", "KeySchema")),
        put("ApiErrorsAlarm", "OKActions", to=[{"Fn::Sub": "${AlarmTopic}"}]),
        put("ApiErrorsAlarm", "Threshold", to="1"),
        put("ApiErrorsAlarm", "InsufficientDataActions", to={"Ref": "AWS::NoValue"}),
        put("ApiErrorsAlarm", "AlarmDescription", to="Other words"),
        body("ApiErrorsAlarm", "Metadata", {"a": "b"}),
        put("ApiErrorsAlarm", "Tags", to=[]),
        put("BackupPlan", "BackupPlanTags", to=None),
        lambda document: document["Parameters"]["CodeKey"].update(Description="Other words"),
        lambda document: document["Resources"].update(
            Deployment2=resource("ApiGateway::Deployment", RestApiId={"Ref": "RestApi"}, Description="x")
        ),
    ],
)
def test_what_means_the_same_is_silent(mutation: Mutation) -> None:
    assert told(PROD_TEMPLATE, mutated(mutation)) == []


AUTHORIZATION = ("Resources", "ProcessMethod", "Properties")
OPEN = "POST /process can be called by anyone: authorization is "


@pytest.mark.parametrize(
    ("value", "sections", "words"),
    [
        (
            {"Ref": "A"},
            {"Parameters": {"A": {"Default": "AWS_IAM", "AllowedValues": ["AWS_IAM", "NONE"]}}},
            "IAM (SigV4) or none",
        ),
        ({"Ref": "A"}, {"Parameters": {"A": {"Default": "AWS_IAM"}}}, "IAM (SigV4) or <A>"),
        ({"Ref": "A"}, {"Parameters": {"A": {"Type": "String"}}}, "<A>"),
        (
            {"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "a"]},
            {"Mappings": {"M": {"us": {"a": "NONE", "b": "CUSTOM"}, "eu": {"a": "AWS_IAM"}}}},
            "none or IAM (SigV4)",
        ),
        (
            {"Fn::FindInMap": ["M", "us", {"Ref": "AWS::Region"}]},
            {"Mappings": {"M": {"us": {"a": "NONE", "b": "AWS_IAM"}}}},
            "none or IAM (SigV4)",
        ),
        ({"Fn::FindInMap": ["Missing", "us", "a"]}, {}, "<Missing>"),
        ({"Fn::If": ["C", "AWS_IAM", "NONE"]}, {"Conditions": {"C": True}}, "IAM (SigV4) or none"),
    ],
)
def test_authorization_is_compared_by_every_value_that_it_can_have(
    value: Any, sections: dict[str, Any], words: str
) -> None:
    def mutation(document: dict[str, Any]) -> None:
        document["Resources"]["ProcessMethod"]["Properties"]["AuthorizationType"] = value
        for name, section in sections.items():
            document[name] = {**document.get(name, {}), **section}

    assert has(told(PROD_TEMPLATE, mutated(mutation)), WIDER, "surface", OPEN + words)


def test_a_protection_by_a_parameter_is_told_though_its_default_is_the_same() -> None:
    def mutation(document: dict[str, Any]) -> None:
        document["Parameters"]["Recovery"] = {"Type": "String", "Default": "true"}
        put(
            *("TransactionsTable", "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"),
            to={"Ref": "Recovery"},
        )(document)

    (said,) = told(PROD_TEMPLATE, mutated(mutation))
    assert said.direction == WIDER
    assert "is decided in another way: " in said.text
    assert "is now true (parameter Recovery); before: true" in said.text


def one(type_name: str, before: Resources, after: Resources, **sections: Any) -> list[tuple[str, str]]:
    """What is said of one resource in two templates."""
    old, now = (template({"X": resource(type_name, **said)}, **sections) for said in (before, after))
    return [(change.direction, change.text) for change in template_changes(old, now)]


@pytest.mark.parametrize(
    ("type_name", "before", "after", "direction"),
    [
        ("CloudWatch::Alarm", {"Period": "a"}, {"Period": "b"}, WIDER),
        ("CloudWatch::Alarm", {"EvaluationPeriods": "a"}, {"EvaluationPeriods": "b"}, WIDER),
        ("CloudWatch::Alarm", {"TreatMissingData": "missing"}, {"TreatMissingData": "new"}, WIDER),
        ("CloudWatch::Alarm", {}, {"TreatMissingData": "missing"}, NEUTRAL),
        ("Lambda::EventInvokeConfig", {}, {"MaximumRetryAttempts": 2}, NEUTRAL),
        ("Lambda::Function", {}, {"CodeSigningConfigArn": "arn:aws:x"}, NARROWER),
        ("Lambda::Function", {"CodeSigningConfigArn": "arn:aws:x"}, {}, WIDER),
        ("Lambda::Function", {"Timeout": 1}, {"Timeout": 2}, NEUTRAL),
        ("SNS::Topic", {"Subscription": [{"Endpoint": "a"}]}, {"Subscription": []}, WIDER),
        ("WAFv2::WebACL", {"DefaultAction": {"Block": {}}}, {"DefaultAction": {"Allow": {}}}, WIDER),
        ("WAFv2::WebACL", {"DefaultAction": {"Allow": {}}}, {"DefaultAction": {"Block": {}}}, NARROWER),
        ("WAFv2::WebACL", {"DefaultAction": {"Allow": {}}}, {"DefaultAction": {"New": {}}}, WIDER),
        ("WAFv2::WebACL", {"DefaultAction": {"Allow": {}}}, {}, WIDER),
        ("ApiGateway::Model", {"Schema": {"maxLength": 3}}, {"Schema": {"maxLength": 9}}, WIDER),
        ("ApiGateway::Model", {"Schema": {"maxLength": 3}}, {"Schema": {}}, WIDER),
        ("ApiGateway::Model", {"Schema": {"minLength": 3}}, {"Schema": {"minLength": 9}}, NARROWER),
        ("ApiGateway::Model", {"Schema": {"enum": ["a"]}}, {"Schema": {"enum": ["a", "b"]}}, WIDER),
        ("ApiGateway::Model", {"Schema": {"type": ["a", "b"]}}, {"Schema": {"type": "a"}}, NARROWER),
        ("ApiGateway::Model", {"Schema": {}}, {"Schema": {"pattern": "a"}}, NARROWER),
        ("ApiGateway::Model", {"Schema": {"pattern": "b"}}, {"Schema": {"pattern": "a"}}, WIDER),
        ("ApiGateway::GatewayResponse", {"StatusCode": "1"}, {"StatusCode": "2"}, NEUTRAL),
        (
            "ApiGateway::GatewayResponse",
            {"ResponseTemplates": {"a": "b"}},
            {"ResponseTemplates": {"a": "c"}},
            NEUTRAL,
        ),
        ("ApiGateway::Stage", {"AccessLogSetting": {"Format": "a"}}, {"AccessLogSetting": {"Format": "b"}}, NEUTRAL),
        ("Kinesis::Stream", {"A": 1}, {"A": 2}, WIDER),
        ("Kinesis::Stream", {"A": []}, {"A": {}}, WIDER),
        ("Kinesis::Stream", {"A": [{"a": 1}, {"a": 1}]}, {"A": [{"a": 1}]}, WIDER),
        ("Kinesis::Stream", {"A": ["x", {"a": 1}]}, {"A": [{"a": 1}]}, WIDER),
        ("Lambda::Permission", {"InvokedViaFunctionUrl": True}, {}, WIDER),
    ],
)
def test_one_setting_goes_one_way(type_name: str, before: Resources, after: Resources, direction: str) -> None:
    assert {way for way, _ in one(type_name, before, after)} == {direction}


def test_what_came_to_a_topic_is_left_to_access_and_schemas_have_words_for_people() -> None:
    assert one("SNS::Topic", {}, {"Subscription": [{"Endpoint": "a"}]}) == []
    assert one("ApiGateway::Model", {"Schema": {"title": "a"}}, {"Schema": {"title": "b"}}) == []


def test_long_values_are_shown_from_where_they_differ() -> None:
    ((_, text),) = one("Kinesis::Stream", {"A": "a" * 300 + "b" + "c" * 300}, {"A": "a" * 300 + "d"})
    assert text == f"stream X: A is now …{'a' * 30}d; before: …{'a' * 30}b{'c' * 129}…"
    ((_, text),) = one("Kinesis::Stream", {"A": "a" * 300}, {"A": "a" * 301})
    assert text == f"stream X: A is now …{'a' * 31}; before: …{'a' * 30}"


@pytest.mark.parametrize(
    ("type_name", "came", "went", "area"),
    [
        ("AWS::CloudWatch::Alarm", NARROWER, WIDER, "monitoring"),
        ("AWS::Backup::BackupPlan", NARROWER, WIDER, "data"),
        ("AWS::KMS::Alias", NEUTRAL, WIDER, "data"),
        ("AWS::ApiGateway::GatewayResponse", NEUTRAL, WIDER, "surface"),
        ("AWS::Lambda::Function", WIDER, NARROWER, "code"),
        ("AWS::StepFunctions::StateMachine", WIDER, WIDER, "data"),
        ("Custom::Thing", WIDER, WIDER, "code"),
        ("AWS::CloudTrail::Trail", WIDER, WIDER, "monitoring"),
    ],
)
def test_a_resource_that_comes_or_goes(type_name: str, came: str, went: str, area: str) -> None:
    without, having = template({}), template({"X": type_name})
    assert [(change.direction, change.area) for change in template_changes(without, having)] == [(came, area)]
    assert [(change.direction, change.area) for change in template_changes(having, without)] == [(went, area)]


def test_a_resource_of_another_type_is_one_that_went_and_one_that_came() -> None:
    said = template_changes(template({"X": "AWS::CloudWatch::Alarm"}), template({"X": "AWS::Lambda::Function"}))
    assert {change.text for change in said} == {"function X is new: it runs code", "alarm X is gone"}


def test_a_subscriber_who_goes_hears_nothing_any_more() -> None:
    said = resource("SNS::Subscription", Protocol="email", Endpoint="oncall@bank.example", TopicArn={"Ref": "T"})
    topic = resource("SNS::Topic", TopicName="alarms")
    found = told(template({"T": topic, "S": said}), template({"T": topic}))
    assert has(found, WIDER, "monitoring", "email oncall@bank.example no longer hears from alarms")
    still = told(template({"T": topic, "S": said}), template({"T": topic, "S": said}))
    assert still == []


@pytest.mark.parametrize(
    ("section", "before", "after", "direction"),
    [
        ("Parameters", {"AllowedValues": ["a", "b"]}, {"AllowedValues": ["a"]}, NARROWER),
        ("Parameters", {"AllowedValues": ["a"]}, {"AllowedValues": ["a", "b"]}, WIDER),
        ("Mappings", {"us": {"a": "b"}}, {"us": {"a": "c"}}, WIDER),
        ("Conditions", {"Fn::Equals": ["a", "b"]}, {"Fn::Equals": ["a", "a"]}, WIDER),
    ],
)
def test_what_values_come_from_is_told(section: str, before: Any, after: Any, direction: str) -> None:
    old, now = (template({}, **{section: {"X": said}}) for said in (before, after))
    (change,) = template_changes(old, now)
    assert (change.direction, change.area) == (direction, "code")


@pytest.mark.parametrize("name", ["DB_PASS", "API_KEY", "ClientSecret", "GITHUB_TOKEN"])
def test_what_may_be_a_secret_is_told_without_its_values(name: str) -> None:
    before = mutated(put(*VARIABLES, name, to="hunter1"))
    after = mutated(put(*VARIABLES, name, to="hunter2"))
    (change,) = told(before, after)
    assert (change.direction, change.area) == (WIDER, "code")
    assert f"Environment.Variables.{name} differs" in change.text
    assert "hunter" not in change.text
