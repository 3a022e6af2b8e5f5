"""What goes wrong with calls: throttling, expired credentials, slow answers, broken connections."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from tests.fakes.cloudformation.errors import ApiError
from tests.fakes.cloudformation.s3 import Answer


@dataclass
class Fault:
    """Befalls the calls of some operations: the `after` first are spared, then `times` of them are hit."""

    operation: str  # a pattern such as DescribeStack*
    error: ApiError | None = None
    instead: Answer | None = None  # what somebody between answers in AWS's place
    seconds: float = 0.0  # real ones, before the operation has its effect
    late: float = 0.0  # real ones, after it
    resets: str = ""  # "before" or "after" the operation has had its effect, the connection breaks
    times: float = 1
    after: int = 0

    def strikes(self, operation: str) -> bool:
        if not fnmatchcase(operation, self.operation):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1
        return self.times >= 0


@dataclass
class Faults:
    """The faults of a test."""

    planned: list[Fault] = field(default_factory=list)

    def struck(self, operation: str) -> list[Fault]:
        """Return the faults that befall this call."""
        return [fault for fault in self.planned if fault.strikes(operation)]

    def throttle(self, operation: str = "*", *, times: float = 1, after: int = 0) -> None:
        """Answer `Throttling: Rate exceeded`, HTTP 400."""
        self.planned.append(Fault(operation, ApiError("Throttling", "Rate exceeded"), times=times, after=after))

    def expire_credentials(self, *, after: int = 0) -> None:
        """Answer ExpiredToken to every call after the first `after`."""
        error = ApiError("ExpiredToken", "The security token included in the request is expired", 403)
        self.planned.append(Fault("*", error, times=float("inf"), after=after))

    def deny(self, operation: str, *, times: float = float("inf"), after: int = 0) -> None:
        """Answer AccessDenied."""
        said = f"User: arn:aws:iam::111111111111:user/dev is not authorized to perform: {operation}"
        self.planned.append(Fault(operation, ApiError("AccessDenied", said, 403), times=times, after=after))

    def refuse(self, operation: str, code: str, message: str, *, status: int = 400, times: float = 1) -> None:
        """Answer any other error."""
        self.planned.append(Fault(operation, ApiError(code, message, status), times=times))

    def delay(
        self, operation: str, seconds: float, *, after_effect: bool = False, times: float = 1, after: int = 0
    ) -> None:
        """Answer after so many real seconds, which pass before or after the operation has had its effect."""
        before, late = (0.0, seconds) if after_effect else (seconds, 0.0)
        self.planned.append(Fault(operation, seconds=before, late=late, times=times, after=after))

    def reset(self, operation: str, *, after_effect: bool = False, times: float = 1, after: int = 0) -> None:
        """Break the connection instead of answering, before or after the operation has had its effect."""
        resets = "after" if after_effect else "before"
        self.planned.append(Fault(operation, resets=resets, times=times, after=after))

    def intercept(
        self,
        operation: str,
        body: bytes,
        *,
        kind: str = "text/html",
        status: int = 200,
        times: float = 1,
        after: int = 0,
    ) -> None:
        """Answer as a proxy does that lets nothing through."""
        answer = Answer(status, body, {"Content-Type": kind} if kind else {})
        self.planned.append(Fault(operation, instead=answer, times=times, after=after))
