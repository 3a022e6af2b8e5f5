"""What the benchmarks share: whole processes, taking turns, and how it is told."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parent.parent
PAYCLI = [sys.executable, "-m", "paycli"]
K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

# An installed tool has its bytecode beside it; where this is set, paycli's would be compiled at every start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


class CommandError(Exception):
    """A command failed; says what it said."""


def seconds(command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None) -> float:
    """Return the wall time of one run; what it says is shown only where it fails."""
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - began
    if done.returncode:
        raise CommandError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return took


def in_turns(measures: Mapping[K, Callable[[], T]], runs: int, *, warm: bool = False) -> dict[K, list[T]]:
    """Measure each so many times, by turns, so that a drift of the machine touches all alike.

    Unless all is `warm`, one turn before warms it up.
    """
    if not warm:
        in_turns(measures, 1, warm=True)
    found: dict[K, list[T]] = {name: [] for name in measures}
    for _ in range(runs):
        for name, measure in measures.items():
            found[name].append(measure())
    return found


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the ratios, turn by turn."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


def target(wanted: str, *, met: bool) -> None:
    """Say what is wanted, and whether this run has it."""
    print(f"target: {wanted}: {'met' if met else 'not met'}")


def machine() -> str:
    """Say where, and beside what load, this is measured."""
    version = ".".join(map(str, sys.version_info[:3]))
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {version}"
