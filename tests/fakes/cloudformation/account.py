"""What really stands in the account, whatever CloudFormation believes: so names clash and resources drift."""

from dataclasses import dataclass, field

from tests.fakes.cloudformation.model import Json
from tests.fakes.cloudformation.resource_types import custom_name


@dataclass
class Standing:
    """A resource that exists. Until `settles_at` it is still being made or removed (`leaving`)."""

    type: str
    physical_id: str
    properties: Json
    stack_id: str = ""  # nothing where no stack owns it
    settles_at: float = 0.0
    leaving: bool = False


@dataclass
class Account:
    """The account's resources, and the states of its alarms."""

    resources: list[Standing] = field(default_factory=list)
    alarms: dict[str, str] = field(default_factory=dict)  # name -> state, where it isn't OK
    keys: dict[str, str] = field(default_factory=dict)  # id -> state, where it isn't Enabled

    def find(self, resource_type: str, physical_id: str) -> Standing | None:
        wanted = (resource_type, physical_id)
        return next((one for one in self.resources if (one.type, one.physical_id) == wanted), None)

    def named(self, resource_type: str, properties: Json) -> Standing | None:
        """Return what already has the name that a template gives."""
        name = custom_name(resource_type, properties)
        same = [one for one in self.resources if one.type == resource_type] if name else []
        return next((one for one in same if custom_name(resource_type, one.properties) == name), None)

    def settle(self, now: float) -> None:
        """Let what was leaving be gone."""
        self.resources = [one for one in self.resources if not (one.leaving and one.settles_at <= now)]

    def remove(self, one: Standing) -> None:
        self.resources = [other for other in self.resources if other is not one]

    def alarm_state(self, name: str) -> str | None:
        """Return an alarm's state, or None where there is no such alarm."""
        stands = any(one.type.endswith("Alarm") and one.physical_id == name for one in self.resources)
        return self.alarms.get(name, "OK") if stands or name in self.alarms else None
