"""The topic to which every alarm publishes, and who is told."""

from typing import TYPE_CHECKING

from troposphere import Template
from troposphere.kms import Key
from troposphere.sns import SubscriptionResource, Topic, TopicPolicy

from paycli.stack.policies import allow, deny_plain_http, on_behalf_of, policy

if TYPE_CHECKING:
    from paycli.environment import Environment


def add_topic(template: Template, environment: "Environment", key: Key) -> Topic:
    """Add the topic. The health monitor publishes by its role, the alarms by the topic's policy."""
    topic = template.add_resource(
        Topic(
            "AlarmTopic",
            TopicName=environment.named("payment-alarms"),
            DisplayName=f"Payment API {environment.name}",
            KmsMasterKeyId=key.get_att("Arn"),
        )
    )
    template.add_resource(
        TopicPolicy(
            "AlarmTopicPolicy",
            Topics=[topic.ref()],
            PolicyDocument=policy(
                allow(
                    "AlarmsOfThisStack",
                    ["sns:Publish"],
                    topic.ref(),
                    principal={"Service": "cloudwatch.amazonaws.com"},
                    condition=on_behalf_of("cloudwatch", f"alarm:*-{environment.name}"),
                ),
                deny_plain_http("sns:Publish", topic.ref()),
            ),
        )
    )
    if environment.alarms.email is not None:
        template.add_resource(
            SubscriptionResource(
                "AlarmEmail", TopicArn=topic.ref(), Protocol="email", Endpoint=environment.alarms.email
            )
        )
    return topic
