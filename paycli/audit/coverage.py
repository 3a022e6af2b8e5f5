"""Which types of resources the report understands; it says which it doesn't, rather than be silent on them."""

from collections.abc import Collection

from paycli.audit.model import Template, references

# Read for access, surface or data, or known to have none of the three beside their policies.
_READ = {
    "ApiGateway": "Account ApiKey Authorizer Deployment GatewayResponse Method Model RequestValidator Resource RestApi "
    "Stage UsagePlan UsagePlanKey",
    "Backup": "BackupPlan BackupSelection BackupVault",
    "CloudWatch": "Alarm CompositeAlarm Dashboard",
    "DynamoDB": "Table",
    "Events": "Rule",
    "IAM": "Group GroupPolicy ManagedPolicy Policy Role RolePolicy User UserPolicy",
    "KMS": "Alias Key",
    "Lambda": "Alias EventInvokeConfig Function LayerVersion LayerVersionPermission Permission Url Version",
    "Logs": "LogGroup LogStream MetricFilter ResourcePolicy",
    "S3": "Bucket BucketPolicy",
    "SNS": "Subscription Topic TopicPolicy",
    "SQS": "Queue QueuePolicy",
    "WAFv2": "IPSet LoggingConfiguration RegexPatternSet WebACL WebACLAssociation",
}
_TYPES = frozenset(f"AWS::{service}::{name}" for service, names in _READ.items() for name in names.split())


def unread(template: Template) -> tuple[str, ...]:
    """Return the types of a template that may allow, expose or keep something that the report doesn't say."""
    return tuple(sorted({resource.type for resource in template.resources.values()} - _TYPES))


def unread_users(template: Template, stores: Collection[str]) -> tuple[str, ...]:
    """Return the resources of such types that refer to one of these stores (logical IDs), each with its type."""
    return tuple(
        f"{resource.logical_id} ({resource.type})"
        for resource in template.resources.values()
        if resource.type not in _TYPES and not set(stores).isdisjoint(references(resource.properties))
    )
