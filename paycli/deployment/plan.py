"""The plan of a deploy: prepare it (up to the change set), guard it, or take it back."""

import contextlib
import hashlib
import json
import shlex
import subprocess
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from paycli import __version__
from paycli.aws import Aws, Caller, check_caller
from paycli.aws_errors import words
from paycli.deployment import artifacts, bootstrap, changeset, failure, lint, readoption, stacks, states
from paycli.deployment.artifacts import Bucket
from paycli.deployment.changeset import Change, ChangeSet, Wanted
from paycli.deployment.package import CodePackage, package
from paycli.deployment.readoption import Kept
from paycli.deployment.records import Version
from paycli.environment import Environment
from paycli.errors import PaycliError
from paycli.handlers_source import demand_own, handlers_root
from paycli.progress import Report, Step
from paycli.runtimes import warning
from paycli.stack import build
from paycli.stack.rendering import to_json

# Bytes: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
_INLINE_LIMIT = 51_200

# Stands for the artifact bucket in a plan for an account that has none yet: a dry run makes none.
_NO_BUCKET = "made-by-the-first-deploy"

# After a rollback, AWS doesn't say whose template GetTemplate gives.
_AS_DEPLOYED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})

_TABLE = "AWS::DynamoDB::Table"

# The alarms that undo an update while it runs; CloudFormation takes at most five.
_ERROR_ALARMS = ("validation-errors", "processing-errors", "api-5xx")


@dataclass(frozen=True)
class Plan:
    """What a deploy will do. `change_set` is None where the stack has it all already."""

    environment: Environment
    caller: Caller
    stack: stacks.Stack | None  # as it stands before; None where it is created
    wanted: Wanted
    body: str  # the template, as minified JSON
    version: Version
    bucket: Bucket | None  # None in a dry run of an account that has none
    change_set: ChangeSet | None
    code: CodePackage | None = None  # where it was packed here
    rollback_of: int | None = None  # the record that is deployed again
    kept: tuple[Kept, ...] = ()  # of an earlier stack, for the one that is created
    saved: bool = False  # a file names its change set, which stays until it is executed
    file: str = ""  # that one
    taken_up: bool = False  # what was kept is the stack's again, and the change set adds the rest

    @property
    def serves_before(self) -> bool:
        """Whether a version runs that a failed update goes back to."""
        return self.stack is not None and not self.stack.holds_only_data

    @property
    def command(self) -> str:
        """The command that carries it out, and goes on with it where it was cut off."""
        again = f"rollback --env {self.environment.name} --to {self.rollback_of}"
        return f"paycli {again if self.rollback_of else f'deploy --env {self.environment.name}'}"

    @property
    def changes(self) -> tuple[changeset.Change, ...]:
        """What will change."""
        return self.change_set.changes if self.change_set else ()


@dataclass(frozen=True)
class Options:
    """How a plan is made. With `dry_run` nothing is uploaded, repaired or made; one that is `kept` gets a seal."""

    policy: states.Policy
    dry_run: bool = False
    revert_drift: bool = False
    kept: bool = False


def prepare(aws: Aws, environment: Environment, root: Path, report: Report, options: Options) -> Plan:
    """Render, lint, package; where the stack hasn't it all, upload what is absent and create the change set.

    Raises PaycliError where the stack's state allows no deploy.
    """
    demand_own(root)
    caller = check_caller(aws, environment)
    soon = warning(environment.runtime, datetime.now(UTC).date())
    if soon and environment.target == "aws":
        report(Step(soon))
    template = build(environment)
    body = to_json(template)
    if lint.check(body, aws.region, root, report):
        report(Step("cfn-lint: no findings"))
    code = package(handlers_root())
    cloudformation = aws.client("cloudformation")
    stack = states.bring_to_rest(cloudformation, states.of_environment(environment), options.policy, report)
    bucket = _bucket(aws, environment, caller, report, options)
    version = Version(
        template_sha256=hashlib.sha256(body.encode()).hexdigest(),
        code_key=code.key,
        paycli=__version__,
        commit=_commit(root, report),
    )
    creates = stack is None or stack.empty
    plan = Plan(
        environment=environment,
        caller=caller,
        stack=None if creates else stack,
        wanted=Wanted({}, {}, creates=creates, description=_description(version, caller), tags=environment.all_tags),
        body=body,
        version=version,
        bucket=bucket,
        change_set=None,
        code=code,
        kept=readoption.find(aws, environment, json.loads(body)) if creates else (),
    )
    if options.dry_run and plan.kept:
        report(Step("Told from the template and what an earlier stack has kept: it is imported first, and then the"))
        report(Step("rest is added, which CloudFormation can't plan before."))
        return replace(plan, change_set=changeset.told(environment, types_of(body), plan.kept))
    if creates and bucket is None and len(body.encode()) > _INLINE_LIMIT:
        report(Step("Told from the template: CloudFormation takes one of this size only from the artifact bucket,"))
        report(Step("which the first deploy makes."))
        return replace(plan, change_set=changeset.told(environment, types_of(body)))
    if not options.revert_drift and _is_deployed(cloudformation, plan):
        _demand_table_of(aws, plan)
        return plan
    with failure.refusing(plan.environment, plan.command):
        uploaded = bucket and not options.dry_run and artifacts.upload_if_absent(bucket, code)
    if uploaded:
        report(Step(f"Uploaded the handlers: {code.key} ({len(code.content) / 1024:.1f} KB)"))
    return with_change_set(aws, plan, revert_drift=options.revert_drift, stays=not options.dry_run, sealed=options.kept)


