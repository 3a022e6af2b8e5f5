"""Names and values as people say them: `transactions-prod`, not an Fn::Sub of an ARN."""

import json
import re
from typing import Any

from paycli.audit.model import Resource, Template, listed, mapping
from paycli.text import one_line

# Where a type says its physical name.
_NAME_PROPERTIES = {
    "AWS::ApiGateway::Authorizer": "Name",
    "AWS::ApiGateway::Model": "Name",
    "AWS::ApiGateway::RestApi": "Name",
    "AWS::ApiGateway::Stage": "StageName",
    "AWS::ApiGatewayV2::Api": "Name",
    "AWS::Backup::BackupVault": "BackupVaultName",
    "AWS::DynamoDB::GlobalTable": "TableName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::KinesisFirehose::DeliveryStream": "DeliveryStreamName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::WAFv2::WebACL": "Name",
}
_PSEUDO = {
    "AWS::AccountId": "ACCOUNT",
    "AWS::NoValue": "",
    "AWS::Partition": "aws",
    "AWS::Region": "REGION",
    "AWS::URLSuffix": "amazonaws.com",
}
# Letters. No name is longer, and names that hold one another must end somewhere.
_LONGEST = 512
# What a resource's ARN has before its name, by service.
_ARN_PARTS = ("log-group:", "table/", "function:", "role/", "backup-vault:")

_OWN_ARN = re.compile(r"arn:aws:([a-z0-9-]+):(?:REGION)?:(?:ACCOUNT)?:(.+)")
_OWN_SERVICE = re.compile(r"([a-z0-9-]+)\.REGION\.amazonaws\.com")
_VARIABLE = re.compile(r"\$\{(!?)\s*([^}]*?)\s*\}")


class Names:
    """The readable names of one template."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._aliases = _key_aliases(template)
        self._names = {logical_id: logical_id for logical_id in template.resources}
        for _ in range(2):  # a name may hold another's, wherever that one stands
            for resource in template.resources.values():
                self._names[resource.logical_id] = self._name(resource)
        self._physical = frozenset(self._names.values())

    def of(self, resource: Resource) -> str:
        """Return a resource's physical name; its logical ID where AWS makes one up."""
        return self._names[resource.logical_id]

    def _name(self, resource: Resource) -> str:
        written = resource.properties.get(_NAME_PROPERTIES.get(resource.type, ""))
        written = self._aliases.get(resource.logical_id, written)
        return self._raw(written)[:_LONGEST] or one_line(resource.logical_id)

    def text(self, value: Any) -> str:
        """Return a value as one line of text, without what is the same for every ARN of this account and region.

        A parameter stands as its default, and where it has none as `<its name>`.
        """
        return self._shortened(self._raw(value))

    def texts(self, value: Any) -> tuple[str, ...]:
        """Return a value or a list of values, each as text."""
        return tuple(self.text(entry) for entry in listed(value))

    def flag(self, value: Any) -> bool:
        """Whether a value is true."""
        return self._raw(value).lower() == "true"

    def number(self, value: Any) -> float | None:
        """Return a value that is a number, else None."""
        try:
            return float(self._raw(value))
        except ValueError:
            return None

    def _raw(self, value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        if value is None:
            return ""
        if isinstance(value, dict) and len(value) == 1:
            ((name, inner),) = value.items()
            said = self._function(name, inner)
            if said is not None:
                return said
        return one_line(json.dumps(value) if isinstance(value, dict | list) else str(value))

    def _function(self, name: str, inner: Any) -> str | None:
        parts = listed(inner)
        match name:
            case "Ref":
                return self._referred(str(inner))
            case "Fn::GetAtt" if parts:
                return self._referred(str(parts[0]).partition(".")[0])
            case "Fn::Sub" if parts:
                return self._substituted(str(parts[0]), mapping(parts[-1]))
            case "Fn::Join" if len(parts) == 2:
                return str(parts[0]).join(self._raw(part) for part in listed(parts[1]))
            case "Fn::If":
                said = [self._raw(part) for part in listed({name: inner})]
                return " or ".join(text for text in said if text)
        return None

    def _referred(self, name: str) -> str:
        if name in self._names:
            return self._names[name]
        if name in _PSEUDO:
            return _PSEUDO[name]
        parameter = self._template.parameters.get(name, {})
        if "Default" in parameter and not self.flag(parameter.get("NoEcho")):
            return one_line(str(parameter["Default"]))
        return f"<{one_line(name)}>"

    def _substituted(self, text: str, given: Any) -> str:
        def put(found: re.Match[str]) -> str:
            literal, name = found.groups()
            if literal:
                return f"${{{name}}}"
            return self._raw(given[name]) if name in given else self._referred(name.partition(".")[0])

        return one_line(_VARIABLE.sub(put, text))

    def _shortened(self, text: str) -> str:
        own = _OWN_ARN.fullmatch(text)
        if not own:
            return "this account" if text == "ACCOUNT" else _OWN_SERVICE.sub(r"\1.amazonaws.com", text)
        service, resource = own.groups()
        name = resource
        for part in _ARN_PARTS:
            name = name.removeprefix(part)
        if name in self._physical or service in {"s3", "execute-api"}:
            return name
        return "this account" if (service, name) == ("iam", "root") else f"{service}:{resource}"


def _key_aliases(template: Template) -> dict[str, Any]:
    """Return the alias of each key that has one, by the key's logical ID."""
    aliases = {}
    for alias in template.of_type("AWS::KMS::Alias"):
        key = template.called(alias.properties.get("TargetKeyId"))
        if key:
            aliases[key.logical_id] = alias.properties.get("AliasName")
    return aliases
