"""What `paycli status` finds out, and how it looks when parts are broken, missing or refused."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from paycli.aws import Aws
from paycli.cli import run
from paycli.commands.common import Project
from paycli.deployment import stacks
from paycli.errors import ConfigurationError, PaycliError
from paycli.operations.readings import Unread
from paycli.operations.serving import Serving
from paycli.operations.stack_state import _MEANINGS, stack_state
from paycli.operations.status import Status, gather
from paycli.operations.table_state import TableState
from paycli.stack.monitoring import watches
from paycli.views import status as status_view
from tests.unit.smoke.smoke_stack import AwsError, Reply, Stack, aws_of, outputs, problem, serving

STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/payment-api-test/1"
CHANGE_SET = "arn:aws:cloudformation:us-east-1:123456789012:changeSet/paycli-1/1"
BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)
HEALTH = "GET /restapis/abc/v1/_user_request_/health"
SAID = "paycli 0.1.0, commit 1a2b3c4, by arn:aws:sts::123456789012:assumed-role/developer/ann"


def refused(_: dict[str, Any]) -> dict[str, Any]:
    raise AwsError("AccessDenied", "not authorized")


def missing(_: dict[str, Any]) -> dict[str, Any]:
    raise AwsError("ValidationError", "Stack with id payment-api-test does not exist")


def event(minutes: int, status: str, logical_id: str = "payment-api-test", reason: str = "") -> dict[str, Any]:
    own = logical_id == "payment-api-test"
    return {
        "StackId": STACK_ID,
        "EventId": f"{minutes}-{logical_id}-{status}",
        "StackName": "payment-api-test",
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": STACK_ID if own else f"a-{logical_id}",
        "ResourceType": "AWS::CloudFormation::Stack" if own else "AWS::Lambda::Function",
        "Timestamp": BEGAN + timedelta(minutes=6 * minutes),  # far from a full hour, however late the test runs
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


class Account(Stack):
    """An account on which all is well; a test replaces what isn't."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.described: dict[str, Any] = {
            "StackName": "payment-api-test",
            "StackId": STACK_ID,
            "StackStatus": "UPDATE_COMPLETE",
            "CreationTime": BEGAN - timedelta(days=3),
            "LastUpdatedTime": BEGAN,
            "ChangeSetId": CHANGE_SET,
            "EnableTerminationProtection": True,
            "Parameters": [{"ParameterKey": "CodeKey", "ParameterValue": "code/1234.zip"}],
            "Outputs": [
                {"OutputKey": key, "OutputValue": value}
                for key, value in {
                    **outputs("https://abc.example/v1/"),
                    "FailedTransactionsQueueUrl": "https://sqs.example/1/failed-transactions-test",
                }.items()
            ],
        }
        self.pages = [[event(4, "UPDATE_COMPLETE"), event(3, "UPDATE_FAILED", "Older")]]
        self.counts = dict.fromkeys(("failed-transactions", "failed-transactions-dlq", "function-failures"), (0, 0))
        self.ages: dict[str, list[dict[str, Any]]] = {}
        self.table = "ACTIVE"
        recovery = {"EarliestRestorableDateTime": BEGAN - timedelta(days=9), "LatestRestorableDateTime": BEGAN}
        self.backups: dict[str, Any] = {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED", **recovery},
        }
        self.counted_payments: dict[str, list[float]] = {}  # by metric, and Faults by function
        self.described_alarms = [alarm(watch.part) for watch in watches(self.environment)]
        self.operations |= {
            "GetCallerIdentity": lambda _: {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ann"},
            "DescribeStacks": lambda _: {"Stacks": [self.described]},
            "DescribeStackEvents": self._page,
            "DescribeEvents": lambda _: {"OperationEvents": []},
            "DescribeChangeSet": lambda _: {"Description": SAID},
            "DescribeAlarms": lambda _: {"MetricAlarms": self.described_alarms},
            "GetQueueAttributes": self._depth,
            "GetMetricStatistics": self._age,
            "GetMetricData": self._counts,
            "DescribeTable": lambda p: {"Table": {"TableName": p["TableName"], "TableStatus": self.table}},
            "DescribeContinuousBackups": lambda _: {"ContinuousBackupsDescription": self.backups},
        }
        self.routes[HEALTH] = lambda _: Reply(200, {"status": "healthy", "checks": [{"state": "healthy"}]})
        self.calls: Counter[str] = Counter()

    def _page(self, params: dict[str, Any]) -> dict[str, Any]:
        number = int(params.get("NextToken", 0))
        more = {"NextToken": str(number + 1)} if number + 1 < len(self.pages) else {}
        return {"StackEvents": self.pages[number], **more}

    def _depth(self, params: dict[str, Any]) -> dict[str, Any]:
        waiting, in_flight = self.counts[params["QueueUrl"].rpartition("/")[2].removesuffix("-test")]
        counts = {"ApproximateNumberOfMessages": str(waiting), "ApproximateNumberOfMessagesNotVisible": str(in_flight)}
        return {"Attributes": counts}

    def _age(self, params: dict[str, Any]) -> dict[str, Any]:
        assert params["MetricName"] == "ApproximateAgeOfOldestMessage"
        return {"Datapoints": self.ages.get(params["Dimensions"][0]["Value"], [])}

    def _counts(self, params: dict[str, Any]) -> dict[str, Any]:
        assert params["EndTime"] - params["StartTime"] == timedelta(minutes=15)
        results = []
        for query in params["MetricDataQueries"]:
            metric = query["MetricStat"]["Metric"]
            (dimension,) = metric["Dimensions"]
            assert dimension["Value"].endswith("test")
            name = metric["MetricName"] if dimension["Name"] == "Environment" else f"Faults {dimension['Value']}"
            values = self.counted_payments.get(name, [])
            results.append({"Id": query["Id"], "Label": query["Label"], "Values": values})
        return {"MetricDataResults": results}

    def counted(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        def counting(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
            def operation(params: dict[str, Any]) -> dict[str, Any]:
                with self.lock:
                    self.calls[name] += 1
                return known[name](params)

            return operation

        known = dict(self.operations)
        return {name: counting(name) for name in known}


def alarm(part: str, state: str = "OK", **more: Any) -> dict[str, Any]:
    return {
        "AlarmName": f"{part}-test",
        "AlarmDescription": f"about {part}",
        "StateValue": state,
        "StateReason": f"why {part}",
        "StateUpdatedTimestamp": BEGAN,
        "ActionsEnabled": True,
        **more,
    }


def reached(account: Account, url: str) -> Aws:
    """Return the account's AWS, with the API where `url` serves it."""
    account.operations = account.counted()
    return replace(aws_of(account), endpoint_url=url.rstrip("/"))


def found_on(account: Account, **options: Any) -> Status:
    with serving(account.answer) as url:
        return gather(reached(account, url), account.environment, **options)


def screen(status: Status) -> str:
    return "\n".join(line.plain for line in status_view.status(status))


def test_a_stack_that_is_well_takes_eleven_calls() -> None:
    account = Account()
    status = found_on(account)
    assert account.calls == {
        "GetCallerIdentity": 1,
        "DescribeStacks": 1,
        "DescribeStackEvents": 1,
        "DescribeAlarms": 1,
        "DescribeChangeSet": 1,
        "DescribeContinuousBackups": 1,
        "DescribeTable": 1,
        "GetMetricData": 1,
        "GetQueueAttributes": 3,
    }
    shown = screen(status)
    since = BEGAN + timedelta(minutes=24)
    assert shown.startswith("payment-api-test in ")
    assert f"State          UPDATE_COMPLETE since {since:%Y-%m-%d %H:%M:%S} UTC (4 h ago): deployed" in shown
    assert f"Last change    {BEGAN:%Y-%m-%d %H:%M:%S} UTC (5 h ago): {SAID}" in shown
    assert "Code           code/1234.zip" in shown
    assert "healthy: GET /health answered 200 in " in shown
    assert "Alarms         10 OK" in shown
    assert "Payments       none was counted in the last 15 min" in shown
    earliest = BEGAN - timedelta(days=9)
    until = f"it can be restored as of {earliest:%Y-%m-%d %H:%M:%S} to {BEGAN:%Y-%m-%d %H:%M:%S} UTC"
    assert f"Table          transactions-test is ACTIVE; {until}" in shown
    assert "failed-transactions-dlq-test  empty" in shown
    assert "termination protection is on; the data goes with the stack" in shown
    assert "Drift          never checked" in shown
    assert "/restapis/abc/v1/_user_request_/" in shown
    assert "Older" not in shown
    (request,) = account.requests
    assert (request.method, request.signed) == ("GET", True)


def test_an_api_without_authorization_is_asked_without_a_signature() -> None:
    account = Account(authorization="none")
    found_on(account)
    assert [request.signed for request in account.requests] == [False]


def test_what_is_refused_hides_nothing_else() -> None:
    account = Account()
    for operation in (
        "DescribeStackEvents",
        "DescribeAlarms",
        "DescribeChangeSet",
        "DescribeContinuousBackups",
        "GetMetricData",
        "GetQueueAttributes",
    ):
        account.operations[operation] = refused
    shown = screen(found_on(account))
    for label in ("Events         ", "Alarms         ", "Payments       ", "Table          "):
        assert f"{label}can't be read: AWS refused: " in shown
    assert "UTC (5 h ago); by whom can't be read: AWS refused: DescribeChangeSet" in shown
    assert "failed-transactions-test      can't be read: AWS refused: GetQueueAttributes" in shown
    assert "State          UPDATE_COMPLETE: deployed" in shown
    assert "healthy" in shown
    assert all(len(line) < 200 for line in shown.splitlines())


def test_without_the_stack_the_alarms_still_show(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = Account()
    account.operations["DescribeStacks"] = refused
    with serving(account.answer) as url:
        monkeypatch.setattr(Project, "connect_to_deployed", lambda _: reached(account, url))
        assert run(["status", "--env", "test"]) == 1
        shown = capsys.readouterr()
        assert run(["status", "--env", "test", "--json"]) == 1
    assert shown.out.startswith("The stack in ")
    assert "State          can't be read: AWS refused" in shown.out
    assert "Alarms         10 OK" in shown.out
    assert "Error: The stack can't be read: AWS refused" in shown.err
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == "failed"
    assert document["errors"][0]["code"] == "stack_unread"
    assert document["data"]["stack"]["unread"].startswith("AWS refused")
    assert account.requests == []


def test_programs_get_times_in_utc(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = Account()
    with serving(account.answer) as url:
        monkeypatch.setattr(Project, "connect_to_deployed", lambda _: reached(account, url))
        assert run(["status", "--env", "test", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert data["stack"]["changed_at"] == BEGAN.isoformat()
    assert data["last_deploy"] == SAID
    assert data["queues"][0] == {
        "name": "failed-transactions-test",
        "depth": {"waiting": 0, "in_flight": 0, "oldest_seconds": None},
    }
    assert data["notes"] == []


@pytest.mark.parametrize("status", [None, "REVIEW_IN_PROGRESS"])
def test_no_stack_is_said_with_the_way_to_one(status: str | None) -> None:
    account = Account()
    account.described["StackStatus"] = status
    if status is None:
        account.operations["DescribeStacks"] = missing
        account.operations["DescribeStackEvents"] = missing
    with pytest.raises(PaycliError, match="isn't deployed") as caught:
        found_on(account)
    assert caught.value.hint == "paycli deploy --env test"


def test_another_account_is_refused() -> None:
    account = Account(account_id="999999999999")
    with pytest.raises(ConfigurationError, match="123456789012"):
        found_on(account)


def test_a_failed_create_names_its_cause_and_has_nothing_else() -> None:
    account = Account()
    account.described |= {"StackStatus": "ROLLBACK_COMPLETE", "Outputs": [], "Parameters": []}
    account.described.pop("LastUpdatedTime")
    account.pages = [
        [event(9, "ROLLBACK_COMPLETE"), event(8, "DELETE_COMPLETE", "Function"), event(7, "ROLLBACK_IN_PROGRESS")],
        [
            event(6, "CREATE_FAILED", "Other", "Resource creation cancelled"),
            event(5, "CREATE_FAILED", "Function", "Memory is\x1b[2J wrong"),
            event(4, "CREATE_IN_PROGRESS"),
            event(3, "CREATE_FAILED", "FromBefore", "older"),
        ],
    ]
    account.described_alarms = []
    status = found_on(account)
    shown = screen(status)
    assert "(4 h ago): the create failed and was undone: nothing is there" in shown
    cause = "Cause          Function (AWS::Lambda::Function): Memory is\N{REPLACEMENT CHARACTER}[2J wrong"
    assert cause in shown
    assert "Health         no API yet" in shown
    assert "Code           unknown" in shown
    assert "Endpoint       none yet" in shown
    assert "10 missing, 0 OK" in shown
    assert "Queues" not in shown
    assert account.requests == []


def test_of_a_rollback_that_hangs_the_cause_is_what_it_hangs_on() -> None:
    account = Account()
    account.described["StackStatus"] = "UPDATE_ROLLBACK_FAILED"
    account.pages = [
        [
            event(9, "UPDATE_ROLLBACK_FAILED"),
            event(8, "UPDATE_FAILED", "Function", "denied"),
            event(7, "UPDATE_ROLLBACK_IN_PROGRESS"),
            event(6, "UPDATE_FAILED", "Topic", "a bad name"),
            event(5, "UPDATE_IN_PROGRESS"),
        ]
    ]
    status = found_on(account)
    shown = screen(status)
    assert "Cause          Function (AWS::Lambda::Function): denied\n" in shown
    assert "               Failed as well: Topic (AWS::Lambda::Function): a bad name\n" in shown
    assert "               Once that is mended: paycli deploy --env test\n" in shown


def test_what_goes_on_by_itself_asks_for_nothing() -> None:
    account = Account()
    account.described["StackStatus"] = "UPDATE_ROLLBACK_IN_PROGRESS"
    account.pages = [
        [
            event(7, "UPDATE_ROLLBACK_IN_PROGRESS"),
            event(6, "UPDATE_FAILED", "Topic", "a bad name"),
            event(5, "UPDATE_IN_PROGRESS"),
        ]
    ]
    shown = screen(found_on(account))
    assert "Cause          Topic (AWS::Lambda::Function): a bad name\n" in shown
    assert "Once that is mended" not in shown


def test_a_frequent_cause_is_told_in_the_words_of_the_deploy() -> None:
    account = Account()
    account.described["StackStatus"] = "UPDATE_ROLLBACK_COMPLETE"
    reason = "It decreases account's UnreservedConcurrentExecution below its minimum value of [10]."
    account.pages = [
        [
            event(9, "UPDATE_ROLLBACK_COMPLETE"),
            event(8, "UPDATE_ROLLBACK_IN_PROGRESS"),
            event(7, "UPDATE_FAILED", "Function", reason),
            event(6, "UPDATE_IN_PROGRESS"),
        ]
    ]
    shown = screen(found_on(account))
    assert f"Cause          Function (AWS::Lambda::Function): {reason}\n" in shown
    meaning = (
        "               It means: the account has too little concurrency left to reserve. Lambda keeps 10 concurrent"
    )
    assert meaning in shown
    assert "Lower [reserved_concurrency] in paycli.toml" in shown
    account.pages[0][2] = event(7, "UPDATE_FAILED", "Function", "nobody knows this")
    assert "It means" not in screen(found_on(account))


def test_of_a_rollback_that_hangs_again_the_cause_is_the_newest_attempt_s() -> None:
    account = Account()
    account.described["StackStatus"] = "UPDATE_ROLLBACK_FAILED"
    account.pages[0] = [
        event(12, "UPDATE_ROLLBACK_FAILED"),
        event(11, "UPDATE_FAILED", "Other", "throttled"),
        event(10, "UPDATE_ROLLBACK_IN_PROGRESS", reason="User Initiated"),
        event(9, "UPDATE_ROLLBACK_FAILED"),
        event(8, "UPDATE_FAILED", "Function", "denied"),
        event(7, "UPDATE_ROLLBACK_IN_PROGRESS"),
        event(6, "UPDATE_FAILED", "Topic", "a bad name"),
        event(5, "UPDATE_IN_PROGRESS"),
    ]
    assert "Cause          Other (AWS::Lambda::Function): throttled" in screen(found_on(account))


@pytest.mark.parametrize("pages", [[[event(9, "DELETE_FAILED")]], [[]]])
def test_a_failure_whose_events_are_gone_has_no_cause(pages: list[list[dict[str, Any]]]) -> None:
    account = Account()
    account.described["StackStatus"] = "DELETE_FAILED"
    account.pages = pages
    shown = screen(found_on(account))
    assert "the delete failed" in shown
    assert "Cause" not in shown


@pytest.mark.parametrize(
    ("serving", "words"),
    [
        (Serving(11, "c0ffee"), ", failed (what serves is deploy 11, commit c0ffee): "),
        (Serving(11, ""), ", failed (what serves is deploy 11): "),
        (Unread("denied"), ", failed: "),
        (None, ", failed: "),
    ],
)
def test_the_last_change_says_that_it_failed_and_what_serves(serving: Any, words: str) -> None:
    account = Account()
    account.described["StackStatus"] = "UPDATE_ROLLBACK_COMPLETE"
    status = found_on(account)
    assert status.serving is None  # there is no bootstrap stack
    shown = screen(replace(status, serving=serving))
    assert f"Last change    {BEGAN:%Y-%m-%d %H:%M:%S} UTC (5 h ago){words}{SAID}" in shown


@pytest.mark.parametrize("status", ["DELETE_FAILED", "UPDATE_COMPLETE"])
def test_a_last_change_that_did_not_fail_says_nothing_of_it(status: str) -> None:
    account = Account()
    account.described["StackStatus"] = status
    assert f"(5 h ago): {SAID}" in screen(found_on(account))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda _: {"Description": SAID}, f": {SAID}"),
        (lambda _: {}, "; AWS doesn't tell by whom"),
    ],
)
def test_a_running_operation_says_since_when_and_by_whom(answer: Any, words: str) -> None:
    account = Account()
    account.described["StackStatus"] = "UPDATE_IN_PROGRESS"
    account.operations["DescribeChangeSet"] = answer
    account.pages = [[event(2, "UPDATE_IN_PROGRESS", "Function"), event(1, "UPDATE_IN_PROGRESS")]]
    shown = screen(found_on(account))
    assert f"Running since  {BEGAN:%Y-%m-%d %H:%M:%S} UTC (5 h ago){words}" in shown
    assert f"UPDATE_IN_PROGRESS since {BEGAN + timedelta(minutes=6):%Y-%m-%d %H:%M:%S}" in shown


def test_a_change_set_that_is_gone_or_unknown_says_nobody_knows() -> None:
    def gone(_: dict[str, Any]) -> dict[str, Any]:
        raise AwsError("ChangeSetNotFound")

    account = Account()
    account.operations["DescribeChangeSet"] = gone
    assert found_on(account).last_deploy is None
    account = Account()
    account.described.pop("ChangeSetId")
    assert found_on(account).last_deploy is None


def test_each_state_of_cloudformation_has_words() -> None:
    model = botocore.session.Session().get_service_model("cloudformation")
    states = set(model.shape_for("StackStatus").enum)
    assert set(_MEANINGS) == states - {"REVIEW_IN_PROGRESS", "DELETE_COMPLETE"}  # neither is a stack that stands


@pytest.mark.parametrize(
    ("status", "meaning"), [("IMPORT_COMPLETE", "nothing that serves"), ("UPDATE_IN_PROGRESS", "being updated")]
)
def test_a_stack_of_kept_data_alone_does_not_count_as_deployed(status: str, meaning: str) -> None:
    described = {
        "StackName": "payment-api-prod",
        "StackId": "arn:1",
        "StackStatus": status,
        "Description": "Payment API, environment prod. Built by paycli.",
        "CreationTime": BEGAN,
    }
    shown = stack_state(described, stacks.parsed(described))
    assert meaning in shown.meaning
    assert shown.condition != "good"


def test_alarms_that_fire_come_first_and_the_newest_of_them_on_top() -> None:
    account = Account()
    account.described_alarms = [
        alarm("api-latency", "OK"),
        alarm("dynamodb-throttle", "INSUFFICIENT_DATA"),
        alarm("api-5xx", "ALARM"),
        alarm("processing-errors", "ALARM", StateTransitionedTimestamp=BEGAN + timedelta(hours=1)),
        alarm("validation-errors", "OK", ActionsEnabled=False),
    ]
    lines = screen(found_on(account)).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("Alarms"))
    assert lines[first].endswith("2 in ALARM, 1 without data, 5 missing, 2 OK")
    assert "processing-errors-test since " in lines[first + 1]
    assert lines[first + 1].endswith("(4 h ago): about processing-errors")
    assert lines[first + 2].strip() == "why processing-errors"
    assert "api-5xx-test since " in lines[first + 3]
    assert lines[first + 5].strip() == "without data: dynamodb-throttle-test"
    assert lines[first + 6].strip().startswith("missing: failed-transactions-age-test, ")
    assert lines[first + 7].strip() == "tells nobody: validation-errors-test"


def test_payments_are_counted_and_failed_ones_stand_out() -> None:
    account = Account()
    account.counted_payments = {
        "PaymentsValidated": [20.0, 3.0],
        "PaymentsProcessed": [19.0],
        "PaymentsRejected": [2.0],
    }
    shown = screen(found_on(account))
    said = "Payments       in the last 15 min 23 validated, 19 processed, 0 repeated, 2 rejected, 0 failed (5xx)"
    assert said in shown.splitlines()
    account = Account()
    account.counted_payments = {"Faults payment-validation-test": [1.0], "Faults payment-processing-test": [4.0, 2.0]}
    status = found_on(account)
    assert "7 failed (5xx)\n" in screen(status)
    assert (
        next(line for line in status_view.status(status) if "failed (5xx)" in line.plain).spans[0].style == "bold red"
    )
    account = Account()
    account.counted_payments = {"FailureMessagesLost": [1.0]}
    assert "0 failed (5xx); 1 failures couldn't be queued" in screen(found_on(account))


def no_table(_: dict[str, Any]) -> dict[str, Any]:
    raise AwsError("ResourceNotFoundException")


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"])
def test_a_table_that_a_first_create_did_not_make_is_not_gone(status: str) -> None:
    account = Account()
    account.described |= {"StackStatus": status, "Outputs": []}
    account.pages = [[event(9, status)]]
    account.operations["DescribeTable"] = no_table
    found = found_on(account)
    assert "Table          transactions-test is not made yet" in screen(found)
    assert isinstance(found.table, TableState)
    assert found.table.state == "NOT_MADE"
    account.operations["DescribeTable"] = refused
    assert "Table          can't be read" in screen(found_on(account))


def test_a_table_that_is_gone_or_cannot_serve_stands_out() -> None:
    account = Account()
    account.operations["DescribeTable"] = no_table
    shown = screen(found_on(account))
    assert "Table          transactions-test is gone, and every payment with it: docs/recovery.md" in shown
    account = Account()
    account.table = "INACCESSIBLE_ENCRYPTION_CREDENTIALS"
    account.backups.pop("PointInTimeRecoveryDescription")
    shown = screen(found_on(account))
    assert "transactions-test is INACCESSIBLE_ENCRYPTION_CREDENTIALS; point-in-time recovery is off" in shown


def test_queues_say_what_waits_and_for_how_long() -> None:
    account = Account()
    account.counts |= {"failed-transactions": (3, 1), "failed-transactions-dlq": (1, 0), "function-failures": (0, 2)}
    account.ages["failed-transactions-test"] = [
        {"Timestamp": BEGAN, "Maximum": 10.0},
        {"Timestamp": BEGAN + timedelta(minutes=1), "Maximum": 7300.0},
    ]
    shown = screen(found_on(account))
    assert "Queues         failed-transactions-test      3 waiting, 1 in flight, the oldest for 2 h" in shown
    assert "               failed-transactions-dlq-test  1 waiting, 0 in flight\n" in shown
    assert "               function-failures-test        0 waiting, 2 in flight\n" in shown
    assert account.calls["GetMetricStatistics"] == 2  # nobody asks for the age of nothing

    account = Account()
    account.counts["failed-transactions"] = (1, 0)
    account.operations["GetMetricStatistics"] = refused
    assert "1 waiting, 0 in flight; the age can't be read: AWS refused" in screen(found_on(account))


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (
            Reply(
                503,
                {
                    "status": "critical",
                    "checks": [
                        {"name": "a", "state": "healthy", "value": 0, "threshold": {}},
                        {"name": "dead_letter_depth", "state": "critical", "value": 12, "threshold": {"critical": 10}},
                    ],
                },
            ),
            ["critical: GET /health answered 503 in ", "               dead_letter_depth is critical: 12 (limit 10)"],
        ),
        (problem(403, "access_denied"), ["access_denied: GET /health answered 403"]),
        (Reply(502, None, raw=b"<html>"), ["no report: GET /health answered 502"]),
        (Reply(200, ["x"]), ["no report: GET /health answered 200"]),
        (Reply(200, {"status": "degraded", "checks": [1]}), ["degraded: GET /health answered 200"]),
        (Reply(200, {}, hang_up=True), ["no answer: The API gave no answer: "]),
    ],
)
def test_whatever_the_api_answers_is_shown(reply: Reply, words: list[str]) -> None:
    account = Account()
    account.routes[HEALTH] = lambda _: reply
    shown = screen(found_on(account))
    for word in words:
        assert word in shown


def test_what_takes_too_long_is_given_up() -> None:
    account = Account()
    done = threading.Event()

    def slow(_: dict[str, Any]) -> dict[str, Any]:
        done.wait(30)
        return {"MetricAlarms": []}

    account.operations["DescribeAlarms"] = slow
    try:
        status = found_on(account, deadline_seconds=3.0)
    finally:
        done.set()
    assert status.alarms == Unread("no answer in time")
    assert "State          UPDATE_COMPLETE since" in screen(status)


def test_a_mistake_of_paycli_is_not_hidden() -> None:
    account = Account()
    account.described_alarms = [{"AlarmName": "nothing else"}]
    with pytest.raises(KeyError, match="StateValue"):
        found_on(account)


@pytest.mark.parametrize(
    ("table", "termination", "words"),
    [
        ("true", True, "termination protection is on, deletion protection of the table on; the data is retained"),
        ("false", False, "termination protection is off, deletion protection of the table off; the data is retained"),
    ],
)
def test_protection_is_that_of_the_deployed_stack(table: str, termination: bool, words: str) -> None:
    account = Account()
    account.described["EnableTerminationProtection"] = termination
    account.described["Parameters"].append({"ParameterKey": "DeletionProtection", "ParameterValue": table})
    assert words in screen(found_on(account))


@pytest.mark.parametrize(
    ("drift", "words"),
    [
        ("DRIFTED", "Drift          yes: resources were changed past CloudFormation, checked 20"),
        ("IN_SYNC", "Drift          none, checked 20"),
        ("UNKNOWN", "Drift          UNKNOWN, checked 20"),
    ],
)
def test_drift_is_shown_as_it_was_last_checked(drift: str, words: str) -> None:
    account = Account()
    account.described["DriftInformation"] = {"StackDriftStatus": drift, "LastCheckTimestamp": BEGAN}
    assert words in screen(found_on(account))


def test_a_stack_from_before_has_no_queue_to_show() -> None:
    account = Account()
    account.described["Outputs"] = [
        entry for entry in account.described["Outputs"] if entry["OutputKey"] != "FailedTransactionsQueueUrl"
    ]
    shown = screen(found_on(account))
    assert "Queues" not in shown
    assert "healthy" in shown


@pytest.mark.parametrize(
    ("ago", "words"), [(-3, "(0 s ago)"), (119, "(119 s ago)"), (7199, "(119 min ago)"), (3 * 86400, "(3 d ago)")]
)
def test_times_are_said_as_one_speaks(ago: int, words: str) -> None:
    status = found_on(Account())
    now = BEGAN + timedelta(seconds=ago)
    assert words in next(
        line.plain for line in status_view.status(replace(status, at=now)) if "Last change" in line.plain
    )
