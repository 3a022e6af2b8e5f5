"""The one log line of a request: its fields, its metrics, and what never is in it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.unit.handlers.payment_fakes import VALID, Api, Context, Fault, event, function, invoke

ALLOWED = set(
    """operation request_id api_request_id trace_id transaction_id cold_start outcome code status duration_ms error
    error_at aws_code queue_error Environment FunctionName Currency _aws PaymentsValidated PaymentsProcessed
    PaymentsRejected PaymentsReplayed Faults FailureMessagesLost""".split()
)
BY_CURRENCY = [["Environment", "Currency"], ["Environment"]]


def metrics(log: dict[str, Any]) -> dict[str, list[list[str]]]:
    """Return the metrics of a line with their dimensions, checked against the format's rules."""
    found = {}
    for directive in log.get("_aws", {}).get("CloudWatchMetrics", []):
        assert directive["Namespace"] == "PaymentAPI"
        for metric in directive["Metrics"]:
            assert isinstance(log[metric["Name"]], int)
            assert metric["Unit"] == "Count"
            found[metric["Name"]] = directive["Dimensions"]
        for dimension in (each for group in directive["Dimensions"] for each in group):
            assert isinstance(log[dimension], str)
    return found


def test_a_line_carries_the_ids_the_outcome_and_the_duration(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = "1-67891233-abcdef012345678912345678"
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={trace};Parent=53995c3f42cd8ad8;Sampled=1")
    reply = Api().validate(context=Context("request-1"))
    log = reply.log
    assert log["operation"] == "validate"
    assert log["request_id"] == "request-1"
    assert log["api_request_id"] == "0f0e0d0c-0b0a-4988-8766-554433221100"
    assert log["trace_id"] == trace
    assert log["transaction_id"] == reply.body["transaction_id"]
    assert (log["outcome"], log["status"], log["Currency"]) == ("validated", 200, "USD")
    assert 0 < log["duration_ms"] < 10_000
    assert metrics(log) == {"PaymentsValidated": BY_CURRENCY}
    assert abs(log["_aws"]["Timestamp"] / 1000 - time.time()) < 60


def test_only_the_first_request_of_a_process_is_a_cold_start() -> None:
    api = Api()
    api.validate()
    assert api.validate().log["cold_start"] is False
    assert api.process("unknown").log["cold_start"] is False


def test_the_metrics_of_each_outcome() -> None:
    api = Api(attempts=1)
    id_ = api.validate(key="k").body["transaction_id"]
    assert metrics(api.process(id_).log) == {"PaymentsProcessed": BY_CURRENCY}
    assert metrics(api.process(id_).log) == {"PaymentsReplayed": BY_CURRENCY}
    assert metrics(api.validate(key="k").log) == {"PaymentsReplayed": BY_CURRENCY}
    assert metrics(api.validate({**VALID, "amount": 0}).log) == {"PaymentsRejected": BY_CURRENCY}
    assert metrics(api.validate({**VALID, "currency": "XXX"}).log) == {"PaymentsRejected": [["Environment"]]}
    assert metrics(api.validate({**VALID, "amount": 1}, key="k").log) == {}
    assert metrics(api.process("unknown").log) == {}
    api.fault(Fault(503, "ServiceUnavailable"), Fault(400, "AccessDeniedException"))
    assert metrics(api.validate().log) == {"Faults": [["FunctionName"]]}
    assert metrics(api.process(id_).log) == {"Faults": [["FunctionName"]]}
    api.fault(Fault(503, "ServiceUnavailable"))
    api.fault(Fault(), service="SQS")
    assert metrics(api.validate().log) == {"Faults": [["FunctionName"]], "FailureMessagesLost": [["Environment"]]}


def test_an_error_says_what_it_was_and_where() -> None:
    api = Api(attempts=1)
    api.fault(Fault(400, "ThrottlingException"))
    log = api.validate().log
    assert (log["error"], log["aws_code"], log["outcome"]) == ("ThrottlingException", "ThrottlingException", "error")
    assert log["error_at"].startswith("transactions.py:")
    api.fault(Fault(silence=0.5))
    log = api.process("txn_" + "a" * 32).log
    assert (log["error"], "aws_code" in log) == ("ReadTimeoutError", False)


@pytest.mark.parametrize("context", [{}, {"requestId": 7}, {"requestId": "4111111111111111"}, {"requestId": None}])
@pytest.mark.parametrize("trace", ["", "Root=4111111111111111"])
def test_ids_that_a_client_may_have_made_up_are_not_logged(
    context: dict[str, Any], trace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)
    log = Api().validate(requestContext=context).log
    assert "4111111111111111" not in json.dumps(log)
    assert not {"trace_id", "api_request_id"} & log.keys()


def test_an_id_that_is_none_of_ours_is_not_logged() -> None:
    api = Api()
    assert "transaction_id" not in api.process("somebody-elses").log
    assert api.process("txn_" + "a" * 32).log["transaction_id"] == "txn_" + "a" * 32


def test_no_field_is_logged_that_is_not_on_the_list() -> None:
    api = Api(attempts=1)
    body = {**VALID, "customer_id": "secret-1", "description": "secret-2", "reference": "secret-3", "amount": "7654.32"}
    logs = [api.validate(body, key="secret-4").log for _ in range(2)]
    logs.append(api.validate({**body, "amount": 1}, key="secret-4").log)
    logs.append(api.validate({**body, "amount": "secret-5"}).log)
    api.fault(Fault(503, "ServiceUnavailable"))
    api.fault(Fault(), service="SQS")
    logs.append(api.validate(body, key="secret-6").log)
    for log in logs:
        assert log.keys() <= ALLOWED
        text = json.dumps(log)
        assert not any(secret in text for secret in ("secret", "7654", "765432", "111122223333", "AROA"))


def test_without_a_context_the_request_still_has_an_id() -> None:
    module = function("processing")
    Api()
    result, log = invoke(lambda: module.handler(event("/process", {"transaction_id": "x"}), None))
    assert log["request_id"] == json.loads(result["body"])["request_id"]
    assert len(bytes.fromhex(log["request_id"])) == 16