def with_change_set(
    aws: Aws, plan: Plan, *, revert_drift: bool = False, stays: bool = True, sealed: bool = False
) -> Plan:
    """Return the plan with the change set that makes its template and code the stack's.

    Where an earlier stack has kept something, that change set only imports it, and `completed` gives the one that
    follows. What was imported is compared with what really stands: the template of an import may claim anything.
    A template that is too large for the request `stays` in the artifact bucket, or lies there only meanwhile. One that
    is `sealed` can be executed later, and no other.
    Raises PaycliError where the table of a stack that serves is gone; to revert drift makes it again.
    """
    if plan.serves_before and not revert_drift:
        _demand_table_of(aws, plan)
    creates = plan.wanted.creates
    unserving = not (creates or plan.serves_before)
    made = plan
    try:
        with failure.refusing(plan.environment, plan.command), _source(plan.bucket, plan.body, stays=stays) as template:
            wanted = replace(
                plan.wanted,
                template=template,
                parameters=_parameters(plan, protects=_table_stands(aws, plan)),
                alarms=() if creates or unserving else _triggers(aws, plan),
                revert_drift=(revert_drift or unserving) and not creates,
            )
            if sealed:
                wanted = replace(wanted, description=f"{wanted.description}, plan {seal(plan.version, wanted)}")
            planned = replace(plan, wanted=wanted)
            change_set = _import(aws, planned) if plan.kept else _create(aws, planned)
            made = replace(planned, change_set=change_set)
    except (KeyboardInterrupt, SystemExit):  # while the template was taken back
        discard(aws, made)
        raise
    return made


def _create(aws: Aws, plan: Plan) -> ChangeSet | None:
    return changeset.create(aws.client("cloudformation"), plan.environment, plan.wanted)


def seal(version: Version, wanted: Wanted) -> str:
    """Return the digest of what a kept plan deploys: its change set carries it, where nobody can alter it."""
    sealed = [version.model_dump(), dict(wanted.parameters), dict(wanted.tags)]
    return hashlib.sha256(json.dumps(sealed, sort_keys=True).encode()).hexdigest()[:32]


def completed(aws: Aws, plan: Plan) -> Plan:
    """Return the plan with the change set that adds the rest to what was imported.

    Raises PaycliError where it would replace or remove what holds data.
    """
    wanted = replace(plan.wanted, creates=False, revert_drift=True)
    change_set = changeset.create(aws.client("cloudformation"), plan.environment, wanted)
    assert change_set  # noqa: S101 - outputs at least are added
    # No file names this one.
    plan = replace(plan, wanted=wanted, change_set=change_set, saved=False, taken_up=True)
    try:
        guard(change_set, ())
    except BaseException:
        discard(aws, plan)
        raise
    return plan


def _import(aws: Aws, plan: Plan) -> ChangeSet:
    """Return the change set that makes the stack of what was kept, and shows what is added to it afterwards."""
    from botocore.exceptions import ClientError

    body = readoption.body(json.loads(plan.body), plan.kept)
    imports = replace(plan.wanted, template={"TemplateBody": body}, imports=plan.kept)
    try:
        change_set = changeset.create(aws.client("cloudformation"), plan.environment, imports)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied" or error.operation_name != "CreateChangeSet":
            raise
        raise PaycliError(
            f"An earlier {plan.environment.stack_name} has kept its data, which may not be imported: {words(error)}",
            hint="The deployer's policy imports no key, on purpose. For this one deploy somebody needs besides what "
            f"`paycli config deployer-policy --env {plan.environment.name} --for import` prints.",
            code="import_denied",
        ) from None
    assert change_set  # noqa: S101 - an import without changes is refused
    return changeset.with_additions(change_set, types_of(plan.body))


