"""What the text and the Markdown of a report say alike: the verdict, and the rows of its tables."""

from collections import Counter
from collections.abc import Iterable, Iterator

from paycli.audit.accepted import OURS, Acceptance
from paycli.audit.access import Grant
from paycli.audit.changes import AREAS, NARROWER, NEUTRAL, WIDER, Changes
from paycli.audit.conditions import in_words
from paycli.audit.findings import Finding
from paycli.audit.inventory import Store
from paycli.audit.report import Report
from paycli.audit.surface import Route, Surface
from paycli.text import one_line

Row = tuple[str, ...]

DIRECTIONS = {WIDER: "Wider or weaker", NARROWER: "Narrower or stronger", NEUTRAL: "Neither"}
NO_CHANGES = "None in access, surface, data, monitoring, code or findings."

ROUTE = ("Route", "Authorization", "Validation", "Throttle", "Web ACL", "From", "Calls")
GRANT = ("Who", "May", "On")
STORE = ("Store", "Kind", "Holds", "Encryption", "Kept", "Backup", "On delete")
ACCEPTANCE = ("Rule", "For", "Resource", "Until", "Owner", "Reason")


def verdict(report: Report) -> str:
    """Return the one line that says how it went."""
    counts = [f"{count} {severity}" for severity, count in report.counts.items() if count]
    number = len(report.open_findings)
    found = f"{number} finding{'s' if number > 1 else ''} ({', '.join(counts)})" if number else "no findings"
    in_force = sum(entry.in_force for entry in report.acceptances)
    errors = report.accepted_errors
    covering = f" ({errors} error{'s' if errors > 1 else ''})" if errors else ""
    accepted = f"{in_force or 'no'} accepted risk{'' if in_force == 1 else 's'}{covering}"
    expiry = f", the next expires on {report.next_expiry}" if report.next_expiry else ""
    return one_line(f"{report.file} ({report.environment}): {found}; {accepted}{expiry}.")


def place(finding: Finding) -> str:
    """Return where a finding is."""
    return f"{finding.file}:{finding.line}" if finding.line else finding.file


def reasons(finding: Finding) -> Iterator[str]:
    """Give why a finding matters and what to do, or who has accepted it."""
    if finding.accepted:
        yield f"Accepted: {finding.accepted.decision}"
        return
    for label, text in (("Why", finding.why), ("Requirement", finding.requirement), ("Mend", finding.mend)):
        if text:
            yield f"{label}: {text}"


def api_lines(surface: Surface) -> Iterator[str]:
    """Say of each API what holds for all of its routes."""
    for api in surface.apis:
        address = "its own address answers" if api.default_address else "its own address is off"
        log = "access log" if api.access_log else "NO access log"
        bodies = ", BODIES ARE LOGGED" if api.body_logged else ""
        yield one_line(f"{api.name}: {api.endpoint}, TLS policy {api.tls}, {address}, {log}{bodies}")


def route_row(route: Route) -> Row:
    """Return a route's row."""
    return (
        route.title,
        route.authorization,
        route.validation,
        route.throttle,
        ", ".join(route.waf) or "none",
        ", ".join(route.origins) or "everywhere",
        route.function,
    )


def grant_row(grant: Grant) -> Row:
    """Return a grant's row."""
    where = in_words(grant.conditions)
    denied = "" if grant.effect == "Allow" else f"{grant.effect.upper()} "
    return (
        grant.principal,
        denied + ", ".join(grant.actions),
        ", ".join(grant.resources) + (f" where {where}" if where else ""),
    )


def store_row(store: Store) -> Row:
    """Return a store's row."""
    return (
        store.name,
        store.kind,
        store.holds,
        store.encryption,
        store.retention,
        store.backup,
        store.on_delete,
    )


def acceptance_row(entry: Acceptance) -> Row:
    """Return an accepted risk's row."""
    risk = entry.risk
    return (
        risk.rule,
        risk.tool if risk.tool == OURS else f"{risk.tool}, not checked here",
        ", ".join(risk.resource),
        str(risk.until) if entry.in_force else f"{risk.until}, EXPIRED",
        risk.owner,
        risk.reason,
    )


def change_summary(changes: Changes) -> str:
    """Say in one line how many changes are wider or weaker, and what they are about."""
    areas = Counter(change.area for change in changes.wider)
    if not areas:
        return "Nothing is wider or weaker."
    counts = ", ".join(f"{areas[area]} in {area}" for area in AREAS if areas[area])
    number = len(changes.wider)
    return f"{number} change{'s' if number > 1 else ''} wider or weaker: {counts}."


def change_rows(changes: Changes) -> Iterator[tuple[str, str]]:
    """Give what differs, each with its group's title; the direction of a finding is its title."""
    for change in changes.changes:
        yield DIRECTIONS[change.direction], change.text
    yield from _told("New findings", changes.new_findings)
    yield from _told("Mended findings", changes.mended_findings)


def _told(title: str, findings: Iterable[Finding]) -> Iterator[tuple[str, str]]:
    for finding in findings:
        accepted = f" ({finding.accepted.decision})" if finding.accepted else ""
        yield title, f"{finding.rule} {finding.resource or 'template'}: {finding.message}{accepted}"
