"""Which workers take part in a run, and which of their reports never came."""

from dataclasses import dataclass, field

# A worker reports every half second. A machine that is busy with the load may be late; one that is gone stays so.
SILENCE = 30.0  # seconds


@dataclass
class Roster:
    """`expected` workers, all for the API at `endpoint`; times are seconds of one clock."""

    expected: int
    endpoint: str
    lost: int = 0
    _reports: dict[str, int] = field(default_factory=dict)  # the number of each worker's last one
    _heard: dict[str, float] = field(default_factory=dict)  # when each that hasn't finished was last heard of

    @property
    def workers(self) -> list[str]:
        """The workers that are here."""
        return list(self._reports)

    @property
    def complete(self) -> bool:
        """Whether all are here."""
        return len(self._reports) == self.expected

    @property
    def busy(self) -> bool:
        """Whether any is still at work."""
        return bool(self._heard)

    def admit(self, worker: str, endpoint: str) -> bool:
        """Take a worker in, and say so; not one that is for another API, or too many."""
        if endpoint != self.endpoint or self.complete:
            return False
        self._reports[worker] = 0
        return True

    def begin(self, now: float) -> None:
        """Expect reports from now on."""
        self._heard = dict.fromkeys(self._reports, now)

    def note(self, worker: str, number: int, now: float, *, finished: bool) -> None:
        """Take note of a worker's report; those before it that haven't come never will."""
        self.lost += number - self._reports[worker] - 1
        self._reports[worker] = number
        self._heard[worker] = now
        if finished:
            del self._heard[worker]

    def give_up(self, now: float) -> None:
        """Stop waiting for workers that say nothing any more: what they sent last isn't known."""
        talking = {worker: heard for worker, heard in self._heard.items() if now - heard <= SILENCE}
        self.lost += len(self._heard) - len(talking)
        self._heard = talking
