"""Somebody is told, of what really happens."""

from typing import Any

import pytest

from tests.unit.audit.audited import NOTHING, att, either, policy, ref, resource, said, statement, sub

RESOURCES = {
    "Api": resource("AWS::ApiGateway::RestApi", Name="payments"),
    "Stage": resource("AWS::ApiGateway::Stage", StageName="v1"),
    "Http": resource("AWS::ApiGatewayV2::Api", Name="payments"),
    "Function": resource("AWS::Lambda::Function", FunctionName="validation"),
    "Table": resource("AWS::DynamoDB::Table", TableName="transactions"),
    "Queue": resource("AWS::SQS::Queue", QueueName="failed"),
    "Topic": resource("AWS::SNS::Topic", TopicName="alarms"),
}
PARAMETERS = {"Given": {"Type": "String"}, "Named": {"Type": "String", "Default": "transactions"}}


def watching(namespace: Any, metric: Any, **dimensions: Any) -> dict[str, Any]:
    return {
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }


def alarm(**properties: Any) -> dict[str, Any]:
    return {"Alarm": resource("AWS::CloudWatch::Alarm", **properties)}


GOOD = [
    watching("AWS/ApiGateway", "5XXError", ApiName="payments", Stage="v1"),
    watching("AWS/ApiGateway", "Latency", ApiName="payments", Stage=ref("Stage")),
    watching("AWS/ApiGateway", "Latency", ApiId=ref("Http")),
    watching("AWS/ApiGateway", "5xx", ApiId=att("Http", "ApiId"), Stage="v1"),
    watching("AWS/ApiGateway", "ClientError", ApiId=ref("Http"), Route="$connect", Stage="v1"),
    watching("AWS/Lambda", "Errors", FunctionName="validation"),
    watching("AWS/Lambda", "Errors", FunctionName=ref("Function")),
    watching("AWS/Lambda", "Errors", FunctionName=ref("Given")),
    watching("AWS/Lambda", "Errors", FunctionName=sub("x-${AWS::Region}")),
    watching("AWS/Lambda", "ConcurrentExecutions"),
    watching("AWS/DynamoDB", "ThrottledRequests", TableName="transactions", Operation="PutItem"),
    watching("AWS/DynamoDB", "ReadThrottleEvents", TableName=ref("Table")),
    watching("AWS/DynamoDB", "ReadThrottleEvents", TableName=ref("Named")),
    watching("AWS/DynamoDB", "UserErrors"),
    watching("AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName=att("Queue", "QueueName")),
    watching("AWS/SNS", "NumberOfNotificationsFailed", TopicName=att("Topic", "TopicName")),
    watching("AWS/SNS", "NumberOfNotificationsFailed", TopicName={"Fn::ImportValue": "topic"}),
    watching("AWS/States", "ExecutionsFailed", StateMachineArn="x"),
    watching("PaymentAPI", "Anything", At="all"),
    watching(ref("Given"), "Errors"),
    watching("AWS/Lambda", sub("${Given}")),
    {
        **watching("AWS/Lambda", "Errors"),
        "Dimensions": [either({"Name": "FunctionName", "Value": "validation"}, NOTHING)],
    },
    {**watching("AWS/SQS", "NumberOfMessagesSent"), "Dimensions": {"Fn::ImportValue": "dimensions"}},
]
BAD = [
    watching("AWS/ApiGateway", "5XXError", ApiId=ref("Api"), Stage="v1"),
    watching("AWS/ApiGateway", "5xx", ApiName="payments"),
    watching("AWS/ApiGateway", "5XXErrors", ApiName="payments"),
    watching("AWS/ApiGateway", "Latency", Stage="v1"),
    watching("AWS/ApiGateway", "Latency", ApiName=ref("Api")),
    watching("AWS/ApiGateway", "Latency", ApiName="payment"),
    watching("AWS/ApiGateway", "Latency", ApiId="payments"),
    watching("AWS/ApiGateway", "Latency", ApiName="payments", Stage="v2"),
    watching("AWS/Lambda", "Errors", FunctionName="validate"),
    watching("AWS/Lambda", "Errors", FunctionName=att("Function")),
    watching("AWS/Lambda", "Errors", Function="validation"),
    watching("AWS/Lambda", "Error", FunctionName="validation"),
    watching("AWS/DynamoDB", "ThrottledRequests", TableName="transactions"),
    watching("AWS/DynamoDB", "ReadThrottleEvents", TableName=att("Table")),
    watching("AWS/DynamoDB", "ReadThrottleEvents", TableName="transactions", Operation="GetItem"),
    watching("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    watching("AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName=ref("Queue")),
    watching("AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName=either("failed", "typo")),
    watching("AWS/SNS", "NumberOfNotificationsFailed", TopicName=ref("Topic")),
]


@pytest.mark.parametrize(
    "wrap", [lambda metric: metric, lambda metric: {"Metrics": [{"MetricStat": {"Metric": metric}}]}]
)
@pytest.mark.parametrize("metric", GOOD)
def test_a_metric_that_has_data_or_that_nobody_can_judge(metric: dict[str, Any], wrap: Any) -> None:
    assert said("E9591", {**RESOURCES, **alarm(**wrap(metric))}, Parameters=PARAMETERS) == []


@pytest.mark.parametrize(
    "wrap", [lambda metric: metric, lambda metric: {"Metrics": [{"MetricStat": {"Metric": metric}}]}]
)
@pytest.mark.parametrize("metric", BAD)
def test_a_metric_without_data(metric: dict[str, Any], wrap: Any) -> None:
    assert said("E9591", {**RESOURCES, **alarm(**wrap(metric))}, Parameters=PARAMETERS)


ROUTES = {
    **RESOURCES,
    "Path": resource("AWS::ApiGateway::Resource", ParentId=att("Api", "RootResourceId"), PathPart="validate"),
    "Post": resource("AWS::ApiGateway::Method", HttpMethod="POST", ResourceId=ref("Path")),
    "Root": resource("AWS::ApiGateway::Method", HttpMethod="ANY", ResourceId=att("Api", "RootResourceId")),
}


def by_route(**route: Any) -> dict[str, Any]:
    return alarm(**watching("AWS/ApiGateway", "Latency", ApiName="payments", Stage="v1", **route))


def stage(value: Any) -> dict[str, Any]:
    return {"Stage": resource("AWS::ApiGateway::Stage", StageName="v1", MethodSettings=value)}


COUNTED = stage([{"HttpMethod": "*", "ResourcePath": "/*", "MetricsEnabled": True}])


@pytest.mark.parametrize(
    ("route", "found"),
    [
        ({"Method": "POST", "Resource": "/validate"}, []),
        ({"Method": "GET", "Resource": "/"}, []),
        ({"Method": "GET", "Resource": "/validate"}, ["Alarm"]),
        ({"Method": "POST", "Resource": "/validated"}, ["Alarm"]),
        ({"Method": "POST", "Resource": ref("Given")}, []),
        ({"Method": {"Fn::ImportValue": "m"}, "Resource": "/validated"}, []),
    ],
)
def test_an_alarm_on_a_route_names_one(route: dict[str, Any], found: list[str]) -> None:
    assert said("E9591", {**ROUTES, **COUNTED, **by_route(**route)}, Parameters=PARAMETERS) == found


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        (stage([{"MetricsEnabled": "true"}]), []),
        (stage([{"MetricsEnabled": ref("Given")}]), []),
        (stage([{"MetricsEnabled": False}, {"MetricsEnabled": True}]), []),
        (stage([{"MetricsEnabled": False}]), ["Alarm"]),
        (stage([{"LoggingLevel": "ERROR"}]), ["Alarm"]),
        (stage(NOTHING), ["Alarm"]),
    ],
)
def test_an_alarm_on_a_route_needs_metrics_by_route(settings: dict[str, Any], found: list[str]) -> None:
    by_path = by_route(Method="POST", Resource="/validate")
    assert said("E9591", {**ROUTES, **settings, **by_path}, Parameters=PARAMETERS) == found
    assert said("E9591", {**ROUTES, **settings, **by_route()}, Parameters=PARAMETERS) == []


