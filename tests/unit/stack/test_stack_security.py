"""What a security engineer looks for, over every resource of the built stacks."""

import json
from typing import Any

import pytest

ENVIRONMENTS = ["dev", "prod", "open", "shared"]
THIS_API = '"execute-api:/*"'
# Backups of the one table, and recovery points: they have no name before they are made.
MADE_LATER = {"backup:TagResource", "dynamodb:DeleteBackup", "dynamodb:DescribeBackup"}
NO_RESOURCE_LEVEL = {"cloudwatch:GetMetricData", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}


@pytest.fixture(params=ENVIRONMENTS)
def any_stack(request: pytest.FixtureRequest, stack: Any) -> Any:
    if request.param == "open":
        return stack("open", authorization="none", retain_data=True, alarms={"email": "a@bank.example"})
    if request.param == "shared":
        return stack("shared", allowed_ips=["203.0.113.0/24"], allowed_principals=["111122223333"], backup=True)
    return stack(request.param)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_no_wildcard_in_what_is_allowed(any_stack: Any) -> None:
    for name, statement in any_stack.statements():
        if statement["Effect"] == "Deny":
            continue
        for action in listed(statement["Action"]):
            assert "*" not in action, (name, action)
        if name == "Key":
            continue  # there "*" is the key itself
        for resource in listed(statement.get("Resource", [])):
            if resource == "*":
                assert set(statement["Action"]) <= NO_RESOURCE_LEVEL, (name, statement["Sid"])
            elif json.dumps(resource).endswith('*"}'):
                assert set(statement["Action"]) <= MADE_LATER, (name, statement["Sid"])
            else:
                assert "*" not in json.dumps(resource).removeprefix(THIS_API), name


def test_nobody_is_allowed_by_a_wildcard_principal(any_stack: Any) -> None:
    for name, statement in any_stack.statements():
        if statement["Effect"] == "Allow" and "Principal" in statement:
            assert "*" not in json.dumps(statement["Principal"]), name


def test_a_service_acts_only_for_this_account(any_stack: Any) -> None:
    for name, statement in any_stack.statements():
        if "Service" not in statement.get("Principal", {}):
            continue
        condition = statement["Condition"]
        keys = {key for operator in condition.values() for key in operator}
        pins = {"aws:SourceAccount", "aws:SourceArn", "kms:EncryptionContext:aws:logs:arn"}
        assert keys & pins, (name, statement)
        assert "AWS::AccountId" in json.dumps(condition), name


def test_lambda_permissions_name_one_route_or_the_rule(any_stack: Any) -> None:
    sources = {
        name: permission["SourceArn"] for name, permission in any_stack.of_type("AWS::Lambda::Permission").items()
    }
    execute = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${RestApi}/v1"
    assert sources == {
        "ValidatePermission": {"Fn::Sub": f"{execute}/POST/validate"},
        "ProcessPermission": {"Fn::Sub": f"{execute}/POST/process"},
        "HealthPermission": {"Fn::Sub": f"{execute}/GET/health"},
        "HealthSchedulePermission": {"Fn::GetAtt": ["HealthSchedule", "Arn"]},
    }


def test_every_store_has_the_customers_key(any_stack: Any) -> None:
    key = {"Fn::GetAtt": ["Key", "Arn"]}
    assert any_stack["TransactionsTable"]["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": key,
    }
    for resource_type, name in (
        ("AWS::SQS::Queue", "KmsMasterKeyId"),
        ("AWS::SNS::Topic", "KmsMasterKeyId"),
        ("AWS::Logs::LogGroup", "KmsKeyId"),
        ("AWS::Lambda::Function", "KmsKeyArn"),
    ):
        found = any_stack.of_type(resource_type)
        assert found
        assert all(properties[name] == key for properties in found.values()), resource_type
    assert any_stack["Key"]["EnableKeyRotation"] is True


