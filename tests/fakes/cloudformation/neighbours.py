"""The few calls that a deploy and a teardown make to other services."""

import json
from typing import Any

from tests.fakes.cloudformation.engine import Engine
from tests.fakes.cloudformation.errors import ApiError, FakeProblem
from tests.fakes.cloudformation.model import Json


class Neighbours:
    """STS, API Gateway, DynamoDB, CloudWatch and its Logs: each answers from what stands in the account."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def call(self, service: str, operation: str, request: Json) -> Json:
        """Return the answer; raises FakeProblem for a call that the fake doesn't have."""
        answers: dict[tuple[str, str], Any] = {
            ("sts", "GetCallerIdentity"): self._caller,
            ("apigateway", "GetAccount"): self._gateway_account,
            ("dynamodb", "DescribeTable"): self._table,
            ("logs", "DescribeLogGroups"): self._log_groups,
            ("monitoring", "PutMetricData"): lambda _request: {},
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
        return {"Table": {"TableName": name, "TableStatus": status}}

    def _log_groups(self, request: Json) -> Json:
        prefix = request.get("logGroupNamePrefix", "")
        groups = [one for one in self.engine.account.resources if one.type == "AWS::Logs::LogGroup"]
        names = sorted(one.physical_id for one in groups if one.physical_id.startswith(prefix))
        return {"logGroups": [{"logGroupName": name} for name in names]}


def decode(service: str, method: str, path: str, target: str, body: bytes) -> tuple[str, Json]:
    """Return the operation and the parameters of a request that isn't in the query protocol."""
    if service == "apigateway":
        return ("GetAccount" if (method, path) == ("GET", "/account") else f"{method} {path}"), {}
    return target.rpartition(".")[2], json.loads(body or b"{}")
