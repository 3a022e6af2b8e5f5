"""cfn-lint on a template that is new to it; one that has passed is remembered by its digest."""

import contextlib
import hashlib
from importlib.metadata import version
from pathlib import Path

from paycli.errors import PaycliError
from paycli.progress import Report, Step

_REGION = "us-east-1"  # stands for one that is newer than cfn-lint


def check(template: str, region: str, root: Path, report: Report) -> bool:
    """Lint a template for a region; return False where it had passed before (1.3 s saved).

    Raises PaycliError with every finding. The memory is `.paycli/lint` of the project at `root`; where that can't be
    used, it is linted again each time.
    """
    folder = root / ".paycli" / "lint"
    passed = folder / hashlib.sha256(f"{version('cfn-lint')}\0{region}\0{template}".encode()).hexdigest()
    with contextlib.suppress(OSError):
        if passed.exists():
            return False
    from cfnlint.api import lint
    from cfnlint.config import ManualArgs
    from cfnlint.helpers import REGIONS

    known = region if region in REGIONS else _REGION
    if known != region:
        report(Step(f"cfn-lint doesn't know {region}: it checks the template for {known}."))
    matches = lint(template, config=ManualArgs(include_checks=["I"], regions=[known]))
    findings = [f"{match.rule.id} {match.message}" for match in matches]
    if findings:
        raise PaycliError(
            "cfn-lint refuses the template:\n" + "\n".join(findings),
            hint="The builders are in paycli/stack/; `paycli render` writes the template.",
            code="lint_failed",
        )
    try:
        _remember(passed)
    except OSError as error:
        report(Step(f"{passed.parent} can't be written ({error.strerror}): the next command lints again."))
    return True


def _remember(passed: Path) -> None:
    folder = passed.parent
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    folder.parent.chmod(0o700)  # it may be older
    folder.mkdir(exist_ok=True)
    passed.touch()
