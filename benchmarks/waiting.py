"""Added waiting: from the final state of a stack to paycli's exit, and how often paycli asks meanwhile.

By turns a deploy of a new stack and a teardown, each on a fake AWS of its own, in real time, where the operation takes
5 to 120 s. The targets: at most 1 s of added waiting on average, 2.5 s at worst, and never more than one describe call
a second, from the request that begins the operation to the exit. `--quick`: 5 to 20 s; `--each` lists every run.
"""

import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks.measuring import machine, target
from tests.fakes.cloudformation import FakeAws
from tests.fakes.project import FakeProject

RUNS, SHORTEST, LONGEST, LONGEST_QUICK = 24, 5.0, 120.0, 20.0
STAGGER = 1.0  # seconds between two starts: a start-up beside all the others isn't to be measured
MEAN, WORST, CALLS = 1.0, 2.5, 1.0  # the targets
STACK = "payment-api-dev"
STANDARD = '[env.dev]\ndeployment_mode = "standard"\n'  # as on prod: what express mode leaves unfinished is waited for


@dataclass(frozen=True)
class Waited:
    """One run: seconds of the operation and after it, and describe calls a second."""

    command: str
    operation: float
    added: float
    calls: float


def prepared(aws: FakeAws, root: Path, lint_memory: Path, command: str, seconds: float) -> FakeProject:
    """Return a project whose command will take `seconds` in CloudFormation."""
    root.mkdir()
    (root / "paycli.toml").write_text(STANDARD)
    project = FakeProject(root, aws, lint_memory)
    project.linted("dev")
    aws.scenario.operation_seconds = lambda stack, _phase: seconds if stack == STACK else None
    if command == "deploy":
        project.bootstrap()
    else:
        project.deployed()
    return project


def run(project: FakeProject, start: float, command: str, seconds: float) -> Waited:
    """Run the command at the time `start`."""
    time.sleep(max(0.0, start - time.monotonic()))
    ran = project.run(command, "--env", "dev", "--yes", seconds=seconds + 60)
    assert ran.status == 0, ran.err
    calls = [call for call in project.aws.calls if call.service == "cloudformation"]
    begun = next(call.at for call in calls if call.operation in {"ExecuteChangeSet", "DeleteStack"})
    describes = sum(call.operation.startswith("Describe") and call.at > begun for call in calls)
    return Waited(command, seconds, ran.ended - project.aws.settled_at(STACK), describes / (ran.ended - begun))


def main() -> None:
    """Run them side by side, the longest first, and print the mean and the worst."""
    longest = LONGEST_QUICK if "--quick" in sys.argv else LONGEST
    print(f"\nAdded waiting: {RUNS} operations of {SHORTEST:.0f} to {longest:.0f} s, side by side ({machine()})")
    chance = random.Random(2026)
    by_chance = (chance.uniform(SHORTEST, longest) for _ in range(RUNS - 2))
    durations = [*sorted(by_chance, reverse=True), SHORTEST, SHORTEST]  # where calls a second come to most
    commands = ["deploy", "teardown"] * (RUNS // 2)
    with tempfile.TemporaryDirectory() as name, ExitStack() as clouds, ThreadPoolExecutor(RUNS) as pool:
        memory = Path(name)
        projects = [
            prepared(clouds.enter_context(FakeAws(speed=1)), memory / str(number), memory, command, seconds)
            for number, (command, seconds) in enumerate(zip(commands, durations, strict=True))
        ]
        begin = time.monotonic()
        starts = [begin + number * STAGGER for number in range(RUNS)]
        waited = list(pool.map(run, projects, starts, commands, durations))
    if "--each" in sys.argv:
        for one in waited:
            print(f"{one.command:<9}{one.operation:>6.1f} s, then {one.added:.2f} s; {one.calls:.2f} calls a second")
    print(f"{'':<36}{'mean':>8}{'worst':>8}")
    added, calls = [one.added for one in waited], [one.calls for one in waited]
    print(f"{'added waiting, s':<36}{mean(added):>8.2f}{max(added):>8.2f}")
    print(f"{'describe calls a second':<36}{mean(calls):>8.2f}{max(calls):>8.2f}")
    target(f"added waiting under {MEAN:.0f} s on average", met=mean(added) < MEAN)
    target(f"added waiting under {WORST:.1f} s at worst", met=max(added) < WORST)
    target(f"at most {CALLS:.0f} describe call a second", met=max(calls) <= CALLS)


main()
