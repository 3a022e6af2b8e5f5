"""Change sets: made, computed, executed, deleted."""

from tests.fakes.cloudformation import importing, templates
from tests.fakes.cloudformation.account import Standing
from tests.fakes.cloudformation.creation import Create
from tests.fakes.cloudformation.diff import Change, Comparison, worth
from tests.fakes.cloudformation.engine import Engine, accept, demand_updatable, is_repeated
from tests.fakes.cloudformation.errors import ApiError, invalid
from tests.fakes.cloudformation.model import ChangeSet, Configuration, Json, Stack
from tests.fakes.cloudformation.resource_jobs import KEEPING
from tests.fakes.cloudformation.resource_types import custom_name, known
from tests.fakes.cloudformation.scenario import Problem, validation_failed
from tests.fakes.cloudformation.updating import Update

_NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


def make(engine: Engine, request: Json, body: str | None) -> ChangeSet:
    """Begin a change set. `body` is None where the stack's own template is used again."""
    name, kind = request["ChangeSetName"], request.get("ChangeSetType", "UPDATE")
    stack = engine.find(request["StackName"])
    creates = kind == "CREATE" or (kind == "IMPORT" and (stack is None or stack.status == "REVIEW_IN_PROGRESS"))
    if kind == "CREATE" and stack and stack.status != "REVIEW_IN_PROGRESS":
        raise invalid(f"Stack [{stack.name}] already exists and cannot be created again with the changeSet [{name}].")
    if not creates:
        stack = engine.demand(request["StackName"])
        demand_updatable(stack)
    if stack and name in {one.name for one in stack.change_sets.values()}:
        same = [one for one in stack.change_sets.values() if one.name == name]
        if request.get("ClientToken") and same[0].request.get("ClientToken") == request["ClientToken"]:
            return same[0]
        raise ApiError("AlreadyExistsException", f"ChangeSet [{name}] already exists")
    template = templates.parse(body) if body is not None else (stack.now.template if stack else {})
    templates.check(template, request.get("Capabilities", []))
    before = stack.now.parameters if stack else {}
    values = templates.parameters(template, request.get("Parameters", []), before)
    if kind == "IMPORT":
        importing.check(stack, request, template)
    if stack is None:
        stack = engine.new_stack(request["StackName"])
        engine.begin(stack, "CREATE_CHANGESET", "")
        engine.set_stack(stack, "REVIEW_IN_PROGRESS", "User Initiated")
    arn = f"arn:aws:cloudformation:{engine.region}:{engine.account_id}:changeSet/{name}/{engine.naming.unique()}"
    request = {**request, "TemplateBody": body if body is not None else stack.now.body}
    change_set = ChangeSet(arn, name, stack.stack_id, request, engine.now, engine.naming.unique(), template, values)
    stack.change_sets[arn] = change_set
    seconds = engine.scenario.compute_seconds
    engine.agenda.after(seconds * 0.2, lambda: _set_status(change_set, "CREATE_PENDING", "CREATE_IN_PROGRESS"))
    engine.agenda.after(seconds, lambda: _compute(engine, stack, change_set))
    return change_set


def _set_status(change_set: ChangeSet, before: str, after: str) -> None:
    if change_set.status == before:
        change_set.status = after


def _compute(engine: Engine, stack: Stack, change_set: ChangeSet) -> None:
    if change_set.change_set_id not in stack.change_sets:
        return
    if change_set.kind == "IMPORT":
        change_set.changes = importing.changes(change_set)
        _settle(change_set, _scripted(engine, change_set) or importing.refusal(engine, change_set))
        return
    reverts_drift = change_set.request.get("DeploymentMode") == "REVERT_DRIFT"
    changes = Comparison(engine, stack, change_set, actual=reverts_drift).run()
    change_set.changes = worth(changes)
    if reverts_drift:
        drifted = any(one.drift_status in {"MODIFIED", "DELETED"} for one in changes)
        change_set.drift_status = "DRIFTED" if drifted else "IN_SYNC"
    _settle(change_set, _scripted(engine, change_set) or _refusal(engine, stack, change_set))


