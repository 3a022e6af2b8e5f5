"""`paycli drill` as a user sees it: what a rehearsal finds, and that it leaves nothing."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from paycli.commands.common import Project
from paycli.operations.drill import inbox
from paycli.operations.drill.alarm_states import DRILL
from paycli.operations.restore import restoring
from tests.fakes.notifications import EMAIL, TOPIC, Account
from tests.fakes.tables import ARN, Table, live_table
from tests.unit.recovery.conftest import SETTINGS, Run
from tests.unit.recovery.payments import expired, processed, validated
from tests.unit.smoke.smoke_stack import aws_of

LIVE = "transactions-test"
SCRATCH = "transactions-test-drill-20261101T000000Z"
INBOX = "payment-alarms-drill-test-20261101T000000Z"


@pytest.fixture
def tables(project: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The account on which the commands of this test work."""
    (project / "paycli.toml").write_text(SETTINGS)
    account = Account()
    aws = aws_of(account)  # type: ignore[arg-type]
    monkeypatch.setattr(Project, "connect_to_deployed", lambda _: aws)
    monkeypatch.setattr(inbox, "_WAIT_SECONDS", 0)
    return account


@pytest.fixture
def account(tables: Account) -> Account:
    return tables


def found(data: Any) -> dict[str, str]:
    """The results by name."""
    return {finding["name"]: finding["result"] for finding in data["findings"]}


def details(data: Any) -> dict[str, str]:
    return {finding["name"]: finding["detail"] for finding in data["findings"]}


def is_clean(account: Account) -> bool:
    states = {alarm["StateValue"] for alarm in account.alarms.values()}
    return (
        states == {"OK"} and not account.queues and account.subscriptions == [EMAIL] and list(account.tables) == [LIVE]
    )


def interrupt(_params: Any) -> Any:
    raise KeyboardInterrupt


# drill restore


def payments(account: Account) -> None:
    account.tables[LIVE].items = {
        "txn_1": validated("txn_1"),
        "txn_2": processed(validated("txn_2")),
        "txn_3": validated("txn_3", at=datetime.now(UTC)),
    }
    account.restored_items = {
        "txn_1": validated("txn_1"),
        "txn_2": validated("txn_2"),
        "txn_4": expired("txn_4"),
    }


def test_a_restore_is_rehearsed_measured_and_leaves_no_table(account: Account, run: Run) -> None:
    payments(account)
    ran = run("drill", "restore")
    assert ran.status == 0, ran.err
    assert re.search(r"^Result +PASSED$", ran.out, re.M)
    assert re.search(r"^Rehearsal +restore of test, ", ran.out, re.M)
    assert re.search(r"^By +arn:aws:iam::123456789012:user/ann, paycli \d", ran.out, re.M)
    assert re.search(r"^Recovery point \(RPO\) +5 min \d s$", ran.out, re.M)
    assert re.search(r"^Recovery time \(RTO\) +0 min \d s$", ran.out, re.M)
    assert "1 same, 1 moved on, 1 newer, 1 expired" in ran.out
    assert "nobody-reads" not in ran.out
    assert is_clean(account)


def test_a_scratch_table_leaves_no_system_backup(account: Account, run: Run) -> None:
    account.tables[LIVE].protected = True
    made: list[Table] = []
    delete = account.operations["DeleteTable"]

    def see(params: dict[str, Any]) -> dict[str, Any]:
        made.append(account.tables[params["TableName"]])
        return delete(params)

    account.operations["DeleteTable"] = see
    assert run("drill", "restore").status == 0
    (scratch,) = made
    assert (scratch.recovery, scratch.protected, scratch.expiry) == ({}, False, "ENABLED")
    assert scratch.tags["paycli:purpose"] == "drill"


def test_a_backup_that_lacks_payments_fails_the_drill(account: Account, run: Run) -> None:
    account.tables[LIVE].items = {"txn_1": validated("txn_1")}
    account.restored_items = {}
    ran = run("drill", "restore", "--json")
    assert ran.status == 1
    assert ran.data["result"] == "failed"
    assert "1 extra: extra txn_1" in details(ran.data)["The restored payments are those of the live table"]
    assert is_clean(account)


