"""What an execution does at its edges, where no stack can be made to stand."""

from dataclasses import replace
from pathlib import Path

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from paycli.aws import Caller
from paycli.aws_errors import is_temporary
from paycli.deployment import artifacts, execution, follow
from paycli.deployment.changeset import ChangeSet, Wanted
from paycli.deployment.plan import Plan
from paycli.deployment.records import Version
from paycli.environment import Environment
from paycli.errors import PaycliError
from tests.scripted import STACK_ID, Scripted, raw_event

DEV = Environment(name="dev")


def plan(scripted: Scripted) -> Plan:
    return Plan(
        environment=DEV,
        caller=Caller("1" * 12, "arn:aws:iam::111111111111:user/dev", "here"),
        stack=None,
        wanted=Wanted({"TemplateBody": "{}"}, {"CodeKey": "k"}, creates=False, description="d"),
        body="{}",
        version=Version(template_sha256="t", code_key="code/k.zip", paycli="1", commit=""),
        bucket=artifacts.bucket_of(scripted.aws, "bucket-1", "1" * 12),
        change_set=ChangeSet("arn:aws:cloudformation:x:0:changeSet/c/1", STACK_ID, "payment-api-dev", False, ()),
    )


def test_a_stack_without_outputs_is_not_deployed(scripted: Scripted, tmp_path: Path) -> None:
    with pytest.raises(PaycliError, match="isn't deployed"):
        execution.execute(scripted.aws, replace(plan(scripted), change_set=None), tmp_path, scripted.reported.append)


def test_a_deploy_that_is_not_done_in_time_stays_in_progress_on_record(
    scripted: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never_done(*_: object, **__: object) -> None:
        raise PaycliError("isn't done", code=follow.DEADLINE_CODE)

    monkeypatch.setattr(follow, "follow", never_done)
    scripted.answers("s3", "put_object", {})  # the template
    scripted.answers("s3", "list_objects_v2", {})
    scripted.answers("s3", "put_object", {})  # the record, as it begins: no second one follows
    scripted.events(raw_event(1, "UPDATE_COMPLETE"))
    scripted.answers("cloudformation", "execute_change_set", {})
    with pytest.raises(PaycliError, match="isn't done"):
        execution.execute(scripted.aws, plan(scripted), tmp_path, scripted.reported.append)


def answered(code: str, status: int) -> ClientError:
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "DescribeStackEvents")


@pytest.mark.parametrize(
    ("error", "temporary"),
    [
        (answered("Throttling", 400), True),
        (answered("ServiceUnavailable", 503), True),
        (answered("AccessDenied", 403), False),
        (exceptions.EndpointConnectionError(endpoint_url="https://x"), True),
        (exceptions.ReadTimeoutError(endpoint_url="https://x"), True),
        (ValueError("x"), False),
    ],
)
def test_what_is_waited_out(error: Exception, temporary: bool) -> None:
    assert is_temporary(error) is temporary
