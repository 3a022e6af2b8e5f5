"""`paycli drift` on the fake AWS: what was changed past CloudFormation is named, with what a deploy does about it."""

from tests.fakes.project import FakeProject
from tests.integration.conftest import LocalProject, Within
from tests.integration.deploys import (
    ALARM,
    STACK,
    TABLE,
    error_of,
    recorded,
    records,
    slower_alarm,
    untouched,
    version,
)


def test_what_nobody_touched_has_not_drifted(cloud: FakeProject, within: Within) -> None:
    cloud.deployed()
    ran = within("drift", "--env", "dev")
    assert (ran.status, ran.out) == (0, f"Nothing of {STACK} has drifted.\n"), ran.err
    data = within("drift", "--env", "dev", "--json").document["data"]
    assert (data["resources"], data["unchecked"], data["deploy_would"]) == ([], [], [])


def test_a_changed_property_is_shown_as_it_was_set_and_as_it_is(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed()
    cloud.aws.alter(STACK, ALARM, EvaluationPeriods=50)
    ran = within("drift", "--env", "dev")
    assert ran.status == 4, ran.err
    (row,) = [line for line in ran.out.splitlines() if ALARM in line]
    assert row.split() == ["MODIFIED", ALARM, "AWS::CloudWatch::Alarm", "/EvaluationPeriods", "1", "50"]
    assert "`paycli deploy --env dev --revert-drift` sets it back" in ran.out
    assert "made again" not in ran.out
    document = within("drift", "--env", "dev", "--json").document
    assert document["status"] == "different"
    (resource,) = document["data"]["resources"]
    assert resource["differences"] == [{"path": "/EvaluationPeriods", "before": "1", "after": "50"}]
    assert stack.resources[ALARM].properties["EvaluationPeriods"] == 1  # it changes nothing
    assert within("deploy", "--env", "dev", "--revert-drift", "--yes").status == 0
    assert within("drift", "--env", "dev").status == 0


def test_a_detection_that_fails_in_part_says_so_beside_what_it_found(cloud: FakeProject, within: Within) -> None:
    cloud.deployed()
    cloud.aws.alter(STACK, ALARM, EvaluationPeriods=50)
    cloud.aws.scenario.drift_fails = "not authorized to read the queue"
    ran = within("drift", "--env", "dev")
    assert ran.status == 4
    assert "/EvaluationPeriods" in ran.out
    assert error_of(ran).startswith("Error: The detection is incomplete: not authorized to read the queue")


def test_a_deleted_queue_is_made_again_empty_where_that_is_allowed(cloud: FakeProject, within: Within) -> None:
    cloud.deployed()
    queue = "FunctionFailuresQueue"
    cloud.aws.destroy(STACK, queue)
    ran = within("drift", "--env", "dev")
    assert ran.status == 4
    assert f"What is made again is empty, and wants --allow-remove {queue} as well." in ran.out
    assert "payments" not in ran.out
    refused = within("deploy", "--env", "dev", "--yes", "--revert-drift")
    assert refused.status == 1
    said = f"What it held is lost. To have it made again, empty, add --allow-remove {queue}."
    assert said in " ".join(refused.err.split())
    made = within("deploy", "--env", "dev", "--yes", "--revert-drift", "--allow-remove", queue)
    assert made.status == 0, made.err


def test_a_deleted_table_is_said_to_come_back_empty(cloud: FakeProject, within: Within) -> None:
    cloud.deployed()
    cloud.aws.destroy(STACK, TABLE)
    ran = within("drift", "--env", "dev")
    assert ran.status == 4
    (row,) = [line for line in ran.out.splitlines() if line.startswith("DELETED")]
    assert row.split() == ["DELETED", TABLE, "AWS::DynamoDB::Table", "transactions-dev"]
    assert "Its payments come back by `paycli restore --env dev --deleted`, and by no deploy." in ran.out
    assert "sets it back" not in ran.out
    # A deploy that says the stack has it all would be believed.
    for command in ("deploy", "diff"):
        refused = within(command, "--env", "dev", *(["--yes"] if command == "deploy" else []))
        assert refused.status == 1
        assert error_of(refused).startswith("Error: transactions-dev is gone, deleted past CloudFormation.")
        assert "paycli restore --env dev --deleted" in refused.err
    empty = ("deploy", "--env", "dev", "--revert-drift", "--yes")
    refused = within(*empty)
    assert refused.status == 1
    assert "would be made again without what it held" in error_of(refused)
    allowed = within(*empty, "--allow-remove", TABLE)
    assert allowed.status == 0, allowed.err
    assert "nothing of that name" not in allowed.err
    assert within("diff", "--env", "dev").status == 0


GONE = "Error: transactions-dev is gone, deleted past CloudFormation. Nothing was deployed."


def test_no_deploy_counts_while_the_table_is_gone_with_changes_or_none(cloud: FakeProject, within: Within) -> None:
    """CloudFormation sees neither that it is gone nor, after a rollback, whose template it has."""
    stack = cloud.deployed("dev", "UPDATE_ROLLBACK_COMPLETE")
    before = list(stack.states)
    cloud.aws.destroy(STACK, TABLE)
    recorded(cloud, 1, cloud.body("dev"))
    recorded(cloud, 2, version(cloud, 98))
    for command in ("deploy --yes", "deploy --dry-run", "diff", "rollback --to 1 --yes", "rollback --to 2 --yes"):
        refused = within(*command.split(), "--env", "dev")
        assert refused.status == 1
        assert error_of(refused).startswith(GONE), command
    assert untouched(stack, before)
    assert [record.number for record in records(cloud)] == [1, 2]


def test_a_kept_plan_is_not_executed_once_the_table_is_gone(cloud: FakeProject, within: Within) -> None:
    stack = cloud.deployed(other=slower_alarm)
    before = list(stack.states)
    assert within("deploy", "--env", "dev", "--plan", "plan.json").status == 0
    cloud.aws.destroy(STACK, TABLE)
    refused = within("deploy", "--env", "dev", "--execute", "plan.json", "--yes")
    assert refused.status == 1
    assert error_of(refused).startswith(GONE)
    assert stack.states == before


def test_a_kept_plan_that_makes_the_table_again_is_executed(cloud: FakeProject, within: Within) -> None:
    cloud.deployed()
    cloud.aws.destroy(STACK, TABLE)
    again = ("deploy", "--env", "dev", "--allow-remove", TABLE)
    planned = within(*again, "--revert-drift", "--plan", "plan.json")
    assert planned.status == 0, planned.err
    ran = within(*again, "--execute", "plan.json", "--yes")
    assert ran.status == 0, ran.err
    assert cloud.aws.standing("AWS::DynamoDB::Table", "transactions-dev")


def test_another_account_is_not_looked_at(cloud: FakeProject, within: Within) -> None:
    cloud.deployed()
    (cloud.root / "paycli.toml").write_text('[env.dev]\naccount_id = "222222222222"\n')
    ran = within("drift", "--env", "dev")
    assert ran.status == 3
    assert "The credentials belong to account 111111111111" in error_of(ran)
    assert cloud.aws.operations() == []


def test_a_stack_that_is_not_there_has_no_drift(cloud: FakeProject, within: Within) -> None:
    ran = within("drift", "--env", "dev")
    assert ran.status == 1
    assert error_of(ran).startswith(f"Error: The stack {STACK} isn't deployed.")


def test_a_plan_that_nobody_has_executed_is_no_stack_to_look_at(cloud: FakeProject, within: Within) -> None:
    cloud.bootstrap()
    assert within("deploy", "--env", "dev", "--plan", "plan.json").status == 0
    ran = within("drift", "--env", "dev")
    assert ran.status == 1
    assert error_of(ran).startswith(f"Error: The stack {STACK} isn't deployed.")


def test_the_embedded_aws_says_what_it_does_not_see(shared: LocalProject) -> None:
    ran = shared.run("drift", "--env", "local")
    assert ran.status == 0, ran.err
    assert "doesn't look at everything" in ran.out


def test_what_the_embedded_aws_has_lost_needs_a_new_stack(fresh: LocalProject) -> None:
    assert fresh.run("deploy", "--env", "local").status == 0
    fresh.aws().client("sns").delete_topic(TopicArn="arn:aws:sns:us-east-1:000000000000:payment-alarms-local")
    ran = fresh.run("drift", "--env", "local")
    assert ran.status == 4, ran.err
    (row,) = [line for line in ran.out.splitlines() if line.startswith("DELETED")]
    assert "AlarmTopic" in row
    assert "No deploy makes it again there: `paycli teardown --env local`, then deploy." in ran.out
    fresh.aws().client("dynamodb").delete_table(TableName="transactions-local")
    assert "transactions-local is gone, and every payment with it" in fresh.run("status", "--env", "local").out
    ran = fresh.run("deploy", "--env", "local")
    assert ran.status == 1
    assert "`paycli teardown --env local`, then deploy." in ran.err