def test_a_table_that_lost_its_key_and_expiry_fails_the_drill(account: Account, run: Run) -> None:
    expiry = {"Enabled": True, "AttributeName": "expires_at"}
    account.operations["UpdateTimeToLive"] = lambda _: {"TimeToLiveSpecification": expiry}
    tag = account.operations["TagResource"]

    def then_loses_its_key(params: dict[str, Any]) -> dict[str, Any]:
        account.tables[params["ResourceArn"].removeprefix(ARN)].key = "arn:aws:kms:us-east-1:1:key/other"
        return tag(params)

    account.operations["TagResource"] = then_loses_its_key
    account.operations["UpdateTable"] = lambda _: {}
    ran = run("drill", "restore", "--json")
    assert ran.status == 1
    assert "lacks the key and the expiry" in details(ran.data)["The table is restored, with its key and expiry"]


def test_interrupted_while_comparing_the_scratch_table_goes(account: Account, run: Run) -> None:
    account.operations["Scan"] = interrupt
    ran = run("drill", "restore")
    assert ran.status == 130
    assert "the scratch table is deleted" in ran.err
    assert is_clean(account)


def test_interrupted_while_aws_makes_it_the_next_run_removes_it(account: Account, run: Run) -> None:
    describe, looks = account.operations["DescribeTable"], 0

    def second_look(params: dict[str, Any]) -> dict[str, Any]:
        nonlocal looks
        looks += params["TableName"] != LIVE
        return interrupt(params) if looks == 2 else describe(params)

    account.restoring = 5
    account.operations["DescribeTable"] = second_look
    ran = run("drill", "restore")
    assert ran.status == 130
    assert "AWS deletes no table before it is made" in ran.err
    assert "paycli drill cleanup --env test" in ran.err
    (name,) = set(account.tables) - {LIVE}
    early = run("drill", "cleanup")
    assert early.status == 1
    assert f"{name} is still being restored" in early.err
    account.tables[name].looks = 0
    assert run("drill", "cleanup").status == 0
    assert is_clean(account)


def test_interrupted_as_aws_is_told_to_make_it_the_message_says_that_it_may(account: Account, run: Run) -> None:
    restore = account.operations["RestoreTableToPointInTime"]

    def unheard(params: dict[str, Any]) -> dict[str, Any]:
        restore(params)
        raise KeyboardInterrupt

    account.operations["RestoreTableToPointInTime"] = unheard
    ran = run("drill", "restore")
    assert ran.status == 130
    (name,) = set(account.tables) - {LIVE}
    assert f"AWS may be restoring {name}" in ran.err
    assert "paycli drill cleanup --env test" in ran.err


def test_interrupted_while_deleting_the_scratch_table_goes(account: Account, run: Run) -> None:
    delete = account.operations["DeleteTable"]

    def interrupted_once(params: dict[str, Any]) -> dict[str, Any]:
        account.operations["DeleteTable"] = delete
        raise KeyboardInterrupt

    account.operations["DeleteTable"] = interrupted_once
    ran = run("drill", "restore")
    assert ran.status == 130
    assert "the scratch table is deleted" in ran.err
    assert is_clean(account)


def test_interrupted_again_while_deleting_the_scratch_table_the_cleanup_is_named(account: Account, run: Run) -> None:
    delete = account.operations["DeleteTable"]
    account.operations["DeleteTable"] = interrupt
    ran = run("drill", "restore")
    (name,) = set(account.tables) - {LIVE}
    assert (ran.status, f"{name} may be left" in ran.err) == (130, True)
    assert "paycli drill cleanup --env test" in ran.err
    account.operations["DeleteTable"] = delete
    assert run("drill", "cleanup").status == 0
    assert is_clean(account)


def test_what_aws_was_still_making_for_a_killed_drill_goes_at_the_end_of_the_next(account: Account, run: Run) -> None:
    source = {"SourceTableArn": ARN + LIVE, "RestoreDateTime": datetime.now(UTC), "RestoreInProgress": True}
    account.tables[SCRATCH] = Table(SCRATCH, status="CREATING", looks=4, summary=source)
    ran = run("drill", "restore", "--json")
    assert (ran.status, ran.data["notes"]) == (0, [])
    assert is_clean(account)
    account.tables[SCRATCH] = Table(SCRATCH, status="CREATING", looks=10**9, summary=source)
    ran = run("drill", "restore", "--json")
    assert (ran.status, ran.data["notes"]) == (
        0,
        [f"{SCRATCH} is still being restored, and AWS deletes no table before it is made"],
    )


