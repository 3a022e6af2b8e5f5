"""The functions' roles in both directions: what they hold suffices, and each single action of it is missed by somebody.

The actions are read from the template, so one that nobody has mapped to a behaviour, or to the AWS page that demands
it, fails here. docs/least-privilege.md says the same for people.
"""

import contextlib
import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from paycli import emulator
from paycli.configuration import load
from paycli.stack import build
from tests.integration.conftest import SETTINGS, LocalProject
from tests.integration.payers import messages_of

TABLE = Path(__file__).parents[2] / "docs" / "least-privilege.md"
SECONDS = 15  # to wait for IAM, at most
FUNCTIONS = {"Validation": "payment-validation", "Processing": "payment-processing", "HealthMonitor": "health-monitor"}
ROLES = {**FUNCTIONS, "Backup": "backup"}
SCHEDULED = {"source": "aws.events", "detail-type": "Scheduled Event"}


class Grant(NamedTuple):
    """One action of one statement of one function's policy."""

    function: str
    sid: str
    action: str

    def __str__(self) -> str:
        return f"{self.function}-{self.sid}-{self.action}"


def granted(environment: str) -> set[Grant]:
    """Return every action that the template gives to a role, by the title of the policy's resource."""
    template = build(load(environment, Path(__file__).parents[2]).environment).to_dict()["Resources"]
    documents = {
        title.removesuffix("Policy"): resource["Properties"]["PolicyDocument"]
        for title, resource in template.items()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
    }
    for title, resource in template.items():
        for inline in resource["Properties"].get("Policies", []) if resource["Type"] == "AWS::IAM::Role" else []:
            documents[f"{title}/{inline['PolicyName']}"] = inline["PolicyDocument"]
    return {
        Grant(title, statement["Sid"], action)
        for title, document in documents.items()
        for statement in document["Statement"]
        for action in statement["Action"]
    }


@dataclass(frozen=True)
class Stack:
    """A deployed open API, and its roles, whose policies can be cut."""

    project: LocalProject

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    @cached_property
    def aws(self) -> Any:
        return self.project.aws()

    @cached_property
    def outputs(self) -> dict[str, str]:
        return self.project.outputs()

    def role(self, function: str) -> str:
        found = self.client("lambda").get_function_configuration(FunctionName=f"{FUNCTIONS[function]}-open")
        return str(found["Role"].rpartition("/")[2])

    def policy(self, function: str) -> str:
        """Return the one policy that the role has, inline ones and others counted."""
        iam = self.client("iam")
        (policy,) = iam.list_attached_role_policies(RoleName=self.role(function))["AttachedPolicies"]
        assert iam.list_role_policies(RoleName=self.role(function))["PolicyNames"] == []
        return str(policy["PolicyArn"])

    @contextlib.contextmanager
    def without(self, *grants: Grant) -> Iterator[None]:
        """Take these actions away, and start the functions anew: nothing they have cached counts."""
        kept = {function: self._document(function) for function in {grant.function for grant in grants}}
        try:
            for function, document in kept.items():
                taken = {(grant.sid, grant.action) for grant in grants if grant.function == function}
                self._write(function, _cut(document, taken))
                self.restart(function)
            yield
        finally:
            for function, document in kept.items():
                self._write(function, document)
                self.restart(function)

    def _document(self, function: str) -> dict[str, Any]:
        iam, policy = self.client("iam"), self.policy(function)
        version = iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"]
        found: dict[str, Any] = iam.get_policy_version(PolicyArn=policy, VersionId=version)["PolicyVersion"]["Document"]
        return found

    def _write(self, function: str, document: dict[str, Any]) -> None:
        """Make a new default version; a policy has five at most, so the others go first."""
        iam, policy = self.client("iam"), self.policy(function)
        for version in iam.list_policy_versions(PolicyArn=policy)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=policy, VersionId=version["VersionId"])
        iam.create_policy_version(PolicyArn=policy, PolicyDocument=json.dumps(document), SetAsDefault=True)

    def restart(self, function: str) -> None:
        """Start a function anew."""
        functions, name = self.client("lambda"), f"{FUNCTIONS[function]}-open"
        variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": {**variables, "STARTED": uuid4().hex}}
        )

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """Send one unsigned request; return status and document."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.outputs['APIEndpoint']}{path}", data, headers, method=method)
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            return answer.status, json.load(answer)

    def validate(self, amount: str = "10.00") -> tuple[int, dict[str, Any]]:
        return self.call("POST", "validate", {"amount": amount, "currency": "USD", "customer_id": "least"})

    def process(self, transaction_id: str) -> tuple[int, dict[str, Any]]:
        return self.call("POST", "process", {"transaction_id": transaction_id})

    def scheduled_run_fails(self) -> bool:
        """Run the health monitor as the rule does; a failure is what Lambda retries and then keeps."""
        ran = self.client("lambda").invoke(FunctionName="health-monitor-open", Payload=json.dumps(SCHEDULED))
        return "FunctionError" in ran

    def item(self, transaction_id: str) -> dict[str, Any] | None:
        key = {"transaction_id": {"S": transaction_id}}
        found: dict[str, Any] | None = (
            self.client("dynamodb")
            .get_item(TableName=self.outputs["TransactionsTableName"], Key=key, ConsistentRead=True)
            .get("Item")
        )
        return found

    def queued(self, request_id: str) -> list[dict[str, Any]]:
        messages = messages_of(self.aws, self.outputs["FailedTransactionsQueueUrl"])
        return [message for message in messages if message["request_id"] == request_id]

    def logged(self, function: str, **wanted: Any) -> dict[str, Any]:
        """Return the function's newest log line that has these fields."""
        group = f"/aws/lambda/{FUNCTIONS[function]}-open"
        events = self.client("logs").filter_log_events(logGroupName=group)["events"]
        lines = [json.loads(event["message"]) for event in events if event["message"].startswith("{")]
        return next(line for line in reversed(lines) if wanted.items() <= line.items())


