"""What a frequent reason of CloudFormation looks like, and what is said about it."""

import re
from dataclasses import dataclass
from typing import Any

STACK = "AWS::CloudFormation::Stack"
REFUSED = "REFUSED"  # paycli's word for what a validation or a hook refused: no status of CloudFormation says it
BOOTSTRAP = "paycli-bootstrap"  # BOOTSTRAP_STACK of stack/bootstrap.py, which loads troposphere
OF_BOOTSTRAP = (
    "This stack is made with the caller's rights, without `cloudformation_role`. No payment stack is touched."
)


@dataclass(frozen=True)
class Rule:
    """A reason, by its pattern, and what it means.

    `summary`, `text` and `hint` may name groups of the pattern, and {env}, {logical_id} and {name}.
    """

    kind: str  # stable, for programs
    pattern: re.Pattern[str]
    summary: str  # ends the sentence "X could not be created:"
    text: str
    hint: str
    unnamed: str = ""  # the hint where AWS doesn't tell the resource's name, if it can't do without
    resource_type: str = ""  # of this type only; any, where it is empty
    refusals: bool = True  # whether it may be said of what was refused before anything began
    at: tuple[str, ...] = ()  # how the status of a failure begins that it may be said of; of any, where it is empty
    vague: bool = False  # whether a denial that names the call says more
    bootstrap: bool = False  # of the bootstrap stack only, which is made without cloudformation_role

    def fits(self, resource_type: str, *, status: str, bootstrap: bool) -> bool:
        """Whether it may be said at all of such a failure, whatever the reason says."""
        of_type = self.resource_type in {"", resource_type}
        at_this_time = (self.refusals or status != REFUSED) and (not self.at or status.startswith(self.at))
        return of_type and at_this_time and (bootstrap or not self.bootstrap)


# Of what was there before.
LATER = ("UPDATE", "DELETE", "ROLLBACK")


def rule(kind: str, pattern: str, summary: str, text: str, hint: str, resource_type: str = "", **more: Any) -> Rule:
    """Return a rule; its pattern is looked for anywhere, in upper and lower case."""
    found: dict[str, Any] = {"resource_type": resource_type, **more}
    return Rule(kind, re.compile(pattern, re.IGNORECASE), summary, text, hint, **found)
