"""What cfn-lint and the security rules say of a template, raw: nothing that the template says silences them."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paycli.audit.model import Template

if TYPE_CHECKING:
    from paycli.environment import AcceptedRisk

# The folder of the project's own rules.
RULES = Path(__file__).with_name("rules")
# The mildest first.
SEVERITIES = ("informational", "warning", "error")
_PRIMARY_REGION = "us-east-1"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `path` is as in cfn-lint (`Resources/Key/Properties`); `line` counts from 1."""

    rule: str
    severity: str
    title: str
    message: str
    resource: str  # logical ID; empty where it is about the whole template
    path: str
    file: str
    line: int | None
    why: str
    requirement: str
    mend: str
    url: str
    accepted: "AcceptedRisk | None" = None

    @property
    def fingerprint(self) -> str:
        """What stays the same when lines move; findings that say the same of one resource share it."""
        return hashlib.sha256(repr((self.rule, self.resource, self.message)).encode()).hexdigest()[:32]


class Linter:
    """cfn-lint with its own rules and those of some folders, for one region; loading them takes half a second."""

    def __init__(self, region: str | None, folders: Sequence[Path]) -> None:
        from cfnlint.config import ConfigMixIn
        from cfnlint.helpers import REGIONS
        from cfnlint.runner import Runner

        arguments = [
            # Neither a .cfnlintrc of this folder or user, nor the template's own Metadata switches a rule off.
            *("--config-file", os.devnull, "--mandatory-checks", "E", "W", "I", "--include-checks", "I"),
            *("--regions", region if region in REGIONS else _PRIMARY_REGION),
            *(part for folder in folders for part in ("--append-rules", str(folder))),
        ]
        self._runner = Runner(ConfigMixIn(arguments))

    def findings(self, template: Template, file: str) -> tuple[Finding, ...]:
        """Return the findings of a template, worst first, then by line."""
        settings = template.decoded.get("Metadata")
        if isinstance(settings, dict):
            settings.pop("cfn-lint", None)  # it could configure rules, and name other regions
        return ordered(_finding(match, file) for match in self._runner.validate_template(template.decoded))


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings worst first, then by place; each once."""
    worst_first = sorted(
        dict.fromkeys(findings),
        key=lambda finding: (-SEVERITIES.index(finding.severity), finding.file, finding.line or 0, finding.rule),
    )
    return tuple(worst_first)


def _finding(match: Any, file: str) -> Finding:
    rule = match.rule
    path = [str(part) for part in getattr(match, "path", None) or []]
    return Finding(
        rule=rule.id,
        severity=rule.severity,
        title=rule.shortdesc,
        message=match.message,
        resource=path[1] if path[:1] == ["Resources"] and len(path) > 1 else "",
        path="/".join(path),
        file=file,
        line=match.linenumber,
        why=getattr(rule, "why", "") or rule.description,
        requirement=getattr(rule, "requirement", ""),
        mend=getattr(rule, "mend", ""),
        url=rule.source_url,
    )


def at_least(findings: Iterable[Finding], severity: str) -> Iterator[Finding]:
    """Give the findings of this severity or a worse one."""
    least = SEVERITIES.index(severity)
    return (finding for finding in findings if SEVERITIES.index(finding.severity) >= least)
