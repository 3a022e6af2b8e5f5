"""When the health monitor calls the API degraded, and when critical."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paycli.environment import Alarms

# Days after which SQS drops a message, less one: critical must be said while there is time to act.
LAST_DAYS = 13


def health_thresholds(alarms: "Alarms") -> str:
    """Return {check: [degraded, critical]} as JSON; each value is in the unit that ends the check's name.

    Degraded begins where the alarm on the same metric does, if there is one.
    """
    oldest = alarms.failed_queue_age_hours * 3600
    thresholds: dict[str, list[float]] = {
        "api_5xx_percent": [alarms.api_5xx_percent, min(5 * alarms.api_5xx_percent, 100)],
        "api_latency_p99_ms": [alarms.latency_p99_ms, 2 * alarms.latency_p99_ms],
        "validation_errors_percent": [1, 5],
        "processing_errors_percent": [1, 5],
        "table_throttles": [alarms.throttles, 10 * alarms.throttles],
        "queue_oldest_seconds": [oldest, min(2 * oldest, LAST_DAYS * 24 * 3600)],
        "dead_letter_depth": [1, 10],
    }
    return json.dumps(thresholds, separators=(",", ":"))
