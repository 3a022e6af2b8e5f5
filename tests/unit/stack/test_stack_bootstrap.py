"""The bootstrap stack: a bucket that nobody else reaches, and the gateway's log role."""

import json
from typing import Any

import pytest

from paycli.stack.bootstrap import BOOTSTRAP_STACK, build_bootstrap
from paycli.stack.rendering import to_json


def bootstrap(*, retain: bool = True, tls_only: bool = True, log_role: bool = True) -> dict[str, Any]:
    template: dict[str, Any] = json.loads(to_json(build_bootstrap(retain=retain, tls_only=tls_only, log_role=log_role)))
    return template


def test_the_bucket_is_closed_encrypted_and_has_no_guessable_name() -> None:
    assert BOOTSTRAP_STACK == "paycli-bootstrap"
    bucket = bootstrap()["Resources"]["ArtifactBucket"]["Properties"]
    assert "BucketName" not in bucket
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["Status"] == "Enabled"
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] > 0
    assert rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] > 0
    assert "ExpirationInDays" not in rule  # a rollback needs old packages


def test_outputs_name_the_bucket_and_the_version() -> None:
    outputs = bootstrap()["Outputs"]
    assert outputs["ArtifactBucket"]["Value"] == {"Ref": "ArtifactBucket"}
    assert outputs["BootstrapVersion"]["Value"] == "1"
    assert all(output["Description"] for output in outputs.values())


@pytest.mark.parametrize(("retain", "policy"), [(True, "RetainExceptOnCreate"), (False, "Delete")])
def test_the_bucket_stays_or_goes(retain: bool, policy: str) -> None:
    assert bootstrap(retain=retain)["Resources"]["ArtifactBucket"]["DeletionPolicy"] == policy


def test_only_tls_where_there_is_tls() -> None:
    (statement,) = bootstrap()["Resources"]["ArtifactBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(statement["Resource"]) == 2
    assert "ArtifactBucketPolicy" not in bootstrap(tls_only=False)["Resources"]


def test_the_log_role_outlives_the_stack_since_other_apis_lean_on_it() -> None:
    resources = bootstrap(retain=False)["Resources"]
    for name in ("ApiGatewayLogRole", "ApiGatewayAccount"):
        assert resources[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resources[name]["UpdateReplacePolicy"] == "Retain"
    assert resources["ApiGatewayAccount"]["Properties"]["CloudWatchRoleArn"] == {
        "Fn::GetAtt": ["ApiGatewayLogRole", "Arn"]
    }
    assert set(bootstrap(log_role=False)["Resources"]) == {"ArtifactBucket", "ArtifactBucketPolicy"}


def test_it_is_tagged() -> None:
    tags = bootstrap()["Resources"]["ArtifactBucket"]["Properties"]["Tags"]
    assert {"Key": "ManagedBy", "Value": "paycli"} in tags
