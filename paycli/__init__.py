"""paycli generates, deploys, checks and operates the AWS stack of a payment-processing API."""

__version__ = "0.1.0"