def types_of(body: str) -> dict[str, str]:
    """Return the type of each resource of a template, by its logical ID."""
    return {name: resource["Type"] for name, resource in json.loads(body)["Resources"].items()}


def _table_stands(aws: Aws, plan: Plan) -> bool:
    """Whether the table is there before this deploy: one that is made anew must be such as can be rolled back."""
    if plan.wanted.creates:
        return any(one.resource_type == _TABLE for one in plan.kept)
    if plan.stack is None or plan.serves_before:
        return True
    resources = stacks.resources(aws.client("cloudformation"), plan.stack.stack_id)
    return any(resource["ResourceType"] == _TABLE for resource in resources)


def guard(change_set: ChangeSet, allowed: Collection[str]) -> None:
    """Raise PaycliError where the change set would replace or remove what holds data, or make it again empty.

    `allowed` names logical IDs that may be removed, or made again empty. A replacement is never allowed, nor a removal
    together with an addition of the same type: under a new logical ID and the old name, CloudFormation loses both.
    """
    added = {change.resource_type for change in change_set.changes if change.action == "Add" and not change.deleted}
    for change in change_set.changes:
        if change.loses_data and (refused := _refusal(change, allowed, added)):
            message, hint = refused
            raise PaycliError(f"{change.logical_id} ({change.resource_type}) {message}.", hint=hint, code="data_loss")


def _refusal(change: Change, allowed: Collection[str], added: Collection[str]) -> tuple[str, str] | None:
    """Return why a change that loses data isn't made, with a hint; None where it is allowed."""
    wish = f"--allow-remove {change.logical_id}"
    if change.deleted and change.action == "Add":
        hint = f"What it held is lost. To have it made again, empty, add {wish}."
        if change.resource_type == _TABLE:
            back = "Bring it back first: `paycli restore --env ENV --deleted` (docs/recovery.md)"
            hint = f"{back}. To have it empty, add {wish}."
        said = "was deleted past CloudFormation, and would be made again without what it held"
        return None if change.logical_id in allowed else (said, hint)
    if change.action != "Remove":
        causes = ", ".join(cause.name for cause in change.causes)
        hint = "CloudFormation can't replace what has a fixed name: add one under a new name and move the data."
        return f"holds data and would be replaced (because of {causes})", hint
    if change.logical_id not in allowed:
        return "holds data and would be removed", f"If that is meant: {wish}"
    if change.resource_type in added:
        said = "holds data and would be removed while another of its type is added"
        return said, "Do it in two deploys: first the addition, then the removal."
    return None


def discard(aws: Aws, plan: Plan) -> None:
    """Leave nothing of a plan that isn't executed."""
    unused = plan.change_set
    if unused and unused.change_set_id:
        cloudformation = aws.client("cloudformation")
        changeset.discard(cloudformation, unused.change_set_id, unused.stack_id, creates=unused.creates)


def _bucket(aws: Aws, environment: Environment, caller: Caller, report: Report, options: Options) -> Bucket | None:
    if options.dry_run:
        found = bootstrap.find_bucket(aws)
    else:
        found = bootstrap.ensure_bucket(aws, environment, options.policy, report)
    return artifacts.bucket_of(aws, found, caller.account) if found else None


def _parameters(plan: Plan, *, protects: bool) -> dict[str, str]:
    """Return the values of the parameters that the template declares: CloudFormation refuses others.

    A rollback's template may be of other settings. One that protects its table is deployed so, though `retain_data` is
    off by now: a rollback takes no protection away. One that can't, has nothing to set.
    """
    values = {
        "ArtifactBucket": plan.bucket.name if plan.bucket else _NO_BUCKET,
        "CodeKey": plan.version.code_key,
        # A protected table couldn't be rolled back by a create that fails.
        "DeletionProtection": "true" if protects else "false",
    }
    declared = json.loads(plan.body)["Parameters"]
    return {name: value for name, value in values.items() if name in declared}


