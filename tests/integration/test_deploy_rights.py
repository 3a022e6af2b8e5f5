"""`paycli config deployer-policy` in the hands of an IAM user, who deploys, checks and takes down, and can do no more.

The embedded AWS judges what the user calls. What CloudFormation then does in the user's name goes unasked there: that
the statements for it (`Make…`) suffice, isn't proven here. They rest on the schemas of the resource types.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from paycli.aws import Aws
from paycli.commands.common import Project
from paycli.commands.smoke_test import check_stack
from paycli.configuration import load
from paycli.deployment import bootstrap, bootstrapping, execution, teardown
from paycli.deployment import plan as planning
from paycli.deployment.rights.calls import BOOTSTRAP_CALLS, CALLS, RECEIVED_MESSAGES_CALLS, SMOKE_CALLS
from paycli.deployment.states import Policy
from paycli.progress import Event
from tests.integration.conftest import LocalProject

NAME = "local"
ACCOUNT = "000000000000"

# What the embedded AWS needs beside the policy.
EMBEDDED: list[dict[str, Any]] = [
    # Only there: its CloudFormation leaves out these two settings of the table, so paycli makes the calls.
    {
        "Effect": "Allow",
        "Action": ["dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTimeToLive"],
        "Resource": f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/transactions-{NAME}",
    },
    # It doesn't know the stack of a change set that is named by its ARN, nor which alarms, dashboard or stage is meant.
    {
        "Effect": "Allow",
        "Action": [
            "apigateway:GET",
            "cloudformation:DeleteChangeSet",
            "cloudformation:DescribeChangeSet",
            "cloudformation:ExecuteChangeSet",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:GetDashboard",
        ],
        "Resource": "*",
    },
]


def quiet(_event: Event) -> None:
    """Take progress and say nothing."""


@dataclass(frozen=True)
class UserProject(Project):
    """The project as the user works on it."""

    user: Aws

    def connect(self) -> Aws:
        return self.user


@dataclass(frozen=True)
class Deployer:
    """An IAM user with the policy, and the actions that the user's clients called for."""

    project: UserProject
    called: set[str]
    grant: Callable[[str], None]  # another of the policies, by what it is for

    def client(self, service: str) -> Any:
        return self.project.user.client(service)


# The action of an operation that is called otherwise.
ACTIONS = {"HeadObject": "GetObject", "ListObjectsV2": "ListBucket", "GetStage": "GET", "GetAccount": "GET"}
SERVICES = {"monitoring": "cloudwatch"}


@pytest.fixture
def deployer(fresh: LocalProject) -> Deployer:
    environment = load(NAME, fresh.root).environment
    bootstrap.ensure_bucket(fresh.aws(), environment, Policy(wait=False, ask=None), quiet)  # by who has the rights
    return user_with(fresh, "deployer")


