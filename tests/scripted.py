"""Real botocore clients whose answers are scripted by botocore's own Stubber."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.stub import Stubber

from paycli.aws import Aws, connect
from paycli.environment import Environment

if TYPE_CHECKING:
    from paycli.progress import Event

STACK_ID = "arn:aws:cloudformation:us-east-1:000000000000:stack/payment-api-dev/1"


class Scripted:
    """An Aws, a way to script its answers, and what was reported meanwhile."""

    def __init__(self) -> None:
        self.aws: Aws = connect(Environment(name="local", target="embedded"), "http://127.0.0.1:1")
        self.reported: list[Event] = []
        self._stubbers: dict[str, Stubber] = {}

    def stub(self, service: str) -> Stubber:
        if service not in self._stubbers:
            self._stubbers[service] = Stubber(self.aws.client(service))
            self._stubbers[service].activate()
        return self._stubbers[service]

    def answers(self, service: str, operation: str, answer: dict[str, Any]) -> None:
        self.stub(service).add_response(operation, answer)

    def fails(self, service: str, operation: str, code: str, message: str = "no") -> None:
        self.stub(service).add_client_error(operation, code, message)

    def stands(self, status: str | None, **more: Any) -> None:
        """Script the next DescribeStacks: a stack of that status, or none."""
        if status is None:
            self.fails("cloudformation", "describe_stacks", "ValidationError", "Stack with id x does not exist")
            return
        stack = {
            "StackName": "payment-api-dev",
            "StackId": STACK_ID,
            "StackStatus": status,
            "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
            "Tags": [{"Key": "ManagedBy", "Value": "paycli"}],
        }
        self.answers("cloudformation", "describe_stacks", {"Stacks": [{**stack, **more}]})

    def events(self, *raw: dict[str, Any]) -> None:
        """Script the next DescribeStackEvents; oldest first, as one reads them."""
        self.answers("cloudformation", "describe_stack_events", {"StackEvents": list(reversed(raw))})

    def leaves_an_empty_stack(self, *change_sets: str) -> None:
        """Script the taking back of a plan for a new stack, where these change sets are still listed."""
        self.answers("cloudformation", "delete_change_set", {})
        self.stands("REVIEW_IN_PROGRESS")
        listed = [{"ChangeSetId": change_set} for change_set in change_sets]
        self.answers("cloudformation", "list_change_sets", {"Summaries": listed})
        self.answers("cloudformation", "delete_stack", {})

    def all_was_asked(self) -> None:
        for stubber in self._stubbers.values():
            stubber.assert_no_pending_responses()


def raw_event(number: int, status: str, logical_id: str = "", reason: str = "") -> dict[str, Any]:
    """Return an event of the resource `logical_id`, or of the stack itself."""
    return {
        "StackId": STACK_ID,
        "EventId": f"event-{number}",
        "StackName": "payment-api-dev",
        "LogicalResourceId": logical_id or "payment-api-dev",
        "PhysicalResourceId": logical_id or STACK_ID,
        "ResourceType": "AWS::DynamoDB::Table" if logical_id else "AWS::CloudFormation::Stack",
        "Timestamp": datetime(2026, 1, 1, 0, 0, number, tzinfo=UTC),
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }
