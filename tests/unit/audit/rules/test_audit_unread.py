"""What the audit can't see is said to be there."""

from typing import Any

import pytest

from tests.unit.audit.audited import resource, said

PRODUCTION = {"Paycli": {"Environment": "prod", "RetainData": True}}
QUEUE = resource("AWS::SQS::Queue")


@pytest.mark.parametrize(
    "made",
    [
        resource("Custom::Grant", ServiceToken="arn"),
        resource("AWS::CloudFormation::CustomResource", ServiceToken="arn"),
        resource("AWS::CloudFormation::Stack", TemplateURL="https://example.com/t.yaml"),
        resource("AWS::SQS::Queue", **{"Fn::Transform": {"Name": "AWS::Include"}}),
        resource("AWS::SQS::Queue", {"Fn::Transform": {"Name": "AWS::Include"}}),
        resource("AWS::SQS::Queue", Tags=[{"Fn::Transform": {"Name": "AWS::Include"}}]),
        resource("AWS::Serverless::Function", FunctionUrlConfig={"AuthType": "NONE"}),
    ],
)
def test_what_is_made_elsewhere_in_production(made: dict[str, Any]) -> None:
    assert said("W9641", {"Made": made, "Queue": QUEUE}, Metadata=PRODUCTION) == ["Made"]
    assert said("W9641", {"Made": made, "Queue": QUEUE}) == []


@pytest.mark.parametrize(
    ("transform", "found"),
    [
        ("Ours", 1),
        (["AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"], 0),
        (["AWS::LanguageExtensions", "Ours"], 1),
        ({"Name": "AWS::Include", "Parameters": {"Location": "s3://x/y"}}, 1),
        ("AWS::LanguageExtensions", 0),
    ],
)
def test_a_transform_of_production(transform: Any, found: int) -> None:
    assert len(said("W9641", {"Queue": QUEUE}, Metadata=PRODUCTION, Transform=transform)) == found


@pytest.mark.parametrize("section", ["Mappings", "Conditions"])
def test_what_a_transform_fills_outside_of_resources(section: str) -> None:
    filled = {section: {"Fn::Transform": {"Name": "AWS::Include"}}}
    assert len(said("W9641", {"Queue": QUEUE}, Metadata=PRODUCTION, **filled)) == 1


def test_resources_that_a_transform_adds() -> None:
    assert len(said("W9641", {"Queue": QUEUE, "Fn::Transform": {"Name": "AWS::Include"}}, Metadata=PRODUCTION)) == 1