def user_with(fresh: LocalProject, first: str) -> Deployer:
    """Make an IAM user with one of the policies."""
    root = fresh.aws()
    iam = root.client("iam")
    iam.create_user(UserName="deployer")

    def grant(kind: str) -> None:
        asked = ("--env", NAME, "--for", kind, "--output", "policies", "--json")
        written = fresh.run("config", "deployer-policy", *asked)
        assert written.status == 0, written.err
        for path in [fresh.root / name for name in written.document["data"]["written"]]:
            policy = iam.create_policy(PolicyName=path.stem, PolicyDocument=path.read_text())["Policy"]
            iam.attach_user_policy(UserName="deployer", PolicyArn=policy["Arn"])

    grant(first)
    embedded = json.dumps({"Version": "2012-10-17", "Statement": EMBEDDED})
    iam.put_user_policy(UserName="deployer", PolicyName="embedded", PolicyDocument=embedded)
    key = iam.create_access_key(UserName="deployer")["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
    called: set[str] = set()

    def note(model: Any, **_: Any) -> None:
        service = model.service_model.endpoint_prefix
        called.add(f"{SERVICES.get(service, service)}:{ACTIONS.get(model.name, model.name)}")

    session.events.register("before-call", note)
    user = Aws(session, root.region, root.endpoint_url)
    return Deployer(UserProject(fresh.root, load(NAME, fresh.root), user), called, grant)


# What no client of the SDK asked for in this run.
ELSEWHERE = {
    "cloudwatch:PutMetricData": "the mark on a dashboard that AWS draws",
    "cloudwatch:GetMetricData": "what became of the last payments, in status",
    "cloudwatch:GetMetricStatistics": "how long messages have waited, in status",
    "cloudformation:CancelUpdateStack": "an interrupted update",
    "cloudformation:ContinueUpdateRollback": "a rollback that got stuck",
    "cloudformation:DescribeEvents": "what a validation has refused",
    "cloudformation:GetStackPolicy": "retain_data",
    "cloudformation:RollbackStack": "an update that failed with rollback switched off",
    "cloudformation:SetStackPolicy": "retain_data",
    "s3:DeleteObject": "teardown --artifacts",
    "cloudformation:TagResource": "AWS asks it of whoever makes a change set with tags",
    "cloudformation:UntagResource": "AWS asks it of whoever makes a change set with fewer tags",
    "cloudformation:UpdateTerminationProtection": "retain_data",
    "execute-api:Invoke": "the smoke test's requests to the API",
    "kms:Decrypt": "what DynamoDB and SQS do in the user's name",
    "logs:FilterLogEvents": "the smoke test where it may not receive from the queue",
    "sqs:ChangeMessageVisibility": "somebody else's message in the queue",
}


def test_the_policies_suffice_for_the_commands(deployer: Deployer) -> None:
    project, environment = deployer.project, deployer.project.environment
    aws, root = project.connect(), project.root
    nothing = Policy(wait=False, ask=None)
    dry = planning.prepare(aws, environment, root, quiet, planning.Options(nothing, dry_run=True))
    planning.discard(aws, dry)
    plan = planning.prepare(aws, environment, root, quiet, planning.Options(nothing))
    deployed = execution.execute(aws, plan, root, quiet)
    assert deployed.outputs["TransactionsTableName"] == f"transactions-{NAME}"
    deployer.grant("smoke-test")
    checked = check_stack(project, only=())
    assert [error.message for error in checked.told] == []
    goes = teardown.plan(aws, environment)
    assert goes is not None
    after = teardown.begin(aws, environment, goes, quiet)
    assert teardown.finish(aws, environment, goes, quiet, after=after) == []

    granted = {action for right in (*CALLS, *SMOKE_CALLS, *RECEIVED_MESSAGES_CALLS) for action in right.actions}
    unasked = {"sts:GetCallerIdentity", *EMBEDDED[0]["Action"]}
    assert deployer.called - granted == unasked
    assert granted - deployer.called == set(ELSEWHERE)


# What `paycli bootstrap` asked for in no run of this test.
REPAIRS = {f"cloudformation:{name}" for name in ("ContinueUpdateRollback", "DeleteStack", "ListStackResources")}
REPAIRS |= {f"cloudformation:{name}" for name in ("RollbackStack", "TagResource", "UpdateStack")}


def test_the_bootstrap_s_policy_suffices_for_its_command(fresh: LocalProject) -> None:
    user = user_with(fresh, "bootstrap")
    aws, environment = user.project.connect(), user.project.environment
    for _again in range(2):
        plan = bootstrapping.prepare(aws, environment, Policy(wait=False, ask=None), quiet)
        made = bootstrapping.execute(aws, plan, quiet)
    assert plan.changes is None
    assert made.bucket
    granted = {action for right in BOOTSTRAP_CALLS for action in right.actions}
    assert user.called - granted == {"sts:GetCallerIdentity"}
    assert granted - user.called == REPAIRS


Call = Callable[[Deployer], object]
FORBIDDEN: dict[str, Call] = {
    "another stack": lambda to: to.client("cloudformation").delete_stack(StackName="payment-api-prod"),
    "a stack of another name": lambda to: to.client("cloudformation").create_change_set(
        StackName="anything", ChangeSetName="any", TemplateBody="{}", ChangeSetType="CREATE"
    ),
    "to change the bootstrap": lambda to: to.client("cloudformation").delete_stack(StackName="paycli-bootstrap"),
    "to list the stacks": lambda to: to.client("cloudformation").list_stacks(),
    "a role of one's own": lambda to: to.client("iam").create_role(
        RoleName=f"payment-api-{NAME}-ValidationRole-mine", AssumeRolePolicyDocument="{}"
    ),
    "a policy of one's own": lambda to: to.client("iam").create_policy(
        PolicyName=f"payment-api-{NAME}-ValidationPolicy-mine", PolicyDocument="{}"
    ),
    "to attach a policy": lambda to: to.client("iam").attach_role_policy(
        RoleName=f"payment-api-{NAME}-ValidationRole-mine", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    ),
    "a user": lambda to: to.client("iam").create_user(UserName="another"),
    "a function by hand": lambda to: to.client("lambda").update_function_code(
        FunctionName=f"payment-validation-{NAME}", ZipFile=b"PK"
    ),
    "to call a function": lambda to: to.client("lambda").invoke(FunctionName=f"payment-validation-{NAME}"),
    "to read payments": lambda to: to.client("dynamodb").scan(TableName=f"transactions-{NAME}"),
    "to read one payment": lambda to: to.client("dynamodb").get_item(
        TableName=f"transactions-{NAME}", Key={"transaction_id": {"S": "1"}}
    ),
    "to delete a payment": lambda to: to.client("dynamodb").delete_item(
        TableName=f"transactions-{NAME}", Key={"transaction_id": {"S": "1"}}
    ),
    "to take what has failed": lambda to: to.client("sqs").receive_message(
        QueueUrl=f"{to.project.user.endpoint_url}/{ACCOUNT}/failed-transactions-{NAME}"
    ),
    "to delete the table": lambda to: to.client("dynamodb").delete_table(TableName=f"transactions-{NAME}"),
    "another table": lambda to: to.client("dynamodb").describe_table(TableName="transactions-prod"),
    "a key": lambda to: to.client("kms").create_key(),
    "to send to the queue": lambda to: to.client("sqs").send_message(
        QueueUrl=f"{to.project.user.endpoint_url}/{ACCOUNT}/failed-transactions-{NAME}", MessageBody="{}"
    ),
    "another bucket": lambda to: to.client("s3").list_objects_v2(Bucket="somebody-elses"),
    "a bucket": lambda to: to.client("s3").create_bucket(Bucket="paycli-bootstrap-artifactbucket-mine"),
    "to delete a log": lambda to: to.client("logs").delete_log_group(logGroupName=f"/aws/lambda/health-monitor-{NAME}"),
    "to silence an alarm": lambda to: to.client("cloudwatch").disable_alarm_actions(AlarmNames=[f"api-latency-{NAME}"]),
    "to stop the schedule": lambda to: to.client("events").disable_rule(Name=f"health-schedule-{NAME}"),
}
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}


def attempt(deployer: Deployer, call: Call) -> str:
    try:
        call(deployer)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return "denied" if code in DENIED else code
    return "allowed"


def test_the_policy_is_good_for_nothing_else(deployer: Deployer) -> None:
    """Above all not for what CloudFormation may do with it: aws:CalledVia is missing where the user calls."""
    assert deployer.client("cloudformation").describe_stacks(StackName="paycli-bootstrap")["Stacks"]
    assert {name: attempt(deployer, call) for name, call in FORBIDDEN.items()} == dict.fromkeys(FORBIDDEN, "denied")