def test_plain_http_is_refused_by_queues_and_topic(any_stack: Any) -> None:
    refusing = {
        json.dumps(statement["Resource"])
        for _, statement in any_stack.statements()
        if statement["Effect"] == "Deny"
        and statement["Principal"] == "*"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    queues = {json.dumps({"Fn::GetAtt": [name, "Arn"]}) for name in any_stack.of_type("AWS::SQS::Queue")}
    topics = {json.dumps({"Ref": name}) for name in any_stack.of_type("AWS::SNS::Topic")}
    assert refusing == queues | topics


def test_nobody_decrypts_but_through_a_store_or_as_a_pinned_service(any_stack: Any) -> None:
    for _, statement in any_stack.statements():
        if "kms:Decrypt" in listed(statement["Action"]) and "Service" not in statement.get("Principal", {}):
            assert "kms:ViaService" in statement["Condition"]["StringEquals"]


def test_who_may_use_the_key_for_what(dev: Any) -> None:
    statements = {statement["Sid"]: statement for statement in dev["Key"]["KeyPolicy"]["Statement"]}
    administration = set(statements["AdministrationByIam"]["Action"])
    assert {"kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:CreateAlias"} <= administration
    assert not administration & {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:CreateGrant"}
    logs = statements["LogGroupsOfThisStack"]["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"]
    declared = {json.dumps(group["LogGroupName"]) for group in dev.of_type("AWS::Logs::LogGroup").values()}
    assert len(logs) == len(declared) == 5
    for arn in logs:
        name = arn["Fn::Sub"].partition(":log-group:")[2]
        assert json.dumps(name) in declared or json.dumps({"Fn::Sub": name}) in declared
    alarms = statements["AlarmsOfThisStack"]
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarms["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"].endswith(":alarm:*-dev")


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (
            "Validation",
            {
                ("dynamodb:PutItem", "TransactionsTable.Arn"),
                ("sqs:SendMessage", "FailedTransactionsQueue.Arn"),
                ("logs:CreateLogStream", "ValidationLogs.Arn"),
                ("logs:PutLogEvents", "ValidationLogs.Arn"),
            },
        ),
        (
            "Processing",
            {
                ("dynamodb:UpdateItem", "TransactionsTable.Arn"),
                ("sqs:SendMessage", "FailedTransactionsQueue.Arn"),
                ("logs:CreateLogStream", "ProcessingLogs.Arn"),
                ("logs:PutLogEvents", "ProcessingLogs.Arn"),
            },
        ),
        (
            "HealthMonitor",
            {
                ("cloudwatch:GetMetricData", "*"),
                ("sns:Publish", "AlarmTopic"),
                ("logs:CreateLogStream", "HealthMonitorLogs.Arn"),
                ("logs:PutLogEvents", "HealthMonitorLogs.Arn"),
            },
        ),
    ],
)
def test_a_function_may_do_exactly_what_its_handler_does(
    dev: Any, function: str, expected: set[tuple[str, str]]
) -> None:
    common = {
        ("sqs:SendMessage", "FunctionFailuresQueue.Arn"),
        ("xray:PutTelemetryRecords", "*"),
        ("xray:PutTraceSegments", "*"),
        ("kms:Decrypt", "Key.Arn"),
        ("kms:GenerateDataKey", "Key.Arn"),
    }
    found = {
        (action, statement["Resource"] if isinstance(statement["Resource"], str) else _target(statement["Resource"]))
        for statement in dev[f"{function}Policy"]["PolicyDocument"]["Statement"]
        for action in statement["Action"]
    }
    assert found == expected | common
    assert dev[f"{function}Role"]["ManagedPolicyArns"] == [{"Ref": f"{function}Policy"}]
    assert dev[f"{function}Function"]["Role"] == {"Fn::GetAtt": [f"{function}Role", "Arn"]}


def _target(resource: dict[str, Any]) -> str:
    return resource["Ref"] if "Ref" in resource else ".".join(resource["Fn::GetAtt"])


def test_the_payment_functions_reach_the_key_through_what_they_call(dev: Any) -> None:
    for function, decrypt, encrypt in (
        ("Validation", ["dynamodb", "lambda", "sqs"], ["sqs"]),
        ("Processing", ["dynamodb", "lambda", "sqs"], ["sqs"]),
        ("HealthMonitor", ["lambda", "sns", "sqs"], ["sns", "sqs"]),
    ):
        services = {}
        for statement in dev[f"{function}Policy"]["PolicyDocument"]["Statement"]:
            via = statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService", [])
            for action in statement["Action"] if via else []:
                services[action] = [service["Fn::Sub"].split(".")[0] for service in via]
        assert services == {"kms:Decrypt": decrypt, "kms:GenerateDataKey": encrypt}


def test_no_secret_and_no_account_number_in_the_template(any_stack: Any) -> None:
    text = json.dumps(any_stack.template)
    for word in ("AKIA", "aws_secret", "password"):
        assert word not in text
    assert "123456789012" not in text


def test_only_one_role_a_function(any_stack: Any) -> None:
    roles = [json.dumps(function["Role"]) for function in any_stack.of_type("AWS::Lambda::Function").values()]
    assert len(set(roles)) == len(roles) == 3


def test_grants_are_for_aws_services_whatever_else_is_allowed(any_stack: Any) -> None:
    (denied,) = (s for s in any_stack["Key"]["KeyPolicy"]["Statement"] if s["Effect"] == "Deny")
    assert (denied["Principal"], denied["Action"]) == ({"AWS": "*"}, ["kms:CreateGrant"])
    conditions = {"kms:GrantIsForAWSResource": "false", "aws:PrincipalIsAWSService": "false"}
    assert denied["Condition"] == {"BoolIfExists": conditions}


def test_every_role_is_bounded_where_the_settings_say_so(stack: Any) -> None:
    boundary = "arn:aws:iam::111111111111:policy/bound"
    roles = stack("prod", permissions_boundary=boundary).of_type("AWS::IAM::Role")
    assert {role["PermissionsBoundary"] for role in roles.values()} == {boundary}
    assert all("PermissionsBoundary" not in role for role in stack("prod").of_type("AWS::IAM::Role").values())
