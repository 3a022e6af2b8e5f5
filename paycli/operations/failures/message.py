"""A message of the failed-transactions queue (docs/failures-queue.md), however it came there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_SCHEMA = 1


@dataclass(frozen=True)
class Message:
    """One message as a receive returned it; `fields` is empty where the body is no message of schema 1."""

    message_id: str  # SQS's: another one after every move
    handle: str  # of the last receive
    body: str
    receives: int  # this one counted
    sent_at: datetime
    attributes: Mapping[str, Any]  # message attributes, as SendMessage takes them
    fields: Mapping[str, Any]

    def text(self, field: str) -> str:
        """Return a field of the body, empty where it is missing or no text: anybody may have sent it."""
        value = self.fields.get(field)
        return value if isinstance(value, str) else ""

    @property
    def at(self) -> datetime:
        """When the request failed; when the message was sent, where the body doesn't say."""
        try:
            said = datetime.fromisoformat(self.text("at"))
        except ValueError:
            return self.sent_at
        return said if said.tzinfo else self.sent_at

    @property
    def name(self) -> str:
        """What people call it by: the request's id, which stays the same when the message moves."""
        return self.text("request_id") or self.message_id

    @property
    def group(self) -> tuple[str, str, str]:
        """Kind, code and operation; the kind `unreadable` where the body is no message of schema 1."""
        return self.text("kind") or "unreadable", self.text("code"), self.text("operation")

    def is_called(self, name: str) -> bool:
        """Whether `name` is its request id, the id of its payment, or SQS's id."""
        return name != "" and name in {self.message_id, self.text("request_id"), self.text("transaction_id")}

    def content(self) -> Any:
        """Return what the body says: its JSON, else its text."""
        return parsed(self.body)


def received(raw: Mapping[str, Any]) -> Message:
    """Return a message of ReceiveMessage, which was asked for all attributes."""
    attributes = raw["Attributes"]
    content = parsed(raw["Body"])
    readable = isinstance(content, dict) and content.get("schema") == _SCHEMA
    return Message(
        message_id=raw["MessageId"],
        handle=raw["ReceiptHandle"],
        body=raw["Body"],
        receives=int(attributes["ApproximateReceiveCount"]),
        sent_at=datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC),
        attributes=raw.get("MessageAttributes", {}),
        fields=content if readable else {},
    )


def parsed(text: str) -> Any:
    """Return what a JSON text says, and any other text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
