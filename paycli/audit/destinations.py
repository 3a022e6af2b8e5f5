"""Where a template sends what it holds: the ARNs of streams, queues, vaults and functions that receive it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from paycli.audit.template import Node, Stack

# By type: each path to a destination; a list is looked through on the way.
_PLACES: dict[str, tuple[tuple[str, ...], ...]] = {
    "AWS::ApiGateway::Method": (("Integration", "Uri"),),
    "AWS::ApiGateway::Stage": (("AccessLogSetting", "DestinationArn"),),
    "AWS::ApiGatewayV2::Integration": (("IntegrationUri",),),
    "AWS::ApiGatewayV2::Stage": (("AccessLogSettings", "DestinationArn"),),
    "AWS::Backup::BackupPlan": (("BackupPlan", "BackupPlanRule", "CopyActions", "DestinationBackupVaultArn"),),
    "AWS::DynamoDB::GlobalTable": (("Replicas", "KinesisStreamSpecification", "StreamArn"),),
    "AWS::DynamoDB::Table": (("KinesisStreamSpecification", "StreamArn"),),
    "AWS::Events::Rule": (("Targets", "Arn"), ("Targets", "DeadLetterConfig", "Arn")),
    "AWS::Lambda::EventInvokeConfig": (
        ("DestinationConfig", "OnFailure", "Destination"),
        ("DestinationConfig", "OnSuccess", "Destination"),
    ),
    "AWS::Lambda::EventSourceMapping": (("FunctionName",), ("DestinationConfig", "OnFailure", "Destination")),
    "AWS::Lambda::Function": (("DeadLetterConfig", "TargetArn"),),
    "AWS::Logs::DeliveryDestination": (("DestinationResourceArn",),),
    "AWS::Logs::Destination": (("TargetArn",),),
    "AWS::Logs::SubscriptionFilter": (("DestinationArn",),),
    "AWS::Pipes::Pipe": (("Enrichment",), ("Target",)),
    "AWS::S3::Bucket": (("ReplicationConfiguration", "Rules", "Destination", "Account"),),
    "AWS::SNS::Subscription": (("Endpoint",), ("RedrivePolicy", "deadLetterTargetArn")),
    "AWS::SNS::Topic": (("Subscription", "Endpoint"),),
    "AWS::SQS::Queue": (("RedrivePolicy", "deadLetterTargetArn"),),
    "AWS::Scheduler::Schedule": (("Target", "Arn"), ("Target", "DeadLetterConfig", "Arn")),
    "AWS::WAFv2::LoggingConfiguration": (("LogDestinationConfigs",),),
}
# The pseudo parameters have colons, which otherwise part an ARN.
_PSEUDO = re.compile(r"\$\{AWS::([A-Za-z]+)\}")
_ARN = re.compile(r"arn:[^:/]*:[a-z0-9-]+:(?P<region>[^:]*):(?P<account>[^:]*):")
_ACCOUNT = re.compile(r"[0-9]{12}|\$\{(?!AWS-)[^}]*\}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]|\$\{(?!AWS-)[^}]*\}")


@dataclass(frozen=True)
class Destination:
    """A place that names a destination, and what it says of whose: accounts and regions but `${AWS::…}`."""

    node: Node
    accounts: tuple[str, ...]
    regions: tuple[str, ...]


def destinations(stack: Stack) -> Iterator[Destination]:
    """Yield every destination of the template's resources."""
    for resource_type, places in _PLACES.items():
        for resource in stack.resources(resource_type):
            for place in places:
                for node in through(resource.get(place[0]), *place[1:]):
                    yield _read(node)


def through(nodes: list[Node], *keys: str) -> Iterator[Node]:
    """Yield what stands below nodes, element by element where one is a list."""
    for node in (item for each in nodes for item in each.items()):
        if keys:
            yield from through(node.get(keys[0]), *keys[1:])
        else:
            yield node


def names_region(text: str | None) -> bool:
    """Whether a text is a region other than `${AWS::Region}`."""
    return bool(_REGION.fullmatch(_PSEUDO.sub(r"${AWS-\1}", text or "")))


def _read(node: Node) -> Destination:
    text = _PSEUDO.sub(r"${AWS-\1}", node.text or "")
    if re.fullmatch("[0-9]{12}", text):
        return Destination(node, (text,), ())
    arns = list(_ARN.finditer(text))
    return Destination(
        node,
        tuple(arn["account"] for arn in arns if _ACCOUNT.fullmatch(arn["account"])),
        tuple(arn["region"] for arn in arns if _REGION.fullmatch(arn["region"])),
    )
