"""What the functions and the API have logged, merged by time.

It is read by FilterLogEvents: nothing is paid for what it looks through, a line can be read seconds after it was
written, and each has an id by which it is known again. Logs Insights bills each GB that a query scans, and answers by
polling. Live Tail bills by the minute, and samples what is more than 500 lines a second.
https://aws.amazon.com/cloudwatch/pricing/
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LiveTailSessionUpdate.html
"""
