"""What differs between two templates, in words, and which way it goes."""

from functools import cache
from typing import Any

import pytest

from paycli.audit.access import Grant
from paycli.audit.access_changes import access_changes
from paycli.audit.changes import NARROWER, NEUTRAL, WIDER, Change, added
from paycli.audit.conditions import Condition
from paycli.audit.data_changes import data_changes
from paycli.audit.report import Facts, facts
from paycli.audit.surface_changes import surface_changes
from tests.unit.audit.templates import changed, facts_of, finding, payments, project, read_document, resource

POLICY = ("ProcessingPolicy", "Properties", "PolicyDocument", "Statement")


def differences(before: Facts, after: Facts) -> list[Change]:
    return [
        *access_changes(before.access, after.access),
        *surface_changes(before.surface, after.surface),
        *data_changes(before.data, after.data),
    ]


@cache
def facts_before() -> Facts:
    return facts(read_document(payments()))


def after(*path: str | int, to: Any, document: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    """What a change of the project's own template says."""
    before = facts(read_document(document)) if document else facts_before()
    found = differences(before, facts(read_document(changed(document or payments(), *path, to=to))))
    return [(change.direction, change.text) for change in found]


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_nothing_differs_from_itself(name: str) -> None:
    assert differences(facts(read_document(project(name))), facts(read_document(project(name)))) == []


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Each statement of each policy of a template."""
    return [
        statement
        for body in document["Resources"].values()
        for key in ("PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument")
        for statement in body["Properties"].get(key, {}).get("Statement", [])
    ]


@pytest.mark.parametrize("number", range(len(statements(payments()))))
def test_an_added_action_is_told_and_nothing_else(number: int) -> None:
    grown = payments()
    statement = statements(grown)[number]
    held = statement["Action"]
    statement["Action"] = [*(held if isinstance(held, list) else [held]), "newest:Action"]
    less, more = facts_before(), facts(read_document(grown))
    (change,) = differences(less, more)
    assert (change.direction, change.area) == (WIDER if statement["Effect"] == "Allow" else NARROWER, "access")
    assert " newest:Action on " in change.text
    (taken,) = differences(more, less)
    assert taken.direction == (NARROWER if statement["Effect"] == "Allow" else WIDER)


def test_a_gained_and_a_lost_right() -> None:
    said = (WIDER, "payment-processing-prod may now also dynamodb:DeleteItem on transactions-prod")
    assert after(*POLICY, 0, "Action", to=["dynamodb:UpdateItem", "dynamodb:DeleteItem"]) == [said]
    lost = (NARROWER, "payment-processing-prod may no longer dynamodb:UpdateItem on transactions-prod")
    gained = (WIDER, "payment-processing-prod may now also dynamodb:GetItem on transactions-prod")
    assert after(*POLICY, 0, "Action", to=["dynamodb:GetItem"]) == [gained, lost]


def test_a_wildcard_holds_what_it_replaces() -> None:
    wide = (WIDER, "payment-processing-prod may now also dynamodb:* on transactions-prod")
    assert after(*POLICY, 0, "Action", to="dynamodb:*") == [wide]
    document = changed(payments(), *POLICY, 0, "Action", to="dynamodb:*")
    narrow = (NARROWER, "payment-processing-prod may no longer dynamodb:* on transactions-prod")
    assert after(*POLICY, 0, "Action", to="dynamodb:UpdateItem", document=document) == [narrow]
    everywhere = (WIDER, "payment-processing-prod may now also dynamodb:UpdateItem on *")
    assert after(*POLICY, 0, "Resource", to="*") == [everywhere]


def test_a_denial_goes_the_other_way() -> None:
    text = "everyone is no longer denied sns:Publish on payment-alarms-prod where aws:SecureTransport is false"
    assert after("AlarmTopicPolicy", "Properties", "PolicyDocument", "Statement", 1, to=None) == [(WIDER, text)]


def test_a_boundary_that_goes_is_wider() -> None:
    bounded = changed(
        payments(), "ProcessingRole", "Properties", "PermissionsBoundary", to="arn:aws:iam::1:policy/limit"
    )
    told = (WIDER, "payment-processing-prod is no longer bounded by the policy arn:aws:iam::1:policy/limit on *")
    assert after("ProcessingRole", "Properties", "PermissionsBoundary", to=None, document=bounded) == [told]


def grants(effect: str, *conditions: Condition) -> list[Grant]:
    return [Grant("function", "f", effect, ("a:B",), ("r",), conditions, ())]


def condition(*values: str, operator: str = "StringEquals", key: str = "k") -> Condition:
    return Condition(operator, key, values)


@pytest.mark.parametrize(
    ("before", "now", "direction"),
    [
        ((condition("a"),), (condition("a", "b"),), WIDER),
        ((condition("a", "b"),), (condition("a"),), NARROWER),
        ((condition("a"),), (condition("b"),), WIDER),
        ((condition("a", operator="StringNotEquals"),), (condition("a", "b", operator="StringNotEquals"),), NARROWER),
        ((condition("false", operator="Bool"),), (condition("true", operator="Bool"),), WIDER),
        ((condition("a"), condition("c", key="m")), (condition("a", "b"), condition("c", "d", key="m")), WIDER),
        ((condition("a"), condition("c", key="m")), (condition("a", "b"),), WIDER),
        ((condition("a", "b"),), (condition("a"), condition("c", key="m")), NARROWER),
        ((condition("a", "b"),), (condition("a", "b", "c"), condition("c", key="m")), WIDER),
    ],
)
def test_conditions_that_are_met_more_often_are_wider(before: Any, now: Any, direction: str) -> None:
    (change,) = access_changes(grants("Allow", *before), grants("Allow", *now))
    assert change.direction == direction
    assert change.text.startswith("f may a:B on r on other conditions: k ")
    opposite = {WIDER: NARROWER, NARROWER: WIDER}[direction]
    (denied,) = access_changes(grants("Deny", *before), grants("Deny", *now))
    assert denied.text.startswith("f is denied a:B on r on other conditions")
    # What can't be told is taken for wider, either way.
    assert denied.direction in {opposite, WIDER}


def test_a_condition_that_goes_is_wider_and_one_that_comes_narrower() -> None:
    limited = condition("a")
    (wider,) = access_changes(grants("Allow", limited), grants("Allow"))
    assert (wider.direction, wider.text) == (WIDER, "f may a:B on r on other conditions: always; before: k is a")
    (narrower,) = access_changes(grants("Allow"), grants("Allow", limited))
    assert (narrower.direction, narrower.text) == (
        NARROWER,
        "f may a:B on r on other conditions: k is a; before: always",
    )


METHOD = ("ProcessMethod", "Properties")
PUT = "authorization IAM (SigV4), behind it payment-processing-prod"
TLS = "SecurityPolicy_TLS13_1_2_2021_06"


@pytest.mark.parametrize(
    ("path", "to", "said"),
    [
        (
            (*METHOD, "AuthorizationType"),
            "NONE",
            (WIDER, "POST /process can be called by anyone: authorization is none; before: IAM (SigV4)"),
        ),
        (
            (*METHOD, "AuthorizationType"),
            "CUSTOM",
            (WIDER, "POST /process is called in another way: authorization is CUSTOM; before: IAM (SigV4)"),
        ),
        ((*METHOD, "RequestValidatorId"), None, (WIDER, "POST /process is no longer validated")),
        (
            (*METHOD, "RequestModels"),
            {"application/json": {"Ref": "ProcessModel"}},
            (
                WIDER,
                (
                    "POST /process is validated in another way: ProcessRequest, application/json alone;"
                    " before: ProcessRequest, any content type"
                ),
            ),
        ),
        (
            (*METHOD, "ApiKeyRequired"),
            True,
            (
                NARROWER,
                "POST /process is called in another way: authorization is IAM (SigV4), API key; before: IAM (SigV4)",
            ),
        ),
        (
            (*METHOD, "Integration", "Uri"),
            {"Fn::Sub": "${ValidationFunction.Arn}"},
            (WIDER, "POST /process now calls payment-validation-prod; before: payment-processing-prod"),
        ),
        (
            (*METHOD, "HttpMethod"),
            "PUT",
            (WIDER, "PUT /process is new: " + PUT),
        ),
        (("ProcessMethod",), None, (NARROWER, "POST /process is gone")),
        (
            ("RestApi", "Properties", "EndpointConfiguration", "Types"),
            ["PRIVATE"],
            (NARROWER, "payment-api-prod is now PRIVATE; before: REGIONAL"),
        ),
        (
            ("RestApi", "Properties", "EndpointConfiguration", "Types"),
            ["EDGE"],
            (WIDER, "payment-api-prod is now EDGE; before: REGIONAL"),
        ),
        (
            ("RestApi", "Properties", "SecurityPolicy"),
            None,
            (WIDER, "payment-api-prod takes TLS_1_0; before: SecurityPolicy_TLS13_1_2_2021_06"),
        ),
        (
            ("RestApi", "Properties", "SecurityPolicy"),
            "SecurityPolicy_TLS13_1_3_2025_09",
            (
                NARROWER,
                "payment-api-prod takes SecurityPolicy_TLS13_1_3_2025_09; before: " + TLS,
            ),
        ),
        (
            ("RestApi", "Properties", "SecurityPolicy"),
            "SecurityPolicy_TLS13_1_2_PQ_2025_09",
            (
                NEUTRAL,
                "payment-api-prod takes SecurityPolicy_TLS13_1_2_PQ_2025_09; before: " + TLS,
            ),
        ),
        (
            ("RestApi", "Properties", "SecurityPolicy"),
            "Another",
            (WIDER, "payment-api-prod takes Another; before: SecurityPolicy_TLS13_1_2_2021_06"),
        ),
        (
            ("RestApi", "Properties", "DisableExecuteApiEndpoint"),
            True,
            (NARROWER, "payment-api-prod no longer answers at execute-api's own address"),
        ),
        (("Stage", "Properties", "AccessLogSetting"), None, (WIDER, "payment-api-prod no longer has an access log")),
        (
            ("Stage", "Properties", "MethodSettings", 0, "DataTraceEnabled"),
            True,
            (WIDER, "payment-api-prod now writes bodies to its log"),
        ),
    ],
)
def test_a_change_of_the_surface(path: tuple[str, ...], to: Any, said: tuple[str, str]) -> None:
    told = after(*path, to=to)
    assert said in told
    assert len([text for _, text in told if "lambda:InvokeFunction" not in text]) == (2 if to == "PUT" else 1)


def test_more_validation_is_narrower() -> None:
    text = "is validated in another way: {0}Request, any content type; parameters; before: {0}Request, any content type"
    assert after("BodyValidator", "Properties", "ValidateRequestParameters", to=True) == [
        (NARROWER, f"POST /{word.lower()} {text.format(word)}") for word in ("Validate", "Process")
    ]


def test_what_comes_back_goes_the_other_way() -> None:
    opened = changed(payments(), *METHOD, "AuthorizationType", to="NONE")
    closed = (NARROWER, "POST /process asks who calls: authorization is IAM (SigV4); before: none")
    assert after(*METHOD, "AuthorizationType", to="AWS_IAM", document=opened) == [closed]
    bare = changed(payments(), *METHOD, "RequestModels", to=None)
    validated = (NARROWER, "POST /process is now validated: ProcessRequest, any content type")
    assert after(*METHOD, "RequestModels", to={"$default": {"Ref": "ProcessModel"}}, document=bare) == [validated]
    private = changed(payments(), "RestApi", "Properties", "EndpointConfiguration", "Types", to=["PRIVATE"])
    public = (WIDER, "payment-api-prod is now REGIONAL; before: PRIVATE")
    assert after("RestApi", "Properties", "EndpointConfiguration", "Types", to=["REGIONAL"], document=private) == [
        public
    ]


def throttled(rate: int | None, burst: int) -> list[dict[str, Any]]:
    limits = {} if rate is None else {"ThrottlingRateLimit": rate, "ThrottlingBurstLimit": burst}
    return [{"ResourcePath": "/*", "HttpMethod": "*", **limits}]


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ((10, 5), (20, 5), (WIDER, "is throttled in another way: 20/s, burst 5; before: 10/s, burst 5")),
        ((10, 5), (5, 9), (WIDER, "is throttled in another way: 5/s, burst 9; before: 10/s, burst 5")),
        ((10, 5), (5, 5), (NARROWER, "is throttled in another way: 5/s, burst 5; before: 10/s, burst 5")),
        ((10, 5), (None, 0), (WIDER, "has no throttle of its own: the account's limit; before: 10/s, burst 5")),
        ((None, 0), (10, 5), (NARROWER, "is throttled: 10/s, burst 5; before: the account's limit")),
    ],
)
def test_a_change_of_the_throttle(before: Any, now: Any, said: tuple[str, str]) -> None:
    place = ("Stage", "Properties", "MethodSettings")
    document = changed(payments(), *place, to=throttled(*before))
    direction, text = said
    told = after(*place, to=throttled(*now), document=document)
    assert told == [(direction, f"{title} {text}") for title in ("POST /validate", "POST /process", "GET /health")]


def guarded(name: str | None) -> dict[str, Any]:
    document = payments()
    if name:
        document["Resources"]["Acl"] = resource("WAFv2::WebACL", Name=name, DefaultAction={"Block": {}})
        document["Resources"]["Guard"] = resource(
            "WAFv2::WebACLAssociation",
            ResourceArn={"Fn::Sub": "${RestApi}/stages/${Stage}"},
            WebACLArn={"Fn::GetAtt": ["Acl", "Arn"]},
        )
    return document


@pytest.mark.parametrize(
    ("before", "now", "direction", "words"),
    [
        (None, "a", NARROWER, "has another web ACL before it: a (0 rules, else block); before: none"),
        ("a", None, WIDER, "no longer has a web ACL before it; before: a (0 rules, else block)"),
        ("a", "b", WIDER, "before it: b (0 rules, else block); before: a (0 rules, else block)"),
    ],
)
def test_a_change_of_the_web_acl(before: str | None, now: str | None, direction: str, words: str) -> None:
    told = differences(facts(read_document(guarded(before))), facts(read_document(guarded(now))))
    assert {change.direction for change in told} == {direction}
    assert all(words in change.text for change in told)
    assert len(told) == 3


def limited(*addresses: str) -> dict[str, Any]:
    if not addresses:
        return payments()
    condition = {"NotIpAddress": {"aws:SourceIp": list(addresses)}}
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "x",
        "Resource": "execute-api:/*",
        "Condition": condition,
    }
    return changed(payments(), "RestApi", "Properties", "Policy", to={"Statement": [statement]})


@pytest.mark.parametrize(
    ("before", "now", "direction", "text"),
    [
        ((), ("1.0.0.0/8",), NARROWER, "can be called only from 1.0.0.0/8; before: from everywhere"),
        (("1.0.0.0/8",), (), WIDER, "can be called from everywhere; before: only from 1.0.0.0/8"),
        (("1.0.0.0/8",), ("1.0.0.0/8", "2.0.0.0/8"), WIDER, "only from 1.0.0.0/8, 2.0.0.0/8; before: from 1.0.0.0/8"),
        (
            ("1.0.0.0/8", "2.0.0.0/8"),
            ("1.0.0.0/8",),
            NARROWER,
            "only from 1.0.0.0/8; before: from 1.0.0.0/8, 2.0.0.0/8",
        ),
    ],
)
def test_a_change_of_the_addresses(before: Any, now: Any, direction: str, text: str) -> None:
    told = surface_changes(facts(read_document(limited(*before))).surface, facts(read_document(limited(*now))).surface)
    found = [(change.direction, change.text) for change in told]
    assert len(found) == 3
    assert all(way == direction and text in said for way, said in found)


def test_routes_of_several_stages_are_told_apart() -> None:
    document = payments()
    document["Resources"]["Second"] = resource("ApiGateway::Stage", RestApiId={"Ref": "RestApi"}, StageName="v2")
    limit = throttled(3, 1)
    told = after("Second", "Properties", "MethodSettings", to=limit, document=document)
    assert {text.partition(" is throttled")[0] for _, text in told} == {
        "POST /validate of payment-api-prod/v2",
        "POST /process of payment-api-prod/v2",
        "GET /health of payment-api-prod/v2",
    }


TABLE = ("TransactionsTable", "Properties")


@pytest.mark.parametrize(
    ("path", "to", "said"),
    [
        (
            ("FailedTransactionsQueue", "DeletionPolicy"),
            "Delete",
            (WIDER, "failed-transactions-prod would now be deleted with the stack"),
        ),
        (
            (*TABLE, "DeletionProtectionEnabled"),
            False,
            (WIDER, "transactions-prod is no longer protected from deletion"),
        ),
        (
            (*TABLE, "PointInTimeRecoverySpecification"),
            None,
            (WIDER, "transactions-prod has another backup: none; before: point-in-time recovery, 35 days"),
        ),
        (
            (*TABLE, "PointInTimeRecoverySpecification", "RecoveryPeriodInDays"),
            7,
            (
                WIDER,
                (
                    "transactions-prod has another backup: point-in-time recovery, 7 days;"
                    " before: point-in-time recovery, 35 days"
                ),
            ),
        ),
        (
            (*TABLE, "SSESpecification"),
            None,
            (
                WIDER,
                (
                    "transactions-prod is encrypted otherwise: AWS-owned key;"
                    " before: customer-managed key alias/payments-prod, rotating"
                ),
            ),
        ),
        (
            ("AccessLogs", "Properties", "RetentionInDays"),
            30,
            (WIDER, "/aws/apigateway/payment-api-prod/access keeps 30 days; before: 400 days"),
        ),
        (
            (*TABLE, "TableName"),
            "other",
            (WIDER, "table transactions-prod is now other: a new one, without the old one's data"),
        ),
        (("AlarmTopic",), None, (WIDER, "topic payment-alarms-prod is gone: it would be deleted with what it holds")),
        (("FunctionFailuresQueue",), None, (WIDER, "queue function-failures-prod is gone: it stays, out of the stack")),
    ],
)
def test_a_change_of_the_data(path: tuple[str, ...], to: Any, said: tuple[str, str]) -> None:
    told = [
        (direction, text) for direction, text in after(*path, to=to) if " may " not in text and "denied" not in text
    ]
    assert told == [said]


def test_a_change_of_the_data_that_protects() -> None:
    lost = changed(payments(), "FailedTransactionsQueue", "DeletionPolicy", to="Delete")
    kept = (NARROWER, "failed-transactions-prod would stay when the stack is deleted")
    assert after("FailedTransactionsQueue", "DeletionPolicy", to="Retain", document=lost) == [kept]
    bare = changed(payments(), *TABLE, "DeletionProtectionEnabled", to=False)
    protected = (NARROWER, "transactions-prod is now protected from deletion")
    assert after(*TABLE, "DeletionProtectionEnabled", to=True, document=bare) == [protected]
    unsaved = changed(payments(), *TABLE, "PointInTimeRecoverySpecification", to=None)
    saved = {"PointInTimeRecoveryEnabled": True}
    ((direction, _),) = after(*TABLE, "PointInTimeRecoverySpecification", to=saved, document=unsaved)
    assert direction == NARROWER
    plain = changed(payments(), "AlarmTopic", "Properties", "KmsMasterKeyId", to=None)
    ((direction, _),) = after("AlarmTopic", "Properties", "KmsMasterKeyId", to={"Ref": "Key"}, document=plain)
    assert direction == NARROWER


def test_a_key_that_no_longer_rotates_is_weaker_for_all_that_it_encrypts() -> None:
    told = after("Key", "Properties", "EnableKeyRotation", to=False)
    assert {direction for direction, _ in told} == {WIDER}
    assert len(told) == len(facts(read_document(payments())).data)


def test_a_key_that_is_not_kept_is_told_of_all_that_it_encrypts() -> None:
    told = after("Key", "DeletionPolicy", to="Delete")
    assert (WIDER, "alias/payments-prod would now be deleted with the stack") in told
    words = "when the stack is deleted: kept, but its key is deleted: it could not be read any more"
    assert any(direction == WIDER and words in text for direction, text in told)


def test_a_new_store_says_what_it_holds() -> None:
    document = payments()
    document["Resources"]["New"] = resource("S3::Bucket", BucketName="files")
    told = data_changes(facts(read_document(payments())).data, facts(read_document(document)).data)
    assert [(change.direction, change.text) for change in told] == [
        (NEUTRAL, "bucket files is new; not known to this report; S3's own key")
    ]


def test_encryption_by_another_key_may_be_weaker() -> None:
    one = facts_of({"Q": resource("SQS::Queue", KmsMasterKeyId="a")}).data
    two = facts_of({"Q": resource("SQS::Queue", KmsMasterKeyId="b")}).data
    none = facts_of({"Q": resource("SQS::Queue", SqsManagedSseEnabled=False)}).data
    own = facts_of({"Q": resource("SQS::Queue")}).data
    assert [change.direction for change in data_changes(one, two)] == [WIDER]
    assert [change.direction for change in data_changes(own, none)] == [WIDER]


def test_findings_are_new_or_mended_by_what_they_say() -> None:
    before = [finding(line=1), finding(line=2), finding(resource="Gone")]
    now = [finding(line=7), finding(line=8), finding(line=9), finding(resource="New")]
    assert [(said.resource, said.line) for said in added(before, now)] == [("Thing", 9), ("New", 3)]
    assert [said.resource for said in added(now, before)] == ["Gone"]


def test_a_key_that_is_kept_again_a_longer_wait_and_a_snapshot_are_stronger() -> None:
    lost = changed(payments(), "Key", "DeletionPolicy", to="Delete")
    told = after("Key", "DeletionPolicy", to="Retain", document=lost)
    assert {direction for direction, _ in told} == {NARROWER}
    hasty = changed(lost, "Key", "Properties", "PendingWindowInDays", to=7)
    waits = after("Key", "Properties", "PendingWindowInDays", to=30, document=hasty)
    assert {direction for direction, _ in waits} == {NARROWER}
    deleted = facts_of({"T": resource("DynamoDB::Table", "Delete")}).data
    saved = facts_of({"T": resource("DynamoDB::Table", "Snapshot")}).data
    assert [change.direction for change in data_changes(deleted, saved)] == [NARROWER]
    assert [change.direction for change in data_changes(saved, deleted)] == [WIDER]
    limited = facts_of({"L": resource("Logs::LogGroup", RetentionInDays=400)}).data
    endless = facts_of({"L": resource("Logs::LogGroup")}).data
    assert [change.direction for change in data_changes(limited, endless)] == [NARROWER]
    assert [change.direction for change in data_changes(endless, limited)] == [WIDER]