def _cut(document: dict[str, Any], taken: set[tuple[str, str]]) -> dict[str, Any]:
    left = []
    for statement in document["Statement"]:
        actions = [action for action in statement["Action"] if (statement["Sid"], action) not in taken]
        left += [{**statement, "Action": actions}] if actions else []
    return {**document, "Statement": left}


def eventually(check: Callable[[], None]) -> None:
    """Repeat the check until it passes: IAM takes effect when it does, on AWS after some seconds."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            check()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own: the other tests must not meet a function without its rights."""
    root = tmp_path_factory.mktemp("least")
    (root / "paycli.toml").write_text(SETTINGS)
    project = LocalProject(root)
    try:
        deployed = project.run("deploy", "--env", "open")
        assert deployed.status == 0, deployed.err
        yield Stack(project)
    finally:
        emulator.stop(root)


# What each action is for: each test function gets the stack with its own action taken away.


def nothing_is_stored(stack: Stack) -> None:
    """POST /validate answers 500, with no transaction and no word of AWS."""
    status, problem = stack.validate()
    assert (status, problem["code"]) == (500, "internal_error")
    assert "PutItem" not in json.dumps(problem)
    line = stack.logged("Validation", request_id=problem["request_id"])
    assert (line["aws_code"], line["Faults"]) == ("AccessDeniedException", 1)
    assert stack.item(line["transaction_id"]) is None


def nothing_is_processed(stack: Stack) -> None:
    """POST /process answers 500, and the payment is still validated."""
    status, validated = stack.validate()
    assert status == 200
    status, problem = stack.process(validated["transaction_id"])
    assert (status, problem["code"]) == (500, "internal_error")
    item = stack.item(validated["transaction_id"])
    assert item is not None
    assert item["status"] == {"S": "validated"}


def a_refused_payment_is_not_queued(stack: Stack) -> None:
    """POST /validate answers 400 all the same; the message is lost, and the metric FailureMessagesLost says so."""
    status, problem = stack.validate(amount="0")
    assert (status, problem["code"]) == (400, "invalid_request")
    line = stack.logged("Validation", request_id=problem["request_id"])
    assert (line.get("FailureMessagesLost"), line.get("queue_error")) == (1, "ClientError")
    assert stack.queued(problem["request_id"]) == []


def a_fault_of_processing_is_not_queued(stack: Stack) -> None:
    """A 500 of POST /process stays a 500; its message is lost, and the metric FailureMessagesLost says so."""
    with stack.without(REPORT, UPDATE):  # which makes the fault

        def lost() -> None:
            status, problem = stack.process("txn_" + "0" * 32)
            assert (status, problem["code"]) == (500, "internal_error")
            line = stack.logged("Processing", request_id=problem["request_id"])
            assert (line.get("FailureMessagesLost"), line.get("queue_error")) == (1, "ClientError")
            assert stack.queued(problem["request_id"]) == []

        eventually(lost)


