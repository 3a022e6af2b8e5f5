"""What an earlier stack of an environment has kept, so that the next stack can take it up.

ImportExistingResources takes up only what a name in the template identifies: no queue, which its URL identifies, and no
key, which has no name. A change set of type IMPORT takes up all of it, and does nothing else: it makes and changes no
resource, and refuses outputs, tags and a role ("As part of the import operation, you cannot modify or add [RoleArn,
Tags]"). So the stack is made of what was kept alone, and an update adds the rest.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-manually.html
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from paycli.aws import Aws
from paycli.environment import Environment
from paycli.errors import PaycliError
from paycli.stack.retention import KEEPING_POLICIES

_KEY = "AWS::KMS::Key"
_VARIABLE = re.compile(r"\$\{([^!}.]+)")


@dataclass(frozen=True)
class Kept:
    """A resource that outlived its stack. `identifier` is the one property that identifies it, and its value."""

    logical_id: str
    resource_type: str
    identifier: tuple[str, str]

    @property
    def physical_id(self) -> str:
        """What CloudFormation calls it."""
        return self.identifier[1]

    @property
    def request(self) -> dict[str, Any]:
        """The entry of ResourcesToImport."""
        return {
            "ResourceType": self.resource_type,
            "LogicalResourceId": self.logical_id,
            "ResourceIdentifier": dict([self.identifier]),
        }


@dataclass(frozen=True)
class _Found:
    """What a name stands for: the value that identifies it, and its key as the service tells it ("" for none)."""

    identifier: str
    key: str


def find(aws: Aws, environment: Environment, template: Mapping[str, Any]) -> tuple[Kept, ...]:
    """Return what stands under the names of the template's data, and the key that it is encrypted with.

    A vault and the API's execution log are not looked for: their names end in the API's id, and the next stack has
    another. The embedded AWS takes up by itself what it can. Raises PaycliError where the key can't be taken up.
    """
    if not environment.retain_data or environment.target == "embedded":
        return ()
    kept, keys = [], []
    # The table's key comes first: without it the payments are lost.
    for resource_type, (named_by, identified_by, look) in _LOOKS.items():
        for logical_id, name in _names(template, resource_type, named_by):
            found = look(aws, name)
            if found:
                kept.append(Kept(logical_id, resource_type, (identified_by, found.identifier)))
                keys += [(name, found.key)] if found.key else []
    key = _key(aws, environment, *keys[0]) if keys else None
    if key:
        kept += [Kept(logical_id, _KEY, ("KeyId", key)) for logical_id, _ in _of_type(template, _KEY)]
    return tuple(kept)


def body(template: Mapping[str, Any], kept: Collection[Kept]) -> str:
    """Return the template of the import as JSON: what was kept, and of that only what refers to nothing else.

    The policy is Retain until the update: RetainExceptOnCreate would leave open whether taking back the import counts
    as taking back the create. CloudFormation doesn't compare the properties with what stands; the update does.
    """
    taken = {one.logical_id for one in kept}
    resources = {}
    for logical_id in taken:
        whole = template["Resources"][logical_id]
        properties = {name: value for name, value in whole["Properties"].items() if all(_within(taken, value))}
        resources[logical_id] = {
            "Type": whole["Type"],
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": properties,
        }
    document = {
        "AWSTemplateFormatVersion": template["AWSTemplateFormatVersion"],
        "Description": template["Description"],  # by it the stack is known as paycli's: it can't have tags yet
        "Resources": dict(sorted(resources.items())),
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _within(taken: Collection[str], value: Any) -> Iterator[bool]:
    """Say of each reference in a value whether it stays within what is taken up."""
    for name in _references(value):
        yield name in taken or name.startswith("AWS::")


def _references(value: Any) -> Iterator[str]:
    """Give the resources and parameters that a part of a template refers to."""
    if isinstance(value, list):
        for entry in value:
            yield from _references(entry)
    elif isinstance(value, dict):
        for name, entry in value.items():
            if name == "Ref":
                yield entry
            elif name == "Fn::GetAtt":
                yield entry[0]
            elif name == "Fn::Sub":
                yield from _VARIABLE.findall(entry)
            else:
                yield from _references(entry)


def _of_type(template: Mapping[str, Any], resource_type: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] == resource_type and resource.get("DeletionPolicy") in KEEPING_POLICIES:
            yield logical_id, resource["Properties"]


def _names(template: Mapping[str, Any], resource_type: str, named_by: str) -> Iterator[tuple[str, str]]:
    """Give the logical id and the name of each resource of a type whose name the template says."""
    for logical_id, properties in _of_type(template, resource_type):
        if isinstance(properties[named_by], str):
            yield logical_id, properties[named_by]


def _table(aws: Aws, name: str) -> _Found | None:
    dynamodb = aws.client("dynamodb")
    try:
        table = dynamodb.describe_table(TableName=name)["Table"]
    except dynamodb.exceptions.ResourceNotFoundException:
        return None
    return _Found(name, table.get("SSEDescription", {}).get("KMSMasterKeyArn", ""))


def _queue(aws: Aws, name: str) -> _Found | None:
    sqs = aws.client("sqs")
    try:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        return None
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["KmsMasterKeyId"]).get("Attributes", {})
    return _Found(url, attributes.get("KmsMasterKeyId", ""))


def _log_group(aws: Aws, name: str) -> _Found | None:
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    group = next((group for group in groups if group["logGroupName"] == name), None)
    return _Found(name, group.get("kmsKeyId", "")) if group else None


# By type, the property that names it, the one that identifies it (the primaryIdentifier of the type's schema), and the
# look at the account.
_LOOKS = {
    "AWS::DynamoDB::Table": ("TableName", "TableName", _table),
    "AWS::SQS::Queue": ("QueueName", "QueueUrl", _queue),
    "AWS::Logs::LogGroup": ("LogGroupName", "LogGroupName", _log_group),
}


def _key(aws: Aws, environment: Environment, owner: str, key: str) -> str | None:
    """Return the id of the key that `owner` is encrypted with, or None where AWS manages it.

    Raises PaycliError where the key is gone, can't be used, or isn't this environment's own: the deploy would write
    its policy anew. https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
    """
    kms = aws.client("kms")
    try:
        said = kms.describe_key(KeyId=key)["KeyMetadata"]
    except kms.exceptions.NotFoundException:
        raise PaycliError(
            f"{owner} was kept, but its key is gone: {key}.",
            hint="Nobody can read it any more. Delete it if that is so, then deploy again.",
            code="key_gone",
        ) from None
    if said["KeyManager"] == "AWS":
        return None
    key_id: str = said["KeyId"]
    if said["KeyState"] != "Enabled":
        raise PaycliError(
            f"{owner} was kept, but its key {key_id} is {said['KeyState']}.", hint=_mend(aws, said), code="key_unusable"
        )
    tags = {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=key_id)["Tags"]}
    if (tags.get("ManagedBy"), tags.get("Environment")) != ("paycli", environment.name):
        raise PaycliError(
            f"{owner} is encrypted with {key_id}, which isn't this environment's own key: it lacks the tags "
            f"ManagedBy=paycli and Environment={environment.name}.",
            hint="It is left alone. Rename or remove what it encrypts, or choose another environment name.",
            code="foreign_key",
        )
    return key_id


def _mend(aws: Aws, key: Mapping[str, Any]) -> str:
    """Return what makes a key usable again."""
    enable = f"aws kms enable-key --key-id {key['KeyId']} --region {aws.region}"
    if key["KeyState"] == "PendingDeletion":
        cancel = f"aws kms cancel-key-deletion --key-id {key['KeyId']} --region {aws.region}"
        return f"Once it is deleted, nobody can read the data. Keep it: {cancel} && {enable}"
    if key["KeyState"] == "Disabled":
        return f"Enable it, then deploy again: {enable}"
    return "Look at the key in the KMS console."
