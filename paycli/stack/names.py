"""Names that several rooms share. A physical name with the environment as suffix: `Environment.named`."""

STAGE_NAME = "v1"

# Of the metrics that the handlers emit.
METRIC_NAMESPACE = "PaymentAPI"
