"""Code packages and templates in the artifact bucket, each under the digest of its content."""

import base64
import contextlib
import hashlib
import secrets
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from paycli.aws import Aws
from paycli.deployment.package import CodePackage, digest_of
from paycli.errors import PaycliError
from paycli.interruption import held


@dataclass(frozen=True)
class Bucket:
    """The artifact bucket, and whose it must be: no call goes to a squatter's."""

    aws: Aws
    name: str
    owner: str

    @property
    def s3(self) -> Any:
        """The client that reads and writes it; made when it is first needed, which takes a while."""
        return self.aws.client("s3")

    @property
    def place(self) -> dict[str, str]:
        """What names the bucket in every request."""
        return {"Bucket": self.name, "ExpectedBucketOwner": self.owner}


def bucket_of(aws: Aws, name: str, account: str) -> Bucket:
    """Return the bucket of that name, which must be the account's."""
    return Bucket(aws, name, account)


def upload_if_absent(bucket: Bucket, code: CodePackage) -> bool:
    """Upload the package unless it is there (one call, two when it is new); return whether it was uploaded.

    Other bytes under its key are replaced: they come from another zlib, or from somebody who may write there.
    """
    digest = _sha256(code.content)
    if checksum(bucket, code.key) == digest:
        return False
    bucket.s3.put_object(**bucket.place, Key=code.key, Body=code.content, ChecksumSHA256=digest)
    return True


def checksum(bucket: Bucket, key: str) -> str | None:
    """Return an object's SHA-256 (base64), or None where it is absent."""
    from botocore.exceptions import ClientError

    try:
        head = bucket.s3.head_object(**bucket.place, Key=key, ChecksumMode="ENABLED")
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}:
            return None
        # The answer to a HEAD has no body, and so no reason: an expired token looks like a right that is missing.
        bucket.s3.list_objects_v2(**bucket.place, Prefix=key, MaxKeys=1)
        raise
    return str(head.get("ChecksumSHA256", ""))


def code_checksum(bucket: Bucket, key: str) -> str | None:
    """Return a package's SHA-256 (base64, as Lambda's CodeSha256 shows it), or None where it is absent (one call).

    Raises PaycliError where its sources aren't those that its key was made from.
    """
    content = download_if_there(bucket, key)
    if content is None:
        return None
    try:
        genuine = key == f"code/{digest_of(content)}.zip"
    except (zipfile.BadZipFile, zlib.error):
        genuine = False
    if not genuine:
        raise changed(bucket, key, "is not the code that its name says")
    return _sha256(content)


def changed(bucket: Bucket, key: str, what: str) -> PaycliError:
    """Return the error about an artifact that isn't what it must be."""
    return PaycliError(
        f"{key} in {bucket.name} {what}.",
        hint="Somebody has changed the artifact bucket: look at its versions and at CloudTrail.",
        code="artifact_changed",
    )


def _sha256(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def template_key(sha256: str) -> str:
    """Return where a template lies."""
    return f"templates/{sha256}.json"


def upload_template(bucket: Bucket, template: str) -> str:
    """Upload a template (one call), and return the URL that CloudFormation reads."""
    sha256 = hashlib.sha256(template.encode()).hexdigest()
    bucket.s3.put_object(**bucket.place, Key=template_key(sha256), Body=template.encode())
    return template_url(bucket, sha256)


@contextlib.contextmanager
def lent(bucket: Bucket, template: str) -> Iterator[str]:
    """Give the URL of a template that lies in the bucket only meanwhile: a look leaves nothing there."""
    from botocore.exceptions import BotoCoreError, ClientError

    key = f"looks/{secrets.token_hex(8)}.json"
    try:
        bucket.s3.put_object(**bucket.place, Key=key, Body=template.encode())
        yield _url(bucket, key)
    finally:
        with contextlib.suppress(BotoCoreError, ClientError), held():  # of more weight is how the look ended
            bucket.s3.delete_object(**bucket.place, Key=key)


def template_url(bucket: Bucket, sha256: str) -> str:
    """Return the URL that CloudFormation reads a template from."""
    return _url(bucket, template_key(sha256))


def _url(bucket: Bucket, key: str) -> str:
    return f"{bucket.s3.meta.endpoint_url}/{bucket.name}/{key}"


def template(bucket: Bucket, sha256: str) -> str | None:
    """Return the template of that digest (hexadecimal), or None where it is absent (one call).

    Raises PaycliError where another content lies there.
    """
    key = template_key(sha256)
    content = download_if_there(bucket, key)
    if content is None:
        return None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise changed(bucket, key, "is not the template that its name says")
    return content.decode()


def download_if_there(bucket: Bucket, key: str) -> bytes | None:
    """Return the content of an object, or None where it is absent (one call)."""
    from botocore.exceptions import ClientError

    try:
        return download(bucket, key)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return None
        raise


def download(bucket: Bucket, key: str) -> bytes:
    """Return the content of an object."""
    content: bytes = bucket.s3.get_object(**bucket.place, Key=key)["Body"].read()
    return content
