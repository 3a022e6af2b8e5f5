"""Any template as data: tags, JSON, choices, names; and what is none is refused in one sentence."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paycli.audit.model import LARGEST, document, listed, read, references
from paycli.audit.readable import Names
from paycli.audit.report import facts
from paycli.errors import PaycliError
from tests.unit.audit.templates import resource, template


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it has no Resources"),
        ("- a", "it has no Resources"),
        ("Resources: 3", "it has no Resources"),
        ("a: b: c", "line 1: mapping values are not allowed"),
        ('{"Resources": {"A": 1, "A": 2}}', "Duplicate found"),
        ("Resources: {}\n#" + "x" * LARGEST, "larger than the 1 MiB"),
    ],
)
def test_what_is_no_template_is_refused_in_one_sentence(text: str, why: str) -> None:
    with pytest.raises(PaycliError) as caught:
        read(text, "my.yaml")
    assert caught.value.message.startswith("my.yaml is no CloudFormation template: ")
    assert why in caught.value.message


def test_yaml_with_tags_and_json_are_the_same() -> None:
    tagged = read(
        "Resources:\n  A:\n    Type: T\n    Properties: {Since: 2012-10-17, B: !GetAtt X.Arn, 1: !Sub 'a${B}'}\n", ""
    )
    plain = template(
        {
            "A": {
                "Type": "T",
                "Properties": {"Since": "2012-10-17", "B": {"Fn::GetAtt": ["X", "Arn"]}, "1": {"Fn::Sub": "a${B}"}},
            }
        }
    )
    assert tagged.resources == plain.resources


@pytest.mark.parametrize(
    ("value", "entries"),
    [
        (None, []),
        ("a", ["a"]),
        ([["a"], "b", None, {"Ref": "AWS::NoValue"}], [["a"], "b"]),
        ({"Fn::If": ["c", "a", ["b", {"Ref": "AWS::NoValue"}]]}, ["a", "b"]),
        ([{"Fn::If": ["c", ["a"], "b"]}, "d"], ["a", "b", "d"]),
        ({"Fn::If": "nothing"}, []),
    ],
)
def test_a_list_has_all_that_may_stand_in_it(value: Any, entries: list[Any]) -> None:
    assert listed(value) == entries


def test_references_are_found_wherever_they_stand() -> None:
    value = [
        {"Ref": "A"},
        {"Fn::GetAtt": "B.Arn"},
        {"Fn::GetAtt": ["C", "Arn"]},
        {"Fn::Sub": "x${D}y${E.Arn}${!F}${"},
        {"Fn::Sub": ["${g}", {"g": {"Ref": "H"}}]},
        {"Fn::Join": ["", ["x", {"Ref": "I"}]]},
        {"Ref": 3},
        "J",
    ]
    assert list(references(value)) == ["A", "B", "C", "D", "E", "g", "H", "I"]


@pytest.mark.parametrize(("said", "statements"), [('{"Statement": 1}', 1), ("no json", None), ("[" * 99_999, None)])
def test_a_policy_may_be_written_as_text(said: str, statements: Any) -> None:
    assert document(said).get("Statement") == statements


NAMED = {
    "Table": resource("DynamoDB::Table", TableName={"Fn::Sub": "t-${AWS::Region}"}),
    "Queue": resource("SQS::Queue"),
    "Key": resource("KMS::Key"),
    "KeyAlias": resource("KMS::Alias", AliasName="alias/k", TargetKeyId={"Ref": "Key"}),
    "Stray": resource("KMS::Alias", AliasName="alias/s", TargetKeyId="elsewhere"),
    "Early": resource("SNS::Topic", TopicName={"Fn::Sub": "for-${Late}"}),
    "Late": resource("SNS::Topic", TopicName="late"),
    "Looping": resource("S3::Bucket", BucketName={"Fn::Sub": "${Looping}${Looping}"}),
}
PARAMETERS = {
    "Given": {"Default": "dev"},
    "Asked": {"Type": "String"},
    "Secret": {"Default": "hunter2", "NoEcho": True},
}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (3, "3"),
        ({"Ref": "Table"}, "t-REGION"),
        ({"Ref": "Queue"}, "Queue"),
        ({"Fn::GetAtt": ["Key", "Arn"]}, "alias/k"),
        ({"Ref": "Early"}, "for-late"),
        ({"Ref": "Given"}, "dev"),
        ({"Ref": "Asked"}, "<Asked>"),
        ({"Ref": "Secret"}, "<Secret>"),
        ({"Ref": "AWS::AccountId"}, "this account"),
        ({"Fn::Sub": "logs.${AWS::Region}.${AWS::URLSuffix}"}, "logs.amazonaws.com"),
        ({"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}, "this account"),
        ({"Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Table}"}, "t-REGION"),
        ({"Fn::Sub": "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:other"}, "sqs:other"),
        ("arn:aws:sqs:eu-west-1:123456789012:other", "arn:aws:sqs:eu-west-1:123456789012:other"),
        ("arn:aws:s3:::bucket/*", "bucket/*"),
        ({"Fn::Sub": ["${a}-${!b}", {"a": {"Ref": "Given"}}]}, "dev-${b}"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Given"}]]}, "a-dev"),
        ({"Fn::Join": "broken"}, '{"Fn::Join": "broken"}'),
        ({"Fn::If": ["c", "a", {"Ref": "AWS::NoValue"}]}, "a"),
        ({"Fn::If": ["c", "a", "b"]}, "a or b"),
        ({"Fn::ImportValue": "x"}, '{"Fn::ImportValue": "x"}'),
        ({"Fn::GetAtt": []}, '{"Fn::GetAtt": []}'),
        ({"Fn::Sub": []}, '{"Fn::Sub": []}'),
        ({"a": 1, "b": 2}, '{"a": 1, "b": 2}'),
        ("a\nb\x1b[2J", "a b\N{REPLACEMENT CHARACTER}[2J"),
    ],
)
def test_a_value_reads_as_people_say_it(value: Any, text: str) -> None:
    assert Names(template(NAMED, Parameters=PARAMETERS)).text(value) == text


def test_a_name_that_holds_itself_ends_somewhere() -> None:
    built = template(NAMED)
    assert len(Names(built).of(built.resources["Looping"])) <= 512


@pytest.mark.parametrize(("value", "number"), [("5", 5.0), (5, 5.0), ({"Ref": "Given"}, None), (None, None)])
def test_a_number_is_one_or_none(value: Any, number: float | None) -> None:
    assert Names(template({}, Parameters=PARAMETERS)).number(value) == number


words = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=5)
scalars = st.none() | st.booleans() | st.integers() | words
functions = st.sampled_from(
    ["Ref", "Fn::Sub", "Fn::GetAtt", "Fn::If", "Fn::Join", "Statement", "Principal", "Condition"]
)
values = st.recursive(
    scalars | st.sampled_from(["R", "R.Arn", "${R}", "*", "AWS::NoValue"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(functions | words, inner, max_size=3),
    max_leaves=8,
)
PROPERTIES = [
    *("PolicyDocument", "AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns", "Roles", "KeyPolicy", "Policy"),
    *("RestApiId", "ResourceId", "ParentId", "MethodSettings", "RequestModels", "RequestValidatorId", "Integration"),
    *("AuthorizerId", "EndpointConfiguration", "Queues", "ResourceArn", "WebACLArn", "Principal", "Action", "Tags"),
    *("SSESpecification", "BucketEncryption", "LifecycleConfiguration", "BackupSelection", "BackupPlan", "Rules"),
    *("MessageRetentionPeriod", "LockConfiguration", "ResourcePolicy", "Subscription", "AuthType", "KmsMasterKeyId"),
]
TYPES = [
    *("IAM::Role", "IAM::ManagedPolicy", "IAM::Policy", "KMS::Key", "KMS::Alias", "SQS::Queue", "SQS::QueuePolicy"),
    *("SNS::Topic", "SNS::Subscription", "S3::Bucket", "Lambda::Permission", "Lambda::Function", "Lambda::Url"),
    *("ApiGateway::RestApi", "ApiGateway::Resource", "ApiGateway::Method", "ApiGateway::Stage", "DynamoDB::Table"),
    *("WAFv2::WebACL", "WAFv2::WebACLAssociation", "Backup::BackupSelection", "Backup::BackupPlan", "Logs::LogGroup"),
]


@given(
    st.dictionaries(
        st.sampled_from(["R", "S", "T", "TransactionsTable"]),
        st.tuples(st.sampled_from(TYPES), st.dictionaries(st.sampled_from(PROPERTIES), values, max_size=5)),
        max_size=4,
    )
)
def test_no_template_is_too_odd_for_the_report(resources: dict[str, tuple[str, dict[str, Any]]]) -> None:
    made = {name: {"Type": f"AWS::{kind}", "Properties": said} for name, (kind, said) in resources.items()}
    read_facts = facts(template(made))
    assert len(read_facts.surface.apis) == sum(kind == "ApiGateway::RestApi" for kind, _ in resources.values())
    assert read_facts.unread == ()
