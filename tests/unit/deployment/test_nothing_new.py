"""A deploy with nothing new: what is deployed already is asked for, and nothing is made."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from paycli.deployment import plan as planning
from paycli.deployment.package import package
from paycli.deployment.states import Policy
from paycli.environment import Environment
from paycli.errors import PaycliError
from paycli.handlers_source import handlers_root
from paycli.stack import build
from paycli.stack.rendering import to_json
from tests.scripted import STACK_ID, Scripted

DEV = Environment(name="dev")
BUCKET = [{"OutputKey": "ArtifactBucket", "OutputValue": "bucket-1"}]
TEMPLATE = to_json(build(DEV))
PARAMETERS = [
    {"ParameterKey": "ArtifactBucket", "ParameterValue": "bucket-1"},
    {"ParameterKey": "CodeKey", "ParameterValue": package(handlers_root()).key},
]
CHECKSUM = base64.b64encode(hashlib.sha256(package(handlers_root()).content).digest()).decode()
TAGS = [{"Key": key, "Value": value} for key, value in DEV.all_tags.items()]
CHANGE_SET = "arn:aws:cloudformation:us-east-1:000000000000:changeSet/c/1"


@pytest.fixture
def linted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A project whose template has passed: linting is not what is tried here."""
    monkeypatch.setattr("paycli.deployment.lint.check", lambda *_arguments: False)
    return tmp_path


def prepared(scripted: Scripted, root: Path, **options: Any) -> planning.Plan:
    scripted.answers("sts", "get_caller_identity", {"Account": "1" * 12, "Arn": "arn:aws:iam::111111111111:user/dev"})
    chosen = planning.Options(Policy(wait=False, ask=None), **options)
    return planning.prepare(scripted.aws, DEV, root, scripted.reported.append, chosen)


def runs(scripted: Scripted, status: str = "UPDATE_COMPLETE", **more: Any) -> None:
    """Let the stack of this very version stand, apart from `more`."""
    scripted.stands(status, **{"Parameters": PARAMETERS, "Tags": TAGS, **more})
    scripted.stands("CREATE_COMPLETE", Outputs=BUCKET)


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_is_deployed_already_needs_no_change_set_and_no_upload(
    scripted: Scripted, linted: Path, *, dry_run: bool
) -> None:
    runs(scripted)
    scripted.answers("cloudformation", "get_template", {"TemplateBody": TEMPLATE})
    scripted.answers("dynamodb", "describe_table", {"Table": {"TableStatus": "ACTIVE"}})
    plan = prepared(scripted, linted, dry_run=dry_run)
    assert plan.change_set is None
    assert plan.stack is not None


def test_a_table_that_is_gone_is_told_although_cloudformation_sees_no_difference(
    scripted: Scripted, linted: Path
) -> None:
    runs(scripted)
    scripted.answers("cloudformation", "get_template", {"TemplateBody": TEMPLATE})
    scripted.fails("dynamodb", "describe_table", "ResourceNotFoundException")
    with pytest.raises(PaycliError, match="transactions-dev is gone") as caught:
        prepared(scripted, linted)
    assert "paycli restore --env dev --deleted" in caught.value.hint
    assert "--allow-remove TransactionsTable" in caught.value.hint


def test_who_may_not_look_at_the_table_may_deploy(scripted: Scripted, linted: Path) -> None:
    runs(scripted)
    scripted.answers("cloudformation", "get_template", {"TemplateBody": TEMPLATE})
    scripted.fails("dynamodb", "describe_table", "AccessDeniedException")
    assert prepared(scripted, linted).change_set is None


@pytest.mark.parametrize(
    ("differs", "asked"),
    [
        ({"Parameters": PARAMETERS[:1]}, ()),
        ({"Tags": TAGS[1:]}, ()),
        ({"status": "UPDATE_ROLLBACK_COMPLETE"}, ()),
        ({"revert_drift": True}, ()),
        ({}, ("get_template", {"TemplateBody": json.dumps({**json.loads(TEMPLATE), "Description": "other"})})),
        ({}, ("get_template", {"TemplateBody": "Resources: {}"})),
        ({}, ("get_template", None)),  # refused
    ],
)
def test_where_anything_differs_the_change_set_tells(
    scripted: Scripted, linted: Path, differs: dict[str, Any], asked: tuple[str, Any]
) -> None:
    changes = dict(differs)
    revert_drift = changes.pop("revert_drift", False)
    runs(scripted, **changes)
    if asked and asked[1] is None:
        scripted.fails("cloudformation", "get_template", "AccessDenied")
    elif asked:
        scripted.answers("cloudformation", *asked)
    scripted.answers("s3", "head_object", {"ChecksumSHA256": CHECKSUM})
    if not revert_drift:
        scripted.answers("dynamodb", "describe_table", {"Table": {"TableStatus": "ACTIVE"}})
    scripted.answers("cloudformation", "create_change_set", {"Id": CHANGE_SET, "StackId": STACK_ID})
    scripted.answers("cloudformation", "describe_change_set", {"Status": "CREATE_COMPLETE", "Changes": []})
    assert prepared(scripted, linted, revert_drift=revert_drift).change_set is not None
