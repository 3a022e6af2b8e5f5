"""Findings against the risks that the project has accepted: which are accepted, and which acceptances are void.

A void acceptance is a finding itself, of the rules E9901, W9902 and W9903.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from paycli.audit.findings import Finding
from paycli.audit.model import Template
from paycli.errors import ConfigurationError
from paycli.stack.acceptance import EVERYTHING

if TYPE_CHECKING:
    from paycli.environment import AcceptedRisk

FILE = "paycli.toml"
# PCI DSS 4.0.1 12.3.1 has a targeted risk analysis reviewed once every 12 months; a month is for it.
LONGEST = timedelta(days=400)
OURS = "cfn-lint"  # whose findings this audit has; the others' it can only pass on


@dataclass(frozen=True)
class Acceptance:
    """An accepted risk today. `findings` is how many it covers; None where another auditor finds them."""

    risk: "AcceptedRisk"
    in_force: bool
    findings: int | None


@dataclass(frozen=True)
class _Rule:
    id: str
    severity: str
    title: str
    why: str
    mend: str


_EXPIRED = _Rule(
    "E9901",
    "error",
    "An accepted risk has expired",
    "A risk is accepted for a time. After it, somebody has to look again; until then its findings count.",
    "Mend the finding, or decide anew and set a later `until`.",
)
_UNUSED = _Rule(
    "W9902",
    "warning",
    "An accepted risk is accepted for nothing",
    "There is no such finding any more, or there never was. The acceptance would hide it should it come (back).",
    "Remove the acceptance, or this resource from it.",
)
_NO_RESOURCE = _Rule(
    "W9903",
    "warning",
    "An accepted risk names a resource that isn't there",
    "The acceptance has no effect: the resource has another logical ID, or is gone.",
    "Name the resource by its logical ID in the template, or remove it.",
)
_REQUIREMENT = "An accepted risk has a reason, an owner and a last day, and covers a finding that is there."


def check_terms(risks: Iterable["AcceptedRisk"], lines: Mapping["AcceptedRisk", int], today: date) -> None:
    """Raise ConfigurationError where a risk is accepted for longer than LONGEST from today."""
    for risk in risks:
        if risk.until > today + LONGEST:
            where = f"{FILE}:{lines[risk]}" if risk in lines else FILE
            raise ConfigurationError(
                f"{where}: audit.accept ({risk.rule}): until: {risk.until} is more than {LONGEST.days} days away",
                hint=f"A risk is looked at again within {LONGEST.days} days: {today + LONGEST} at the latest.",
                code="config_value",
            )


def accept(
    findings: Sequence[Finding], risks: Sequence["AcceptedRisk"], today: date
) -> tuple[tuple[Finding, ...], tuple[Acceptance, ...]]:
    """Return the findings, each with the risk that accepts it, and the acceptances as of today."""
    in_force = [risk for risk in risks if risk.until >= today]
    judged = tuple(replace(finding, accepted=_accepting(finding, in_force)) for finding in findings)
    acceptances = tuple(
        Acceptance(
            risk,
            risk in in_force,
            sum(_covers(risk, finding) for finding in findings) if risk.tool == OURS else None,
        )
        for risk in risks
    )
    return judged, acceptances


def _accepting(finding: Finding, risks: Iterable["AcceptedRisk"]) -> "AcceptedRisk | None":
    return next((risk for risk in risks if _covers(risk, finding)), None)


def _covers(risk: "AcceptedRisk", finding: Finding) -> bool:
    named = EVERYTHING in risk.resource or finding.resource in risk.resource
    return risk.tool == OURS and risk.rule == finding.rule and named


def void(
    findings: Sequence[Finding],
    risks: Sequence["AcceptedRisk"],
    lines: Mapping["AcceptedRisk", int],
    template: Template | None,
    today: date,
) -> Iterator[Finding]:
    """Give a finding for each acceptance that has expired, or is for nothing in the project's own template.

    `lines` says where they stand in paycli.toml. What has expired is told once, whatever it was for.
    """
    in_force = [risk for risk in risks if risk.until >= today]
    found = [*expired(risks, today), *(without_effect(findings, in_force, template) if template else ())]
    for risk, finding in found:
        yield replace(finding, line=lines.get(risk))


def expired(risks: Iterable["AcceptedRisk"], today: date) -> Iterator[tuple["AcceptedRisk", Finding]]:
    """Give each risk whose last day has passed, with its finding."""
    for risk in risks:
        if risk.until < today:
            yield risk, _finding(_EXPIRED, risk, f"It was accepted until {risk.until}", "")


def without_effect(
    findings: Sequence[Finding], risks: Iterable["AcceptedRisk"], template: Template
) -> Iterator[tuple["AcceptedRisk", Finding]]:
    """Give each risk with a finding for each resource of it that isn't there, or has no such finding."""
    for risk in risks:
        for resource in risk.resource:
            everywhere = resource == EVERYTHING
            if not everywhere and resource not in template.resources:
                yield risk, _finding(_NO_RESOURCE, risk, f"There is no resource {resource}", resource)
            elif risk.tool == OURS and not _found(findings, risk, resource):
                where = "" if everywhere else f" on {resource}"
                yield risk, _finding(_UNUSED, risk, f"There is no such finding{where}", "" if everywhere else resource)


def _found(findings: Iterable[Finding], risk: "AcceptedRisk", resource: str) -> bool:
    return any(finding.rule == risk.rule and resource in (EVERYTHING, finding.resource) for finding in findings)


def _finding(rule: _Rule, risk: "AcceptedRisk", message: str, resource: str) -> Finding:
    return Finding(
        rule=rule.id,
        severity=rule.severity,
        title=rule.title,
        message=f"{message}: {risk.rule} on {', '.join(risk.resource)} ({risk.owner}).",
        resource=resource,
        path="audit/accept",
        file=FILE,
        line=None,
        why=rule.why,
        requirement=_REQUIREMENT,
        mend=rule.mend,
        url="",
    )
