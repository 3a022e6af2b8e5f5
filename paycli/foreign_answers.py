"""What answers in AWS's place: the page of a proxy, or of a network that wants a login."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError


class ForeignAnswerError(BotoCoreError):  # type: ignore[misc] # botocore has no types
    """A page where AWS answers XML, JSON or nothing."""

    fmt = "{operation} was answered with a page in HTML"


def refuse_pages(client: Any) -> None:
    """Let a client raise ForeignAnswerError for a page: its parsers may find an answer in one, or fail oddly.

    Pages of AWS's own load balancers come with 5xx: botocore knows those, and tries again.
    """
    client.meta.events.register("before-parse", _refuse_a_page)


def _refuse_a_page(operation_model: Any, response_dict: Mapping[str, Any], **_more: object) -> None:
    if response_dict["status_code"] < 500 and _is_a_page(response_dict):
        raise ForeignAnswerError(operation=operation_model.name)


def _is_a_page(response: Mapping[str, Any]) -> bool:
    if str(response["headers"].get("content-type", "")).lower().startswith("text/html"):
        return True
    body = response["body"]  # of an object in S3 it is a stream
    return isinstance(body, bytes) and body.lstrip()[:9].lower().startswith((b"<html", b"<!doctype"))
