"""What an operation does to one resource: create, import, update or replace, delete, and put back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.cloudformation import policy, templates
from tests.fakes.cloudformation.account import Standing
from tests.fakes.cloudformation.engine import Engine
from tests.fakes.cloudformation.jobs import Work
from tests.fakes.cloudformation.model import Json, Resource, Stack
from tests.fakes.cloudformation.resource_types import custom_name, known

KEEPING = {"Retain", "RetainExceptOnCreate"}
_EXPRESS = "Resource operation completed using Express Mode. It may continue becoming available in the background."
_PROTECTED = (
    "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first."
)
_REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."


@dataclass
class ResourceJob:
    """A job's part that all kinds share."""

    engine: Engine
    stack: Stack
    resource: Resource
    phase: str

    @property
    def logical_id(self) -> str:
        return self.resource.logical_id

    @property
    def type(self) -> str:
        return self.resource.type

    @property
    def failed(self) -> bool:
        return self.resource.status.endswith("_FAILED")

    def cancel(self) -> None:
        kind = {"CREATE": "creation", "DELETE": "deletion", "IMPORT": "import"}.get(self._verb, "update")
        self._set("FAILED", f"Resource {kind} cancelled")

    @property
    def _verb(self) -> str:
        return self.resource.status.partition("_")[0]

    def _set(self, status: str, reason: str = "", verb: str = "", detailed: str = "") -> None:
        self.engine.set_resource(self.stack, self.resource, f"{verb or self._verb}_{status}", reason, detailed)

    def _planned_failure(self) -> str:
        return self.engine.scenario.failure(self.stack.name, self.logical_id, self.phase)

    def _standing(self) -> Standing | None:
        return self.engine.account.find(self.type, self.resource.physical_id)

    def _ending(self) -> tuple[float, str]:
        """Return the share of its duration after which the resource counts as done, and the reason given."""
        return (0.25, _EXPRESS) if self.stack.express else (1.0, "")

    def _work(self, *steps: tuple[float, Callable[[], None]]) -> Work:
        end, reason = self._ending()
        return Work([*((share * end, step) for share, step in steps), (end, lambda: self._set("COMPLETE", reason))])

    def _failing(self, reason: str) -> Work:
        return Work([(0.5, lambda: self._set("FAILED", reason))])

    def _make(self, properties: Json) -> str:
        """Let a new physical resource stand, which settles when a standard operation would be done."""
        naming = self.engine.naming
        physical_id = naming.physical_id(self.type, self.stack.name, self.logical_id, properties)
        settles = self.engine.now + self.engine.scenario.seconds(self.logical_id, self.type, self.phase)
        settles = settles if self.stack.express else 0
        standing = Standing(self.type, physical_id, properties, self.stack.stack_id, settles)
        self.engine.account.resources.append(standing)
        return physical_id


@dataclass
class _FromTemplate(ResourceJob):
    entry: Json = field(default_factory=dict)
    value: Callable[[str, str], Any] = lambda _name, _attribute: None

    def _wanted(self) -> Json:
        return dict(templates.resolve(self.entry.get("Properties", {}), self.value))

    def _apply(self, properties: Json) -> None:
        self.resource.properties = properties
        self.resource.deletion_policy = self.entry.get("DeletionPolicy", "Delete")
        self.resource.replace_policy = self.entry.get("UpdateReplacePolicy", "Delete")
        self.resource.metadata = self.entry.get("Metadata")


@dataclass
class CreateJob(_FromTemplate):
    """Create what isn't there."""

    def begin(self) -> Work | None:
        self._set("IN_PROGRESS", verb="CREATE")
        properties = self._wanted()
        reason = self._planned_failure() or self._taken(properties)
        if reason:
            return self._failing(reason)
        self._apply(properties)
        steps: list[tuple[float, Callable[[], None]]] = [(0.3, self._initiate)]
        if not self.stack.express:
            steps.append((0.7, self._configured))
        return self._work(*steps)

    def _taken(self, properties: Json) -> str:
        if not self.engine.account.named(self.type, properties):
            return ""
        said = f"Resource of type '{self.type}' with identifier '{custom_name(self.type, properties)}' already exists."
        return f'Resource handler returned message: "{said}" (HandlerErrorCode: AlreadyExists)'

    def _initiate(self) -> None:
        self.resource.physical_id = self._make(self.resource.properties)
        self._set("IN_PROGRESS", "Resource creation Initiated")

    def _configured(self) -> None:
        self._set("IN_PROGRESS", "Eventual consistency check initiated", detailed="CONFIGURATION_COMPLETE")


@dataclass
class ImportJob(_FromTemplate):
    """Take over what stands already, as it is: what is `identified`, else what has the name."""

    identified: str = ""

    def begin(self) -> Work | None:
        properties = self._wanted()
        account = self.engine.account
        standing = account.find(self.type, self.identified) if self.identified else account.named(self.type, properties)
        self.resource.physical_id = standing.physical_id if standing else ""
        self._set("IN_PROGRESS", "Resource import started.", verb="IMPORT")
        reason = self._planned_failure()
        if reason or standing is None:
            return self._failing(reason or "The resource to import does not exist.")
        self._apply(properties)
        standing.stack_id = self.stack.stack_id
        return Work([(1.0, lambda: self._set("COMPLETE", "Resource import completed."))])


