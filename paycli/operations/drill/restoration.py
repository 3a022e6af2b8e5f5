"""Rehearse a recovery: restore to a scratch table, compare it with the live one, measure, delete it."""

import dataclasses
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from paycli.errors import DetachedError, PaycliError
from paycli.operations.drill import leftovers
from paycli.operations.drill.report import Finding, Measured
from paycli.operations.restore import restoring, settings, tables
from paycli.operations.restore.comparison import Comparison, Pair, compare
from paycli.operations.restore.settings import Settings
from paycli.progress import Report, Step

if TYPE_CHECKING:
    from paycli.environment import Environment

_EMBEDDED = (
    "The embedded AWS restores the table as it is now, and at once: no recovery point and no recovery time can be "
    "measured on it."
)


def rehearse(dynamodb: Any, environment: "Environment", report: Report) -> Measured:
    """Restore the latest state, compare it, and delete the scratch table, whatever happens.

    The scratch table gets neither point-in-time recovery, which would leave a system backup of it for 35 days, nor
    deletion protection. AWS deletes no table that is being made: an interrupt before that leaves it, and says how to
    remove it.
    """
    earlier = leftovers.remove_tables(dynamodb, environment, report)
    measurable = environment.target == "aws"
    window = restoring.window(dynamodb, environment)
    wanted = restoring.live_settings(dynamodb, environment)
    began, started = datetime.now(UTC), time.monotonic()
    point = window.latest if measurable else began
    name = tables.new_name(environment, "drill", began)
    try:
        restoring.begin(dynamodb, environment, name, wanted, None)
    except KeyboardInterrupt:
        raise _interrupted(
            environment, f"AWS may be restoring {name}, and deletes no table before it is made"
        ) from None
    report(Step(f"Restoring {tables.live_name(environment)} as of {point:%Y-%m-%d %H:%M:%S} UTC to {name}"))
    try:
        scratch = dataclasses.replace(wanted, recovery=None, deletion_protection=False)
        restoring.finish(dynamodb, environment, "drill", name, scratch, point, report)
        restored = time.monotonic()
        complete = _complete(dynamodb, name, scratch, restored - started)
        comparison = compare(dynamodb, Pair(name, tables.live_name(environment), point), report)
        compared = time.monotonic()
        deleted = _deleted(dynamodb, environment, name, report)
        if earlier:  # AWS was still making them
            earlier = leftovers.remove_tables(dynamodb, environment, report)
    except BaseException as error:
        try:
            left = leftovers.remove_table(dynamodb, environment, name, report)
        except KeyboardInterrupt:
            raise _interrupted(environment, f"{name} may be left") from None
        if isinstance(error, KeyboardInterrupt):
            raise _interrupted(environment, left) from None
        if left and isinstance(error, PaycliError):
            error.hint = f"{error.hint} {left}: paycli drill cleanup --env {environment.name}"
        elif left:
            error.add_note(f"{left}: paycli drill cleanup --env {environment.name}.")
        raise
    findings = (complete, _same(comparison, compared - restored), deleted)
    if not measurable:
        return Measured(findings, notes=(_EMBEDDED, *earlier))
    return Measured(findings, (began - window.latest).total_seconds(), compared - started, tuple(earlier))


def _complete(dynamodb: Any, name: str, wanted: Settings, seconds: float) -> Finding:
    """Say whether the scratch table has the live one's key and expiry."""
    described = dynamodb.describe_table(TableName=name)["Table"]
    found = settings.of_table(dynamodb, described)
    lacks = [
        words
        for words, has, needs in (
            ("the key", found.key_arn, wanted.key_arn),
            ("the expiry", found.expires_by, wanted.expires_by),
        )
        if has != needs
    ]
    title = "The table is restored, with its key and expiry"
    if lacks:
        return Finding(title, "failed", f"{name} lacks {' and '.join(lacks)} of the live table.", seconds)
    return Finding(title, "passed", name, seconds)


def _same(comparison: Comparison, seconds: float) -> Finding:
    counts = ", ".join(f"{number:,} {kind.replace('_', ' ')}" for kind, number in comparison.counts.items() if number)
    title = "The restored payments are those of the live table"
    if not comparison.different:
        return Finding(title, "passed", counts or "no payments", seconds)
    ids = ", ".join(f"{shown.kind} {shown.transaction_id}" for shown in comparison.sample)
    why = "A smoke test removes its own payments: was there one in the last minutes?"
    return Finding(title, "failed", f"{counts}: {ids}. {why}", seconds)


def _deleted(dynamodb: Any, environment: "Environment", name: str, report: Report) -> Finding:
    began = time.monotonic()
    left = leftovers.remove_table(dynamodb, environment, name, report)
    title = "The scratch table is deleted"
    return Finding(title, "failed" if left else "passed", left or name, time.monotonic() - began)


def _interrupted(environment: "Environment", left: str) -> DetachedError:
    hint = f"paycli drill cleanup --env {environment.name}, when it is done" if left else ""
    said = left or "the scratch table is deleted"
    return DetachedError(f"Interrupted: {said}.", hint=hint, code="interrupted")