@pytest.mark.parametrize("ends", ["INACCESSIBLE_ENCRYPTION_CREDENTIALS"])
def test_a_restore_that_fails_is_an_error_and_its_table_goes(account: Account, run: Run, ends: str) -> None:
    account.ends_as = ends
    gone = account.tables.pop
    account.operations["DeleteTable"] = lambda params: {"TableDescription": gone(params["TableName"]).described()}
    ran = run("drill", "restore")
    assert ran.status == 1
    assert ends in ran.err
    assert is_clean(account)


def test_what_a_failed_drill_leaves_is_told(account: Account, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoring, "DEADLINE_SECONDS", 0.01)
    account.restoring = 10**9
    ran = run("drill", "restore")
    assert ran.status == 1
    assert "AWS goes on" in ran.err
    assert "paycli drill cleanup --env test" in ran.err
    monkeypatch.setattr(restoring, "DEADLINE_SECONDS", 99.0)
    monkeypatch.setattr(restoring, "_SILENCE_SECONDS", -1.0)
    account.tables = {LIVE: account.tables[LIVE]}
    describe, looks = account.operations["DescribeTable"], 0

    def throttled_once(params: dict[str, Any]) -> dict[str, Any]:
        nonlocal looks
        looks += params["TableName"] != LIVE
        if looks == 1:
            account.throttled["DescribeTable"] = 1
        return describe(params)

    account.operations["DescribeTable"] = throttled_once
    ran = run("drill", "restore")
    assert "ThrottlingException" in ran.err
    assert "paycli drill cleanup --env test" in ran.err


def test_leftovers_of_drills_go_and_other_tables_stay(account: Account, run: Run) -> None:
    source = {"SourceTableArn": ARN + LIVE, "RestoreDateTime": datetime.now(UTC), "RestoreInProgress": False}
    stays = ["transactions-test-restore-20261101T000000Z", "transactions-test-1-drill-20261101T000000Z"]
    for name in stays:
        account.tables[name] = Table(name, summary=source)
    account.tables[SCRATCH] = Table(SCRATCH, summary=source)  # killed before it was tagged
    foreign = "transactions-test-drill-20261102T000000Z"
    account.tables[foreign] = Table(foreign)
    ran = run("drill", "cleanup", "--json")
    assert ran.status == 1
    assert ran.data["left"] == [f"{foreign} doesn't say that it was restored from {LIVE}"]
    assert set(account.tables) == {LIVE, foreign, *stays}
    assert run("drill", "restore").status == 0


def test_a_table_that_is_gone_meanwhile_is_no_leftover(account: Account, run: Run) -> None:
    tag = account.operations["TagResource"]

    def then_gone(params: dict[str, Any]) -> dict[str, Any]:
        tag(params)
        del account.tables[params["ResourceArn"].removeprefix(ARN)]
        return {}

    account.operations["TagResource"] = then_gone
    ran = run("drill", "restore")
    assert ran.status == 1
    assert "drill cleanup" not in ran.err


def test_on_the_embedded_aws_nothing_is_measured(account: Account, run: Run) -> None:
    account.tables["transactions-local"] = live_table("transactions-local")
    ran = run("drill", "restore", "--json", env="local")
    assert ran.status == 0, ran.err
    assert (ran.data["rpo_seconds"], ran.data["rto_seconds"]) == (None, None)
    assert "can be measured" in ran.data["notes"][0]
    assert re.search(r"RPO\) +not measured", run("drill", "restore", env="local").out)


# The report


def test_the_report_as_markdown_goes_to_a_file(account: Account, run: Run, project: Path) -> None:
    ran = run("drill", "restore", "--format", "markdown", "--output", "drill.md")
    assert ran.status == 0
    assert "The rehearsal restore of test: passed." in ran.out
    text = (project / "drill.md").read_text()
    assert text.startswith("# Rehearsal: restore of test\n")
    assert "| Result | PASSED |" in text
    assert "| PASSED | The scratch table is deleted |" in text
    shown = run("drill", "restore", "--format", "markdown")
    assert shown.out.startswith("# Rehearsal")
    in_text = run("drill", "restore", "--output", "drill.txt", "--json")
    assert in_text.data["written"] == "drill.txt"
    assert "Recovery time (RTO)" in (project / "drill.txt").read_text()


