"""The one customer-managed key: for table, backups, queues, topic, log groups and function environments."""

from typing import TYPE_CHECKING, Any

from troposphere import Sub, Template
from troposphere.kms import Alias, Key

from paycli.stack.logs import log_group_names
from paycli.stack.policies import account_root, allow, arn, on_behalf_of, policy, via
from paycli.stack.retention import data_policies

if TYPE_CHECKING:
    from paycli.environment import Environment

# In a key policy the resource "*" is the key itself.
THIS_KEY = "*"

USE = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
ADMINISTRATION = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)


def add_key(template: Template, environment: "Environment") -> Key:
    """Add the key, which rotates every year, and its alias."""
    key = template.add_resource(
        Key(
            "Key",
            **data_policies(environment),
            Description=f"Payment API {environment.name}: table, queues, topic, logs and function environments.",
            EnableKeyRotation=True,
            # Days in which a deletion can be cancelled; AWS allows 7 to 30.
            PendingWindowInDays=30 if environment.retain_data else 7,
            KeyPolicy=key_policy(environment),
        )
    )
    template.add_resource(Alias("KeyAlias", AliasName=f"alias/payments-{environment.name}", TargetKeyId=key.ref()))
    return key


def key_policy(environment: "Environment") -> dict[str, Any]:
    """Return who may use the key for what.

    It names no role: KMS turns a role's ARN into that role's unique id, so a role made anew would be locked out,
    and a key that outlives its stack would name principals that are gone. The functions' rights stand in their own
    policies, and this policy lets those rights reach no further than the services that store payments. The
    administrators of the account can manage the key, but not decrypt with it directly.
    """
    vault = ("backup",) if environment.backup else ()
    return policy(
        allow("AdministrationByIam", ADMINISTRATION, THIS_KEY, principal=account_root()),
        allow(
            "UseByIamThroughTheStores",
            USE,
            THIS_KEY,
            principal=account_root(),
            condition=via("dynamodb", "sqs", "sns", "lambda", *vault),
        ),
        # DynamoDB, Lambda and AWS Backup keep a grant, made when a table, a function or a vault is made.
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
        # https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html
        allow(
            "GrantsByIamForTheStores",
            ["kms:CreateGrant"],
            THIS_KEY,
            principal=account_root(),
            condition={**via("dynamodb", "lambda", *vault), "Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
        # Whatever is allowed above or later. AWS Control Tower asks for this very statement (control CT.KMS.PR.3).
        {
            "Sid": "NoGrantsButForServices",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},  # everybody; a rule of AWS's Guard registry minds the bare "*", even of a Deny
            "Action": ["kms:CreateGrant"],
            "Resource": THIS_KEY,
            "Condition": {"BoolIfExists": {"kms:GrantIsForAWSResource": "false", "aws:PrincipalIsAWSService": "false"}},
        },
        # The ARN in the encryption context holds the account and the log group.
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
        allow(
            "LogGroupsOfThisStack",
            USE,
            THIS_KEY,
            principal={"Service": Sub("logs.${AWS::Region}.${AWS::URLSuffix}")},
            condition={
                "ArnEquals": {
                    "kms:EncryptionContext:aws:logs:arn": [
                        arn("logs", f"log-group:{name}") for name in log_group_names(environment).values()
                    ]
                }
            },
        ),
        # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
        allow(
            "AlarmsOfThisStack",
            ["kms:Decrypt", "kms:GenerateDataKey"],
            THIS_KEY,
            principal={"Service": "cloudwatch.amazonaws.com"},
            condition=on_behalf_of("cloudwatch", f"alarm:*-{environment.name}"),
        ),
    )
