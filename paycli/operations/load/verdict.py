"""Whether a load test went well, in words and as a document."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from paycli.errors import PaycliError
from paycli.operations.load.run import Findings

_SHOWN = 5


def problems(findings: Findings, max_errors: float) -> Iterator[PaycliError]:
    """Yield what is wrong: with the payments first, then with the run; `max_errors` is a share in percent."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for discrepancy in findings.discrepancies:
        kinds[discrepancy.kind].append(discrepancy.about)
    for kind, about in kinds.items():
        more = f" and {len(about) - _SHOWN} more" if len(about) > _SHOWN else ""
        yield PaycliError(f"{len(about)} x {kind}: {', '.join(about[:_SHOWN])}{more}", code=kind)
    if findings.ending.lost:
        message = f"{findings.ending.lost} reports of workers are lost: what those sent can't be reconciled."
        yield PaycliError(message, code="reports_lost")
    measured = findings.measurements
    share = 100 * measured.failed / max(measured.sent, 1)
    if share > max_errors:
        message = f"{measured.failed} of {measured.sent} requests failed: {share:.1f} %, more than {max_errors:g} %."
        yield PaycliError(message, hint="--max-errors sets how many may.", code="too_many_errors")
    if not measured.sent and not findings.ending.interrupted:
        yield PaycliError("Nothing was sent.", hint="A longer --duration, or a higher --rate.", code="nothing_sent")
    for untidy in findings.untidy:
        yield PaycliError(untidy, code="cleanup_failed")


def document(findings: Findings) -> dict[str, Any]:
    """Return the findings as programs get them; times are seconds."""
    plan, records = findings.plan, findings.records
    return {
        "run": plan.run,
        "rate": plan.rate,
        "duration": plan.duration,
        "mix": dict(plan.mix),
        "seed": plan.seed,
        "interrupted": findings.ending.interrupted,
        **findings.measurements.summary(),
        "reconciliation": {
            "clean": not findings.discrepancies and not findings.ending.lost,
            "payments": findings.payments,
            "discrepancies": [asdict(discrepancy) for discrepancy in findings.discrepancies],
            "reports_lost": findings.ending.lost,
            "failures_expected": records.expected,
            "failures_counted_as_lost": records.lost,
            "failures_recorded": records.recorded,
            "queue_not_received_from": records.kept,
            "seconds": findings.reconciled_in,
        },
        "left_behind": findings.untidy,
        "ledger": str(findings.ledger) if findings.ledger else None,
    }
