"""Each deploy that succeeded leaves its number in CloudWatch, where the dashboard shows it beside the payments."""

from tests.fakes.project import FakeProject
from tests.integration.deploys import ALARM, error_of, recorded, records, slower_alarm, version

DEPLOY = ("deploy", "--env", "dev", "--yes")
MARK = "PutMetricData"
NO_MARK = "The dashboard shows no mark of this deploy"


def marked(cloud: FakeProject) -> list[int]:
    """Return the numbers of the deploys that were marked; each mark is of dev, and among no other metrics."""
    values = []
    for call in cloud.aws.calls:
        if call.operation == MARK:
            assert call.parameters["Namespace"] == "PaymentAPI/Deploys"
            (value,) = call.parameters["MetricData"]
            dimensions = [{"Name": "Environment", "Value": "dev"}]
            assert value == {"MetricName": "Deploys", "Dimensions": dimensions, "Value": value["Value"]}
            values.append(value["Value"])
    return values


def test_a_deploy_and_a_rollback_are_marked_by_the_number_of_their_record(cloud: FakeProject) -> None:
    cloud.deployed(other=slower_alarm)
    recorded(cloud, 6, version(cloud, 99))
    assert cloud.run(*DEPLOY).status == 0
    assert marked(cloud) == [7]
    assert cloud.run("rollback", "--env", "dev", "--yes").status == 0
    assert marked(cloud) == [7, 8] == [record.number for record in records(cloud)][1:]


def test_a_deploy_that_failed_is_not_marked(cloud: FakeProject) -> None:
    cloud.deployed(other=slower_alarm)
    cloud.aws.scenario.fail(ALARM, on="update")
    assert cloud.run(*DEPLOY).status == 1
    assert marked(cloud) == []


def test_who_may_not_mark_it_deploys_all_the_same(cloud: FakeProject) -> None:
    cloud.deployed(other=slower_alarm)
    cloud.aws.faults.deny(MARK)
    ran = cloud.run(*DEPLOY)
    assert ran.status == 0, error_of(ran)
    assert ran.err.count(NO_MARK) == 1
    assert "AccessDenied" in ran.err
    assert [record.result for record in records(cloud)] == ["succeeded"]


def test_a_mark_that_takes_long_is_given_up(cloud: FakeProject) -> None:
    """As in a network without a way to CloudWatch."""
    cloud.deployed(other=slower_alarm)
    cloud.aws.faults.delay(MARK, 30.0)
    ran = cloud.run(*DEPLOY)
    assert ran.status == 0, error_of(ran)
    assert ran.err.count(NO_MARK) == 1
    (mark,) = (call for call in cloud.aws.calls if call.operation == MARK)
    assert ran.ended - mark.at < 15  # 2 s to wait; the rest is for a slow machine
