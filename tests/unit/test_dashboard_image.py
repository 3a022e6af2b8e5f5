"""docs/dashboard.svg shows the dashboard as it is."""

import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from scripts import dashboard_image

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return dashboard_image.prod()


def body(resources: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    return found


def with_widget(resources: dict[str, Any], widget: dict[str, Any]) -> dict[str, Any]:
    """Return the resources with one more widget on the dashboard."""
    widgets = {"widgets": [*body(resources)["widgets"], widget]}
    changed = {**resources["Dashboard"]["Properties"], "DashboardBody": {"Fn::Sub": json.dumps(widgets)}}
    return {**resources, "Dashboard": {"Properties": changed}}


def texts(image: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(image).iter(f"{SVG}text")]


def height(image: str) -> int:
    return int(ET.fromstring(image).attrib["viewBox"].split()[3])


def test_the_committed_image_is_of_the_dashboard_as_it_is(resources: dict[str, Any]) -> None:
    """Else run `make dashboard-image`."""
    assert dashboard_image.IMAGE.read_text("utf-8") == dashboard_image.drawn(resources)


def test_it_shows_each_widget_each_alarm_and_each_cause(resources: dict[str, Any]) -> None:
    shown = texts(dashboard_image.drawn(resources))
    for widget in body(resources)["widgets"]:
        assert shown.count(widget["properties"]["title"]) == 1  # in full
    alarms = [one["Properties"]["AlarmName"] for one in resources.values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    for name in alarms:
        assert len([text for text in shown if text in {f"OK  {name}", f"ALARM  {name}"}]) == 1
    assert {"operation", "code", "cause", "requests", "temporarily_unavailable", "ThrottlingException"} <= {*shown}
    assert {"PaymentsValidated", "payment-processing-prod Faults", "p99 in the function", "4XXError"} <= {*shown}
    assert shown.count("deploy (right)") == 3


def test_each_deploy_is_a_dot_and_each_other_line_is_drawn(resources: dict[str, Any]) -> None:
    image = ET.fromstring(dashboard_image.drawn(resources))
    lines = [line for widget in body(resources)["widgets"] for line in widget["properties"].get("metrics", [])]
    dots = image.findall(f"{SVG}circle")
    curves = [path for path in image.findall(f"{SVG}path") if "stroke" in path.attrib]
    assert len(dots) == 2 * 3  # two deploys, three graphs
    assert len(curves) == len(lines) - 3


def test_a_new_widget_appears_by_itself(resources: dict[str, Any]) -> None:
    metric = ["Bank/Ledger", "EntriesBooked", "Ledger", "main"]
    widget = {"type": "metric", "properties": {"title": "Is it booked?", "stat": "Sum", "metrics": [metric]}}
    before, image = (dashboard_image.drawn(each) for each in (resources, with_widget(resources, widget)))
    assert {"Is it booked?", "EntriesBooked"} <= {*texts(image)}
    assert height(image) - height(before) == 6 * dashboard_image.ROW


def test_widgets_stand_where_cloudwatch_puts_them() -> None:
    column, row, gap, head = (getattr(dashboard_image, name) for name in ("COLUMN", "ROW", "GAP", "HEAD"))
    placed = list(dashboard_image.places([{"width": 24, "height": 3}, {"width": 12}, {}, {}, {"width": 24}]))
    assert [((box.x - gap) // column, (box.y - head) // row) for box in placed] == [
        (0, 0),
        (0, 3),
        (12, 3),
        (18, 3),
        (0, 9),
    ]
    assert all(box.x + box.width <= 24 * column for box in placed)


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 1), (0.4, 1), (1, 1), (3, 3), (7, 8), (41, 50), (938, 1000), (1234, 1500)]
)
def test_an_axis_ends_at_a_round_number(highest: float, top: float) -> None:
    assert dashboard_image.top([highest]) == top
