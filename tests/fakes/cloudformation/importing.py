"""Change sets of type IMPORT: what stands already becomes a stack's, as it is, and nothing else changes."""

from collections.abc import Iterable

from tests.fakes.cloudformation import templates
from tests.fakes.cloudformation.diff import Change
from tests.fakes.cloudformation.engine import Engine
from tests.fakes.cloudformation.errors import invalid
from tests.fakes.cloudformation.model import ChangeSet, Configuration, Json, Stack
from tests.fakes.cloudformation.operations import Operation, listed
from tests.fakes.cloudformation.resource_jobs import ImportJob
from tests.fakes.cloudformation.resource_types import known


def check(stack: Stack | None, request: Json, template: Json) -> None:
    """Raise ApiError for what CloudFormation refuses before it makes the change set."""
    targets: list[Json] = request.get("ResourcesToImport", [])
    if not targets:
        raise invalid("Must Provide at least one resource to import")
    before = stack.now if stack else Configuration()
    _refuse_what_may_not_change(stack, before, request, template)
    declared: Json = template["Resources"]
    named = [target["LogicalResourceId"] for target in targets]
    unknown = [name for name in named if name not in declared]
    if unknown:
        raise invalid(
            f"The logical resource ids {listed(unknown)} provided in ResourceToImport do not exist in the template."
        )
    for target in targets:
        expected = known(target["ResourceType"]).primary
        if list(target["ResourceIdentifier"]) != [expected]:
            raise invalid(
                f"Invalid resource identifier for resource type {target['ResourceType']}. Expected [{expected}]"
            )
    there = [name for name in named if name in before.resources and not before.resources[name].gone]
    if there:
        raise invalid(
            f"Resources {listed(there)} passed in ResourceToImport are already in a stack and cannot be imported."
        )
    others = {name: entry for name, entry in declared.items() if name not in named}
    _refuse_other_changes(before.template.get("Resources", {}), others)
    careless = [name for name in named if "DeletionPolicy" not in declared[name]]
    if careless:
        raise invalid(
            f"The following resources to import {listed(careless)} must have DeletionPolicy attribute specified in the "
            "template."
        )


def _refuse_what_may_not_change(stack: Stack | None, before: Configuration, request: Json, template: Json) -> None:
    outputs = template.get("Outputs", {}) != before.template.get("Outputs", {})
    role = request.get("RoleARN", "") != (stack.role_arn if stack else "") and "RoleARN" in request
    tags = "Tags" in request and {tag["Key"]: tag["Value"] for tag in request["Tags"]} != before.tags
    changed = [name for name, differs in (("RoleArn", role), ("Tags", tags)) if differs]
    if outputs or changed:
        named = ["Outputs"] if outputs else changed
        raise invalid(f"As part of the import operation, you cannot modify or add {listed(named)}")


def _refuse_other_changes(before: Json, after: Json) -> None:
    added = [name for name in after if name not in before]
    if added:
        raise invalid(f"Resources {listed(added)} is missing from ResourceToImport list")
    touched = sorted(name for name in before if before[name] != after.get(name))
    if touched:
        raise invalid(
            f"You have modified resources {listed(touched)} in your template that are not being imported. Update, "
            "create or delete operations cannot be executed during import operations."
        )


def changes(change_set: ChangeSet) -> list[Change]:
    """Return the imports that the request names."""
    return [
        Change("Import", target["LogicalResourceId"], target["ResourceType"], *target["ResourceIdentifier"].values())
        for target in change_set.request["ResourcesToImport"]
    ]


def refusal(engine: Engine, change_set: ChangeSet) -> str:
    """Return why the change set fails once what it names is looked up, or nothing."""
    for change in change_set.changes:
        standing = engine.account.find(change.type, change.physical_id)
        if standing is None or standing.leaving:
            return f"Resource of type '{change.type}' with identifier '{change.physical_id}' was not found."
        if standing.stack_id:
            return f"{change.physical_id} already exists in stack {standing.stack_id}"
    return ""


class Import(Operation):
    """Take over what the change set names; where one fails, none is the stack's."""

    def __init__(self, engine: Engine, stack: Stack, before: Configuration, *, new: bool) -> None:
        super().__init__(engine, stack)
        self.before = before
        self.new = new  # the stack has nothing but what is imported

    def begin(self, wanted: Iterable[Change]) -> None:
        """Import each resource, what it needs first."""
        template = self.stack.now.template
        self.engine.set_stack(self.stack, "IMPORT_IN_PROGRESS", "User Initiated")
        jobs = []
        for change in wanted:
            entry = template["Resources"][change.logical_id]
            resource = self._new(change.logical_id, entry)
            jobs.append(ImportJob(self.engine, self.stack, resource, "import", entry, self._value, change.physical_id))
        self._work(jobs, templates.needs(template), self._imported, halts=True)

    def _imported(self, failed: list[str]) -> None:
        if not failed:
            self.engine.set_stack(self.stack, "IMPORT_COMPLETE")
            self.stack.operation = None
            return
        reason = f"The following resource(s) failed to import: {listed(failed)}. "
        self.engine.set_stack(self.stack, "IMPORT_ROLLBACK_IN_PROGRESS", reason)
        self.engine.agenda.after(1.0, self._roll_back)

    def _roll_back(self) -> None:
        for logical_id, resource in list(self.stack.resources.items()):
            if logical_id in self.before.resources or not resource.status:
                continue
            for status in ("IMPORT_ROLLBACK_IN_PROGRESS", "IMPORT_ROLLBACK_COMPLETE"):
                self.engine.set_resource(self.stack, resource, status)
            standing = self.engine.account.find(resource.type, resource.physical_id)
            if standing and standing.stack_id == self.stack.stack_id:
                standing.stack_id = ""
        template = self.stack.now.template if self.new else self.before.template
        self.stack.now = self.before
        self.stack.now.template = template
        self.engine.set_stack(self.stack, "ROLLBACK_COMPLETE" if self.new else "IMPORT_ROLLBACK_COMPLETE")
        self.stack.operation = None