def test_the_report_as_data(account: Account, run: Run) -> None:
    plain = json.loads(run("drill", "readiness", "--format", "json").out)
    wrapped = run("drill", "readiness", "--json").data
    assert plain.keys() == wrapped.keys()
    assert {"rehearsal", "result", "began", "ended", "caller", "rpo_seconds", "rto_seconds"} <= plain.keys()
    refused = run("drill", "readiness", "--json", "--format", "markdown")
    assert refused.status == 2


# drill alarms


def test_each_alarm_is_heard_and_put_back(account: Account, run: Run) -> None:
    first = next(iter(account.alarms.values()))
    first["StateValue"] = "INSUFFICIENT_DATA"
    ran = run("drill", "alarms", "--yes", "--json")
    assert ran.status == 0, ran.err
    assert found(ran.data) == dict.fromkeys(
        [*account.alarms, "Somebody is subscribed to the topic", "All is put back: states, subscription, queue"],
        "passed",
    )
    raised = [request for request in account.raised if request["StateValue"] == "ALARM"]
    assert {request["AlarmName"] for request in raised} == set(account.alarms)
    for request in raised:
        assert request["StateReason"].startswith(DRILL)
        assert "arn:aws:iam::123456789012:user/ann" in request["StateReason"]
    assert first["StateValue"] == "INSUFFICIENT_DATA"
    first["StateValue"] = "OK"
    assert is_clean(account)
    (tags,) = account.queue_tags.values()
    assert tags["paycli:purpose"] == "drill"
    assert "on-call@example.com" not in ran.out


def test_alarms_that_cannot_be_heard_fail_the_drill(account: Account, run: Run) -> None:
    missing, muted, elsewhere, firing, lost, *_ = account.alarms
    del account.alarms[missing]
    account.alarms[muted]["ActionsEnabled"] = False
    account.alarms[elsewhere]["AlarmActions"] = []
    account.alarms[firing] |= {"StateValue": "ALARM", "StateReason": "Threshold crossed"}
    account.silent = {lost}
    ran = run("drill", "alarms", "--yes", "--timeout", "1", "--json")
    assert ran.status == 1
    said = details(ran.data)
    assert [found(ran.data)[name] for name in (missing, muted, elsewhere, firing, lost)] == [
        "failed",
        "failed",
        "failed",
        "unproven",
        "failed",
    ]
    assert said[missing] == "The alarm is missing."
    assert "actions are off" in said[muted]
    assert "doesn't publish" in said[elsewhere]
    assert "left alone" in said[firing]
    assert said[lost] == "No notification came in 1 s."
    assert account.alarms[firing]["StateReason"] == "Threshold crossed"


def test_notifications_of_others_are_not_taken_for_the_drills(account: Account, run: Run) -> None:
    names = list(account.alarms)
    account.silent = set(names)
    subscribe = account.operations["Subscribe"]

    def with_noise(params: dict[str, Any]) -> dict[str, Any]:
        answer = subscribe(params)
        for body in (
            "no JSON",
            "[]",
            json.dumps({"AlarmName": names[0], "NewStateValue": "ALARM", "NewStateReason": "Threshold crossed"}),
            json.dumps({"status": "critical"}),
        ):
            account.publish(body)
        return answer

    account.operations["Subscribe"] = with_noise
    ran = run("drill", "alarms", "--yes", "--timeout", "1", "--json")
    assert {found(ran.data)[name] for name in names} == {"failed"}


def test_where_every_alarm_fires_for_real_nothing_is_proven(account: Account, run: Run) -> None:
    for alarm in account.alarms.values():
        alarm["StateValue"] = "ALARM"
    account.subscriptions = []
    ran = run("drill", "alarms", "--yes")
    assert ran.status == 0
    assert re.search(r"^Result +not proven$", ran.out, re.M)
    assert "Nobody; set alarms.email" in ran.out


@pytest.mark.parametrize("env", ["test", "kept"])
def test_nobody_subscribed_is_a_failure_where_data_is_kept(account: Account, run: Run, env: str) -> None:
    if env == "kept":
        account.__init__("kept")  # type: ignore[misc]
    account.subscriptions = [{**EMAIL, "SubscriptionArn": "PendingConfirmation"}]
    ran = run("drill", "alarms", "--yes", "--json", env=env)
    expected = "failed" if env == "kept" else "not_here"
    assert found(ran.data)["Somebody is subscribed to the topic"] == expected


