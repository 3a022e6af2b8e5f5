"""The fake AWS with time that passes by hand, and real boto3 clients on it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.fakes.cloudformation import FakeAws

Client = Any


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    with FakeAws(speed=0) as fake:
        yield fake


@pytest.fixture(scope="session")
def session() -> Any:
    """One session for all clients: it reads the service models once."""
    return boto3.Session("AKIAFAKE", "secret", region_name="us-east-1")


@pytest.fixture
def client(aws: FakeAws, session: Any) -> Iterator[Callable[[str], Client]]:
    """Make boto3 clients that try a call once."""
    made: list[Client] = []

    def make(service: str) -> Client:
        made.append(
            session.client(service, endpoint_url=aws.url, config=Config(retries={"total_max_attempts": 1}, proxies={}))
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def cfn(client: Callable[[str], Client]) -> Client:
    return client("cloudformation")


@pytest.fixture
def refusal() -> Callable[..., tuple[str, str]]:
    """Call an operation that must be refused, and return the error's code and message."""

    def refused(operation: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as caught:
            operation(**parameters)
        said = caught.value.response["Error"]
        return said["Code"], said["Message"]

    return refused


class Stacks:
    """The steps of a test: a change set, its execution, and the time for both."""

    def __init__(self, aws: FakeAws, cfn: Client) -> None:
        self.aws = aws
        self.cfn = cfn
        self.made = 0

    def plan(self, template: dict[str, Any], kind: str = "UPDATE", **more: Any) -> str:
        """Make a change set of the stack `s`, wait until it is computed, and return its id."""
        self.made += 1
        change_set: str = self.cfn.create_change_set(
            StackName="s",
            ChangeSetName=f"c{self.made}",
            ChangeSetType=kind,
            TemplateBody=json.dumps(template),
            **more,
        )["Id"]
        self.aws.skip(1)
        return change_set

    def begin(self, template: dict[str, Any], kind: str = "UPDATE", **more: Any) -> None:
        self.cfn.execute_change_set(ChangeSetName=self.plan(template, kind, **more))

    def run(self, template: dict[str, Any], kind: str = "UPDATE", **more: Any) -> str:
        """Plan, execute, let it end, and return the stack's state."""
        self.begin(template, kind, **more)
        self.aws.skip(3600)
        return self.status

    @property
    def status(self) -> str:
        return self.aws.stack("s").status

    def changes(self, change_set: str, **more: Any) -> dict[str, dict[str, Any]]:
        described = self.cfn.describe_change_set(ChangeSetName=change_set, **more)
        return {entry["ResourceChange"]["LogicalResourceId"]: entry["ResourceChange"] for entry in described["Changes"]}

    def told(self) -> list[tuple[str, str, str]]:
        """Return (logical id, status, reason) of every event, oldest first."""
        events = self.cfn.describe_stack_events(StackName=self.aws.stack("s").stack_id)["StackEvents"]
        return [
            (event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason", ""))
            for event in reversed(events)
        ]


@pytest.fixture
def stacks(aws: FakeAws, cfn: Client) -> Stacks:
    return Stacks(aws, cfn)
