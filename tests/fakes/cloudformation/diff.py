"""The changes of a change set: what differs between the stack as it stands and what is asked for."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.cloudformation import templates
from tests.fakes.cloudformation.engine import Engine
from tests.fakes.cloudformation.model import ChangeSet, Json, Resource, Stack
from tests.fakes.cloudformation.operations import value_of
from tests.fakes.cloudformation.resource_jobs import KEEPING
from tests.fakes.cloudformation.resource_types import known

UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"
_POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")
_ABSENT: Any = object()


@dataclass(frozen=True)
class Detail:
    """One place of a resource that changes."""

    attribute: str  # Properties, Tags, Metadata, DeletionPolicy, UpdateReplacePolicy
    name: str = ""
    path: str = ""
    before: Any = _ABSENT
    after: Any = _ABSENT
    recreation: str = "Never"
    evaluation: str = "Static"
    source: str = "DirectModification"
    cause: str = ""
    drift: Json | None = None

    @property
    def kind(self) -> str:
        if self.before is _ABSENT:
            return "Add"
        return "Remove" if self.after is _ABSENT else "Modify"


@dataclass
class Change:
    """What happens to one resource."""

    action: str  # Add, Modify, Remove, Import, SyncWithActual
    logical_id: str
    type: str
    physical_id: str = ""
    details: list[Detail] = field(default_factory=list)
    before: Json | None = None
    after: Json | None = None
    policy: str = ""
    drift_status: str = ""

    @property
    def replacement(self) -> str:
        if self.action != "Modify":
            return ""
        kinds = {(detail.recreation, detail.evaluation) for detail in self.details}
        if ("Always", "Static") in kinds:
            return "True"
        return "Conditional" if any(recreation != "Never" for recreation, _ in kinds) else "False"


class Comparison:
    """Compares a stack with a template and parameters; `actual` compares with what really stands as well."""

    def __init__(self, engine: Engine, stack: Stack, change_set: ChangeSet, *, actual: bool) -> None:
        self.engine = engine
        self.stack = stack
        self.template = change_set.template
        self.parameters = change_set.parameters
        self.retags = change_set.tags(stack) != stack.now.tags
        self.actual = actual
        self.there = {key: one for key, one in stack.resources.items() if one.status and not one.gone}
        self.changes: dict[str, Change] = {}

    def run(self) -> list[Change]:
        """Return the changes; what refers to something that changes is looked at again until nothing is new."""
        self._removals()
        known_before = -1
        while known_before != self._weight():
            known_before = self._weight()
            for logical_id, entry in self.template["Resources"].items():
                there = self.there.get(logical_id)
                self._compare(logical_id, entry, there) if there else self._add(logical_id, entry)
        return [one for one in self.changes.values() if one.action != "Modify" or one.details]

    def _weight(self) -> int:
        return sum(1 + len(one.details) for one in self.changes.values())

    def _removals(self) -> None:
        for logical_id, one in self.there.items():
            if logical_id not in self.template["Resources"]:
                policy = "Retain" if one.deletion_policy in KEEPING else "Delete"
                self.changes[logical_id] = Change(
                    "Remove", logical_id, one.type, one.physical_id, before=_context(one), policy=policy
                )

    def _add(self, logical_id: str, entry: Json) -> None:
        after = {**entry, "Properties": templates.resolve(entry.get("Properties", {}), self._value)}
        self.changes.setdefault(logical_id, Change("Add", logical_id, entry["Type"], after=after))

    def _compare(self, logical_id: str, entry: Json, there: Resource) -> None:
        before, after = there.properties, templates.resolve(entry.get("Properties", {}), self._value)
        change = Change("Modify", logical_id, there.type, there.physical_id, before=_context(there))
        change.after = {**entry, "Properties": after}
        if self.actual:
            before = self._look(there, before, after, change)
        if change.action == "Modify":
            raw_before = self.stack.now.template.get("Resources", {}).get(logical_id, {}).get("Properties", {})
            raw = entry.get("Properties", {})
            for key in sorted(before.keys() | after.keys()):
                same = raw.get(key) == raw_before.get(key)
                change.details += self._differences(there, key, before, after, raw.get(key), same=same)
            change.details += _attributes(there, entry)
            if self.retags and "Tags" in after and not any(detail.attribute == "Tags" for detail in change.details):
                change.details.append(Detail("Tags", before=before.get("Tags", _ABSENT), after=after["Tags"]))
        if change.details or change.action != "Modify":
            self.changes[logical_id] = change

    def _look(self, there: Resource, before: Json, after: Json, change: Change) -> Json:
        """Compare with what really stands: return that, and note how it has drifted."""
        standing = self.engine.account.find(there.type, there.physical_id)
        if standing is None:
            change.action, change.drift_status = "Add", "DELETED"
            return before
        drifted = standing.properties != before
        change.drift_status = "MODIFIED" if drifted else "IN_SYNC"
        if drifted and standing.properties == after:
            change.action = "SyncWithActual"
        return standing.properties

    def _differences(
        self, there: Resource, key: str, before: Json, after: Json, raw: Any, *, same: bool
    ) -> Iterator[Detail]:
        kind = known(there.type)
        recreation = "Always" if key in kind.create_only else "Conditionally" if key in kind.conditional else "Never"
        attribute, name = ("Tags", "") if key == "Tags" else ("Properties", key)
        source, cause, evaluation = self._source(raw, same=same)
        old, new = before.get(key, _ABSENT), after.get(key, _ABSENT)
        for path, one, other in _leaves(f"/Properties/{key}", old, new):
            drift = self._drift(there, key) if self.actual else None
            source = "NoModification" if drift and source == "DirectModification" and same else source
            yield Detail(attribute, name, path, one, other, recreation, evaluation, source, cause, drift)
        if old == new:
            for target, attr in dict.fromkeys(templates.references(raw)):
                changed = self.changes.get(target)
                if attr and changed and changed.action == "Modify":
                    found = (old, new, recreation, "Dynamic", "ResourceAttribute", f"{target}.{attr}")
                    yield Detail(attribute, name, f"/Properties/{key}", *found)

    def _drift(self, there: Resource, key: str) -> Json | None:
        previous = there.properties.get(key)
        standing = self.engine.account.find(there.type, there.physical_id)
        actual = standing.properties.get(key) if standing else previous
        if actual == previous:
            return None
        when = self.engine.now
        return {"PreviousValue": text(previous), "ActualValue": text(actual), "DriftDetectionTimestamp": when}

    def _source(self, raw: Any, *, same: bool) -> tuple[str, str, str]:
        """Return what makes a property change: ChangeSource, CausingEntity, Evaluation."""
        for name, attribute in templates.references(raw):
            changed = self.changes.get(name)
            if changed and (changed.action == "Add" or changed.replacement in {"True", "Conditional"}):
                entity = f"{name}.{attribute}" if attribute else name
                return "ResourceAttribute" if attribute else "ResourceReference", entity, "Dynamic"
        if same:
            for name, _ in templates.references(raw):
                if self.parameters.get(name) != self.stack.now.parameters.get(name):
                    return "ParameterReference", name, "Static"
        return "DirectModification", "", "Static"

    def _value(self, name: str, attribute: str) -> Any:
        if name in self.parameters:
            return self.parameters[name]
        if name not in self.template["Resources"]:
            return value_of(self.engine, self.stack, name, attribute)
        changed = self.changes.get(name)
        if name not in self.there or (changed and (changed.action == "Add" or changed.replacement == "True")):
            return UNKNOWN
        return value_of(self.engine, self.stack, name, attribute)


def _attributes(there: Resource, entry: Json) -> Iterator[Detail]:
    """Give the differences outside the properties. A policy counts only beside another change: see SPEC.md."""
    policies = dict(zip(_POLICIES, (there.deletion_policy, there.replace_policy), strict=True))
    for name, before in policies.items():
        after = entry.get(name, "Delete")
        if before != after:
            yield Detail(name, before=before, after=after)
    if entry.get("Metadata") != there.metadata:
        yield Detail("Metadata", before=there.metadata, after=entry.get("Metadata"))


def worth(changes: list[Change]) -> list[Change]:
    """Leave out resources of which only a policy changes, where nothing else is there to carry it."""
    policies_only = [one for one in changes if one.details and all(d.attribute in _POLICIES for d in one.details)]
    return [] if len(policies_only) == len(changes) else changes


def _leaves(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from _leaves(f"{path}/{key}", before.get(key, _ABSENT), after.get(key, _ABSENT))
    elif (before is _ABSENT or after is _ABSENT or before != after) and before is not after:
        yield path, before, after


def _context(one: Resource) -> Json:
    policies = {"DeletionPolicy": one.deletion_policy, "UpdateReplacePolicy": one.replace_policy}
    return {"Properties": one.properties, **policies}


def text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def described(change: Change, *, values: bool) -> Json:
    """Return the change as DescribeChangeSet shows it."""
    shown: Json = {"Action": change.action, "LogicalResourceId": change.logical_id, "ResourceType": change.type}
    optional = {
        "PhysicalResourceId": change.physical_id,
        "PolicyAction": change.policy,
        "ResourceDriftStatus": change.drift_status,
    }
    shown |= {key: value for key, value in optional.items() if value}
    shown["Scope"] = list(dict.fromkeys(detail.attribute for detail in change.details))
    if change.action == "Modify":
        shown["Replacement"] = change.replacement
        details = [_detail(detail, values=values) for detail in change.details]
        shown["Details"] = [one for number, one in enumerate(details) if one not in details[:number]]
    if values:
        contexts = {"BeforeContext": change.before, "AfterContext": change.after}
        shown |= {key: json.dumps(value) for key, value in contexts.items() if value is not None}
    return {"Type": "Resource", "ResourceChange": shown}


def _detail(detail: Detail, *, values: bool) -> Json:
    target: Json = {"Attribute": detail.attribute, "RequiresRecreation": detail.recreation}
    if detail.name:
        target["Name"] = detail.name
    if values and detail.path:
        target |= {"Path": detail.path, "AttributeChangeType": detail.kind}
    if values:
        shown = {"BeforeValue": detail.before, "AfterValue": detail.after}
        target |= {key: text(value) for key, value in shown.items() if value is not _ABSENT}
    if detail.drift:
        target |= {"Drift": detail.drift, "BeforeValueFrom": "ACTUAL_STATE", "AfterValueFrom": "TEMPLATE"}
    said: Json = {"Target": target, "Evaluation": detail.evaluation, "ChangeSource": detail.source}
    return {**said, "CausingEntity": detail.cause} if detail.cause else said
