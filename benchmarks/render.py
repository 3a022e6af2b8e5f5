"""The template from code: `paycli render` beside the CDK's synthesis of the same stack.

`make bench-peers` installs the CDK; its app is benchmarks/peers/cdk_app.js. The target is at most 1/15 of the wall time
of `cdk synth`.
"""

import json
import os
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.measuring import PAYCLI, ROOT, in_turns, machine, ratio, seconds, target

CDK = ROOT / ".bench" / "cdk"
TURNS, SHARE = 3, 15
OURS, THEIRS, APP = "paycli render", "cdk synth", "the CDK app without the CLI"


def resources(template: Path) -> Counter[str]:
    """Return how many resources of each type a template has."""
    return Counter(resource["Type"] for resource in json.loads(template.read_text())["Resources"].values())


def told(ours: Counter[str], theirs: Counter[str]) -> str:
    """Say what one template has more of than the other."""
    more = {"only the CDK's has": theirs - ours, "only paycli's has": ours - theirs}
    differing = [f"{who} {count} {kind}" for who, kinds in more.items() for kind, count in kinds.items()]
    counts = f"resources: {ours.total()} in paycli's, {theirs.total()} in the CDK's"
    return f"{counts}; {'; '.join(differing) or 'of the same types'}"


def main() -> None:
    """Print the medians and the ratios, or that the CDK isn't there."""
    print(f"\nThe template of dev from code, in seconds ({machine()})")
    if not (CDK / "node_modules").is_dir():
        print("The CDK isn't installed: make bench-peers")
        return
    app = ["node", str(ROOT / "benchmarks" / "peers" / "cdk_app.js")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        variables = {**os.environ, "NODE_PATH": str(CDK / "node_modules"), "CDK_DISABLE_CLI_TELEMETRY": "true"}
        render = [*PAYCLI, "render", "--env", "dev", "--format", "json", "--output", str(folder / "paycli.json")]
        synth = [str(CDK / "node_modules" / ".bin" / "cdk"), "synth", "--quiet", "--no-notices"]
        synth += ["--app", " ".join(app), "--output", str(folder / "cdk")]
        measures = {
            OURS: partial(seconds, render, folder),
            THEIRS: partial(seconds, synth, folder, variables),
            APP: partial(seconds, app, folder, {**variables, "CDK_OUTDIR": str(folder / "app")}),
        }
        times = in_turns(measures, TURNS)
        stacks = told(resources(folder / "paycli.json"), resources(folder / "cdk" / "PaymentApi.template.json"))
    print(f"{'':<34}{'median':>8}{'min':>8}{'max':>8}{'paycli takes':>14}")
    for label, found in times.items():
        share = f"1/{ratio(found, times[OURS]):.1f}" if label != OURS else ""
        print(f"{label:<34}{median(found):>8.2f}{min(found):>8.2f}{max(found):>8.2f}{share:>14}")
    print(stacks)
    target(f"at most 1/{SHARE} of {THEIRS}", met=ratio(times[THEIRS], times[OURS]) >= SHARE)


main()
