"""What CloudFormation keeps: stacks, their resources, events and change sets. Times are virtual seconds."""

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fakes.cloudformation.diff import Change
    from tests.fakes.cloudformation.operations import Operation

Json = dict[str, Any]


@dataclass
class Resource:
    """A resource of a stack. `properties` are resolved: what the last successful operation has set."""

    logical_id: str
    type: str
    physical_id: str = ""
    status: str = ""
    reason: str = ""
    at: float = 0.0
    properties: Json = field(default_factory=dict)
    deletion_policy: str = "Delete"
    replace_policy: str = "Delete"
    metadata: Any = None

    @property
    def gone(self) -> bool:
        return self.status in {"DELETE_COMPLETE", "DELETE_SKIPPED"}


@dataclass(frozen=True)
class Event:
    """An event of a stack, or of the creation of a change set (`validation` holds its own fields)."""

    event_id: str
    operation_id: str
    operation_type: str
    logical_id: str
    physical_id: str
    type: str
    at: float
    visible_at: float
    status: str
    reason: str
    token: str
    detailed_status: str = ""
    event_type: str = "STACK_EVENT"
    validation: Json = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return self.status.endswith("_FAILED") or self.event_type == "VALIDATION_ERROR"


@dataclass(frozen=True)
class Moment:
    """The state of a stack since `at`."""

    at: float
    status: str
    reason: str
    outputs: dict[str, str]


@dataclass
class ChangeSet:
    """A change set. `request` is what CreateChangeSet was asked, decoded."""

    change_set_id: str
    name: str
    stack_id: str
    request: Json
    created_at: float
    operation_id: str
    template: Json
    parameters: dict[str, str]
    status: str = "CREATE_PENDING"
    reason: str = ""
    execution_status: str = "UNAVAILABLE"
    changes: list["Change"] = field(default_factory=list)
    drift_status: str = ""
    events: list[Event] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return str(self.request.get("ChangeSetType", "UPDATE"))

    def tags(self, stack: "Stack") -> dict[str, str]:
        """Return the stack's tags after it: those of the request, or those it has."""
        if "Tags" not in self.request:
            return stack.now.tags
        return {tag["Key"]: tag["Value"] for tag in self.request["Tags"]}


@dataclass
class Configuration:
    """What an update replaces and a rollback brings back."""

    template: Json = field(default_factory=dict)
    body: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)

    def copy(self) -> "Configuration":
        return copy.deepcopy(self)


@dataclass
class Stack:
    """A stack, and everything that has happened to it."""

    name: str
    stack_id: str
    created_at: float
    now: Configuration = field(default_factory=Configuration)
    status: str = ""
    reason: str = ""
    history: list[Moment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    operations: list[tuple[str, str]] = field(default_factory=list)  # (type, id), newest last
    tokens: dict[str, str] = field(default_factory=dict)  # ClientRequestToken -> what it was used for
    operation: "Operation | None" = None
    token: str = ""
    updated_at: float | None = None
    deleted_at: float | None = None
    change_set_id: str = ""
    termination_protection: bool = False
    policy: Json | None = None
    role_arn: str = ""
    capabilities: list[str] = field(default_factory=list)
    rollback_configuration: Json = field(default_factory=dict)
    deployment_config: Json = field(default_factory=dict)
    rollback_disabled: bool = False
    drift_status: str = "NOT_CHECKED"
    drift_checked_at: float | None = None

    @property
    def resources(self) -> dict[str, Resource]:
        return self.now.resources

    @property
    def outputs(self) -> dict[str, str]:
        return self.now.outputs

    @property
    def in_progress(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def states(self) -> list[str]:
        """Every state it has been in, oldest first."""
        return [moment.status for moment in self.history]

    @property
    def express(self) -> bool:
        return self.deployment_config.get("Mode") == "EXPRESS"

    def at(self, when: float) -> Moment | None:
        """Return its state at a time, or None where it was not there yet."""
        return next((moment for moment in reversed(self.history) if moment.at <= when), None)
