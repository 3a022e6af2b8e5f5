"""Templates, and what the audit's rules say of them, as cfn-lint runs them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cfnlint.config import ConfigMixIn
from cfnlint.decode import decode_str
from cfnlint.rules import Rules
from cfnlint.runner import run_template_by_data

from paycli.audit.rules import RULES

ROOT = Path(__file__).parents[3]

Resources = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """One finding: which rule, on which resource, at which line of the template."""

    rule: str
    resource: str
    line: str
    message: str

    @property
    def place(self) -> tuple[str, str, str]:
        return self.rule, self.resource, self.line


@cache
def _configuration() -> Any:
    return ConfigMixIn(regions=["eu-west-1"], include_checks=["I"])


def audit(text: str, only: str = "") -> list[Found]:
    """Return what every rule, or one, says of a template; a rule that breaks shows as E0002."""
    document, problems = decode_str(text)
    assert not problems
    rules = Rules()
    rules.extend([rule() for rule in RULES if only in rule.id])
    lines = text.splitlines()
    return [
        Found(
            match.rule.id,
            str(match.path[1]) if len(match.path) > 1 else "",
            lines[match.linenumber - 1].strip(),
            match.message,
        )
        for match in run_template_by_data(document, _configuration(), rules)
    ]


def said(rule: str, resources: Mapping[str, Any], **sections: Any) -> list[str]:
    """Return the resources of a small template at which one rule speaks, in order."""
    text = json.dumps({**sections, "Resources": resources}, indent=1)
    found = audit(text, rule)
    assert {finding.rule for finding in found} <= {rule}, found
    return [finding.resource for finding in found]


def resource(resource_type: str, attributes: Mapping[str, Any] | None = None, **properties: Any) -> Resources:
    """Return a resource with its properties, and attributes such as DeletionPolicy."""
    return {"Type": resource_type, **(attributes or {}), "Properties": properties}


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def att(name: str, attribute: str = "Arn") -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


def sub(text: str) -> dict[str, str]:
    return {"Fn::Sub": text}


def either(one: Any, other: Any) -> dict[str, list[Any]]:
    return {"Fn::If": ["Decided", one, other]}


NOTHING = {"Ref": "AWS::NoValue"}


def statement(effect: str = "Allow", /, **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, **elements}


def policy(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
