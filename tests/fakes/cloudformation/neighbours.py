"""The few calls that a deploy and a teardown make to other services."""

import json
from typing import Any

from tests.fakes.cloudformation.account import Standing
from tests.fakes.cloudformation.engine import Engine
from tests.fakes.cloudformation.errors import ApiError, FakeProblem
from tests.fakes.cloudformation.model import Json


class Neighbours:
    """STS, API Gateway, DynamoDB, CloudWatch and its Logs, SQS, KMS: each answers from what stands there."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def call(self, service: str, operation: str, request: Json) -> Json:
        """Return the answer; raises FakeProblem for a call that the fake doesn't have."""
        answers: dict[tuple[str, str], Any] = {
            ("sts", "GetCallerIdentity"): self._caller,
            ("apigateway", "GetAccount"): self._gateway_account,
            ("dynamodb", "DescribeTable"): self._table,
            ("dynamodb", "ListTables"): self._tables,
            ("logs", "DescribeLogGroups"): self._log_groups,
            ("monitoring", "PutMetricData"): lambda _request: {},
            ("sqs", "GetQueueUrl"): self._queue_url,
            ("sqs", "GetQueueAttributes"): self._queue,
            ("kms", "DescribeKey"): self._key,
            ("kms", "ListResourceTags"): self._key_tags,
        }
        if (service, operation) not in answers:
            raise FakeProblem(f"{service} {operation} is not in the fake; SPEC.md says what is")
        answer: Json = answers[service, operation](request)
        return answer

    def _caller(self, _request: Json) -> Json:
        account = self.engine.account_id
        return {"UserId": "AIDAFAKE", "Account": account, "Arn": f"arn:aws:iam::{account}:user/dev"}

    def _gateway_account(self, _request: Json) -> Json:
        found = [one for one in self.engine.account.resources if one.type == "AWS::ApiGateway::Account"]
        role = {"cloudwatchRoleArn": found[0].properties["CloudWatchRoleArn"]} if found else {}
        return {"throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0}, **role}

    def _table(self, request: Json) -> Json:
        name = request["TableName"]
        standing = self.engine.account.find("AWS::DynamoDB::Table", name)
        if standing is None:
            raise ApiError("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")
        status = "DELETING" if standing.leaving else "CREATING" if standing.settles_at > self.engine.now else "ACTIVE"
        key = standing.properties.get("SSESpecification", {}).get("KMSMasterKeyId")
        encryption = {"SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key}} if key else {}
        return {"Table": {"TableName": name, "TableStatus": status, **encryption}}

    def _tables(self, _request: Json) -> Json:
        standing = [one for one in self.engine.account.resources if one.type == "AWS::DynamoDB::Table"]
        return {"TableNames": sorted(one.physical_id for one in standing)}

    def _log_groups(self, request: Json) -> Json:
        prefix = request.get("logGroupNamePrefix", "")
        standing = [one for one in self.engine.account.resources if one.type == "AWS::Logs::LogGroup"]
        groups = sorted((one.physical_id, one) for one in standing if one.physical_id.startswith(prefix))
        return {"logGroups": [{"logGroupName": name, **_key_of(one, "KmsKeyId", "kmsKeyId")} for name, one in groups]}

    def _queue_url(self, request: Json) -> Json:
        found = self.engine.account.named("AWS::SQS::Queue", request)
        if found is None:
            raise ApiError("QueueDoesNotExist", "The specified queue does not exist.")
        return {"QueueUrl": found.physical_id}

    def _queue(self, request: Json) -> Json:
        found = self.engine.account.find("AWS::SQS::Queue", request["QueueUrl"])
        if found is None or request["AttributeNames"] != ["KmsMasterKeyId"]:
            raise FakeProblem("of a queue only the key is in the fake, and of one that stands")
        return {"Attributes": _key_of(found, "KmsMasterKeyId", "KmsMasterKeyId")}

    def _key(self, request: Json) -> Json:
        found = self._standing_key(request)
        arn = self.engine.naming.attribute(found.type, found.physical_id, "Arn")
        state = self.engine.account.keys.get(found.physical_id, "Enabled")
        said = {"KeyId": found.physical_id, "Arn": arn, "KeyState": state, "KeyManager": "CUSTOMER"}
        return {"KeyMetadata": said}

    def _key_tags(self, request: Json) -> Json:
        tags = self._standing_key(request).properties.get("Tags", [])
        return {"Tags": [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags], "Truncated": False}

    def _standing_key(self, request: Json) -> Standing:
        found = self.engine.account.find("AWS::KMS::Key", request["KeyId"].rpartition("/")[2])
        if found is None:
            raise ApiError("NotFoundException", f"Key '{request['KeyId']}' does not exist")
        return found


def _key_of(standing: Standing, property_name: str, field: str) -> Json:
    key = standing.properties.get(property_name)
    return {field: key} if key else {}


def decode(service: str, method: str, path: str, target: str, body: bytes) -> tuple[str, Json]:
    """Return the operation and the parameters of a request that isn't in the query protocol."""
    if service == "apigateway":
        return ("GetAccount" if (method, path) == ("GET", "/account") else f"{method} {path}"), {}
    return target.rpartition(".")[2], json.loads(body or b"{}")