def test_it_asks_since_people_are_paged(account: Account, run: Run, asked: Callable[[str], None]) -> None:
    ran = run("drill", "alarms")
    assert ran.status == 2
    assert "Add --yes" in ran.err
    asked("n")
    ran = run("drill", "alarms")
    assert ran.status == 1
    assert "whoever is subscribed is paged" in ran.err
    assert not account.raised
    assert run("drill", "alarms", "--timeout", "1", env="local").status == 1  # there is somebody to ask


def test_on_the_embedded_aws_nobody_is_paged_and_nothing_is_said_of_policies(account: Account, run: Run) -> None:
    account.__init__("local")  # type: ignore[misc]
    ran = run("drill", "alarms", "--json", env="local")
    assert ran.status == 0, ran.err
    assert "not provable here" in ran.data["notes"][0]


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"])
def test_no_drill_during_a_deploy_that_it_would_roll_back(account: Account, run: Run, status: str) -> None:
    account.stack["StackStatus"] = status
    ran = run("drill", "alarms", "--yes")
    assert ran.status == 1
    assert "would be rolled back" in ran.err
    assert not account.raised


def test_no_drill_where_nothing_is_deployed(account: Account, run: Run) -> None:
    account.stack["Outputs"] = []
    ran = run("drill", "alarms", "--yes")
    assert ran.status == 1
    assert "paycli deploy --env test" in ran.err


@pytest.mark.parametrize("operation", ["SetAlarmState", "ReceiveMessage", "Subscribe"])
def test_interrupted_at_any_point_all_is_put_back(account: Account, run: Run, operation: str) -> None:
    answer, calls = account.operations[operation], 0

    def third_call(params: dict[str, Any]) -> dict[str, Any]:
        nonlocal calls
        calls += 1
        return interrupt(params) if calls == (1 if operation == "Subscribe" else 3) else answer(params)

    account.operations[operation] = third_call
    ran = run("drill", "alarms", "--yes")
    assert ran.status == 130
    assert is_clean(account)
    if operation != "Subscribe":
        assert "the alarms are put back, subscription and queue are removed" in ran.err


PUTTING_BACK = ("SetAlarmState", "Unsubscribe", "DeleteQueue")


def interrupted_at_put_back(account: Account, operation: str, times: int) -> None:
    """Interrupt so many calls of the put-back, each after it came through."""
    answer, left = account.operations[operation], times

    def interrupted(params: dict[str, Any]) -> dict[str, Any]:
        nonlocal left
        said: dict[str, Any] = answer(params)
        if params.get("StateValue") != "ALARM" and left:
            left -= 1
            raise KeyboardInterrupt
        return said

    account.operations[operation] = interrupted


@pytest.mark.parametrize("operation", PUTTING_BACK)
def test_interrupted_as_all_is_put_back_it_is_put_back(account: Account, run: Run, operation: str) -> None:
    interrupted_at_put_back(account, operation, 1)
    ran = run("drill", "alarms", "--yes")
    assert (ran.status, is_clean(account)) == (130, True)
    assert "the alarms are put back, subscription and queue are removed" in ran.err


def test_a_second_interrupt_leaves_what_is_to_be_put_back_and_names_the_cleanup(account: Account, run: Run) -> None:
    interrupted_at_put_back(account, "SetAlarmState", 2)
    ran = run("drill", "alarms", "--yes")
    assert (ran.status, is_clean(account)) == (130, False)
    assert "the subscription and the queue may be left" in ran.err
    assert "paycli drill cleanup --env test" in ran.err
    assert run("drill", "cleanup").status == 0
    assert is_clean(account)


def test_interrupted_as_the_queue_is_made_the_cleanup_is_named(account: Account, run: Run) -> None:
    create = account.operations["CreateQueue"]

    def unheard(params: dict[str, Any]) -> dict[str, Any]:
        create(params)
        raise KeyboardInterrupt

    account.operations["CreateQueue"] = unheard
    ran = run("drill", "alarms", "--yes")
    assert (ran.status, is_clean(account)) == (130, False)
    assert "paycli drill cleanup --env test" in ran.err
    assert run("drill", "cleanup").status == 0
    assert is_clean(account)