@dataclass
class UpdateJob(_FromTemplate):
    """Change in place what differs, or replace the resource; nothing where nothing differs."""

    reverts_drift: bool = False
    retags: bool = False  # the stack's tags change, which every resource with tags takes over
    replaced: list[Resource] = field(default_factory=list)  # the old ones, for the cleanup

    def begin(self) -> Work | None:
        properties = self._wanted()
        standing = self._standing()
        if self.reverts_drift and standing is None:
            return self._begin_replacement(properties, "")
        before = standing.properties if self.reverts_drift and standing else self.resource.properties
        changed = {key for key in before.keys() | properties.keys() if before.get(key) != properties.get(key)}
        retagged = self.retags and "Tags" in properties
        if not changed and not retagged and self.entry.get("Metadata") == self.resource.metadata and not self.failed:
            self._apply(properties)
            return None
        kind = known(self.type)
        replaces = changed & {*kind.create_only, *kind.conditional}
        denied = policy.denial(self.stack.policy, "Replace" if replaces else "Modify", self.logical_id, self.type)
        if denied:
            self._set("FAILED", denied, verb="UPDATE")
            return None
        if replaces:
            return self._begin_replacement(properties, custom_name(self.type, self.resource.properties))
        self._set("IN_PROGRESS", verb="UPDATE")
        reason = self._planned_failure()
        return self._failing(reason) if reason else self._work((0.6, lambda: self._change(properties)))

    def _change(self, properties: Json) -> None:
        self._apply(properties)
        standing = self._standing()
        if standing:
            standing.properties = properties

    def _begin_replacement(self, properties: Json, name: str) -> Work:
        self._set("IN_PROGRESS", _REPLACING, verb="UPDATE")
        reason = self._planned_failure()
        if name and custom_name(self.type, properties) == name:
            reason = (
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {name} and update the stack again."
            )
        elif self.stack.rollback_disabled:
            reason = "Replacement type updates not supported on stack with disable-rollback."
        if reason:
            return self._failing(reason)
        return self._work((0.4, lambda: self._initiate(properties)))

    def _initiate(self, properties: Json) -> None:
        old = self.resource
        if self._standing():
            left = Resource(old.logical_id, old.type, old.physical_id, "UPDATE_COMPLETE", properties=old.properties)
            left.deletion_policy = old.replace_policy
            self.replaced.append(left)
        old.physical_id = self._make(properties)
        self._apply(properties)
        self._set("IN_PROGRESS", "Resource creation Initiated")


@dataclass
class RevertJob(ResourceJob):
    """Put a resource back to what it was before the update."""

    before: Resource = field(default_factory=lambda: Resource("", ""))

    def begin(self) -> Work | None:
        self._set("IN_PROGRESS", verb="UPDATE")
        reason = self._planned_failure()
        return self._failing(reason) if reason else self._work((0.6, self._put_back))

    def _put_back(self) -> None:
        for name in ("physical_id", "properties", "deletion_policy", "replace_policy", "metadata"):
            setattr(self.resource, name, getattr(self.before, name))
        standing = self._standing()
        if standing:
            standing.properties = self.before.properties


@dataclass
class DeleteJob(ResourceJob):
    """Delete a resource, or leave it where its policy or the request says so."""

    keeps: bool = False
    forces: bool = False  # what can't be deleted is left

    def begin(self) -> Work | None:
        standing = self._standing()
        if self.keeps and standing:
            self._skip(standing)
            return None
        if standing is None:
            if self.resource.status != "CREATE_FAILED":
                self._set("IN_PROGRESS", verb="DELETE")
            self._set("COMPLETE", verb="DELETE")
            return None
        reason = self._planned_failure() or self._in_the_way(standing)
        if reason and self.forces:
            self._skip(standing)
            return None
        self._set("IN_PROGRESS", verb="DELETE")
        if reason:
            return self._failing(reason)
        seconds = self.engine.scenario.seconds(self.logical_id, self.type, self.phase)
        standing.leaving, standing.settles_at = True, self.engine.now + seconds
        end, said = self._ending()
        return Work([(end, lambda: self._gone(standing, said))])

    def _skip(self, standing: Standing) -> None:
        standing.stack_id = ""
        self._set("SKIPPED", verb="DELETE")

    def _gone(self, standing: Standing, reason: str) -> None:
        if not self.stack.express:
            self.engine.account.remove(standing)
        self._set("COMPLETE", reason)

    def _in_the_way(self, standing: Standing) -> str:
        protected = str(standing.properties.get("DeletionProtectionEnabled", "")).lower() == "true"
        if self.type == "AWS::DynamoDB::Table" and protected:
            said = _PROTECTED
            return f'Resource handler returned message: "{said}" (HandlerErrorCode: GeneralServiceException)'
        if self.type == "AWS::S3::Bucket" and self.engine.has_objects(standing.physical_id):
            said = "The bucket you tried to delete is not empty"
            return f'Resource handler returned message: "{said}" (HandlerErrorCode: GeneralServiceException)'
        return ""
