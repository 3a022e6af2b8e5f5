"""The SDK's clients and errors. botocore alone: boto3 would add 30 ms to a cold start."""

import contextlib
import functools
import gc
import os
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import botocore.session
from botocore import exceptions
from botocore.awsrequest import AWSRequest
from botocore.config import Config

# Of status 400, and yet worth a retry (DynamoDB's Programming.Errors.html).
_TEMPORARY_CODES = re.compile("Throttl|Exceeded|Conflict|Timeout|InProgress|NotComplete|Unrecog|^[0-9]")
_session = botocore.session.Session()
# Else the SDK lists the folders of all 400 services, twice: 15 ms.
_session.get_component("data_loader").list_available_services = lambda *_, **__: {
    "cloudwatch",
    "dynamodb",
    "sns",
    "sqs",
}


class OutcomeUnknownError(Exception):
    """The reply to a call was lost or can't be read."""


class Services(NamedTuple):
    """What the payment functions need of the world."""

    dynamodb: Any
    table: str
    sqs: Callable[[], Any]  # made when first used: 5 ms
    queue_url: str
    ttl: int = 0  # seconds that a validated payment lives unprocessed
    clock: Callable[[], float] = time.time


def client(service: str, *, attempts: int, read_timeout: float) -> Any:
    """Make a client with time-outs in seconds: the SDK's 60 are past API Gateway's 29."""
    config = Config(
        connect_timeout=1,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
        parameter_validation=False,
    )
    return _session.create_client(service, region_name=os.environ.get("AWS_REGION"), config=config)


def payment_services() -> Services:
    """Make the services of a payment function."""
    dynamodb = client("dynamodb", attempts=3, read_timeout=2)
    sqs = functools.cache(lambda: client("sqs", attempts=2, read_timeout=1))
    return Services(dynamodb, os.environ["TABLE_NAME"], sqs, os.environ["QUEUE_URL"])


def end_init(first_used: Any) -> None:
    """Open a client's connection (the first request needs 3 ms, not 22) by a harmless GET; start the collector."""
    with contextlib.suppress(Exception):
        first_used._endpoint.http_session.send(AWSRequest(method="GET", url=first_used.meta.endpoint_url).prepare())
    gc.freeze()
    gc.enable()


def is_temporary(error: Exception) -> bool:
    """Tell whether a retry may succeed."""
    if isinstance(error, exceptions.ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return status >= 500 or status in (408, 429) or bool(_TEMPORARY_CODES.search(error_code(error)))
    return isinstance(error, OutcomeUnknownError)


def error_code(error: Exception) -> str:
    """Return AWS's code of an error, or "" where AWS did not answer."""
    return error.response["Error"]["Code"] if isinstance(error, exceptions.ClientError) else ""
