"""Nothing travels in clear."""

from collections.abc import Iterator

from cfnlint.rules import RuleMatch

from paycli.audit.policies import Statement, attached
from paycli.audit.rule import AuditRule, finding
from paycli.audit.template import Resource, Stack, certain

# The actions that a statement must deny. A topic's policy knows single actions alone: Publish carries the message.
# https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html#enforce-encryption-data-in-transit
_EVERYTHING = {
    "AWS::SQS::Queue": ("*", "sqs:*"),
    "AWS::SNS::Topic": ("*", "sns:*", "sns:Publish"),
    "AWS::S3::Bucket": ("*", "s3:*"),
}


class PlainHttp(AuditRule):
    """A queue, topic or bucket answers without TLS."""

    id = "E9541"
    shortdesc = "A queue, topic or bucket accepts plain HTTP"
    description = "No policy denies everybody everything on it where aws:SecureTransport is false."
    why = "SQS, SNS and S3 answer plain HTTP; a client that is set up wrongly sends payment data in clear."
    requirement = "PCI DSS 4.2.1; AWS Security Hub S3.5; AWS Well-Architected SEC09-BP02"
    mend = 'Deny Principal "*" every action (a topic: sns:Publish) with Bool aws:SecureTransport "false".'
    source_url = (
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html"
    )
    tags = ("resources", "sqs", "sns", "s3")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each store without such a policy."""
        for store in stack.resources(*_EVERYTHING):
            refusing = [statement for statement in attached(stack, store) if _refuses_plain_http(statement, store)]
            if not certain(statement.node for statement in refusing):
                yield finding(store, f"{store.name} accepts plain HTTP: no policy denies it to everybody")


class OldTls(AuditRule):
    """The API still speaks TLS 1.0."""

    id = "W9542"
    shortdesc = "The API accepts TLS 1.0"
    description = "A REST API or its domain has no SecurityPolicy, or TLS_1_0."
    why = "Without a policy API Gateway takes TLS 1.0 and 1.1, which are broken and forbidden for card data."
    requirement = "PCI DSS 4.2.1; AWS Well-Architected SEC09-BP02"
    mend = "Set SecurityPolicy, such as SecurityPolicy_TLS13_1_2_2021_06."
    source_url = "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies.html"
    tags = ("resources", "apigateway")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each API and domain that accepts it; a private API doesn't."""
        for api in stack.resources("AWS::ApiGateway::RestApi", "AWS::ApiGateway::DomainName"):
            if any(node.text == "PRIVATE" for node in api.listed("EndpointConfiguration", "Types")):
                continue
            for node in api.get("SecurityPolicy"):
                if node.absent or node.text == "TLS_1_0":
                    yield finding(node, f"{api.name} accepts TLS 1.0")


class PlainHttpSubscription(AuditRule):
    """A message goes out in clear."""

    id = "E9543"
    shortdesc = "A topic sends to plain HTTP"
    description = "A subscription of a topic has the protocol http."
    why = "Each alarm or event crosses the internet in clear, and whoever is on the way reads or swallows it."
    requirement = "PCI DSS 4.2.1; AWS Well-Architected SEC09-BP02"
    mend = "Use https, and the endpoint's https address."
    source_url = "https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html"
    tags = ("resources", "sns")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each such subscription, of its own or within a topic."""
        subscriptions = [resource.here.get("Properties") for resource in stack.resources("AWS::SNS::Subscription")]
        subscriptions += [topic.listed("Subscription") for topic in stack.resources("AWS::SNS::Topic")]
        for protocol in (node for nodes in subscriptions for each in nodes for node in each.get("Protocol")):
            if protocol.text == "http":
                yield finding(protocol, "Messages are sent in clear: the protocol is http")


def _refuses_plain_http(statement: Statement, store: Resource) -> bool:
    tests = statement.conditions
    return (
        statement.denies
        and bool(statement.for_everybody)
        and statement.acts(*_EVERYTHING[store.type])
        and _covers(statement, store)
        # Any further test would let somebody through.
        and len(tests) == 1
        and tests[0].operator in {"Bool", "BoolIfExists"}
        and tests[0].key == "aws:securetransport"
        and [node.truth for node in tests[0].values] == [False]
    )


def _covers(statement: Statement, store: Resource) -> bool:
    """Whether it is about the whole store: of a bucket both the bucket and its objects."""
    resources = [node.text or "" for node in statement.listed("Resource")]
    if "*" in resources:
        return True
    itself = any(store.is_called(text) for text in resources)
    objects = any(text.endswith("/*") and store.is_called(text.removesuffix("/*")) for text in resources)
    return itself and (objects or store.type != "AWS::S3::Bucket")
