"""A drift detection that CloudFormation doesn't finish, or finishes in part."""

import itertools
import time
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from paycli.console import plain
from paycli.errors import PaycliError
from paycli.operations.drift import Drift, detect
from paycli.progress import Event, Step
from paycli.views import drift as drift_view

STACK = "payment-api-dev"
STACK_ID = f"arn:aws:cloudformation:eu-central-1:111111111111:stack/{STACK}/1"
CHECKED = datetime(2026, 11, 23, 10, tzinfo=UTC)


def drift_of(logical_id: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "StackId": STACK_ID,
        "LogicalResourceId": logical_id,
        "ResourceType": "AWS::SQS::Queue",
        "StackResourceDriftStatus": status,
        "Timestamp": CHECKED,
        **more,
    }


def detected(monkeypatch: pytest.MonkeyPatch, statuses: list[str], *drifts: dict[str, Any], reason: str = "") -> Drift:
    """Return what `detect` makes of a detection that says these statuses, one a look."""
    monkeypatch.setattr("paycli.operations.drift._PAUSE", 0.0)
    cloudformation = boto3.Session("a", "b", region_name="eu-central-1").client("cloudformation")
    said: list[Event] = []
    with Stubber(cloudformation) as stubber:
        stubber.add_response("detect_stack_drift", {"StackDriftDetectionId": "d-1"}, {"StackName": STACK})
        for status in statuses:
            answer = {
                "StackId": STACK_ID,
                "StackDriftDetectionId": "d-1",
                "DetectionStatus": status,
                "Timestamp": CHECKED,
                **({"DetectionStatusReason": reason} if reason else {}),
            }
            stubber.add_response("describe_stack_drift_detection_status", answer, {"StackDriftDetectionId": "d-1"})
        for number, drift in enumerate(drifts, 1):  # a page each
            more = {"NextToken": str(number)} if number < len(drifts) else {}
            stubber.add_response("describe_stack_resource_drifts", {"StackResourceDrifts": [drift], **more})
        if not drifts:
            stubber.add_response("describe_stack_resource_drifts", {"StackResourceDrifts": []})
        found = detect(cloudformation, STACK, said.append)
    assert said == [Step(f"Looking for drift of {STACK}")]
    return found


def test_what_cannot_be_checked_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = ["DETECTION_IN_PROGRESS", "DETECTION_IN_PROGRESS", "DETECTION_COMPLETE"]
    found = detected(monkeypatch, statuses, drift_of("B", "UNSUPPORTED"), drift_of("A", "UNKNOWN"))
    assert (found.resources, found.unchecked, found.incomplete) == ((), ("A", "B"), "")
    assert plain(drift_view.drift(found)) == f"Nothing of {STACK} has drifted.\nCloudFormation can't tell of A, B.\n"


def test_a_long_value_is_cut_on_the_screen_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    difference = {"PropertyPath": "/P", "ExpectedValue": "x" * 300, "ActualValue": "null", "DifferenceType": "REMOVE"}
    found = detected(monkeypatch, ["DETECTION_COMPLETE"], drift_of("A", "MODIFIED", PropertyDifferences=[difference]))
    assert found.resources[0].differences[0].before == "x" * 300
    assert "x" * 200 + "…" in plain(drift_view.drift(found))


@pytest.mark.parametrize("reason", ["Access denied to sqs:GetQueueAttributes", ""])
def test_a_failed_detection_without_a_finding_is_an_error(monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    with pytest.raises(PaycliError, match=reason or "doesn't say why"):
        detected(monkeypatch, ["DETECTION_FAILED"], reason=reason)


def test_a_failed_detection_shows_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    found = detected(monkeypatch, ["DETECTION_FAILED"], drift_of("A", "DELETED"), reason="no right to read B")
    assert [one.logical_id for one in found.resources] == ["A"]
    assert found.incomplete == "no right to read B"


def test_it_is_given_up_after_a_quarter_of_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(step=600.0)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with pytest.raises(PaycliError, match="15 minutes"):
        detected(monkeypatch, ["DETECTION_IN_PROGRESS"])
