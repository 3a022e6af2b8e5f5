"""The plan of a deploy: prepare it (up to the change set), guard it, or take it back."""

import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from paycli import __version__
from paycli.aws import Aws, Caller, check_caller
from paycli.deployment import artifacts, bootstrap, changeset, lint, stacks
from paycli.deployment.changeset import ChangeSet
from paycli.deployment.package import CodePackage, package
from paycli.environment import Environment
from paycli.errors import PaycliError
from paycli.handlers_source import handlers_root
from paycli.progress import Report, Step
from paycli.runtimes import warning
from paycli.stack import build
from paycli.stack.rendering import to_json

# Bytes: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
_INLINE_LIMIT = 51_200

# Stands for the artifact bucket in a plan for an account that has none yet: a dry run makes none.
_NO_BUCKET = "made-by-the-first-deploy"


@dataclass(frozen=True)
class Plan:
    """What a deploy will do. `change_set` is None where the stack has it all already."""

    environment: Environment
    template: dict[str, str]
    parameters: dict[str, str]
    change_set: ChangeSet | None
    place: str  # where, in words: the account and region

    @property
    def changes(self) -> tuple[changeset.Change, ...]:
        """What will change."""
        return self.change_set.changes if self.change_set else ()


def prepare(aws: Aws, environment: Environment, root: Path, report: Report, *, dry_run: bool = False) -> Plan:
    """Render, lint, package, upload what is absent, and create the change set.

    With `dry_run` nothing is uploaded and no bootstrap stack is made. Raises PaycliError where
    the stack's state allows no deploy.
    """
    caller = check_caller(aws, environment)
    soon = warning(environment.runtime, datetime.now(UTC).date())
    if soon and environment.target == "aws":
        report(Step(soon))
    template = build(environment)
    body = to_json(template)
    if lint.check(body, aws.region, root):
        report(Step("cfn-lint: no findings"))
    code = package(handlers_root())
    cloudformation = aws.client("cloudformation")
    stack = stacks.find(cloudformation, environment.stack_name)
    creates = _creates(stack, environment)
    bucket = _bucket(aws, environment, caller, code, report, dry_run=dry_run)
    parameters = {"ArtifactBucket": bucket, "CodeKey": code.key}
    if "DeletionProtection" in template.parameters:
        parameters["DeletionProtection"] = "false" if creates else "true"  # a protected create can't be rolled back
    if creates and bucket == _NO_BUCKET and len(body.encode()) > _INLINE_LIMIT:
        report(Step("Told from the template: CloudFormation takes one of this size only from the artifact bucket,"))
        report(Step("which the first deploy makes."))
        types = {name: resource.resource_type for name, resource in template.resources.items()}
        return Plan(environment, {}, parameters, changeset.told(environment, types), caller.place)
    source = _source(aws, bucket, caller, body)
    change_set = changeset.create(
        cloudformation,
        environment,
        template=source,
        parameters=parameters,
        creates=creates,
        description=_description(root, caller),
    )
    return Plan(environment, source, parameters, change_set, caller.place)


def guard(change_set: ChangeSet, allowed: Collection[str]) -> None:
    """Raise PaycliError where the change set would replace or remove what holds data.

    `allowed` names logical IDs that may be removed; a replacement is never allowed, nor a removal together with an
    addition of the same type: under a new logical ID and the old name, CloudFormation loses both.
    """
    added = {change.resource_type for change in change_set.changes if change.action == "Add"}
    for change in change_set.changes:
        if not change.loses_data:
            continue
        said = f"{change.logical_id} ({change.resource_type}) holds data and would be"
        if change.action != "Remove":
            raise PaycliError(
                f"{said} replaced (because of {', '.join(change.causes)}).",
                hint="CloudFormation can't replace what has a fixed name: add one under a new name and move the data.",
                code="data_loss",
            )
        if change.logical_id not in allowed:
            hint = f"If that is meant: --allow-remove {change.logical_id}"
            raise PaycliError(f"{said} removed.", hint=hint, code="data_loss")
        if change.resource_type in added:
            raise PaycliError(
                f"{said} removed while another of its type is added.",
                hint="Do it in two deploys: first the addition, then the removal.",
                code="data_loss",
            )


def discard(aws: Aws, plan: Plan) -> None:
    """Leave nothing of a plan that isn't executed."""
    unused = plan.change_set
    if unused and unused.change_set_id:
        cloudformation = aws.client("cloudformation")
        changeset.discard(cloudformation, unused.change_set_id, unused.stack_id, creates=unused.creates)


def _creates(stack: stacks.Stack | None, environment: Environment) -> bool:
    """Whether the deploy makes the stack; raises PaycliError in the states that allow no deploy."""
    if stack is None or stack.status == "REVIEW_IN_PROGRESS":
        return True
    if stack.in_progress:
        raise stacks.busy(stack.name, stack.status)
    stacks.check_ours(stack)
    if stack.status.endswith("_COMPLETE") and stack.status not in {"ROLLBACK_COMPLETE", "DELETE_COMPLETE"}:
        return False
    hint = f"paycli teardown --env {environment.name}, then deploy again."
    if stack.status.startswith("UPDATE_"):  # it serves; taking it down would be the worst way out
        hint = f"Mend the cause, then: aws cloudformation continue-update-rollback --stack-name {stack.name}"
    raise PaycliError(f"{stack.name} is {stack.status}: CloudFormation can't update it.", hint=hint, code="bad_state")


def _bucket(
    aws: Aws, environment: Environment, caller: Caller, code: CodePackage, report: Report, *, dry_run: bool
) -> str:
    if dry_run:
        return bootstrap.find_bucket(aws) or _NO_BUCKET
    bucket = bootstrap.ensure_bucket(aws, environment, report)
    if artifacts.upload_if_absent(aws, bucket, caller.account, code):
        report(Step(f"Uploaded the handlers: {code.key} ({len(code.content) / 1024:.1f} KB)"))
    return bucket


def _source(aws: Aws, bucket: str, caller: Caller, body: str) -> dict[str, str]:
    """Return how the change set gets the template: inline, or from the bucket where it is too large for that."""
    size = len(body.encode())
    if size <= _INLINE_LIMIT:
        return {"TemplateBody": body}
    if bucket == _NO_BUCKET:
        raise PaycliError(
            f"The template has {size:,} bytes and needs the artifact bucket, which the first deploy makes.",
            hint="Deploy once, or use fewer or shorter tags: each stands on every resource.",
            code="template_too_large",
        )
    return {"TemplateURL": artifacts.upload_template(aws, bucket, caller.account, body)}


def _description(root: Path, caller: Caller) -> str:
    """Say who deploys what: it stands in the change set, not in tags, which would modify every resource."""
    commit = _commit(root)
    return f"paycli {__version__}{f', commit {commit}' if commit else ''}, by {caller.arn}"


def _commit(root: Path) -> str:
    """Return the project's commit, or nothing where there is no git or no commit."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return ""
