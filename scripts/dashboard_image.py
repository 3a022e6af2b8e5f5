"""Draw the dashboard of prod as docs/dashboard.svg, from its body in the built template and a day of sample data.

Run it with `make dashboard-image`. It draws whatever the body has, where CloudWatch would put it: widgets fill the grid
of 24 columns from left to right, and a row begins below the highest of the row before.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from paycli.environment import Environment, presets
from paycli.stack import build
from scripts import sample_day

IMAGE = Path(__file__).parents[1] / "docs" / "dashboard.svg"

COLUMNS = 24
SIDE = 6  # of a widget, where it doesn't say: columns and rows
COLUMN, ROW, GAP, HEAD = 52, 34, 8, 34  # pixels
LETTER = 0.58  # how wide a letter is, for its height, on average
# A palette that tells its colours apart on white.
COLOURS = ("#1f77b4", "#e6770b", "#2a9134", "#c9252d", "#8a5fc2", "#8c564b", "#d65fa8", "#6b6b6b", "#a3a414", "#12a4b5")
STYLE = (
    "text{font:12px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#232b37}"
    ".t{font-weight:600;font-size:14px}.s{font-size:11px;fill:#5b6672}.e{text-anchor:end}.m{text-anchor:middle}"
    ".w{fill:#fff;stroke:#d5dbdb}.g{stroke:#e4e8ea;fill:none}path{fill:none;stroke-width:1.6;stroke-linejoin:round}"
)

Widget = dict[str, Any]


@dataclass(frozen=True)
class Box:
    """A place in the image, in pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Line:
    """One line of a graph: what its legend says, its values, whether its axis is the right one, its colour."""

    label: str
    values: list[sample_day.Value]
    right: bool
    colour: str


def drawn(resources: dict[str, Any]) -> str:
    """Return the image of the dashboard among a template's resources."""
    dashboard = resources["Dashboard"]["Properties"]
    widgets: list[Widget] = json.loads(dashboard["DashboardBody"]["Fn::Sub"])["widgets"]
    placed = list(places(widgets))
    width = COLUMNS * COLUMN + GAP
    height = max(box.y + box.height for box in placed) + GAP
    title = f"{dashboard['DashboardName']}, with a day of sample data"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#f2f4f5"/>',
        text(GAP + 8, 23, title, "t"),
    ]
    for widget, box in zip(widgets, placed, strict=True):
        parts += [f'<rect class="w" x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="6"/>']
        parts += [text(box.x + 10, box.y + 21, widget["properties"]["title"], "t", room=box.width - 20)]
        if widget["type"] == "alarm":
            parts += alarms(box, [alarm_name(resources, arn) for arn in widget["properties"]["alarms"]])
        elif widget["type"] == "log":
            parts += table(box, widget["properties"]["query"])
        else:
            parts += graph(box, widget["properties"])
    return "\n".join([*parts, "</svg>", ""])


def places(widgets: Sequence[Widget]) -> Iterator[Box]:
    """Give the place of each widget that doesn't say it."""
    column = row = below = 0
    for widget in widgets:
        columns, rows = widget.get("width", SIDE), widget.get("height", SIDE)
        if column + columns > COLUMNS:
            column, row = 0, below
        yield Box(GAP + column * COLUMN, HEAD + row * ROW, columns * COLUMN - GAP, rows * ROW - GAP)
        column += columns
        below = max(below, row + rows)


def alarm_name(resources: dict[str, Any], arn: str) -> str:
    """Return the name of the alarm that ${LogicalId.Arn} stands for."""
    return str(resources[arn.removeprefix("${").removesuffix(".Arn}")]["Properties"]["AlarmName"])


