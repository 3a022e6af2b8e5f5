"""What must be prepared: roles, keys, rights, and what is some seconds too young."""

from paycli.deployment.failure.rule import LATER, rule

_GONE = "HandlerErrorCode: NotFound"
_DRIFT = "`paycli drift --env {env}` shows what is gone."

PREPARATION = (
    rule(
        "log_role_missing",
        r"CloudWatch Logs role ARN must be set in account settings",
        "API Gateway may not write logs",
        "It needs one role for its logs, set once an account and region. paycli-bootstrap sets it where none is set; "
        "somebody has taken it away.",
        "Set it again in the settings of the API Gateway console: a role with AmazonAPIGatewayPushToCloudWatchLogs.",
    ),
    rule(
        "log_role_unusable",
        r"role ARN does not have required permissions|could not successfully write to CloudWatch Logs",
        "API Gateway can't use the role for its logs yet",
        "It takes IAM some seconds until every service knows a new role.",
        "A second try mostly succeeds.",
    ),
    rule(
        "kms_lockout",
        r"new key policy will not allow you to update the key policy",
        "whoever deploys couldn't change the key policy again",
        "KMS refuses a policy under which the caller may not call PutKeyPolicy. The template leaves that to the "
        "account's IAM policies.",
        "Allow kms:PutKeyPolicy to whoever deploys, or to cloudformation_role.",
    ),
    # https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
    rule(
        "kms_key_deleting",
        r"is pending deletion",
        "its deletion is scheduled already",
        "Somebody has done it past CloudFormation: KMS deletes it when that time has come.",
        "There is nothing to mend.",
        "AWS::KMS::Key",
        at=("DELETE",),
    ),
    rule(
        "kms_key_deleting",
        r"is pending deletion",
        "its KMS key is to be deleted",
        "Somebody has scheduled the key's deletion. Once it is gone, nobody reads what is encrypted under it, payments "
        "and their backups too; CloudTrail (ScheduleKeyDeletion) says who and when.",
        "At once: `aws kms cancel-key-deletion --key-id {key} && aws kms enable-key --key-id {key}`.",
    ),
    rule(
        "kms_key_disabled",
        r":key/[\w-]+ is disabled|KMS key (?:used )?is disabled|KMS\w*Disabled\w*Exception",
        "its KMS key is disabled",
        "Nothing that is encrypted under it can be read or written meanwhile; CloudTrail (DisableKey) says whose work "
        "it is.",
        "If nobody knows why: `aws kms enable-key --key-id {key}`.",
    ),
    rule(
        "kms_key_unusable",
        r"KMS key does not exist or is not allowed to be used|KMS key is invalid for CreateGrant"
        r"|specified KMS Key Id could not be found|KMSMasterKeyId is not accessible|KMS validation error"
        r"|specified KMS key .{0,200} (?:was )?not found"
        r"|unable to decrypt the environment variables|KMS\w*(?:InvalidState|NotFound|AccessDenied)\w*Exception",
        "it may not use its KMS key",
        "The key is gone, disabled or in another region, its policy doesn't name the service or the role, or the "
        "service doesn't know a key or role that is some seconds old.",
        "If a second try fails too, look at the key's state and policy in the KMS console.",
        vague=True,
    ),
    rule(
        "role_not_ready",
        r"cannot be assumed by|does not have permissions to call \w+ on|invalid principals? in policy"
        r"|with one or more invalid principals",
        "a role or its rights aren't known everywhere yet",
        "It takes IAM some seconds until every service knows a new role.",
        "If a second try fails too, look at the role's trust policy and rights, and at the organization's policies.",
    ),
    rule(
        "code_missing",
        r"S3 Error Code: NoSuch(?:Key|Bucket)",
        "the code package isn't in the artifact bucket",
        "It was deleted after the upload.",
        "The next deploy uploads it again.",
    ),
    rule(
        "code_elsewhere",
        r"S3 Error Code: PermanentRedirect",
        "the artifact bucket is in another region",
        "Lambda takes code only from a bucket of its own region.",
        "`paycli bootstrap --env {env}` makes one where the environment is. Was the stack meant to be elsewhere, "
        "correct its `region` in paycli.toml.",
    ),
    # https://docs.aws.amazon.com/aws-backup/latest/devguide/access-control.html
    rule(
        "access_denied",
        r"Insufficient privileges to perform this action",
        "a right for its vault is missing",
        "AWS Backup also asks for the rights of its storage and of the key, and doesn't say which one is missing.",
        "Allow backup-storage:MountCapsule, and on the key kms:CreateGrant, kms:GenerateDataKey, kms:Decrypt, "
        "kms:RetireGrant and kms:DescribeKey; `paycli config deployer-policy --env {env}` prints all that a deploy "
        "needs.",
        "AWS::Backup::BackupVault",
    ),
    # What was there before, and no longer is.
    rule(
        "boundary_missing",
        r"Policy \S+ does not exist or is not attachable",
        "a policy that it names isn't there",
        "`permissions_boundary` in paycli.toml names a policy, and each role of the stack has to have it.",
        "Correct `permissions_boundary`, or have that policy made in this account.",
    ),
    rule(
        "table_gone",
        r"Requested resource not found(?:: Table|\s*[\"(.]|\s*$)"
        r"|Resource of type 'AWS::DynamoDB::Table' with identifier",
        "the table is gone",
        "Somebody has deleted {name} past CloudFormation. It comes back from its backups, unless another table has "
        "taken its name: make none by hand.",
        "`paycli restore --env {env} --deleted` brings it back (docs/recovery.md).",
        "AWS::DynamoDB::Table",
        at=LATER,
    ),
    rule(
        "target_gone",
        r"Dead letter target does not exist",
        "the dead-letter queue that it needs is gone",
        "Somebody has deleted that past CloudFormation, with what it held.",
        "`paycli drift --env {env}` shows it, and says what makes it again.",
        at=LATER,
    ),
    *(
        rule(
            "gone",
            _GONE,
            "it is gone",
            "Somebody has deleted it past CloudFormation. Nothing brings back what it held.",
            _DRIFT,
            holding,
            at=LATER,
        )
        for holding in ("AWS::SQS::Queue", "AWS::Logs::LogGroup")
    ),
    rule(
        "gone",
        _GONE,
        "it, or what it needs, is gone",
        "Somebody has deleted that past CloudFormation.",
        _DRIFT,
        at=LATER,
    ),
    rule(
        "still_referenced",
        r"is referenced in|must (?:first )?(?:remove|delete|detach)",
        "something still refers to it",
        "Somebody has added that past CloudFormation.",
        "Take away what AWS names.",
        at=("DELETE",),
    ),
    rule(
        "not_ready",
        r"WAFUnavailableEntity|WAF couldn.t (?:retrieve|perform the operation because your resource doesn.t exist)"
        r"|HandlerErrorCode: ResourceConflict|ConflictException|concurrent ?modification",
        "something it needs is being changed or isn't ready yet",
        "A resource that is some seconds old isn't known everywhere, or another change was at work on it.",
        "A second try mostly succeeds.",
        vague=True,
    ),
)
