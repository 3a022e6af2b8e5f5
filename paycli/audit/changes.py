"""One difference between two templates, in words, and which way it goes."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from paycli.audit.findings import Finding

WIDER = "wider"  # or weaker: more can be done, less is protected
NARROWER = "narrower"  # or stronger
NEUTRAL = "neutral"
DIRECTIONS = (WIDER, NARROWER, NEUTRAL)

ACCESS = "access"
SURFACE = "surface"
DATA = "data"
MONITORING = "monitoring"  # what tells somebody that something is wrong
CODE = "code"  # what runs where
AREAS = (ACCESS, SURFACE, DATA, MONITORING, CODE)


@dataclass(frozen=True)
class Change:
    """A difference: which way it goes, and which of the areas it is about."""

    direction: str
    area: str
    text: str


@dataclass(frozen=True)
class Changes:
    """All that differs from `since`; findings by what they say, not by their lines."""

    since: str
    changes: tuple[Change, ...]
    new_findings: tuple[Finding, ...]
    mended_findings: tuple[Finding, ...]

    @property
    def wider(self) -> tuple[Change, ...]:
        """What is wider or weaker."""
        return tuple(change for change in self.changes if change.direction == WIDER)


def ordered(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return what is wider first."""
    return tuple(sorted(changes, key=lambda change: DIRECTIONS.index(change.direction)))


def added(before: Iterable[Finding], after: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that are there more often than before."""
    return tuple(_beyond(Counter(finding.fingerprint for finding in before), after))


def _beyond(known: Counter[str], findings: Iterable[Finding]) -> Iterator[Finding]:
    for finding in findings:
        if known[finding.fingerprint] > 0:
            known[finding.fingerprint] -= 1
        else:
            yield finding
