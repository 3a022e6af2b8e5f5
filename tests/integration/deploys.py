"""What the tests of deploys on the fake AWS have in common: stacks that differ a little, and what is said of them."""

import hashlib
import json

from paycli.deployment.artifacts import template_key
from paycli.deployment.package import package
from paycli.deployment.records import Record
from paycli.handlers_source import handlers_root
from tests.command_line import Ran
from tests.fakes.cloudformation.model import Json, Stack
from tests.fakes.project import FakeProject

STACK, PROD = "payment-api-dev", "payment-api-prod"
TABLE, ALARM, GROUP = "TransactionsTable", "ApiLatencyAlarm", "ValidationLogs"
LONG = 1e6  # seconds, of AWS's time

CREATED = ["REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
UPDATED = ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]
ROLLED_BACK = [
    "UPDATE_IN_PROGRESS",
    "UPDATE_ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE",
]


def slower_alarm(template: Json) -> None:
    """Let the stack have an alarm that the deploy will change."""
    template["Resources"][ALARM]["Properties"]["EvaluationPeriods"] = 99


def without_dashboard(template: Json) -> None:
    """Let the stack lack what the deploy will add."""
    del template["Resources"]["Dashboard"], template["Outputs"]["DashboardName"]


def without_data(template: Json) -> None:
    """Let the stack have a resource that holds no data, and nothing else."""
    dashboard = template["Resources"]["Dashboard"]
    template["Resources"] = {"Dashboard": {**dashboard, "Properties": {"DashboardName": "d"}}}
    template["Outputs"] = {}


def with_old_group(template: Json) -> None:
    """Let the stack have a log group that the deploy will remove."""
    old = template["Resources"][GROUP]
    template["Resources"]["OldLogs"] = {**old, "Properties": {"LogGroupName": "/old"}}


def records(cloud: FakeProject, name: str = "dev") -> list[Record]:
    """Return the records of an environment's deploys, oldest first."""
    kept = {key: content for objects in cloud.aws.objects.values() for key, content in objects.items()}
    prefix = f"deployments/{name}/"
    return [Record.model_validate_json(kept[key]) for key in sorted(kept) if key.startswith(prefix)]


def recorded(
    cloud: FakeProject, number: int, body: str, *, code: str = "", result: str = "succeeded", again: int | None = None
) -> Record:
    """Let an earlier deploy of dev be on record, with its template and code in the artifact bucket.

    It was one of the stack that stands, if one does. `code` is the key of its package, that of this version where it is
    empty; `again` is what it was a rollback to.
    """
    bucket = cloud.aws.stack("paycli-bootstrap").outputs["ArtifactBucket"]
    stack = cloud.aws.find(STACK)
    digest, packed = hashlib.sha256(body.encode()).hexdigest(), package(handlers_root())
    record = Record.model_validate(
        {
            "number": number,
            "environment": "dev",
            "stack_id": stack.stack_id if stack else "arn:aws:cloudformation:us-east-1:111111111111:stack/gone/1",
            "change_set_id": f"arn:aws:cloudformation:us-east-1:111111111111:changeSet/paycli-{number}/1",
            "version": {
                "template_sha256": digest,
                "code_key": code or packed.key,
                "paycli": "0.1.0",
                "commit": "c0ffee",
            },
            "deployer": "arn:aws:iam::111111111111:user/ada",
            "started_at": f"2026-11-{number:02}T12:00:00Z",
            "finished_at": f"2026-11-{number:02}T12:01:00Z",
            "result": result,
            "changes": number,
            "cause": "the reason" if result == "failed" else "",
            "rollback_of": again,
        }
    )
    cloud.aws.lay(bucket, template_key(digest), body.encode())
    cloud.aws.lay(bucket, record.version.code_key, packed.content)
    cloud.aws.lay(bucket, f"deployments/dev/{number:06}.json", record.model_dump_json().encode())
    return record


def version(cloud: FakeProject, periods: int) -> str:
    """Return a template of dev that differs from another version's in an alarm's periods."""
    template = json.loads(cloud.body("dev"))
    template["Resources"][ALARM]["Properties"]["EvaluationPeriods"] = periods
    return json.dumps(template)


def untouched(stack: Stack, before: list[str]) -> bool:
    """Whether nothing has happened to a stack, and no plan is left on it."""
    return stack.states == before and stack.change_sets == {}


def error_of(ran: Ran) -> str:
    """Return what a command that failed said at its end."""
    assert "Traceback" not in ran.err
    return ran.err[ran.err.index("Error: ") :]
