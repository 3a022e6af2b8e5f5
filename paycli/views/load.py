"""How the findings of a load test look on a terminal."""

from collections.abc import Iterator
from typing import Any

from paycli.table import Table

_COLUMNS = ("p50", "p90", "p99", "p99.9", "max")
_LABEL = 12  # characters


def load(found: dict[str, Any], place: str) -> list[Table | str]:
    """Show the document of `verdict.document`; latencies in milliseconds, from the arrival to the answer."""
    table = Table(("Answers, ms", "count", *_COLUMNS))
    for name, row in found["latency"].items():
        table.add_row(name, str(row["count"]), *(f"{row[column] * 1000:.1f}" for column in _COLUMNS))
    return [f"Load test {found['run']} on {place}", table, *_lines(found)]


def _lines(found: dict[str, Any]) -> Iterator[str]:
    yield _line("Throughput", f"{found['throughput']:.1f} requests/s as expected, of {found['rate']:g} asked for")
    counts = f"{found['sent']} sent: {found['as_expected']} as expected, {found['throttled']} throttled (429)"
    yield _line("Requests", f"{counts}, {sum(found['errors'].values())} errors")
    for kind, count in found["errors"].items():
        yield _line("", f"{count} x {kind}")
    if found["dropped"]:
        yield _line("Not sent", f"{found['dropped']} arrivals that would have been more than 30 s late")
    yield _line(
        "Sent late", f"p99 {found['sent_late']['p99'] * 1000:.1f} ms after the arrival, which is part of the latency"
    )
    yield from _reconciliation(found["reconciliation"])
    if found["ledger"]:
        yield _line("Ledger", found["ledger"])


def _reconciliation(found: dict[str, Any]) -> Iterator[str]:
    said = "clean" if found["clean"] else f"{len(found['discrepancies'])} discrepancies"
    yield _line("Reconciled", f"{said}: {found['payments']} payments in the table, in {found['seconds']:.1f} s")
    counted = f"{found['failures_expected']} expected, {found['failures_recorded']} recorded"
    yield _line("Failures", f"{counted}, {found['failures_counted_as_lost']} counted as lost")
    if found["queue_not_received_from"]:
        yield _line("", f"their messages stay in the queue and were only counted: {found['queue_not_received_from']}")
        yield _line(
            "", "replay leaves those that tell of a load test, and `paycli failures discard --of-tests` deletes them"
        )


def _line(label: str, said: str) -> str:
    return f"{label:<{_LABEL}}{said}"
