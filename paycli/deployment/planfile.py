"""A reviewed plan as a file, for pipelines of two steps: `deploy --plan FILE`, and later `deploy --execute FILE`."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from paycli.aws import Aws, check_caller
from paycli.deployment import artifacts, bootstrap, changeset, stacks
from paycli.deployment.changeset import Change, ChangeSet, Wanted
from paycli.deployment.plan import Plan, seal, types_of
from paycli.deployment.records import Version
from paycli.environment import Environment
from paycli.errors import PaycliError, UsageError
from paycli.files import write_whole


class PlanFile(BaseModel):
    """What was reviewed; `stack_changed_at` is when the stack's last operation had begun when the plan was made."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1] = 1
    environment: str
    account: str
    region: str
    planned_by: str
    stack_id: Annotated[str, StringConstraints(pattern=r"^arn:[^:]+:cloudformation:[^:]+:[^:]+:stack/.+")]
    # Empty where the stack has it all already.
    change_set_id: Annotated[str, StringConstraints(pattern=r"^(arn:[^:]+:cloudformation:[^:]+:[^:]+:changeSet/.+)?$")]
    creates: bool
    imports: bool = False  # what an earlier stack has kept, before the rest is added
    stack_changed_at: str
    bucket: str
    version: Version
    parameters: dict[str, str]
    tags: dict[str, str]
    changes: tuple[Change, ...]


def check_writable(path: Path) -> None:
    """Raise PaycliError where no plan can be written, before the work for one is done."""
    place = path.resolve()
    if place.exists() and not place.is_file():
        raise _unwritable(path, "it is no regular file")
    try:
        with tempfile.TemporaryFile(dir=next(folder for folder in place.parents if folder.exists())):
            pass
    except OSError as error:
        raise _unwritable(path, str(error.strerror)) from None


def save(plan: Plan, region: str, path: Path) -> None:
    """Write the plan. Its template goes to the artifact bucket, from which the second step takes it."""
    assert plan.bucket  # noqa: S101 - only a dry run has none
    change_set = plan.change_set
    if change_set:
        artifacts.upload_template(plan.bucket, plan.body)
    stack_id = change_set.stack_id if change_set else plan.stack.stack_id if plan.stack else ""
    content = PlanFile(
        environment=plan.environment.name,
        account=plan.caller.account,
        region=region,
        planned_by=plan.caller.arn,
        stack_id=stack_id,
        change_set_id=change_set.change_set_id if change_set else "",
        creates=bool(change_set and change_set.creates),
        imports=bool(change_set and change_set.imports),
        stack_changed_at=str(plan.stack.changed_at) if plan.stack else "",
        bucket=plan.bucket.name,
        version=plan.version,
        parameters=dict(plan.wanted.parameters),
        tags=dict(plan.wanted.tags),
        changes=plan.changes,
    )
    place = path.resolve()  # the file that a link names, not the link
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, content.model_dump_json(indent=2) + "\n")
    except OSError as error:
        raise _unwritable(path, str(error.strerror)) from None


def load(aws: Aws, environment: Environment, path: Path) -> Plan:
    """Return the saved plan, still executable.

    Raises PaycliError where it is for another environment, account or region, where the stack has moved since, or
    where its change set is gone or isn't the one that was reviewed.
    """
    saved = _read(path)
    caller = check_caller(aws, environment)
    here = (environment.name, caller.account, aws.region)
    if (saved.environment, saved.account, saved.region) != here:
        raise UsageError(
            f"{path} is a plan for {saved.environment} in account {saved.account}, {saved.region}; "
            f"this is {here[0]} in account {here[1]}, {here[2]}.",
            hint="Execute it where it was made for.",
            code="other_plan",
        )
    cloudformation = aws.client("cloudformation")
    stack = stacks.find(cloudformation, saved.stack_id)
    if stack is None or stack.in_progress or stack.empty is not saved.creates or _moved(stack, saved):
        status = stack.status if stack else "gone"
        raise _outdated(environment, f"the stack has moved since (it is {status})")
    if bootstrap.find_bucket(aws) != saved.bucket:
        raise _outdated(environment, "its template and code lie in another bucket than that of this account")
    bucket = artifacts.bucket_of(aws, saved.bucket, caller.account)
    wanted = Wanted(
        template={"TemplateURL": artifacts.template_url(bucket, saved.version.template_sha256)},
        parameters=saved.parameters,
        creates=saved.creates,
        description=saved.planned_by,
        tags=saved.tags,
    )
    plan = Plan(environment, caller, stack, wanted, "", saved.version, bucket, change_set=None)
    if not saved.change_set_id:
        return plan
    body = artifacts.template(bucket, saved.version.template_sha256)
    if body is None or artifacts.code_checksum(bucket, saved.version.code_key) is None:
        raise _outdated(environment, f"its {'code' if body else 'template'} is no longer in the artifact bucket")
    if ("DeletionProtection" in saved.parameters) is not environment.retain_data:
        raise _outdated(environment, "retain_data has been changed since")
    change_set = _reviewed(cloudformation, saved, environment, types_of(body), seal(saved.version, wanted))
    kept = replace(plan, body=body, change_set=change_set, saved=True, file=str(path))
    return replace(kept, stack=None) if saved.creates else kept


def _unwritable(path: Path, why: str) -> PaycliError:
    return PaycliError(
        f"{path} can't be written: {why}.", hint="Choose another FILE for --plan.", code="plan_unwritable"
    )


def _read(path: Path) -> PlanFile:
    try:
        return PlanFile.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError):
        raise UsageError(
            f"{path} is no plan of paycli.", hint="`paycli deploy --plan FILE` writes one.", code="no_plan"
        ) from None


def _moved(stack: stacks.Stack, saved: PlanFile) -> bool:
    return not saved.creates and str(stack.changed_at) != saved.stack_changed_at


def _reviewed(
    cloudformation: Any, saved: PlanFile, environment: Environment, types: Mapping[str, str], sealed: str
) -> ChangeSet:
    """Return the change set, if it is still there, executable, and the one that was reviewed.

    What follows it (the rest after an import, the table's protection) is made of the file: that has to be as it was.
    """
    try:
        described = changeset.describe(cloudformation, saved.change_set_id)
    except cloudformation.exceptions.ChangeSetNotFoundException:
        raise _outdated(environment, "its change set is gone") from None
    status = described.get("ExecutionStatus", "AVAILABLE")
    if status != "AVAILABLE":
        raise _outdated(environment, f"its change set is {status}")
    if not described.get("Description", "").endswith(f", plan {sealed}"):
        raise _outdated(environment, "the file was changed since, or another paycli wrote it")
    found = ChangeSet(
        change_set_id=saved.change_set_id,
        stack_id=saved.stack_id,
        stack_name=environment.stack_name,
        creates=saved.creates,
        changes=changeset.changes(described),
        imports=saved.imports,
    )
    if found.imports:
        found = changeset.with_additions(found, types)
    if list(map(_what, found.changes)) != list(map(_what, saved.changes)):
        raise _outdated(environment, "its change set is not the one that was reviewed")
    return found


def _what(change: Change) -> tuple[str, ...]:
    """Return what a reviewer has seen and decided by; what causes a change, CloudFormation says anew."""
    return change.action, change.logical_id, change.resource_type, change.replacement


def _outdated(environment: Environment, why: str) -> PaycliError:
    return PaycliError(
        f"The plan can't be executed: {why}.",
        hint=f"Make a new one: `paycli deploy --env {environment.name} --plan FILE`.",
        code="plan_outdated",
    )
