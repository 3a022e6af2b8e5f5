"""Small templates."""

from typing import Any

Json = dict[str, Any]


def table(name: str = "payments", **more: Any) -> Json:
    key = [{"AttributeName": "id", "KeyType": "HASH"}]
    return {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": name, "KeySchema": key, **more}}


def queue(**properties: Any) -> Json:
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def alarm(name: str = "errors", **properties: Any) -> Json:
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": name, **properties}}


def template(**resources: Json) -> Json:
    return {"Resources": resources}


def policy_of(logical_id: str) -> Json:
    """A queue policy that refers to a queue by Ref and by GetAtt."""
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [{"Ref": logical_id}],
            "PolicyDocument": {"Resource": {"Fn::GetAtt": [logical_id, "Arn"]}},
        },
    }