def test_an_http_api_counts_by_route_where_it_is_told_to() -> None:
    def http(**settings: Any) -> dict[str, Any]:
        return {
            "Http": resource("AWS::ApiGatewayV2::Api"),
            "S": resource("AWS::ApiGatewayV2::Stage", StageName="v1", **settings),
            **alarm(
                **watching("AWS/ApiGateway", "5xx", ApiId=ref("Http"), Stage="v1", Method="POST", Resource="/validate")
            ),
        }

    assert said("E9591", http(DefaultRouteSettings={"DetailedMetricsEnabled": True})) == []
    assert said("E9591", http()) == ["Alarm"]


def test_a_name_is_not_judged_where_a_resource_could_have_it() -> None:
    metric = alarm(**watching("AWS/Lambda", "Errors", FunctionName="of-another-stack"))
    assert said("E9591", metric) == []
    assert said("E9591", {"F": resource("AWS::Lambda::Function"), **metric}) == []
    unknown = resource("AWS::Lambda::Function", FunctionName={"Fn::ImportValue": "name"})
    assert said("E9591", {"F": unknown, **metric}) == []


@pytest.mark.parametrize(("value", "found"), [("notBreaching", []), (NOTHING, ["Alarm"]), (ref("Given"), [])])
def test_an_alarm_says_how_missing_data_counts(value: Any, found: list[str]) -> None:
    assert said("W9592", alarm(TreatMissingData=value), Parameters=PARAMETERS) == found


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({"AlarmActions": [ref("Topic")]}, []),
        ({"AlarmActions": {"Fn::ImportValue": "actions"}}, []),
        ({"AlarmActions": [ref("Topic")], "ActionsEnabled": "true"}, []),
        ({}, ["Alarm"]),
        ({"OKActions": [ref("Topic")]}, ["Alarm"]),
        ({"AlarmActions": []}, ["Alarm"]),
        ({"AlarmActions": either([ref("Topic")], NOTHING)}, ["Alarm"]),
        ({"AlarmActions": [ref("Topic")], "ActionsEnabled": "false"}, ["Alarm"]),
        ({"AlarmActions": [ref("Topic")], "ActionsEnabled": either(True, False)}, ["Alarm"]),
    ],
)
def test_an_alarm_tells_somebody(properties: dict[str, Any], found: list[str]) -> None:
    assert said("E9593", alarm(**properties)) == found


