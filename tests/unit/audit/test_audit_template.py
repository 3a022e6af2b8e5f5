"""How the rules read a template: every value a property can have, and where."""

from typing import Any

import pytest
from cfnlint.template import Template

from paycli.audit.production import in_production, says_production
from paycli.audit.template import Node, Stack, certain
from tests.unit.audit.audited import NOTHING, att, either, ref, resource, sub


def stack(template: Any) -> Stack:
    return Stack(Template("template", template, ["eu-west-1"]))


def select(index: Any, elements: Any) -> dict[str, Any]:
    return {"Fn::Select": [index, elements]}


def values(nodes: list[Node]) -> list[Any]:
    return [node.value for node in nodes]


PARAMETERS = {
    "Named": {"Type": "String", "Default": "payments"},
    "Bare": {"Type": "String"},
    "Switch": {"Type": "String", "Default": "true"},
    "Days": {"Type": "Number", "Default": 30},
    "Names": {"Type": "CommaDelimitedList", "Default": "a, b"},
    "Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/name/of/it"},
    "Broken": "none",
}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        (True, "true"),
        (5, "5"),
        (0.5, "0.5"),
        (ref("Queue"), "${Queue}"),
        (ref("Named"), "payments"),
        (ref("Days"), "30"),
        (ref("Bare"), "${Bare}"),
        (ref("Broken"), "${Broken}"),
        (ref("Stored"), "${Stored}"),
        (ref("Names"), "${Names}"),
        (att("Queue"), "${Queue.Arn}"),
        ({"Fn::GetAtt": "Queue.Arn"}, "${Queue.Arn}"),
        (sub("x-${Queue}-${Queue.Arn}-${Named}-${AWS::Region}"), "x-${Queue}-${Queue.Arn}-payments-${AWS::Region}"),
        (sub("${!Literal}"), "${!Literal}"),
        ({"Fn::Sub": ["${A}:${B}", {"A": ref("Named"), "B": {"Fn::ImportValue": "b"}}]}, "payments:${B}"),
        ({"Fn::Join": [":", ["arn", ref("AWS::Partition"), "sqs"]]}, "arn:${AWS::Partition}:sqs"),
        ({"Fn::Join": [":", ["arn", {"Fn::ImportValue": "x"}]]}, None),
        ({"Fn::ImportValue": "x"}, None),
        ({"Fn::Sub": 5}, None),
        (select(1, ["a", ref("Named")]), "payments"),
        (sub("x"), "x"),
        ({"Fn::Sub": ["${A}:*", {"A": select(0, ["dynamodb"])}]}, "dynamodb:*"),
        (select(0, [either("a", "b")]), None),
        (select(0, {"Fn::GetAZs": ""}), None),
        (["a"], None),
        ({"a": 1}, None),
        (None, None),
    ],
)
def test_a_value_as_text(value: Any, text: str | None) -> None:
    assert stack({"Parameters": PARAMETERS}).text(value) == text


@pytest.mark.parametrize(
    ("value", "possible"),
    [
        ("one", ["one"]),
        (NOTHING, [None]),
        (either("one", "two"), ["one", "two"]),
        (either("one", either("two", NOTHING)), ["one", "two", None]),
        (ref("Named"), ["payments"]),
        (ref("Bare"), [{"Ref": "Bare"}]),
        (ref("Names"), [["a", "b"]]),
        (select(0, ["one", "two"]), ["one"]),
        (select("1", ["one", either("two", "three")]), ["two", "three"]),
        (select(1, ref("Names")), ["b"]),
        (select(1, {"Fn::Split": [",", "a,b"]}), ["b"]),
        (select(1, either(["one", "two"], ["three", "four"])), ["two", "four"]),
        ({"Fn::Split": [",", "a,b"]}, [["a", "b"]]),
        *(
            (unknown, [unknown])
            for unknown in (
                select(2, ["one"]),
                select(ref("Bare"), ["one"]),
                select(0, {"Fn::Split": [":", att("Queue")]}),
                {"Fn::Select": "broken"},
                {"Fn::Split": ["", "a"]},
                {"Fn::Split": "broken"},
            )
        ),
        ({"Fn::If": "broken"}, [{"Fn::If": "broken"}]),
        ({"Fn::ImportValue": "x"}, [{"Fn::ImportValue": "x"}]),
    ],
)
def test_every_value_that_a_property_can_have(value: Any, possible: list[Any]) -> None:
    template = stack({"Parameters": PARAMETERS, "Resources": {"Queue": resource("AWS::SQS::Queue", Name=value)}})
    assert values(template.all_resources["Queue"].get("Name")) == possible


