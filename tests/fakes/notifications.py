"""CloudWatch's alarms, an SNS topic and SQS queues in memory, beside the tables: what the rehearsals call.

An alarm that goes to ALARM publishes to its topic; each subscribed queue gets it where its policy lets the topic in.
"""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from paycli.environment import Environment
from paycli.stack.monitoring import watches
from tests.fakes.tables import KEY, Table, Tables, live_table
from tests.unit.smoke.smoke_stack import AwsError

TOPIC = "arn:aws:sns:us-east-1:123456789012:payment-alarms-test"
URLS = "https://sqs.us-east-1.amazonaws.com/123456789012"
EMAIL = {
    "SubscriptionArn": f"{TOPIC}:1",
    "Protocol": "email",
    "Endpoint": "on-call@example.com",
    "TopicArn": TOPIC,
    "Owner": "123456789012",
}


class Account(Tables):
    """A deployed environment, on which all is well; a test replaces what isn't."""

    def __init__(self, name: str = "test", *tables: Table) -> None:
        super().__init__(*(tables or (live_table(f"transactions-{name}"),)))
        environment = Environment(name=name)
        self.alarms = {
            environment.named(watch.part): {
                "AlarmName": environment.named(watch.part),
                "StateValue": "OK",
                "ActionsEnabled": True,
                "AlarmActions": [TOPIC],
            }
            for watch in watches(environment)
        }
        self.subscriptions: list[dict[str, str]] = [dict(EMAIL)]
        self.queues: dict[str, dict[str, Any]] = {}
        self.queue_tags: dict[str, dict[str, str]] = {}
        self.messages: dict[str, list[str]] = {}
        self.raised: list[dict[str, str]] = []
        self.silent: set[str] = set()  # alarms whose notifications get lost
        self.queue_attributes = {
            f"failed-transactions-{name}": {
                "RedrivePolicy": json.dumps(
                    {"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:1:failed-transactions-dlq-{name}"}
                )
            },
            f"failed-transactions-dlq-{name}": {"MessageRetentionPeriod": str(14 * 86400)},
        }
        self.key_state = "Enabled"
        self.points: list[dict[str, Any]] = []
        self.denied: Counter[str] = Counter()
        self.stack: dict[str, Any] = {
            "StackName": environment.stack_name,
            "StackId": f"arn:aws:cloudformation:us-east-1:123456789012:stack/{environment.stack_name}/1",
            "Tags": [{"Key": "ManagedBy", "Value": "paycli"}],
            "StackStatus": "UPDATE_COMPLETE",
            "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
            "EnableTerminationProtection": False,
            "Outputs": [
                {"OutputKey": key, "OutputValue": value}
                for key, value in {
                    "AlarmTopicArn": TOPIC,
                    "KeyArn": KEY,
                    "FailedTransactionsQueueUrl": f"{URLS}/failed-transactions-{name}",
                    "RestApiId": "abc",
                    "StageName": "v1",
                }.items()
            ],
        }
        self.operations |= {
            operation: self._refusable(operation, answer)
            for operation, answer in {
                "DescribeStacks": lambda _: {"Stacks": [self.stack]},
                "DescribeAlarms": self._describe_alarms,
                "SetAlarmState": self._set_alarm_state,
                "ListSubscriptionsByTopic": lambda _: {"Subscriptions": self.subscriptions},
                "Subscribe": self._subscribe,
                "Unsubscribe": self._unsubscribe,
                "CreateQueue": self._create_queue,
                "DeleteQueue": self._delete_queue,
                "ListQueues": self._list_queues,
                "ReceiveMessage": self._receive,
                "DeleteMessage": lambda _: {},
                "GetQueueAttributes": self._get_queue_attributes,
                "DescribeKey": lambda p: {"KeyMetadata": {"KeyId": p["KeyId"], "KeyState": self.key_state}},
                "ListRecoveryPointsByBackupVault": lambda _: {"RecoveryPoints": self.points},
            }.items()
        }

    def _refusable(self, name: str, operation: Any) -> Any:
        def run(params: dict[str, Any]) -> Any:
            if self.denied[name]:
                self.denied[name] -= 1
                raise AwsError("AccessDenied", f"{name} is not for you")
            return operation(params)

        return run

    def _describe_alarms(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"MetricAlarms": [self.alarms[name] for name in params["AlarmNames"] if name in self.alarms]}

    def _set_alarm_state(self, params: dict[str, Any]) -> dict[str, Any]:
        alarm: dict[str, Any] = self.alarms[params["AlarmName"]]
        changed = alarm["StateValue"] != params["StateValue"]
        alarm |= {"StateValue": params["StateValue"], "StateReason": params["StateReason"]}
        alarm.pop("StateReasonData", None)
        if "StateReasonData" in params:
            alarm["StateReasonData"] = params["StateReasonData"]
        self.raised.append(params)
        if changed and params["AlarmName"] not in self.silent:
            said = {
                "AlarmName": params["AlarmName"],
                "NewStateValue": params["StateValue"],
                "NewStateReason": params["StateReason"],
            }
            self.publish(json.dumps(said))
        return {}

    def publish(self, body: str) -> None:
        for subscription in self.subscriptions:
            name = subscription["Endpoint"].rpartition(":")[2]
            if subscription["Protocol"] == "sqs" and name in self.queues:
                policy = json.loads(self.queues[name]["Policy"])
                assert policy["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"] == TOPIC
                assert policy["Statement"][0]["Resource"] == subscription["Endpoint"]
                self.messages.setdefault(name, []).append(body)

    def _subscribe(self, params: dict[str, Any]) -> dict[str, Any]:
        arn = f"{TOPIC}:{len(self.subscriptions) + 1}"
        made = {"SubscriptionArn": arn, "Protocol": params["Protocol"], "Endpoint": params["Endpoint"]}
        self.subscriptions.append({**made, "TopicArn": TOPIC, "Owner": "123456789012"})
        return {"SubscriptionArn": arn}

    def _unsubscribe(self, params: dict[str, Any]) -> dict[str, Any]:
        left = [each for each in self.subscriptions if each["SubscriptionArn"] != params["SubscriptionArn"]]
        if left == self.subscriptions:
            raise AwsError("NotFound", "Subscription does not exist")
        self.subscriptions = left
        return {}

    def _create_queue(self, params: dict[str, Any]) -> dict[str, Any]:
        self.queues[params["QueueName"]] = params["Attributes"]
        self.queue_tags[params["QueueName"]] = params["tags"]
        return {"QueueUrl": f"{URLS}/{params['QueueName']}"}

    def _delete_queue(self, params: dict[str, Any]) -> dict[str, Any]:
        if self.queues.pop(params["QueueUrl"].rpartition("/")[2], None) is None:
            raise AwsError("QueueDoesNotExist", "The specified queue does not exist.")
        return {}

    def _list_queues(self, params: dict[str, Any]) -> dict[str, Any]:
        found = [f"{URLS}/{name}" for name in self.queues if name.startswith(params["QueueNamePrefix"])]
        return {"QueueUrls": found} if found else {}

    def _receive(self, params: dict[str, Any]) -> dict[str, Any]:
        waiting = self.messages.get(params["QueueUrl"].rpartition("/")[2], [])
        taken = [waiting.pop() for _ in range(min(2, len(waiting)))]
        return {"Messages": [{"Body": body, "ReceiptHandle": "1"} for body in taken]} if taken else {}

    def _get_queue_attributes(self, params: dict[str, Any]) -> dict[str, Any]:
        found = self.queue_attributes[params["QueueUrl"].rpartition("/")[2]]
        return {"Attributes": found} if found else {}
