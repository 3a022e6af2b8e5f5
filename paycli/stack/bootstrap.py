"""The stack `paycli-bootstrap`, one an account and region: where packaged handlers lie, and the gateway's log role."""

from troposphere import GetAtt, Output, Sub, Template
from troposphere.apigateway import Account
from troposphere.iam import Role
from troposphere.s3 import (
    AbortIncompleteMultipartUpload,
    Bucket,
    BucketEncryption,
    BucketPolicy,
    LifecycleConfiguration,
    LifecycleRule,
    NoncurrentVersionExpiration,
    OwnershipControls,
    OwnershipControlsRule,
    PublicAccessBlockConfiguration,
    ServerSideEncryptionByDefault,
    ServerSideEncryptionRule,
    VersioningConfiguration,
)

from paycli.stack.policies import deny_plain_http, policy
from paycli.stack.tagging import tag_resources

BOOTSTRAP_STACK = "paycli-bootstrap"
BOOTSTRAP_VERSION = "1"
OLD_VERSIONS_DAYS = 30


def build_bootstrap(*, retain: bool, tls_only: bool, log_role: bool) -> Template:
    """Return the bootstrap stack.

    `retain` keeps the bucket when the stack is deleted; `tls_only` is False on the embedded AWS, which sees
    plain HTTP only; `log_role` sets API Gateway's account-wide log role, where the account has none.
    """
    template = Template(Description="What paycli needs once in an account and region. Built by paycli.")
    template.set_version()
    bucket = _add_bucket(template, retain=retain)
    if tls_only:
        template.add_resource(
            BucketPolicy(
                "ArtifactBucketPolicy",
                Bucket=bucket.ref(),
                PolicyDocument=policy(deny_plain_http("s3:*", [bucket.get_att("Arn"), Sub("${ArtifactBucket.Arn}/*")])),
            )
        )
    if log_role:
        _add_log_role(template)
    template.add_output(
        Output("ArtifactBucket", Description="Bucket for packaged handlers and big templates.", Value=bucket.ref())
    )
    template.add_output(
        Output("BootstrapVersion", Description="Version of this bootstrap stack.", Value=BOOTSTRAP_VERSION)
    )
    tag_resources(template, {"Project": "payment-api", "ManagedBy": "paycli"})
    return template


def _add_bucket(template: Template, *, retain: bool) -> Bucket:
    """Add the bucket. CloudFormation makes up its name: one that can be guessed can be taken by somebody else."""
    return template.add_resource(
        Bucket(
            "ArtifactBucket",
            DeletionPolicy="RetainExceptOnCreate" if retain else "Delete",
            UpdateReplacePolicy="Retain" if retain else "Delete",
            BucketEncryption=BucketEncryption(
                ServerSideEncryptionConfiguration=[
                    ServerSideEncryptionRule(
                        BucketKeyEnabled=True,
                        ServerSideEncryptionByDefault=ServerSideEncryptionByDefault(SSEAlgorithm="aws:kms"),
                    )
                ]
            ),
            OwnershipControls=OwnershipControls(Rules=[OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")]),
            PublicAccessBlockConfiguration=PublicAccessBlockConfiguration(
                BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
            ),
            VersioningConfiguration=VersioningConfiguration(Status="Enabled"),
            # Names are digests, so what is current stays: a rollback deploys an old package again.
            LifecycleConfiguration=LifecycleConfiguration(
                Rules=[
                    LifecycleRule(
                        Id="expire-old-versions",
                        Status="Enabled",
                        NoncurrentVersionExpiration=NoncurrentVersionExpiration(NoncurrentDays=OLD_VERSIONS_DAYS),
                        AbortIncompleteMultipartUpload=AbortIncompleteMultipartUpload(DaysAfterInitiation=1),
                    )
                ]
            ),
        )
    )


def _add_log_role(template: Template) -> None:
    """Add the role by which API Gateway writes logs, and make it the account's.

    One an account and region serves every API there, so it outlives the stack. Its trust policy names no source
    account: API Gateway doesn't say one when it assumes a role, and would be refused.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """
    kept = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
    template.add_resource(
        Role(
            "ApiGatewayLogRole",
            **kept,
            Description="API Gateway writes the logs of every REST API of this account and region.",
            AssumeRolePolicyDocument=policy(
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "apigateway.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ),
            ManagedPolicyArns=[
                Sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs")
            ],
        )
    )
    template.add_resource(Account("ApiGatewayAccount", **kept, CloudWatchRoleArn=GetAtt("ApiGatewayLogRole", "Arn")))