def test_a_missing_property_is_missing_at_its_resource_and_a_nested_one_at_its_parent() -> None:
    template = stack({"Resources": {"Table": resource("AWS::DynamoDB::Table", SSE={"Enabled": True}, Text="{")}})
    table = template.all_resources["Table"]
    assert [(node.absent, node.path) for node in table.get("Name")] == [(True, ("Resources", "Table"))]
    assert [(node.absent, node.path) for node in table.get("SSE", "Key")] == [
        (True, ("Resources", "Table", "Properties", "SSE"))
    ]
    assert [node.absent for node in table.get("Text", "Key")] == [True]
    assert [node.absent for node in table.get("Name", "Deeper")] == [True]


def test_what_only_a_deployment_knows_stays_so() -> None:
    unknown = {"Fn::ImportValue": "x"}
    template = stack({"Resources": {"Table": resource("AWS::DynamoDB::Table", SSE=unknown)}})
    (node,) = template.all_resources["Table"].get("SSE", "Key")
    assert node.unknown
    assert not node.absent
    assert node.truth is None
    assert node.number is None


@pytest.mark.parametrize("document", ['{"a": {"b": 1}}', sub('{"a": {"b": 1}}'), ' {"a": {"b": 1}}'])
def test_json_in_a_text_is_read(document: Any) -> None:
    template = stack({"Resources": {"Policy": resource("AWS::Logs::ResourcePolicy", PolicyDocument=document)}})
    assert values(template.all_resources["Policy"].get("PolicyDocument", "a", "b")) == [1]


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        ("one", ["one"]),
        (["one", "two"], ["one", "two"]),
        (["one", NOTHING, either("two", NOTHING)], ["one", "two"]),
        (["one", either(["two", "three"], "four")], ["one", "two", "three", "four"]),
        (either(["one"], ["two"]), ["one", "two"]),
        (ref("Names"), ["a", "b"]),
        (NOTHING, []),
        ([], []),
    ],
)
def test_the_elements_of_a_list(value: Any, elements: list[str]) -> None:
    template = stack({"Parameters": PARAMETERS, "Resources": {"Queue": resource("AWS::SQS::Queue", List=value)}})
    assert values(template.all_resources["Queue"].listed("List")) == elements


@pytest.mark.parametrize(
    ("reference", "named", "meant"),
    [
        (ref("Queue"), None, True),
        (att("Queue"), None, True),
        (sub("${Queue.Arn}"), None, True),
        (ref("QueueTwo"), None, False),
        (sub("arn:aws:s3:::${Queue}"), None, True),
        (sub("${Queue}/x"), None, False),
        (sub("x-${Queue}"), None, False),
        ("failed", "failed", True),
        (sub("arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:failed"), "failed", True),
        (sub("https://sqs.${AWS::Region}.amazonaws.com/${AWS::AccountId}/failed"), "failed", True),
        (ref("Named"), ref("Named"), True),
        (sub("not-${Named}"), ref("Named"), False),
        ({"Fn::ImportValue": "x"}, "failed", False),
        ("failed", {"Fn::ImportValue": "x"}, False),
    ],
)
def test_what_a_text_refers_to(reference: Any, named: Any, meant: bool) -> None:
    properties = {} if named is None else {"QueueName": named}
    resources = {"Queue": resource("AWS::SQS::Queue", **properties), "Other": resource("X", Value=reference)}
    template = stack({"Parameters": PARAMETERS, "Resources": resources})
    (node,) = template.all_resources["Other"].get("Value")
    assert node.identifies(template.all_resources["Queue"]) is meant


