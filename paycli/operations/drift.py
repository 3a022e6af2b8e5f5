"""Drift: where what stands differs from what CloudFormation last set.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from paycli.errors import PaycliError
from paycli.progress import Report, Step
from paycli.stack.retention import DATA_TYPES

_PAUSE = 1.0  # seconds; a detection of this stack takes AWS half a minute or so
_GIVE_UP = 15 * 60.0  # seconds
_DRIFTED = ["MODIFIED", "DELETED"]
_UNCHECKED = ["NOT_CHECKED", "UNKNOWN", "UNSUPPORTED"]


@dataclass(frozen=True)
class Difference:
    """One property: the path in the resource, what CloudFormation set (`before`), and what stands (`after`)."""

    path: str
    before: str
    after: str


@dataclass(frozen=True)
class Drifted:
    """One resource that is MODIFIED or DELETED."""

    logical_id: str
    resource_type: str
    physical_id: str
    status: str
    differences: tuple[Difference, ...]

    @property
    def holds_data(self) -> bool:
        """Whether what was deleted had data in it, or decrypted it."""
        return self.resource_type in DATA_TYPES


@dataclass(frozen=True)
class Drift:
    """What a detection has found; `unchecked` are the resources it can't judge, `incomplete` says why it failed."""

    stack: str
    checked_at: datetime
    resources: tuple[Drifted, ...]
    unchecked: tuple[str, ...]
    incomplete: str


def detect(cloudformation: Any, stack_name: str, report: Report) -> Drift:
    """Begin a detection, wait for it, and return what it found.

    Raises:
        PaycliError: it isn't done in a quarter of an hour, or nothing can be said.
        ClientError: CloudFormation refuses, for instance while the stack is being updated.

    """
    begun = cloudformation.detect_stack_drift(StackName=stack_name)["StackDriftDetectionId"]
    report(Step(f"Looking for drift of {stack_name}"))
    ended = _ended(cloudformation, begun)
    found = list(_resource_drifts(cloudformation, ended["StackId"]))
    resources = tuple(_drifted(drift) for drift in found if drift["StackResourceDriftStatus"] in _DRIFTED)
    failed = ended["DetectionStatus"] == "DETECTION_FAILED"
    incomplete = ended.get("DetectionStatusReason") or "CloudFormation doesn't say why" if failed else ""
    if failed and not resources:
        raise PaycliError(
            f"The drift of {stack_name} can't be told: {incomplete}",
            hint="The caller needs the right to read each resource of the stack.",
            code="drift_unknown",
        )
    return Drift(
        stack_name,
        ended["Timestamp"],
        resources,
        tuple(sorted(drift["LogicalResourceId"] for drift in found if drift["StackResourceDriftStatus"] in _UNCHECKED)),
        incomplete,
    )


def _ended(cloudformation: Any, detection: str) -> Mapping[str, Any]:
    deadline = time.monotonic() + _GIVE_UP
    while time.monotonic() < deadline:
        said: Mapping[str, Any] = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if said["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            return said
        time.sleep(_PAUSE)
    raise PaycliError(
        f"The drift detection {detection} isn't done after {_GIVE_UP / 60:.0f} minutes.",
        hint="CloudFormation goes on with it: `paycli status` shows the result.",
        code="drift_unknown",
    )


def _resource_drifts(cloudformation: Any, stack_id: str) -> Iterator[Mapping[str, Any]]:
    """Give what isn't in sync, page after page: the SDK has no paginator for it."""
    asked: dict[str, Any] = {"StackName": stack_id, "StackResourceDriftStatusFilters": [*_DRIFTED, *_UNCHECKED]}
    while True:
        page = cloudformation.describe_stack_resource_drifts(**asked)
        yield from page["StackResourceDrifts"]
        if not page.get("NextToken"):
            return
        asked["NextToken"] = page["NextToken"]


def _drifted(drift: Mapping[str, Any]) -> Drifted:
    return Drifted(
        drift["LogicalResourceId"],
        drift["ResourceType"],
        drift.get("PhysicalResourceId", ""),
        drift["StackResourceDriftStatus"],
        tuple(
            Difference(one["PropertyPath"], one["ExpectedValue"], one["ActualValue"])
            for one in drift.get("PropertyDifferences", [])
        ),
    )
