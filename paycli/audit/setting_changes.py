"""What a setting of a resource says in one template and not in another, beside what the facts tell."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from paycli.audit import judges
from paycli.audit.changes import CODE, DATA, WIDER, Change
from paycli.audit.differences import Difference, Side, differences, shown
from paycli.audit.judges import Setting
from paycli.audit.model import Resource, mapping
from paycli.audit.setting_rules import SettingRule, rule_for

_WORDS = re.compile("(?<=[a-z])(?=[A-Z])|(?<=ACL)(?=[A-Z])")
_NOTE = re.compile(r" \((?:parameter|attribute) [^)]*\)")
# Attributes of a resource that decide nothing about what it is, or are told with its properties.
_UNTOLD = frozenset({"DependsOn", "DeletionPolicy", "Metadata", "Properties", "Type"})
# What may have a secret in it by its name: its values are for nobody's report.
_SECRETIVE = re.compile(r"pass(?!Role)|pwd|secret|token|credential|private|api_?key", re.IGNORECASE)
_POLICY = judges.ranked("Delete", "Snapshot", "RetainExceptOnCreate", "Retain", without="Delete")
# Of a new one the facts tell what they know of such a type, and nothing else.
_KNOWN_BY_FACTS = frozenset(
    {
        "AWS::Backup::BackupVault",
        "AWS::DynamoDB::Table",
        "AWS::IAM::User",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
    }
)
# What a new one must be made with, or is made of; it lets nobody in and takes nothing elsewhere.
_MADE_OF = frozenset(
    {
        *("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "TableClass"),
        *("ContentBasedDeduplication", "DelaySeconds", "FifoQueue", "FifoTopic", "MaximumMessageSize"),
        *("KeySpec", "KeyUsage", "LogGroupClass", "ReceiveMessageWaitTimeSeconds"),
        *("KeyPolicy", "RedriveAllowPolicy", "SSESpecification"),  # without it everything is let in, or AWS's key used
    }
)
# What every value of the template may come from: how a change is called, and what of it is for people alone.
_SECTIONS = {"Parameters": "parameter", "Mappings": "mapping", "Conditions": "condition"}


def kind(resource_type: str) -> str:
    """Return a type as people say it: AWS::SQS::QueuePolicy is a queue policy."""
    last = resource_type.rpartition("::")[2]
    return _WORDS.sub(" ", last).lower().replace("web acl", "web ACL")


def setting_changes(before: Side, after: Side) -> Iterator[Change]:
    """Give what differs in the resources that both have, and in what their values come from."""
    yield from _section_changes(before, after)
    for logical_id, new in after.template.resources.items():
        old = before.template.resources.get(logical_id)
        if old and old.type == new.type:
            yield from _attribute_changes(before, after, new)
            for found in differences(before, after, old.properties, new.properties):
                yield from _told(found, old, new, f"{kind(new.type)} {after.names.of(new)}")
        elif new.type in _KNOWN_BY_FACTS:
            yield from _made_with(before, after, new)


def _made_with(before: Side, after: Side, new: Resource) -> Iterator[Change]:
    """Tell what makes a new store or user wider than one without that setting: a public bucket, a stream, a login."""
    name = f"{kind(new.type)} {after.names.of(new)}"
    for found in differences(before, after, {}, new.properties):
        rule = rule_for(new.type, found.path)
        wider = not rule.told and rule.judge(Setting(found, {}, new.properties)) == WIDER
        if wider and found.path[0] not in _MADE_OF:
            yield Change(WIDER, rule.area, _words(f"{name} {rule.said}".rstrip(), found))


def _told(found: Difference, old: Resource, new: Resource, name: str) -> Iterator[Change]:
    rule = rule_for(new.type, found.path)
    direction = rule.judge(Setting(found, old.properties, new.properties))
    if rule.told and _unseen(found):
        rule, direction = SettingRule(rule.area, judges.unknown, "is decided in another way"), WIDER
    if direction:
        yield Change(direction, rule.area, _words(f"{name} {rule.said}".rstrip(), found))


def _unseen(found: Difference) -> bool:
    """Whether the facts can't tell the values apart: by a parameter that may be another, by an attribute."""
    old, new = (_NOTE.sub("", value or "") for value in (found.old, found.new))
    return old == new


def _words(name: str, found: Difference) -> str:
    if any(_SECRETIVE.search(part) for part in found.path):
        return f"{name}: {_label(found)} differs; it may be a secret, so its values aren't shown"
    old, new = shown(found.old, found.new)
    if found.new is None:
        return f"{name}: {_label(found)} is gone; before: {old}"
    return f"{name}: {_label(found)} is now {new}; before: {old}"


def _label(found: Difference) -> str:
    """Return a path as people write it: Rules[rate].Action."""
    elements = (shown(name, None)[0] if name.startswith("[") else f".{name}" for name in found.path)
    return "".join(elements).lstrip(".")


def _attribute_changes(before: Side, after: Side, new: Resource) -> Iterator[Change]:
    old_body, new_body = (mapping(_section(side, "Resources").get(new.logical_id)) for side in (before, after))
    old_said, new_said = (
        {key: value for key, value in body.items() if key not in _UNTOLD} for body in (old_body, new_body)
    )
    for found in differences(before, after, old_said, new_said):
        setting = Setting(found, old_body, new_body)
        by_policy = found.path == ("UpdateReplacePolicy",)
        direction = (by_policy and _POLICY(setting)) or WIDER
        yield Change(direction, DATA if by_policy else CODE, _words(f"{kind(new.type)} {after.names.of(new)}", found))


def _section(side: Side, name: str) -> Mapping[str, Any]:
    return mapping(side.template.document.get(name))


def _section_changes(before: Side, after: Side) -> Iterator[Change]:
    """Tell what decides the values of settings: parameters, mappings and conditions that both have, and macros."""
    for section, word in _SECTIONS.items():
        old_said, new_said = _section(before, section), _section(after, section)
        for name in new_said.keys() & old_said.keys():
            for found in differences(before, after, old_said[name], new_said[name]):
                if found.path[-1:] != ("Description",):
                    direction = judges.fewer(Setting(found, {}, {})) if found.path == ("AllowedValues",) else WIDER
                    yield Change(direction, CODE, _words(f"{word} {name}", found))
    old_macros, new_macros = (side.template.document.get("Transform") for side in (before, after))
    for found in differences(before, after, old_macros, new_macros, ("Transform",)):
        direction = judges.absent(Setting(found, {}, {}))
        yield Change(direction, CODE, _words("the template is rewritten by macros", found))
