"""What the fake knows of resource types. A test holds the table against the schemas that cfn-lint carries."""

import random
import string
from dataclasses import dataclass

from tests.fakes.cloudformation.model import Json


@dataclass(frozen=True)
class ResourceType:
    """A type: which properties can't be changed in place, which one names it, and how long its create takes."""

    create_only: tuple[str, ...] = ()
    conditional: tuple[str, ...] = ()  # a change of it replaces the resource in some cases
    name: str = ""  # the property by which a template gives it a name of its own
    seconds: float = 2.0
    importable: bool = False  # whether that name alone identifies it, so that it can be imported by it
    identifier: str = ""  # what identifies it otherwise: a property that AWS gives, and nobody sets

    @property
    def primary(self) -> str:
        """The property that identifies it, or nothing where it takes several or isn't known here."""
        return self.name if self.importable else self.identifier


_REST_API = "RestApiId"
TYPES = {
    "AWS::ApiGateway::Account": ResourceType(),
    "AWS::ApiGateway::Deployment": ResourceType((_REST_API, "DeploymentCanarySettings")),
    "AWS::ApiGateway::GatewayResponse": ResourceType((_REST_API, "ResponseType")),
    "AWS::ApiGateway::Method": ResourceType((_REST_API, "ResourceId", "HttpMethod")),
    "AWS::ApiGateway::Model": ResourceType((_REST_API, "ContentType", "Name")),
    "AWS::ApiGateway::RequestValidator": ResourceType((_REST_API, "Name")),
    "AWS::ApiGateway::Resource": ResourceType((_REST_API, "ParentId", "PathPart")),
    "AWS::ApiGateway::RestApi": ResourceType(),
    "AWS::ApiGateway::Stage": ResourceType((_REST_API, "StageName")),
    "AWS::Backup::BackupPlan": ResourceType(),
    "AWS::Backup::BackupSelection": ResourceType(("BackupPlanId", "BackupSelection")),
    "AWS::Backup::BackupVault": ResourceType(
        ("BackupVaultName", "EncryptionKeyArn"), name="BackupVaultName", importable=True
    ),
    "AWS::CloudWatch::Alarm": ResourceType(("AlarmName",), name="AlarmName", importable=True),
    "AWS::CloudWatch::CompositeAlarm": ResourceType(("AlarmName",), name="AlarmName", importable=True),
    "AWS::CloudWatch::Dashboard": ResourceType(("DashboardName",), name="DashboardName", importable=True),
    "AWS::DynamoDB::Table": ResourceType(
        ("TableName", "ImportSourceSpecification"), ("KeySchema",), "TableName", seconds=16.0, importable=True
    ),
    "AWS::Events::Rule": ResourceType(("Name",), ("EventBusName",), "Name", seconds=30.0),
    "AWS::IAM::ManagedPolicy": ResourceType(
        ("ManagedPolicyName", "Description", "Path"), name="ManagedPolicyName", seconds=8.0
    ),
    "AWS::IAM::Role": ResourceType(("Path", "RoleName"), name="RoleName", seconds=16.0, importable=True),
    "AWS::KMS::Alias": ResourceType(("AliasName",), name="AliasName", importable=True),
    "AWS::KMS::Key": ResourceType(seconds=10.0, identifier="KeyId"),
    "AWS::Lambda::EventInvokeConfig": ResourceType(("FunctionName", "Qualifier")),
    "AWS::Lambda::Function": ResourceType(
        ("FunctionName", "PackageType", "TenancyConfig"),
        ("DurableConfig",),
        "FunctionName",
        seconds=8.0,
        importable=True,
    ),
    "AWS::Lambda::Permission": ResourceType(
        (
            "FunctionName",
            "FunctionUrlAuthType",
            "InvokedViaFunctionUrl",
            "SourceAccount",
            "SourceArn",
            "Principal",
            "PrincipalOrgID",
            "Action",
            "EventSourceToken",
        )
    ),
    "AWS::Logs::LogGroup": ResourceType(("LogGroupName",), name="LogGroupName", importable=True),
    "AWS::S3::Bucket": ResourceType(
        ("BucketName", "BucketNamePrefix", "BucketNamespace"), name="BucketName", seconds=14.0, importable=True
    ),
    "AWS::S3::BucketPolicy": ResourceType(("Bucket",)),
    "AWS::SNS::Subscription": ResourceType(("Endpoint", "Protocol", "TopicArn"), ("Region",)),
    "AWS::SNS::Topic": ResourceType(("TopicName", "FifoTopic"), name="TopicName", seconds=10.0),
    "AWS::SNS::TopicPolicy": ResourceType(),
    "AWS::SQS::Queue": ResourceType(("QueueName", "FifoQueue"), name="QueueName", seconds=60.0, identifier="QueueUrl"),
    "AWS::SQS::QueuePolicy": ResourceType(),
    "AWS::WAFv2::LoggingConfiguration": ResourceType(("ResourceArn",)),
    "AWS::WAFv2::WebACL": ResourceType(("Name", "Scope"), name="Name", seconds=6.0),
    "AWS::WAFv2::WebACLAssociation": ResourceType(("ResourceArn", "WebACLArn")),
}
_UNKNOWN = ResourceType()