@pytest.mark.parametrize(
    ("value", "truth"), [(True, True), ("True", True), (False, False), ("false", False), (1, None)]
)
def test_true_and_false_also_as_text(value: Any, truth: bool | None) -> None:
    assert Node(stack({}), value, ()).truth is truth


@pytest.mark.parametrize(
    ("paths", "is_certain"),
    [
        ([], False),
        ([("a",)], True),
        ([("a", "Fn::If", 1)], False),
        ([("a", "Fn::If", 1), ("a", "Fn::If", 2)], True),
        ([("a", "Fn::If", 1), ("b", "Fn::If", 2)], False),
        ([("a", "Fn::If", 1, "Fn::If", 2), ("a", "Fn::If", 2)], False),
        ([("a", "Fn::If", 1, "Fn::If", 2), ("a", "Fn::If", 1, "Fn::If", 1), ("a", "Fn::If", 2)], True),
    ],
)
def test_whether_one_is_there_whatever_is_decided(paths: list[Any], is_certain: bool) -> None:
    assert certain(Node(stack({}), "here", path) for path in paths) is is_certain


def test_a_resource_is_there_with_another_under_no_condition_or_the_same() -> None:
    def made(condition: str | None) -> Any:
        return resource("AWS::SQS::Queue", {"Condition": condition} if condition else {})

    resources = {"Always": made(None), "One": made("A"), "Two": made("A"), "Other": made("B")}
    found = stack({"Resources": resources}).all_resources
    assert found["Always"].exists_with(found["One"])
    assert found["One"].exists_with(found["Two"])
    assert not found["Other"].exists_with(found["One"])
    assert not found["One"].exists_with(found["Always"])


@pytest.mark.parametrize("name", ["prod", "Production", "live", "prod-eu", "eu_live"])
def test_names_of_production(name: str) -> None:
    assert says_production(name)


@pytest.mark.parametrize("name", ["dev", "pre-prod", "non-production", "not-live", "reprod", "", None])
def test_names_of_something_else(name: str | None) -> None:
    assert not says_production(name)


@pytest.mark.parametrize(
    ("stated", "tags", "production"),
    [
        ({"Environment": "prod", "RetainData": False}, None, True),
        ({"Environment": "payments-eu", "RetainData": True}, None, True),
        ({"Environment": "payments-eu", "RetainData": "true"}, None, True),
        ({"Environment": "dev", "RetainData": False}, [{"Key": "Environment", "Value": "prod"}], False),
        (None, [{"Key": "Owner", "Value": "prod"}, {"Key": "Environment", "Value": "production"}], True),
        (None, {"Environment": "live"}, True),
        (None, [{"Key": "Environment", "Value": "dev"}], False),
        (None, None, False),
        ("prod", None, False),
    ],
)
def test_what_makes_a_template_production(stated: Any, tags: Any, production: bool) -> None:
    properties = {} if tags is None else {"Tags": tags}
    template = {"Resources": {"Queue": resource("AWS::SQS::Queue", **properties), "Broken": "none"}}
    if stated is not None:
        template["Metadata"] = {"Paycli": stated}
    assert in_production(stack(template)) is production


@pytest.mark.parametrize("template", [{}, {"Resources": []}, {"Resources": {"A": {"Type": "X"}}}])
def test_a_template_without_anything_is_read_too(template: Any) -> None:
    assert [node.absent for item in stack(template).all_resources.values() for node in item.get("A", "B")] in (
        [],
        [True],
    )
