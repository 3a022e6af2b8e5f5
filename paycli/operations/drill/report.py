"""What a rehearsal found: a document for an audit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

# not_here: the environment has no such thing, by its settings.   unproven: it could not be tried, or not here.
Result = Literal["passed", "failed", "unproven", "not_here"]


@dataclass(frozen=True)
class Finding:
    """One thing that was rehearsed or looked at; `seconds` where it was measured."""

    name: str
    result: Result
    detail: str
    seconds: float | None = None


@dataclass(frozen=True)
class Measured:
    """What a rehearsal found, and what it measured in seconds.

    RPO: how much older than the present the newest state was that could be restored.
    RTO: from the decision until the restored table was complete and compared.
    """

    findings: tuple[Finding, ...]
    rpo_seconds: float | None = None
    rto_seconds: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """A rehearsal: what, where, by whom, when, and what came of it."""

    rehearsal: str
    environment: str
    place: str
    caller: str
    paycli: str
    began: datetime
    ended: datetime
    measured: Measured

    @property
    def result(self) -> Result:
        """The worst of the findings; what isn't there can't fail."""
        results = {finding.result for finding in self.measured.findings}
        return "failed" if "failed" in results else "unproven" if "unproven" in results else "passed"