@pytest.mark.parametrize("rule", [sub("ALARM(${Alarm})"), sub("ALARM(${Alarm.Arn})"), "ALARM(payments-down)"])
def test_an_alarm_may_speak_through_a_composite_one(rule: Any) -> None:
    whole = resource("AWS::CloudWatch::CompositeAlarm", AlarmRule=rule, AlarmActions=[ref("Topic")])
    assert said("E9593", {**alarm(AlarmName="payments-down"), "Whole": whole}) == []
    silent = resource("AWS::CloudWatch::CompositeAlarm", AlarmRule=rule)
    assert said("E9593", {**alarm(AlarmName="payments-down"), "Whole": silent}) == ["Whole"]


QUEUES = {
    "Dead": resource("AWS::SQS::Queue", QueueName="dead"),
    "Queue": resource("AWS::SQS::Queue", RedrivePolicy={"deadLetterTargetArn": att("Dead")}),
}
DEPTH = "ApproximateNumberOfMessagesVisible"


@pytest.mark.parametrize(
    ("metric", "found"),
    [
        (watching("AWS/SQS", DEPTH, QueueName="dead"), []),
        (watching("AWS/SQS", DEPTH, QueueName=att("Dead", "QueueName")), []),
        (watching("AWS/SQS", "NumberOfMessagesSent", QueueName="dead"), ["Dead"]),
        (watching("AWS/SQS", DEPTH, QueueName="other"), ["Dead"]),
        (watching("Payments", DEPTH, QueueName="dead"), ["Dead"]),
        (watching("AWS/SQS", DEPTH, Queue="dead"), ["Dead"]),
    ],
)
def test_a_dead_letter_queue_is_watched(metric: dict[str, Any], found: list[str]) -> None:
    assert said("E9594", {**QUEUES, **alarm(**metric)}) == found


@pytest.mark.parametrize(
    "sender",
    [
        resource("AWS::SQS::Queue", RedrivePolicy='{"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:111122223333:dead"}'),
        resource("AWS::Lambda::Function", DeadLetterConfig={"TargetArn": att("Dead")}),
        resource("AWS::Lambda::EventInvokeConfig", DestinationConfig={"OnFailure": {"Destination": att("Dead")}}),
        resource("AWS::Lambda::EventSourceMapping", DestinationConfig={"OnFailure": {"Destination": att("Dead")}}),
        resource("AWS::Events::Rule", Targets=[{"Arn": "x", "DeadLetterConfig": {"Arn": att("Dead")}}]),
        resource("AWS::SNS::Subscription", RedrivePolicy={"deadLetterTargetArn": sub("${Dead.Arn}")}),
        resource("AWS::Scheduler::Schedule", Target={"DeadLetterConfig": {"Arn": either(NOTHING, att("Dead"))}}),
    ],
)
def test_whatever_sends_the_dead_letters(sender: dict[str, Any]) -> None:
    assert said("E9594", {"Dead": QUEUES["Dead"], "Sender": sender}) == ["Dead"]