def health_is_unknown(stack: Stack) -> None:
    """GET /health answers 200 with the state unknown, for every check."""
    status, report = stack.call("GET", "health")
    assert (status, report["status"]) == (200, "unknown")
    assert {check["state"] for check in report["checks"]} == {"unknown"}
    assert stack.logged("HealthMonitor", operation="health")["aws_code"].startswith("AccessDenied")


def a_change_of_state_fails_the_scheduled_run(stack: Stack) -> None:
    """The scheduled run fails, so Lambda tries it again and then keeps it; no alert goes out.

    To a function that has just started, every state is a change.
    """
    assert stack.scheduled_run_fails()
    line = stack.logged("HealthMonitor", operation="scheduled")
    assert (line["outcome"], line["aws_code"]) == ("error", "AuthorizationError")


PUT = Grant("Validation", "StorePayment", "dynamodb:PutItem")
UPDATE = Grant("Processing", "ProcessPayment", "dynamodb:UpdateItem")
REPORT = Grant("Processing", "ReportFailure", "sqs:SendMessage")

MISSED: dict[Grant, Callable[[Stack], None]] = {
    PUT: nothing_is_stored,
    Grant("Validation", "ReportFailure", "sqs:SendMessage"): a_refused_payment_is_not_queued,
    UPDATE: nothing_is_processed,
    REPORT: a_fault_of_processing_is_not_queued,
    Grant("HealthMonitor", "ReadMetrics", "cloudwatch:GetMetricData"): health_is_unknown,
    Grant("HealthMonitor", "Alert", "sns:Publish"): a_change_of_state_fails_the_scheduled_run,
}

_BACKUP = {"https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForBackup.html"}
# What the services do with a role beside the handler, and the embedded AWS lets pass: the page that demands it.
DEMANDED = {
    ("DecryptThroughServices", "kms:Decrypt"): {
        "https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html",
        "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html",
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html",
        "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
    },
    ("EncryptThroughServices", "kms:GenerateDataKey"): {
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html",
        "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
    },
    ("WriteLogs", "logs:CreateLogStream"): {
        "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html"
    },
    ("WriteLogs", "logs:PutLogEvents"): {"https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html"},
    ("WriteTraces", "xray:PutTelemetryRecords"): {
        "https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html",
    },
    ("WriteTraces", "xray:PutTraceSegments"): {
        "https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html",
    },
    ("KeepFailedRuns", "sqs:SendMessage"): {
        "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"
    },
    # The embedded AWS has no backups.
    ("BackUpTable", "dynamodb:CreateBackup"): _BACKUP,
    ("BackUpTable", "dynamodb:DescribeTable"): _BACKUP,
    ("BackUpTable", "dynamodb:ListTagsOfResource"): _BACKUP,
    ("BackUpTable", "dynamodb:StartAwsBackupJob"): _BACKUP,
    ("ExpireBackups", "dynamodb:DeleteBackup"): _BACKUP,
    ("ExpireBackups", "dynamodb:DescribeBackup"): _BACKUP,
    ("FillVault", "backup:DescribeBackupVault"): _BACKUP,
    ("TagRecoveryPoints", "backup:TagResource"): _BACKUP,
    ("DescribeKey", "kms:DescribeKey"): _BACKUP,
    ("UseKeyThroughServices", "kms:Decrypt"): _BACKUP,
    ("UseKeyThroughServices", "kms:GenerateDataKey"): _BACKUP,
    ("GrantKeyToServices", "kms:CreateGrant"): _BACKUP,
}
GRANTED = sorted(granted("dev") | granted("prod"))
ENFORCED = [grant for grant in GRANTED if (grant.sid, grant.action) not in DEMANDED]


@pytest.mark.parametrize("grant", ENFORCED, ids=str)
def test_each_action_is_missed_where_it_is_taken_away(stack: Stack, grant: Grant) -> None:
    assert grant in MISSED, f"{grant} has no behaviour that fails without it: name one, or take it out of the policy"
    with stack.without(grant):
        eventually(lambda: MISSED[grant](stack))


