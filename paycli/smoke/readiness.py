"""Waiting for a stack that has just been deployed: parts of it may still be settling."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from paycli.api_client import Answer
from paycli.smoke.patience import Patience
from paycli.smoke.payment_api import PaymentApi, document, unexpected
from paycli.smoke.result import CheckFailed, NotYet

FUNCTIONS = ("ValidationFunctionName", "ProcessingFunctionName", "HealthMonitorFunctionName")


def table_active(patience: Patience, dynamodb: Any, name: str) -> dict[str, Any]:
    """Return the table's description once it is ACTIVE (UPDATING serves requests too)."""

    def attempt() -> dict[str, Any]:
        try:
            table: dict[str, Any] = dynamodb.describe_table(TableName=name)["Table"]
        except dynamodb.exceptions.ResourceNotFoundException:
            raise CheckFailed(f"the table {name}", "no such table") from None
        if table["TableStatus"] not in {"ACTIVE", "UPDATING"}:
            raise NotYet(f"the table {name} ACTIVE", str(table["TableStatus"]))
        return table

    return patience.until(attempt)


def functions_settled(patience: Patience, client: Any, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the functions' configurations once each is Active with its last update done."""
    return [patience.until(partial(_settled, client, name)) for name in names]


def _settled(client: Any, name: str) -> dict[str, Any]:
    try:
        function: dict[str, Any] = client.get_function_configuration(FunctionName=name)
    except client.exceptions.ResourceNotFoundException:
        raise CheckFailed(f"the function {name}", "no such function") from None
    state, update = function.get("State", "unknown"), function.get("LastUpdateStatus", "unknown")
    if (state, update) == ("Active", "Successful"):
        return function
    reason = function.get("StateReason") or function.get("LastUpdateStatusReason") or ""
    # Inactive: idle for weeks, wakes at the next call. https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
    outcome = CheckFailed if "Failed" in {state, update} else NotYet
    raise outcome(f"{name} Active, last update Successful", f"{state}, last update {update}", reason)


def api_answers(patience: Patience, api: PaymentApi, *, signed: bool) -> Answer:
    """Return the answer to GET /health once it comes from the function behind it, whatever it says."""

    def attempt() -> Answer:
        answer = api.ask("GET", "health")
        if answer.status == 200 or document(answer).get("status") == "critical":
            return answer
        raise unexpected(answer, "200 from GET /health", signed=signed)

    return patience.until(attempt)
