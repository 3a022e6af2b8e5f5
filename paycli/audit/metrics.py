"""What AWS's services measure: which metric has data under which dimensions.

As documented in November 2026:
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-logging.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
"""

# Sets of dimensions, sorted, one after a "|"; an empty one is the metric of the whole account.
_REST = "ApiName|ApiName Stage|ApiName Method Resource Stage"
_HTTP = "ApiId|ApiId Stage|ApiId Method Resource Stage"
_WEBSOCKET = "ApiId|ApiId Stage|ApiId Route Stage"
_FUNCTION = "|FunctionName|FunctionName Resource|ExecutedVersion FunctionName|ExecutedVersion FunctionName Resource"
_TABLE = "TableName|GlobalSecondaryIndexName TableName"
_OPERATION = "Operation TableName"

_DATA: dict[str, dict[str, str]] = {
    "AWS/ApiGateway": {
        "4XXError 5XXError CacheHitCount CacheMissCount": _REST,
        "4xx 5xx DataProcessed": _HTTP,
        "Count Latency": f"{_REST}|{_HTTP}",
        "IntegrationLatency": f"{_REST}|{_HTTP}|{_WEBSOCKET}",
        "ConnectCount MessageCount IntegrationError ClientError ExecutionError": _WEBSOCKET,
    },
    "AWS/Lambda": {
        "Invocations Errors Throttles Duration ConcurrentExecutions DeadLetterErrors DestinationDeliveryFailures "
        "ProvisionedConcurrencyInvocations ProvisionedConcurrencySpilloverInvocations RecursiveInvocationsDropped "
        "PostRuntimeExtensionsDuration IteratorAge OffsetLag ProvisionedConcurrentExecutions "
        "ProvisionedConcurrencyUtilization AsyncEventsReceived AsyncEventAge AsyncEventsDropped "
        "OversizedRecordCount SignatureValidationErrors": _FUNCTION,
        "UnreservedConcurrentExecutions ClaimedAccountConcurrency": "",
        "PolledEventCount FilteredOutEventCount InvokedEventCount FailedInvokeEventCount DroppedEventCount "
        "OnFailureDestinationDeliveredEventCount DeletedEventCount": "EventSourceMappingUUID",
    },
    "AWS/DynamoDB": {
        "SuccessfulRequestLatency SystemErrors ThrottledRequests ReturnedItemCount "
        "FaultInjectionServiceInducedErrors": _OPERATION,
        "ReturnedBytes ReturnedRecordsCount": "Operation StreamLabel TableName",
        "ConditionalCheckFailedRequests TimeToLiveDeletedItemCount TransactionConflict": "TableName",
        "ConsumedReadCapacityUnits ConsumedWriteCapacityUnits ProvisionedReadCapacityUnits "
        "ProvisionedWriteCapacityUnits OnDemandMaxReadRequestUnits OnDemandMaxWriteRequestUnits ReadThrottleEvents "
        "WriteThrottleEvents ReadAccountLimitThrottleEvents WriteAccountLimitThrottleEvents "
        "ReadKeyRangeThroughputThrottleEvents WriteKeyRangeThroughputThrottleEvents "
        "ReadMaxOnDemandThroughputThrottleEvents WriteMaxOnDemandThroughputThrottleEvents "
        "ReadProvisionedThroughputThrottleEvents WriteProvisionedThroughputThrottleEvents": _TABLE,
        "OnlineIndexConsumedWriteCapacity OnlineIndexPercentageProgress "
        "OnlineIndexThrottleEvents": "GlobalSecondaryIndexName TableName",
        "ReplicationLatency PendingReplicationCount": "ReceivingRegion TableName",
        "AgeOfOldestUnreplicatedRecord ConsumedChangeDataCaptureUnits FailedToReplicateRecordCount "
        "ThrottledPutRecordCount": "DelegatedOperation TableName",
        "AccountMaxReads AccountMaxTableLevelReads AccountMaxTableLevelWrites AccountMaxWrites "
        "AccountProvisionedReadCapacityUtilization AccountProvisionedWriteCapacityUtilization "
        "MaxProvisionedTableReadCapacityUtilization MaxProvisionedTableWriteCapacityUtilization UserErrors": "",
    },
    "AWS/SQS": {
        "ApproximateAgeOfOldestMessage ApproximateAgeOfOldestMessageInQuietGroups ApproximateNumberOfMessagesDelayed "
        "ApproximateNumberOfMessagesDelayedInQuietGroups ApproximateNumberOfMessagesNotVisible "
        "ApproximateNumberOfMessagesNotVisibleInQuietGroups ApproximateNumberOfMessagesVisible "
        "ApproximateNumberOfMessagesVisibleInQuietGroups ApproximateNumberOfGroupsWithInflightMessages "
        "ApproximateNumberOfNoisyGroups NumberOfDeduplicatedSentMessages NumberOfEmptyReceives "
        "NumberOfMessagesDeleted NumberOfMessagesReceived NumberOfMessagesSent SentMessageSize": "QueueName",
    },
    "AWS/SNS": {
        "NumberOfMessagesPublished NumberOfNotificationsDelivered NumberOfNotificationsFailed "
        "NumberOfNotificationsFailedToRedriveToDlq NumberOfNotificationsFilteredOut "
        "NumberOfNotificationsFilteredOut-InvalidAttributes NumberOfNotificationsFilteredOut-InvalidMessageBody "
        "NumberOfNotificationsFilteredOut-MessageAttributes NumberOfNotificationsFilteredOut-MessageBody "
        "NumberOfNotificationsFilteredOut-NoMessageAttributes NumberOfNotificationsRedrivenToDlq "
        "PublishSize": "TopicName",
        "SMSMonthToDateSpentUSD": "",
        "SMSSuccessRate": "|Country|SMSType|PhoneNumber|Country SMSType",
    },
}


def no_data(namespace: str, metric: str, dimensions: set[str]) -> str | None:
    """Say why a metric has no data under these dimensions; None where it has, or where the namespace isn't known."""
    metrics = _DATA.get(namespace)
    if metrics is None:
        return None
    sets = next((sets for names, sets in metrics.items() if metric in names.split()), None)
    if sets is None:
        return f"{metric} is none of the metrics that {namespace} documents"
    if " ".join(sorted(dimensions)) in sets.split("|"):
        return None
    given = ", ".join(sorted(dimensions)) or "no dimension"
    wanted = " or ".join(", ".join(choice.split()) or "none" for choice in sets.split("|"))
    return f"{namespace} {metric} has no data under {given}, only under {wanted}"