def test_a_queue_without_dead_letters_needs_no_alarm() -> None:
    assert said("E9594", {"Dead": QUEUES["Dead"]}) == []


PRODUCTION = {"Metadata": {"Paycli": {"Environment": "prod", "RetainData": True}}}


def topic(*others: dict[str, Any], **properties: Any) -> dict[str, Any]:
    named = {f"Other{number}": other for number, other in enumerate(others)}
    return {"Topic": resource("AWS::SNS::Topic", **properties), **alarm(AlarmActions=[ref("Topic")]), **named}


def subscription(**properties: Any) -> dict[str, Any]:
    return resource("AWS::SNS::Subscription", **{"TopicArn": ref("Topic"), "Protocol": "email", **properties})


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        (topic(), ["Topic"]),
        (topic(subscription()), []),
        (topic(subscription(TopicArn=ref("Another"))), ["Topic"]),
        (topic({**subscription(), "Condition": "Told"}), ["Topic"]),
        (topic(Subscription=[{"Protocol": "email", "Endpoint": "on-call@example.com"}]), []),
        (topic(Subscription=[]), ["Topic"]),
        (topic(Subscription=[either({"Protocol": "email"}, NOTHING)]), ["Topic"]),
        (topic(resource("AWS::Chatbot::SlackChannelConfiguration", SnsTopicArns=[ref("Topic")])), []),
        ({"Topic": resource("AWS::SNS::Topic")}, []),
    ],
)
def test_production_has_a_listener(resources: dict[str, Any], found: list[str]) -> None:
    assert said("W9595", resources, **PRODUCTION) == found
    assert said("W9595", resources) == []


def guard(**elements: Any) -> dict[str, Any]:
    wanted = {"Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish", "Resource": ref("Topic")}
    return resource(
        "AWS::SNS::TopicPolicy", Topics=[ref("Topic")], PolicyDocument=policy(statement(**{**wanted, **elements}))
    )


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        (topic(), []),
        (topic(guard()), []),
        (topic(guard(Principal={"AWS": "*"})), []),
        (topic(guard(Action="sns:*")), []),
        (topic(guard(Effect="Deny")), ["Topic"]),
        (topic(guard(Action="sns:Subscribe")), ["Topic"]),
        (topic(guard(Principal={"Service": "events.amazonaws.com"})), ["Topic"]),
        ({"Topic": resource("AWS::SNS::Topic"), "Guard": guard(Effect="Deny")}, []),
    ],
)
def test_a_topic_lets_cloudwatch_publish(resources: dict[str, Any], found: list[str]) -> None:
    assert said("E9596", resources) == found


def key(*actions: str, service: str = "cloudwatch.amazonaws.com") -> dict[str, Any]:
    return resource(
        "AWS::KMS::Key",
        KeyPolicy=policy(
            *(statement(Principal={"Service": service}, Action=action, Resource="*") for action in actions)
        ),
    )


@pytest.mark.parametrize("name", [ref("Other0"), att("Other0"), "alias/payments", sub("alias/payments"), ref("Other1")])
@pytest.mark.parametrize(
    ("made", "found"),
    [
        (key("kms:Decrypt", "kms:GenerateDataKey"), []),
        (key("kms:Decrypt", "kms:GenerateDataKey*"), []),
        (key("kms:*"), []),
        (key("kms:Decrypt"), ["Other0"]),
        (key("kms:Decrypt", "kms:GenerateDataKey", service="sns.amazonaws.com"), ["Other0"]),
    ],
)
def test_a_key_lets_cloudwatch_encrypt(name: Any, made: dict[str, Any], found: list[str]) -> None:
    alias = resource("AWS::KMS::Alias", AliasName="alias/payments", TargetKeyId=ref("Other0"))
    assert said("E9596", topic(made, alias, KmsMasterKeyId=name)) == found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("alias/aws/sns", ["Topic"]),
        (sub("arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:alias/aws/sns"), ["Topic"]),
        ({"Fn::ImportValue": "key"}, []),
    ],
)
def test_the_key_of_aws_shuts_cloudwatch_out(name: Any, found: list[str]) -> None:
    assert said("E9596", topic(KmsMasterKeyId=name)) == found
