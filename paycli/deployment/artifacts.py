"""Code packages and large templates in the artifact bucket.

Every call names the bucket's owner, so that none goes to a squatter's.
"""

import base64
import hashlib

from paycli.aws import Aws
from paycli.deployment.package import CodePackage


def upload_if_absent(aws: Aws, bucket: str, account: str, code: CodePackage) -> bool:
    """Upload the package unless it is there (one call, two when it is new); return whether it was uploaded."""
    if checksum(aws, bucket, account, code.key) is not None:
        return False
    digest = base64.b64encode(hashlib.sha256(code.content).digest()).decode()
    aws.client("s3").put_object(
        Bucket=bucket, Key=code.key, Body=code.content, ChecksumSHA256=digest, ExpectedBucketOwner=account
    )
    return True


def checksum(aws: Aws, bucket: str, account: str, key: str) -> str | None:
    """Return the package's SHA-256 (base64, as Lambda's CodeSha256 shows it), or None where it is absent."""
    from botocore.exceptions import ClientError

    try:
        head = aws.client("s3").head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED", ExpectedBucketOwner=account)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}:
            return None
        raise
    return str(head.get("ChecksumSHA256", ""))


def upload_template(aws: Aws, bucket: str, account: str, template: str) -> str:
    """Upload a template that is too large to be sent inline, and return the URL that CloudFormation reads."""
    s3 = aws.client("s3")
    key = f"templates/{hashlib.sha256(template.encode()).hexdigest()}.json"
    s3.put_object(Bucket=bucket, Key=key, Body=template.encode(), ExpectedBucketOwner=account)
    return f"{s3.meta.endpoint_url}/{bucket}/{key}"
