"""Which resources one template has and another not, where the facts of access, surface and data don't tell it."""

from collections.abc import Iterator
from typing import Any

from paycli.audit.changes import CODE, DATA, MONITORING, NARROWER, NEUTRAL, WIDER, Change
from paycli.audit.differences import Side, shown
from paycli.audit.model import Resource
from paycli.audit.setting_changes import kind
from paycli.audit.setting_rules import area_of

# The facts tell of these by name: stores, routes, grants.
_TOLD = frozenset(
    {
        "AWS::ApiGateway::Method",
        "AWS::ApiGateway::Resource",
        "AWS::Backup::BackupVault",
        "AWS::DynamoDB::Table",
        "AWS::IAM::Group",
        "AWS::IAM::GroupPolicy",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::IAM::RolePolicy",
        "AWS::IAM::User",
        "AWS::IAM::UserPolicy",
        "AWS::KMS::Key",
        "AWS::Lambda::LayerVersionPermission",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Url",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
        "AWS::WAFv2::WebACLAssociation",
    }
)
# A deployment is a new one for every change of what it deploys. More than this makes a stage.
_DEPLOYMENT = {"RestApiId", "Description"}
# What protects or watches: there is more of it with a new one.
_PROTECTIONS = {
    "AWS::ApiGateway::Model": NEUTRAL,
    "AWS::ApiGateway::RequestValidator": NEUTRAL,
    "AWS::Backup::BackupPlan": NARROWER,
    "AWS::Backup::BackupSelection": NARROWER,
    "AWS::CloudWatch::Alarm": NARROWER,
    "AWS::CloudWatch::CompositeAlarm": NARROWER,
    "AWS::CloudWatch::Dashboard": NARROWER,
    "AWS::KMS::Alias": NEUTRAL,
    "AWS::Lambda::CodeSigningConfig": NARROWER,
    "AWS::Logs::MetricFilter": NARROWER,
    "AWS::WAFv2::LoggingConfiguration": NARROWER,
    "AWS::WAFv2::WebACL": NARROWER,
}
# What runs, or takes data somewhere: there is less of it without one.
_WAYS = {
    "AWS::Events::Rule": (DATA, "gives events to others"),
    "AWS::KinesisFirehose::DeliveryStream": (DATA, "takes data elsewhere"),
    "AWS::Lambda::EventSourceMapping": (DATA, "gives what it reads to a function"),
    "AWS::Lambda::Function": (CODE, "runs code"),
    "AWS::Lambda::LayerVersion": (CODE, "is code for functions"),
    "AWS::Logs::SubscriptionFilter": (DATA, "gives log lines to others"),
    "AWS::Pipes::Pipe": (DATA, "takes data elsewhere"),
    "AWS::Scheduler::Schedule": (CODE, "runs something"),
}
_COPIES = "CopyActions"  # a backup plan that takes backups elsewhere


def resource_changes(before: Side, after: Side) -> Iterator[Change]:
    """Give what came and what went; a resource of another type is both."""
    for side, other, tell in ((after, before, _came), (before, after, _went)):
        for logical_id, resource in side.template.resources.items():
            known = other.template.resources.get(logical_id)
            if not _is_told(resource) and (known is None or known.type != resource.type):
                yield tell(side, resource)
    yield from _silenced(before, after)


def _is_told(resource: Resource) -> bool:
    harmless = resource.type == "AWS::ApiGateway::Deployment" and resource.properties.keys() <= _DEPLOYMENT
    return harmless or resource.type in _TOLD


def _came(side: Side, resource: Resource) -> Change:
    name = f"{kind(resource.type)} {side.names.of(resource)} is new"
    if resource.type in _WAYS:
        area, does = _WAYS[resource.type]
        return Change(WIDER, area, f"{name}: it {does}{_where(side, resource)}")
    direction = _PROTECTIONS.get(resource.type, WIDER)
    if resource.type == "AWS::ApiGateway::GatewayResponse" and not _allows_origins(resource):
        direction = NEUTRAL
    if _COPIES in str(resource.properties):
        direction = WIDER
    return Change(direction, area_of(resource.type), name + _where(side, resource))


def _went(side: Side, resource: Resource) -> Change:
    name = f"{kind(resource.type)} {side.names.of(resource)} is gone"
    if resource.type == "AWS::Events::Rule":
        return Change(WIDER, MONITORING, f"{name}: what it started starts no more{_where(side, resource)}")
    direction = NARROWER if resource.type in _WAYS else WIDER
    area = _WAYS[resource.type][0] if resource.type in _WAYS else area_of(resource.type)
    return Change(direction, area, name + _where(side, resource))


def _allows_origins(resource: Resource) -> bool:
    return "access-control-" in str(resource.properties).lower()


def _where(side: Side, resource: Resource) -> str:
    """Say what a resource refers to: the addresses, ARNs and other resources among its properties."""
    found = dict.fromkeys(_destinations(side, resource.properties, ""))
    return f" ({shown('; '.join(found), None)[0]})" if found else ""


def _destinations(side: Side, value: Any, key: str) -> Iterator[str]:
    if isinstance(value, list):
        for entry in value:
            yield from _destinations(side, entry, key)
    elif isinstance(value, dict) and not set(value) & {"Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::If"}:
        for name, inner in value.items():
            if name != "Tags":
                yield from _destinations(side, inner, name)
    elif isinstance(value, dict) or "://" in str(value) or str(value).startswith("arn:"):
        yield f"{key} {side.text(value)}"


def _silenced(before: Side, after: Side) -> Iterator[Change]:
    """Tell the subscriptions that are gone: access says that somebody reads less, and here somebody hears less."""
    for resource in before.template.of_type("AWS::SNS::Subscription"):
        if resource.logical_id not in after.template.resources:
            said = resource.properties
            who = f"{before.names.text(said.get('Protocol'))} {before.names.text(said.get('Endpoint'))}"
            text = f"{who} no longer hears from {before.names.text(said.get('TopicArn'))}"
            yield Change(WIDER, MONITORING, text)
