"""S3 as far as a deploy needs it: objects of buckets that stand in the account, path-style."""

import base64
import hashlib
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from tests.fakes.cloudformation.account import Account
from tests.fakes.cloudformation.errors import ApiError, FakeProblem


@dataclass(frozen=True)
class Request:
    """An HTTP request, its query decoded and its headers in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class S3:
    """Buckets' objects by key."""

    account: Account
    account_id: str
    objects: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def operation(self, request: Request) -> str:
        """Return the operation's name."""
        key = request.path.lstrip("/").partition("/")[2]
        if not key:
            return {"GET": "ListObjectsV2", "HEAD": "HeadBucket"}.get(request.method, request.method)
        return f"{request.method.capitalize()}Object"

    def answer(self, request: Request) -> Answer:
        bucket, _, key = request.path.lstrip("/").partition("/")
        owner = request.headers.get("x-amz-expected-bucket-owner", self.account_id)
        if self.account.find("AWS::S3::Bucket", bucket) is None:
            raise ApiError("NoSuchBucket", "The specified bucket does not exist", 404)
        if owner != self.account_id:
            raise ApiError("AccessDenied", "Access Denied", 403)
        content = self.objects.setdefault(bucket, {})
        match self.operation(request):
            case "HeadBucket":
                return Answer(200)
            case "PutObject":
                return self._put(content, key, request)
            case "HeadObject" | "GetObject" as operation:
                if key not in content:
                    raise ApiError("NoSuchKey", "The specified key does not exist.", 404)
                return Answer(200, b"" if operation == "HeadObject" else content[key], _headers(content[key]))
            case "DeleteObject":
                content.pop(key, None)
                return Answer(204)
            case "ListObjectsV2" if request.query.get("list-type") == "2":
                return _list(bucket, content, request.query)
            case operation:
                raise FakeProblem(f"s3 {operation} {request.query} is not in the fake; SPEC.md says what is")

    def _put(self, content: dict[str, bytes], key: str, request: Request) -> Answer:
        if request.headers.get("if-none-match") == "*" and key in content:
            raise ApiError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
        expected = request.headers.get("if-match")
        if expected and (key not in content or _etag(content[key]) != expected):
            raise ApiError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
        content[key] = request.body
        return Answer(200, headers={"ETag": _etag(request.body)})


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def _headers(content: bytes) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    return {"ETag": _etag(content), "x-amz-checksum-sha256": digest, "x-amz-length": str(len(content))}


def _list(bucket: str, content: dict[str, bytes], query: dict[str, str]) -> Answer:
    prefix, most = query.get("prefix", ""), int(query.get("max-keys", 1000))
    after = query.get("continuation-token", query.get("start-after", ""))
    keys = [key for key in sorted(content) if key.startswith(prefix) and key > after]
    shown = "".join(
        f"<Contents><Key>{escape(key)}</Key><ETag>{escape(_etag(content[key]))}</ETag><Size>{len(content[key])}</Size>"
        "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
        for key in keys[:most]
    )
    more = f"<NextContinuationToken>{escape(keys[most - 1])}</NextContinuationToken>" if len(keys) > most else ""
    listed = f"<Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(keys[:most])}</KeyCount>"
    truncated = str(len(keys) > most).lower()
    said = f"{listed}<MaxKeys>{most}</MaxKeys><IsTruncated>{truncated}</IsTruncated>{more}{shown}"
    return Answer(200, f"<ListBucketResult>{said}</ListBucketResult>".encode(), {"Content-Type": "application/xml"})
