"""Names that several rooms share. A physical name with the environment as suffix: `Environment.named`."""

STAGE_NAME = "v1"

# Of the metrics that the handlers emit.
METRIC_NAMESPACE = "PaymentAPI"

# Of the metric that counts deploys. A namespace of its own: who may deploy dev writes nothing that an alarm watches.
DEPLOYS_NAMESPACE = f"{METRIC_NAMESPACE}/Deploys"
DEPLOYS_METRIC = "Deploys"
