"""How many calls to AWS a deploy makes: each costs time, and the account's quotas are everybody's."""

from tests.fakes.project import FakeProject
from tests.integration.deploys import recorded, slower_alarm, version

DEPLOY = ("deploy", "--env", "dev", "--yes")
POLLS = {"DescribeChangeSet", "DescribeStackEvents"}


def calls(cloud: FakeProject) -> list[str]:
    """Return the calls in order; the polls of one wait count once."""
    names = [call.operation for call in cloud.aws.calls]
    return [name for name, before in zip(names, ["", *names], strict=False) if name not in POLLS or name != before]


def test_a_deploy_with_nothing_new_makes_five_and_waits_for_nothing(cloud: FakeProject) -> None:
    cloud.deployed()
    recorded(cloud, 1, version(cloud, 1))
    ran = cloud.run(*DEPLOY)
    assert "No changes" in ran.out, ran.err
    assert calls(cloud) == [
        "GetCallerIdentity",
        "DescribeStacks",  # the stack's
        "DescribeStacks",  # the bootstrap stack's
        "GetTemplate",  # is it this one?
        "DescribeTable",  # is it there? CloudFormation wouldn't know
    ]


def test_where_data_is_kept_it_makes_one_more(cloud: FakeProject) -> None:
    stack = cloud.deployed("prod")
    stack.termination_protection = True
    assert cloud.run("deploy", "--env", "prod", "--yes").status == 0  # sets the stack policy
    before = len(calls(cloud))
    ran = cloud.run("deploy", "--env", "prod", "--yes")
    assert "No changes" in ran.out, ran.err
    assert calls(cloud)[before:] == [
        "GetCallerIdentity",
        "DescribeStacks",
        "DescribeStacks",
        "GetTemplate",
        "DescribeTable",
        "GetStackPolicy",
    ]


def test_a_deploy_of_a_change_makes_twenty(cloud: FakeProject) -> None:
    cloud.deployed(other=slower_alarm)
    recorded(cloud, 1, version(cloud, 99))
    ran = cloud.run(*DEPLOY)
    assert ran.status == 0, ran.err
    assert calls(cloud) == [
        "GetCallerIdentity",
        "DescribeStacks",
        "DescribeStacks",
        "GetTemplate",
        "HeadObject",  # is the code there?
        "DescribeTable",
        "CreateChangeSet",
        "DescribeChangeSet",
        "ListObjectsV2",  # is what runs a rollback? its record says so
        "GetObject",
        "PutObject",  # the template, for a rollback to it
        "ListObjectsV2",  # the newest record's number
        "GetObject",  # and how it ended
        "PutObject",  # the record, as it begins
        "DescribeStackEvents",
        "ExecuteChangeSet",
        "DescribeStackEvents",
        "PutObject",  # the record, as it ended
        "PutMetricData",  # the mark on the dashboard
        "DescribeStacks",  # the outputs
    ]
