"""What happens to data when the stack is deleted, or a resource is replaced."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paycli.environment import Environment

# The types that hold what can't be made again: payments, their backups and failures, the key that reads them, the logs.
DATA_TYPES = frozenset(
    {
        "AWS::Backup::BackupVault",
        "AWS::DynamoDB::Table",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::SQS::Queue",
    }
)

# The deletion policies that leave a resource when its stack is deleted.
KEEPING_POLICIES = frozenset({"Retain", "RetainExceptOnCreate"})


def data_policies(environment: "Environment") -> dict[str, str]:
    """Return the attributes of a resource that holds data.

    RetainExceptOnCreate: a failed first create is rolled back whole, so that nothing kept by it is in the way
    of the second. UpdateReplacePolicy knows only Retain.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
    """
    if environment.retain_data:
        return {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
    return {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}
