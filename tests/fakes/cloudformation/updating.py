"""Update a stack, and bring it back to what it was when that fails or is cancelled."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tests.fakes.cloudformation import policy, templates
from tests.fakes.cloudformation.engine import Engine
from tests.fakes.cloudformation.model import Configuration, Resource, Stack
from tests.fakes.cloudformation.operations import (
    Operation,
    kept_by_policy,
    listed,
    monitoring_seconds,
    read_outputs,
    reversed_needs,
)
from tests.fakes.cloudformation.resource_jobs import CreateJob, ImportJob, RevertJob, UpdateJob

if TYPE_CHECKING:
    from tests.fakes.cloudformation.jobs import Job


class Update(Operation):
    """A new template, parameters or tags for a stack that stands. `self.stack.now` is the new configuration."""

    def __init__(self, engine: Engine, stack: Stack, before: Configuration) -> None:
        super().__init__(engine, stack)
        self.before = before
        self.replaced: list[Resource] = []

    def begin(self, imported: Iterable[str] = (), *, reverts_drift: bool = False) -> None:
        template = self.stack.now.template
        self.engine.set_stack(self.stack, "UPDATE_IN_PROGRESS", "User Initiated")
        self._watch("UPDATE_IN_PROGRESS", self._roll_back)
        if self.stack.status != "UPDATE_IN_PROGRESS" or self._removal_is_denied():
            return
        retags = self.stack.now.tags != self.before.tags
        jobs: list[Job] = []
        for logical_id, entry in template["Resources"].items():
            there = self.stack.resources.get(logical_id)
            if there and there.status and not there.gone and there.status != "CREATE_FAILED":
                jobs.append(
                    UpdateJob(
                        self.engine,
                        self.stack,
                        there,
                        "update",
                        entry,
                        self._value,
                        reverts_drift=reverts_drift,
                        retags=retags,
                        replaced=self.replaced,
                    )
                )
            else:
                kind, phase = (ImportJob, "import") if logical_id in set(imported) else (CreateJob, "create")
                jobs.append(
                    kind(self.engine, self.stack, there or self._new(logical_id, entry), phase, entry, self._value)
                )
        self._work(jobs, templates.needs(template), self._deployed, halts=not self.stack.rollback_disabled)

    def cancel(self) -> None:
        """Cancel it, as CancelUpdateStack does."""
        self.interrupt()
        self._roll_back("Stack update cancelled")

    def _removed(self) -> list[Resource]:
        kept = self.stack.now.template["Resources"]
        there = [one for one in self.stack.resources.values() if one.status and not one.gone]
        return [one for one in there if one.logical_id not in kept]

    def _removal_is_denied(self) -> bool:
        for resource in self._removed():
            denied = policy.denial(self.stack.policy, "Delete", resource.logical_id, resource.type)
            if denied:
                self.engine.set_resource(self.stack, resource, "UPDATE_FAILED", denied)
                self._deployed([resource.logical_id])
                return True
        return False

    def _deployed(self, failed: list[str]) -> None:
        if failed:
            made = all(self.stack.resources[one].status.startswith("CREATE") for one in failed)
            self._roll_back(f"The following resource(s) failed to {'create' if made else 'update'}: {listed(failed)}. ")
        else:
            self.engine.agenda.after(monitoring_seconds(self.stack), self._clean_up)

    def _clean_up(self) -> None:
        if self.stack.status != "UPDATE_IN_PROGRESS" or self.stack.operation is not self:
            return
        self.stack.now.outputs = read_outputs(self.engine, self.stack)
        self.engine.set_stack(self.stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        jobs = self._deletes([*self._removed(), *self.replaced], "cleanup", kept=kept_by_policy)
        self._work(jobs, reversed_needs(templates.needs(self.before.template)), self._cleaned_up)

    def _cleaned_up(self, failed: list[str]) -> None:
        for one in [one for one in self._removed() if one.logical_id in failed]:
            del self.stack.resources[one.logical_id]  # CloudFormation gives up on it
        reason = "Update successful. One or more resources could not be deleted." if failed else ""
        self.engine.set_stack(self.stack, "UPDATE_COMPLETE", reason)
        self.stack.operation = None

    def _roll_back(self, reason: str) -> None:
        if self.stack.rollback_disabled and not reason.startswith("Stack update cancelled"):
            self.engine.set_stack(self.stack, "UPDATE_FAILED", reason)
        else:
            self.engine.begin(self.stack, "ROLLBACK", self.stack.token)
            UpdateRollback(self.engine, self.stack, self.before).begin(reason)


class UpdateRollback(Operation):
    """Bring a stack back to the configuration before its update."""

    def __init__(self, engine: Engine, stack: Stack, before: Configuration) -> None:
        super().__init__(engine, stack)
        self.before = before
        self.new: list[Resource] = []  # physical resources that the update has made, for the cleanup

    def begin(self, reason: str, skipped: Iterable[str] = ()) -> None:
        self.engine.set_stack(self.stack, "UPDATE_ROLLBACK_IN_PROGRESS", reason)
        jobs: list[Job] = []
        for logical_id, before in self.before.resources.items():
            resource = self.stack.resources[logical_id]
            if logical_id in skipped:
                self.engine.set_resource(self.stack, resource, "UPDATE_COMPLETE", "Resource skipped")
            elif _differs(resource, before):
                self._note_new(resource, before)
                jobs.append(RevertJob(self.engine, self.stack, resource, "rollback", before))
        self._work(jobs, templates.needs(self.before.template), self._reverted)

    def _note_new(self, resource: Resource, before: Resource) -> None:
        if resource.physical_id not in {before.physical_id, *(one.physical_id for one in self.new)}:
            self.new.append(Resource(resource.logical_id, resource.type, resource.physical_id, "UPDATE_COMPLETE"))

    def _reverted(self, failed: list[str]) -> None:
        if failed:
            reason = f"The following resource(s) failed to update: {listed(failed)}. "
            self.engine.set_stack(self.stack, "UPDATE_ROLLBACK_FAILED", reason)
            return
        made = [one for key, one in self.stack.resources.items() if key not in self.before.resources and one.status]
        after = self.stack.now.template
        now = self.before.copy()
        now.resources = self.stack.now.resources
        self.stack.now = now
        self.engine.set_stack(self.stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        gone = [one for one in made if not one.gone]
        jobs = self._deletes([*gone, *self.new], "cleanup", kept=_was_there)
        self._work(jobs, reversed_needs(templates.needs(after)), self._cleaned_up)

    def _cleaned_up(self, failed: list[str]) -> None:
        for logical_id in set(self.stack.resources) - self.before.resources.keys():
            del self.stack.resources[logical_id]
        reason = "Update successful. One or more resources could not be deleted." if failed else ""
        self.engine.set_stack(self.stack, "UPDATE_ROLLBACK_COMPLETE", reason)
        self.stack.operation = None


def _was_there(resource: Resource) -> bool:
    """Whether the update has only taken it over, or its policy keeps it in any case."""
    return resource.deletion_policy == "Retain" or resource.status == "IMPORT_COMPLETE"


def _differs(resource: Resource, before: Resource) -> bool:
    """Whether the update has touched it, or a rollback has failed on it."""
    return (
        resource.status == "UPDATE_FAILED"
        or resource.physical_id != before.physical_id
        or resource.properties != before.properties
    )