_ARNS = {
    "AWS::SQS::Queue": "arn:aws:sqs:{region}:{account}:{id}",
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:{region}:{account}:table/{id}",
    "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{id}",
    "AWS::Logs::LogGroup": "arn:aws:logs:{region}:{account}:log-group:{id}:*",
    "AWS::KMS::Key": "arn:aws:kms:{region}:{account}:key/{id}",
    "AWS::Events::Rule": "arn:aws:events:{region}:{account}:rule/{id}",
    "AWS::CloudWatch::Alarm": "arn:aws:cloudwatch:{region}:{account}:alarm:{id}",
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{id}",
    "AWS::S3::Bucket": "arn:aws:s3:::{id}",
}


def known(resource_type: str) -> ResourceType:
    """Return what is known of a type; an unknown one has no name and changes in place."""
    return TYPES.get(resource_type, _UNKNOWN)


def custom_name(resource_type: str, properties: Json) -> str:
    """Return the name that the template gives the resource, or nothing."""
    name = known(resource_type).name
    return str(properties.get(name, "")) if name else ""


@dataclass(frozen=True)
class Naming:
    """Makes the physical ids and attributes of new resources."""

    region: str
    account: str
    chance: random.Random

    def physical_id(self, resource_type: str, stack: str, logical_id: str, properties: Json) -> str:
        name = custom_name(resource_type, properties) or f"{stack}-{logical_id}-{self._letters(12).upper()}"
        match resource_type:
            case "AWS::SQS::Queue":
                return f"https://sqs.{self.region}.amazonaws.com/{self.account}/{name}"
            case "AWS::SNS::Topic":
                return f"arn:aws:sns:{self.region}:{self.account}:{name}"
            case "AWS::IAM::ManagedPolicy":
                return f"arn:aws:iam::{self.account}:policy/{name}"
            case "AWS::KMS::Key":
                return "-".join(self._letters(length) for length in (8, 4, 4, 4, 12))
            case "AWS::S3::Bucket":
                return name.lower()
            case "AWS::ApiGateway::Stage":
                return str(properties["StageName"])
            case _ if resource_type.startswith("AWS::ApiGateway::"):
                return self._letters(10)
            case _:
                return name

    def attribute(self, resource_type: str, physical_id: str, name: str) -> str:
        """Return what Fn::GetAtt gives."""
        last = physical_id.rpartition("/")[2]
        if (resource_type, name) == ("AWS::SQS::Queue", "QueueName"):
            return last
        if not name.endswith("Arn"):
            return f"{physical_id}-{name}"
        service = resource_type.split("::")[1].lower()
        pattern = _ARNS.get(resource_type, f"arn:aws:{service}:{{region}}:{{account}}:{{id}}")
        shown = last if service == "sqs" else physical_id
        return pattern.format(region=self.region, account=self.account, id=shown)

    def _letters(self, count: int) -> str:
        return "".join(self.chance.choices(string.digits + "abcdef", k=count))

    def unique(self) -> str:
        """Return an id of the form that CloudFormation gives stacks, change sets, operations and events."""
        return "-".join(self._letters(length) for length in (8, 4, 4, 4, 12))
