"""When money stops or goes wrong, somebody is told."""

from collections.abc import Iterator

from cfnlint.rules import RuleMatch

from paycli.audit.failures import receives_dead_letters
from paycli.audit.policies import Statement, attached, statements
from paycli.audit.production import in_production
from paycli.audit.rule import AuditRule, finding
from paycli.audit.series import all_series, problems
from paycli.audit.template import Node, Resource, Stack, certain

_ALARMS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
# Who hears a topic, and by which property.
_LISTENERS = {
    "AWS::Chatbot::MicrosoftTeamsChannelConfiguration": "SnsTopicArns",
    "AWS::Chatbot::SlackChannelConfiguration": "SnsTopicArns",
    "AWS::SNS::Subscription": "TopicArn",
}
_DEPTH = "ApproximateNumberOfMessagesVisible"


class AlarmWithoutData(AuditRule):
    """An alarm watches a metric that nobody emits."""

    id = "E9591"
    shortdesc = "An alarm watches a metric that has no data"
    description = "The metric doesn't exist, has no data under these dimensions, or a dimension names nothing."
    why = "The alarm stays green whatever happens; that is worse than none, since everybody relies on it."
    requirement = "PCI DSS 10.7.2; AWS Well-Architected REL06-BP01, OPS08-BP04"
    mend = "Take metric and dimensions from the service's documentation, and the value from the resource's name."
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html"
    tags = ("resources", "cloudwatch", "alarms")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each metric without data, and each dimension that names nothing."""
        for series in all_series(stack):
            yield from (finding(place, problem) for place, problem in problems(stack, series))


class MissingDataUnstated(AuditRule):
    """Nobody has thought about silence."""

    id = "W9592"
    shortdesc = "An alarm doesn't say how missing data counts"
    description = "An alarm has no TreatMissingData."
    why = "By default an alarm without data goes to INSUFFICIENT_DATA, and stays in ALARM when traffic ends in a fault."
    requirement = "AWS Well-Architected OPS08-BP04"
    mend = "Set TreatMissingData: notBreaching where silence is healthy, breaching where it is not."
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html"
    tags = ("resources", "cloudwatch", "alarms")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each alarm that doesn't say."""
        for alarm in stack.resources("AWS::CloudWatch::Alarm"):
            for node in alarm.get("TreatMissingData"):
                if node.absent:
                    yield finding(node, f"{alarm.name} doesn't say how missing data counts")


class AlarmTellsNobody(AuditRule):
    """An alarm that does nothing."""

    id = "E9593"
    shortdesc = "An alarm tells nobody"
    description = "An alarm has no AlarmActions, or ActionsEnabled is false, and no composite alarm watches it."
    why = "It turns red in a console that nobody looks at."
    requirement = "AWS Security Hub CloudWatch.15, CloudWatch.17; PCI DSS 10.7.2; AWS Well-Architected REL06-BP03"
    mend = "Add the topic to AlarmActions, and leave ActionsEnabled true."
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html"
    tags = ("resources", "cloudwatch", "alarms")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each alarm that reaches nobody."""
        for alarm in stack.resources(*_ALARMS):
            if _is_part_of_another(stack, alarm):
                continue
            for node in alarm.get("AlarmActions"):
                if node.absent or node.value == []:
                    yield finding(node, f"{alarm.name} tells nobody: no AlarmActions")
            for node in alarm.get("ActionsEnabled"):
                if node.truth is False:
                    yield finding(node, f"{alarm.name} tells nobody: its actions are switched off")


class DeadLettersUnwatched(AuditRule):
    """Nobody learns that a message was given up."""

    id = "E9594"
    shortdesc = "A dead-letter queue has no alarm on its depth"
    description = "A queue that receives dead letters has no alarm on ApproximateNumberOfMessagesVisible."
    why = (
        "A payment that failed for good lies there until SQS drops it. NumberOfMessagesSent doesn't count what SQS "
        "itself moves there."
    )
    requirement = "PCI DSS 10.7.2; AWS Well-Architected REL06-BP01"
    mend = "Add an alarm on AWS/SQS ApproximateNumberOfMessagesVisible of the queue, from 1 on."
    source_url = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/dead-letter-queues-alarms-cloudwatch.html"
    tags = ("resources", "sqs", "cloudwatch", "alarms")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each dead-letter queue of the template that nobody watches."""
        watched = [
            value
            for series in all_series(stack)
            if (series.namespace.text, series.metric.text) == ("AWS/SQS", _DEPTH)
            for name, value in series.values
            if name == "QueueName"
        ]
        for queue in stack.resources("AWS::SQS::Queue"):
            if receives_dead_letters(stack, queue) and not any(node.identifies(queue) for node in watched):
                yield finding(queue, f"No alarm watches the depth of {queue.name}, which receives dead letters")


