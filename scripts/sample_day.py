"""A day that never was, for the dashboard's image: two deploys, a caller's bad noon, a throttled table in the evening.

Everything follows from the seeds, so that the same dashboard gives the same image.
"""

import math
from collections.abc import Callable
from random import Random

PERIODS = 96  # of a quarter of an hour
DEPLOYS = {38: 41, 60: 42}  # in which period, and the number on record
NOON = range(48, 52)  # a caller sends what the contract refuses
THROTTLED = 85  # the period from which the table is throttled, up to the end of the day
ALARMING = ("api-5xx", "dynamodb-throttle", "processing-errors", "validation-errors")  # at the end of the day

Value = float | None


def series(metric: str, of: str, statistic: str) -> list[Value]:
    """Return the day's values of a metric of the thing `of`, such as a queue; None where CloudWatch would have none.

    A metric that isn't known here gets some traffic.
    """
    values: Callable[[str, str, int], Value] = _METRICS.get(metric, lambda _of, _statistic, now: _flow(now) / 10)
    noise = Random(f"{metric} {of}")  # noqa: S311 - no secret
    day = [values(of, statistic, now) for now in range(PERIODS)]
    if metric in _EXACT:
        return day
    return [value and value * (0.92 + 0.16 * noise.random()) for value in day]


def alarm_state(name: str) -> str:
    """Return how an alarm of that name, which ends in the environment's, stands at the end of the day."""
    return "ALARM" if name.startswith(ALARMING) else "OK"


def log_rows() -> list[dict[str, str]]:
    """Return what a query over the payment functions' logs counts, most first: all fields that it may group by."""
    rejected = sum(value or 0 for value in series("PaymentsRejected", "", "Sum"))
    rows = [("validate", "invalid_request", "rejected", 0.71 * rejected)]
    rows += [("process", "payment_not_found", "rejected", 0.19 * rejected)]
    rows += [("validate", "idempotency_key_reused", "rejected", 0.07 * rejected)]
    rows += [("process", "payment_expired", "rejected", 0.03 * rejected)]
    for operation, of in (("validate", "payment-validation"), ("process", "payment-processing")):
        faults = sum(value or 0 for value in series("Faults", of, "Sum"))
        rows.append((operation, "temporarily_unavailable", "ThrottlingException", faults))
    return [
        {"operation": operation, "code": code, "cause": cause, "requests": f"{round(count)}"}
        for operation, code, cause, count in sorted(rows, key=lambda row: -row[3])
    ]


def _flow(now: int) -> float:
    """Return how many payments begin in a period."""
    daylight = math.sin(math.pi * (now - 20) / 80) if now > 20 else 0
    return 70 + 600 * max(0, daylight) + (450 if now >= THROTTLED - 2 else 0)


def _pressure(now: int) -> float:
    """Return how throttled the table is, from 0 to 1."""
    return max(0.0, min(1.0, (now - THROTTLED + 1) / 3))


def _latency(_of: str, statistic: str, now: int) -> float:
    usual, throttled = {"p50": (16, 12), "p90": (34, 160)}.get(statistic, (92, 940))
    cold_starts = 320 if statistic == "p99" and now in DEPLOYS else 0
    return usual * (1 + _flow(now) / 4000) + throttled * _pressure(now) + cold_starts


def _rejected(_of: str, _statistic: str, now: int) -> float:
    return _flow(now) * (0.16 if now in NOON else 0.02)


def _faults(of: str, _statistic: str, now: int) -> float:
    return _flow(now) * _pressure(now) * (0.3 if of.startswith("payment-validation") else 0.2)


def _waiting(of: str, _statistic: str, now: int) -> float:
    """Messages pile up in the one queue, and are replayed at half past eight."""
    if not of.startswith("failed-transactions-") or "dlq" in of:
        return 0
    since = range(34, now + 1) if now >= 34 else range(now + 1)
    return 12 + sum(_rejected(of, "", then) + 1.6 * _faults(of, "", then) for then in since)


def _runs(of: str, _statistic: str, now: int) -> float:
    return 15 if of.startswith("health") else _flow(now)


_EXACT = {"Deploys", "HealthState", "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"}
_METRICS: dict[str, Callable[[str, str, int], Value]] = {
    "PaymentsValidated": lambda _of, _statistic, now: _flow(now) * (1 - 0.35 * _pressure(now)),
    "PaymentsProcessed": lambda _of, _statistic, now: _flow(now) * (0.93 - 0.4 * _pressure(now)),
    "PaymentsReplayed": lambda _of, _statistic, now: _flow(now) * (0.03 + 0.2 * _pressure(now)),
    "PaymentsRejected": _rejected,
    "Faults": _faults,
    "Deploys": lambda _of, _statistic, now: DEPLOYS.get(now),
    "HealthState": lambda _of, _statistic, now: 3 if now > THROTTLED else 0,
    "Count": lambda _of, _statistic, now: 2 * _flow(now) + 30,
    "4XXError": _rejected,
    "5XXError": lambda _of, _statistic, now: _faults("payment-validation", "", now) + _faults("", "", now),
    "Latency": _latency,
    "IntegrationLatency": lambda of, statistic, now: 0.9 * _latency(of, statistic, now),
    "Invocations": _runs,
    "Errors": lambda _of, _statistic, _now: 0,
    "Duration": lambda of, statistic, now: 190 if of.startswith("health") else 0.8 * _latency(of, statistic, now),
    "ConcurrentExecutions": lambda of, _statistic, now: 1 + _runs(of, "", now) / 90 * (1 + 2 * _pressure(now)),
    "Throttles": lambda _of, _statistic, _now: 0,
    "ConsumedReadCapacityUnits": lambda _of, _statistic, now: _flow(now) / 12,
    "ConsumedWriteCapacityUnits": lambda _of, _statistic, now: 2 * _flow(now) * (1 - 0.3 * _pressure(now)),
    "SuccessfulRequestLatency": lambda of, _statistic, now: (9 if of == "PutItem" else 7) + 65 * _pressure(now),
    "ReadThrottleEvents": lambda _of, _statistic, _now: 0,
    "WriteThrottleEvents": lambda _of, _statistic, now: 1.4 * _faults("", "", now),
    "SystemErrors": lambda _of, _statistic, _now: 0,
    "ApproximateNumberOfMessagesVisible": _waiting,
    "ApproximateAgeOfOldestMessage": lambda _of, _statistic, now: 900 * (now - 33 if now >= 34 else now + 8),
    "BlockedRequests": lambda of, _statistic, now: 40 if of.startswith("rate") and 12 <= now < 15 else 2,
}
