"""The report: all that the audit found in one template, and in what it differs from another."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from paycli.audit.accepted import Acceptance, accept, void
from paycli.audit.access import Grant, access
from paycli.audit.access_changes import access_changes
from paycli.audit.changes import Change, Changes, added
from paycli.audit.changes import ordered as wider_first
from paycli.audit.coverage import unread, unread_users
from paycli.audit.data_changes import data_changes
from paycli.audit.findings import SEVERITIES, Finding, Linter, at_least, ordered
from paycli.audit.inventory import Store, inventory
from paycli.audit.mismatch import mismatch
from paycli.audit.model import Template
from paycli.audit.readable import Names
from paycli.audit.surface import Surface, surface
from paycli.audit.surface_changes import surface_changes
from paycli.audit.template_changes import template_changes

if TYPE_CHECKING:
    from paycli.environment import AcceptedRisk

NEVER = "never"


@dataclass(frozen=True)
class Subject:
    """A template that is audited: what it is called in the report, and whether it is the project's own."""

    template: Template
    file: str
    own: bool


@dataclass(frozen=True)
class Facts:
    """What a template allows, exposes and keeps."""

    access: tuple[Grant, ...]
    surface: Surface
    data: tuple[Store, ...]
    unread: tuple[str, ...]  # what may hold more, and isn't read
    unread_users: tuple[str, ...]  # the resources of it that refer to a store of payments


@dataclass(frozen=True)
class Report:
    """Everything that is shown, in one of the formats."""

    environment: str
    file: str
    as_of: date
    fail_on: str
    findings: tuple[Finding, ...]
    facts: Facts
    acceptances: tuple[Acceptance, ...]
    changes: Changes | None
    fail_on_wider: bool = False

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """The findings that nobody has accepted."""
        return tuple(finding for finding in self.findings if finding.accepted is None)

    @property
    def failing(self) -> tuple[Finding, ...]:
        """The findings that make the audit fail."""
        return () if self.fail_on == NEVER else tuple(at_least(self.open_findings, self.fail_on))

    @property
    def failing_changes(self) -> tuple[Change, ...]:
        """What is wider or weaker, where the audit fails by that."""
        return self.changes.wider if self.changes and self.fail_on_wider else ()

    @property
    def counts(self) -> dict[str, int]:
        """How many findings are open, by severity, the worst first."""
        found = Counter(finding.severity for finding in self.open_findings)
        return {severity: found[severity] for severity in reversed(SEVERITIES)}

    @property
    def accepted_errors(self) -> int:
        """How many errors are accepted."""
        return sum(finding.accepted is not None and finding.severity == "error" for finding in self.findings)

    @property
    def next_expiry(self) -> date | None:
        """The first last day of an accepted risk."""
        return min((entry.risk.until for entry in self.acceptances if entry.in_force), default=None)


def facts(template: Template) -> Facts:
    """Read what a template allows, exposes and keeps."""
    names = Names(template)
    exposed = surface(template, names)
    stores = inventory(template, names)
    return Facts(
        access(template, names, exposed.routes),
        exposed,
        stores,
        (*unread(template), *exposed.unread),
        unread_users(template, {store.logical_id for store in stores if store.payments}),
    )


def examine(
    subject: Subject,
    linter: Linter,
    *,
    environment: str,
    retain_data: bool,
    risks: Sequence["AcceptedRisk"],
    risk_lines: Mapping["AcceptedRisk", int],
    today: date,
    fail_on: str,
    since: Subject | None,
    fail_on_wider: bool = False,
) -> Report:
    """Audit a template for an environment, which keeps its data or not.

    `risk_lines` says where the risks stand in paycli.toml; `since` is a template to compare it with.
    """
    raw = linter.findings(subject.template, subject.file)
    judged, acceptances = accept(raw, risks, today)
    about_it = [
        *void(raw, risks, risk_lines, subject.template if subject.own else None, today),
        *mismatch(subject.template, subject.file, environment, retain_data=retain_data),
    ]
    now = facts(subject.template)
    return Report(
        environment=environment,
        file=subject.file,
        as_of=today,
        fail_on=fail_on,
        findings=ordered([*judged, *about_it]),
        facts=now,
        acceptances=acceptances,
        changes=_changes(since, linter, subject.template, now, judged) if since else None,
        fail_on_wider=fail_on_wider,
    )


def _changes(since: Subject, linter: Linter, template: Template, now: Facts, findings: Sequence[Finding]) -> Changes:
    before = facts(since.template)
    earlier = linter.findings(since.template, since.file)
    differences = (
        *access_changes(before.access, now.access),
        *surface_changes(before.surface, now.surface),
        *data_changes(before.data, now.data),
        *template_changes(since.template, template),
    )
    told = wider_first(dict.fromkeys(differences))
    return Changes(since.file, told, added(earlier, findings), added(findings, earlier))