class TopicWithoutSubscriber(AuditRule):
    """Production's alarms go nowhere."""

    id = "W9595"
    shortdesc = "Production's alarms go to a topic without a subscriber"
    description = "A topic of production that alarms publish to has no subscription in the template."
    why = "Every alarm works, and nobody hears it. A subscription made by hand is in no review and goes unnoticed."
    requirement = "PCI DSS 10.7.2, 12.10.5; AWS Well-Architected REL06-BP03"
    mend = "Add a subscription (alarms.email in paycli.toml), or accept this where another stack subscribes."
    source_url = "https://docs.aws.amazon.com/sns/latest/dg/sns-create-subscribe-endpoint-to-topic.html"
    tags = ("resources", "sns", "alarms", "production")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each such topic; a chat channel counts as a subscriber."""
        for topic in _alarm_topics(stack) if in_production(stack) else ():
            subscriptions = [
                node
                for listener in stack.resources(*_LISTENERS)
                if listener.exists_with(topic)
                for node in listener.listed(_LISTENERS[listener.type])
                if node.identifies(topic)
            ]
            if not certain([*subscriptions, *topic.listed("Subscription")]):
                yield finding(topic, f"Nobody has subscribed to {topic.name}, which alarms publish to")


class AlarmCannotPublish(AuditRule):
    """The alarm's message doesn't reach its topic."""

    id = "E9596"
    shortdesc = "CloudWatch can't publish to the alarms' topic"
    description = "The topic's key or policy doesn't let CloudWatch in, or its key is AWS's own alias/aws/sns."
    why = "The alarm turns red, its action fails in its history, and nobody is told."
    requirement = "PCI DSS 10.7.2; AWS Well-Architected REL06-BP03"
    mend = "Allow cloudwatch.amazonaws.com sns:Publish on the topic, kms:Decrypt and kms:GenerateDataKey on its key."
    source_url = "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services"
    tags = ("resources", "sns", "kms", "alarms")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each topic, and each topic's key, that shuts CloudWatch out."""
        for topic in _alarm_topics(stack):
            policy = list(attached(stack, topic))
            # Without a policy of its own a topic has one that lets the account's alarms in.
            if policy and not _lets_in(policy, {"sns:publish"}):
                yield finding(topic, f"The policy of {topic.name} doesn't let CloudWatch publish")
            for node in topic.get("KmsMasterKeyId"):
                if "alias/aws/sns" in (node.text or ""):
                    yield finding(node, f"CloudWatch can't use alias/aws/sns, so no alarm reaches {topic.name}")
                for key in _keys(stack, node):
                    if not _lets_in(list(statements(key)), {"kms:decrypt", "kms:generatedatakey"}):
                        yield finding(key, f"The policy of {key.name} doesn't let CloudWatch use it for {topic.name}")


def _alarm_topics(stack: Stack) -> list[Resource]:
    """Return the topics of the template that its alarms publish to."""
    actions = [node for alarm in stack.resources(*_ALARMS) for node in alarm.listed("AlarmActions")]
    topics = stack.resources("AWS::SNS::Topic")
    return [topic for topic in topics if any(node.identifies(topic) for node in actions)]


def _is_part_of_another(stack: Stack, alarm: Resource) -> bool:
    called = (f"${{{alarm.name}}}", f"${{{alarm.name}.Arn}}", *alarm.names)
    rules = [node.text or "" for other in stack.resources(_ALARMS[1]) for node in other.get("AlarmRule")]
    return any(name in rule for rule in rules for name in called)


def _keys(stack: Stack, node: Node) -> list[Resource]:
    """Return the keys of the template that a node means, by themselves or by an alias."""
    aliases = [alias for alias in stack.resources("AWS::KMS::Alias") if node.identifies(alias)]
    named = [node, *(target for alias in aliases for target in alias.get("TargetKeyId"))]
    return [key for key in stack.resources("AWS::KMS::Key") if any(place.identifies(key) for place in named)]


def _lets_in(policy: list[Statement], actions: set[str]) -> bool:
    """Whether CloudWatch is allowed all of the actions, alone or as one of everybody."""
    granted = [
        (node.text or "").lower().rstrip("*")
        for statement in policy
        if statement.allows and any(node.text in {"cloudwatch.amazonaws.com", "*"} for node in _principals(statement))
        for node in statement.listed("Action")
    ]
    return all(any(action.startswith(grant) for grant in granted) for action in actions)


def _principals(statement: Statement) -> list[Node]:
    return [*statement.principals("Service"), *statement.for_everybody]
