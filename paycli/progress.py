"""What long jobs report while they run; who calls them decides how it looks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Step:
    """A step that is done or begins, in words."""

    text: str


@dataclass(frozen=True)
class Gauge:
    """How far a job is, in words; the next one takes its place."""

    text: str


@dataclass(frozen=True)
class ResourceEvent:
    """One event of a stack operation; `done` of `total` resources are finished."""

    stack: str
    logical_id: str
    resource_type: str
    status: str
    reason: str
    at: datetime
    done: int
    total: int
    physical_id: str = ""  # empty where it was never made
    hook: str = ""  # the type of a hook that refuses it
    hook_reason: str = ""  # and why

    @property
    def of_stack(self) -> bool:
        """Whether it is of the stack itself, and not of a resource in it."""
        return self.resource_type == "AWS::CloudFormation::Stack"

    @property
    def failed(self) -> bool:
        """Whether the resource ended badly."""
        return self.status.endswith("_FAILED")


Event = Step | ResourceEvent
Report = Callable[[Event], None]


def unheard(_event: Event) -> None:
    """Report to nobody."""