def test_no_behaviour_is_named_for_an_action_that_is_gone() -> None:
    assert set(MISSED) | {grant for grant in GRANTED if (grant.sid, grant.action) in DEMANDED} == set(GRANTED)
    assert set(DEMANDED) <= {(grant.sid, grant.action) for grant in GRANTED}


def test_with_what_they_hold_the_whole_path_works(stack: Stack) -> None:
    """The faults that are reported, too: with only the write taken away, the report arrives."""
    status, validated = stack.validate()
    assert status == 200
    assert stack.process(validated["transaction_id"])[0] == 200
    status, refused = stack.validate(amount="0")
    assert status == 400
    assert len(stack.queued(refused["request_id"])) == 1
    assert stack.call("GET", "health")[1]["status"] == "healthy"
    stack.restart("HealthMonitor")
    assert not stack.scheduled_run_fails()
    assert stack.logged("HealthMonitor", operation="scheduled")["alerted"] is True
    with stack.without(UPDATE):

        def reported() -> None:
            status, fault = stack.process("txn_" + "0" * 32)
            assert status == 500
            assert len(stack.queued(fault["request_id"])) == 1

        eventually(reported)


def test_what_the_embedded_aws_does_not_ask_for(stack: Stack) -> None:
    """By trial. Where this fails, it has learnt to ask: give the action a behaviour in MISSED."""
    unasked = [grant for grant in GRANTED if grant.function in FUNCTIONS and grant not in MISSED]
    functions, queue_url = stack.client("lambda"), _queue_for_failed_runs(stack)
    queue = stack.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    functions.update_function_configuration(
        FunctionName="health-monitor-open", DeadLetterConfig={"TargetArn": queue["Attributes"]["QueueArn"]}
    )
    functions.put_function_event_invoke_config(FunctionName="health-monitor-open", MaximumRetryAttempts=0)
    with stack.without(*unasked):
        status, validated = stack.validate()
        assert status == 200
        assert stack.process(validated["transaction_id"])[0] == 200
        assert stack.logged("Processing", transaction_id=validated["transaction_id"])["status"] == 200
        status, refused = stack.validate(amount="0")
        assert len(stack.queued(refused["request_id"])) == 1
        assert stack.call("GET", "health")[1]["status"] == "healthy"
    alert = Grant("HealthMonitor", "Alert", "sns:Publish")
    with stack.without(*unasked, alert):
        functions.invoke(
            FunctionName="health-monitor-open", InvocationType="Event", Payload=json.dumps({**SCHEDULED, "id": "kept"})
        )

        def kept() -> None:
            messages = messages_of(stack.aws, queue_url)
            assert any("kept" in json.dumps(message) for message in messages)

        eventually(kept)


def _queue_for_failed_runs(stack: Stack) -> str:
    return str(stack.client("sqs").get_queue_url(QueueName="function-failures-open")["QueueUrl"])


DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"}

Attempt = Callable[["Session"], object]


@dataclass(frozen=True)
class Session:
    """What holds the credentials of a role that has one function's policy, and nothing else."""

    stack: Stack
    session: boto3.Session

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.stack.aws.endpoint_url)

    @property
    def table(self) -> dict[str, Any]:
        return {"TableName": self.stack.outputs["TransactionsTableName"]}

    @property
    def queue(self) -> dict[str, Any]:
        return {"QueueUrl": self.stack.outputs["FailedTransactionsQueueUrl"]}

    @property
    def dead_letters(self) -> dict[str, Any]:
        return {"QueueUrl": self.stack.outputs["FailedTransactionsDeadLetterQueueUrl"]}

    @property
    def topic(self) -> dict[str, Any]:
        return {"TopicArn": self.stack.outputs["AlarmTopicArn"]}

    @property
    def key(self) -> dict[str, Any]:
        return {"KeyId": self.stack.outputs["KeyArn"]}

    def attempt(self, attempt: Attempt) -> str:
        """Return "allowed", "denied", or the error that came first."""
        try:
            attempt(self)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            return "denied" if code in DENIED else code
        return "allowed"


KEY = {"transaction_id": {"S": "txn_probe"}}

