"""What stands in the way of a change."""

from paycli.deployment.failure.rule import Rule, rule

# A name that is taken: by what somebody made, or by what an earlier stack has kept.
_TAKEN = r"already exists?\b|HandlerErrorCode: AlreadyExists|BucketAlreadyOwnedByYou"
_TAKEN_SUMMARY = "a resource of this name already exists"
_TAKEN_TEXT = "It doesn't belong to this stack: it was made by hand, or kept when an earlier stack was deleted."
_TAKES_OVER = "With retain_data, a deploy that makes the stack takes it over with all it holds;"


def data_taken(resource_type: str, holds: str, look: str, instead: str = _TAKES_OVER) -> Rule:
    """Return the rule of a type that holds data: what may be in it comes before any advice to delete it."""
    leaves = f"{instead} another environment name leaves it alone."
    hint = f"It may hold {holds}: look first ({look}). {leaves}"
    unnamed = f"It may hold {holds}: look first, in the console. {leaves}"
    return rule("already_exists", _TAKEN, _TAKEN_SUMMARY, _TAKEN_TEXT, hint, resource_type, unnamed=unnamed)


CONFLICTS = (
    rule(
        "import_policy",
        r"attempting to import some resources because they already exist",
        "what exists can't be taken over",
        "CloudFormation takes over only what has the deletion policy Retain or RetainExceptOnCreate in the template.",
        "Delete what AWS names, or rename it.",
    ),
    rule(
        "in_another_stack",
        r"already exists in stack (?P<other>[^\s\"]+)",
        "another stack has it",
        "It belongs to {other}.",
        "Take it out of that stack; another environment name leaves it alone.",
    ),
    rule(
        "name_taken",
        r"BucketAlreadyExists|requested bucket name is not available",
        "the bucket name is taken",
        "Bucket names are shared by all accounts of AWS.",
        "Choose another name.",
    ),
    rule(
        "queue_deleted_recently",
        r"wait 60 seconds after deleting a queue",
        "a queue of this name was deleted less than a minute ago",
        "SQS keeps the name of a deleted queue for 60 seconds.",
        "Wait a minute.",
    ),
    rule(
        "being_deleted",
        r"table is being deleted",
        "a table of this name is still being deleted",
        "DynamoDB frees the name when the delete has ended.",
        "Wait a minute.",
    ),
    rule(
        "in_use",
        r"resource which is still in use: Table is being (?:created|updated)|Backups are being enabled for the table",
        "another operation works on the table",
        "DynamoDB does one thing at a time to a table.",
        "Wait a minute.",
    ),
    data_taken("AWS::DynamoDB::Table", "payments", "aws dynamodb describe-table --table-name {name}"),
    data_taken("AWS::SQS::Queue", "failed payments", "aws sqs get-queue-url --queue-name {name}"),
    data_taken("AWS::Logs::LogGroup", "logs", "aws logs describe-log-streams --log-group-name {name}"),
    data_taken("AWS::KMS::Key", "the key of payments", "aws kms describe-key --key-id {name}"),
    data_taken(  # the next stack's vault has another name: none is taken over
        "AWS::Backup::BackupVault",
        "backups of payments",
        "aws backup list-recovery-points-by-backup-vault --backup-vault-name {name}",
        "If they are to stay,",
    ),
    rule(
        "already_exists",
        _TAKEN,
        _TAKEN_SUMMARY,
        _TAKEN_TEXT,
        "Delete or rename it; another environment name leaves it alone.",
    ),
    rule(
        "fixed_name",
        r"when a custom-named resource requires replacing",
        "it has a fixed name and can't be replaced",
        "The change needs a new resource, and CloudFormation makes no second one of the same name.",
        "Undo the change, or add the resource under a new logical ID and name and move what it holds.",
    ),
    rule(
        "stack_policy",
        r"action (?:denied|not allowed) by stack policy",
        "the stack policy forbids it",
        "It protects what holds data from being replaced or deleted.",
        "Undo the change; a removal that is meant needs --allow-remove {logical_id}.",
    ),
    rule(
        "deletion_protection",
        r"protected against deletion",
        "its deletion protection is on",
        "The table can't be deleted before somebody switches that off.",
        "If the payments in it are to go, switch off the table's deletion protection.",
    ),
    rule(
        "policies_attached",
        r"Cannot delete entity, must detach all policies first",
        "policies are attached to it that the stack doesn't know",
        "Somebody has attached them past CloudFormation, and IAM deletes no role that has any.",
        "`aws iam list-attached-role-policies --role-name {name}` names them; `aws iam detach-role-policy --role-name "
        "{name} --policy-arn ARN` takes one away.",
    ),
    rule(
        "policies_attached",
        r"Cannot delete entity, must delete policies first",
        "it has policies of its own that the stack doesn't know",
        "Somebody has added them past CloudFormation, and IAM deletes no role that has any.",
        "`aws iam list-role-policies --role-name {name}` names them; `aws iam delete-role-policy --role-name {name} "
        "--policy-name POLICY` takes one away.",
    ),
    rule(
        "policies_attached",
        r"Cannot delete entity, must remove roles from instance profile first",
        "an instance profile has it",
        "Somebody has put it there past CloudFormation, and IAM deletes no role that is in one.",
        "`aws iam list-instance-profiles-for-role --role-name {name}` names it; `aws iam "
        "remove-role-from-instance-profile --role-name {name} --instance-profile-name PROFILE` takes the role out.",
    ),
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html
    rule(
        "policy_in_use",
        r"Cannot delete a policy attached to entities",
        "something outside the stack uses the policy",
        "Somebody has attached it past CloudFormation, and IAM deletes no policy that is attached.",
        "`aws iam list-entities-for-policy --policy-arn {name}` names what uses it: detach it there.",
    ),
    rule(
        "policy_in_use",
        r"This policy has more than one version|managed policy can have up to \d+ versions",
        "the policy has versions that the stack doesn't know",
        "Somebody has changed it past CloudFormation. IAM keeps five versions, and deletes a policy only with its last "
        "one.",
        "`aws iam list-policy-versions --policy-arn {name}` names them; `aws iam delete-policy-version --policy-arn "
        "{name} --version-id ID` takes one away.",
    ),
    # https://docs.aws.amazon.com/waf/latest/APIReference/API_DeleteWebACL.html
    rule(
        "firewall_in_use",
        r"because your resource is being used by another resource|WAFAssociatedItemException",
        "something outside the stack uses the firewall",
        "AWS WAF deletes no web ACL that protects anything.",
        "The WAF console names what uses it (Associated AWS resources): take it away there.",
    ),
    rule(
        # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
        "one_index",
        r"Cannot perform more than one GSI creation or deletion in a single update",
        "DynamoDB makes or deletes one index at a time",
        "The update changes several global secondary indexes of the table.",
        "Change one index and deploy, then the next.",
    ),
    rule(
        "not_empty",
        r"bucket (?:you tried to delete|'[^']*') is not empty|BucketNotEmpty",
        "the bucket isn't empty",
        "S3 deletes a bucket only when every version of every object is gone.",
        "Empty it, with its old versions, in the S3 console.",
    ),
)
