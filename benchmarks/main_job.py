"""How long the daily commands take as whole processes, beside a bare interpreter in the same run.

Run it with `make bench`. The ratio holds when the machine's speed drifts; the seconds are this machine's.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

RUNS = 7
PAYCLI = [sys.executable, "-m", "paycli"]
QUICK = {
    "bare interpreter": [sys.executable, "-c", "pass"],
    "paycli --version": [*PAYCLI, "--version"],
    "paycli --help": [*PAYCLI, "--help"],
    "paycli render --env dev": [*PAYCLI, "render", "--env", "dev"],
}
NO_CHANGES = [*PAYCLI, "deploy", "--env", "local"]
CYCLE = (
    [*PAYCLI, "deploy", "--env", "local"],
    [*PAYCLI, "smoke-test", "--env", "local"],
    [*PAYCLI, "teardown", "--env", "local"],
)


def seconds(command: Sequence[str], folder: Path) -> float:
    """Return the wall time of one run."""
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    return time.perf_counter() - began


def cycle(folder: Path) -> float:
    """Return the wall time of deploy, smoke-test and teardown."""
    return sum(seconds(command, folder) for command in CYCLE)


def main() -> None:
    """Measure in turns, so that a drift of the machine touches all alike, and print the medians."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "paycli.toml").touch()
        first = cycle(folder)
        times: dict[str, list[float]] = {label: [] for label in QUICK}
        for _ in range(RUNS):
            for label, command in QUICK.items():
                times[label].append(seconds(command, folder))
        cycles = [cycle(folder) for _ in range(3)]
        seconds(NO_CHANGES, folder)
        unchanged = [seconds(NO_CHANGES, folder) for _ in range(RUNS)]
        seconds(CYCLE[2], folder)
    times |= {"deploy, nothing new": unchanged, "deploy + smoke-test + teardown": cycles}
    bare = statistics.median(times["bare interpreter"])
    print(f"{'command':<34}{'median s':>10}{'x bare':>8}{'min s':>8}{'max s':>8}")
    for label, measured in times.items():
        median = statistics.median(measured)
        print(f"{label:<34}{median:>10.3f}{median / bare:>8.1f}{min(measured):>8.3f}{max(measured):>8.3f}")
    print(f"{'the first cycle (cfn-lint runs)':<34}{first:>10.3f}{first / bare:>8.1f}")


main()