def _settle(change_set: ChangeSet, reason: str) -> None:
    if reason:
        change_set.status, change_set.reason = "FAILED", reason
    else:
        change_set.status, change_set.execution_status = "CREATE_COMPLETE", "AVAILABLE"


def _scripted(engine: Engine, change_set: ChangeSet) -> str:
    """Return why the test wants the change set to fail, or nothing."""
    if not engine.scenario.refused:
        return ""
    reason, problems = engine.scenario.refused.pop(0)
    for problem in problems:
        engine.report_problem(change_set, problem)
    return reason


def _refusal(engine: Engine, stack: Stack, change_set: ChangeSet) -> str:
    """Return why the change set fails, or nothing."""
    outputs = change_set.template.get("Outputs", {}) != stack.now.template.get("Outputs", {})
    if not change_set.changes and not outputs and change_set.kind == "UPDATE":
        return _NO_CHANGES
    if change_set.request.get("ImportExistingResources"):
        reason = _import_existing(engine, change_set)
        if reason:
            return reason
    taken = [one for one in change_set.changes if one.action == "Add" and _namesake(engine, one)]
    if not taken or change_set.request.get("DisableValidation"):
        return ""
    for one in taken:
        _report_taken(engine, change_set, one)
    return validation_failed("ResourceExistenceCheck")


def _properties(change: Change) -> Json:
    return dict((change.after or {}).get("Properties", {}))


def _namesake(engine: Engine, change: Change) -> Standing | None:
    """Return what has the name already that the resource is to have."""
    return engine.account.named(change.type, _properties(change))


def _import_existing(engine: Engine, change_set: ChangeSet) -> str:
    """Turn additions of what stands already into imports; return why that isn't possible, or nothing."""
    unsafe = []
    for one in [one for one in change_set.changes if one.action == "Add"]:
        standing, kind = _namesake(engine, one), known(one.type)
        raw = change_set.template["Resources"][one.logical_id].get("Properties", {})
        if standing is None or not kind.importable or not isinstance(raw[kind.name], str) or standing.stack_id:
            continue
        one.action, one.physical_id = "Import", standing.physical_id
        if (one.after or {}).get("DeletionPolicy") not in KEEPING:
            unsafe.append(f"{one.logical_id} ({{{kind.name}={raw[kind.name]}}})")
    if not unsafe:
        return ""
    return (
        "CloudFormation is attempting to import some resources because they already exist in your account. The "
        "resources must have the DeletionPolicy attribute set to 'Retain' or 'RetainExceptOnCreate' in the template "
        f"for successful import. The affected resources are {', '.join(unsafe)}"
    )


def _report_taken(engine: Engine, change_set: ChangeSet, change: Change) -> None:
    name = custom_name(change.type, _properties(change))
    reason = f"Resource of type '{change.type}' with identifier '{name}' already exists."
    path = f"/Resources/{change.logical_id}/Properties/{known(change.type).name}"
    engine.report_problem(change_set, Problem(change.logical_id, reason, "NAME_CONFLICT_VALIDATION", path))