@pytest.mark.parametrize("denied", ["SetAlarmState", "DeleteQueue", "Unsubscribe"])
def test_what_cannot_be_put_back_is_told_and_the_next_run_does_it(account: Account, run: Run, denied: str) -> None:
    receive = account.operations["ReceiveMessage"]

    def then_denied(params: dict[str, Any]) -> dict[str, Any]:
        account.denied[denied] = 1
        return receive(params)

    account.operations["ReceiveMessage"] = then_denied
    ran = run("drill", "alarms", "--yes", "--json", "--timeout", "1")
    assert ran.status == 1
    assert found(ran.data)["All is put back: states, subscription, queue"] == "failed"
    account.operations["ReceiveMessage"] = receive
    assert not is_clean(account)
    assert run("drill", "cleanup").status == 0
    assert is_clean(account)


def test_an_interrupt_that_leaves_something_names_the_cleanup(account: Account, run: Run) -> None:
    account.operations["ReceiveMessage"] = interrupt
    account.denied["DeleteQueue"] = 1
    ran = run("drill", "alarms", "--yes")
    assert ran.status == 130
    assert "the queue" in ran.err
    assert "paycli drill cleanup --env test" in ran.err


def test_a_refusal_says_what_became_of_the_alarms(account: Account, run: Run) -> None:
    answer, calls = account.operations["SetAlarmState"], 0

    def second_denied(params: dict[str, Any]) -> dict[str, Any]:
        nonlocal calls
        calls += 1
        account.denied["SetAlarmState"] = int(calls == 2)
        return answer(params)

    account.operations["SetAlarmState"] = second_denied
    ran = run("drill", "alarms", "--yes")
    assert ran.status in {1, 3}
    assert "All alarms are put back." in ran.err
    assert is_clean(account)