def _is_deployed(cloudformation: Any, plan: Plan) -> bool:
    """Whether the stack was made from this very template, with these parameters and tags (one call).

    Then its change set would be empty, and CloudFormation would take seconds to compute that. Anything else, a refusal
    included, is for the change set to tell.
    """
    from botocore.exceptions import ClientError

    stack = plan.stack
    if stack is None or stack.status not in _AS_DEPLOYED:
        return False
    if stack.parameters != _parameters(plan, protects=True) or stack.tags != plan.environment.all_tags:
        return False
    try:
        found = cloudformation.get_template(StackName=stack.stack_id)["TemplateBody"]
    except ClientError:
        return False
    return bool(found == json.loads(plan.body))  # boto3 has parsed it


def demand_table(aws: Aws, environment: Environment, table: str = "") -> None:
    """Raise PaycliError where the table is gone (one call): CloudFormation doesn't look, and sees no difference.

    Without a name it is the one that the environment's settings make.
    """
    from botocore.exceptions import ClientError

    table = table or environment.named("transactions")
    try:
        aws.client("dynamodb").describe_table(TableName=table)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            return  # who deploys with a role of CloudFormation's may have no right to look
        empty = f"paycli deploy --env {environment.name} --revert-drift --allow-remove TransactionsTable"
        back = f"`paycli restore --env {environment.name} --deleted` brings it back with its payments"
        hint = f"{back}; `{empty}` makes an empty one."
        if environment.target == "embedded":
            hint = f"The embedded AWS can't bring it back: `paycli teardown --env {environment.name}`, then deploy."
        raise PaycliError(
            f"{table} is gone, deleted past CloudFormation. Nothing was deployed.",
            hint=hint,
            code="table_gone",
        ) from None


def demand_table_still(aws: Aws, plan: Plan) -> None:
    """Raise PaycliError where the table is gone since the plan was saved, which doesn't make it again (one call)."""
    makes_it_again = any(change.deleted and change.resource_type == _TABLE for change in plan.changes)
    if plan.saved and plan.serves_before and not makes_it_again:
        _demand_table_of(aws, plan)


def _demand_table_of(aws: Aws, plan: Plan) -> None:
    """Raise PaycliError where the stack's own table is gone (one call); the template may be about to rename it."""
    outputs = plan.stack.outputs if plan.stack else {}
    demand_table(aws, plan.environment, outputs.get("TransactionsTableName", ""))


@contextlib.contextmanager
def _source(bucket: Bucket | None, body: str, *, stays: bool) -> Iterator[dict[str, str]]:
    """Give what the change set gets the template by: inline, or from the bucket where it is too large for that."""
    size = len(body.encode())
    if size <= _INLINE_LIMIT:
        yield {"TemplateBody": body}
    elif bucket is None:
        raise PaycliError(
            f"The template has {size:,} bytes and needs the artifact bucket, which the first deploy makes.",
            hint="Deploy once, or use fewer or shorter tags: each stands on every resource.",
            code="template_too_large",
        )
    elif stays:
        yield {"TemplateURL": artifacts.upload_template(bucket, body)}
    else:
        with artifacts.lent(bucket, body) as url:
            yield {"TemplateURL": url}


def _triggers(aws: Aws, plan: Plan) -> tuple[str, ...]:
    """Return the ARNs of the alarms that roll an update back.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-rollback-triggers.html
    """
    environment, caller = plan.environment, plan.caller
    # The alarm that calls for a rollback is on while that runs: it would bring back the version that has set it off.
    if plan.rollback_of or not environment.rollback_on_alarm:
        return ()
    partition = caller.arn.split(":")[1]
    prefix = f"arn:{partition}:cloudwatch:{aws.region}:{caller.account}:alarm:"
    return tuple(prefix + environment.named(name) for name in _ERROR_ALARMS)


def _description(version: Version, caller: Caller) -> str:
    """Say who deploys what: it stands in the change set, not in tags, which would modify every resource."""
    return f"paycli {version.paycli}{f', commit {version.commit}' if version.commit else ''}, by {caller.arn}"


def _commit(root: Path, report: Report) -> str:
    """Return the project's commit, with -dirty where the checkout differs; nothing outside git.

    Git refuses a checkout of somebody else's, as CI's containers have them: that is reported.
    """
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    try:
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except OSError:
        return ""
    except subprocess.CalledProcessError as error:
        if "dubious ownership" in error.stderr:
            said = "Git tells no commit of a checkout that belongs to somebody else"
            report(Step(f"{said}: git config --global --add safe.directory {shlex.quote(str(root))}"))
        return ""
