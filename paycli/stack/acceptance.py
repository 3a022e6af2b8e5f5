"""Accepted risks, written where public auditors look for them: so they see the project's own decisions.

Each auditor has its own form of a resource's Metadata:

- cfn-lint, of a resource or of the whole template: https://github.com/aws-cloudformation/cfn-lint#resource-based-metadata
- checkov: https://www.checkov.io/7.Scan%20Examples/Cloudformation.html
- cfn_nag: https://github.com/stelligent/cfn_nag#per-resource-rule-suppression
- cfn-guard: https://github.com/aws-cloudformation/aws-guard-rules-registry (SuppressedRules)

An expired acceptance is written as well: the template follows from the settings alone. `paycli audit` reports it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from troposphere import Template

if TYPE_CHECKING:
    from paycli.environment import AcceptedRisk

EVERYTHING = "*"


def write_acceptances(template: Template, risks: Iterable["AcceptedRisk"]) -> None:
    """Write each risk to the resources that it names; the audit reports one that isn't there."""
    for risk in risks:
        everywhere = EVERYTHING in risk.resource
        if everywhere and risk.tool == "cfn-lint":  # the only one that reads the template's own Metadata
            _add(template.metadata, risk)
            continue
        for name, resource in template.resources.items():
            if everywhere or name in risk.resource:
                _add(resource.resource.setdefault("Metadata", {}), risk)


def _add(metadata: dict[str, Any], risk: "AcceptedRisk") -> None:
    match risk.tool:
        case "cfn-lint":
            config = metadata.setdefault("cfn-lint", {}).setdefault("config", {})
            _append(config, "ignore_checks", risk.rule)
        case "checkov":
            _append(metadata.setdefault("checkov", {}), "skip", {"id": risk.rule, "comment": risk.decision})
        case "cfn_nag":
            _append(metadata.setdefault("cfn_nag", {}), "rules_to_suppress", {"id": risk.rule, "reason": risk.decision})
        case _:  # cfn-guard
            _append(metadata.setdefault("guard", {}), "SuppressedRules", risk.rule)


def _append(holder: dict[str, Any], key: str, value: Any) -> None:
    holder.setdefault(key, []).append(value)
