"""How long the daily commands take as whole processes, beside a bare interpreter in the same run.

The ratio holds when the machine's speed drifts; the seconds are this machine's. The targets: `paycli --help` within
100 ms, and `paycli --version` within 60 ms beyond the bare interpreter.
"""

import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.measuring import PAYCLI, in_turns, machine, ratio, seconds, target

RUNS, CYCLES = 15, 3
BARE, VERSION, HELP = "bare interpreter", "paycli --version", "paycli --help"
HELP_SECONDS, VERSION_SECONDS = 0.1, 0.06
QUICK = {
    BARE: [sys.executable, "-c", "pass"],
    VERSION: [*PAYCLI, "--version"],
    HELP: [*PAYCLI, "--help"],
    "paycli render --env dev": [*PAYCLI, "render", "--env", "dev"],
    "paycli render --env prod": [*PAYCLI, "render", "--env", "prod"],
}
DEPLOY, SMOKE_TEST, TEARDOWN = ([*PAYCLI, name, "--env", "local"] for name in ("deploy", "smoke-test", "teardown"))


def cycle(folder: Path) -> float:
    """Return the wall time of deploy, smoke-test and teardown."""
    return sum(seconds(command, folder) for command in (DEPLOY, SMOKE_TEST, TEARDOWN))


def measured(folder: Path) -> dict[str, list[float]]:
    """Return the seconds of every run."""
    times = in_turns({label: partial(seconds, command, folder) for label, command in QUICK.items()}, RUNS)
    first = cycle(folder)
    cycles = [cycle(folder) for _ in range(CYCLES)]
    seconds(DEPLOY, folder)
    times["deploy, nothing new"] = [seconds(DEPLOY, folder) for _ in range(RUNS)]
    seconds(TEARDOWN, folder)
    return times | {"deploy + smoke-test + teardown": cycles, "the first cycle (cfn-lint runs)": [first]}


def main() -> None:
    """Print the medians."""
    print(f"The daily commands, in seconds ({machine()})")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "paycli.toml").touch()
        times = measured(folder)
    bare = median(times[BARE])
    print(f"{'':<34}{'median':>8}{'min':>8}{'max':>8}{'x bare':>8}")
    for label, found in times.items():
        times_bare = ratio(found, times[BARE]) if label in QUICK else median(found) / bare
        print(f"{label:<34}{median(found):>8.3f}{min(found):>8.3f}{max(found):>8.3f}{times_bare:>8.1f}")
    beyond = median(one - other for one, other in zip(times[VERSION], times[BARE], strict=True))
    target(f"{HELP} within {HELP_SECONDS * 1000:.0f} ms", met=median(times[HELP]) <= HELP_SECONDS)
    target(
        f"{VERSION} within {VERSION_SECONDS * 1000:.0f} ms beyond the bare interpreter ({beyond * 1000:.0f} ms)",
        met=beyond <= VERSION_SECONDS,
    )


main()
