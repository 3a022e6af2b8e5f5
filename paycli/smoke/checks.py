"""Every check of a deployed stack, in the order in which the results are shown."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from paycli.smoke.failed_queue import check_failed_queue
from paycli.smoke.functions import check_functions
from paycli.smoke.gateway import (
    check_bad_payment,
    check_health,
    check_throttling,
    check_unauthenticated,
    check_unknown_payment,
)
from paycli.smoke.monitoring import check_alarms, check_dashboard, check_topic
from paycli.smoke.table import check_table
from paycli.smoke.workflow import check_workflow

if TYPE_CHECKING:
    from collections.abc import Callable

    from paycli.smoke.session import Session


@dataclass(frozen=True)
class Check:
    """One question about the stack; `run` returns what is worth knowing, or raises CheckFailed."""

    name: str
    title: str
    run: "Callable[[Session], str]"


CHECKS = (
    Check("table", "The table is active, with point-in-time recovery", check_table),
    Check("functions", "The functions are active, with the deployed code", check_functions),
    Check("health", "GET /health answers", check_health),
    Check("workflow", "A payment is validated, then processed once", check_workflow),
    Check("bad-payment", "A payment of 10.001 USD gets 400", check_bad_payment),
    Check("unknown-payment", "Processing an unknown payment gets 404", check_unknown_payment),
    Check(
        "unauthenticated",
        "A caller without credentials gets what the authorization says",
        check_unauthenticated,
    ),
    Check("failed-queue", "A refused payment reaches the failed-transactions queue", check_failed_queue),
    Check("throttling", "The stage's limits are the environment's", check_throttling),
    Check("topic", "The alarm topic exists", check_topic),
    Check("alarms", "The alarms publish to the topic", check_alarms),
    Check("dashboard", "The dashboard exists", check_dashboard),
)
