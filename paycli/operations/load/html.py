"""The page of a load test: one file with everything in it, also its plots."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from paycli.errors import PaycliError
from paycli.operations.load.measurements import Interval
from paycli.operations.load.run import Findings

_WIDTH, _HEIGHT = 860, 220  # of a plot, in pixels
_LEFT, _BOTTOM, _TOP = 60, 24, 12  # its margins
_COLUMNS = ("p50", "p90", "p99", "p99.9", "max")
_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse } th, td { padding: .2rem .8rem; text-align: right }
th:first-child, td:first-child { text-align: left } tbody tr { border-top: 1px solid #8886 }
.good { color: #2a8a3e } .bad { color: #d0342c; font-weight: bold }
svg { width: 100%; height: auto } svg text { font-size: 11px; fill: currentColor }
figure { margin: 1.5rem 0 } .key { margin-right: 1rem }
"""


@dataclass(frozen=True)
class Line:
    """One curve of a plot: a value for each interval; None leaves a gap."""

    name: str
    colour: str
    values: Sequence[float | None]


def page(findings: Findings, found: dict[str, Any], place: str, errors: Iterable[PaycliError]) -> str:
    """Return the page, as HTML; `found` is the document of verdict.document."""
    title = f"Load test {found['run']}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(place)}: {found['rate']:g} requests/s for {found['duration']:g} s, seed {found['seed']}</p>",
        *_verdict(found, errors),
        *_plots(findings),
        _latencies(found["latency"]),
        _counts(found),
    ]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n' + "\n".join(parts) + "\n</body></html>\n"


def _verdict(found: dict[str, Any], errors: Iterable[PaycliError]) -> Iterable[str]:
    reconciled = found["reconciliation"]
    clean = reconciled["clean"]
    said = f"{'Clean' if clean else 'Not clean'}: {reconciled['payments']} payments were compared with the answers."
    yield f'<p class="{"good" if clean else "bad"}">Reconciliation: {said}</p>'
    for error in errors:
        yield f'<p class="bad">{escape(error.message)}</p>'


def _plots(findings: Findings) -> Iterable[str]:
    measured = findings.measurements
    intervals, seconds = measured.intervals, measured.interval

    def line(name: str, colour: str, value: Callable[[Interval], float | None]) -> Line:
        return Line(name, colour, [value(interval) for interval in intervals])

    def milliseconds(percent: float) -> Callable[[Interval], float | None]:
        return lambda each: each.latencies.percentile(percent) * 1000 if each.latencies.count else None

    yield _figure(
        "Requests a second, by arrival",
        [
            line("sent", "#888888", lambda each: each.sent / seconds),
            line("as expected", "#2a8a3e", lambda each: each.good / seconds),
            line("throttled", "#d99000", lambda each: each.throttled / seconds),
            line("errors", "#d0342c", lambda each: each.errors / seconds),
        ],
        seconds,
        findings.faults,
    )
    yield _figure(
        "Latency from the arrival, ms",
        [line("p50", "#3465a4", milliseconds(50)), line("p99", "#a434a4", milliseconds(99))],
        seconds,
        findings.faults,
    )


def _figure(title: str, lines: Sequence[Line], seconds: float, faults: tuple[float, float] | None) -> str:
    """Draw curves over time, on a linear scale from 0; `faults` is the time that is shaded."""
    count = max(len(lines[0].values), 1)
    top = max((value for line in lines for value in line.values if value is not None), default=0) or 1
    width, height = _WIDTH - _LEFT, _HEIGHT - _TOP - _BOTTOM

    def across(index: float) -> float:
        return _LEFT + width * index / count

    def up(value: float) -> float:
        return _TOP + height * (1 - value / top)

    shapes = []
    if faults:
        left, right = (across(at / seconds) for at in faults)
        shapes.append(
            f'<rect x="{left:.1f}" y="{_TOP}" width="{right - left:.1f}" height="{height}" fill="#d0342c" '
            'opacity="0.12"><title>faults</title></rect>'
        )
    for share in (0, 0.5, 1):
        y = up(top * share)
        shapes.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH}" stroke="currentColor" opacity="0.2"/>')
        shapes.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{top * share:.4g}</text>')
        at = f'<text x="{across(count * share):.1f}" y="{_HEIGHT - 6}" text-anchor="{_ANCHORS[share]}">'
        shapes.append(f"{at}{count * share * seconds:g} s</text>")
    shapes += [
        f'<path d="{path}" fill="none" stroke="{line.colour}" stroke-width="1.6"/>'
        for line in lines
        if (
            path := _path(
                [None if value is None else (across(index + 0.5), up(value)) for index, value in enumerate(line.values)]
            )
        )
    ]
    keys = "".join(f'<span class="key" style="color:{line.colour}">{escape(line.name)}</span>' for line in lines)
    svg = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">{"".join(shapes)}</svg>'
    return f"<figure><figcaption><b>{escape(title)}</b> {keys}</figcaption>{svg}</figure>"


_ANCHORS = {0: "start", 0.5: "middle", 1: "end"}


def _path(points: Iterable[tuple[float, float] | None]) -> str:
    """Return the SVG path through the points; it is broken at each None."""
    path, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
        else:
            path.append(f"{pen}{point[0]:.1f} {point[1]:.1f}")
            pen = "L"
    return "".join(path)


def _latencies(latency: dict[str, Any]) -> str:
    rows = [
        [name, row["count"], *(f"{row[column] * 1000:.1f}" for column in _COLUMNS)] for name, row in latency.items()
    ]
    return _table(["Answers, ms", "count", *_COLUMNS], rows)


def _counts(found: dict[str, Any]) -> str:
    reconciled = found["reconciliation"]
    rows: list[list[Any]] = [
        ["Requests/s as expected", f"{found['throughput']:.1f}"],
        ["Sent", found["sent"]],
        ["As expected", found["as_expected"]],
        ["Throttled (429)", found["throttled"]],
        *([f"Error: {kind}", count] for kind, count in found["errors"].items()),
        ["Arrivals that were not sent", found["dropped"]],
        ["Payments in the table", reconciled["payments"]],
        ["Failures for the queue", reconciled["failures_expected"]],
        ["recorded", reconciled["failures_recorded"]],
        ["counted as lost", reconciled["failures_counted_as_lost"]],
        *([each["kind"], each["about"]] for each in reconciled["discrepancies"]),
    ]
    return "<h2>Counts</h2>" + _table(["", ""], rows)


def _table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    head = "".join(f"<th>{escape(header)}</th>" for header in headers)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