def alarms(box: Box, names: Sequence[str]) -> Iterator[str]:
    """Give a tile for each alarm: its name, and its state in colour and in words."""
    columns = 4
    width = (box.width - 20 + GAP) // columns
    rows = -(-len(names) // columns)
    height = (box.height - 36) // rows
    for number, name in enumerate(sorted(names)):
        x, y = box.x + 10 + number % columns * width, box.y + 30 + number // columns * height
        state = sample_day.alarm_state(name)
        edge, fill = ("#c9252d", "#fdeaea") if state == "ALARM" else ("#2a9134", "#eef7ef")
        yield f'<rect x="{x}" y="{y}" width="{width - GAP}" height="{height - 3}" rx="4" fill="{fill}"/>'
        yield f'<rect x="{x}" y="{y}" width="5" height="{height - 3}" rx="2" fill="{edge}"/>'
        yield text(x + 12, y + height // 2 + 3, f"{state}  {name}", room=width - GAP - 18)


def table(box: Box, query: str) -> Iterator[str]:
    """Give the table of a log widget: what its query groups by, and what it counts as."""
    commands = [command.strip() for command in query.split("|")]
    (count,) = (command for command in commands if command.startswith("stats"))
    columns = [*re.split(r"\s*,\s*", count.partition(" by ")[2]), *re.findall(r"as (\w+)", count)]
    rows = [{name: name for name in columns}, *sample_day.log_rows()]
    height = min(24, (box.height - 34) // len(rows))
    letters = [max(len(row.get(name, "")) for row in rows) + 2 for name in columns]
    widths = [(box.width - 20) * letter // sum(letters) for letter in letters]
    starts = accumulate(widths[:-1], initial=box.x + 10)
    places = list(zip(columns, starts, widths, strict=True))
    for number, row in enumerate(rows):
        y = box.y + 48 + number * height
        if number:
            yield f'<path class="g" d="M{box.x + 10} {y - height + 7}h{box.width - 20}"/>'
        for name, x, width in places:
            yield text(x, y, row.get(name, ""), "" if number else "s", room=width - 6)


def graph(box: Box, properties: dict[str, Any]) -> Iterator[str]:
    """Give the grid, the lines and the legend of a metric widget."""
    lines = list(read(properties["metrics"], properties["stat"]))
    legend = list(legend_places(lines, box.width - 20))
    below = 16 * (1 + legend[-1][1])
    right = any(line.right for line in lines)
    plot = Box(box.x + 44, box.y + 34, box.width - (88 if right else 58), box.height - 60 - below)
    tops = {
        side: top([value for line in lines if line.right is side for value in line.values if value is not None])
        for side in (False, True)
    }
    for step in range(3):
        y = plot.y + plot.height * step // 2
        yield f'<path class="g" d="M{plot.x} {y}h{plot.width}"/>'
        yield text(plot.x - 5, y + 4, short(tops[False] * (2 - step) / 2), "s e")
        if right:
            yield text(plot.x + plot.width + 5, y + 4, short(tops[True] * (2 - step) / 2), "s")
    for hour in (0, 6, 12, 18):
        yield text(plot.x + plot.width * hour // 24, plot.y + plot.height + 15, f"{hour:02}:00", "s m" if hour else "s")
    for line in lines:
        yield from curve(plot, line, tops[line.right])
    for line, (x, row) in zip(lines, legend, strict=True):
        y = box.y + box.height - below + 16 * row + 6
        yield f'<rect x="{box.x + 10 + x}" y="{y - 8}" width="9" height="9" rx="2" fill="{line.colour}"/>'
        yield text(box.x + 23 + x, y, line.label, "s", room=box.width - 34)


def read(metrics: Sequence[Sequence[Any]], statistic: str) -> Iterator[Line]:
    """Give the lines that a widget's metrics stand for, in full; a legend says what tells a line from the others."""
    above: list[str] = []
    full = []
    for metric in metrics:
        names = [part for part in metric if isinstance(part, str)]
        options: dict[str, Any] = next((part for part in metric if not isinstance(part, str)), {})
        if names[0] == "...":
            names = [*above[: len(above) - len(names) + 1], *names[1:]]
        above = [above[place] if name == "." else name for place, name in enumerate(names)]
        full.append((above, options))
    unnamed = [names for names, options in full if "label" not in options]
    times = Counter(names[1] for names in unnamed)
    for number, (names, options) in enumerate(full):
        what = [] if len(times) == 1 and len(unnamed) > 1 else names[1:2]
        of = names[-1:] if times[names[1]] > 1 else []
        right = options.get("yAxis") == "right"
        label = options.get("label", " ".join([*of, *what])) + (" (right)" if right else "")
        values = sample_day.series(names[1], names[-1], options.get("stat", statistic))
        yield Line(label, values, right, COLOURS[number % len(COLOURS)])


def curve(plot: Box, line: Line, highest: float) -> Iterator[str]:
    """Give a line's path, and a dot for each value that has no neighbour, as CloudWatch draws them."""
    run: list[tuple[int, int]] = []
    for number, value in enumerate([*line.values, None]):
        if value is not None:
            x = plot.x + plot.width * number // (sample_day.PERIODS - 1)
            run.append((x, plot.y + plot.height - round(plot.height * value / highest)))
        elif run:
            if len(run) == 1:
                yield f'<circle cx="{run[0][0]}" cy="{run[0][1]}" r="4.5" fill="{line.colour}"/>'
            else:
                steps = "".join(f"l{x - u} {y - v}" for (u, v), (x, y) in pairwise(run))
                yield f'<path d="M{run[0][0]} {run[0][1]}{steps}" stroke="{line.colour}"/>'
            run = []


def legend_places(lines: Sequence[Line], room: int) -> Iterator[tuple[int, int]]:
    """Give where each entry of a legend begins: pixels from the left, and in which row."""
    x = row = 0
    for line in lines:
        width = 26 + round(11 * LETTER * len(line.label))
        if x and x + width > room:
            x, row = 0, row + 1
        yield x, row
        x += width


def top(values: Sequence[float]) -> float:
    """Return a round number that no value is above."""
    highest = max(values, default=0) or 1
    power = 10.0 ** (len(str(int(highest))) - 1)
    return next(power * step for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if power * step >= highest)


def short(value: float) -> str:
    """Return a number as an axis says it."""
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def text(x: int, y: int, said: str, style: str = "", *, room: float = math.inf) -> str:
    """Return a text. One that needs more than the room is written smaller, and if that isn't enough, cut off."""
    usual = 14 if style == "t" else 11 if "s" in style.split() else 12
    fits = room / LETTER / max(1, len(said))
    size = usual if fits >= usual else max(0.75 * usual, math.floor(10 * fits) / 10)
    if size > fits:
        said = said[: int(room / LETTER / size) - 1] + "…"
    kind = f' class="{style}"' if style else ""
    smaller = f' style="font-size:{size:g}px"' if size < usual else ""
    return f'<text{kind} x="{x}" y="{y}"{smaller}>{escape(said)}</text>'


def prod() -> dict[str, Any]:
    """Return the resources of prod, which has all that the others have."""
    resources: dict[str, Any] = build(Environment(name="prod", **presets()["prod"])).to_dict()["Resources"]
    return resources


if __name__ == "__main__":
    IMAGE.write_text(drawn(prod()), encoding="utf-8")
