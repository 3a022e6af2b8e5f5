"""Create a stack, and delete again what a failed create has made."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tests.fakes.cloudformation import templates
from tests.fakes.cloudformation.deletion import Delete
from tests.fakes.cloudformation.model import Resource
from tests.fakes.cloudformation.operations import (
    Operation,
    listed,
    monitoring_seconds,
    read_outputs,
    reversed_needs,
)
from tests.fakes.cloudformation.resource_jobs import CreateJob, ImportJob

if TYPE_CHECKING:
    from tests.fakes.cloudformation.jobs import Job


class Create(Operation):
    """A new stack. Resources in `imported` stand already and are taken over."""

    def begin(self, imported: Iterable[str] = (), *, on_failure: str = "ROLLBACK") -> None:
        self.on_failure = on_failure
        template = self.stack.now.template
        self.engine.set_stack(self.stack, "CREATE_IN_PROGRESS", "User Initiated")
        self._watch("CREATE_IN_PROGRESS", self._roll_back)
        if self.stack.status != "CREATE_IN_PROGRESS":
            return
        jobs: list[Job] = []
        for logical_id, entry in template["Resources"].items():
            kind, phase = (ImportJob, "import") if logical_id in set(imported) else (CreateJob, "create")
            new = self._new(logical_id, entry)
            jobs.append(kind(self.engine, self.stack, new, phase, entry, self._value))
        self._work(jobs, templates.needs(template), self._made, halts=not self.stack.rollback_disabled)

    def _made(self, failed: list[str]) -> None:
        if failed:
            self._roll_back(f"The following resource(s) failed to create: {listed(failed)}. ")
            return
        self.stack.now.outputs = read_outputs(self.engine, self.stack)
        self.engine.announce_configured(self.stack)
        seconds = monitoring_seconds(self.stack)
        self.engine.agenda.after(seconds, self._complete)

    def _complete(self) -> None:
        if self.stack.status == "CREATE_IN_PROGRESS" and self.stack.operation is self:
            self.engine.set_stack(self.stack, "CREATE_COMPLETE")
            self.stack.operation = None

    def _roll_back(self, reason: str) -> None:
        if self.on_failure == "DELETE":
            Delete(self.engine, self.stack).begin(reason=f"{reason}Delete requested by user.")
        elif self.stack.rollback_disabled or self.on_failure == "DO_NOTHING":
            self.engine.set_stack(self.stack, "CREATE_FAILED", reason)
        else:
            self.engine.begin(self.stack, "ROLLBACK", self.stack.token)
            CreateRollback(self.engine, self.stack).begin(f"{reason}Rollback requested by user.")


class CreateRollback(Operation):
    """Delete what a failed create has made."""

    def begin(self, reason: str) -> None:
        self.engine.set_stack(self.stack, "ROLLBACK_IN_PROGRESS", reason)
        made = [one for one in self.stack.resources.values() if one.status and not one.gone]
        jobs = self._deletes(made, "rollback", kept=self._kept)
        self._work(jobs, reversed_needs(templates.needs(self.stack.now.template)), self._rolled_back)

    def _kept(self, resource: Resource) -> bool:
        # RetainExceptOnCreate keeps what this operation hasn't made.
        return resource.deletion_policy == "Retain" or resource.status.startswith("IMPORT_")

    def _rolled_back(self, failed: list[str]) -> None:
        if failed:
            reason = f"The following resource(s) failed to delete: {listed(failed)}. "
            self.engine.set_stack(self.stack, "ROLLBACK_FAILED", reason)
        else:
            self.engine.set_stack(self.stack, "ROLLBACK_COMPLETE")
        self.stack.operation = None
