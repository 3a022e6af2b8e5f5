"""A mark of each deploy in CloudWatch, for the dashboard.

A dashboard's own annotations stand in its body, so one a deploy would change the stack at every deploy:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
A metric costs USD 0.30 a month, for the hours in which it gets a value: https://aws.amazon.com/cloudwatch/pricing/
"""

from paycli.aws import Aws
from paycli.deployment.records import Record
from paycli.progress import Report, Step
from paycli.stack.names import DEPLOYS_METRIC, DEPLOYS_NAMESPACE


def mark(aws: Aws, record: Record, report: Report) -> None:
    """Let the number of a deploy be a value of the metric, now (one call). What is in its way is told, and no more."""
    from botocore.exceptions import BotoCoreError, ClientError

    if aws.endpoint_url:  # the embedded AWS draws no dashboard
        return
    dimensions = [{"Name": "Environment", "Value": record.environment}]
    value = {"MetricName": DEPLOYS_METRIC, "Dimensions": dimensions, "Value": record.number}
    try:
        aws.client("cloudwatch", hurried=True).put_metric_data(Namespace=DEPLOYS_NAMESPACE, MetricData=[value])
    except (BotoCoreError, ClientError) as error:
        report(Step(f"The dashboard shows no mark of this deploy: {error}"))
