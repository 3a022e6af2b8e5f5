"""Times as people write them: `15m`, `1h30m`, or ISO 8601 with its zone."""

import re
from datetime import UTC, datetime, timedelta

from paycli.errors import UsageError

_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_DURATION = re.compile(r"(?=[0-9])" + "".join(f"(?:(?P<{unit}>[0-9]{{1,9}}){unit})?" for unit in _UNITS))
_HINT = "Write 15m, 2h or 1h30m (units w, d, h, m, s), or a time with its zone: 2026-11-23T09:30:00Z."


def duration(text: str) -> timedelta:
    """Return a length of time: `90s`, `15m`, `1h30m`, `2d`, `1w`; the larger unit comes first.

    Raises UsageError where it is none, or longer than can be counted.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is no length of time.", hint=_HINT, code="bad_time")
    numbers = {_UNITS[unit]: int(number) for unit, number in found.groupdict().items() if number}
    try:
        return timedelta(**numbers)
    except OverflowError:
        raise UsageError(f"{text!r} is too long.", hint=_HINT, code="bad_time") from None


def moment(text: str, now: datetime) -> datetime:
    """Return a moment in UTC: so long before `now` (`15m`, `15m ago`), or as ISO 8601 says it.

    Raises UsageError where it is none, and where a time lacks its zone: a guess could be hours off.
    """
    before = text.strip().removesuffix("ago").strip()
    try:
        if _DURATION.fullmatch(before):
            return now.astimezone(UTC) - duration(before)
        told = datetime.fromisoformat(text.strip())
        zoned = told.utcoffset() is not None
        told = told.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no time.", hint=_HINT, code="bad_time") from None
    if not zoned:
        raise UsageError(f"{text!r} doesn't say its zone.", hint="End it with Z for UTC, or +02:00.", code="bad_time")
    return told