def test_a_killed_drill_is_cleaned_by_the_next(account: Account, run: Run) -> None:
    first, second, third, fourth = list(account.alarms.values())[:4]
    first |= drilled('{"drill": "drill 1", "before": "OK"}')
    second |= drilled("")
    third |= drilled('{"before": 7}')
    fourth |= {**drilled(""), "StateReason": "Threshold crossed"}
    endpoint = f"arn:aws:sqs:us-east-1:123456789012:{INBOX}"
    account.subscriptions.append({**EMAIL, "SubscriptionArn": f"{TOPIC}:9", "Protocol": "sqs", "Endpoint": endpoint})
    other = "payment-alarms-drill-test-1-20261101T000000Z"
    statement = {"Resource": endpoint, "Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}}}
    account.queues = {INBOX: {"Policy": json.dumps({"Statement": [statement]})}, other: {}}
    elsewhere = {
        **EMAIL,
        "SubscriptionArn": f"{TOPIC}:8",
        "Protocol": "sqs",
        "Endpoint": "arn:aws:sqs:us-east-1:1:pager",
    }
    account.subscriptions.append(elsewhere)
    ran = run("drill", "cleanup")
    assert ran.status == 0
    assert "Nothing of a drill is left." in ran.out
    states = [alarm["StateValue"] for alarm in (first, second, third, fourth)]
    assert states == ["OK", "INSUFFICIENT_DATA", "INSUFFICIENT_DATA", "ALARM"]
    assert account.subscriptions == [EMAIL, elsewhere]
    assert list(account.queues) == [other]


def drilled(data: str) -> dict[str, Any]:
    return {"StateValue": "ALARM", "StateReason": f"{DRILL}: drill 1 rehearses", "StateReasonData": data}


# drill readiness


def test_all_that_a_recovery_needs_is_there(account: Account, run: Run) -> None:
    ran = run("drill", "readiness")
    assert ran.status == 0, ran.err
    assert re.search(r"^PASSED +Point-in-time recovery +From 20", ran.out, re.M)
    assert re.search(r"^not here +Deletion protection of the table +Off: the data goes", ran.out, re.M)
    assert re.search(r"^not here +Daily backup in the vault +There is no vault: `backup` is off", ran.out, re.M)
    assert re.search(r"^Recovery point \(RPO\) +5 min", ran.out, re.M)
    assert "Everything is in one region." in ran.out


def kept(account: Account, *, point: timedelta) -> None:
    account.__init__("kept", live_table("transactions-kept", protected=True))  # type: ignore[misc]
    account.stack["EnableTerminationProtection"] = True
    account.stack["Outputs"].append({"OutputKey": "BackupVaultName", "OutputValue": "vault"})
    made = {"RecoveryPointArn": "arn:aws:backup:us-east-1:1:recovery-point:1"}
    account.points = [
        {**made, "Status": "COMPLETED", "CreationDate": datetime.now(UTC) - point},
        {**made, "Status": "PARTIAL", "CreationDate": datetime.now(UTC)},
    ]


def test_where_data_is_kept_protection_and_a_recent_backup_are_needed(account: Account, run: Run) -> None:
    kept(account, point=timedelta(hours=30))
    ran = run("drill", "readiness", "--json", env="kept")
    assert ran.status == 0, ran.err
    assert set(found(ran.data).values()) == {"passed"}
    assert details(ran.data)["Daily backup in the vault"].startswith("vault holds 1 recovery points")


def table_of(account: Account) -> Table:
    return account.tables["transactions-kept"]


def lacks_vault(account: Account) -> None:
    outputs = account.stack["Outputs"]
    account.stack["Outputs"] = [each for each in outputs if each["OutputKey"] != "BackupVaultName"]


OLD_BACKUP = {
    "RecoveryPointArn": "arn:aws:backup:us-east-1:1:recovery-point:1",
    "Status": "COMPLETED",
    "CreationDate": datetime.now(UTC) - timedelta(hours=40),
}
LACKS: dict[str, tuple[Callable[[Account], object], str]] = {
    "recovery": (lambda a: table_of(a).recovery.clear(), "Point-in-time recovery: It is off"),
    "old recovery": (
        lambda a: setattr(a, "latest", a.latest - timedelta(hours=1)),
        "Point-in-time recovery: From ",
    ),
    "deletion protection": (
        lambda a: setattr(table_of(a), "protected", False),
        "Deletion protection of the table: It is off, though retain_data is on",
    ),
    "termination protection": (
        lambda a: a.stack.update(EnableTerminationProtection=False),
        "Termination protection of the stack: It is off",
    ),
    "other key": (lambda a: setattr(table_of(a), "key", "arn:other"), "not with the stack's key"),
    "no key": (lambda a: setattr(table_of(a), "key", None), "encrypted with an AWS owned key"),
    "key going": (lambda a: setattr(a, "key_state", "PendingDeletion"), "is PendingDeletion"),
    "expiry": (lambda a: setattr(table_of(a), "expiry", "DISABLED"), "Expiry of unprocessed payments: It is off"),
    "no backup": (lambda a: a.points.pop(0), "holds no completed recovery point"),
    "old backup": (lambda a: setattr(a, "points", [OLD_BACKUP]), "Daily backup in the vault: vault holds"),
    "no vault": (lacks_vault, "There is no vault: though `backup` is on"),
    "redrive": (
        lambda a: a.queue_attributes["failed-transactions-kept"].clear(),
        "failed-transactions-kept doesn't hand over to failed-transactions-dlq-kept",
    ),
    "retention": (
        lambda a: a.queue_attributes["failed-transactions-dlq-kept"].update(MessageRetentionPeriod="345600"),
        "keeps messages for 4 days only",
    ),
    "denied": (
        lambda a: a.denied.update({"ListRecoveryPointsByBackupVault": 1}),
        "Daily backup in the vault: It can't be read",
    ),
}


@pytest.mark.parametrize("what", LACKS)
def test_each_lack_is_found(account: Account, run: Run, project: Path, what: str) -> None:
    (project / "paycli.toml").write_text(SETTINGS.replace("retain_data = true", "retain_data = true\nbackup = true"))
    kept(account, point=timedelta(hours=30))
    lack, expected = LACKS[what]
    lack(account)
    ran = run("drill", "readiness", env="kept")
    assert ran.status == 1
    assert expected in ran.err
    assert ran.err.count("Error:") == 1


def test_another_expiry_is_named(account: Account, run: Run) -> None:
    answer = {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "created_at"}}
    account.operations["DescribeTimeToLive"] = lambda _: answer
    assert "By created_at." in run("drill", "readiness").err


def test_the_embedded_aws_proves_less(account: Account, run: Run) -> None:
    account.__init__("local")  # type: ignore[misc]
    ran = run("drill", "readiness", "--json", env="local")
    assert ran.data["rpo_seconds"] is None
    assert any("paycli local status" in note for note in ran.data["notes"])
