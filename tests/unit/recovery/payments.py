"""Payments as the functions store them, and what may have become of one since a point in time."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

Item = dict[str, Any]
NOW = datetime.now(UTC)
POINT = (NOW - timedelta(hours=2)).replace(microsecond=0)


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def validated(name: str, *, at: datetime = POINT - timedelta(hours=1), hours: float = 24, **more: Any) -> Item:
    return {
        "transaction_id": {"S": name},
        "principal": {"S": "123456789012:AIDA"},
        "request_id": {"S": f"request-{iso(at)}"},
        "schema": {"N": "1"},
        "status": {"S": "validated"},
        "amount_minor": {"N": "1000"},
        "currency": {"S": "USD"},
        "customer_id": {"S": "customer-of-whom-nobody-reads"},
        "metadata": {"M": {"order": {"S": "1"}}},
        "fingerprint": {"S": f"fingerprint-{name}"},
        "created_at": {"S": iso(at)},
        "expires_at": {"N": str(int((at + timedelta(hours=hours)).timestamp()))},
        **more,
    }


def processed(item: Item, at: datetime = POINT + timedelta(hours=1)) -> Item:
    rest = {name: value for name, value in item.items() if name != "expires_at"}
    return {**rest, "status": {"S": "processed"}, "processed_at": {"S": iso(at)}, "processed_by": {"S": "request-p"}}


def expired(name: str) -> Item:
    """Validated before the point in time, and it expired after that, an hour ago."""
    return validated(name, at=POINT - timedelta(hours=1), hours=2)


def started_again(name: str) -> Item:
    return validated(name, at=NOW - timedelta(minutes=30))


def without(item: Item, *names: str) -> Item:
    return {name: value for name, value in item.items() if name not in names}


@dataclass(frozen=True)
class Fate:
    """What is in the restored and in the live table, and what becomes of it, by what a merge is told."""

    kind: str
    restored: Callable[[str], Item | None]
    live: Callable[[str], Item | None]
    merge: str = "live"  # what stands in the live table after a merge: live, restored or mended
    overwriting: str = "live"
    with_expired: str = "live"
    both: str = "live"
    mended: Callable[[str], Item | None] = lambda _name: None


def _fate(kind: str, restored: Any, live: Any, *outcomes: str) -> Fate:
    merge, overwriting, with_expired, both = outcomes or ("live",) * 4
    return Fate(kind, restored, live, merge, overwriting, with_expired, both)


def _nothing(_name: str) -> None:
    return None


def _misprocessed(live: Any, mended: Any, restored: Any = validated) -> Fate:
    return replace(_fate("misprocessed", restored, live, *_MENDED), mended=mended)


def _processed(name: str) -> Item:
    return processed(validated(name))


_ALL = ("restored",) * 4
_TOLD = ("live", "restored", "live", "restored")
_MENDED = ("live", "mended", "live", "mended")
_EXPIRED = ("live", "live", "restored", "restored")
_BOTH = ("live", "live", "live", "restored")

FATES = {
    "untouched": _fate("same", validated, validated),
    "processed before": _fate("same", lambda n: processed(validated(n)), lambda n: processed(validated(n))),
    "processed since": _fate("moved_on", validated, lambda n: processed(validated(n))),
    "started again": _fate("moved_on", expired, started_again),
    "started again, processed": _fate("moved_on", expired, lambda n: processed(started_again(n), NOW)),
    "new": _fate("newer", _nothing, lambda n: validated(n, at=POINT + timedelta(minutes=1))),
    "expired since": _fate("expired", expired, _nothing, *_EXPIRED),
    "lost": _fate("missing", validated, _nothing, *_ALL),
    "lost, processed": _fate("missing", lambda n: processed(validated(n)), _nothing, *_ALL),
    "appeared": _fate("extra", _nothing, lambda n: validated(n, at=POINT - timedelta(minutes=1))),
    "appeared, without a time": _fate("extra", _nothing, lambda n: without(validated(n), "created_at")),
    "appeared, without a zone": _fate(
        "extra", _nothing, lambda n: validated(n, created_at={"S": POINT.replace(tzinfo=None).isoformat()})
    ),
    "another amount": _fate("changed", validated, lambda n: validated(n, amount_minor={"N": "1"}), *_TOLD),
    "another amount, processed": _fate(
        "changed",
        lambda n: processed(validated(n)),
        lambda n: processed(validated(n, amount_minor={"N": "1"})),
        *_TOLD,
    ),
    "processed with another amount": _misprocessed(
        lambda n: processed(validated(n, amount_minor={"N": "1"})), _processed
    ),
    "processed, an attribute less and one more": _misprocessed(
        lambda n: without(processed(validated(n, oops={"S": "x"})), "customer_id", "metadata"), _processed
    ),
    "processed, but it still expires": _misprocessed(
        lambda n: {**processed(validated(n)), "expires_at": {"N": "1"}}, _processed
    ),
    "processed by nobody, with another amount": _misprocessed(
        lambda n: without(processed(validated(n, amount_minor={"N": "1"})), "processed_by"),
        lambda n: without(processed(validated(n)), "processed_by"),
    ),
    "started again, processed with another amount": _misprocessed(
        lambda n: processed({**started_again(n), "amount_minor": {"N": "1"}}, NOW - timedelta(minutes=1)),
        lambda n: processed(started_again(n), NOW - timedelta(minutes=1)),
        expired,
    ),
    "expired, and processed with another amount": _misprocessed(
        lambda n: processed({**expired(n), "amount_minor": {"N": "1"}}), lambda n: processed(expired(n)), expired
    ),
    "processed by nobody": _fate("unsound", validated, lambda n: without(processed(validated(n)), "processed_by")),
    "marks of processing": _fate(
        "unsound", validated, lambda n: {**processed(validated(n)), "status": {"S": "validated"}}
    ),
    "processed of nonsense": _fate(
        "unsound", lambda n: validated(n, status={"S": "?"}), lambda n: processed(validated(n, oops={"S": "x"}))
    ),
    "undone": _fate("changed", lambda n: processed(validated(n)), validated, *_TOLD),
    "status is nonsense": _fate("changed", validated, lambda n: validated(n, status={"N": "7"}), *_TOLD),
    "an attribute more": _fate("changed", validated, lambda n: validated(n, oops={"S": "x"}), *_TOLD),
    "an attribute less": _fate("changed", validated, lambda n: without(validated(n), "currency"), *_TOLD),
    "expired and corrupted": _fate("changed", expired, lambda n: {**expired(n), "currency": {"S": "EUR"}}, *_BOTH),
    "expires at no number": _fate("missing", lambda n: validated(n, expires_at={"N": "soon"}), _nothing, *_ALL),
}