# What a role may do by its function's handler: the same calls show that the credentials are good.
ALLOWED: dict[str, dict[str, Attempt]] = {
    "Validation": {
        "dynamodb:PutItem": lambda to: to.client("dynamodb").put_item(**to.table, Item=KEY),
        "sqs:SendMessage": lambda to: to.client("sqs").send_message(**to.queue, MessageBody='{"request_id": ""}'),
    },
    "Processing": {
        "dynamodb:UpdateItem": lambda to: to.client("dynamodb").update_item(**to.table, Key=KEY),
        "sqs:SendMessage": lambda to: to.client("sqs").send_message(**to.queue, MessageBody='{"request_id": ""}'),
    },
    "HealthMonitor": {
        "cloudwatch:GetMetricData": lambda to: to.client("cloudwatch").get_metric_data(
            MetricDataQueries=[], StartTime=0, EndTime=1
        ),
        "sns:Publish": lambda to: to.client("sns").publish(**to.topic, Message="probe"),
    },
}
# What nobody may, whatever was done to the function.
FORBIDDEN: dict[str, Attempt] = {
    "dynamodb:GetItem": lambda to: to.client("dynamodb").get_item(**to.table, Key=KEY),
    "dynamodb:Query": lambda to: to.client("dynamodb").query(
        **to.table, KeyConditionExpression="transaction_id = :id", ExpressionAttributeValues={":id": {"S": "a"}}
    ),
    "dynamodb:Scan": lambda to: to.client("dynamodb").scan(**to.table),
    "dynamodb:PartiQLSelect": lambda to: to.client("dynamodb").execute_statement(
        Statement=f'SELECT * FROM "{to.table["TableName"]}"'
    ),
    "dynamodb:DeleteItem": lambda to: to.client("dynamodb").delete_item(**to.table, Key=KEY),
    "dynamodb:BatchWriteItem": lambda to: to.client("dynamodb").batch_write_item(
        RequestItems={to.table["TableName"]: [{"DeleteRequest": {"Key": KEY}}]}
    ),
    "dynamodb:DeleteTable": lambda to: to.client("dynamodb").delete_table(**to.table),
    "dynamodb:UpdateTable": lambda to: to.client("dynamodb").update_table(**to.table, DeletionProtectionEnabled=False),
    "dynamodb:UpdateContinuousBackups": lambda to: to.client("dynamodb").update_continuous_backups(
        **to.table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    ),
    "dynamodb:PutItem elsewhere": lambda to: to.client("dynamodb").put_item(TableName="transactions-prod", Item=KEY),
    "sqs:ReceiveMessage": lambda to: to.client("sqs").receive_message(**to.queue),
    "sqs:DeleteMessage": lambda to: to.client("sqs").delete_message(**to.queue, ReceiptHandle="any"),
    "sqs:PurgeQueue": lambda to: to.client("sqs").purge_queue(**to.queue),
    "sqs:SetQueueAttributes": lambda to: to.client("sqs").set_queue_attributes(
        **to.queue, Attributes={"VisibilityTimeout": "1"}
    ),
    "sqs:SendMessage to the dead letters": lambda to: to.client("sqs").send_message(**to.dead_letters, MessageBody="a"),
    "sns:Subscribe": lambda to: to.client("sns").subscribe(**to.topic, Protocol="email", Endpoint="a@b.example"),
    "sns:SetTopicAttributes": lambda to: to.client("sns").set_topic_attributes(
        **to.topic, AttributeName="DisplayName", AttributeValue="a"
    ),
    "kms:Decrypt by itself": lambda to: to.client("kms").decrypt(**to.key, CiphertextBlob=_ciphertext(to)),
    "kms:GenerateDataKey by itself": lambda to: to.client("kms").generate_data_key(**to.key, KeySpec="AES_256"),
    "kms:PutKeyPolicy": lambda to: to.client("kms").put_key_policy(**to.key, Policy="{}"),
    "kms:CreateGrant": lambda to: to.client("kms").create_grant(
        **to.key, GranteePrincipal="arn:aws:iam::000000000000:root", Operations=["Decrypt"]
    ),
    "kms:ScheduleKeyDeletion": lambda to: to.client("kms").schedule_key_deletion(**to.key),
    "cloudwatch:PutMetricData": lambda to: to.client("cloudwatch").put_metric_data(
        Namespace="PaymentAPI", MetricData=[{"MetricName": "HealthState", "Value": 0}]
    ),
    "cloudwatch:DisableAlarmActions": lambda to: to.client("cloudwatch").disable_alarm_actions(AlarmNames=["a"]),
    "cloudwatch:DeleteAlarms": lambda to: to.client("cloudwatch").delete_alarms(AlarmNames=["api-latency-open"]),
    "logs:FilterLogEvents": lambda to: to.client("logs").filter_log_events(
        logGroupName="/aws/lambda/payment-validation-open"
    ),
    "logs:DeleteLogGroup": lambda to: to.client("logs").delete_log_group(
        logGroupName="/aws/lambda/payment-validation-open"
    ),
    "events:DisableRule": lambda to: to.client("events").disable_rule(Name="health-schedule-open"),
    "lambda:InvokeFunction": lambda to: to.client("lambda").invoke(FunctionName="payment-processing-open"),
    "lambda:UpdateFunctionCode": lambda to: to.client("lambda").update_function_code(
        FunctionName="payment-validation-open", ZipFile=b"PK"
    ),
    "lambda:GetFunction": lambda to: to.client("lambda").get_function(FunctionName="payment-validation-open"),
    "apigateway:DELETE": lambda to: to.client("apigateway").delete_rest_api(restApiId=to.stack.outputs["RestApiId"]),
    "cloudformation:DeleteStack": lambda to: to.client("cloudformation").delete_stack(StackName="payment-api-open"),
    "s3:ListAllMyBuckets": lambda to: to.client("s3").list_buckets(),
    "iam:AttachRolePolicy": lambda to: to.client("iam").attach_role_policy(
        RoleName="a", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    ),
    "iam:CreatePolicyVersion": lambda to: to.client("iam").create_policy_version(
        PolicyArn=to.stack.policy("Validation"), PolicyDocument="{}", SetAsDefault=True
    ),
    "iam:CreateUser": lambda to: to.client("iam").create_user(UserName="a"),
    "sts:AssumeRole of another function": lambda to: to.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::000000000000:role/{to.stack.role('Processing')}", RoleSessionName="other"
    ),
}


