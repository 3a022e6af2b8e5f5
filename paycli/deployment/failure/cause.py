"""One failure, as far as AWS tells it."""

from dataclasses import dataclass
from datetime import datetime

from paycli.deployment.failure import reason as reasons
from paycli.deployment.failure.explanations import Explanation, explain
from paycli.deployment.failure.rule import STACK


@dataclass(frozen=True)
class Cause:
    """One failure that follows from no other."""

    stack: str
    logical_id: str  # the stack's name where it isn't one resource's failure
    resource_type: str
    physical_id: str  # empty where it was never made
    status: str  # CREATE_FAILED, UPDATE_FAILED, ..., or REFUSED
    reason: str  # AWS's words, in full; empty where it gives none
    at: datetime
    property_path: str = ""  # dotted, where AWS names one
    check: str = ""  # the validation or the hook that refused it
    rollback: bool = False  # whether it failed while CloudFormation was rolling back

    @property
    def of_stack(self) -> bool:
        """Whether it is about the stack as a whole."""
        return self.resource_type == STACK and self.logical_id == self.stack

    @property
    def name(self) -> str:
        """The resource's physical name, as far as AWS tells it."""
        return self.physical_id or reasons.named_resource(self.reason)

    @property
    def explanation(self) -> Explanation | None:
        """What it means, where it is one of the frequent ones."""
        named = {"name": self.name, "stack": self.stack, "status": self.status}
        found = explain(self.reason, self.resource_type, self.logical_id, **named)
        if found is None and "::" in self.check:  # a hook's own words; a validation's name has no such
            bare = f"The following hook(s) failed: [{self.check}]"
            return explain(bare, self.resource_type, self.logical_id, **named)
        return found
