"""Table, functions, topic, dashboard, alarms and limits: what a failing check says."""

from collections.abc import Callable
from typing import Any

import pytest

from paycli.smoke import CheckResult, run
from tests.unit.smoke.smoke_stack import ALARMS, TOPIC, AwsError, Stack, deployed, function, recovery, resource, stage


def checked(stack: Stack, name: str, deadline: float = 0.02, **target: Any) -> CheckResult:
    with deployed(stack, **target) as deployment:
        (result,) = run(deployment, only=[name], deadline_seconds=deadline)
    return result


def refusing(code: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise AwsError(code)

    return refuse


def in_turn(*answers: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Answer these one after the other."""
    waiting = iter(answers)
    return lambda _: next(waiting)


@pytest.mark.parametrize(
    ("name", "operation", "code", "found"),
    [
        ("table", "DescribeTable", "ResourceNotFoundException", "no such table"),
        ("functions", "GetFunctionConfiguration", "ResourceNotFoundException", "no such function"),
        ("topic", "GetTopicAttributes", "NotFound", "no such topic"),
        ("dashboard", "GetDashboard", "ResourceNotFound", "no such dashboard"),
        ("throttling", "GetStage", "NotFoundException", "no such stage"),
    ],
)
def test_what_is_missing_is_said(name: str, operation: str, code: str, found: str) -> None:
    stack = Stack()
    stack.operations[operation] = refusing(code)
    result = checked(stack, name, deadline=30)
    assert (result.passed, result.found) == (False, found)
    assert result.expected.startswith("the ")


def test_a_table_that_is_being_made_is_waited_for() -> None:
    stack = Stack()
    states = iter(["CREATING", "ACTIVE"])
    stack.operations["DescribeTable"] = lambda _: {
        "Table": {"TableName": "transactions-test", "TableStatus": next(states)}
    }
    stack.operations["DescribeContinuousBackups"] = in_turn(recovery("DISABLED"), recovery("ENABLED"))
    result = checked(stack, "table", deadline=30)
    assert (result.passed, result.detail) == (True, "transactions-test, point-in-time recovery on")


def test_a_table_that_never_gets_active_fails_at_the_deadline() -> None:
    stack = Stack()
    stack.operations["DescribeTable"] = lambda _: {
        "Table": {"TableName": "transactions-test", "TableStatus": "CREATING"}
    }
    result = checked(stack, "table")
    assert (result.expected, result.found) == ("the table transactions-test ACTIVE", "CREATING")
    assert "Still so after" in result.detail


@pytest.mark.parametrize(
    "answer", [recovery("DISABLED"), {"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED"}}]
)
def test_a_table_without_point_in_time_recovery_fails(answer: dict[str, Any]) -> None:
    stack = Stack()
    stack.operations["DescribeContinuousBackups"] = lambda _: answer
    result = checked(stack, "table")
    assert result.expected == "point-in-time recovery of transactions-test ENABLED"
    assert result.found in {"DISABLED", "None"}


def test_functions_that_settle_pass() -> None:
    stack = Stack()
    stack.operations["GetFunctionConfiguration"] = in_turn(
        function("a", State="Pending"),
        function("a", LastUpdateStatus="InProgress"),
        function("a"),
        function("b"),
        function("c"),
    )
    assert checked(stack, "functions", deadline=30).detail == "3 active, CodeSha256 c2hhMjU2"


@pytest.mark.parametrize(
    ("changes", "deadline", "found", "detail"),
    [
        ({"State": "Failed", "StateReason": "no role"}, 30, "Failed, last update Successful", "no role"),
        (
            {"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "no key"},
            30,
            "Active, last update Failed",
            "no key",
        ),
        ({"State": "Pending"}, 0.01, "Pending, last update Successful", "Still so after 0 s."),
    ],
)
def test_functions_that_do_not_get_there_fail(
    changes: dict[str, Any], deadline: float, found: str, detail: str
) -> None:
    stack = Stack()
    stack.operations["GetFunctionConfiguration"] = lambda p: function(p["FunctionName"], **changes)
    result = checked(stack, "functions", deadline)
    assert result.expected == "payment-validation-test Active, last update Successful"
    assert (result.found, result.detail) == (found, detail)


def test_other_code_than_the_deployed_fails_by_name() -> None:
    stack = Stack()
    stack.operations["GetFunctionConfiguration"] = lambda p: function(
        p["FunctionName"], **({"CodeSha256": "older"} if "processing" in p["FunctionName"] else {})
    )
    result = checked(stack, "functions")
    assert result.found == "payment-processing-test: older"


def test_code_that_nobody_knows_is_not_compared_and_that_is_said() -> None:
    result = checked(Stack(), "functions", code_sha256=None)
    assert result.passed
    assert "isn't compared" in result.detail


@pytest.mark.parametrize(
    ("body", "found"),
    [("[]", "2 other characters"), ("{", "1 other characters"), ("{}", "none"), ('{"widgets":[]}', "none")],
)
def test_a_dashboard_that_cannot_be_drawn_fails(body: str, found: str) -> None:
    stack = Stack()
    stack.operations["GetDashboard"] = lambda _: {"DashboardBody": body}
    result = checked(stack, "dashboard")
    assert (result.passed, result.found) == (False, found)


def test_a_required_alarm_that_is_missing_fails_though_the_stack_does_not_know_it() -> None:
    stack = Stack()
    del stack.alarms["api-latency-test"]
    stack.declared.remove("api-latency-test")
    assert checked(stack, "alarms").found == "no alarm api-latency-test"


@pytest.mark.parametrize(
    "broken", [{"ActionsEnabled": False, "AlarmActions": [TOPIC]}, {"ActionsEnabled": True, "AlarmActions": []}, {}]
)
def test_an_alarm_that_tells_nobody_fails_by_name(broken: dict[str, Any]) -> None:
    stack = Stack()
    stack.alarms["api-5xx-test"] = broken
    result = checked(stack, "alarms")
    assert result.found == "silent: api-5xx-test"
    assert TOPIC in result.expected


def test_more_alarms_than_one_call_takes_are_all_looked_at() -> None:
    stack = Stack()
    stack.alarms |= {f"more-{n}-test": {"ActionsEnabled": True, "AlarmActions": [TOPIC]} for n in range(150)}
    stack.declared = list(stack.alarms)
    assert checked(stack, "alarms").detail == f"{len(ALARMS) + 150} alarms publish to the topic"


def test_an_alarm_that_is_not_made_yet_has_no_name_to_look_for() -> None:
    stack = Stack()
    unmade = {k: v for k, v in resource("AWS::CloudWatch::Alarm", "x").items() if k != "PhysicalResourceId"}
    stack.operations["ListStackResources"] = lambda _: {"StackResourceSummaries": [unmade]}
    assert checked(stack, "alarms").detail == "4 alarms publish to the topic"


def test_a_stage_without_the_web_acl_of_its_environment_fails() -> None:
    stack = Stack(waf=True)
    assert checked(stack, "throttling").found == "none"
    acl = {"webAclArn": "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/payment-api-test/1"}
    stack.operations["GetStage"] = lambda _: {**stage(1000.0, 2000), **acl}
    assert checked(stack, "throttling").detail == "1000 requests/s, burst 2000, behind a web ACL"
    embedded = Stack(waf=True, target="embedded")  # which hosts none
    assert checked(embedded, "throttling").detail == "1000 requests/s, burst 2000"


@pytest.mark.parametrize("answer", [stage(1000.0, 10), stage(5.0, 2000), {}])
def test_other_limits_than_the_environments_fail(answer: dict[str, Any]) -> None:
    stack = Stack()
    stack.operations["GetStage"] = lambda _: answer
    result = checked(stack, "throttling")
    assert result.expected == "1000 requests/s, burst 2000"
    assert result.found != result.expected
