"""Templates to audit: of a few resources, a whole payment API with something changed, and the project's own."""

import copy
import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from cfnlint.decode import decode_str

from paycli.audit.findings import Finding
from paycli.audit.model import Template, read
from paycli.audit.report import Facts, facts
from paycli.environment import AcceptedRisk, Environment, presets
from paycli.stack import build
from paycli.stack.rendering import to_json

Resources = dict[str, Any]


def template(resources: Mapping[str, Any], **sections: Any) -> Template:
    """Resources as CloudFormation has them; `Type` alone may stand as text."""
    whole = {name: {"Type": body} if isinstance(body, str) else body for name, body in resources.items()}
    return read(json.dumps({"Resources": whole, **sections}, ensure_ascii=False), "test")


def resource(type_name: str, deletion: str | None = None, /, **properties: Any) -> dict[str, Any]:
    kept = {"DeletionPolicy": deletion} if deletion else {}
    return {"Type": f"AWS::{type_name}", **kept, "Properties": properties}


def facts_of(resources: Mapping[str, Any], **sections: Any) -> Facts:
    return facts(template(resources, **sections))


@cache
def _payments() -> str:
    decoded, _ = decode_str((Path(__file__).with_name("payments.yaml")).read_text())
    return json.dumps(decoded)


def payments() -> dict[str, Any]:
    """A fresh copy of a payment API that stays as it is, whatever becomes of the project's own."""
    document: dict[str, Any] = json.loads(_payments())
    return document


@cache
def _built(name: str) -> str:
    return to_json(build(Environment(name=name, **presets()[name])))


def project(name: str) -> dict[str, Any]:
    """A fresh copy of the project's own template."""
    document: dict[str, Any] = json.loads(_built(name))
    return document


def read_document(document: Mapping[str, Any]) -> Template:
    return read(json.dumps(document), "test")


def changed(document: Mapping[str, Any], *path: str | int, to: Any) -> dict[str, Any]:
    """A copy in which one place of a resource says something else; None takes it out."""
    made = copy.deepcopy(dict(document))
    place: Any = made["Resources"]
    for part in path[:-1]:
        place = place[part]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return made


def risk(rule: str, resource: str = "Thing", until: date = date(2999, 1, 1), **said: Any) -> AcceptedRisk:
    whole = {"rule": rule, "resource": resource, "reason": "Because", "owner": "payments team", "until": until, **said}
    return AcceptedRisk.model_validate(whole)


def finding(rule: str = "E9001", resource: str = "Thing", severity: str = "error", **said: Any) -> Finding:
    whole = {
        "title": "A title",
        "message": "It is wrong",
        "path": f"Resources/{resource}",
        "file": "templates/dev.yaml",
        "line": 3,
        "why": "It matters",
        "requirement": "It shall not",
        "mend": "Mend it",
        "url": "https://docs.aws.amazon.com/x",
        **said,
    }
    return Finding(rule=rule, severity=severity, resource=resource, **whole)