def _ciphertext(to: Session) -> bytes:
    return bytes(to.stack.client("kms").encrypt(**to.key, Plaintext=b"secret")["CiphertextBlob"])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_can_do_nothing_else(stack: Stack, function: str) -> None:
    """With credentials of a role that has the function's one policy; the function's own role trusts only Lambda."""
    account = "arn:aws:iam::000000000000"
    iam, name = stack.client("iam"), f"probe-{function}"
    sts = stack.client("sts")
    with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole"):
        sts.assume_role(RoleArn=f"{account}:role/{stack.role(function)}", RoleSessionName="probe")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"{account}:root"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    iam.attach_role_policy(RoleName=name, PolicyArn=stack.policy(function))
    issued = sts.assume_role(RoleArn=f"{account}:role/{name}", RoleSessionName="probe")["Credentials"]
    keys = (issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
    session = Session(stack, boto3.Session(*keys, region_name="us-east-1"))
    own = ALLOWED[function]
    others = {action: call for calls in ALLOWED.values() for action, call in calls.items() if action not in own}
    assert {action: session.attempt(call) for action, call in own.items()} == dict.fromkeys(own, "allowed")
    forbidden = {**others, **FORBIDDEN}
    assert {action: session.attempt(call) for action, call in forbidden.items()} == dict.fromkeys(forbidden, "denied")


def test_the_table_for_people_says_the_same() -> None:
    """docs/least-privilege.md: function, statement, action, what fails without it, and how that is known."""
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in TABLE.read_text().splitlines()
        if line.startswith("| ") and "`" in line
    ]
    titles = {name: title for title, name in ROLES.items()}
    said: dict[Grant, tuple[str, str]] = {}
    for functions, sid, action, missed, proof in rows:
        names = re.findall(r"`([a-z-]+)`", functions) or list(FUNCTIONS.values())
        for name in names:
            said[Grant(titles[name], sid.strip("`"), action.strip("`"))] = (missed, proof)
    assert set(said) == set(GRANTED)
    for grant, (missed, proof) in said.items():
        assert missed
        if grant in MISSED:
            assert proof == f"`{MISSED[grant].__name__}`"
        else:
            assert set(re.findall(r"\((https://[^)]+)\)", proof)) == DEMANDED[grant.sid, grant.action]
