"""A deploy, one with nothing new and a teardown beside other tools, on one embedded AWS.

Each tool deploys, by turns, a stack of its own: the same template but for the environment's name in it. The others find
the code uploaded; paycli packs it and sees whether it is. `make bench-peers` installs them; what isn't there is left
out. The targets: not slower than the faster one of `aws cloudformation deploy` and `sam deploy`, and at most 7
calls of AWS for a deploy with nothing new, besides polls.
"""

import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.measuring import CommandError, in_turns, machine, ratio, target
from benchmarks.relay import Relay
from benchmarks.tools import OWN, Site, Tool, others, own, pointing_at
from paycli import emulator
from tests.fakes.cloudformation import FakeAws
from tests.fakes.project import FakeProject

TURNS, CALLS = 7, 7
RIVALS = ("aws cloudformation deploy", "sam deploy")  # the targets are about these; the others are shown
PHASES = DEPLOY, UNCHANGED, TEARDOWN = "deploy", "deploy, nothing new", "teardown"


def working(tools: Iterable[Tool]) -> list[Tool]:
    """Return the tools that can do it all here, and say why another can't."""
    able = []
    for tool in tools:
        try:
            for commands in (tool.deploy, tool.deploy, tool.teardown):
                tool.timed(commands)
                time.sleep(1)  # the AWS CLI names its change sets by the second
        except CommandError as error:
            print(f"{tool.label} doesn't work on the embedded AWS: {str(error)[-500:]}")
        else:
            able.append(tool)
    return able


def compare(tools: list[Tool]) -> None:
    """Print each tool's medians, paycli's ratio to it, and whether paycli is no slower than the fastest."""
    measures = {
        (phase, tool.label): partial(tool.timed, tool.teardown if phase == TEARDOWN else tool.deploy)
        for phase in PHASES
        for tool in tools
    }
    times = in_turns(measures, TURNS, warm=True)
    print(f"{'':<34}" + "".join(f"{phase:>22}" for phase in PHASES))
    print(f"{'':<34}" + f"{'s':>12}{'paycli is':>10}" * len(PHASES))
    ratios = {
        phase: {one.label: ratio(times[phase, OWN], times[phase, one.label]) for one in tools} for phase in PHASES
    }
    for tool in tools:
        print(f"{tool.label:<34}", end="")
        for phase in PHASES:
            shown = f"x {ratios[phase][tool.label]:.2f}" if tool.label != OWN else ""
            print(f"{median(times[phase, tool.label]):>12.2f}{shown:>10}", end="")
        print()
    for phase in PHASES:
        factors = {label: factor for label, factor in ratios[phase].items() if label in RIVALS}
        if factors:
            fastest = max(factors, key=lambda label: factors[label])
            factor = factors[fastest]
            target(f"{phase}: not slower than the faster one ({fastest}, x {factor:.2f})", met=factor <= 1)


def own_calls(preset: str) -> list[str]:
    """Return paycli's calls of AWS for a deploy with nothing new, on a fake that counts them."""
    with tempfile.TemporaryDirectory() as name, FakeAws() as aws:
        root = Path(name) / "project"
        root.mkdir()
        (root / "paycli.toml").touch()
        project = FakeProject(root, aws, Path(name))
        project.linted(preset)
        project.deployed(preset)
        for _ in range(2):  # the first sets what guards a stack that a test has put there
            before = len(aws.calls)
            ran = project.run("deploy", "--env", preset, "--yes")
            assert ran.status == 0, ran.err
        return [call.operation for call in aws.calls[before:]]


def count(at: Site, tools: list[Tool]) -> None:
    """Print how many calls each makes for a deploy with nothing new, polls included."""
    print("Calls of AWS for a deploy with nothing new")
    most = 0
    for preset in ("dev", "prod"):
        calls = own_calls(preset)
        most = max(most, len(calls))
        print(f"{f'paycli, {preset}':<34}{len(calls):>6}  {' '.join(calls)}")
    with Relay(at.url) as relay:
        for tool in tools[1:]:
            counted = replace(tool, variables=pointing_at(relay.url))
            counted.timed(tool.deploy)
            time.sleep(1)
            relay.calls.clear()
            counted.timed(tool.deploy)
            print(f"{tool.label:<34}{relay.calls.total():>6}  {' '.join(relay.calls.elements())}")
    target(f"at most {CALLS} calls", met=most <= CALLS)


def main() -> None:
    """Print the medians, the ratios and the calls."""
    print(f"\nOn the embedded AWS, in seconds, and how paycli's time relates to it ({machine()})")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        try:
            at = Site.started(root)
            tools = working([own(at), *others(at)])
            compare(tools)
            count(at, tools)
        finally:
            emulator.stop(root)


main()
