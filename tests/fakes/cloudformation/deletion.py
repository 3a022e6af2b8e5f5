"""Delete a stack: what goes, what stays, and what is in the way."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tests.fakes.cloudformation import templates
from tests.fakes.cloudformation.model import Resource
from tests.fakes.cloudformation.operations import Operation, kept_by_policy, listed, reversed_needs
from tests.fakes.cloudformation.resource_jobs import DeleteJob

if TYPE_CHECKING:
    from tests.fakes.cloudformation.jobs import Job


class Delete(Operation):
    """Delete a stack; what is `retained` stays, and where `forces` also what can't be deleted."""

    def begin(self, retained: Iterable[str] = (), *, forces: bool = False, reason: str = "User Initiated") -> None:
        self.engine.set_stack(self.stack, "DELETE_IN_PROGRESS", reason)
        named = set(retained)
        jobs: list[Job] = [
            DeleteJob(self.engine, self.stack, one, "delete", keeps=self._stays(one, named), forces=forces)
            for one in self.stack.resources.values()
            if one.status and not one.gone
        ]
        self._work(jobs, reversed_needs(templates.needs(self.stack.now.template or {"Resources": {}})), self._deleted)

    def _stays(self, resource: Resource, named: set[str]) -> bool:
        return kept_by_policy(resource) or resource.logical_id in named

    def _deleted(self, failed: list[str]) -> None:
        if failed:
            reason = f"The following resource(s) failed to delete: {listed(failed)}. "
            self.engine.set_stack(self.stack, "DELETE_FAILED", reason)
        else:
            self.engine.set_stack(self.stack, "DELETE_COMPLETE")
            self.stack.deleted_at = self.engine.now
        self.stack.operation = None