def execute(engine: Engine, stack: Stack, change_set: ChangeSet, request: Json) -> None:
    """Begin the create or update that the change set describes."""
    token, purpose = request.get("ClientRequestToken", ""), f"execute {change_set.change_set_id}"
    if is_repeated(stack, token, purpose):
        return
    if change_set.status != "CREATE_COMPLETE":
        raise _not_executable(change_set, f"status of [{change_set.status}]")
    if change_set.execution_status != "AVAILABLE":
        raise _not_executable(change_set, f"execution status of [{change_set.execution_status}]")
    new = stack.status == "REVIEW_IN_PROGRESS"
    creates = change_set.kind == "CREATE"
    if not creates and not (change_set.kind == "IMPORT" and new):
        demand_updatable(stack)
    asked = change_set.request.get("DeploymentConfig", {})
    disabled = rollback_disabled(change_set.request, request)
    if stack.status in {"CREATE_FAILED", "UPDATE_FAILED"} and not disabled:
        raise invalid(
            f"This stack is currently in a non-terminal [{stack.status}] state. To update the stack from this state, "
            "please use the disable-rollback parameter with update-stack API. To rollback to the last known good "
            "state, use the rollback-stack API"
        )
    accept(stack, token, purpose)
    stack.deployment_config, stack.rollback_disabled = dict(asked), disabled
    stack.change_set_id = change_set.change_set_id
    stack.change_sets = {change_set.change_set_id: change_set}  # the others are deleted
    change_set.execution_status = "EXECUTE_IN_PROGRESS"
    imported = [one.logical_id for one in change_set.changes if one.action == "Import"]
    before = last_stable(stack)
    configure(stack, change_set.request, change_set.template, change_set.parameters)
    if change_set.kind == "IMPORT":
        engine.begin(stack, "UPDATE_STACK", token)
        importing.Import(engine, stack, before, new=new).begin(change_set.changes)
    elif creates:
        engine.begin(stack, "CREATE_STACK", token)
        Create(engine, stack).begin(imported, on_failure=change_set.request.get("OnStackFailure", "ROLLBACK"))
    else:
        engine.begin(stack, "UPDATE_STACK", token)
        stack.updated_at = engine.now
        reverts = change_set.request.get("DeploymentMode") == "REVERT_DRIFT"
        Update(engine, stack, before).begin(imported, reverts_drift=reverts)


def _not_executable(change_set: ChangeSet, why: str) -> ApiError:
    what = f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current {why}"
    return ApiError("InvalidChangeSetStatus", what)


def last_stable(stack: Stack) -> Configuration:
    """Return what a failed update goes back to."""
    if stack.status == "UPDATE_FAILED" and isinstance(stack.operation, Update):
        return stack.operation.before
    return stack.now.copy()


def rollback_disabled(made: Json, executed: Json) -> bool:
    """Whether a failure leaves everything as it is. Express mode alone does."""
    asked: Json = made.get("DeploymentConfig", {})
    if "DisableRollback" in asked:
        return bool(asked["DisableRollback"])
    if "DisableRollback" in executed:
        return bool(executed["DisableRollback"])
    return asked.get("Mode") == "EXPRESS" or "DO_NOTHING" in {made.get("OnStackFailure"), made.get("OnFailure")}


def configure(stack: Stack, request: Json, template: Json, values: dict[str, str]) -> None:
    """Give the stack what a request asks for."""
    stack.now.template, stack.now.body, stack.now.parameters = template, request["TemplateBody"], values
    if "Tags" in request:
        stack.now.tags = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
    stack.capabilities = list(request.get("Capabilities", []))
    stack.role_arn = request.get("RoleARN", stack.role_arn)
    stack.rollback_configuration = _rollback_configuration(stack, request)


def _rollback_configuration(stack: Stack, request: Json) -> Json:
    """Return what watches the operation: a list of triggers, an empty one too, replaces the one that is saved."""
    saved, asked = stack.rollback_configuration, request.get("RollbackConfiguration")
    return {"RollbackTriggers": saved.get("RollbackTriggers", []), **asked} if asked else saved


def finished(stack: Stack, change_set: ChangeSet) -> str:
    """Return the execution status as it is now."""
    if change_set.execution_status != "EXECUTE_IN_PROGRESS":
        return change_set.execution_status
    if stack.in_progress and not stack.status.endswith("CLEANUP_IN_PROGRESS"):
        return "EXECUTE_IN_PROGRESS"
    good = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
    return "EXECUTE_COMPLETE" if stack.status.startswith(good) else "EXECUTE_FAILED"


def find(engine: Engine, name: str, stack_name: str) -> tuple[Stack, ChangeSet]:
    """Return a change set of an ARN, or of a name and its stack."""
    if name.startswith("arn:"):
        found = [(one, one.change_sets[name]) for one in engine.stacks if name in one.change_sets]
    elif not stack_name:
        raise invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
    else:
        stack = engine.demand(stack_name)
        found = [(stack, one) for one in stack.change_sets.values() if one.name == name]
    if not found:
        raise ApiError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)
    return found[0]
