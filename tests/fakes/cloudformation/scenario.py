"""What a test decides: how long things take, what fails, how far behind the answers are."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.cloudformation.resource_types import known

_SHARE = {"create": 1.0, "import": 0.3, "update": 0.4, "delete": 0.5, "cleanup": 0.5, "rollback": 0.5}


@dataclass
class Failure:
    """A resource fails in a phase: create, update, delete, rollback, cleanup or import."""

    logical_id: str
    on: str
    reason: str
    stack: str
    times: int

    def matches(self, stack: str, logical_id: str, phase: str) -> bool:
        wanted = (self.logical_id, self.on, self.stack or stack)
        return self.times > 0 and wanted == (logical_id, phase, stack)


@dataclass(frozen=True)
class Problem:
    """A finding of the validation before a deployment, as DescribeEvents shows it."""

    logical_id: str
    reason: str
    name: str = "PROPERTY_VALIDATION"
    path: str = ""
    mode: str = "FAIL"


@dataclass
class Scenario:
    """The script of a test. Every duration is in virtual seconds."""

    chance: random.Random
    compute_seconds: float = 1.0  # until a change set is computed
    drift_seconds: float = 2.0  # until a drift detection is done
    drift_fails: str = ""  # why a drift detection fails; it shows what it has found nevertheless
    page_size: int = 100
    lag: dict[str, float] = field(default_factory=dict)  # operation -> how far behind its answers are
    event_delay: Callable[[], float] = lambda: 0.0  # until an event is visible; one call an event
    # (stack, phase) -> how long its resources take together; None leaves it to their own durations.
    operation_seconds: Callable[[str, str], float | None] = lambda _stack, _phase: None
    failures: list[Failure] = field(default_factory=list)
    refused: list[tuple[str, tuple[Problem, ...]]] = field(default_factory=list)
    durations: dict[str, float] = field(default_factory=dict)  # logical id -> seconds, whatever the type says

    def fail(self, logical_id: str, *, on: str = "create", reason: str = "", stack: str = "", times: int = 1) -> None:
        """Let the resource fail the next `times` times."""
        said = (
            reason
            or f'Resource handler returned message: "{logical_id} was refused" (HandlerErrorCode: InvalidRequest)'
        )
        self.failures.append(Failure(logical_id, on, said, stack, times))

    def refuse_change_set(self, reason: str, *problems: Problem) -> None:
        """Let the next change set end as FAILED with this reason; DescribeEvents gives the problems."""
        self.refused.append((reason, problems))

    def refuse_validation(self, *problems: Problem) -> None:
        """Let the validation of the next change set find these problems."""
        check = "ResourceExistenceCheck" if problems[0].name == "NAME_CONFLICT_VALIDATION" else "PropertyValidation"
        self.refuse_change_set(validation_failed(check), *problems)

    def failure(self, stack: str, logical_id: str, phase: str) -> str:
        """Return why the resource fails now, or nothing; each planned failure is used up."""
        for failure in self.failures:
            if failure.matches(stack, logical_id, phase):
                failure.times -= 1
                return failure.reason
        return ""

    def seconds(self, logical_id: str, resource_type: str, phase: str) -> float:
        return self.durations.get(logical_id, known(resource_type).seconds) * _SHARE[phase]


def validation_failed(check: str) -> str:
    """Return the reason of a change set that the validation has refused."""
    return (
        f"The following hook(s)/validation failed: [AWS::EarlyValidation::{check}]. To troubleshoot Early Validation "
        "errors, use the DescribeEvents API for detailed failure information."
    )
