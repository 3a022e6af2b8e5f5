"""How results read."""

from paycli import tables
from paycli.commands.teardown import _result
from paycli.deployment.stacks import Stack
from paycli.deployment.teardown import Leftover, Resource, TeardownPlan
from paycli.smoke import CheckResult


def test_a_check_says_what_it_found_or_missed() -> None:
    assert tables.check_line(CheckResult("topic", "The topic exists", True, 0.5)).plain.endswith("The topic exists")
    failed = CheckResult("topic", "The topic exists", False, 0.5, expected="a topic", found="none\x1b[2J")
    assert tables.check_line(failed).plain.endswith("(expected a topic; found none\N{REPLACEMENT CHARACTER}[2J)")


def test_a_teardown_on_aws_says_what_aws_keeps_for_a_while() -> None:
    table = Resource("Table", "transactions-dev", "AWS::DynamoDB::Table")
    plan = TeardownPlan(Stack("payment-api-dev", "id", "CREATE_COMPLETE", {}, {}, False, {}), (table,), ())
    said = [str(part) for part in _result(plan, [Leftover(table, "aws dynamodb …")], {}, kept_a_while=True).shown]
    assert said[0] == "payment-api-dev is deleted: 1 resources gone, 1 left."
    assert "remove it with: aws dynamodb …" in said[2]
    assert "7 days" in said[3]
    assert "35 days" in said[3]
